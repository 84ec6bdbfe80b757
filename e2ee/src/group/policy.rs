//! What a member refuses before it merges a commit, although the library would take it.
//!
//! OpenMLS checks that a commit is well formed, signed and fits the tree. Who may do what in a room of ours is decided
//! here, by what the commit's proposals and its authenticated data say.

use std::collections::BTreeSet;

use mls::openmls::prelude::{
    Credential, LeafNode, LeafNodeIndex, MlsGroup, Proposal, QueuedProposal, Sender, StagedCommit,
};
use mls::tls_codec::Serialize as _;
use protocol::group::{CommitData, Grant, RefusalReason, Role};

use super::library;
use super::roster::is_same_member;
use crate::grant::{self, Holder};
use crate::identity::{MemberId, RoomId};
use crate::key_package_mac::is_proven;
use crate::limits::LEAF_MAX;
use crate::secret::RoomSecret;

/// What a member knows of its room.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The room.
    pub room: RoomId,
    /// The room's secret.
    pub secret: &'a RoomSecret,
    /// The generation of the link.
    pub generation: u16,
    /// What the link says of the owner.
    pub owner: &'a [u8; 16],
    /// Whether nobody new may come in.
    pub locked: bool,
    /// The time, in seconds since 1970.
    pub unix_seconds: u64,
}

/// What follows from a commit that is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Somebody was removed, and the link gets this generation.
    pub next_generation: Option<u16>,
    /// The meeting is locked or opened by it.
    pub locked: Option<bool>,
    /// The leaves that it removes, without one that a member takes back from itself.
    pub removed: Vec<u32>,
}

/// Judges a commit of this sender, with this `authenticated_data`.
pub fn judge(
    group: &MlsGroup,
    commit: &StagedCommit,
    sender: &Sender,
    authenticated_data: &[u8],
    rules: Rules<'_>,
) -> Result<Verdict, RefusalReason> {
    let data = CommitData::decode(authenticated_data).map_err(|_| RefusalReason::BadCommitData)?;
    commit.queued_proposals().try_for_each(check_kind)?;
    match sender {
        Sender::NewMemberCommit => judge_external(group, commit, &data, rules),
        Sender::Member(committer) => judge_member(group, commit, *committer, &data, rules),
        Sender::External(_) | Sender::NewMemberProposal => Err(RefusalReason::Invalid),
    }
}

/// Kinds of proposals that have a place in our groups, and who may make them.
fn check_kind(queued: &QueuedProposal) -> Result<(), RefusalReason> {
    match (queued.proposal(), queued.sender()) {
        (Proposal::Add(_), Sender::Member(_))
        | (Proposal::Remove(_), Sender::Member(_) | Sender::External(_) | Sender::NewMemberCommit)
        | (Proposal::PreSharedKey(_), Sender::Member(_) | Sender::NewMemberCommit)
        | (Proposal::ExternalInit(_), Sender::NewMemberCommit) => Ok(()),
        (Proposal::Add(_), _) => Err(RefusalReason::ExternalAdd),
        _ => Err(RefusalReason::ForbiddenProposal),
    }
}

/// Refuses a commit that does not mix in exactly the room's PSK of this generation.
fn check_psk(commit: &StagedCommit, generation: u16) -> Result<(), RefusalReason> {
    let mut proposals = commit.psk_proposals();
    let (Some(proposal), None) = (proposals.next(), proposals.next()) else {
        return Err(RefusalReason::NoPsk);
    };
    let bytes = proposal.psk_proposal().tls_serialize_detached();
    let bytes = bytes.map_err(|_| RefusalReason::Invalid)?;
    if library::is_room_psk(&bytes, generation) {
        Ok(())
    } else {
        Err(RefusalReason::OldPsk)
    }
}

/// Somebody comes in by itself, or comes back to its own leaf.
fn judge_external(
    group: &MlsGroup,
    commit: &StagedCommit,
    data: &CommitData,
    rules: Rules<'_>,
) -> Result<Verdict, RefusalReason> {
    if *data != CommitData::Plain {
        return Err(RefusalReason::BadCommitData);
    }
    check_psk(commit, rules.generation)?;
    let leaf = commit.update_path_leaf_node().ok_or(RefusalReason::Invalid)?;
    let member = library::member_of(leaf.credential())?;
    let mut removes = commit.remove_proposals();
    match (removes.next(), removes.next()) {
        (None, _) => {
            check_newcomer(group, member, rules.locked)?;
            check_room_for(group, 1)?;
        }
        (Some(remove), None) => {
            let removed = remove.remove_proposal().removed();
            let earlier = group.public_group().leaf(removed).ok_or(RefusalReason::Invalid)?;
            if !is_same_identity(earlier, leaf) {
                return Err(RefusalReason::RemovesStranger);
            }
        }
        (Some(_), Some(_)) => return Err(RefusalReason::RemovesStranger),
    }
    Ok(Verdict::default())
}

fn is_same_identity(one: &LeafNode, other: &LeafNode) -> bool {
    one.signature_key() == other.signature_key() && is_same_member(one.credential(), other.credential())
}

fn check_newcomer(group: &MlsGroup, member: MemberId, locked: bool) -> Result<(), RefusalReason> {
    if locked {
        return Err(RefusalReason::Locked);
    }
    let is_member = |credential: &Credential| library::member_of(credential) == Ok(member);
    if group.members().any(|member| is_member(&member.credential)) {
        return Err(RefusalReason::DuplicateMember);
    }
    Ok(())
}

/// New leaves take the lowest free indices (RFC 9420, section 12.1.1), so the highest is below the number of members.
fn check_room_for(group: &MlsGroup, newcomers: usize) -> Result<(), RefusalReason> {
    if group.members().count() + newcomers > usize::from(LEAF_MAX) + 1 {
        return Err(RefusalReason::LeafIndex);
    }
    Ok(())
}

/// A member updates, adds, removes, or locks.
fn judge_member(
    group: &MlsGroup,
    commit: &StagedCommit,
    committer: LeafNodeIndex,
    data: &CommitData,
    rules: Rules<'_>,
) -> Result<Verdict, RefusalReason> {
    let own_leaf = group
        .public_group()
        .leaf(committer)
        .ok_or(RefusalReason::Invalid)?;
    if let Some(leaf) = commit.update_path_leaf_node()
        && !is_same_identity(own_leaf, leaf)
    {
        return Err(RefusalReason::IdentityChanged);
    }
    let all_removed: Vec<u32> = commit
        .remove_proposals()
        .map(|remove| remove.remove_proposal().removed().u32())
        .collect();
    let kicked = commit
        .remove_proposals()
        .filter(|remove| matches!(remove.sender(), Sender::Member(_)))
        .count();
    let adds = commit.add_proposals().count();
    if adds > 0 && !matches!(data, CommitData::Adds { .. }) {
        return Err(RefusalReason::BadMac);
    }
    if kicked > 0 && !matches!(data, CommitData::Kick { .. }) {
        return Err(RefusalReason::UnnamedRemove);
    }
    if adds == 0 && commit.psk_proposals().next().is_some() {
        return Err(RefusalReason::ForbiddenProposal);
    }
    let mut verdict = Verdict {
        removed: all_removed,
        ..Verdict::default()
    };
    match data {
        CommitData::Plain => {}
        CommitData::Kick { generation, grant } => {
            check_grant(group, own_leaf, grant, rules)?;
            // It carries no leave of somebody else: what the link's next generation stands for must be plain.
            if kicked == 0 || kicked != verdict.removed.len() {
                return Err(RefusalReason::UnnamedRemove);
            }
            if rules.generation.checked_add(1) != Some(*generation) {
                return Err(RefusalReason::WrongGeneration);
            }
            verdict.next_generation = Some(*generation);
        }
        CommitData::Lock { locked, grant } => {
            check_grant(group, own_leaf, grant, rules)?;
            verdict.locked = Some(*locked);
        }
        CommitData::Adds { generation, macs } => {
            check_adds(group, commit, *generation, macs, rules)?;
        }
    }
    Ok(verdict)
}

fn check_grant(
    group: &MlsGroup,
    leaf: &LeafNode,
    grant: &Grant,
    rules: Rules<'_>,
) -> Result<(), RefusalReason> {
    let holder = Holder {
        group_id: group.group_id().as_slice(),
        member: library::member_of(leaf.credential())?,
        signature_key: leaf.signature_key().as_slice(),
    };
    match grant::role(grant, rules.owner, holder, rules.unix_seconds) {
        Some(Role::Owner | Role::Moderator) => Ok(()),
        None => Err(RefusalReason::NoGrant),
    }
}

fn check_adds(
    group: &MlsGroup,
    commit: &StagedCommit,
    generation: u16,
    macs: &[[u8; 32]],
    rules: Rules<'_>,
) -> Result<(), RefusalReason> {
    if generation != rules.generation {
        return Err(RefusalReason::OldPsk);
    }
    check_psk(commit, generation)?;
    let adds: Vec<_> = commit.add_proposals().collect();
    if adds.len() != macs.len() {
        return Err(RefusalReason::BadMac);
    }
    check_room_for(group, adds.len())?;
    let mut newcomers = BTreeSet::new();
    for (add, mac) in adds.iter().zip(macs) {
        let key_package = add.add_proposal().key_package();
        let bytes = library::to_bytes(key_package.clone()).ok_or(RefusalReason::Invalid)?;
        if !is_proven(rules.secret, rules.room, generation, &bytes, mac) {
            return Err(RefusalReason::BadMac);
        }
        let life = key_package.life_time();
        if life.not_after().saturating_sub(life.not_before()) > library::LIFETIME_SECONDS_MAX {
            return Err(RefusalReason::Lifetime);
        }
        let member = library::member_of(key_package.leaf_node().credential())?;
        check_newcomer(group, member, rules.locked)?;
        if !newcomers.insert(member) {
            return Err(RefusalReason::DuplicateMember);
        }
    }
    Ok(())
}

/// Refuses a group that is not one of this protocol, before one enters it: other members than ours could not be told
/// from each other, and another external sender than the server's could remove them.
pub fn judge_group(group: &MlsGroup) -> Result<(), RefusalReason> {
    let senders = group.extensions().external_senders().map_or(0, Vec::len);
    let others = group.extensions().iter().count();
    if group.ciphersuite() != mls::SUITE || senders != 1 || others != 1 {
        return Err(RefusalReason::BadGroup);
    }
    let mut members = BTreeSet::new();
    for member in group.members() {
        if member.index.u32() > u32::from(LEAF_MAX) {
            return Err(RefusalReason::LeafIndex);
        }
        if !members.insert(library::member_of(&member.credential)?) {
            return Err(RefusalReason::DuplicateMember);
        }
    }
    Ok(())
}
