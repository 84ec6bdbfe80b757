//! The pure selective forwarding unit: it routes sealed media and decides who receives what.
//!
//! A [`Sfu`] takes datagrams, commands and the current time, and hands out datagrams, events and the next
//! deadline. It reads no clock, opens no socket and starts no thread. With given SRTP keys and a given seed it is
//! deterministic.
//!
//! The road of a packet is one function, `Sfu::forward` in `sfu.rs`; its stages know nothing of each other:
//!
//! - `demux`: whose datagram is this
//! - `ingress`: whose layer, where in its stream, does a key frame begin; feedback for the publisher
//! - `router`: which slots does the source feed
//! - `egress`: one continuous stream for each slot, whatever feeds it
//! - `repair`: which packets are missing, and which can be sent again
//! - `congestion`: the seat of what will control the rate
//! - `transmit`: what waits to be sent
//!
//! [`limits`] holds every bound, [`stats`] a counter for every reason to drop something.

mod capture;
mod command;
mod config;
mod congestion;
mod demux;
mod egress;
mod ingress;
pub mod limits;
mod peer;
mod random;
mod repair;
mod router;
mod sfu;
pub mod stats;
mod table;
mod timers;
mod transmit;

#[cfg(test)]
mod testing;

pub use capture::Direction;
#[cfg(feature = "capture")]
pub use capture::Tap;
pub use command::{
    Command, Event, Media, PeerClosedReason, PeerConnection, PeerId, Publication, Repair, Slot, SourceKind,
};
pub use config::{Config, Format, MediaProfile};
pub use sfu::Sfu;
pub use stats::{DropReason, Stats};
pub use transmit::{Class, Transmit};
