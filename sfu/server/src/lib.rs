//! Sockets and a thread around the SFU core.
//!
//! [`SfuServer::start`] binds one UDP socket for each media address and starts one worker: a thread with its own
//! epoll loop and its own core. The rest of the process reaches it through a [`SfuHandle`].
//!
//! - `worker`: the loop
//! - `sockets`: binding
//! - `tcp`: connections that carry media where UDP is blocked
//! - `mapping`: between the words of `protocol` and those of the core
//! - `outcome`: what becomes of TCP connections
//! - `metrics`: the core's counters for Prometheus
//! - `self_check`: asks our own media addresses whether they answer
//! - [`limits`]: every bound of this shell

mod error;
pub mod limits;
mod mapping;
mod metrics;
mod outcome;
mod random;
mod self_check;
mod server;
mod sockets;
mod tcp;
mod worker;

pub use error::StartError;
pub use outcome::TcpRefused;
pub use self_check::SelfCheck;
pub use server::{SfuHandle, SfuOptions, SfuServer};
pub use worker::OnEvent;
