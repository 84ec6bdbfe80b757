//! The group of one room, its members and what waits.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mls::Provider;
use mls::openmls::prelude::{PublicGroup, StagedCommit};
use mls::openmls_traits::OpenMlsProvider as _;
use mls::tls_codec::Serialize as _;
use protocol::bytes::{GateHash, Owner};
use protocol::group::frame::{Digest, SealedKeyPackage};
use protocol::group::{ClientFrame, RejectReason, ServerFrame};
use protocol::ids::Seat;

use sha2::{Digest as _, Sha256};

use super::DeliveryKey;
use crate::stats::Count;

/// The first 16 bytes of SHA-256, by which frames name commits and epochs.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

/// What follows from a frame.
#[derive(Debug)]
pub enum Action {
    /// Say this to a member.
    Send(Seat, ServerFrame),
    /// Let a member out whose commit nobody wants, or whose link opens nothing any more.
    Close(Seat),
    /// A member was removed by another: it is let out.
    Kicked(Seat),
    /// From now on this opens the room.
    Gate(GateHash),
    /// Count this.
    Count(Count),
}

/// The group, as far as anybody but its members can see it.
pub(super) struct Group {
    pub(super) public: PublicGroup,
    /// The GroupInfo of its epoch, without the tree.
    pub(super) group_info: Vec<u8>,
    /// The tree of its epoch.
    pub(super) tree: Vec<u8>,
}

/// Somebody who sits in the room and has said `ENTER`.
#[derive(Debug)]
pub(super) struct Person {
    /// The signature key of the leaf that it has or wants.
    pub(super) signature_key: Vec<u8>,
    pub(super) key_package: SealedKeyPackage,
    /// Whether it has a connection.
    pub(super) is_here: bool,
    /// Whether it wants in and is not.
    pub(super) is_waiting: bool,
    /// Whether it was given the GroupInfo of the current epoch.
    pub(super) is_served: bool,
    /// It answered nothing the last time that an answer was due, and has said nothing since.
    pub(super) is_silent: bool,
    /// When it came in.
    pub(super) entered: Option<Duration>,
    /// The latest epoch that it was ready for.
    pub(super) ready: u64,
}

/// A commit that was sent out, and that nobody has merged yet.
pub(super) struct Staged {
    pub(super) committer: Seat,
    pub(super) epoch: u64,
    pub(super) staged: StagedCommit,
    pub(super) commit: Vec<u8>,
    pub(super) group_info: Vec<u8>,
    pub(super) welcome: Vec<u8>,
    pub(super) effects: Effects,
    pub(super) since: Duration,
    /// Those whose word is waited for.
    pub(super) asked: BTreeSet<Seat>,
    /// Those who refused it.
    pub(super) refused: BTreeSet<Seat>,
    /// Those who were sent it.
    pub(super) told: BTreeSet<Seat>,
}

/// What a commit does, as far as the room has to know.
#[derive(Debug, Default, Clone)]
pub(super) struct Effects {
    /// Signature keys of those whom a member removes.
    pub(super) kicked: Vec<Vec<u8>>,
    /// Signature keys of those who are added.
    pub(super) added: Vec<Vec<u8>>,
    pub(super) locked: Option<bool>,
    pub(super) is_kick: bool,
}

/// A commit that was merged.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) at: Duration,
    pub(super) epoch: u64,
    pub(super) commit: Vec<u8>,
    /// The server's proposals of its epoch, which it may name.
    pub(super) proposals: Vec<Vec<u8>>,
}

impl Logged {
    pub(super) fn size(&self) -> usize {
        self.commit.len() + self.proposals.iter().map(Vec::len).sum::<usize>()
    }
}

/// Who was asked to add a batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) turn: usize,
    pub(super) since: Duration,
}

/// A kick whose next gate is not known yet.
#[derive(Debug)]
pub(super) struct GateDue {
    pub(super) kicker: Seat,
    pub(super) epoch: u64,
    pub(super) since: Duration,
}

/// The delivery service of one room.
pub struct Delivery {
    pub(super) key: DeliveryKey,
    pub(super) provider: Provider,
    pub(super) owner: Owner,
    /// The time at the start of the process, in seconds since 1970: grants end at a date.
    pub(super) started_unix: u64,
    pub(super) group: Option<Group>,
    /// Until when nobody is asked to create a group, because somebody may come who holds one: the server, and with it
    /// all rooms, has just started again.
    pub(super) grace_until: Option<Duration>,
    /// Who was asked to create or to upload the group, and when.
    pub(super) maker: Option<(Seat, Duration)>,
    pub(super) staged: Option<Staged>,
    pub(super) people: BTreeMap<Seat, Person>,
    /// Signature keys of leaves whose owner is gone.
    pub(super) leaving: BTreeSet<Vec<u8>>,
    /// When to propose their removal.
    pub(super) leave_due: Option<Duration>,
    /// What the server has proposed in this epoch.
    pub(super) proposals: Vec<Vec<u8>>,
    /// When leaves that nobody has claimed are given up: after a restart the server does not know who is gone.
    pub(super) orphans_due: Option<Duration>,
    pub(super) batch: Option<Batch>,
    pub(super) log: VecDeque<Logged>,
    pub(super) is_locked: bool,
    pub(super) gate_due: Option<GateDue>,
    /// The latest epoch for which everybody was said to be ready.
    pub(super) all_ready: u64,
    pub(super) actions: VecDeque<Action>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Delivery")
            .field("epoch", &self.epoch())
            .field("people", &self.people.len())
            .finish_non_exhaustive()
    }
}

impl Delivery {
    /// A room without a group, and until when nobody is asked to make one. The server makes nothing that has to be
    /// secret, so its provider needs no seed.
    pub fn new(key: DeliveryKey, owner: Owner, started_unix: u64, grace_until: Option<Duration>) -> Self {
        Self {
            key,
            provider: Provider::new([0; 32]),
            owner,
            started_unix,
            group: None,
            grace_until,
            maker: None,
            staged: None,
            people: BTreeMap::new(),
            leaving: BTreeSet::new(),
            leave_due: None,
            proposals: Vec::new(),
            orphans_due: None,
            batch: None,
            log: VecDeque::new(),
            is_locked: false,
            gate_due: None,
            all_ready: 0,
            actions: VecDeque::new(),
        }
    }

    /// A member says something.
    pub fn handle_frame(&mut self, seat: Seat, frame: ClientFrame, now: Duration) {
        if let Some(person) = self.people.get_mut(&seat) {
            person.is_silent = false;
        } else if !matches!(frame, ClientFrame::Enter { .. }) {
            return self.reject(seat, RejectReason::OutOfOrder);
        }
        match frame {
            ClientFrame::Enter {
                epoch,
                group_id,
                resync,
                key_package,
            } => self.enter(seat, epoch, group_id, resync, key_package, now),
            ClientFrame::GroupInfo {
                epoch,
                group_info,
                tree,
            } => self.take_group(seat, epoch, group_info, tree, now),
            ClientFrame::Commit {
                epoch,
                commit,
                group_info,
                welcome,
            } => self.commit(seat, epoch, commit, group_info, welcome, now),
            ClientFrame::Ready { epoch, tag } => self.ready(seat, epoch, &tag, now),
            ClientFrame::Refused { epoch, reason } => self.refused(seat, epoch, reason, now),
            ClientFrame::App {
                epoch,
                audience,
                message,
            } => self.relay(seat, epoch, audience, message, now),
            ClientFrame::CatchUp { epoch } => self.catch_up(seat, epoch),
            ClientFrame::Gate { epoch, gate_hash } => self.gate(seat, epoch, gate_hash, now),
        }
    }

    /// A member has a connection again. What it missed it asks for itself.
    pub fn handle_here(&mut self, seat: Seat) {
        if let Some(person) = self.people.get_mut(&seat) {
            person.is_here = true;
        }
    }

    /// The connection of a member broke, and its seat is held.
    pub fn handle_away(&mut self, seat: Seat, now: Duration) {
        if let Some(person) = self.people.get_mut(&seat) {
            person.is_here = false;
            person.is_waiting = false;
        }
        self.forget_promises(seat, now);
    }

    /// The moment of [`Delivery::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.end_staged(now);
        self.end_maker(now);
        self.next_batch_turn(now);
        self.give_up_orphans(now);
        if self.leave_due.is_some_and(|due| due <= now) {
            self.propose_leaves(now);
        }
    }

    /// When [`Delivery::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [
            self.staged_due(),
            self.maker_due(),
            self.batch_due(),
            self.leave_due,
            self.orphans_due,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Whether newcomers are refused.
    pub const fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// The epoch of the group.
    pub fn epoch(&self) -> Option<u64> {
        self.group.as_ref().map(Group::epoch)
    }

    pub(super) fn send(&mut self, seat: Seat, frame: ServerFrame) {
        self.actions.push_back(Action::Send(seat, frame));
    }

    pub(super) fn reject(&mut self, seat: Seat, reason: RejectReason) {
        let epoch = self.epoch().unwrap_or_default();
        self.actions
            .push_back(Action::Count(Count::FrameRejected(reason)));
        self.send(seat, ServerFrame::Reject { epoch, reason });
    }

    /// Whether this member has a leaf in the group.
    pub(super) fn is_inside(&self, seat: Seat) -> bool {
        let person = self.people.get(&seat);
        person.is_some_and(|person| self.leaf_of(&person.signature_key).is_some())
    }

    pub(super) fn leaf_of(&self, signature_key: &[u8]) -> Option<u32> {
        self.group.as_ref()?.leaf_of(signature_key)
    }

    /// Those who are in the group and have a connection, by seat.
    pub(super) fn present(&self) -> Vec<Seat> {
        let people = self.people.iter().filter(|(_, person)| person.is_here);
        let inside = people.filter(|(_, person)| self.leaf_of(&person.signature_key).is_some());
        inside.map(|(seat, _)| *seat).collect()
    }

    /// Those who are in the group and have a connection, by leaf.
    pub(super) fn present_by_leaf(&self) -> Vec<Seat> {
        let people = self.people.iter().filter(|(_, person)| person.is_here);
        let mut inside: Vec<(u32, Seat)> = people
            .filter_map(|(seat, person)| Some((self.leaf_of(&person.signature_key)?, *seat)))
            .collect();
        inside.sort_unstable();
        inside.into_iter().map(|(_, seat)| seat).collect()
    }

    /// Forgets the group where nobody is left who holds it: whoever waits makes another.
    pub(super) fn forget_empty(&mut self) {
        let mut seats = self.people.keys();
        // Before there is a group, whoever is here is about to make it.
        if seats.any(|seat| self.group.is_none() || self.is_inside(*seat)) {
            return;
        }
        self.group = None;
        self.maker = None;
        self.staged = None;
        self.leaving.clear();
        self.leave_due = None;
        self.proposals.clear();
        self.orphans_due = None;
        self.batch = None;
        self.log.clear();
        self.is_locked = false;
        self.all_ready = 0;
    }
}

impl Group {
    pub(super) fn new(public: PublicGroup, group_info: Vec<u8>) -> Self {
        let mut group = Self {
            public,
            group_info,
            tree: Vec::new(),
        };
        group.export_tree();
        group
    }

    /// Writes the tree of the current epoch.
    pub(super) fn export_tree(&mut self) {
        // A tree that was read can be written.
        self.tree = self
            .public
            .export_ratchet_tree()
            .tls_serialize_detached()
            .unwrap_or_default();
    }

    pub(super) fn epoch(&self) -> u64 {
        self.public.group_context().epoch().as_u64()
    }

    /// Whether this is the same group in a later epoch.
    pub(super) fn is_later_than(&self, other: &Self) -> bool {
        self.public.group_id() == other.public.group_id() && self.epoch() > other.epoch()
    }

    /// The digest of the confirmation tag of the current epoch.
    pub(super) fn tag(&self) -> Digest {
        let tag = self.public.confirmation_tag().tls_serialize_detached();
        digest(&tag.unwrap_or_default())
    }

    pub(super) fn leaf_of(&self, signature_key: &[u8]) -> Option<u32> {
        let mut members = self.public.members();
        let member = members.find(|member| member.signature_key == signature_key)?;
        Some(member.index.u32())
    }
}

impl Delivery {
    pub(super) fn crypto(&self) -> &mls::Crypto {
        self.provider.crypto()
    }
}
