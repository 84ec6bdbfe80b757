//! Everything that is counted, by reason.

use std::collections::BTreeMap;

use protocol::client::ErrorCode;
use protocol::decode::Reason;

use crate::negotiation::AnswerReason;

/// One kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Count {
    /// A connection was opened.
    Opened,
    /// A connection is over, for whatever reason.
    Closed,
    /// A message came in.
    MessageReceived,
    /// A message could not be decoded.
    MessageRefused(Reason),
    /// An answer could not be used.
    AnswerRefused(AnswerReason),
    /// A page was told of an error.
    Error(ErrorCode),
    /// A room was made.
    RoomCreated,
    /// A room was empty for too long.
    RoomExpired,
    /// A member came in.
    Joined,
    /// A member left by its own word.
    Left,
    /// A member's connection was lost or closed.
    Lost,
    /// A try was refused unread, because of earlier failures from its address.
    AddressLimited,
    /// A try was refused unread, because of earlier failures on its room.
    RoomLimited,
    /// A page did not say hello in time.
    HelloTimeout,
    /// A page did not answer in time.
    AnswerTimeout,
    /// A connection was silent for too long.
    IdleTimeout,
    /// The SFU reported a peer that is gone already.
    UnknownPeer,
}

impl Count {
    /// The event without its reason, as metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "connections_opened",
            Self::Closed => "connections_closed",
            Self::MessageReceived => "messages_received",
            Self::MessageRefused(_) => "messages_refused",
            Self::AnswerRefused(_) => "answers_refused",
            Self::Error(_) => "errors",
            Self::RoomCreated => "rooms_created",
            Self::RoomExpired => "rooms_expired",
            Self::Joined => "joins",
            Self::Left | Self::Lost => "leaves",
            Self::AddressLimited | Self::RoomLimited => "tries_limited",
            Self::HelloTimeout | Self::AnswerTimeout | Self::IdleTimeout => "timeouts",
            Self::UnknownPeer => "sfu_events_ignored",
        }
    }

    /// The reason, where the event has one.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::MessageRefused(reason) => Some(reason.as_str()),
            Self::AnswerRefused(reason) => Some(reason.as_str()),
            Self::Error(code) => Some(code.as_str()),
            Self::Left => Some("left"),
            Self::Lost => Some("lost"),
            Self::AddressLimited => Some("address"),
            Self::RoomLimited => Some("room"),
            Self::HelloTimeout => Some("hello"),
            Self::AnswerTimeout => Some("answer"),
            Self::IdleTimeout => Some("idle"),
            Self::UnknownPeer => Some("unknown_peer"),
            Self::Opened
            | Self::Closed
            | Self::MessageReceived
            | Self::RoomCreated
            | Self::RoomExpired
            | Self::Joined => None,
        }
    }
}

/// The counts since the start.
#[derive(Debug, Default)]
pub struct Stats(BTreeMap<Count, u64>);

impl Stats {
    /// Counts one event.
    pub(crate) fn add(&mut self, count: Count) {
        let number = self.0.entry(count).or_default();
        *number = number.saturating_add(1);
    }

    /// How often this happened.
    pub fn count(&self, count: Count) -> u64 {
        self.0.get(&count).copied().unwrap_or_default()
    }

    /// Everything that happened at least once, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Count, u64)> {
        self.0.iter().map(|(count, number)| (*count, *number))
    }
}
