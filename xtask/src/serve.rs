//! `cargo xtask run`: from a clean clone to a running server.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;
use crate::setup::debian;
use crate::wasm::Care;
use crate::web;

/// Builds everything and becomes the server, which gets `options`.
///
/// The server takes the place of this process, so that Ctrl-C and signals reach it and its exit status is ours.
pub(crate) fn run(options: &[String]) -> Result<(), Failure> {
    let mut progress = Progress::new(4);
    progress.step("Tools", || debian::install(&[debian::COMPILER]))?;
    let node = progress.step("Web packages", web::packages)?;
    progress.step("Web client", || web::build(&node, Care::Quick))?;
    let server = progress.step("Server", build)?;
    eprintln!(
        "Ready to start after {}. Ctrl-C ends the server.\n",
        progress.elapsed()
    );
    let error = Command::new(&server).arg("serve").args(options).exec();
    Err(process::cannot_start(&server.display().to_string(), &error))
}

fn build() -> Result<PathBuf, Failure> {
    process::run(&mut process::cargo(&["build", "--package", "undertone"]))?.succeed()?;
    Ok(paths::target_directory().join("debug/undertone"))
}
