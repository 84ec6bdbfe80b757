//! `cargo xtask check`: what is worth knowing before sharing a change.

use crate::process::{self, Failure};
use crate::progress::Progress;
use crate::wasm::Care;
use crate::web;

/// Arguments of the format check.
pub(crate) const FORMAT: &[&str] = &["fmt", "--all", "--check"];

/// Arguments of the lints, over every target and feature.
pub(crate) const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--all-features",
    "--",
    "--deny",
    "warnings",
];

/// Runs format, lints and tidy tests.
pub(crate) fn run() -> Result<(), Failure> {
    let mut progress = Progress::new(5);
    progress.step("Format", || cargo(FORMAT))?;
    progress.step("Tidy", || {
        cargo(&["test", "--quiet", "--package", "xtask", "--test", "tidy"])
    })?;
    // The server embeds the web client, so there must be one.
    let node = progress.step("Web packages", web::packages)?;
    progress.step("Web client", || web::build(&node, Care::Quick))?;
    progress.step("Clippy", || cargo(CLIPPY))
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    process::run(&mut process::cargo(arguments))?.succeed().map(drop)
}
