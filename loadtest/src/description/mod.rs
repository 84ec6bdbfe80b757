//! The session descriptions: the server's offer, and a member's answer to it.

mod answer;
mod offer;

pub(crate) use answer::codec_of;
pub use answer::{Answering, Publishing, answer};
pub use offer::{Direction, Offer, OfferedLine};
