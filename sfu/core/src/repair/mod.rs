//! Lost packets: which are missing, what can be sent again, and how often.
//!
//! Towards publishers, [`gaps`] knows what did not come and when to ask. Towards subscribers, [`cache`] keeps what
//! came, once for all of them; [`answers`] and [`budget`] bound what is sent again. [`round_trip`] times both.

pub(crate) mod answers;
pub(crate) mod budget;
pub(crate) mod cache;
pub(crate) mod gaps;
pub(crate) mod round_trip;
