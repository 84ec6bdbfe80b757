//! The codes by which a page tells one error from another.

use std::fmt;

/// Why signaling refuses. Every error is the last message of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The message is not JSON of a known shape.
    Malformed,
    /// The message is larger than the limit.
    TooLarge,
    /// The client speaks another version.
    VersionUnsupported,
    /// The message is known, but not at this point of the conversation.
    OutOfOrder,
    /// The room is unknown or the gate is wrong; which of the two is not told.
    Refused,
    /// A room of this name exists already.
    RoomExists,
    /// The seat to come back to is not held any more, or the token is not its own; which of the two is not told.
    ResumeRefused,
    /// The room has all its members.
    RoomFull,
    /// The meeting is locked: nobody new comes in.
    Locked,
    /// One was removed from the meeting.
    Removed,
    /// Too many messages, or too many failed tries.
    RateLimited,
    /// The answer to our offer cannot be used; the detail says why.
    BadAnswer,
    /// The certificate that came in DTLS is not the one of the answer.
    FingerprintMismatch,
    /// Media cannot reach us, or no longer; the detail says how it ended.
    TransportFailed,
    /// The client does not read what is sent to it.
    TooSlow,
    /// The server has no room for more rooms, connections or peers.
    ServerFull,
    /// The server is being stopped.
    ServerStopping,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::TooLarge,
        Self::VersionUnsupported,
        Self::OutOfOrder,
        Self::Refused,
        Self::RoomExists,
        Self::ResumeRefused,
        Self::RoomFull,
        Self::Locked,
        Self::Removed,
        Self::RateLimited,
        Self::BadAnswer,
        Self::FingerprintMismatch,
        Self::TransportFailed,
        Self::TooSlow,
        Self::ServerFull,
        Self::ServerStopping,
    ];

    /// The code as it stands in JSON and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::VersionUnsupported => "version_unsupported",
            Self::OutOfOrder => "out_of_order",
            Self::Refused => "refused",
            Self::RoomExists => "room_exists",
            Self::ResumeRefused => "resume_refused",
            Self::RoomFull => "room_full",
            Self::Locked => "locked",
            Self::Removed => "removed",
            Self::RateLimited => "rate_limited",
            Self::BadAnswer => "bad_answer",
            Self::FingerprintMismatch => "fingerprint_mismatch",
            Self::TransportFailed => "transport_failed",
            Self::TooSlow => "too_slow",
            Self::ServerFull => "server_full",
            Self::ServerStopping => "server_stopping",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
