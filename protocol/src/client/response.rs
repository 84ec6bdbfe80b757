//! Messages of signaling to a browser.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, Switch};
use crate::bytes::{DeflatedSdp, Sealed};
use crate::decode::{DecodeError, Node, Reason};
use crate::ids::{Mid, RoomId, Seat};
use crate::limits::{MESSAGE_BYTES_MAX, SERVER_DEPTH_MAX};
use crate::media::SourceKind;

/// Everything signaling may say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The room was made.
    Created(Created),
    /// One is in the room.
    Joined(Joined),
    /// Somebody else came in.
    ParticipantJoined(ParticipantJoined),
    /// Somebody else left.
    ParticipantLeft(ParticipantLeft),
    /// Somebody else said who it is.
    Announced(Announced),
    /// Somebody else changed what it sends.
    Media(ParticipantMedia),
    /// Slots changed what they carry.
    Slots(Slots),
    /// The media transport came up or went away.
    Transport(TransportMessage),
    /// The answer to `ping`.
    Pong(Pong),
    /// A refusal; the connection closes after it.
    Error(ErrorMessage),
}

impl ServerMessage {
    /// Reads one message, strictly: see [`crate::decode`] for what is refused.
    pub fn decode(json: &[u8]) -> Result<Self, DecodeError> {
        if json.len() > MESSAGE_BYTES_MAX {
            return Err(DecodeError::new(Reason::TooLarge));
        }
        let (kind, fields) = Node::parse_message(json, SERVER_DEPTH_MAX)?;
        match kind.as_str() {
            "created" => Created::deserialize(fields).map(Self::Created),
            "joined" => Joined::deserialize(fields).map(Self::Joined),
            "participant_joined" => ParticipantJoined::deserialize(fields).map(Self::ParticipantJoined),
            "participant_left" => ParticipantLeft::deserialize(fields).map(Self::ParticipantLeft),
            "announced" => Announced::deserialize(fields).map(Self::Announced),
            "media" => ParticipantMedia::deserialize(fields).map(Self::Media),
            "slots" => Slots::deserialize(fields).map(Self::Slots),
            "transport" => TransportMessage::deserialize(fields).map(Self::Transport),
            "pong" => Pong::deserialize(fields).map(Self::Pong),
            "error" => ErrorMessage::deserialize(fields).map(Self::Error),
            _ => Err(DecodeError::new(Reason::UnknownType)),
        }
    }

    /// Writes the message as JSON.
    pub fn encode(&self) -> String {
        // Strings, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// An error without a time to wait.
    pub fn error(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Error(ErrorMessage {
            code,
            detail: detail.into(),
            retry_after_ms: None,
        })
    }
}

/// The room was made; now `hello` enters it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// The room.
    #[cfg_attr(test, ts(type = "string"))]
    pub room: RoomId,
}

/// One is in the room, and here is everything in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// One's own seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// The others, by seat.
    pub participants: Vec<Participant>,
    /// All slots of the offer; what they will carry comes in `slots` once the answer is in.
    pub slots: Vec<SlotBinding>,
    /// The number of the offer, to be named in the answer.
    pub negotiation: u32,
    /// The offer.
    #[cfg_attr(test, ts(type = "string"))]
    pub offer: DeflatedSdp,
}

/// One of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// What it says of its microphone.
    pub microphone: Switch,
    /// What it says of its camera.
    pub camera: Switch,
    /// Its latest announcement, if it has made one.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub sealed: Option<Sealed>,
}

/// What one receive slot carries. A hint for layout: names come from keys and announcements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SlotBinding {
    /// The m-line.
    #[cfg_attr(test, ts(type = "string"))]
    pub mid: Mid,
    /// Whose source it carries, or null.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub seat: Option<Seat>,
    /// Which of its sources, or null; null together with `seat`.
    pub source: Option<SourceKind>,
}

/// Somebody else came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ParticipantJoined {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
}

/// Somebody else left, or its connection was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ParticipantLeft {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
}

/// Somebody else said who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// The announcement, as it was sent.
    #[cfg_attr(test, ts(type = "string"))]
    pub sealed: Sealed,
}

/// Somebody else changed what it sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ParticipantMedia {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// What it says of its microphone.
    pub microphone: Switch,
    /// What it says of its camera.
    pub camera: Switch,
}

/// Slots changed what they carry; only the changed ones are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// The changed slots.
    pub slots: Vec<SlotBinding>,
}

/// The state of one's own media transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TransportMessage {
    /// The state.
    pub state: TransportState,
}

/// The states of a media transport that a page is told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TransportState {
    /// Media may flow.
    Connected,
    /// It ended; an error follows.
    Closed,
}

/// The answer to `ping`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Pong {}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ErrorMessage {
    /// What kind of refusal.
    pub code: ErrorCode,
    /// More about it in English, for developers; a page shows its own words.
    pub detail: String,
    /// How long to wait before the next try, in milliseconds, where waiting helps.
    pub retry_after_ms: Option<u32>,
}
