//! The group member for browsers: `cargo xtask wasm`.

use std::path::PathBuf;

use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;

const TARGET: &str = "wasm32-unknown-unknown";

/// What the page may be made to load, in bytes after gzip: as much as two photographs.
const GZIP_BYTES_MAX: usize = 700_000;

/// How much is spent on making it small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Quick to build.
    Quick,
    /// Optimised across crates.
    Release,
}

/// `cargo xtask wasm [--release]`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let care = match arguments {
        [] => Care::Quick,
        [flag] if flag == "--release" => Care::Release,
        _ => return Err(Failure::new("Usage: cargo xtask wasm [--release]".to_owned())),
    };
    let mut progress = Progress::new(1);
    progress.step("Group member for browsers", || build(care))
}

/// Builds the module and its glue into `web/src/e2ee/wasm`, and prints its size.
pub(crate) fn build(care: Care) -> Result<(), Failure> {
    ensure_target()?;
    let profile = match care {
        Care::Quick => "wasm",
        Care::Release => "wasm-release",
    };
    let root = paths::root();
    let remaps = [
        (root.display().to_string(), "undertone"),
        (home("CARGO_HOME", ".cargo").display().to_string(), "cargo"),
        (home("RUSTUP_HOME", ".rustup").display().to_string(), "rustup"),
    ];
    // The module names no folder of the machine that built it.
    let flags: Vec<String> = remaps
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={from}={to}"))
        .collect();
    let mut cargo = process::cargo(&[
        "build",
        "--locked",
        "--package",
        "e2ee-wasm",
        "--target",
        TARGET,
        "--profile",
        profile,
    ]);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    process::run(&mut cargo)?.succeed()?;
    process::run(&mut process::cargo(&[
        "build",
        "--locked",
        "--package",
        "xtask-glue",
        "--profile",
        "glue",
    ]))?
    .succeed()?;
    let target = paths::target_directory();
    let module = target.join(TARGET).join(profile).join("e2ee_wasm.wasm");
    let folder = root.join("web/src/e2ee/wasm");
    let mut glue = std::process::Command::new(target.join("glue/xtask-glue"));
    glue.arg(&module).arg(&folder);
    process::run(&mut glue)?.succeed()?;
    report_size(&folder.join("e2ee_bg.wasm"))
}

fn report_size(module: &std::path::Path) -> Result<(), Failure> {
    let raw = std::fs::metadata(module)
        .map_err(|error| Failure::new(format!("{} was not made: {error}.", module.display())))?
        .len();
    let mut gzip = std::process::Command::new("gzip");
    gzip.args(["-9", "--stdout"]).arg(module);
    let output = gzip
        .output()
        .map_err(|error| Failure::new(format!("gzip cannot be run: {error}.")))?;
    let packed = output.stdout.len();
    println!("  {} kB, {} kB gzipped", raw / 1_000, packed / 1_000);
    if packed > GZIP_BYTES_MAX {
        return Err(Failure::new(format!(
            "The group member has {packed} bytes after gzip, more than {GZIP_BYTES_MAX}."
        )));
    }
    Ok(())
}

fn home(variable: &str, usual: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(usual);
    std::env::var_os(variable).map_or_else(home, PathBuf::from)
}

/// Adds the target to the toolchain where it is not there.
fn ensure_target() -> Result<(), Failure> {
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let output = rustc
        .output()
        .map_err(|error| Failure::new(format!("rustc cannot be run: {error}.")))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    let mut rustup = std::process::Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    process::run(&mut rustup)?.succeed().map(drop)
}
