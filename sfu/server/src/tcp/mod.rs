//! TCP connections that carry media where UDP is blocked: ICE-TCP (RFC 6544), framed as RFC 4571 says.
//!
//! - `handover`: how an accepted connection comes to the worker
//! - `connections`: all of them, and their bounds
//! - `connection`: one of them
//! - `queue`: what waits to be written to it, and what is dropped first

mod connection;
mod connections;
mod handover;
mod queue;

pub(crate) use connections::Connections;
pub(crate) use handover::Accepted;
