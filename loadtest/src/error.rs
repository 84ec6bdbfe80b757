//! How a member fails.

use std::io;

use protocol::client::ErrorCode;
use transport::{CloseReason, SetupError};

/// Why a member is not in the meeting, or not any more.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The address of the server cannot be used.
    #[error("{0}")]
    Target(String),
    /// A socket failed.
    #[error("a socket failed: {0}")]
    Socket(#[from] io::Error),
    /// The WebSocket failed.
    #[error("the WebSocket failed: {0}")]
    WebSocket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    /// The server closed the WebSocket without a word.
    #[error("the server closed the connection")]
    Closed,
    /// The server refused.
    #[error("the server refused: {0} ({1})")]
    Refused(ErrorCode, String),
    /// The server said something that is no message, or not at this point.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
    /// The offer cannot be answered.
    #[error("the offer cannot be answered: {0}")]
    Offer(&'static str),
    /// Something took too long.
    #[error("too slow: {0}")]
    Timeout(&'static str),
    /// The transport could not be made.
    #[error("the transport could not be made: {0}")]
    Setup(#[from] SetupError),
    /// The transport ended.
    #[error("the transport ended: {0:?}")]
    Transport(CloseReason),
    /// There are no keys, no randomness or no certificate.
    #[error("encryption failed: {0}")]
    Encryption(&'static str),
}
