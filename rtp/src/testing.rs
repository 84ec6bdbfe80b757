//! What the tests of this crate share.

use proptest::test_runner::{Config, RngSeed};

/// Fixed seed and no files: a failure repeats on every machine.
pub(crate) fn config() -> Config {
    Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x756E_6465_7274_6F6E),
        ..Config::default()
    }
}
