//! `cargo xtask release`: an optimised server.

use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;
use crate::setup::debian;
use crate::wasm::Care;
use crate::web;

/// Builds the web client and the server with optimisation.
pub(crate) fn run() -> Result<(), Failure> {
    let mut progress = Progress::new(4);
    progress.step("Tools", || debian::install(&[debian::COMPILER]))?;
    let node = progress.step("Web packages", web::packages)?;
    progress.step("Web client", || web::build(&node, Care::Release))?;
    progress.step("Server", || {
        process::run(&mut process::cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            "undertone",
        ]))?
        .succeed()
    })?;
    println!(
        "{}",
        paths::target_directory().join("release/undertone").display()
    );
    Ok(())
}
