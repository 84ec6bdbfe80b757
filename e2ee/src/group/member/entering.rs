//! Coming in: as the first, by an external commit, by a Welcome, or anew.

use std::time::Duration;

use mls::Provider;
use mls::openmls::prelude::{LeafNodeParameters, MlsGroup, ProcessedWelcome};
use mls::openmls_traits::OpenMlsProvider as _;
use mls::tls_codec::Serialize as _;
use protocol::group::frame::{Digest, SealedKeyPackage};
use protocol::group::{ClientFrame, CommitData, RefusalReason, RejectReason};

use super::{Inside, Member};
use crate::group::event::Event;
use crate::group::{library, policy};
use crate::key_package_mac::prove;

/// How long an answer of the server may take before one asks again.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(3);

/// How long one waits after a lost race, at least and at most.
pub(super) const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(300));

/// How long one waits after a rejection that a quick second try would not change.
pub(super) const LONG_BACKOFF: (Duration, Duration) =
    (Duration::from_millis(1_000), Duration::from_millis(3_000));

/// A group that the server has not confirmed yet.
pub(super) struct Attempt {
    pub(super) inside: Inside,
    /// Which commit or GroupInfo it was sent with.
    pub(super) digest: Digest,
}

/// What an external commit makes.
struct ExternalCommit {
    inside: Inside,
    commit: Vec<u8>,
    group_info: Vec<u8>,
}

impl Member {
    /// Asks the server to let one in, or for what one has missed.
    pub(super) fn enter(&mut self, now: Duration) {
        if !self.is_connected || self.is_removed {
            return;
        }
        self.attempt = None;
        self.timers.enter_due = Some(now.saturating_add(ANSWER_TIME));
        let Some(key_package) = self.key_package(now) else {
            return;
        };
        let frame = ClientFrame::Enter {
            epoch: self.epoch().unwrap_or_default(),
            group_id: self.group_id(),
            resync: self.is_lost && self.inside.is_some(),
            key_package,
        };
        self.frames.push_back(frame);
    }

    /// The KeyPackage that one may be added with; made anew where there is none.
    fn key_package(&mut self, now: Duration) -> Option<SealedKeyPackage> {
        if let Some((_, sealed)) = &self.waiting {
            return Some(sealed.clone());
        }
        let provider = self.draw_provider();
        self.store_psk(&provider)?;
        let key_package = library::key_package(&provider, &self.signer, self.id, self.unix(now))?;
        let generation = self.door.fragment.generation;
        let mac = prove(&self.door.secret, self.room, generation, &key_package);
        let sealed = SealedKeyPackage { mac, key_package };
        self.waiting = Some((provider, sealed.clone()));
        Some(sealed)
    }

    pub(super) fn store_psk(&self, provider: &Provider) -> Option<()> {
        let generation = self.door.fragment.generation;
        library::store_psk(provider, generation, &self.door.secret.psk(generation))
    }

    /// There is no group: makes one.
    pub(super) fn create(&mut self, external_sender: &[u8; 32], now: Duration) {
        if self.inside.is_some() {
            // A client with a live group never creates another.
            return self.refuse(RefusalReason::OtherGroup);
        }
        let provider = self.draw_provider();
        let unix_seconds = self.unix(now);
        let group = library::create(&provider, &self.signer, self.id, external_sender, unix_seconds);
        let Some(group) = group.filter(|_| self.store_psk(&provider).is_some()) else {
            self.statistics.unexpected += 1;
            return;
        };
        let inside = Inside { provider, group };
        let Some(frame) = self.group_info_frame(&inside) else {
            return;
        };
        let digest = match &frame {
            ClientFrame::GroupInfo { group_info, .. } => library::digest(group_info),
            _ => return,
        };
        self.frames.push_back(frame);
        self.attempt = Some(Attempt { inside, digest });
        self.timers.enter_due = Some(now.saturating_add(ANSWER_TIME));
    }

    /// The server has forgotten the group: gives it back.
    pub(super) fn upload(&mut self, now: Duration) {
        let frame = self
            .inside
            .as_ref()
            .and_then(|inside| self.group_info_frame(inside));
        if let Some(frame) = frame {
            self.frames.push_back(frame);
            self.timers.enter_due = Some(now.saturating_add(ANSWER_TIME));
        }
    }

    fn group_info_frame(&self, inside: &Inside) -> Option<ClientFrame> {
        let crypto = inside.provider.crypto();
        let group_info = inside.group.export_group_info(crypto, &self.signer, false).ok()?;
        Some(ClientFrame::GroupInfo {
            epoch: inside.group.epoch().as_u64(),
            group_info: library::to_bytes(group_info)?,
            tree: inside.group.export_ratchet_tree().tls_serialize_detached().ok()?,
        })
    }

    /// Here is the group: comes in by an external commit.
    pub(super) fn come_in(&mut self, group_info: &[u8], tree: &[u8], now: Duration) {
        if self.attempt.is_some() || (self.inside.is_some() && !self.is_lost) {
            self.statistics.unexpected += 1;
            return;
        }
        match self.external_commit(group_info, tree) {
            Ok(made) => {
                let digest = library::digest(&made.commit);
                self.frames.push_back(ClientFrame::Commit {
                    epoch: made.inside.group.epoch().as_u64().saturating_sub(1),
                    commit: made.commit,
                    group_info: made.group_info,
                    welcome: Vec::new(),
                });
                self.attempt = Some(Attempt {
                    inside: made.inside,
                    digest,
                });
                self.timers.enter_due = Some(now.saturating_add(ANSWER_TIME));
            }
            Err(reason) => {
                self.refuse(reason);
                self.timers.enter_due = Some(now.saturating_add(LONG_BACKOFF.1));
            }
        }
    }

    fn external_commit(&mut self, group_info: &[u8], tree: &[u8]) -> Result<ExternalCommit, RefusalReason> {
        const INVALID: RefusalReason = RefusalReason::Invalid;
        let group_info = library::read_group_info(group_info).ok_or(INVALID)?;
        let tree = library::read_tree(tree).ok_or(INVALID)?;
        if let Some(live) = &self.inside {
            if live.group.group_id() != group_info.group_id() {
                return Err(RefusalReason::OtherGroup);
            }
            // What it leads to must not lie below one's own epoch. It may be as high: where a commit that only we have
            // merged was dropped, the others are one behind.
            if group_info.epoch().as_u64() + 1 < live.group.epoch().as_u64() {
                return Err(RefusalReason::OldEpoch);
            }
        }
        let provider = self.draw_provider();
        self.store_psk(&provider).ok_or(INVALID)?;
        let psk = library::psk_proposal(&provider, self.door.fragment.generation).ok_or(INVALID)?;
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_ratchet_tree(tree)
            .with_config(library::join_config())
            .with_aad(CommitData::Plain.encode())
            .build_group(&provider, group_info, library::credential(self.id, &self.signer))
            .map_err(|_| INVALID)?
            .add_psk_proposal(psk)
            .leaf_node_parameters(
                LeafNodeParameters::builder()
                    .with_capabilities(library::capabilities())
                    .build(),
            )
            .load_psks(provider.storage())
            .map_err(|_| INVALID)?
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(provider.rand(), provider.crypto(), &self.signer, |_| true)
            .map_err(|_| INVALID)?
            .finalize(&provider)
            .map_err(|_| INVALID)?;
        if self.is_guarded() {
            policy::judge_group(&group)?;
        }
        let (commit, _, group_info) = bundle.into_messages();
        Ok(ExternalCommit {
            inside: Inside { provider, group },
            commit: library::to_bytes(commit).ok_or(INVALID)?,
            group_info: group_info.and_then(library::to_bytes).ok_or(INVALID)?,
        })
    }

    /// One was added.
    pub(super) fn welcomed(&mut self, welcome: &[u8], tree: &[u8], now: Duration) {
        if self.inside.is_some() {
            self.statistics.unexpected += 1;
            return;
        }
        // A KeyPackage opens one Welcome.
        let Some((provider, _)) = self.waiting.take() else {
            self.statistics.unexpected += 1;
            return;
        };
        match self.open_welcome(provider, welcome, tree) {
            Ok(inside) => {
                self.attempt = None;
                self.entered(inside, now);
            }
            Err(reason) => {
                self.refuse(reason);
                let backoff = self.draw_time(LONG_BACKOFF.0, LONG_BACKOFF.1);
                self.timers.enter_due = Some(now.saturating_add(backoff));
            }
        }
    }

    fn open_welcome(&self, provider: Provider, welcome: &[u8], tree: &[u8]) -> Result<Inside, RefusalReason> {
        const INVALID: RefusalReason = RefusalReason::Invalid;
        let welcome = library::read_welcome(welcome).ok_or(INVALID)?;
        let tree = library::read_tree(tree).ok_or(INVALID)?;
        let config = library::join_config();
        let processed =
            ProcessedWelcome::new_from_welcome(&provider, &config, welcome).map_err(|error| match error {
                mls::openmls::prelude::WelcomeError::Psk(_) => RefusalReason::OldPsk,
                _ => INVALID,
            })?;
        if self.is_guarded() {
            let generation = self.door.fragment.generation;
            let is_ours = |id: &mls::openmls::schedule::PreSharedKeyId| {
                let bytes = id.tls_serialize_detached();
                bytes.is_ok_and(|bytes| library::is_room_psk(&bytes, generation))
            };
            match processed.psks() {
                [psk] if is_ours(psk) => {}
                _ => return Err(RefusalReason::WelcomeWithoutPsk),
            }
        }
        let group = processed
            .into_staged_welcome(&provider, Some(tree))
            .map_err(|_| INVALID)?
            .into_group(&provider)
            .map_err(|_| INVALID)?;
        if self.is_guarded() {
            policy::judge_group(&group)?;
        }
        Ok(Inside { provider, group })
    }

    /// Takes a group as one's own.
    pub(super) fn entered(&mut self, inside: Inside, now: Duration) {
        let is_anew = self.inside.replace(inside).is_some();
        if is_anew {
            self.statistics.resyncs += 1;
        }
        self.is_lost = false;
        self.timers.is_stopped = false;
        self.waiting = None;
        self.timers.enter_due = None;
        self.drop_own();
        self.events.push_back(Event::Entered { member: self.id });
        self.follow(&[], now);
        self.ask_for_roster(now);
        self.ask_owner();
        self.announce_again(now);
        self.plan_update(now);
    }

    /// Asks the owner's key for a grant for one's own leaf.
    fn ask_owner(&mut self) {
        let (Some(_), Some(group_id)) = (self.owner, self.group_id()) else {
            return;
        };
        if self.grant.is_some() {
            return;
        }
        let bytes = protocol::group::Grant::signed_bytes(
            &group_id,
            self.id.as_bytes(),
            &self.signer.public(),
            protocol::group::Role::Owner,
            self.unix_seconds + super::OWNER_GRANT_LIFE,
        );
        self.events.push_back(Event::OwnerSignature { bytes });
    }

    /// The server does not take what one wanted to come in with.
    pub(super) fn attempt_rejected(&mut self, reason: RejectReason, now: Duration) {
        self.attempt = None;
        let (from, to) = match reason {
            RejectReason::Stale | RejectReason::Unconfirmed | RejectReason::OutOfOrder => BACKOFF,
            _ => LONG_BACKOFF,
        };
        if matches!(reason, RejectReason::Locked | RejectReason::Full) {
            self.events.push_back(Event::NotAdmitted { reason });
        }
        let backoff = self.draw_time(from, to);
        self.timers.enter_due = Some(now.saturating_add(backoff));
    }
}
