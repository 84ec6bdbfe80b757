//! Somebody who speaks MLS without our policy: what a malicious server, or a member that breaks the rules, can make.

use mls::openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, CredentialWithKey, ExternalProposal, GroupId,
    JoinProposal, KeyPackage, LeafNodeIndex, LeafNodeParameters, MlsGroup, MlsGroupJoinConfig,
    MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, PURE_PLAINTEXT_WIRE_FORMAT_POLICY, PreSharedKeyProposal,
    ProtocolVersion, RatchetTreeIn,
};
use mls::openmls::schedule::PreSharedKeyId;
use mls::openmls_traits::OpenMlsProvider as _;
use mls::openmls_traits::random::OpenMlsRand as _;
use mls::tls_codec::{Deserialize as _, Serialize as _};
use mls::{LeafSigner, Provider, SUITE};
use protocol::group::{ClientFrame, CommitData, ServerFrame};
use sha2::{Digest as _, Sha256};

use e2ee::secret::{Psk, RoomSecret};

/// A commit, and what goes with it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The commit.
    pub commit: Vec<u8>,
    /// The Welcome, where somebody was added.
    pub welcome: Vec<u8>,
}

/// One who speaks MLS without rules.
pub struct Ghost {
    provider: Provider,
    signer: LeafSigner,
    id: [u8; 16],
    /// Its group, once it has one.
    pub group: Option<MlsGroup>,
}

fn bytes(message: impl Into<MlsMessageOut>) -> Vec<u8> {
    message
        .into()
        .tls_serialize_detached()
        .expect("a message that was made can be written")
}

fn body(mut bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize(&mut bytes)
        .expect("an MLS message")
        .extract()
}

fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .credentials(vec![CredentialType::Basic])
        .build()
}

fn config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(false)
        .build()
}

/// What names a commit or a GroupInfo in `CONFIRMED`.
pub fn digest(bytes: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

impl Ghost {
    /// Somebody new.
    pub fn new(number: u8) -> Self {
        Self {
            provider: Provider::new([number; 32]),
            signer: LeafSigner::new(&[number; 32]),
            id: [number; 16],
            group: None,
        }
    }

    /// Takes another member id, with the same signature key.
    pub fn rename(&mut self, number: u8) {
        self.id = [number; 16];
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.id.to_vec()).into(),
            signature_key: self.signer.public().to_vec().into(),
        }
    }

    /// An external commit into the group of a `GROUP_INFO`, with the PSK of this generation or without one.
    pub fn external_commit(&mut self, served: &ServerFrame, psk: Option<(u16, &RoomSecret)>) -> Made {
        let ServerFrame::GroupInfo { group_info, tree, .. } = served else {
            panic!("no GROUP_INFO");
        };
        let MlsMessageBodyIn::GroupInfo(group_info) = body(group_info) else {
            panic!("no GroupInfo");
        };
        let tree = RatchetTreeIn::tls_deserialize(&mut tree.as_slice()).expect("a tree");
        let mut builder = MlsGroup::external_commit_builder()
            .with_ratchet_tree(tree)
            .with_config(config())
            .with_aad(CommitData::Plain.encode())
            .build_group(&self.provider, group_info, self.credential())
            .expect("a group to come into");
        if let Some((generation, secret)) = psk {
            builder = builder.add_psk_proposal(self.psk(generation, &secret.psk(generation)));
        }
        let (group, bundle) = builder
            .leaf_node_parameters(
                LeafNodeParameters::builder()
                    .with_capabilities(capabilities())
                    .build(),
            )
            .load_psks(self.provider.storage())
            .expect("the PSK")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .expect("a commit")
            .finalize(&self.provider)
            .expect("a group");
        self.group = Some(group);
        Made {
            commit: bytes(bundle.into_commit()),
            welcome: Vec::new(),
        }
    }

    fn psk(&self, generation: u16, psk: &Psk) -> PreSharedKeyProposal {
        let name = format!("room:{generation}").into_bytes();
        let nonce = self.provider.rand().random_vec(32).expect("random bytes");
        let id = PreSharedKeyId::external(name, nonce);
        id.store(&self.provider, psk.as_bytes()).expect("memory takes it");
        PreSharedKeyProposal::new(id)
    }

    /// A commit of a member that removes a leaf, and says this of itself.
    pub fn remove(&mut self, leaf: u32, data: &CommitData) -> Made {
        let group = self.group.as_mut().expect("a group");
        group.set_aad(data.encode());
        let bundle = group
            .commit_builder()
            .propose_removals([LeafNodeIndex::new(leaf)])
            .load_psks(self.provider.storage())
            .expect("no PSK")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("a commit");
        Made {
            commit: bytes(bundle.into_commit()),
            welcome: Vec::new(),
        }
    }

    /// A group of one's own, with these external senders' worth of settings as a real one has.
    pub fn create(&mut self, external_sender: &[u8; 32]) {
        use mls::openmls::prelude::{
            Extension, Extensions, ExternalSender, GroupContext, MlsGroupCreateConfig,
        };
        let server = BasicCredential::new(b"delivery".to_vec());
        let sender = ExternalSender::new(external_sender.to_vec().into(), server.into());
        let extensions = Extensions::<GroupContext>::single(Extension::ExternalSenders(vec![sender]));
        let settings = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(false)
            .capabilities(capabilities())
            .with_group_context_extensions(extensions.expect("one extension"))
            .build();
        let id = GroupId::from_slice(&self.id);
        let group =
            MlsGroup::new_with_group_id(&self.provider, &self.signer, &settings, id, self.credential());
        self.group = Some(group.expect("a group"));
    }

    /// One's own group as a server would serve it.
    pub fn serve(&self) -> ServerFrame {
        let group = self.group.as_ref().expect("a group");
        let group_info = group.export_group_info(self.provider.crypto(), &self.signer, false);
        ServerFrame::GroupInfo {
            epoch: group.epoch().as_u64(),
            group_info: bytes(group_info.expect("a GroupInfo")),
            tree: group
                .export_ratchet_tree()
                .tls_serialize_detached()
                .expect("a tree"),
        }
    }

    /// Adds who said `ENTER` to one's own group, without a PSK, and welcomes it.
    pub fn welcome(&mut self, enter: &ClientFrame) -> ServerFrame {
        let ClientFrame::Enter { key_package, .. } = enter else {
            panic!("no ENTER");
        };
        let MlsMessageBodyIn::KeyPackage(key_package) = body(&key_package.key_package) else {
            panic!("no KeyPackage");
        };
        let key_package = key_package.validate(self.provider.crypto(), ProtocolVersion::Mls10);
        let group = self.group.as_mut().expect("a group");
        let bundle = group
            .commit_builder()
            .propose_adds([key_package.expect("a KeyPackage")])
            .load_psks(self.provider.storage())
            .expect("no PSK")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("a commit");
        let (_, welcome, _) = bundle.into_messages();
        group
            .merge_pending_commit(&self.provider)
            .expect("one's own commit");
        ServerFrame::Welcome {
            epoch: group.epoch().as_u64(),
            welcome: bytes(welcome.expect("a Welcome")),
            tree: group
                .export_ratchet_tree()
                .tls_serialize_detached()
                .expect("a tree"),
        }
    }

    /// A proposal from outside to add oneself to the group of a `GROUP_INFO`.
    pub fn external_add(&self, served: &ServerFrame) -> Vec<u8> {
        let ServerFrame::GroupInfo { group_info, .. } = served else {
            panic!("no GROUP_INFO");
        };
        let MlsMessageBodyIn::GroupInfo(group_info) = body(group_info) else {
            panic!("no GroupInfo");
        };
        let key_package = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(SUITE, &self.provider, &self.signer, self.credential())
            .expect("a KeyPackage");
        let proposal: MlsMessageOut =
            JoinProposal::new::<<Provider as mls::openmls_traits::OpenMlsProvider>::StorageProvider>(
                key_package.key_package().clone(),
                group_info.group_id().clone(),
                group_info.epoch(),
                &self.signer,
            )
            .expect("a proposal");
        bytes(proposal)
    }

    /// A Remove that pretends to be the server's, signed with another key.
    pub fn forged_remove(&self, served: &ServerFrame, leaf: u32) -> Vec<u8> {
        let ServerFrame::GroupInfo { group_info, .. } = served else {
            panic!("no GROUP_INFO");
        };
        let MlsMessageBodyIn::GroupInfo(group_info) = body(group_info) else {
            panic!("no GroupInfo");
        };
        let proposal = ExternalProposal::new_remove::<Provider>(
            LeafNodeIndex::new(leaf),
            group_info.group_id().clone(),
            group_info.epoch(),
            &self.signer,
            mls::openmls::prelude::SenderExtensionIndex::new(0),
        );
        bytes(proposal.expect("a proposal"))
    }
}
