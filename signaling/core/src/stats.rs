//! Everything that is counted, by reason.

use std::collections::BTreeMap;

use protocol::client::ErrorCode;
use protocol::decode::Reason;
use protocol::group::{RefusalReason, RejectReason};

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
    /// A member's page closed its connection.
    ClosedByPage,
    /// A member was let go for an error, or because its seat could not be held.
    Lost,
    /// A member whose connection broke did not come back in time.
    Expired,
    /// A connection broke, and its seat is held.
    SeatHeld,
    /// A connection broke, and its seat could not be held because too many are.
    SeatNotHeld,
    /// A page came back to the seat that was held for it.
    Resumed,
    /// A page came back on a new connection while the old one seemed alive.
    TakenOver,
    /// A page wanted to come back to a room that is not there.
    ResumeNoRoom,
    /// A page wanted to come back with a token that no member of the room has.
    ResumeNoSeat,
    /// A transport that had worked was lost.
    TransportLost,
    /// A transport was lost once too often.
    RestartsLimited,
    /// A member was offered a new transport.
    OfferNew,
    /// A member was offered more slots.
    OfferMore,
    /// A member was offered again what it had not answered when its connection broke.
    OfferRepeated,
    /// An answer came to an offer that was replaced meanwhile.
    AnswerReplaced,
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
    /// A binary message was received.
    FrameReceived,
    /// A binary message could not be decoded.
    FrameRefused,
    /// A frame of a member was not taken, for this reason.
    FrameRejected(RejectReason),
    /// A member did not merge a commit, for this reason.
    CommitRefused(RefusalReason),
    /// A commit was ordered.
    CommitOrdered,
    /// The connection of a member was closed because nobody took its commit.
    CommitterClosed,
    /// A sealed message was relayed.
    AppRelayed,
    /// A member was removed by another.
    Kicked,
    /// A meeting was locked or opened.
    LockChanged,
    /// A kick changed what opens a room.
    GateChanged,
}

impl Count {
    /// Everything that is ever counted, so that what never happened can be shown as zero.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [
            Self::Opened,
            Self::Closed,
            Self::MessageReceived,
            Self::RoomCreated,
            Self::RoomExpired,
            Self::Joined,
            Self::Left,
            Self::ClosedByPage,
            Self::Lost,
            Self::Expired,
            Self::SeatHeld,
            Self::SeatNotHeld,
            Self::Resumed,
            Self::TakenOver,
            Self::ResumeNoRoom,
            Self::ResumeNoSeat,
            Self::TransportLost,
            Self::RestartsLimited,
            Self::OfferNew,
            Self::OfferMore,
            Self::OfferRepeated,
            Self::AnswerReplaced,
            Self::AddressLimited,
            Self::RoomLimited,
            Self::HelloTimeout,
            Self::AnswerTimeout,
            Self::IdleTimeout,
            Self::UnknownPeer,
            Self::FrameReceived,
            Self::FrameRefused,
            Self::CommitOrdered,
            Self::CommitterClosed,
            Self::AppRelayed,
            Self::Kicked,
            Self::LockChanged,
            Self::GateChanged,
        ];
        plain
            .into_iter()
            .chain(Reason::ALL.map(Self::MessageRefused))
            .chain(AnswerReason::ALL.map(Self::AnswerRefused))
            .chain(ErrorCode::ALL.map(Self::Error))
            .chain(
                RejectReason::ALL
                    .iter()
                    .map(|reason| Self::FrameRejected(*reason)),
            )
            .chain(
                RefusalReason::ALL
                    .iter()
                    .map(|reason| Self::CommitRefused(*reason)),
            )
    }

    /// What the event is, in words.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Opened => "WebSockets opened",
            Self::Closed => "WebSockets that ended",
            Self::MessageReceived => "Messages received from pages",
            Self::MessageRefused(_) => "Messages that could not be decoded, by reason",
            Self::AnswerRefused(_) => "SDP answers that could not be used, by reason",
            Self::Error(_) => "Errors told to pages, by code",
            Self::RoomCreated => "Rooms made",
            Self::RoomExpired => "Rooms forgotten because they were empty for too long",
            Self::Joined => "Members that came in",
            Self::Left | Self::ClosedByPage | Self::Lost | Self::Expired => {
                "Members that went: by their own word, by closing the page, for an error, or not back in time"
            }
            Self::SeatHeld | Self::SeatNotHeld => {
                "Connections of members that broke, by whether the seat could be held"
            }
            Self::Resumed | Self::TakenOver => {
                "Members that came back: after their connection broke, or while it still seemed alive"
            }
            Self::ResumeNoRoom | Self::ResumeNoSeat => {
                "Members that could not come back, because room or seat were gone"
            }
            Self::TransportLost => "Transports of members that were lost after they had worked",
            Self::RestartsLimited => "Members that lost too many transports",
            Self::OfferNew | Self::OfferMore | Self::OfferRepeated => {
                "Later offers: a new transport, more slots, or again what was not answered"
            }
            Self::AnswerReplaced => "Answers to offers that had been replaced meanwhile",
            Self::AddressLimited | Self::RoomLimited => {
                "Tries refused because of earlier failures from the same address or on the same room"
            }
            Self::HelloTimeout | Self::AnswerTimeout | Self::IdleTimeout => "Deadlines that pages missed",
            Self::UnknownPeer => "Reports of the SFU about peers that are gone",
            Self::FrameReceived => "Binary messages received from members",
            Self::FrameRefused => "Binary messages that could not be decoded",
            Self::FrameRejected(_) => "Frames of members that were not taken, by reason",
            Self::CommitRefused(_) => "Commits that a member did not merge, by reason",
            Self::CommitOrdered => "Commits ordered",
            Self::CommitterClosed => "Members let out because nobody took their commit",
            Self::AppRelayed => "Sealed messages relayed",
            Self::Kicked => "Members removed by another",
            Self::LockChanged => "Meetings locked or opened again",
            Self::GateChanged => "Removals that changed what opens a room",
        }
    }

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
            Self::Left | Self::ClosedByPage | Self::Lost | Self::Expired => "leaves",
            Self::SeatHeld | Self::SeatNotHeld => "breaks",
            Self::Resumed | Self::TakenOver => "resumes",
            Self::ResumeNoRoom | Self::ResumeNoSeat => "resumes_refused",
            Self::TransportLost => "transports_lost",
            Self::RestartsLimited => "transports_given_up",
            Self::OfferNew | Self::OfferMore | Self::OfferRepeated => "later_offers",
            Self::AnswerReplaced => "answers_replaced",
            Self::AddressLimited | Self::RoomLimited => "tries_limited",
            Self::HelloTimeout | Self::AnswerTimeout | Self::IdleTimeout => "timeouts",
            Self::UnknownPeer => "sfu_events_ignored",
            Self::FrameReceived => "frames_received",
            Self::FrameRefused => "frames_refused",
            Self::FrameRejected(_) => "frames_rejected",
            Self::CommitRefused(_) => "commits_refused",
            Self::CommitOrdered => "commits_ordered",
            Self::CommitterClosed => "committers_closed",
            Self::AppRelayed => "messages_relayed",
            Self::Kicked => "members_removed",
            Self::LockChanged => "locks_changed",
            Self::GateChanged => "gates_changed",
        }
    }

    /// The reason, where the event has one.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::MessageRefused(reason) => Some(reason.as_str()),
            Self::AnswerRefused(reason) => Some(reason.as_str()),
            Self::Error(code) => Some(code.as_str()),
            Self::FrameRejected(reason) => Some(reason.as_str()),
            Self::CommitRefused(reason) => Some(reason.as_str()),
            Self::Left => Some("left"),
            Self::ClosedByPage => Some("closed"),
            Self::Lost => Some("lost"),
            Self::Expired => Some("expired"),
            Self::SeatHeld => Some("held"),
            Self::SeatNotHeld => Some("not_held"),
            Self::Resumed => Some("broken"),
            Self::TakenOver => Some("alive"),
            Self::ResumeNoRoom => Some("room"),
            Self::ResumeNoSeat => Some("seat"),
            Self::OfferNew => Some("new"),
            Self::OfferMore => Some("more"),
            Self::OfferRepeated => Some("repeated"),
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
            | Self::Joined
            | Self::TransportLost
            | Self::RestartsLimited
            | Self::AnswerReplaced
            | Self::FrameReceived
            | Self::FrameRefused
            | Self::CommitOrdered
            | Self::CommitterClosed
            | Self::AppRelayed
            | Self::Kicked
            | Self::LockChanged
            | Self::GateChanged => None,
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
