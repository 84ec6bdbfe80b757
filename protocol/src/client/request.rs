//! Messages of a browser to signaling.

use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::bytes::{DeflatedSdp, Gate, GateHash, Owner, ResumeToken, Sealed};
use crate::decode::{DecodeError, Node, Reason};
use crate::ids::RoomId;
use crate::limits::{CLIENT_DEPTH_MAX, MESSAGE_BYTES_MAX};

/// Everything a browser may say.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Makes a room. Comes before `hello`, on the same connection.
    Create(Create),
    /// Asks to enter a room.
    Hello(Hello),
    /// Asks to come back to the seat that one had before the connection broke.
    Resume(Resume),
    /// Answers the offer that came with `joined` or in `offer`.
    Answer(Answer),
    /// Says who one is, for the members' eyes only.
    Announce(Announce),
    /// Tells the others what one sends.
    Media(MediaState),
    /// Shows that one is there.
    Ping(Ping),
    /// Leaves the room.
    Leave(Leave),
}

impl ClientMessage {
    /// Reads one message, strictly: see [`crate::decode`] for what is refused.
    ///
    /// In `create`, `hello` and `resume` the version is looked at first, so that a newer client is told about its
    /// version and not about a field that this server does not know.
    pub fn decode(json: &[u8]) -> Result<Self, DecodeError> {
        if json.len() > MESSAGE_BYTES_MAX {
            return Err(DecodeError::new(Reason::TooLarge));
        }
        let (kind, fields) = Node::parse_message(json, CLIENT_DEPTH_MAX)?;
        if matches!(kind.as_str(), "create" | "hello" | "resume") {
            fields.check_version(VERSION)?;
        }
        match kind.as_str() {
            "create" => Create::deserialize(fields).map(Self::Create),
            "hello" => Hello::deserialize(fields).map(Self::Hello),
            "resume" => Resume::deserialize(fields).map(Self::Resume),
            "answer" => Answer::deserialize(fields).map(Self::Answer),
            "announce" => Announce::deserialize(fields).map(Self::Announce),
            "media" => MediaState::deserialize(fields).map(Self::Media),
            "ping" => Ping::deserialize(fields).map(Self::Ping),
            "leave" => Leave::deserialize(fields).map(Self::Leave),
            _ => Err(DecodeError::new(Reason::UnknownType)),
        }
    }

    /// Writes the message as JSON.
    pub fn encode(&self) -> String {
        // Strings, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The word in `type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Hello(_) => "hello",
            Self::Resume(_) => "resume",
            Self::Answer(_) => "answer",
            Self::Announce(_) => "announce",
            Self::Media(_) => "media",
            Self::Ping(_) => "ping",
            Self::Leave(_) => "leave",
        }
    }
}

/// Makes a room. Answered by `created` or an error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// [`VERSION`].
    pub version: u32,
    /// The room, drawn by the page.
    #[cfg_attr(test, ts(type = "string"))]
    pub room: RoomId,
    /// SHA-256 of the gate that will open it.
    #[cfg_attr(test, ts(type = "string"))]
    pub gate_hash: GateHash,
    /// Whose grants let members remove others and lock the room.
    #[cfg_attr(test, ts(type = "string"))]
    pub owner: Owner,
}

/// Asks to enter a room. Answered by `joined` or an error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// The room.
    #[cfg_attr(test, ts(type = "string"))]
    pub room: RoomId,
    /// The proof that one holds link and password.
    #[cfg_attr(test, ts(type = "string"))]
    pub gate: Gate,
    /// Whether one sends and receives media. A member without is in the group, and has no offer and no slots.
    pub media: bool,
}

/// Asks to come back to a seat whose connection broke less than 30 s ago. Answered by `resumed` or an error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// [`VERSION`].
    pub version: u32,
    /// The room.
    #[cfg_attr(test, ts(type = "string"))]
    pub room: RoomId,
    /// What `joined` gave for this.
    #[cfg_attr(test, ts(type = "string"))]
    pub token: ResumeToken,
}

/// Answers an offer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The number of the offer that this answers.
    pub negotiation: u32,
    /// What `createAnswer` gave.
    #[cfg_attr(test, ts(type = "string"))]
    pub sdp: DeflatedSdp,
}

/// Says who one is. The server relays it unread and keeps the latest for those who join later.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// The sealed announcement.
    #[cfg_attr(test, ts(type = "string"))]
    pub sealed: Sealed,
}

/// What a participant says about its microphone and camera. Everybody starts with both off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct MediaState {
    /// Whether the microphone is heard.
    pub microphone: Switch,
    /// Whether the camera is seen.
    pub camera: Switch,
}

impl MediaState {
    /// Where everybody starts.
    pub const OFF: Self = Self {
        microphone: Switch::Off,
        camera: Switch::Off,
    };
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Sending.
    On,
    /// Muted, or never there.
    Off,
}

/// Shows that one is there. Answered by `pong`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Ping {}

/// Leaves the room; the server closes the connection.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Leave {}
