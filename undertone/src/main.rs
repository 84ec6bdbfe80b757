//! The server of Undertone: signaling, media forwarding and the web client in one process.

mod addresses;
#[cfg(feature = "capture")]
mod capture;
mod cli;
mod error;
mod headers;
mod health;
mod listeners;
mod logging;
mod media;
mod metrics;
mod page;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli::Command::Serve(settings) = cli::Cli::parse().command;
    logging::start();
    match serve::serve(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not through the log: a filter must not hide why nothing runs.
            eprintln!("undertone: {error}");
            ExitCode::FAILURE
        }
    }
}
