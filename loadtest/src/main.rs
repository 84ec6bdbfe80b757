//! `undertone-loadtest`: fills a meeting with members who have no browser.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use loadtest::{Access, Crowd, CrowdSettings, MeetingLink, MemberError, Storm, Target};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// Fills a meeting with members who have no browser: they send sealed sound and pictures, open what they get, and
/// count. Only servers on this machine and in test networks are loaded, unless told otherwise.
#[derive(Debug, Parser)]
#[command(name = "undertone-loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One meeting with many members. Exits with 0 only if every member connected and nothing failed.
    Crowd(CrowdArguments),
    /// One meeting that many members without media enter at once. Exits with 0 only if all came in and know each other.
    Storm(StormArguments),
}

#[derive(Debug, Args)]
struct CrowdArguments {
    /// The link of the meeting. Without one a meeting is made, and its link printed.
    #[arg(long)]
    link: Option<String>,

    /// The server, if it is not the one in the link.
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// The password of the meeting.
    #[arg(long)]
    password: Option<String>,

    /// How many members, 1 to 24.
    #[arg(long, default_value_t = 4)]
    members: usize,

    /// How long, from the first join on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// Pictures per second of each member.
    #[arg(long, default_value_t = 10)]
    fps: u32,

    /// Time between two joins.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    join_every: u64,

    /// Do not ask for missing packets.
    #[arg(long)]
    no_nack: bool,

    /// Load a server at a public address, too. It has to be your own.
    #[arg(long)]
    any_address: bool,

    /// Write the numbers as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct StormArguments {
    /// The link of the meeting. Without one a meeting is made, and its link printed.
    #[arg(long)]
    link: Option<String>,

    /// The server, if it is not the one in the link.
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// The password of the meeting.
    #[arg(long)]
    password: Option<String>,

    /// How many members, 1 to 500.
    #[arg(long, default_value_t = 50)]
    members: usize,

    /// How long they stay.
    #[arg(long, default_value_t = 10)]
    seconds: u64,

    /// Leave so many seconds after everybody knows everybody, if that is earlier.
    #[arg(long, value_name = "SECONDS")]
    settle: Option<u64>,

    /// Load a server at a public address, too. It has to be your own.
    #[arg(long)]
    any_address: bool,

    /// Write the numbers as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Crowd(arguments) => crowd(arguments).await,
        Command::Storm(arguments) => storm(arguments).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The meeting of a link, or a new one at a server.
fn meeting(
    link: Option<&str>,
    server: Option<&str>,
    password: Option<&str>,
) -> Result<MeetingLink, MemberError> {
    let link = match (link, server) {
        (Some(link), _) => MeetingLink::parse(link)?,
        (None, Some(server)) => {
            let mut random =
                ChaCha20Rng::try_from_os_rng().map_err(|_| MemberError::Encryption("no randomness"))?;
            let mut link = MeetingLink::draw(server, &mut random);
            link.fragment.password = password.is_some();
            println!("Meeting: {}", link.to_text());
            link
        }
        (None, None) => return Err(MemberError::Target("say --link or --server".to_owned())),
    };
    if link.fragment.password != password.is_some() {
        let words = "the link and --password do not agree on whether there is a password";
        return Err(MemberError::Target(words.to_owned()));
    }
    Ok(link)
}

/// Whether everybody came in.
async fn storm(arguments: StormArguments) -> Result<bool, MemberError> {
    let password = arguments.password.as_deref();
    let link = meeting(arguments.link.as_deref(), arguments.server.as_deref(), password)?;
    let server = arguments.server.as_deref().unwrap_or(&link.server);
    let storm = Storm {
        target: Target::parse(server, arguments.any_address)?,
        access: Access::new(&link, password),
        creates: arguments.link.is_none(),
        members: arguments.members,
        seconds: arguments.seconds,
        settle: arguments.settle,
    };
    let report = storm.run().await?;
    println!("{}", report.table());
    if let Some(file) = arguments.json {
        // Numbers, strings and lists of them always serialise.
        std::fs::write(file, serde_json::to_vec_pretty(&report).unwrap_or_default())?;
    }
    Ok(report.is_good(arguments.members))
}

/// Whether every member connected and nothing failed.
async fn crowd(arguments: CrowdArguments) -> Result<bool, MemberError> {
    let password = arguments.password.as_deref();
    let link = meeting(arguments.link.as_deref(), arguments.server.as_deref(), password)?;
    let server = arguments.server.as_deref().unwrap_or(&link.server);
    let settings = CrowdSettings {
        target: Target::parse(server, arguments.any_address)?,
        access: Access::new(&link, arguments.password.as_deref()),
        creates: arguments.link.is_none(),
        members: arguments.members,
        seconds: arguments.seconds,
        fps: arguments.fps,
        join_every: Duration::from_millis(arguments.join_every),
        asks_again: !arguments.no_nack,
    };
    let report = Crowd::new(settings)?.run(|line| println!("{line}")).await?;
    println!("\n{}", report.table());
    if let Some(file) = arguments.json {
        // Numbers, strings and lists of them always serialise.
        std::fs::write(file, serde_json::to_vec_pretty(&report).unwrap_or_default())?;
    }
    Ok(report.is_good())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
