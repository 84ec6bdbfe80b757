//! The command line. Every setting is also an environment variable; none is required.

use std::net::{IpAddr, SocketAddr};

use clap::{Args, Parser, Subcommand};

/// Private group calls on a server that cannot listen.
#[derive(Debug, Parser)]
#[command(name = "undertone", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server: web page, signaling and media in one process.
    Serve(Settings),
}

/// The settings of `undertone serve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// The one number of the server: TCP for the page and signaling, UDP for media. 0 takes a free one.
    #[arg(long, env = "UNDERTONE_PORT", default_value_t = 8080)]
    pub(crate) port: u16,

    /// An address to serve the page and signaling on; may be repeated. Only this machine unless set: browsers
    /// give camera and microphone to localhost and to HTTPS alone, so set it behind a proxy that speaks HTTPS.
    #[arg(
        long = "http-address",
        env = "UNDERTONE_HTTP_ADDRESS",
        value_name = "IP",
        value_delimiter = ',',
        default_values = ["127.0.0.1", "::1"]
    )]
    pub(crate) http_addresses: Vec<IpAddr>,

    /// An address to offer for media; may be repeated. Unless set: loopback, and the address of the interface
    /// that the default route leaves by.
    #[arg(
        long = "media-address",
        env = "UNDERTONE_MEDIA_ADDRESS",
        value_name = "IP",
        value_delimiter = ','
    )]
    pub(crate) media_addresses: Vec<IpAddr>,

    /// Where to serve Prometheus metrics. Port 0 takes a free one.
    #[arg(
        long,
        env = "UNDERTONE_METRICS_ADDRESS",
        value_name = "IP:PORT",
        default_value = "127.0.0.1:8081"
    )]
    pub(crate) metrics_address: SocketAddr,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_needs_to_be_set_and_http_stays_on_this_machine() {
        let Command::Serve(settings) = Cli::parse_from(["undertone", "serve"]).command;
        assert_eq!(settings.port, 8080);
        assert!(settings.http_addresses.iter().all(IpAddr::is_loopback));
        assert!(settings.metrics_address.ip().is_loopback());
    }

    #[test]
    fn media_addresses_can_be_repeated() {
        let words = [
            "undertone",
            "serve",
            "--media-address",
            "127.0.0.1",
            "--media-address",
            "::1",
        ];
        let Command::Serve(settings) = Cli::parse_from(words).command;
        assert_eq!(settings.media_addresses.len(), 2);
    }
}
