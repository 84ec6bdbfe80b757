//! One's own commits: updates, adds, kicks, locks, and the removes of those who left.

use std::time::Duration;

use mls::openmls::prelude::{
    KeyPackage, LeafNodeIndex, PreSharedKeyProposal, ProcessedMessageContent, Proposal, QueuedProposal,
    Sender,
};
use mls::openmls_traits::OpenMlsProvider as _;
use protocol::group::frame::{Digest, SealedKeyPackage};
use protocol::group::{ClientFrame, CommitData, RefusalReason};
use protocol::limits::ADDS_MAX;

use super::Member;
use super::entering::ANSWER_TIME;
use crate::group::library;
use crate::group::policy::Verdict;
use crate::identity::MemberId;
use crate::key_package_mac::is_proven;

/// How long each further leaf waits before it commits what the one before it should have.
pub(super) const TURN: Duration = Duration::from_millis(250);

/// A commit that one wants to make.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// New keys for one's own leaf.
    Update,
    /// The removes that the server proposed.
    Leaves,
    /// Members out, and a new link.
    Kick(Vec<MemberId>),
    /// No newcomers, or newcomers again.
    Lock(bool),
    /// Newcomers in.
    Add(Vec<SealedKeyPackage>),
}

/// A commit that one has made, and that is not ordered yet.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) wanted: Wanted,
    pub(super) digest: Digest,
    pub(super) verdict: Verdict,
}

/// What a commit is made of.
#[derive(Debug, Default)]
struct Parts {
    adds: Vec<KeyPackage>,
    removes: Vec<LeafNodeIndex>,
    psk: Option<PreSharedKeyProposal>,
    with_leaves: bool,
    data: Option<CommitData>,
    verdict: Verdict,
}

impl Member {
    /// Makes the next commit that is wanted, unless one is under way.
    pub(super) fn commit_next(&mut self, now: Duration) {
        // A commit names the generation of the link, so the next link has to be there first.
        let is_ready = |member: &Self| {
            let is_inside = member.inside.is_some() && member.is_connected && !member.is_lost;
            is_inside && member.own.is_none() && member.door.next.is_none()
        };
        while is_ready(self) {
            let Some(wanted) = self.wanted.pop_front() else {
                return;
            };
            if let Some((own, frame)) = self.make(wanted) {
                self.own = Some(own);
                self.frames.push_back(frame);
                self.timers.own_due = Some(now.saturating_add(ANSWER_TIME));
            }
        }
    }

    fn make(&mut self, wanted: Wanted) -> Option<(Own, ClientFrame)> {
        let parts = self.parts(&wanted)?;
        let signer = self.signer.clone();
        let inside = self.inside.as_mut()?;
        let epoch = inside.group.epoch().as_u64();
        let data = parts.data.unwrap_or(CommitData::Plain);
        inside.group.set_aad(data.encode());
        let is_wanted =
            |queued: &QueuedProposal| parts.with_leaves || matches!(queued.sender(), Sender::Member(_));
        let bundle = inside
            .group
            .commit_builder()
            .consume_proposal_store(true)
            .force_self_update(true)
            .propose_adds(parts.adds)
            .propose_removals(parts.removes)
            .add_proposals(parts.psk.map(|psk| Proposal::PreSharedKey(Box::new(psk))))
            .load_psks(inside.provider.storage())
            .ok()?
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(
                inside.provider.rand(),
                inside.provider.crypto(),
                &signer,
                is_wanted,
            )
            .ok()?
            .stage_commit(&inside.provider)
            .ok()?;
        let (commit, welcome, group_info) = bundle.into_messages();
        let commit = library::to_bytes(commit)?;
        let digest = library::digest(&commit);
        let frame = ClientFrame::Commit {
            epoch,
            commit,
            group_info: library::to_bytes(group_info?)?,
            welcome: match welcome {
                Some(welcome) => library::to_bytes(welcome)?,
                None => Vec::new(),
            },
        };
        let own = Own {
            wanted,
            digest,
            verdict: parts.verdict,
        };
        Some((own, frame))
    }

    fn parts(&self, wanted: &Wanted) -> Option<Parts> {
        let inside = self.inside.as_ref()?;
        match wanted {
            Wanted::Update => Some(Parts::default()),
            Wanted::Leaves => inside.group.has_pending_proposals().then(|| Parts {
                with_leaves: true,
                ..Parts::default()
            }),
            Wanted::Kick(members) => {
                let own_leaf = inside.group.own_leaf_index().u32();
                let leaves = members.iter().filter_map(|member| self.roster.leaf_of(*member));
                let leaves: Vec<u32> = leaves.filter(|leaf| *leaf != own_leaf).collect();
                let generation = self.door.fragment.generation.checked_add(1)?;
                let grant = self.grant?;
                (!leaves.is_empty()).then(|| Parts {
                    removes: leaves.iter().map(|leaf| LeafNodeIndex::new(*leaf)).collect(),
                    data: Some(CommitData::Kick { generation, grant }),
                    verdict: Verdict {
                        next_generation: Some(generation),
                        removed: leaves,
                        ..Verdict::default()
                    },
                    ..Parts::default()
                })
            }
            Wanted::Lock(locked) => Some(Parts {
                data: Some(CommitData::Lock {
                    locked: *locked,
                    grant: self.grant?,
                }),
                verdict: Verdict {
                    locked: Some(*locked),
                    ..Verdict::default()
                },
                ..Parts::default()
            }),
            Wanted::Add(sealed) => self.add_parts(sealed),
        }
    }

    fn add_parts(&self, sealed: &[SealedKeyPackage]) -> Option<Parts> {
        let inside = self.inside.as_ref()?;
        let generation = self.door.fragment.generation;
        let mut adds = Vec::new();
        let mut macs = Vec::new();
        for (package, key_package) in sealed
            .iter()
            .filter_map(|sealed| Some((sealed, self.proven(sealed)?)))
        {
            let member = library::member_of(key_package.leaf_node().credential()).ok()?;
            if self.roster.leaf_of(member).is_none() {
                adds.push(key_package);
                macs.push(package.mac);
            }
        }
        if adds.is_empty() || self.is_locked() {
            return None;
        }
        Some(Parts {
            adds,
            psk: Some(library::psk_proposal(&inside.provider, generation)?),
            data: Some(CommitData::Adds { generation, macs }),
            ..Parts::default()
        })
    }

    /// A KeyPackage of somebody who knows the room's secret.
    fn proven(&self, sealed: &SealedKeyPackage) -> Option<KeyPackage> {
        let SealedKeyPackage { mac, key_package } = sealed;
        let generation = self.door.fragment.generation;
        if self.is_guarded() && !is_proven(&self.door.secret, self.room, generation, key_package, mac) {
            return None;
        }
        library::read_key_package(&self.inside.as_ref()?.provider, key_package)
    }

    /// Some wait at the door: adds them, those whose proof is wrong excepted.
    pub(super) fn add(&mut self, sealed: Vec<SealedKeyPackage>, now: Duration) {
        if self.inside.is_none() || sealed.len() > ADDS_MAX {
            self.statistics.unexpected += 1;
            return;
        }
        let count = sealed.len();
        let sealed: Vec<_> = sealed
            .into_iter()
            .filter(|sealed| self.proven(sealed).is_some())
            .collect();
        if sealed.len() < count {
            self.refuse(RefusalReason::BadMac);
        }
        // What waited for an earlier try is in this one.
        self.wanted.retain(|wanted| !matches!(wanted, Wanted::Add(_)));
        if !sealed.is_empty() {
            self.wanted.push_back(Wanted::Add(sealed));
            self.commit_next(now);
        }
    }

    /// The server proposes to remove somebody who left.
    pub(super) fn proposed(&mut self, epoch: u64, proposal: &[u8], now: Duration) {
        if self.epoch() != Some(epoch) {
            return self.note_known(epoch, now);
        }
        match self.take_proposal(proposal) {
            Ok(()) => {
                if self.timers.commit_due.is_none() {
                    let turns = u32::try_from(self.rank(None)).unwrap_or(u32::MAX);
                    self.timers.commit_due = Some(now.saturating_add(TURN.saturating_mul(turns)));
                }
            }
            Err(reason) => self.refuse(reason),
        }
    }

    fn take_proposal(&mut self, proposal: &[u8]) -> Result<(), RefusalReason> {
        let message = library::read_public(proposal).ok_or(RefusalReason::Invalid)?;
        let is_guarded = self.is_guarded();
        let inside = self.inside.as_mut().ok_or(RefusalReason::Invalid)?;
        let processed =
            inside
                .group
                .process_message(&inside.provider, message)
                .map_err(|error| match error {
                    mls::openmls::prelude::ProcessMessageError::UnsupportedProposalType => {
                        RefusalReason::ForbiddenProposal
                    }
                    _ => RefusalReason::Invalid,
                })?;
        let (ProcessedMessageContent::ProposalMessage(queued)
        | ProcessedMessageContent::ExternalJoinProposalMessage(queued)) = processed.into_content()
        else {
            return Err(RefusalReason::Invalid);
        };
        if is_guarded {
            match (queued.proposal(), queued.sender()) {
                (Proposal::Remove(_), Sender::External(_)) => {}
                (Proposal::Add(_), _) => return Err(RefusalReason::ExternalAdd),
                (Proposal::Remove(_), _) => return Err(RefusalReason::UnnamedRemove),
                _ => return Err(RefusalReason::ForbiddenProposal),
            }
        }
        let storage = inside.provider.storage();
        inside
            .group
            .store_pending_proposal(storage, *queued)
            .map_err(|_| RefusalReason::Invalid)
    }

    /// One's turn among the live members: 0 for the lowest leaf. Those who are about to be removed do not count, nor
    /// does the one that is excepted.
    pub(super) fn rank(&self, except: Option<u32>) -> usize {
        let Some(inside) = &self.inside else { return 0 };
        let own_leaf = inside.group.own_leaf_index().u32();
        let leaving: Vec<u32> = inside
            .group
            .pending_proposals()
            .filter_map(|queued| match queued.proposal() {
                Proposal::Remove(remove) => Some(remove.removed().u32()),
                _ => None,
            })
            .collect();
        let lower = self.roster.entries().filter(|(leaf, _)| *leaf < own_leaf);
        lower
            .filter(|(leaf, _)| !leaving.contains(leaf) && Some(*leaf) != except)
            .count()
    }

    /// Takes one's own commit back, and wants it again where that makes sense on the winner.
    pub(super) fn retry_own(&mut self) {
        let Some(own) = self.clear_own() else { return };
        match own.wanted {
            wanted @ (Wanted::Kick(_) | Wanted::Lock(_) | Wanted::Add(_)) => self.wanted.push_front(wanted),
            // The server proposes anew in the next epoch; an update can wait for its next time.
            Wanted::Update | Wanted::Leaves => {}
        }
    }

    /// Takes one's own commit back for good, unless a person asked for it.
    pub(super) fn drop_own(&mut self) {
        match self.clear_own() {
            Some(Own {
                wanted: wanted @ (Wanted::Kick(_) | Wanted::Lock(_)),
                ..
            }) if !self.is_connected || self.is_lost => self.wanted.push_front(wanted),
            _ => {}
        }
    }

    fn clear_own(&mut self) -> Option<Own> {
        self.timers.own_due = None;
        if let Some(inside) = &mut self.inside {
            // In memory nothing of this fails.
            let _ = inside.group.clear_pending_commit(inside.provider.storage());
        }
        self.own.take()
    }
}
