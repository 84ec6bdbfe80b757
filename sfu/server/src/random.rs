//! Randomness of the operating system.

use std::io;

use ring::rand::{SecureRandom as _, SystemRandom};

/// Fills the bytes.
pub(crate) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| io::Error::other("no randomness"))
}

/// A seed for a core.
pub(crate) fn seed() -> io::Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}
