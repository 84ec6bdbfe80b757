//! What the tests of this crate share.

use std::sync::LazyLock;
use std::time::Instant;

/// The moment at which virtual time begins.
pub(crate) fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant cannot be made in another way; time never moves on"
    )]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START
}
