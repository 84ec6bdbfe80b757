//! The one TCP port: what comes in is told apart by its first byte.
//!
//! - [`listeners`]: the sockets.
//! - [`first_byte`]: media, TLS, HTTP or nothing that we know.
//! - [`doors`]: what lies behind the port.
//! - `accept`: one loop for each socket, and the bounds on who waits in it.
//! - `connection`: one connection, from its first byte to its end.
//! - `http`: HTTP on a stream.
//! - [`counters`]: what came and what was turned away.

mod accept;
mod connection;
mod counters;
mod doors;
mod first_byte;
mod http;
mod listeners;

pub(crate) use counters::Counters;
pub(crate) use doors::{Doors, TakeMedia};
pub(crate) use listeners::{Listeners, Place};
