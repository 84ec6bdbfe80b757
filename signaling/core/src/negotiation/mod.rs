//! The offer that signaling writes and the answer that it reads, both in canonical numbers.
//!
//! [`Offer`] writes; [`Description`] reads the lines of an answer without judging them; [`accept()`] judges them
//! against the offer and gives what the SFU needs.

mod accept;
mod description;
mod offer;
mod reason;

pub use accept::{accept, accept_deflated};
pub use description::{Description, Direction, Section, Setup};
pub use offer::{Offer, OfferedLine, Role};
pub use reason::{AnswerError, AnswerReason};

#[cfg(test)]
mod tests;
