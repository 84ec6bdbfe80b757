//! The commits of others and one's own, once the server has ordered them.

use std::time::Duration;

use mls::openmls::prelude::{
    ProcessMessageError, ProcessedMessageContent, Sender, StageCommitError, StagedCommit,
};
use mls::openmls_traits::OpenMlsProvider as _;
use protocol::group::frame::Digest;
use protocol::group::{ClientFrame, RefusalReason, RejectReason};

use super::Member;
use super::commits::Wanted;
use super::entering::BACKOFF;
use crate::group::event::{Alarm, Event};
use crate::group::policy::{self, Verdict};
use crate::group::{library, roster};
use crate::secret::{BaseKey, Link, RoomSecret};

/// RFC 9605, section 5.2.
const BASE_KEY_LABEL: &str = "SFrame 1.0 Base Key";

/// What the next link is exported under.
const LINK_LABEL: &str = "undertone link";

/// What the library's refusal is called.
fn reason_of<E>(error: &ProcessMessageError<E>) -> RefusalReason {
    match error {
        ProcessMessageError::InvalidCommit(StageCommitError::PskError(_)) => RefusalReason::OldPsk,
        ProcessMessageError::InvalidCommit(StageCommitError::ConfirmationTagMismatch) => {
            RefusalReason::WrongPsk
        }
        ProcessMessageError::UnsupportedProposalType => RefusalReason::ForbiddenProposal,
        _ => RefusalReason::Invalid,
    }
}

impl Member {
    /// The server has ordered a commit of somebody else.
    pub(super) fn committed(&mut self, epoch: u64, commit: &[u8], now: Duration) {
        let Some(own_epoch) = self.epoch() else { return };
        if epoch < own_epoch || self.is_lost {
            return;
        }
        if epoch > own_epoch {
            self.note_known(epoch, now);
            return self.catch_up(now);
        }
        if self.own.is_some() {
            self.statistics.beaten += 1;
            self.beaten = self.beaten.saturating_add(1);
            self.retry_own();
        }
        match self.merge(commit, now) {
            Ok(verdict) => {
                self.statistics.merged += 1;
                self.adopt(&verdict, now);
                self.commit_next(now);
            }
            Err(reason) => {
                self.frames.push_back(ClientFrame::Refused { epoch, reason });
                // What cannot even be read by us alone may be our own fault; what the policy refuses is not.
                self.timers.is_maybe_lost = reason == RefusalReason::Invalid;
                self.refuse(reason);
            }
        }
    }

    fn merge(&mut self, commit: &[u8], now: Duration) -> Result<Verdict, RefusalReason> {
        let message = library::read_public(commit).ok_or(RefusalReason::Invalid)?;
        let inside = self.inside.as_mut().ok_or(RefusalReason::Invalid)?;
        let processed = inside
            .group
            .process_message(&inside.provider, message)
            .map_err(|error| reason_of(&error))?;
        let sender = processed.sender().clone();
        let data = processed.aad().to_vec();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(RefusalReason::Invalid);
        };
        let verdict = self.judge(&staged, &sender, &data, now)?;
        let inside = self.inside.as_mut().ok_or(RefusalReason::Invalid)?;
        inside
            .group
            .merge_staged_commit(&inside.provider, *staged)
            .map_err(|_| RefusalReason::Invalid)?;
        Ok(verdict)
    }

    fn judge(
        &self,
        staged: &StagedCommit,
        sender: &Sender,
        data: &[u8],
        now: Duration,
    ) -> Result<Verdict, RefusalReason> {
        let inside = self.inside.as_ref().ok_or(RefusalReason::Invalid)?;
        let judged = policy::judge(&inside.group, staged, sender, data, self.rules(now));
        if self.is_guarded() {
            judged
        } else {
            Ok(judged.unwrap_or_default())
        }
    }

    /// One's own commit, creation or upload was taken.
    pub(super) fn confirmed(&mut self, epoch: u64, digest: &Digest, now: Duration) {
        if let Some(attempt) = self.attempt.take_if(|attempt| attempt.digest == *digest) {
            return self.entered(attempt.inside, now);
        }
        let Some(own_epoch) = self.epoch() else {
            self.statistics.unexpected += 1;
            return;
        };
        if epoch == own_epoch {
            return self.uploaded(epoch, now);
        }
        let Some(own) = self.own.take_if(|own| own.digest == *digest) else {
            // One of ours that we have given up: as if somebody else had made it, but we cannot merge it.
            self.note_known(epoch, now);
            return self.lost(now);
        };
        self.timers.own_due = None;
        let Some(inside) = &mut self.inside else { return };
        if inside.group.merge_pending_commit(&inside.provider).is_err() {
            self.is_lost = true;
            return self.enter(now);
        }
        self.statistics.merged += 1;
        if matches!(own.wanted, Wanted::Kick(_)) {
            self.talk.is_kicker = true;
        }
        self.adopt(&own.verdict, now);
        self.commit_next(now);
    }

    /// The server has the group again, in one's own epoch: that is where the others are now.
    fn uploaded(&mut self, epoch: u64, now: Duration) {
        self.timers.enter_due = None;
        self.timers.known = None;
        self.is_lost = false;
        if std::mem::take(&mut self.timers.is_stopped) {
            self.events.push_back(Event::Send { epoch });
        }
        self.make_up(now);
    }

    /// Messages that were under way are lost: says what nobody was told, and asks for what one was not told.
    fn make_up(&mut self, now: Duration) {
        if self.talk.is_unsaid {
            self.announce_again(now);
        }
        self.ask_later(now);
    }

    /// What follows from a commit that was merged.
    fn adopt(&mut self, verdict: &Verdict, now: Duration) {
        let is_active = self
            .inside
            .as_ref()
            .is_some_and(|inside| inside.group.is_active());
        if !is_active {
            return self.was_removed();
        }
        if let Some(locked) = verdict.locked {
            self.locked = Some(locked);
            self.events.push_back(Event::Locked { locked });
        }
        if let Some(generation) = verdict.next_generation {
            self.next_link(generation, now);
        }
        let kicked = if verdict.next_generation.is_some() {
            verdict.removed.as_slice()
        } else {
            &[]
        };
        self.follow(kicked, now);
    }

    fn was_removed(&mut self) {
        self.is_removed = true;
        self.inside = None;
        self.attempt = None;
        self.own = None;
        self.wanted.clear();
        self.frames.clear();
        self.timers.disconnect();
        for epoch in self.epochs.clear() {
            self.events.push_back(Event::Forget { epoch });
        }
        self.events.push_back(Event::Removed);
    }

    /// Begins the epoch that the group is in now.
    pub(super) fn follow(&mut self, kicked: &[u32], now: Duration) {
        let Some(inside) = &self.inside else { return };
        let epoch = inside.group.epoch().as_u64();
        let base_key = inside
            .group
            .export_secret(inside.provider.crypto(), BASE_KEY_LABEL, &[], BaseKey::LENGTH)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(BaseKey::new);
        let (Some(base_key), Some(leaf), Ok((came, departed))) =
            (base_key, self.leaf(), self.roster.follow(&inside.group, now))
        else {
            // The policy has seen to it that every leaf is one of ours.
            self.is_lost = true;
            return self.enter(now);
        };
        for gone in &departed {
            if let Some(leaf) = roster::leaf(gone.leaf) {
                self.events.push_back(Event::ForgetLeaf { leaf, before: epoch });
            }
            if !gone.is_back {
                self.events.push_back(Event::Gone {
                    member: gone.member,
                    kicked: kicked.contains(&gone.leaf),
                });
            }
        }
        let has_removed = departed.iter().any(|gone| !gone.is_back);
        for epoch in self.epochs.begin(epoch, has_removed, now) {
            self.events.push_back(Event::Forget { epoch });
        }
        self.events.push_back(Event::Epoch {
            epoch,
            base_key,
            leaf,
            members: self.roster.leaves(),
        });
        self.say_ready();
        self.timers.commit_due = None;
        self.timers.fork_due = None;
        self.reached(epoch);
        self.greet(&came, now);
    }

    fn say_ready(&mut self) {
        if let Some(inside) = &self.inside {
            self.frames.push_back(ClientFrame::Ready {
                epoch: inside.group.epoch().as_u64(),
                tag: library::tag(&inside.group),
            });
        }
    }

    /// Everybody is in this epoch.
    pub(super) fn all_ready(&mut self, epoch: u64) {
        if self.epochs.ready(epoch) && !self.timers.is_stopped {
            self.events.push_back(Event::Send { epoch });
        }
    }

    /// After a kick: the next link comes out of the new epoch, which the removed one cannot reach.
    fn next_link(&mut self, generation: u16, now: Duration) {
        let Some(inside) = &self.inside else { return };
        let context = generation.to_be_bytes();
        let exported =
            inside
                .group
                .export_secret(inside.provider.crypto(), LINK_LABEL, &context, Link::LENGTH);
        let Some(link) = exported
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Link::new)
        else {
            return;
        };
        self.door.next = Some((generation, link));
        // Argon2 takes a while: what has to be said of this epoch is said first.
        self.timers.link_due = Some(now);
    }

    /// Takes over the next link: its secret, its PSK, its gate. What was made under the old one is void.
    pub(super) fn turn_link(&mut self, now: Duration) {
        let Some((generation, link)) = self.door.next.take() else {
            return;
        };
        self.timers.link_due = None;
        self.door.secret = match &self.door.password {
            Some(password) => RoomSecret::from_link_and_password(&link, password),
            None => RoomSecret::from_link(&link),
        };
        self.door.fragment.generation = generation;
        self.door.fragment.link = link;
        self.waiting = None;
        if let Some(inside) = self.inside.take() {
            // A store that fails leaves a member that has to come in anew, and can.
            let _ = self.store_psk(&inside.provider);
            self.inside = Some(inside);
        }
        self.events.push_back(Event::Link {
            fragment: self.door.fragment.to_text(),
            gate: self.door.secret.gate(),
        });
        self.tell_gate(now);
        self.commit_next(now);
    }

    /// The server knows of an epoch.
    pub(super) fn note_known(&mut self, epoch: u64, now: Duration) {
        if self.epoch().is_none_or(|own| epoch <= own) {
            return;
        }
        match &mut self.timers.known {
            Some((known, _)) => *known = (*known).max(epoch),
            None => self.timers.known = Some((epoch, now)),
        }
    }

    /// One is in this epoch: what was known of is reached.
    fn reached(&mut self, epoch: u64) {
        self.timers.is_maybe_lost = false;
        if self.timers.known.is_some_and(|(known, _)| known <= epoch) {
            self.timers.known = None;
            self.timers.is_stopped = false;
        }
    }

    /// A newer epoch was not given out for too long.
    pub(super) fn withheld(&mut self) {
        self.timers.is_stopped = true;
        self.events.push_back(Event::Stop);
        self.alarm(Alarm::Withheld);
    }

    /// Asks for the commits that one has missed, once until they come.
    pub(super) fn catch_up(&mut self, now: Duration) {
        if self.is_lost {
            return;
        }
        let (Some(epoch), None) = (
            self.epoch(),
            self.timers.catch_up_until.filter(|until| *until > now),
        ) else {
            return;
        };
        self.timers.catch_up_until = Some(now.saturating_add(BACKOFF.1));
        self.frames.push_back(ClientFrame::CatchUp { epoch });
    }

    /// Nothing more to catch up with.
    pub(super) fn caught_up(&mut self, epoch: u64, now: Duration) {
        self.timers.catch_up_until = None;
        let Some(own_epoch) = self.epoch() else { return };
        self.timers.enter_due = None;
        if epoch == own_epoch {
            self.reached(epoch);
            self.say_ready();
            self.make_up(now);
            return self.commit_next(now);
        }
        self.note_known(epoch, now);
        if epoch < own_epoch || self.timers.is_maybe_lost {
            self.lost(now);
        }
    }

    /// One is not where the others are: comes in anew, and seals nothing until then.
    pub(super) fn lost(&mut self, now: Duration) {
        self.is_lost = true;
        self.timers.is_stopped = true;
        self.events.push_back(Event::Stop);
        self.drop_own();
        self.enter(now);
    }

    /// The server does not take something.
    pub(super) fn rejected(&mut self, epoch: u64, reason: RejectReason, now: Duration) {
        self.statistics.reject(reason);
        if reason == RejectReason::Stale && self.beaten > 0 {
            self.beaten -= 1;
            return;
        }
        if self.attempt.is_some() || self.inside.is_none() {
            return self.attempt_rejected(reason, now);
        }
        match reason {
            RejectReason::Gone | RejectReason::ForeignGroup => self.lost(now),
            RejectReason::Stale | RejectReason::Unconfirmed if self.own.is_some() => {
                self.retry_own();
                let backoff = self.draw_time(BACKOFF.0, BACKOFF.1);
                self.timers.retry_due = Some(now.saturating_add(backoff));
                if self.epoch().is_some_and(|own| own < epoch) {
                    self.note_known(epoch, now);
                    self.catch_up(now);
                }
            }
            _ if self.own.is_some() => {
                self.drop_own();
                self.commit_next(now);
            }
            _ => self.attempt_rejected(reason, now),
        }
    }
}
