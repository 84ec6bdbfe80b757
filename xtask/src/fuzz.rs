//! `cargo xtask fuzz`: the fuzz targets, each for a while.

use std::path::Path;
use std::process::Command;

use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;

/// The version of cargo-fuzz that we run with.
const CARGO_FUZZ_VERSION: &str = "0.13.2";

/// How long each target runs unless told otherwise, in seconds.
const SECONDS: u64 = 60;

/// Runs one target or all. New inputs go below the target directory; `fuzz/corpus` is only read.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let wish = Wish::parse(arguments)?;
    let all = targets()?;
    let targets: Vec<&String> = all
        .iter()
        .filter(|name| wish.target.as_ref().is_none_or(|target| target == *name))
        .collect();
    if targets.is_empty() {
        let wanted = wish.target.unwrap_or_default();
        return Err(Failure::new(format!("There is no fuzz target `{wanted}`."))
            .remedy(format!("There are: {}.", all.join(", "))));
    }
    let mut progress = Progress::new(targets.len() + 1);
    progress.step("Nightly Rust and cargo-fuzz", prepare)?;
    let mut failed = Vec::new();
    for target in targets {
        if let Err(failure) = progress.step(target, || fuzz(target, wish.seconds)) {
            eprintln!("{failure}");
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("Findings in: {}.", failed.join(", ")))
        .remedy("The inputs are under fuzz/artifacts; after the fix they belong into fuzz/corpus."))
}

/// What the caller asked for.
#[derive(Debug, PartialEq)]
struct Wish {
    seconds: u64,
    target: Option<String>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let usage = || Failure::new("Usage: cargo xtask fuzz [--seconds 60] [target]");
        let mut wish = Self {
            seconds: SECONDS,
            target: None,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seconds" => {
                    wish.seconds = arguments.next().and_then(|n| n.parse().ok()).ok_or_else(usage)?
                }
                option if option.starts_with('-') => return Err(usage()),
                target if wish.target.is_none() => wish.target = Some(target.to_owned()),
                _ => return Err(usage()),
            }
        }
        Ok(wish)
    }
}

fn targets() -> Result<Vec<String>, Failure> {
    let folder = paths::root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", folder.display())))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    Ok(names)
}

fn prepare() -> Result<(), Failure> {
    if process::ask(&mut nightly(&["rustc", "--version"])).is_none() {
        return Err(
            Failure::new("Fuzzing needs nightly Rust, which is not installed.")
                .remedy("Run `rustup toolchain install nightly --profile minimal` and this again."),
        );
    }
    if process::ask(&mut nightly(&["cargo", "fuzz", "--version"])).is_some() {
        return Ok(());
    }
    let arguments = [
        "install",
        "--locked",
        "--version",
        CARGO_FUZZ_VERSION,
        "cargo-fuzz",
    ];
    process::run(&mut process::cargo(&arguments))?.succeed().map(drop)
}

fn fuzz(target: &str, seconds: u64) -> Result<(), Failure> {
    let found = paths::target_directory().join("fuzz-corpus").join(target);
    std::fs::create_dir_all(&found)
        .map_err(|error| Failure::new(format!("{} cannot be created: {error}.", found.display())))?;
    let committed = paths::root().join("fuzz/corpus").join(target);
    let mut command = nightly(&["cargo", "fuzz", "run", target]);
    // The first folder receives new inputs, the others are read.
    command.args([&found, &committed].map(|folder: &std::path::PathBuf| folder.as_os_str()));
    command.args([
        "--",
        &format!("-max_total_time={seconds}"),
        "-timeout=10",
        "-print_final_stats=1",
    ]);
    process::run(&mut command)?.succeed().map(drop)
}

/// A program of the nightly toolchain, in the root.
fn nightly(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command
        .args(["run", "nightly"])
        .args(arguments)
        .current_dir(paths::root());
    // Set by the cargo that runs us; the nightly one must find its own.
    command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    process::as_from_a_shell(&mut command);
    command.env(
        "CARGO_TARGET_DIR",
        Path::new(&paths::target_directory()).join("fuzz"),
    );
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let parse =
            |words: &[&str]| Wish::parse(&words.iter().map(|word| word.to_string()).collect::<Vec<_>>());
        assert_eq!(
            parse(&[]).expect("valid"),
            Wish {
                seconds: 60,
                target: None
            }
        );
        let wish = Wish {
            seconds: 5,
            target: Some("rtp_packet".to_owned()),
        };
        assert_eq!(parse(&["--seconds", "5", "rtp_packet"]).expect("valid"), wish);
        for wrong in [
            &["--seconds"][..],
            &["--seconds", "x"],
            &["--minutes"],
            &["a", "b"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
