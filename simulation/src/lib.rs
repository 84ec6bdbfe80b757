//! Members and the delivery service in virtual time, with a network and a server that are ours to bend.
//!
//! The cores are the real ones: [`e2ee::group::Member`] and [`signaling_core::delivery::Delivery`]. Between them lies
//! a network that delays, loses connections and forgets the server as a seed says.
//!
//! - [`world`]: the room: its people, its server, the network and the clock
//! - [`person`]: one member, what its keys can open, and what it has used
//! - [`ghost`]: somebody who speaks MLS without our policy, for attacks
//! - [`run`]: a seeded life of a room, with the invariants that hold after each step

pub mod ghost;
pub mod person;
pub mod run;
pub mod world;
