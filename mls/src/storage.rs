//! What OpenMLS reads back, in memory, and nothing else.
//!
//! OpenMLS writes the state of a group through its storage after every step, so that it can be loaded after a
//! restart. Ours never is: a member that comes back joins anew. So group state is not kept here at all. Kept are the
//! key pairs, key packages and pre-shared keys that OpenMLS looks up while it works; each is wiped when it is
//! replaced, deleted or dropped. Message secrets in particular would otherwise be serialised whole with every
//! message, and lie about after their epoch was over.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// Storage of one member or of one delivery service.
#[derive(Default)]
pub struct Storage(Mutex<HashMap<Vec<u8>, Zeroizing<Vec<u8>>>>);

/// A value that has no serialised form. Nothing that OpenMLS gives us is of that kind.
#[derive(Debug, thiserror::Error)]
#[error("a value of the group cannot be serialised: {0}")]
pub struct StorageError(#[from] serde_json::Error);

/// What a kept value is, so that keys of two kinds never meet.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Kind {
    EncryptionKeyPair = 1,
    EpochKeyPairs,
    KeyPackage,
    Psk,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Storage(hidden)")
    }
}

impl Storage {
    fn values(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Zeroizing<Vec<u8>>>> {
        // Every change is one call of the map: it is whole also after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, kind: Kind, key: &impl Serialize, value: &impl Serialize) -> Result<(), StorageError> {
        let value = secret_json(value)?;
        self.values().insert(place(kind, key)?, value);
        Ok(())
    }

    fn kept<V: DeserializeOwned>(&self, kind: Kind, key: &impl Serialize) -> Result<Option<V>, StorageError> {
        let place = place(kind, key)?;
        let values = self.values();
        Ok(values
            .get(&place)
            .map(|value| serde_json::from_slice(value))
            .transpose()?)
    }

    fn forget(&self, kind: Kind, key: &impl Serialize) -> Result<(), StorageError> {
        self.values().remove(&place(kind, key)?);
        Ok(())
    }
}

fn place(kind: Kind, key: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    let mut place = vec![kind as u8];
    serde_json::to_writer(&mut place, key)?;
    Ok(place)
}

/// The value in a buffer that never moved: a buffer that grows leaves copies behind that nobody wipes.
fn secret_json(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value)?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value)?;
    Ok(json)
}

struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Methods that take group state and keep none of it: `name[generics in the trait's order](arguments)`.
macro_rules! not_kept {
    ($($name:ident[$($generic:ident),+]($($argument:ident),+);)+) => {$(
        fn $name<$($generic: traits::$generic<CURRENT_VERSION>),+>(
            &self,
            $(_: &$argument),+
        ) -> Result<(), StorageError> {
            Ok(())
        }
    )+};
}

/// Methods that load group state: there is none.
macro_rules! never_there {
    ($($name:ident[$($generic:ident),+]($argument:ident) -> $value:ty;)+) => {$(
        fn $name<$($generic: traits::$generic<CURRENT_VERSION>),+>(
            &self,
            _: &$argument,
        ) -> Result<$value, StorageError> {
            Ok(<$value>::default())
        }
    )+};
}

impl StorageProvider<CURRENT_VERSION> for Storage {
    type Error = StorageError;

    not_kept! {
        write_mls_join_config[GroupId, MlsGroupJoinConfig](GroupId, MlsGroupJoinConfig);
        append_own_leaf_node[GroupId, LeafNode](GroupId, LeafNode);
        queue_proposal[GroupId, ProposalRef, QueuedProposal](GroupId, ProposalRef, QueuedProposal);
        write_tree[GroupId, TreeSync](GroupId, TreeSync);
        write_interim_transcript_hash[GroupId, InterimTranscriptHash](GroupId, InterimTranscriptHash);
        write_context[GroupId, GroupContext](GroupId, GroupContext);
        write_confirmation_tag[GroupId, ConfirmationTag](GroupId, ConfirmationTag);
        write_group_state[GroupState, GroupId](GroupId, GroupState);
        write_message_secrets[GroupId, MessageSecrets](GroupId, MessageSecrets);
        write_resumption_psk_store[GroupId, ResumptionPskStore](GroupId, ResumptionPskStore);
        write_own_leaf_index[GroupId, LeafNodeIndex](GroupId, LeafNodeIndex);
        write_group_epoch_secrets[GroupId, GroupEpochSecrets](GroupId, GroupEpochSecrets);
        write_signature_key_pair[SignaturePublicKey, SignatureKeyPair](SignaturePublicKey, SignatureKeyPair);
        remove_proposal[GroupId, ProposalRef](GroupId, ProposalRef);
        delete_own_leaf_nodes[GroupId](GroupId);
        delete_group_config[GroupId](GroupId);
        delete_tree[GroupId](GroupId);
        delete_confirmation_tag[GroupId](GroupId);
        delete_group_state[GroupId](GroupId);
        delete_context[GroupId](GroupId);
        delete_interim_transcript_hash[GroupId](GroupId);
        delete_message_secrets[GroupId](GroupId);
        delete_all_resumption_psk_secrets[GroupId](GroupId);
        delete_own_leaf_index[GroupId](GroupId);
        delete_group_epoch_secrets[GroupId](GroupId);
        clear_proposal_queue[GroupId, ProposalRef](GroupId);
        delete_signature_key_pair[SignaturePublicKey](SignaturePublicKey);
    }

    never_there! {
        mls_group_join_config[GroupId, MlsGroupJoinConfig](GroupId) -> Option<MlsGroupJoinConfig>;
        own_leaf_nodes[GroupId, LeafNode](GroupId) -> Vec<LeafNode>;
        queued_proposal_refs[GroupId, ProposalRef](GroupId) -> Vec<ProposalRef>;
        queued_proposals[GroupId, ProposalRef, QueuedProposal](GroupId) -> Vec<(ProposalRef, QueuedProposal)>;
        tree[GroupId, TreeSync](GroupId) -> Option<TreeSync>;
        group_context[GroupId, GroupContext](GroupId) -> Option<GroupContext>;
        interim_transcript_hash[GroupId, InterimTranscriptHash](GroupId) -> Option<InterimTranscriptHash>;
        confirmation_tag[GroupId, ConfirmationTag](GroupId) -> Option<ConfirmationTag>;
        group_state[GroupState, GroupId](GroupId) -> Option<GroupState>;
        message_secrets[GroupId, MessageSecrets](GroupId) -> Option<MessageSecrets>;
        resumption_psk_store[GroupId, ResumptionPskStore](GroupId) -> Option<ResumptionPskStore>;
        own_leaf_index[GroupId, LeafNodeIndex](GroupId) -> Option<LeafNodeIndex>;
        group_epoch_secrets[GroupId, GroupEpochSecrets](GroupId) -> Option<GroupEpochSecrets>;
        signature_key_pair[SignaturePublicKey, SignatureKeyPair](SignaturePublicKey) -> Option<SignatureKeyPair>;
    }

    fn write_encryption_key_pair<
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        public_key: &EncryptionKey,
        key_pair: &HpkeKeyPair,
    ) -> Result<(), StorageError> {
        self.keep(Kind::EncryptionKeyPair, public_key, key_pair)
    }

    fn encryption_key_pair<
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
        EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>,
    >(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<Option<HpkeKeyPair>, StorageError> {
        self.kept(Kind::EncryptionKeyPair, public_key)
    }

    fn delete_encryption_key_pair<EncryptionKey: traits::EncryptionKey<CURRENT_VERSION>>(
        &self,
        public_key: &EncryptionKey,
    ) -> Result<(), StorageError> {
        self.forget(Kind::EncryptionKeyPair, public_key)
    }

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), StorageError> {
        self.keep(Kind::EpochKeyPairs, &(group_id, epoch, leaf_index), &key_pairs)
    }

    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, StorageError> {
        Ok(self
            .kept(Kind::EpochKeyPairs, &(group_id, epoch, leaf_index))?
            .unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        group_id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), StorageError> {
        self.forget(Kind::EpochKeyPairs, &(group_id, epoch, leaf_index))
    }

    fn write_key_package<
        HashReference: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        hash_ref: &HashReference,
        key_package: &KeyPackage,
    ) -> Result<(), StorageError> {
        self.keep(Kind::KeyPackage, hash_ref, key_package)
    }

    fn key_package<
        KeyPackageRef: traits::HashReference<CURRENT_VERSION>,
        KeyPackage: traits::KeyPackage<CURRENT_VERSION>,
    >(
        &self,
        hash_ref: &KeyPackageRef,
    ) -> Result<Option<KeyPackage>, StorageError> {
        self.kept(Kind::KeyPackage, hash_ref)
    }

    fn delete_key_package<KeyPackageRef: traits::HashReference<CURRENT_VERSION>>(
        &self,
        hash_ref: &KeyPackageRef,
    ) -> Result<(), StorageError> {
        self.forget(Kind::KeyPackage, hash_ref)
    }

    fn write_psk<PskId: traits::PskId<CURRENT_VERSION>, PskBundle: traits::PskBundle<CURRENT_VERSION>>(
        &self,
        psk_id: &PskId,
        psk: &PskBundle,
    ) -> Result<(), StorageError> {
        self.keep(Kind::Psk, psk_id, psk)
    }

    fn psk<PskBundle: traits::PskBundle<CURRENT_VERSION>, PskId: traits::PskId<CURRENT_VERSION>>(
        &self,
        psk_id: &PskId,
    ) -> Result<Option<PskBundle>, StorageError> {
        self.kept(Kind::Psk, psk_id)
    }

    fn delete_psk<PskKey: traits::PskId<CURRENT_VERSION>>(
        &self,
        psk_id: &PskKey,
    ) -> Result<(), StorageError> {
        self.forget(Kind::Psk, psk_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_value_is_read_back_until_it_is_deleted_and_kinds_do_not_meet() {
        let storage = Storage::default();
        storage.keep(Kind::Psk, &1, &"one").unwrap();
        storage.keep(Kind::KeyPackage, &1, &"two").unwrap();
        storage.keep(Kind::Psk, &1, &"three").unwrap();
        assert_eq!(
            storage.kept::<String>(Kind::Psk, &1).unwrap().as_deref(),
            Some("three")
        );
        storage.forget(Kind::Psk, &1).unwrap();
        assert_eq!(storage.kept::<String>(Kind::Psk, &1).unwrap(), None);
        assert_eq!(
            storage.kept::<String>(Kind::KeyPackage, &1).unwrap().as_deref(),
            Some("two")
        );
    }

    #[test]
    fn the_buffer_of_a_secret_is_made_once_and_never_grows() {
        let value = vec![7_u8; 5_000];
        let json = secret_json(&value).unwrap();
        assert_eq!(json.capacity(), json.len());
        assert_eq!(serde_json::from_slice::<Vec<u8>>(&json).unwrap(), value);
    }
}
