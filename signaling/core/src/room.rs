//! One room: its members, their seats, and which of their sources lies in which slot of the others.

mod member;
mod slots;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::bytes::{GateHash, ResumeToken};
use protocol::client::{Participant, Presence, SlotBinding};
use protocol::ids::{PeerId, Seat};
use protocol::limits::{MEDIA_MEMBERS_MAX, ROOM_MEMBERS_MAX};
use protocol::sfu::{PeerConnection, Slot};

use crate::delivery::Delivery;
use crate::limits::NEWCOMERS;
use crate::negotiation::{Offer, Pool};
use crate::session::ConnectionId;

pub use member::{Attachment, Member, Pending, Turn};
pub use slots::Feed;
use slots::{Link, Publisher};

/// A room.
#[derive(Debug)]
pub struct Room {
    /// What its creator left: SHA-256 of the gate.
    pub gate_hash: GateHash,
    /// The delivery service of its MLS group.
    pub delivery: Delivery,
    /// When its members are asked for more slots, where that is due.
    pub growth_due: Option<Duration>,
    members: BTreeMap<Seat, Member>,
    next_seat: Seat,
    empty_since: Option<Duration>,
}

/// What follows for the SFU and for the pages when a member's sources come, move or go.
#[derive(Debug, Default)]
pub struct Rebinding {
    /// What the SFU sends where.
    pub feeds: Vec<Feed>,
    /// What each page is told of its slots.
    pub told: Vec<(Seat, Vec<SlotBinding>)>,
}

/// The room has all its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomFull;

impl Room {
    /// An empty room.
    pub const fn new(gate_hash: GateHash, delivery: Delivery, now: Duration) -> Self {
        Self {
            gate_hash,
            delivery,
            growth_due: None,
            members: BTreeMap::new(),
            next_seat: Seat::FIRST,
            empty_since: Some(now),
        }
    }

    /// Since when nobody is in.
    pub const fn empty_since(&self) -> Option<Duration> {
        self.empty_since
    }

    /// The members, by seat.
    pub fn members(&self) -> impl Iterator<Item = (Seat, &Member)> {
        self.members.iter().map(|(seat, member)| (*seat, member))
    }

    /// Whether nobody else gets in, with media or without.
    pub fn is_full(&self, with_media: bool) -> bool {
        self.members.len() >= ROOM_MEMBERS_MAX || (with_media && self.media_len() >= MEDIA_MEMBERS_MAX)
    }

    /// How many of those who are in have media.
    fn media_len(&self) -> usize {
        self.members.values().filter(|member| member.has_media).count()
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// A member.
    pub fn member(&self, seat: Seat) -> Option<&Member> {
        self.members.get(&seat)
    }

    /// A member, to change what is known of it.
    pub fn member_mut(&mut self, seat: Seat) -> Option<&mut Member> {
        self.members.get_mut(&seat)
    }

    /// The seat of this token. Every token of the room is compared, each in constant time.
    pub fn seat_of(&self, token: &ResumeToken) -> Option<Seat> {
        self.members.iter().fold(None, |found, (seat, member)| {
            if member.token == *token {
                Some(*seat)
            } else {
                found
            }
        })
    }

    /// The pool for a new transport of somebody who is in, or who comes in as one more.
    pub fn pool(&self, is_member: bool) -> Pool {
        let others = self.media_len().saturating_sub(usize::from(is_member));
        Pool::for_others((others + NEWCOMERS).min(MEDIA_MEMBERS_MAX - 1))
    }

    /// The members that are there, owe no answer, and have no slots for one newcomer more.
    pub fn wants_growth(&self) -> Vec<Seat> {
        let others = (self.media_len().saturating_sub(1) + 1).min(MEDIA_MEMBERS_MAX - 1);
        let members = self.members.iter();
        members
            .filter(|(_, member)| member.can_grow() && member.offer.pool().others() < others)
            .map(|(seat, _)| *seat)
            .collect()
    }

    /// Takes somebody in, on the next seat that is free.
    pub fn join(
        &mut self,
        connection: ConnectionId,
        token: ResumeToken,
        offer: Offer,
        has_media: bool,
        now: Duration,
    ) -> Result<Seat, RoomFull> {
        if self.is_full(has_media) {
            return Err(RoomFull);
        }
        while self.members.contains_key(&self.next_seat) {
            self.next_seat = self.next_seat.next();
        }
        let seat = self.next_seat;
        self.next_seat = seat.next();
        self.empty_since = None;
        self.members
            .insert(seat, Member::new(connection, token, offer, has_media, now));
        Ok(seat)
    }

    /// Everybody but this seat, as a page is told of them.
    pub fn others(&self, seat: Seat) -> Vec<Participant> {
        let others = self.members.iter().filter(|(other, _)| **other != seat);
        others
            .map(|(other, member)| Participant {
                seat: *other,
                microphone: member.media.microphone,
                camera: member.media.camera,
                presence: member.presence,
                sealed: member.sealed.clone(),
            })
            .collect()
    }

    /// Notes that a member has a new transport, and binds slots both ways.
    pub fn link(&mut self, seat: Seat, peer: PeerId, connection: PeerConnection) -> Rebinding {
        if let Some(member) = self.members.get_mut(&seat) {
            let publications = connection.publications.iter();
            member.publishes = publications.map(|publication| publication.kind).collect();
            member.link = Some(Link::new(peer, connection, &member.offer));
        }
        self.rebind()
    }

    /// Notes that a member's transport has more slots, and binds them.
    pub fn add_slots(&mut self, seat: Seat, slots: Vec<Slot>) -> Rebinding {
        if let Some(member) = self.members.get_mut(&seat)
            && let Some(link) = &mut member.link
        {
            link.add(slots, &member.offer);
        }
        self.rebind()
    }

    /// Notes that a member's transport is gone. Its seat stays, and its slots on the other pages stay its own.
    ///
    /// Returns whether the others have to be told that it is away.
    pub fn unlink(&mut self, seat: Seat) -> (bool, Rebinding) {
        let mut is_news = false;
        if let Some(member) = self.members.get_mut(&seat) {
            member.link = None;
            member.pending = None;
            is_news = member.presence == Presence::Here;
            member.presence = Presence::Away;
        }
        (is_news, self.rebind())
    }

    /// Lets a member out, and frees the slots that carried it.
    pub fn leave(&mut self, seat: Seat, now: Duration) -> (Option<Member>, Rebinding) {
        let member = self.members.remove(&seat);
        if self.members.is_empty() {
            self.empty_since = Some(now);
        }
        (member, self.rebind())
    }

    /// Brings every slot of every member up to who is there and who sends.
    fn rebind(&mut self) -> Rebinding {
        let members = self.members.iter();
        let publishers: Vec<Publisher> = members
            .filter(|(_, member)| !member.publishes.is_empty())
            .map(|(seat, member)| Publisher {
                seat: *seat,
                peer: member.link.as_ref().map(Link::peer),
                kinds: member.publishes.clone(),
            })
            .collect();
        let mut rebinding = Rebinding::default();
        for (seat, member) in &mut self.members {
            let Some(link) = &mut member.link else { continue };
            let told = link.rebind(*seat, &publishers, &mut rebinding.feeds);
            if !told.is_empty() {
                rebinding.told.push((*seat, told));
            }
        }
        rebinding
    }
}
