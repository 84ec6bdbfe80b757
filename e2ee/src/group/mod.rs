//! The MLS group of a room (RFC 9420), as one member sees it.
//!
//! [`Member`] is a pure core: frames of the server, commands and the time go in (`handle_*`), frames, events and the
//! next deadline come out (`poll_*`). Randomness comes from the seed that it is made with.
//!
//! - [`member`]: the member: entering, merging, committing, talking, and its timers
//! - [`policy`]: what is refused although the library would take it
//! - [`event`]: what a member tells its host: keys to use and to forget, names, alarms
//! - [`roster`]: who is in the group, and what each says of itself
//! - [`epochs`]: how long keys are kept, and when the next are used to send
//! - [`statistics`]: what was refused, and why

pub mod epochs;
pub mod event;
mod library;
pub mod member;
pub mod policy;
pub mod roster;
pub mod statistics;

pub use event::{Alarm, Event};
pub use member::{Config, Member, OWNER_GRANT_LIFE, Owner, Saying};
pub use statistics::Statistics;
