//! Who wants to come in: as the first, one by one, or in batches.

use std::time::Duration;

use mls::openmls::prelude::{MlsMessageBodyIn, ProposalStore, ProtocolVersion, PublicGroup};
use mls::openmls_traits::OpenMlsProvider as _;
use protocol::group::frame::SealedKeyPackage;
use protocol::group::{RejectReason, ServerFrame};
use protocol::ids::Seat;
use protocol::limits::{ADDS_MAX, ROOM_MEMBERS_MAX};

use super::Delivery;
use super::check::{body, read_group_info, read_tree};
use super::state::{Batch, Group, Person, digest};
use crate::limits::RESUME_WINDOW;

/// Newcomers at once that come in by themselves. Each external commit makes an epoch, and only one of them wins it;
/// more than these are added together.
const SINGLE_JOINS_MAX: usize = 4;

/// How long a member may take to add a batch before the next is asked.
const BATCH_TURN: Duration = Duration::from_secs(1);

/// How long a member may take to create or to upload the group before the next is asked.
const MAKER_TURN: Duration = Duration::from_secs(5);

/// How long the members of a group that came back may take to come back themselves: as long as a seat is held, and a
/// little more.
const ORPHAN_TIME: Duration = RESUME_WINDOW.saturating_add(Duration::from_secs(5));

impl Delivery {
    pub(super) fn enter(
        &mut self,
        seat: Seat,
        epoch: u64,
        group_id: Option<[u8; 16]>,
        resync: bool,
        key_package: SealedKeyPackage,
        now: Duration,
    ) {
        let Some(signature_key) = self.signature_key(&key_package) else {
            return self.reject(seat, RejectReason::Invalid);
        };
        if self.people.len() >= ROOM_MEMBERS_MAX && !self.people.contains_key(&seat) {
            return self.reject(seat, RejectReason::Full);
        }
        // A page that was reloaded has another key, and its old leaf is nobody's.
        let earlier = self.people.get(&seat).map(|person| person.signature_key.clone());
        if let Some(earlier) = earlier.filter(|earlier| *earlier != signature_key) {
            self.leave(earlier, now);
        }
        self.leaving.remove(&signature_key);
        let entered = self.people.get(&seat).and_then(|person| person.entered);
        let person = Person {
            signature_key,
            key_package,
            is_here: true,
            is_waiting: false,
            is_served: false,
            is_silent: false,
            entered,
            ready: 0,
        };
        self.people.insert(seat, person);
        self.answer(seat, epoch, group_id, resync, now);
    }

    fn signature_key(&self, sealed: &SealedKeyPackage) -> Option<Vec<u8>> {
        let MlsMessageBodyIn::KeyPackage(key_package) = body(&sealed.key_package)? else {
            return None;
        };
        let key_package = key_package.validate(self.crypto(), ProtocolVersion::Mls10).ok()?;
        Some(key_package.leaf_node().signature_key().as_slice().to_vec())
    }

    fn answer(&mut self, seat: Seat, epoch: u64, group_id: Option<[u8; 16]>, resync: bool, now: Duration) {
        let Some(group) = &self.group else {
            return self.ask_for_group(seat, group_id.is_some(), now);
        };
        let is_ours = group_id.is_some_and(|id| group.public.group_id().as_slice() == id);
        let is_inside = self.is_inside(seat);
        // After a restart the first to come back may have been behind.
        let is_newer = epoch > group.epoch() && self.orphans_due.is_some() && self.staged.is_none();
        match group_id {
            Some(_) if is_ours && is_newer && !resync => {
                self.maker = Some((seat, now));
                self.send(seat, ServerFrame::Upload);
            }
            Some(_) if is_ours && is_inside && !resync => self.catch_up(seat, epoch),
            Some(_) if !resync => self.reject(seat, RejectReason::ForeignGroup),
            _ => {
                if !is_inside {
                    if self.is_locked {
                        return self.reject(seat, RejectReason::Locked);
                    }
                    if self.group_is_full() {
                        return self.reject(seat, RejectReason::Full);
                    }
                }
                self.want_in(seat, is_inside, now);
            }
        }
    }

    fn group_is_full(&self) -> bool {
        let members = self
            .group
            .as_ref()
            .map_or(0, |group| group.public.members().count());
        members >= ROOM_MEMBERS_MAX
    }

    /// Nobody has given us the group yet: this one makes it, unless another was just asked.
    fn ask_for_group(&mut self, seat: Seat, has_group: bool, now: Duration) {
        let is_made = self
            .maker
            .is_some_and(|(maker, since)| maker != seat && now.saturating_sub(since) < MAKER_TURN);
        let is_early = self.grace_until.is_some_and(|until| now < until);
        if (is_made || is_early) && !has_group {
            if let Some(person) = self.people.get_mut(&seat) {
                person.is_waiting = true;
            }
            return;
        }
        self.maker = Some((seat, now));
        let frame = if has_group {
            ServerFrame::Upload
        } else {
            ServerFrame::Create {
                external_sender: self.key.public(),
            }
        };
        self.send(seat, frame);
    }

    /// A group was created, or comes back after a restart of the server.
    pub(super) fn take_group(
        &mut self,
        seat: Seat,
        epoch: u64,
        group_info: Vec<u8>,
        tree: Vec<u8>,
        now: Duration,
    ) {
        let is_maker = self.maker.is_some_and(|(maker, _)| maker == seat);
        let is_late = self.group.is_some() && self.orphans_due.is_none();
        if !is_maker || is_late || self.staged.is_some() {
            return self.reject(seat, RejectReason::OutOfOrder);
        }
        let digest = digest(&group_info);
        let Some(group) = self.read_group(seat, epoch, group_info, &tree) else {
            self.maker = None;
            self.reject(seat, RejectReason::ForeignGroup);
            return self.serve_waiting(now);
        };
        self.maker = None;
        if let Some(earlier) = &self.group {
            if !group.is_later_than(earlier) {
                return self.reject(seat, RejectReason::OutOfOrder);
            }
            self.send_anew(seat);
        }
        self.all_ready = epoch;
        self.group = Some(group);
        self.orphans_due = Some(now.saturating_add(ORPHAN_TIME));
        if let Some(person) = self.people.get_mut(&seat) {
            person.entered = Some(now);
            person.is_waiting = false;
            person.ready = epoch;
        }
        self.send(seat, ServerFrame::Confirmed { epoch, digest });
        self.serve_waiting(now);
    }

    /// The group that was uploaded first is behind: whoever is in it comes in anew.
    fn send_anew(&mut self, except: Seat) {
        self.log.clear();
        self.proposals.clear();
        self.batch = None;
        self.leaving.clear();
        for seat in self.present() {
            if seat != except {
                self.reject(seat, RejectReason::Gone);
            }
        }
        for person in self.people.values_mut() {
            person.is_served = false;
            person.ready = 0;
        }
    }

    /// Reads a group in which this member sits and this server may propose to remove.
    fn read_group(&self, seat: Seat, epoch: u64, group_info: Vec<u8>, tree: &[u8]) -> Option<Group> {
        let verifiable = read_group_info(&group_info)?;
        let senders = verifiable.group_context().extensions().external_senders()?;
        let ours = self.external_sender();
        if verifiable.epoch().as_u64() != epoch || senders.as_slice() != [ours] {
            return None;
        }
        let (public, _) = PublicGroup::from_external(
            self.crypto(),
            self.provider.storage(),
            read_tree(tree)?,
            verifiable,
            ProposalStore::new(),
        )
        .ok()?;
        let group = Group::new(public, group_info);
        let person = self.people.get(&seat)?;
        group.leaf_of(&person.signature_key)?;
        Some(group)
    }

    /// The maker did not deliver: the next that waits is asked.
    pub(super) fn end_maker(&mut self, now: Duration) {
        if self.maker_due().is_some_and(|due| due <= now) {
            self.maker = None;
            self.grace_until.take_if(|until| *until <= now);
            self.serve_waiting(now);
        }
    }

    pub(super) fn maker_due(&self) -> Option<Duration> {
        if self.group.is_some() {
            return None;
        }
        let turn = self.maker.map(|(_, since)| since.saturating_add(MAKER_TURN));
        turn.or(self.grace_until)
    }

    /// Notes that a member wants in, and serves it: with the GroupInfo, or in a batch with others.
    fn want_in(&mut self, seat: Seat, has_leaf: bool, now: Duration) {
        if let Some(staged) = &mut self.staged
            && staged.asked.remove(&seat)
        {
            self.settle(now);
        }
        if let Some(person) = self.people.get_mut(&seat) {
            person.is_waiting = true;
        }
        // One who has its leaf still has to free it itself.
        if has_leaf || (self.waiting().len() <= SINGLE_JOINS_MAX && self.batch.is_none()) {
            self.serve(seat);
        } else {
            self.ask_for_batch(now);
        }
    }

    fn waiting(&self) -> Vec<Seat> {
        let people = self.people.iter();
        let waiting = people.filter(|(_, person)| person.is_waiting && person.is_here);
        waiting.map(|(seat, _)| *seat).collect()
    }

    fn serve(&mut self, seat: Seat) {
        let Some(group) = &self.group else { return };
        let frame = ServerFrame::GroupInfo {
            epoch: group.epoch(),
            group_info: group.group_info.clone(),
            tree: group.tree.clone(),
        };
        if let Some(person) = self.people.get_mut(&seat) {
            person.is_served = true;
        }
        self.send(seat, frame);
    }

    /// There is a new epoch, or a group at all: those who still wait and were not answered for it come in.
    pub(super) fn serve_waiting(&mut self, now: Duration) {
        self.batch = None;
        let unserved = |person: &&Person| person.is_waiting && person.is_here && !person.is_served;
        let waiting = self.people.iter().filter(|(_, person)| unserved(person));
        let waiting: Vec<Seat> = waiting.map(|(seat, _)| *seat).collect();
        let Some(first) = waiting.first().copied() else {
            return;
        };
        if self.group.is_none() {
            return self.ask_for_group(first, false, now);
        }
        if waiting.len() > SINGLE_JOINS_MAX {
            return self.ask_for_batch(now);
        }
        for seat in waiting {
            self.serve(seat);
        }
    }

    fn ask_for_batch(&mut self, now: Duration) {
        if self.batch.is_none() {
            self.batch = Some(Batch { turn: 0, since: now });
            self.send_batch();
        }
    }

    /// Asks the member whose turn it is to add those who wait.
    fn send_batch(&mut self) {
        let Some(batch) = &self.batch else { return };
        let waiting = self.people.values().filter(|person| {
            person.is_waiting && person.is_here && self.leaf_of(&person.signature_key).is_none()
        });
        let key_packages: Vec<_> = waiting
            .take(ADDS_MAX)
            .map(|person| person.key_package.clone())
            .collect();
        let present = self.present_by_leaf();
        let asked = present.get(batch.turn % present.len().max(1)).copied();
        let (Some(asked), Some(epoch), false) = (asked, self.epoch(), key_packages.is_empty()) else {
            self.batch = None;
            return;
        };
        self.send(asked, ServerFrame::KeyPackages { epoch, key_packages });
    }

    pub(super) fn batch_due(&self) -> Option<Duration> {
        let batch = self.batch.as_ref()?;
        Some(batch.since.saturating_add(BATCH_TURN))
    }

    /// Nobody was added in time: the next member is asked.
    pub(super) fn next_batch_turn(&mut self, now: Duration) {
        if self.batch_due().is_none_or(|due| due > now) {
            return;
        }
        if let Some(batch) = &mut self.batch {
            batch.turn += 1;
            batch.since = now;
        }
        self.send_batch();
    }
}
