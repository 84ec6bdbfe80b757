//! A wrapper for values that must not reach a log: addresses, names, room names, keys.

use std::fmt;

/// Holds a value and shows `[redacted]` in its place, both with `{}` and with `{:?}`.
///
/// The value stays usable through the public field; only what formats it is blinded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted<T>(pub T);

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_value_shows_nothing() {
        let address = Redacted("192.0.2.7");
        assert_eq!(
            format!("{address} {address:?} {address:#?}"),
            "[redacted] [redacted] [redacted]"
        );
    }
}
