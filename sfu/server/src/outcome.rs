//! What becomes of TCP connections and of what waits for them, in the words of the metrics.

/// Why a TCP connection was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TcpRefused {
    /// Too many connections wait for the worker.
    #[error("too many connections wait for the media worker")]
    Full,
    /// There are as many connections as there may be, here or from the same network, and each has a peer.
    #[error("there are too many connections of media")]
    TooMany,
    /// The connection came to an address that is not offered for media.
    #[error("the connection came to an address that is not offered for media")]
    NotOffered,
    /// The connection is over already.
    #[error("the connection is over already")]
    Broken,
    /// The worker has ended.
    #[error("the media worker has ended")]
    Ended,
}

impl TcpRefused {
    /// Every reason.
    pub(crate) const ALL: [Self; 5] = [
        Self::Full,
        Self::TooMany,
        Self::NotOffered,
        Self::Broken,
        Self::Ended,
    ];

    /// A short word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "busy",
            Self::TooMany => "too_many",
            Self::NotOffered => "not_offered",
            Self::Broken => "broken",
            Self::Ended => "ended",
        }
    }
}

/// Why a TCP connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// The other end closed it, or the network did.
    Remote,
    /// No authentic check came in time, or its peer was removed.
    Stranger,
    /// A stranger made room for another connection.
    Crowded,
    /// What came was not media: a frame that is too long, or too many datagrams before an authentic check.
    Garbage,
    /// The other end stopped reading, or reads too slowly.
    Stalled,
    /// What must not be dropped filled its queue.
    Full,
}

impl CloseCause {
    /// Every cause.
    pub(crate) const ALL: [Self; 6] = [
        Self::Remote,
        Self::Stranger,
        Self::Crowded,
        Self::Garbage,
        Self::Stalled,
        Self::Full,
    ];

    /// A short word for metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Stranger => "stranger",
            Self::Crowded => "crowded",
            Self::Garbage => "garbage",
            Self::Stalled => "stalled",
            Self::Full => "full",
        }
    }
}

/// How many datagrams a TCP connection dropped: see [`sfu_core::Class`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drops {
    pub(crate) video: u64,
    pub(crate) repair: u64,
}
