//! What leaves the rooms towards a page, and what ends its connection.

use std::time::Duration;

use protocol::client::{ErrorCode, ServerMessage};
use protocol::group::ServerFrame;

use crate::session::ConnectionId;

/// What the shell does next with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// Send this.
    Send(ConnectionId, ServerMessage),
    /// Send this frame of the delivery service.
    SendFrame(ConnectionId, ServerFrame),
    /// Close it, after everything that was to be sent; the rooms have forgotten it already.
    Close(ConnectionId),
}

/// Something that the shell saw of a connection and that ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A message or frame above the limit, of which the shell did not read the rest.
    TooLarge,
    /// A text message that is not UTF-8.
    NotText,
    /// Its queue is full: it does not read.
    TooSlow,
}

/// How a connection ended from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// The page closed it: it left, was closed or reloaded.
    Clean,
    /// The line broke: the page may not know of it yet, and wants to come back.
    Broken,
}

/// An error for a page, on its way there.
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    pub(crate) detail: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    pub(crate) fn wait(retry_after: Duration) -> Self {
        let detail = "too many failed tries".to_owned();
        Self {
            code: ErrorCode::RateLimited,
            detail,
            retry_after: Some(retry_after),
        }
    }
}
