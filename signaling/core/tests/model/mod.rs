//! What the rooms should be, said as simply as possible.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::bytes::ResumeToken;
use protocol::client::{ErrorCode, Switch};
use protocol::ids::{Mid, PeerId, Seat};
use protocol::limits::MEDIA_MEMBERS_MAX;
use protocol::media::SourceKind;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::RngCore;
use signaling_core::ConnectionId;
use signaling_core::limits::{RESTART_WINDOW, RESUME_WINDOW, SWEEP_INTERVAL};

use crate::harness::{Known, World, room};

/// A membership: the number of the room, and the seat in it.
pub(crate) type Key = (u8, Seat);

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) rooms: BTreeSet<u8>,
    pub(crate) members: BTreeMap<Key, Member>,
    /// For each room the token of somebody who is gone.
    pub(crate) past_tokens: BTreeMap<u8, ResumeToken>,
    pub(crate) is_draining: bool,
}

pub(crate) struct Member {
    /// Its connection, or the one that broke.
    pub(crate) page: ConnectionId,
    pub(crate) held_since: Option<Duration>,
    pub(crate) token: ResumeToken,
    pub(crate) known: Known,
    pub(crate) peer: Option<PeerId>,
    pub(crate) is_connected: bool,
    /// Whether it has ever answered, and so is somebody who sends.
    pub(crate) has_answered: bool,
    restarts: u32,
    restarts_since: Duration,
}

impl Member {
    pub(crate) fn new(page: ConnectionId, token: ResumeToken, now: Duration) -> Self {
        Self {
            page,
            held_since: None,
            token,
            known: Known::NEW,
            peer: None,
            is_connected: false,
            has_answered: false,
            restarts: 0,
            restarts_since: now,
        }
    }

    pub(crate) fn linked(&mut self, peer: Option<PeerId>) {
        self.peer = peer;
        self.is_connected = false;
        self.has_answered = true;
    }

    /// Counts a lost transport, in the window that began with the first.
    pub(crate) fn restart(&mut self, now: Duration) -> u32 {
        if now - self.restarts_since >= RESTART_WINDOW {
            self.restarts = 0;
            self.restarts_since = now;
        }
        self.restarts += 1;
        self.restarts
    }
}

impl Model {
    /// The members that have a connection.
    pub(crate) fn here(&self) -> Vec<Key> {
        self.keys(|member| member.held_since.is_none())
    }

    /// The members whose connection broke.
    pub(crate) fn held(&self) -> Vec<Key> {
        self.keys(|member| member.held_since.is_some())
    }

    fn keys(&self, which: impl Fn(&Member) -> bool) -> Vec<Key> {
        let members = self.members.iter().filter(|(_, member)| which(member));
        members.map(|(key, _)| *key).collect()
    }

    pub(crate) fn in_room(&self, number: u8) -> impl Iterator<Item = (Key, &Member)> {
        let members = self.members.iter().filter(move |((room, _), _)| *room == number);
        members.map(|(key, member)| (*key, member))
    }

    pub(crate) fn member(&mut self, key: Key) -> &mut Member {
        self.members.get_mut(&key).expect("a member")
    }

    pub(crate) fn connection(&self, key: Key) -> ConnectionId {
        self.members[&key].page
    }

    /// Learns who was closed meanwhile: whose line broke is held, everybody else is a member no more. That the others
    /// were told is what [`Model::check`] looks at.
    pub(crate) fn follow(&mut self, world: &mut World) {
        // A seat is freed by the first sweep after its window: between the two nobody can say.
        let is_unsure = |since: &Duration, now: Duration| {
            (RESUME_WINDOW..=RESUME_WINDOW + SWEEP_INTERVAL).contains(&(now - *since))
        };
        for _ in 0..1_000 {
            for member in self.members.values_mut() {
                let page = world.page(member.page);
                let broke = page.error.as_ref().is_none_or(|error| {
                    error.code == ErrorCode::TooSlow && error.detail != "no answer in time"
                });
                if member.held_since.is_none() && page.closed && broke && !page.has_left {
                    member.held_since = Some(page.closed_at);
                }
            }
            let unsure = self.members.values().filter_map(|member| member.held_since);
            if !unsure.into_iter().any(|since| is_unsure(&since, world.now)) {
                break;
            }
            world.pass(Duration::from_millis(500));
        }
        let is_gone = |member: &Member| match member.held_since {
            Some(since) => world.now - since > RESUME_WINDOW + SWEEP_INTERVAL,
            None => world.page(member.page).closed,
        };
        for ((room, _), member) in self.members.iter().filter(|(_, member)| is_gone(member)) {
            self.past_tokens.insert(*room, member.token);
        }
        self.members.retain(|_, member| !is_gone(member));
    }

    pub(crate) fn check(&self, world: &World) {
        let open = world.pages.values().filter(|page| !page.closed).count();
        assert_eq!(world.signaling.connections(), open);
        assert_eq!(
            open,
            self.here().len(),
            "every open page of these runs has a seat"
        );
        assert_eq!(world.signaling.seats_held(), self.held().len());
        assert_eq!(world.signaling.rooms(), self.rooms.len());
        let in_use: BTreeSet<u8> = self.members.keys().map(|(number, _)| *number).collect();
        assert_eq!(world.signaling.rooms_in_use(), in_use.len());
        let peers: BTreeSet<PeerId> = self.members.values().filter_map(|member| member.peer).collect();
        assert_eq!(world.sfu.peers.keys().copied().collect::<BTreeSet<_>>(), peers);
        for number in &self.rooms {
            let count = self.in_room(*number).count();
            assert!(count <= MEDIA_MEMBERS_MAX, "{:?} holds {count}", room(*number));
        }
        for (key, member) in &self.members {
            if member.held_since.is_none() {
                self.check_page(world, *key, member);
            }
            if let Some(peer) = member.peer {
                self.check_sfu(world, *key, peer);
            }
        }
    }

    /// A page knows of everybody else, and its slots are those that the SFU feeds for it.
    fn check_page(&self, world: &World, key: Key, member: &Member) {
        let page = world.page(member.page);
        let others = self.in_room(key.0).filter(|(other, _)| *other != key);
        let roster: BTreeMap<Seat, Known> = others
            .map(|((_, seat), other)| (seat, other.known.clone()))
            .collect();
        assert_eq!(page.roster, roster, "everybody knows of everybody else");
        let Some(peer) = member.peer else {
            assert!(page.slots.is_empty(), "nothing is bound before the answer");
            return;
        };
        let fed: BTreeMap<Mid, (Seat, SourceKind)> = page
            .slots
            .iter()
            .filter(|(_, (seat, _))| self.members[&(key.0, *seat)].peer.is_some())
            .map(|(mid, source)| (*mid, *source))
            .collect();
        assert_eq!(
            self.seats(world, peer),
            fed,
            "the SFU and the page are told the same"
        );
        let senders: BTreeSet<Seat> = self.senders(key).map(|((_, seat), _)| seat).collect();
        self.check_slots(world, peer, &page.slots, &senders);
    }

    /// What the SFU feeds is exactly what has a transport, each source once.
    fn check_sfu(&self, world: &World, key: Key, peer: PeerId) {
        let there = self.senders(key).filter(|(_, member)| member.peer.is_some());
        let there: BTreeSet<Seat> = there.map(|((_, seat), _)| seat).collect();
        let fed = self.seats(world, peer);
        let wanted = self.senders(key).count();
        if numbers(&world.sfu.slots[&peer]) >= wanted {
            assert_eq!(fed.len(), 2 * there.len());
        }
        for (seat, _) in fed.values() {
            assert!(there.contains(seat));
        }
    }

    fn senders(&self, key: Key) -> impl Iterator<Item = (Key, &Member)> {
        let others = self.in_room(key.0).filter(move |(other, _)| *other != key);
        others.filter(|(_, member)| member.has_answered)
    }

    /// What the SFU feeds, by seats instead of peers.
    fn seats(&self, world: &World, peer: PeerId) -> BTreeMap<Mid, (Seat, SourceKind)> {
        let seat_of = |wanted: PeerId| {
            let mut members = self.members.iter();
            let (key, _) = members
                .find(|(_, member)| member.peer == Some(wanted))
                .expect("a member has this peer");
            key.1
        };
        let slots = world.sfu.peers[&peer].iter();
        slots
            .map(|(mid, (source, kind))| (*mid, (seat_of(*source), *kind)))
            .collect()
    }

    fn check_slots(
        &self,
        world: &World,
        peer: PeerId,
        slots: &BTreeMap<Mid, (Seat, SourceKind)>,
        senders: &BTreeSet<Seat>,
    ) {
        let mut bound = BTreeSet::new();
        let mut numbers_of: BTreeMap<Seat, BTreeSet<u8>> = BTreeMap::new();
        for (mid, (seat, kind)) in slots {
            assert!(senders.contains(seat));
            let fits = mid.as_str().starts_with('a') == (*kind == SourceKind::Microphone);
            assert!(fits, "{mid} fits its source");
            assert!(bound.insert((*seat, *kind)), "each source lies in one slot");
            numbers_of.entry(*seat).or_default().insert(number(*mid));
        }
        let is_paired = numbers_of.values().all(|numbers| numbers.len() == 1);
        assert!(is_paired, "microphone and camera have the same number");
        if numbers(&world.sfu.slots[&peer]) >= senders.len() {
            assert_eq!(bound.len(), 2 * senders.len(), "nobody is left out");
        }
    }
}

/// How many participants have both their slots.
fn numbers(slots: &BTreeSet<Mid>) -> usize {
    slots.len()
        - slots
            .iter()
            .map(|mid| number(*mid))
            .collect::<BTreeSet<_>>()
            .len()
}

fn number(mid: Mid) -> u8 {
    mid.as_str()[1..].parse().unwrap()
}

pub(crate) fn switch(on: bool) -> Switch {
    if on { Switch::On } else { Switch::Off }
}

pub(crate) fn pick<T>(mut from: Vec<T>, rng: &mut ChaCha12Rng) -> Option<T> {
    if from.is_empty() {
        return None;
    }
    let index = rng.next_u32() as usize % from.len();
    Some(from.swap_remove(index))
}
