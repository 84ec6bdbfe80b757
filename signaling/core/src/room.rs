//! One room: its members, their seats, and which of their sources lies in which slot of the others.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::bytes::{GateHash, Sealed};
use protocol::client::{MediaState, Participant, Presence, SlotBinding};
use protocol::ids::{Mid, PeerId, Seat};
use protocol::limits::ROOM_MEMBERS_MAX;
use protocol::media::{Media, SourceKind};
use protocol::sfu::PeerConnection;

use crate::negotiation::Offer;
use crate::session::ConnectionId;

/// A room.
#[derive(Debug)]
pub struct Room {
    /// What its creator left: SHA-256 of the gate.
    pub gate_hash: GateHash,
    members: BTreeMap<Seat, Member>,
    next_seat: Seat,
    empty_since: Option<Duration>,
}

/// Somebody in a room.
#[derive(Debug)]
pub struct Member {
    /// Its connection.
    pub connection: ConnectionId,
    /// What it says of its microphone and camera.
    pub media: MediaState,
    /// Its latest announcement.
    pub sealed: Option<Sealed>,
    /// What was offered to it.
    pub offer: Offer,
    link: Option<Link>,
}

/// A member's transport, once its answer is in.
#[derive(Debug)]
struct Link {
    peer: PeerId,
    publishes: Vec<SourceKind>,
    slots: Vec<LinkedSlot>,
}

#[derive(Debug)]
struct LinkedSlot {
    mid: Mid,
    media: Media,
    carries: Option<Source>,
}

/// One source of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The member.
    pub seat: Seat,
    /// Its transport.
    pub peer: PeerId,
    /// Which of its sources.
    pub kind: SourceKind,
}

/// A slot that changed what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebinding {
    /// Whose slot.
    pub subscriber: Seat,
    /// Its transport.
    pub peer: PeerId,
    /// The slot.
    pub mid: Mid,
    /// What it carries now.
    pub source: Option<Source>,
}

impl Rebinding {
    /// The change in the words of the page.
    pub fn binding(&self) -> SlotBinding {
        SlotBinding {
            mid: self.mid,
            seat: self.source.map(|source| source.seat),
            source: self.source.map(|source| source.kind),
        }
    }
}

/// The room has all its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomFull;

impl Room {
    /// An empty room.
    pub const fn new(gate_hash: GateHash, now: Duration) -> Self {
        Self {
            gate_hash,
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

    /// Whether nobody else gets in.
    pub fn is_full(&self) -> bool {
        self.members.len() >= ROOM_MEMBERS_MAX
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

    /// A member, to change what it says.
    pub fn member_mut(&mut self, seat: Seat) -> Option<&mut Member> {
        self.members.get_mut(&seat)
    }

    /// Takes somebody in, on the next seat that is free.
    pub fn join(&mut self, connection: ConnectionId, offer: Offer) -> Result<Seat, RoomFull> {
        if self.is_full() {
            return Err(RoomFull);
        }
        while self.members.contains_key(&self.next_seat) {
            self.next_seat = self.next_seat.next();
        }
        let seat = self.next_seat;
        self.next_seat = seat.next();
        self.empty_since = None;
        let member = Member {
            connection,
            media: MediaState::OFF,
            sealed: None,
            offer,
            link: None,
        };
        self.members.insert(seat, member);
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
                presence: Presence::Here,
                sealed: member.sealed.clone(),
            })
            .collect()
    }

    /// Notes that a member's answer is in, and binds slots both ways.
    pub fn link(&mut self, seat: Seat, peer: PeerId, connection: &PeerConnection) -> Vec<Rebinding> {
        let publishes = connection
            .publications
            .iter()
            .map(|publication| publication.kind)
            .collect();
        let slots = connection.slots.iter();
        let slots = slots
            .map(|slot| LinkedSlot {
                mid: slot.mid,
                media: slot.media,
                carries: None,
            })
            .collect();
        if let Some(member) = self.members.get_mut(&seat) {
            member.link = Some(Link {
                peer,
                publishes,
                slots,
            });
        }
        self.rebind()
    }

    /// Lets a member out, with its transport, and frees the slots that carried it.
    pub fn leave(&mut self, seat: Seat, now: Duration) -> (Option<PeerId>, Vec<Rebinding>) {
        let peer = self
            .members
            .remove(&seat)
            .and_then(|member| member.link)
            .map(|link| link.peer);
        if self.members.is_empty() {
            self.empty_since = Some(now);
        }
        (peer, self.rebind())
    }

    /// Empties the slots of sources that are gone, then gives every source that is not yet there the first free
    /// slot of its medium. A source that is there stays where it is.
    fn rebind(&mut self) -> Vec<Rebinding> {
        let sources = self.sources();
        let mut rebindings = Vec::new();
        for (seat, member) in &mut self.members {
            let Some(link) = &mut member.link else { continue };
            let wanted = || sources.iter().filter(|source| source.seat != *seat);
            let mut changed = BTreeMap::new();
            for slot in &mut link.slots {
                if slot
                    .carries
                    .is_some_and(|carried| !wanted().any(|source| *source == carried))
                {
                    slot.carries = None;
                    changed.insert(slot.mid, None);
                }
            }
            for source in wanted() {
                if link.slots.iter().any(|slot| slot.carries == Some(*source)) {
                    continue;
                }
                let media = source.kind.media();
                let free = link
                    .slots
                    .iter_mut()
                    .find(|slot| slot.media == media && slot.carries.is_none());
                if let Some(slot) = free {
                    slot.carries = Some(*source);
                    changed.insert(slot.mid, Some(*source));
                }
            }
            let peer = link.peer;
            rebindings.extend(changed.into_iter().map(|(mid, source)| Rebinding {
                subscriber: *seat,
                peer,
                mid,
                source,
            }));
        }
        rebindings
    }

    /// Every source of every member whose answer is in.
    fn sources(&self) -> Vec<Source> {
        let mut sources = Vec::new();
        for (seat, member) in &self.members {
            let Some(link) = &member.link else { continue };
            let kinds = link.publishes.iter();
            sources.extend(kinds.map(|kind| Source {
                seat: *seat,
                peer: link.peer,
                kind: *kind,
            }));
        }
        sources
    }
}
