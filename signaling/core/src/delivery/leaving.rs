//! Those who are gone, and the server's proposals to remove them.

use std::time::Duration;

use mls::openmls::prelude::{
    BasicCredential, ExternalProposal, ExternalSender, LeafNodeIndex, MlsMessageBodyIn,
    ProcessedMessageContent, SenderExtensionIndex,
};
use mls::openmls_traits::OpenMlsProvider as _;
use mls::tls_codec::Serialize as _;
use protocol::group::ServerFrame;
use protocol::ids::Seat;

use super::Delivery;
use super::check::body;

/// How long the server waits for more to leave, so that one commit removes them all.
const LEAVE_DELAY: Duration = Duration::from_millis(200);

/// After how long a proposal that nobody committed is made again.
const PROPOSE_AGAIN: Duration = Duration::from_secs(5);

impl Delivery {
    /// What members name in their group's `external_senders`.
    pub(super) fn external_sender(&self) -> ExternalSender {
        let credential = BasicCredential::new(b"delivery".to_vec());
        ExternalSender::new(self.key.public().to_vec().into(), credential.into())
    }

    /// A member has left the room for good.
    pub fn handle_gone(&mut self, seat: Seat, now: Duration) {
        let Some(person) = self.people.remove(&seat) else {
            return;
        };
        self.leave(person.signature_key, now);
        self.forget_promises(seat, now);
        self.forget_empty();
        if self.group.is_none() {
            self.serve_waiting(now);
        }
    }

    /// Notes that the leaf of this key is nobody's any more.
    pub(super) fn leave(&mut self, signature_key: Vec<u8>, now: Duration) {
        if self.leaf_of(&signature_key).is_some() {
            self.leaving.insert(signature_key);
            self.propose_soon(now);
        }
    }

    /// Leaves that nobody has claimed since the group came back are nobody's.
    pub(super) fn give_up_orphans(&mut self, now: Duration) {
        if self.orphans_due.take_if(|due| *due <= now).is_none() {
            return;
        }
        let Some(group) = &self.group else { return };
        let is_claimed = |key: &[u8]| self.people.values().any(|person| person.signature_key == key);
        let members = group.public.members().map(|member| member.signature_key);
        let orphans: Vec<Vec<u8>> = members.filter(|key| !is_claimed(key)).collect();
        for key in orphans {
            self.leave(key, now);
        }
    }

    /// Nothing more is to be expected of this member.
    pub(super) fn forget_promises(&mut self, seat: Seat, now: Duration) {
        if self.maker.take_if(|(maker, _)| *maker == seat).is_some() {
            self.serve_waiting(now);
        }
        let Some(staged) = &mut self.staged else { return };
        // Its own commit stays: others may have merged it already.
        staged.asked.remove(&seat);
        staged.told.remove(&seat);
        self.settle(now);
    }

    pub(super) fn propose_soon(&mut self, now: Duration) {
        if !self.leaving.is_empty() {
            self.leave_due = Some(now.saturating_add(LEAVE_DELAY));
        }
    }

    /// Proposes to remove everybody who is gone, in the current epoch.
    pub(super) fn propose_leaves(&mut self, now: Duration) {
        self.leave_due = None;
        if self.staged.is_some() {
            // The end of the staged commit comes back here.
            return;
        }
        let keys: Vec<Vec<u8>> = self.leaving.iter().cloned().collect();
        for key in keys {
            if let Some((epoch, proposal)) = self.propose(&key) {
                for seat in self.present() {
                    let proposal = proposal.clone();
                    self.send(seat, ServerFrame::Proposal { epoch, proposal });
                }
                self.leave_due = Some(now.saturating_add(PROPOSE_AGAIN));
            }
        }
    }

    fn propose(&mut self, signature_key: &[u8]) -> Option<(u64, Vec<u8>)> {
        let leaf = self.leaf_of(signature_key)?;
        let group = self.group.as_ref()?;
        let context = group.public.group_context();
        let proposal = ExternalProposal::new_remove::<mls::Provider>(
            LeafNodeIndex::new(leaf),
            context.group_id().clone(),
            context.epoch(),
            self.key.signer(),
            SenderExtensionIndex::new(0),
        )
        .ok()?;
        let bytes = proposal.tls_serialize_detached().ok()?;
        let MlsMessageBodyIn::PublicMessage(message) = body(&bytes)? else {
            return None;
        };
        let processed = group.public.process_message(self.crypto(), message).ok()?;
        let ProcessedMessageContent::ProposalMessage(queued) = processed.into_content() else {
            return None;
        };
        let group = self.group.as_mut()?;
        // In memory this does not fail.
        group.public.add_proposal(self.provider.storage(), *queued).ok()?;
        let epoch = group.epoch();
        if !self.proposals.contains(&bytes) {
            self.proposals.push(bytes.clone());
        }
        Some((epoch, bytes))
    }
}
