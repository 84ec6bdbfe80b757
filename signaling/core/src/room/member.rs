//! Somebody in a room: what it says, what it was offered, and how it is reached.

use std::time::Duration;

use protocol::bytes::{ResumeToken, Sealed};
use protocol::client::{MediaState, OfferMessage, OfferedTransport, Presence, SlotBinding};
use protocol::ids::PeerId;
use protocol::media::SourceKind;
use protocol::sfu::{PeerConnection, SfuInfo};
use rand_core::CryptoRng;

use super::slots::Link;
use crate::limits::{RESTART_WINDOW, RESTARTS_MAX};
use crate::negotiation::{Offer, Pool, Role};
use crate::session::ConnectionId;

/// A membership. It outlives its connection and its transport.
#[derive(Debug)]
pub struct Member {
    /// What brings a page back to it.
    pub token: ResumeToken,
    /// How it is reached.
    pub attachment: Attachment,
    /// Whether its media reaches the SFU.
    pub presence: Presence,
    /// What it says of its microphone and camera.
    pub media: MediaState,
    /// Its latest announcement.
    pub sealed: Option<Sealed>,
    /// Whether it sends and receives media. One without is never told of its offer, which is for nobody.
    pub has_media: bool,
    /// What was offered to it last.
    pub offer: Offer,
    /// The answer that it owes.
    pub pending: Option<Pending>,
    /// What it sends, from its first answer on. Kept while it has no transport.
    pub(super) publishes: Vec<SourceKind>,
    pub(super) link: Option<Link>,
    /// The number of the latest offer whose answer is in.
    answered: u32,
    restarts: u32,
    restarts_since: Duration,
}

/// How a member is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// On this connection.
    Here(ConnectionId),
    /// Its connection broke at this moment, and the seat is held.
    Held(Duration),
}

/// An answer that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// For which transport.
    pub transport: OfferedTransport,
    /// Since when.
    pub since: Duration,
}

/// What an answer of a certain number means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is owed.
    Owed(OfferedTransport),
    /// Its offer was replaced by a later one while it was on its way.
    Replaced,
    /// Nobody asked for it.
    Unasked(&'static str),
}

impl Member {
    pub(super) const fn new(
        connection: ConnectionId,
        token: ResumeToken,
        offer: Offer,
        has_media: bool,
        now: Duration,
    ) -> Self {
        Self {
            token,
            attachment: Attachment::Here(connection),
            presence: Presence::Here,
            media: MediaState::OFF,
            sealed: None,
            has_media,
            offer,
            pending: if has_media {
                Some(Pending {
                    transport: OfferedTransport::New,
                    since: now,
                })
            } else {
                None
            },
            publishes: Vec::new(),
            link: None,
            answered: 0,
            restarts: 0,
            restarts_since: now,
        }
    }

    /// Its connection, where it has one.
    pub const fn connection(&self) -> Option<ConnectionId> {
        match self.attachment {
            Attachment::Here(connection) => Some(connection),
            Attachment::Held(_) => None,
        }
    }

    /// Its transport, where it has one.
    pub fn peer(&self) -> Option<PeerId> {
        self.link.as_ref().map(Link::peer)
    }

    /// What was agreed on for its transport.
    pub fn agreed(&self) -> Option<&PeerConnection> {
        self.link.as_ref().map(Link::agreed)
    }

    /// Whether its transport has been connected.
    pub fn is_connected(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_connected)
    }

    /// Notes that its transport is connected; returns whether the others have to be told that it is back.
    pub fn connected(&mut self) -> bool {
        if let Some(link) = &mut self.link {
            link.connected();
        }
        let is_news = self.presence == Presence::Away;
        self.presence = Presence::Here;
        is_news
    }

    /// Its connection broke.
    pub const fn hold(&mut self, now: Duration) {
        self.attachment = Attachment::Held(now);
    }

    /// Whether it may be asked for more slots.
    pub(super) const fn can_grow(&self) -> bool {
        self.link.is_some() && self.pending.is_none() && matches!(self.attachment, Attachment::Here(_))
    }

    /// Makes an offer of a new transport, in place of the one that is gone.
    pub fn offer_new(&mut self, pool: Pool, now: Duration, rng: &mut impl CryptoRng) {
        self.offer = Offer::new(self.offer.negotiation.saturating_add(1), pool, rng);
        self.pending = Some(Pending {
            transport: OfferedTransport::New,
            since: now,
        });
    }

    /// Makes the next offer for the transport that is there, with a larger pool or the same.
    pub fn offer_again(&mut self, pool: Pool, now: Duration, rng: &mut impl CryptoRng) {
        self.offer
            .grow(self.offer.negotiation.saturating_add(1), pool, rng);
        self.pending = Some(Pending {
            transport: OfferedTransport::Kept,
            since: now,
        });
    }

    /// The offer whose answer it owes, as its page is told of it.
    pub fn offer_message(&self, sfu: &SfuInfo) -> Option<OfferMessage> {
        Some(OfferMessage {
            negotiation: self.offer.negotiation,
            transport: self.pending?.transport,
            slots: self.slots(),
            offer: self.offer.deflated(sfu)?,
        })
    }

    /// Every slot of its latest offer, with what it carries.
    pub fn slots(&self) -> Vec<SlotBinding> {
        if !self.has_media {
            return Vec::new();
        }
        let lines = self.offer.lines.iter();
        lines
            .filter(|line| matches!(line.role, Role::Slot { .. }))
            .map(|line| {
                let told = self.link.as_ref().and_then(|link| link.told(line.mid));
                SlotBinding {
                    mid: line.mid,
                    seat: told.map(|(seat, _)| seat),
                    source: told.map(|(_, kind)| kind),
                }
            })
            .collect()
    }

    /// What an answer to the offer of this number means.
    pub const fn turn(&self, negotiation: u32) -> Turn {
        match self.pending {
            Some(pending) if negotiation == self.offer.negotiation => Turn::Owed(pending.transport),
            Some(_) if negotiation > self.answered && negotiation < self.offer.negotiation => Turn::Replaced,
            Some(_) => Turn::Unasked("answer to another offer"),
            None => Turn::Unasked("answer comes once for each offer"),
        }
    }

    /// Notes that the answer that was owed is in.
    pub const fn answered(&mut self) {
        self.answered = self.offer.negotiation;
        self.pending = None;
    }

    /// Whether it may have one more new transport, which is counted.
    pub fn may_restart(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.restarts_since) >= RESTART_WINDOW {
            self.restarts_since = now;
            self.restarts = 0;
        }
        self.restarts = self.restarts.saturating_add(1);
        self.restarts <= RESTARTS_MAX
    }
}
