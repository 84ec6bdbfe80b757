//! What the fuzz targets do, as plain functions.
//!
//! `cargo xtask fuzz` feeds them from a fuzzer; `tests/replay.rs` feeds them every committed file of
//! `fuzz/corpus/` on stable Rust. A function panics when what it was given broke a promise.

/// One fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of `fuzz/fuzz_targets/<name>.rs` and of `fuzz/corpus/<name>/`.
    pub name: &'static str,
    /// Takes one input; panics on a finding.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[];
