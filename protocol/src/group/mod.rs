//! What members and the delivery service say about the MLS group (RFC 9420): binary WebSocket messages.
//!
//! The server orders commits and relays bytes. It reads [`frame`]s, the MLS handshake messages in them (which are
//! `PublicMessage`), and what a commit says in its authenticated data ([`commit_data`]); everything else is sealed.
//!
//! `docs/protocol.md` describes the order of the frames.

pub mod commit_data;
pub mod frame;
mod reader;
pub mod reason;

pub use commit_data::{CommitData, Grant, Role};
pub use frame::{ClientFrame, FrameError, ServerFrame};
pub use reason::{RefusalReason, RejectReason};
