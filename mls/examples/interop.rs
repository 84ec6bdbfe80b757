//! Members of a group on OpenMLS, driven over standard input and output: another implementation of MLS is tested
//! against them. One line of JSON is one request, one line the answer; messages are hexadecimal.
//!
//! The settings are those of this protocol: suite 1, handshakes as `PublicMessage`, a tree that travels beside the
//! Welcome, a PSK with every join.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use mls::openmls::group::StagedWelcome;
use mls::openmls::messages::proposals::{PreSharedKeyProposal, Proposal};
use mls::openmls::prelude::{
    BasicCredential, Capabilities, CredentialType, CredentialWithKey, KeyPackage, LeafNodeIndex, MlsGroup,
    MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    PURE_PLAINTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, ProtocolMessage, ProtocolVersion,
    RatchetTreeIn,
};
use mls::openmls::schedule::PreSharedKeyId;
use mls::openmls_traits::OpenMlsProvider as _;
use mls::openmls_traits::random::OpenMlsRand as _;
use mls::tls_codec::{Deserialize as _, Serialize as _};
use mls::{LeafSigner, Provider, SUITE};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PADDING_BYTES: usize = 256;
const PSK_NAME: &[u8] = b"room:0";

struct Peer {
    provider: Provider,
    signer: LeafSigner,
    name: String,
    group: Option<MlsGroup>,
}

impl Peer {
    fn new(name: &str, seed: u8) -> Self {
        Self {
            provider: Provider::new([seed; 32]),
            signer: LeafSigner::new(&[seed; 32]),
            name: name.to_owned(),
            group: None,
        }
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.name.as_bytes().to_vec()).into(),
            signature_key: self.signer.public().to_vec().into(),
        }
    }

    fn store_psk(&self, psk: &[u8]) -> Outcome<()> {
        PreSharedKeyId::external(PSK_NAME.to_vec(), vec![0; 32]).store(&self.provider, psk)?;
        Ok(())
    }

    fn create(&mut self) -> Outcome<()> {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .padding_size(PADDING_BYTES)
            .use_ratchet_tree_extension(false)
            .capabilities(capabilities())
            .build();
        self.group = Some(MlsGroup::new(
            &self.provider,
            &self.signer,
            &config,
            self.credential(),
        )?);
        Ok(())
    }

    fn key_package(&self) -> Outcome<Vec<u8>> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(SUITE, &self.provider, &self.signer, self.credential())?;
        let message = MlsMessageOut::from(bundle.key_package().clone());
        Ok(message.tls_serialize_detached()?)
    }

    fn join(&mut self, welcome: &[u8], tree: &[u8]) -> Outcome<()> {
        let MlsMessageBodyIn::Welcome(welcome) = MlsMessageIn::tls_deserialize_exact(welcome)?.extract()
        else {
            return Err("this is no Welcome".into());
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .padding_size(PADDING_BYTES)
            .build();
        let tree = RatchetTreeIn::tls_deserialize_exact(tree)?;
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, Some(tree))?;
        self.group = Some(staged.into_group(&self.provider)?);
        Ok(())
    }

    /// A commit that updates one's own path; with these Adds, each with the PSK, and Removes.
    fn commit(&mut self, adds: Vec<KeyPackage>, removes: Vec<LeafNodeIndex>) -> Outcome<Value> {
        let nonce = self.provider.rand().random_vec(32)?;
        let psk = PreSharedKeyProposal::new(PreSharedKeyId::external(PSK_NAME.to_vec(), nonce));
        let psk = (!adds.is_empty()).then(|| Proposal::PreSharedKey(Box::new(psk)));
        let group = self.group.as_mut().ok_or("there is no group")?;
        let bundle = group
            .commit_builder()
            .consume_proposal_store(true)
            .force_self_update(true)
            .propose_adds(adds)
            .propose_removals(removes)
            .add_proposals(psk)
            .load_psks(self.provider.storage())?
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| {
                true
            })?
            .stage_commit(&self.provider)?;
        let (commit, welcome, _) = bundle.into_messages();
        group.merge_pending_commit(&self.provider)?;
        let welcome = welcome
            .map(|welcome| welcome.tls_serialize_detached())
            .transpose()?;
        Ok(json!({
            "commit": hex(&commit.tls_serialize_detached()?),
            "welcome": welcome.map(|bytes| hex(&bytes)),
            "tree": hex(&group.export_ratchet_tree().tls_serialize_detached()?),
        }))
    }

    fn say(&mut self, text: &str) -> Outcome<Vec<u8>> {
        let group = self.group.as_mut().ok_or("there is no group")?;
        let message = group.create_message(&self.provider, &self.signer, text.as_bytes())?;
        Ok(message.tls_serialize_detached()?)
    }

    /// Merges a commit, or returns what was said.
    fn hear(&mut self, message: &[u8]) -> Outcome<Option<String>> {
        let group = self.group.as_mut().ok_or("there is no group")?;
        let message: ProtocolMessage = match MlsMessageIn::tls_deserialize_exact(message)?.extract() {
            MlsMessageBodyIn::PublicMessage(message) => message.into(),
            MlsMessageBodyIn::PrivateMessage(message) => message.into(),
            _ => return Err("this is no message of a group".into()),
        };
        match group.process_message(&self.provider, message)?.into_content() {
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit)?;
                Ok(None)
            }
            ProcessedMessageContent::ApplicationMessage(said) => {
                Ok(Some(String::from_utf8(said.into_bytes())?))
            }
            _ => Err("neither a commit nor an application message".into()),
        }
    }

    fn state(&self) -> Outcome<Value> {
        let group = self.group.as_ref().ok_or("there is no group")?;
        let exported = group.export_secret(self.provider.crypto(), "SFrame 1.0 Base Key", b"", 16)?;
        Ok(json!({
            "epoch": group.epoch().as_u64(),
            "leaf": group.own_leaf_index().u32(),
            "members": group.members().count(),
            "exported": hex(&exported),
            "authenticator": hex(group.epoch_authenticator().as_slice()),
        }))
    }
}

fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![SUITE])
        .credentials(vec![CredentialType::Basic])
        .build()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(value: &Value) -> Outcome<Vec<u8>> {
    let digits = value.as_str().ok_or("this is no text")?.as_bytes();
    let bytes = digits
        .chunks(2)
        .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
    bytes.collect()
}

fn answer(peers: &mut BTreeMap<String, Peer>, request: &Value) -> Outcome<Value> {
    let who = request["who"].as_str().ok_or("nobody is named")?;
    let seed = u8::try_from(peers.len())?.saturating_add(1);
    let peer = peers
        .entry(who.to_owned())
        .or_insert_with(|| Peer::new(who, seed));
    match request["op"].as_str().ok_or("nothing is asked")? {
        "psk" => peer.store_psk(&unhex(&request["psk"])?)?,
        "create" => peer.create()?,
        "key_package" => return Ok(json!({"key_package": hex(&peer.key_package()?)})),
        "join" => peer.join(&unhex(&request["welcome"])?, &unhex(&request["tree"])?)?,
        "add" => {
            let bytes = unhex(&request["key_package"])?;
            let MlsMessageBodyIn::KeyPackage(added) = MlsMessageIn::tls_deserialize_exact(bytes)?.extract()
            else {
                return Err("this is no KeyPackage".into());
            };
            let added = added.validate(peer.provider.crypto(), ProtocolVersion::Mls10)?;
            return peer.commit(vec![added], Vec::new());
        }
        "update" => return peer.commit(Vec::new(), Vec::new()),
        "remove" => {
            let leaf = request["leaf"].as_u64().ok_or("no leaf is named")?;
            return peer.commit(Vec::new(), vec![LeafNodeIndex::new(u32::try_from(leaf)?)]);
        }
        "say" => {
            let text = request["text"].as_str().ok_or("nothing is said")?;
            return Ok(json!({"message": hex(&peer.say(text)?)}));
        }
        "hear" => return Ok(json!({"said": peer.hear(&unhex(&request["message"])?)?})),
        "state" => return peer.state(),
        _ => return Err("this is no request".into()),
    }
    Ok(json!({}))
}

fn main() -> Outcome<()> {
    let mut peers = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = answer(&mut peers, &request).unwrap_or_else(|error| json!({"error": error.to_string()}));
        let mut output = std::io::stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}
