//! The transport of one member, and what lies in its slots.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use protocol::client::SlotBinding;
use protocol::ids::{Mid, PeerId, Seat};
use protocol::media::{Media, SourceKind};
use protocol::sfu::{PeerConnection, Slot};

use crate::negotiation::{Offer, Role};

/// A slot that is fed by something else now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Whose slot.
    pub subscriber: PeerId,
    /// The slot.
    pub mid: Mid,
    /// What the SFU sends there.
    pub source: Option<(PeerId, SourceKind)>,
}

/// Somebody who sends, or will again once its transport is back.
#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) seat: Seat,
    pub(super) peer: Option<PeerId>,
    pub(super) kinds: Vec<SourceKind>,
}

/// A member's transport.
#[derive(Debug)]
pub(super) struct Link {
    peer: PeerId,
    is_connected: bool,
    agreed: PeerConnection,
    slots: Vec<LinkedSlot>,
    /// Who has the slots of each number. A participant keeps a number that has all it needs until it leaves, also while
    /// it is away.
    occupants: BTreeMap<u8, Seat>,
}

#[derive(Debug)]
struct LinkedSlot {
    mid: Mid,
    media: Media,
    number: u8,
    /// What the page was told.
    told: Option<(Seat, SourceKind)>,
    /// What the SFU was told.
    fed: Option<(PeerId, SourceKind)>,
}

impl Link {
    pub(super) fn new(peer: PeerId, mut agreed: PeerConnection, offer: &Offer) -> Self {
        let slots = std::mem::take(&mut agreed.slots);
        let mut link = Self {
            peer,
            is_connected: false,
            agreed,
            slots: Vec::new(),
            occupants: BTreeMap::new(),
        };
        link.add(slots, offer);
        link
    }

    /// Takes in slots that an answer to this offer accepted.
    pub(super) fn add(&mut self, slots: Vec<Slot>, offer: &Offer) {
        for slot in slots {
            let line = offer.lines.iter().find(|line| line.mid == slot.mid);
            if let Some(Role::Slot { number, .. }) = line.map(|line| line.role) {
                self.slots.push(LinkedSlot {
                    mid: slot.mid,
                    media: slot.media,
                    number,
                    told: None,
                    fed: None,
                });
                self.agreed.slots.push(slot);
            }
        }
    }

    pub(super) const fn peer(&self) -> PeerId {
        self.peer
    }

    pub(super) const fn agreed(&self) -> &PeerConnection {
        &self.agreed
    }

    pub(super) const fn is_connected(&self) -> bool {
        self.is_connected
    }

    pub(super) const fn connected(&mut self) {
        self.is_connected = true;
    }

    /// What the page was told of a slot.
    pub(super) fn told(&self, mid: Mid) -> Option<(Seat, SourceKind)> {
        self.slots.iter().find(|slot| slot.mid == mid)?.told
    }

    /// Empties the slots of those who left, and gives those who came the slots of a number that is free.
    /// Returns what the page has to be told, and adds what the SFU has to be told.
    pub(super) fn rebind(
        &mut self,
        own: Seat,
        publishers: &[Publisher],
        feeds: &mut Vec<Feed>,
    ) -> Vec<SlotBinding> {
        let others = || publishers.iter().filter(|publisher| publisher.seat != own);
        self.occupants
            .retain(|_, seat| others().any(|publisher| publisher.seat == *seat));
        for publisher in others() {
            let mut seated = self.occupants.iter().filter(|(_, seat)| **seat == publisher.seat);
            let number = seated.next().map(|(number, _)| *number);
            let served = number.map_or(0, |number| self.served(number, &publisher.kinds));
            if served < publisher.kinds.len()
                && let Some(better) = self.better_number(served, &publisher.kinds)
            {
                self.occupants.retain(|_, seat| *seat != publisher.seat);
                self.occupants.insert(better, publisher.seat);
            }
        }
        let mut told = Vec::new();
        for slot in &mut self.slots {
            let seat = self.occupants.get(&slot.number);
            let publisher = seat.and_then(|seat| publishers.iter().find(|publisher| publisher.seat == *seat));
            let source = publisher.and_then(|publisher| {
                let mut kinds = publisher.kinds.iter();
                let kind = kinds.find(|kind| kind.media() == slot.media)?;
                Some((publisher, *kind))
            });
            let now_told = source.map(|(publisher, kind)| (publisher.seat, kind));
            if slot.told != now_told {
                slot.told = now_told;
                told.push(SlotBinding {
                    mid: slot.mid,
                    seat: now_told.map(|(seat, _)| seat),
                    source: now_told.map(|(_, kind)| kind),
                });
            }
            let now_fed = source.and_then(|(publisher, kind)| Some((publisher.peer?, kind)));
            if slot.fed != now_fed {
                slot.fed = now_fed;
                feeds.push(Feed {
                    subscriber: self.peer,
                    mid: slot.mid,
                    source: now_fed,
                });
            }
        }
        told
    }

    /// The first number that nobody has and that has slots for most of these sources, if those are more than `served`.
    ///
    /// Numbers with a slot for only some of them are for the moment before the pool has grown, and for pages that
    /// refuse a medium.
    fn better_number(&self, served: usize, kinds: &[SourceKind]) -> Option<u8> {
        let numbers = self.slots.iter().map(|slot| slot.number);
        let free = numbers.filter(|number| !self.occupants.contains_key(number));
        let (most, Reverse(first)) = free
            .map(|number| (self.served(number, kinds), Reverse(number)))
            .max()?;
        (most > served).then_some(first)
    }

    /// How many of these sources have a slot of this number.
    fn served(&self, number: u8, kinds: &[SourceKind]) -> usize {
        let has_slot = |kind: &&SourceKind| {
            let mut slots = self.slots.iter();
            slots.any(|slot| slot.number == number && slot.media == kind.media())
        };
        kinds.iter().filter(has_slot).count()
    }
}
