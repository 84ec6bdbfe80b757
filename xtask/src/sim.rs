//! Seeded lives of rooms: `cargo xtask sim`.

use crate::process::{self, Failure};

/// Builds the simulation with optimisation and hands it the arguments.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let mut cargo = process::cargo(&["run", "--release", "--locked", "--package", "simulation", "--"]);
    cargo.args(arguments);
    process::run(&mut cargo)?.succeed().map(drop)
}
