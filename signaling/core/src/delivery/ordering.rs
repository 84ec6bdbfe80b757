//! Commits, from their arrival to their end.

use std::collections::BTreeSet;
use std::time::Duration;

use mls::openmls_traits::OpenMlsProvider as _;
use protocol::group::frame::Digest;
use protocol::group::{RefusalReason, RejectReason, ServerFrame};
use protocol::ids::Seat;

use super::Delivery;
use super::state::{Action, Effects, GateDue, Logged, Staged, digest};
use crate::limits::{COMMIT_LOG_BYTES_MAX, COMMIT_LOG_LIFE};
use crate::stats::Count;

/// How long a commit that somebody refused waits for another member to be ready for it.
const CONFIRM_TIME: Duration = Duration::from_secs(1);

/// How long a commit that nobody refused waits: a phone in a crowd may take seconds to check it, and whoever merged a
/// commit that was dropped meanwhile has to come in anew.
const SILENCE_TIME: Duration = Duration::from_secs(4);

impl Delivery {
    pub(super) fn commit(
        &mut self,
        seat: Seat,
        epoch: u64,
        commit: Vec<u8>,
        group_info: Vec<u8>,
        welcome: Vec<u8>,
        now: Duration,
    ) {
        match self.epoch() {
            None => return self.reject(seat, RejectReason::OutOfOrder),
            Some(current) if current != epoch || self.staged.is_some() => {
                return self.reject(seat, RejectReason::Stale);
            }
            Some(_) => {}
        }
        match self.check(seat, &commit, &group_info, now) {
            Ok((staged, effects)) => {
                let asked = self.asked(seat, &effects);
                self.staged = Some(Staged {
                    committer: seat,
                    epoch,
                    staged,
                    commit,
                    group_info,
                    welcome,
                    effects,
                    since: now,
                    asked,
                    refused: Default::default(),
                    told: Default::default(),
                });
                self.tell_staged();
                self.settle(now);
            }
            Err(reason) => self.reject(seat, reason),
        }
    }

    /// Whose word counts: everybody in the group with a connection, but the committer and those whom it removes; those
    /// who did not answer the last time only where nobody else can vouch for a newcomer.
    fn asked(&self, committer: Seat, effects: &Effects) -> BTreeSet<Seat> {
        let others = self.present().into_iter().filter(|seat| *seat != committer);
        let others = others.filter_map(|seat| Some((seat, self.people.get(&seat)?)));
        // Who comes in anew is in no epoch that it could vouch for.
        let asked = others
            .filter(|(_, person)| !person.is_waiting && !effects.kicked.contains(&person.signature_key));
        let (silent, awake): (Vec<_>, Vec<_>) = asked.partition(|(_, person)| person.is_silent);
        let chosen = if awake.is_empty() && !self.is_inside(committer) {
            silent
        } else {
            awake
        };
        chosen.into_iter().map(|(seat, _)| seat).collect()
    }

    /// Whether somebody has to vouch for it: a newcomer, and those inside have not left. Only a member can check
    /// that the newcomer knows the secret of the link.
    fn needs_word(&self, committer: Seat) -> bool {
        !self.is_inside(committer) && self.people.keys().any(|seat| self.is_inside(*seat))
    }

    /// Sends the staged commit to everybody in the group who does not have it.
    fn tell_staged(&mut self) {
        let present = self.present();
        let Some(staged) = &mut self.staged else { return };
        let frame = ServerFrame::Committed {
            epoch: staged.epoch,
            commit: staged.commit.clone(),
        };
        let untold: Vec<Seat> = present
            .into_iter()
            .filter(|seat| *seat != staged.committer && staged.told.insert(*seat))
            .collect();
        for seat in untold {
            self.send(seat, frame.clone());
        }
    }

    /// Ends the staged commit where nobody is left whose word it waits for.
    pub(super) fn settle(&mut self, now: Duration) {
        let Some(staged) = &self.staged else { return };
        if staged.asked.is_empty() {
            // Without anybody who could vouch it would only stand in the way of those who can come back.
            if self.needs_word(staged.committer) {
                self.drop_staged(RejectReason::Unconfirmed, now);
            } else {
                self.confirm(now);
            }
        } else if staged.asked.is_subset(&staged.refused) {
            self.drop_staged(RejectReason::Refused, now);
        }
    }

    pub(super) fn ready(&mut self, seat: Seat, epoch: u64, tag: &Digest, now: Duration) {
        let confirms = self
            .staged
            .as_ref()
            .is_some_and(|staged| staged.asked.contains(&seat) && staged.epoch + 1 == epoch);
        if confirms {
            self.confirm(now);
        }
        let Some(group) = &self.group else { return };
        let is_elsewhere = epoch == group.epoch() && *tag != group.tag();
        if is_elsewhere || epoch > group.epoch() {
            // It is in an epoch of this number that is not ours, or has merged a commit that was dropped.
            return self.reject(seat, RejectReason::ForeignGroup);
        }
        if epoch <= group.epoch()
            && let Some(person) = self.people.get_mut(&seat)
        {
            person.ready = person.ready.max(epoch);
        }
        self.tell_all_ready();
    }

    fn tell_all_ready(&mut self) {
        let Some(epoch) = self.epoch() else { return };
        let present = self.present();
        let is_ready = |seat: &Seat| self.people.get(seat).is_some_and(|person| person.ready >= epoch);
        if self.all_ready >= epoch || !present.iter().all(is_ready) {
            return;
        }
        self.all_ready = epoch;
        for seat in present {
            self.send(seat, ServerFrame::AllReady { epoch });
        }
    }

    pub(super) fn refused(&mut self, seat: Seat, epoch: u64, reason: RefusalReason, now: Duration) {
        self.actions
            .push_back(Action::Count(Count::CommitRefused(reason)));
        if let Some(staged) = &mut self.staged
            && staged.epoch == epoch
            && staged.asked.contains(&seat)
        {
            staged.refused.insert(seat);
            self.settle(now);
        }
    }

    pub(super) fn staged_due(&self) -> Option<Duration> {
        let staged = self.staged.as_ref()?;
        let time = if staged.refused.is_empty() {
            SILENCE_TIME
        } else {
            CONFIRM_TIME
        };
        Some(staged.since.saturating_add(time))
    }

    /// The time of the staged commit is over.
    pub(super) fn end_staged(&mut self, now: Duration) {
        if self.staged_due().is_none_or(|due| due > now) {
            return;
        }
        let Some(staged) = &self.staged else { return };
        if !staged.refused.is_empty() {
            return self.drop_staged(RejectReason::Refused, now);
        }
        // They sleep: next time their word is not waited for.
        for seat in staged.asked.clone() {
            if let Some(person) = self.people.get_mut(&seat) {
                person.is_silent = true;
            }
        }
        self.drop_staged(RejectReason::Unconfirmed, now);
    }

    pub(super) fn drop_staged(&mut self, reason: RejectReason, now: Duration) {
        let Some(staged) = self.staged.take() else { return };
        self.reject(staged.committer, reason);
        if reason == RejectReason::Refused {
            self.actions.push_back(Action::Count(Count::CommitterClosed));
            self.actions.push_back(Action::Close(staged.committer));
        }
        if let Some(person) = self.people.get_mut(&staged.committer) {
            person.is_served = false;
        }
        self.propose_soon(now);
    }

    /// A member has merged the staged commit: so does everybody.
    fn confirm(&mut self, now: Duration) {
        self.tell_staged();
        let Some(staged) = self.staged.take() else { return };
        let Some(group) = &mut self.group else { return };
        if group
            .public
            .merge_commit(self.provider.storage(), staged.staged)
            .is_err()
        {
            return self.reject(staged.committer, RejectReason::Invalid);
        }
        group.group_info = staged.group_info;
        group.export_tree();
        let epoch = group.epoch();
        let tree = group.tree.clone();
        self.actions.push_back(Action::Count(Count::CommitOrdered));
        let digest = digest(&staged.commit);
        self.keep(staged.epoch, staged.commit, now);
        self.send(staged.committer, ServerFrame::Confirmed { epoch, digest });
        for person in self.people.values_mut() {
            person.is_served = false;
        }
        self.admit(
            staged.committer,
            &staged.effects,
            &staged.welcome,
            epoch,
            &tree,
            now,
        );
        if let Some(locked) = staged.effects.locked {
            self.is_locked = locked;
            self.actions.push_back(Action::Count(Count::LockChanged));
        }
        if staged.effects.is_kick {
            self.gate_due = Some(GateDue {
                kicker: staged.committer,
                epoch,
                since: now,
            });
            self.kick(&staged.effects.kicked);
        }
        // One that came in and was gone before it could hear of it.
        for key in staged.effects.added {
            if !self.people.values().any(|person| person.signature_key == key) {
                self.leaving.insert(key);
            }
        }
        let group = self.group.as_ref();
        self.leaving
            .retain(|key| group.is_some_and(|group| group.leaf_of(key).is_some()));
        self.propose_soon(now);
        self.serve_waiting(now);
    }

    /// Those whom a commit brought in.
    fn admit(
        &mut self,
        committer: Seat,
        effects: &Effects,
        welcome: &[u8],
        epoch: u64,
        tree: &[u8],
        now: Duration,
    ) {
        let mut added = Vec::new();
        for (seat, person) in &mut self.people {
            if effects.added.contains(&person.signature_key) {
                person.is_waiting = false;
                person.entered = Some(now);
                if *seat != committer {
                    added.push(*seat);
                }
            }
        }
        for seat in added {
            let frame = ServerFrame::Welcome {
                epoch,
                welcome: welcome.to_vec(),
                tree: tree.to_vec(),
            };
            self.send(seat, frame);
        }
    }

    fn kick(&mut self, kicked: &[Vec<u8>]) {
        let people = self.people.iter();
        let seats: Vec<Seat> = people
            .filter(|(_, person)| kicked.contains(&person.signature_key))
            .map(|(seat, _)| *seat)
            .collect();
        for seat in seats {
            self.people.remove(&seat);
            self.actions.push_back(Action::Count(Count::Kicked));
            self.actions.push_back(Action::Kicked(seat));
        }
    }

    /// Keeps a commit for those who missed it.
    fn keep(&mut self, epoch: u64, commit: Vec<u8>, now: Duration) {
        self.log.push_back(Logged {
            at: now,
            epoch,
            commit,
            proposals: std::mem::take(&mut self.proposals),
        });
        let mut bytes: usize = self.log.iter().map(Logged::size).sum();
        while let Some(oldest) = self.log.front() {
            if bytes <= COMMIT_LOG_BYTES_MAX && now.saturating_sub(oldest.at) < COMMIT_LOG_LIFE {
                break;
            }
            bytes -= oldest.size();
            self.log.pop_front();
        }
    }
}
