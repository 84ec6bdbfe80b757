//! The shell around the rooms: WebSockets, time, randomness, metrics and the way to the SFU.
//!
//! - [`server`]: [`SignalingServer`], which starts everything and is mounted into an HTTP server.
//! - [`link`]: [`SfuLink`], by which commands reach the SFU.
//! - [`limits`]: the bounds of queues and connections.
//! - `actor`: the one task that owns the rooms. `connection`: one task for each WebSocket.
//! - `metrics`: what the rooms count, for Prometheus.

mod actor;
mod connection;
pub mod limits;
pub mod link;
mod metrics;
pub mod server;

pub use link::SfuLink;
pub use server::SignalingServer;
pub use signaling_core::DeliveryKey;
