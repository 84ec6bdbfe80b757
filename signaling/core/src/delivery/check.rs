//! Which commit is taken: what the library checks, and what this room allows.

use std::time::Duration;

use mls::crypto::verify;
use mls::openmls::messages::group_info::VerifiableGroupInfo;
use mls::openmls::prelude::{
    BasicCredential, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, Proposal, ProtocolMessage,
    QueuedProposal, RatchetTreeIn, Sender, StagedCommit,
};
use mls::tls_codec::Deserialize as _;
use protocol::group::{CommitData, Grant, RejectReason, Role};
use protocol::ids::Seat;
use protocol::limits::ROOM_MEMBERS_MAX;
use sha2::{Digest as _, Sha256};

use super::Delivery;
use super::state::Effects;

/// The body of an `MLSMessage` that fills the bytes.
pub(super) fn body(mut bytes: &[u8]) -> Option<MlsMessageBodyIn> {
    let message = MlsMessageIn::tls_deserialize(&mut bytes).ok()?;
    bytes.is_empty().then(|| message.extract())
}

pub(super) fn read_group_info(bytes: &[u8]) -> Option<VerifiableGroupInfo> {
    match body(bytes)? {
        MlsMessageBodyIn::GroupInfo(group_info) => Some(group_info),
        _ => None,
    }
}

pub(super) fn read_tree(mut bytes: &[u8]) -> Option<RatchetTreeIn> {
    let tree = RatchetTreeIn::tls_deserialize(&mut bytes).ok()?;
    bytes.is_empty().then_some(tree)
}

fn read_public(bytes: &[u8]) -> Option<ProtocolMessage> {
    match body(bytes)? {
        MlsMessageBodyIn::PublicMessage(message) => Some(message.into()),
        _ => None,
    }
}

impl Delivery {
    /// Checks a commit of this member for the current epoch.
    pub(super) fn check(
        &self,
        seat: Seat,
        commit: &[u8],
        group_info: &[u8],
        now: Duration,
    ) -> Result<(StagedCommit, Effects), RejectReason> {
        const INVALID: RejectReason = RejectReason::Invalid;
        let group = self.group.as_ref().ok_or(RejectReason::OutOfOrder)?;
        let person = self.people.get(&seat).ok_or(RejectReason::OutOfOrder)?;
        let message = read_public(commit).ok_or(INVALID)?;
        let processed = group
            .public
            .process_message(self.crypto(), message)
            .map_err(|_| INVALID)?;
        let sender = processed.sender().clone();
        let data = CommitData::decode(processed.aad()).map_err(|_| INVALID)?;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(INVALID);
        };
        if !staged.queued_proposals().all(is_known_kind) {
            return Err(INVALID);
        }
        let next = read_group_info(group_info).ok_or(INVALID)?;
        if next.group_context() != staged.group_context() || next.extensions().external_pub().is_none() {
            return Err(INVALID);
        }
        let effects = match &sender {
            Sender::NewMemberCommit => self.check_external(&staged, &person.signature_key)?,
            Sender::Member(committer) if group.leaf_of(&person.signature_key) == Some(committer.u32()) => {
                self.check_member(&staged, &data, &person.signature_key, now)?
            }
            _ => return Err(INVALID),
        };
        Ok((*staged, effects))
    }

    fn check_external(&self, staged: &StagedCommit, signature_key: &[u8]) -> Result<Effects, RejectReason> {
        let leaf = staged.update_path_leaf_node().ok_or(RejectReason::Invalid)?;
        if leaf.signature_key().as_slice() != signature_key {
            return Err(RejectReason::Invalid);
        }
        let removed = self.removed_keys(staged, |_| true);
        if removed.is_empty() {
            self.check_newcomers(1)?;
        } else if removed.iter().any(|key| key != signature_key) {
            return Err(RejectReason::Forbidden);
        }
        Ok(Effects {
            added: vec![signature_key.to_vec()],
            ..Effects::default()
        })
    }

    fn check_newcomers(&self, count: usize) -> Result<(), RejectReason> {
        if self.is_locked {
            return Err(RejectReason::Locked);
        }
        let members = self
            .group
            .as_ref()
            .map_or(0, |group| group.public.members().count());
        if members + count > ROOM_MEMBERS_MAX {
            return Err(RejectReason::Full);
        }
        Ok(())
    }

    fn check_member(
        &self,
        staged: &StagedCommit,
        data: &CommitData,
        signature_key: &[u8],
        now: Duration,
    ) -> Result<Effects, RejectReason> {
        let kicked = self.removed_keys(staged, |sender| matches!(sender, Sender::Member(_)));
        let added: Vec<Vec<u8>> = staged
            .add_proposals()
            .map(|add| {
                let leaf = add.add_proposal().key_package().leaf_node();
                leaf.signature_key().as_slice().to_vec()
            })
            .collect();
        if !added.is_empty() {
            self.check_newcomers(added.len())?;
        }
        let mut effects = Effects {
            kicked,
            added,
            ..Effects::default()
        };
        match data {
            CommitData::Kick { grant, .. } => {
                self.check_grant(grant, signature_key, now)?;
                effects.is_kick = true;
            }
            CommitData::Lock { locked, grant } => {
                self.check_grant(grant, signature_key, now)?;
                effects.locked = Some(*locked);
            }
            CommitData::Plain | CommitData::Adds { .. } => {}
        }
        if !effects.kicked.is_empty() && !effects.is_kick {
            return Err(RejectReason::Forbidden);
        }
        Ok(effects)
    }

    /// The signature keys of the leaves that a commit removes on the word of such a sender.
    fn removed_keys(&self, staged: &StagedCommit, by: impl Fn(&Sender) -> bool) -> Vec<Vec<u8>> {
        let Some(group) = &self.group else {
            return Vec::new();
        };
        let removes = staged.remove_proposals().filter(|remove| by(remove.sender()));
        removes
            .filter_map(|remove| {
                let leaf = group.public.leaf(remove.remove_proposal().removed())?;
                Some(leaf.signature_key().as_slice().to_vec())
            })
            .collect()
    }

    /// Whether the owner of this room allows the committer to remove and to lock.
    fn check_grant(&self, grant: &Grant, signature_key: &[u8], now: Duration) -> Result<(), RejectReason> {
        const FORBIDDEN: RejectReason = RejectReason::Forbidden;
        let group = self.group.as_ref().ok_or(FORBIDDEN)?;
        let member = group
            .public
            .members()
            .find(|member| member.signature_key == signature_key)
            .and_then(|member| BasicCredential::try_from(member.credential).ok())
            .and_then(|credential| <[u8; 16]>::try_from(credential.identity()).ok())
            .ok_or(FORBIDDEN)?;
        let unix_seconds = self.started_unix.saturating_add(now.as_secs());
        let hash: [u8; 32] = Sha256::digest(grant.owner).into();
        if !hash.starts_with(self.owner.as_bytes()) || grant.expiry <= unix_seconds {
            return Err(FORBIDDEN);
        }
        let group_id = group.public.group_id().as_slice();
        let signed = Grant::signed_bytes(group_id, &member, signature_key, grant.role, grant.expiry);
        verify(&signed, &grant.owner, &grant.signature).map_err(|_| FORBIDDEN)?;
        match grant.role {
            Role::Owner | Role::Moderator => Ok(()),
        }
    }
}

/// Kinds of proposals that have a place in our groups. Who may make them, the library and the members check.
fn is_known_kind(queued: &QueuedProposal) -> bool {
    matches!(
        queued.proposal(),
        Proposal::Add(_) | Proposal::Remove(_) | Proposal::PreSharedKey(_) | Proposal::ExternalInit(_)
    )
}
