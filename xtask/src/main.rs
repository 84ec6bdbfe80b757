//! The project's own commands: `cargo xtask <command>`.
//!
//! Written with little beside the standard library, because it is the first thing that a newcomer compiles.

mod check;
mod fuzz;
mod paths;
mod process;
mod progress;
mod release;
mod serve;
mod setup;
mod sim;
mod suite;
mod summary;
mod wasm;
mod web;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <command>

  run [options]   install what is missing, build, start the server and print its link;
                  options go to `undertone serve`, for example --port 9000
  test            every check and test of the project, ends with `N passed, N failed`
  check           the quick part of it: format, clippy and the tidy tests
  web             build the web client
  wasm [--release]
                  build the group member for browsers, and print its size
  sim [--seeds 20] [--seed N] [--members 8] [--steps 60]
                  seeded lives of rooms, in virtual time
  browser         only the tests in real browsers
  fuzz [--seconds 60] [target]
                  run the fuzz targets (needs nightly Rust)
  release         an optimised server at target/release/undertone
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let result = match command {
        "run" => serve::run(rest),
        "test" => return suite::test(),
        "check" => check::run(),
        "web" => web::run(),
        "wasm" => wasm::run(rest),
        "sim" => sim::run(rest),
        "browser" => return suite::browser(),
        "fuzz" => fuzz::run(rest),
        "release" => release::run(),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprintln!("cargo xtask knows no command `{other}`.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}
