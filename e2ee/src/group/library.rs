//! The settings and messages of OpenMLS, as this protocol uses them.

use mls::openmls::messages::group_info::VerifiableGroupInfo;
use mls::openmls::prelude::{
    BasicCredential, Capabilities, Credential, CredentialType, CredentialWithKey, Extension, Extensions,
    ExternalSender, GroupContext, GroupId, KeyPackage, KeyPackageIn, Lifetime, MlsGroup,
    MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    PURE_PLAINTEXT_WIRE_FORMAT_POLICY, PreSharedKeyProposal, ProtocolMessage, ProtocolVersion, RatchetTreeIn,
    SenderRatchetConfiguration, Welcome,
};
use mls::openmls::schedule::PreSharedKeyId;
use mls::openmls_traits::OpenMlsProvider as _;
use mls::openmls_traits::random::OpenMlsRand as _;
use mls::tls_codec::{Deserialize as _, Serialize as _};
use mls::{LeafSigner, Provider, SUITE};
use protocol::group::RefusalReason;
use protocol::group::frame::Digest;
use sha2::{Digest as _, Sha256};

use crate::identity::MemberId;
use crate::secret::Psk;

/// Application messages are padded to a multiple of this many bytes.
const PADDING_BYTES: usize = 256;

/// Epochs whose application messages still open: as many as media keys are kept for.
const PAST_EPOCHS: usize = super::epochs::EPOCHS_MAX;

/// Application messages of one sender that may be missing before one that opens: none are lost on a WebSocket but
/// those that a server withholds.
const FORWARD_MAX: u32 = 1_000;

/// How far messages of one sender may be out of order.
const OUT_OF_ORDER_MAX: u32 = 16;

/// How long a KeyPackage holds, in seconds: a newcomer is added at once or not at all, and clocks differ by days.
const KEY_PACKAGE_LIFE_SECONDS: u64 = 30 * 24 * 60 * 60;

/// How far the clock of another member may be behind, in seconds. It and the life make 60 days, below the 90 that the
/// policy allows.
const CLOCK_SKEW_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Longest lifetime of a leaf that is taken, in seconds.
pub(super) const LIFETIME_SECONDS_MAX: u64 = 90 * 24 * 60 * 60;

pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(PAST_EPOCHS)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX))
        .build()
}

pub(super) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .credentials(vec![CredentialType::Basic])
        .build()
}

pub(super) fn credential(member: MemberId, signer: &LeafSigner) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(member.as_bytes().to_vec()).into(),
        signature_key: signer.public().to_vec().into(),
    }
}

/// The member id in a credential.
pub(super) fn member_of(credential: &Credential) -> Result<MemberId, RefusalReason> {
    if credential.credential_type() != CredentialType::Basic {
        return Err(RefusalReason::BadCredential);
    }
    let basic = BasicCredential::try_from(credential.clone()).map_err(|_| RefusalReason::BadCredential)?;
    let id = basic
        .identity()
        .try_into()
        .map_err(|_| RefusalReason::BadCredential)?;
    Ok(MemberId::new(id))
}

/// A group of one, whose leaf has a path of its own already: a leaf that still stands as in its KeyPackage is refused
/// by those whose clock differs.
pub(super) fn create(
    provider: &Provider,
    signer: &LeafSigner,
    member: MemberId,
    external_sender: &[u8; 32],
    unix_seconds: u64,
) -> Option<MlsGroup> {
    let group_id = provider.rand().random_vec(16).ok()?;
    let server = BasicCredential::new(b"delivery".to_vec());
    let sender = ExternalSender::new(external_sender.to_vec().into(), server.into());
    let extensions = Extensions::<GroupContext>::single(Extension::ExternalSenders(vec![sender])).ok()?;
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(PAST_EPOCHS)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX))
        .lifetime(lifetime(unix_seconds))
        .capabilities(capabilities())
        .with_group_context_extensions(extensions)
        .build();
    let id = GroupId::from_slice(&group_id);
    let credential = credential(member, signer);
    let mut group = MlsGroup::new_with_group_id(provider, signer, &config, id, credential).ok()?;
    group
        .commit_builder()
        .force_self_update(true)
        .load_psks(provider.storage())
        .ok()?
        .build(provider.rand(), provider.crypto(), signer, |_| true)
        .ok()?
        .stage_commit(provider)
        .ok()?;
    group.merge_pending_commit(provider).ok()?;
    Some(group)
}

fn lifetime(unix_seconds: u64) -> Lifetime {
    Lifetime::init(
        unix_seconds.saturating_sub(CLOCK_SKEW_SECONDS),
        unix_seconds.saturating_add(KEY_PACKAGE_LIFE_SECONDS),
    )
}

/// A KeyPackage, as `MLSMessage`. Its private half stays in the provider.
pub(super) fn key_package(
    provider: &Provider,
    signer: &LeafSigner,
    member: MemberId,
    unix_seconds: u64,
) -> Option<Vec<u8>> {
    let bundle = KeyPackage::builder()
        .key_package_lifetime(lifetime(unix_seconds))
        .leaf_node_capabilities(capabilities())
        .build(SUITE, provider, signer, credential(member, signer))
        .ok()?;
    to_bytes(bundle.key_package().clone())
}

/// The bytes of a KeyPackage, as `MLSMessage`.
pub(super) fn to_bytes(message: impl Into<MlsMessageOut>) -> Option<Vec<u8>> {
    message.into().tls_serialize_detached().ok()
}

/// The first 16 bytes of SHA-256, by which frames name commits and epochs.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

/// The digest of the confirmation tag of the epoch that a group is in.
pub(super) fn tag(group: &MlsGroup) -> Digest {
    // A tag that was computed can be written.
    digest(
        &group
            .confirmation_tag()
            .tls_serialize_detached()
            .unwrap_or_default(),
    )
}

/// Reads and checks a KeyPackage, as `MLSMessage`.
pub(super) fn read_key_package(provider: &Provider, bytes: &[u8]) -> Option<KeyPackage> {
    match body(bytes)? {
        MlsMessageBodyIn::KeyPackage(key_package) => {
            let key_package: KeyPackageIn = key_package;
            key_package
                .validate(provider.crypto(), ProtocolVersion::Mls10)
                .ok()
        }
        _ => None,
    }
}

fn body(mut bytes: &[u8]) -> Option<MlsMessageBodyIn> {
    let message = MlsMessageIn::tls_deserialize(&mut bytes).ok()?;
    bytes.is_empty().then(|| message.extract())
}

pub(super) fn read_group_info(bytes: &[u8]) -> Option<VerifiableGroupInfo> {
    match body(bytes)? {
        MlsMessageBodyIn::GroupInfo(group_info) => Some(group_info),
        _ => None,
    }
}

pub(super) fn read_welcome(bytes: &[u8]) -> Option<Welcome> {
    match body(bytes)? {
        MlsMessageBodyIn::Welcome(welcome) => Some(welcome),
        _ => None,
    }
}

pub(super) fn read_tree(mut bytes: &[u8]) -> Option<RatchetTreeIn> {
    let tree = RatchetTreeIn::tls_deserialize(&mut bytes).ok()?;
    bytes.is_empty().then_some(tree)
}

/// A handshake message, which is a `PublicMessage`.
pub(super) fn read_public(bytes: &[u8]) -> Option<ProtocolMessage> {
    match body(bytes)? {
        MlsMessageBodyIn::PublicMessage(message) => Some(message.into()),
        _ => None,
    }
}

/// An application message, which is a `PrivateMessage`.
pub(super) fn read_private(bytes: &[u8]) -> Option<ProtocolMessage> {
    match body(bytes)? {
        MlsMessageBodyIn::PrivateMessage(message) => Some(message.into()),
        _ => None,
    }
}

fn psk_name(generation: u16) -> Vec<u8> {
    format!("room:{generation}").into_bytes()
}

/// Puts the PSK of a generation where OpenMLS finds it.
pub(super) fn store_psk(provider: &Provider, generation: u16, psk: &Psk) -> Option<()> {
    let id = PreSharedKeyId::external(psk_name(generation), vec![0; 32]);
    id.store(provider, psk.as_bytes()).ok()
}

/// A proposal to mix in the PSK of a generation, with a nonce of its own.
pub(super) fn psk_proposal(provider: &Provider, generation: u16) -> Option<PreSharedKeyProposal> {
    let nonce = provider.rand().random_vec(32).ok()?;
    Some(PreSharedKeyProposal::new(PreSharedKeyId::external(
        psk_name(generation),
        nonce,
    )))
}

/// Whether this is the room's PSK of this generation: `psktype u8 (1) ‖ psk_id<V> ‖ psk_nonce<V>` (RFC 9420,
/// section 8.4). Our names are shorter than 64 bytes, so their length is one byte.
pub(super) fn is_room_psk(serialized: &[u8], generation: u16) -> bool {
    let name = psk_name(generation);
    let mut start = vec![1, u8::try_from(name.len()).unwrap_or(u8::MAX)];
    start.extend_from_slice(&name);
    serialized.starts_with(&start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_psk_is_told_from_others_by_its_whole_name() {
        let provider = Provider::new([1; 32]);
        let bytes = |generation| {
            psk_proposal(&provider, generation)
                .unwrap()
                .tls_serialize_detached()
                .unwrap()
        };
        assert!(is_room_psk(&bytes(7), 7));
        assert!(!is_room_psk(&bytes(7), 70));
        assert!(!is_room_psk(&bytes(70), 7));
        assert!(!is_room_psk(&[], 7));
    }

    #[test]
    fn a_group_of_one_begins_in_epoch_one_with_the_server_as_its_only_external_sender() {
        let provider = Provider::new([1; 32]);
        let signer = LeafSigner::new(&[2; 32]);
        let group = create(
            &provider,
            &signer,
            MemberId::new([3; 16]),
            &[4; 32],
            1_800_000_000,
        )
        .unwrap();
        assert_eq!(group.epoch().as_u64(), 1);
        assert_eq!(group.extensions().external_senders().map(Vec::len), Some(1));
    }
}
