//! The offer that signaling writes and the answer that it reads, both in canonical numbers.
//!
//! [`Offer`] writes, with the slots of a [`Pool`] and the candidates of `candidates`; [`Description`] reads the lines
//! of an answer without judging them; [`accept()`] judges them against the offer and gives what the SFU needs, and
//! [`accept_again()`] does so for a transport that lives already.

mod accept;
mod again;
pub mod candidates;
mod description;
mod offer;
mod pool;
mod reason;

pub use accept::{accept, inflate};
pub use again::accept_again;
pub use description::{Description, Direction, Section, Setup};
pub use offer::{Offer, OfferedLine, Role};
pub use pool::Pool;
pub use reason::{AnswerError, AnswerReason};

#[cfg(test)]
mod tests;
