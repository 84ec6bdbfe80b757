//! Messages of signaling to a browser.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, Switch};
use crate::bytes::{DeflatedSdp, ResumeToken, Sealed};
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
    /// One has one's seat back.
    Resumed(Resumed),
    /// Another offer is to be answered.
    Offer(OfferMessage),
    /// Somebody else came in.
    ParticipantJoined(ParticipantJoined),
    /// Somebody else left.
    ParticipantLeft(ParticipantLeft),
    /// Somebody else said who it is.
    Announced(Announced),
    /// Somebody else changed what it sends.
    Media(ParticipantMedia),
    /// Somebody else's media stopped reaching the server, or reaches it again.
    Presence(ParticipantPresence),
    /// Slots changed what they carry.
    Slots(Slots),
    /// The media transport came up or went away.
    Transport(TransportMessage),
    /// The server will stop; calls end at the deadline.
    Stopping(Stopping),
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
            "resumed" => Resumed::deserialize(fields).map(Self::Resumed),
            "offer" => OfferMessage::deserialize(fields).map(Self::Offer),
            "participant_joined" => ParticipantJoined::deserialize(fields).map(Self::ParticipantJoined),
            "participant_left" => ParticipantLeft::deserialize(fields).map(Self::ParticipantLeft),
            "announced" => Announced::deserialize(fields).map(Self::Announced),
            "media" => ParticipantMedia::deserialize(fields).map(Self::Media),
            "presence" => ParticipantPresence::deserialize(fields).map(Self::Presence),
            "slots" => Slots::deserialize(fields).map(Self::Slots),
            "transport" => TransportMessage::deserialize(fields).map(Self::Transport),
            "stopping" => Stopping::deserialize(fields).map(Self::Stopping),
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
    /// The offer; null for a member without media.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub offer: Option<DeflatedSdp>,
    /// What `resume` has to show to get this seat back after the connection broke.
    #[cfg_attr(test, ts(type = "string"))]
    pub token: ResumeToken,
    /// Where media is taken over TCP, as `candidate` attributes (RFC 8839 section 5.1, RFC 6544). A page gives them to
    /// its ICE agent only where UDP has not connected after about a second.
    pub tcp_candidates: Vec<String>,
}

/// One has one's seat back, and here is everything in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Resumed {
    /// One's own seat, the same as before.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// The others, by seat.
    pub participants: Vec<Participant>,
    /// All slots of one's latest offer, with what they carry now.
    pub slots: Vec<SlotBinding>,
    /// Whether the transport of one's latest answer is still there, connected or just being connected. Where it is
    /// closed, an `offer` of a new one follows.
    pub transport: TransportState,
}

/// Another offer of a connection that is in its room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct OfferMessage {
    /// The number of the offer, to be named in the answer.
    pub negotiation: u32,
    /// Whether the offer is for the peer connection that is there, or for a new one in its place.
    pub transport: OfferedTransport,
    /// All slots of the offer, with what they carry now.
    pub slots: Vec<SlotBinding>,
    /// The offer.
    #[cfg_attr(test, ts(type = "string"))]
    pub offer: DeflatedSdp,
}

/// For which transport an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OfferedTransport {
    /// For the one that is there: only slots were added.
    Kept,
    /// For a new one, because the old one is gone.
    New,
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
    /// Whether its media reaches the server.
    pub presence: Presence,
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

/// Somebody else's media stopped reaching the server, or reaches it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ParticipantPresence {
    /// Its seat.
    #[cfg_attr(test, ts(type = "number"))]
    pub seat: Seat,
    /// How it is now.
    pub presence: Presence,
}

/// Whether the media of a participant reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It does, or it is just being connected for the first time.
    Here,
    /// It did, and the seat is held for it to come back.
    Away,
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
    /// It ended; an offer of a new one or an error follows.
    Closed,
}

/// The server will stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Stopping {
    /// After this many milliseconds calls that still run are ended.
    pub deadline_ms: u32,
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
