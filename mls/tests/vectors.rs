//! The test vectors of the MLS working group that a client's surface covers, for the one suite that we use: whole
//! clients that only listen, and the basic operations that everything stands on.
//!
//! `vectors/` holds those of suite 1 of the working group's `mls-implementations`, `test-vectors/`; of the long random one, the first 50 of 200 epochs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use mls::openmls::prelude::{
    HpkePrivateKey, KeyPackage, KeyPackageVerifyError, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup,
    MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage,
    ProtocolVersion, RatchetTreeIn, SenderRatchetConfiguration, StagedWelcome,
};
use mls::openmls::prelude::{KeyPackageBundle, Welcome};
use mls::openmls::schedule::PreSharedKeyId;
use mls::openmls_traits::OpenMlsProvider as _;
use mls::openmls_traits::crypto::OpenMlsCrypto as _;
use mls::openmls_traits::storage::StorageProvider as _;
use mls::openmls_traits::types::{
    HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType, SignatureScheme,
};
use mls::tls_codec::Deserialize as _;
use mls::{Crypto, Provider, SUITE};
use serde_json::{Value, json};

fn read(name: &str) -> Vec<Value> {
    let path = format!("{}/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(!cases.is_empty());
    for case in &cases {
        assert_eq!(case["cipher_suite"], u16::from(SUITE));
    }
    cases
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn message(value: &Value) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(hex(value)).unwrap().extract()
}

/// A client that is given its keys, joins by a Welcome and follows all commits.
struct Passive {
    provider: Provider,
    group: MlsGroup,
}

impl Passive {
    fn join(case: &Value) -> Self {
        let provider = Provider::new([0; 32]);
        for psk in case["external_psks"].as_array().unwrap() {
            let id = PreSharedKeyId::external(hex(&psk["psk_id"]), vec![0; 32]);
            id.store(&provider, &hex(&psk["psk"])).unwrap();
        }
        let key_package = key_package(&provider, &case["key_package"]);
        let private = |name: &str| HpkePrivateKey::from(hex(&case[name]));
        let bundle: KeyPackageBundle = serde_json::from_value(json!({
            "key_package": key_package,
            "private_init_key": private("init_priv"),
            "private_encryption_key": { "key": private("encryption_priv") },
        }))
        .unwrap();
        let reference = key_package.hash_ref(provider.crypto()).unwrap();
        provider.storage().write_key_package(&reference, &bundle).unwrap();
        let tree = case["ratchet_tree"]
            .is_string()
            .then(|| RatchetTreeIn::tls_deserialize_exact(hex(&case["ratchet_tree"])).unwrap());
        let MlsMessageBodyIn::Welcome(welcome) = message(&case["welcome"]) else {
            panic!("no Welcome");
        };
        let group = staged(&provider, welcome, tree).into_group(&provider).unwrap();
        Self { provider, group }
    }

    fn hear(&mut self, value: &Value) {
        let message: ProtocolMessage = match message(value) {
            MlsMessageBodyIn::PublicMessage(message) => message.into(),
            MlsMessageBodyIn::PrivateMessage(message) => message.into(),
            _ => panic!("no handshake message"),
        };
        let processed = self.group.process_message(&self.provider, message).unwrap();
        match processed.into_content() {
            ProcessedMessageContent::ProposalMessage(proposal) => {
                self.group
                    .store_pending_proposal(self.provider.storage(), *proposal)
                    .unwrap();
            }
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                self.group.merge_staged_commit(&self.provider, *commit).unwrap();
            }
            _ => panic!("neither a proposal nor a commit"),
        }
    }
}

fn key_package(provider: &Provider, value: &Value) -> KeyPackage {
    let MlsMessageBodyIn::KeyPackage(key_package) = message(value) else {
        panic!("no KeyPackage");
    };
    match key_package
        .clone()
        .validate(provider.crypto(), ProtocolVersion::Mls10)
    {
        Ok(key_package) => key_package,
        // Some vectors are older than the lifetime of their leaves. Everything else about them holds.
        Err(KeyPackageVerifyError::LifetimeError(_)) => {
            serde_json::from_value(serde_json::to_value(&key_package).unwrap()).unwrap()
        }
        Err(error) => panic!("{error}"),
    }
}

fn staged(provider: &Provider, welcome: Welcome, tree: Option<RatchetTreeIn>) -> StagedWelcome {
    let config = MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .number_of_resumption_psks(16)
        .sender_ratchet_configuration(SenderRatchetConfiguration::default())
        .build();
    let mut builder = StagedWelcome::build_from_welcome(provider, &config, welcome).unwrap();
    if let Some(tree) = tree {
        builder = builder.with_ratchet_tree(tree);
    }
    builder.skip_lifetime_validation().build().unwrap()
}

fn follow(name: &str) {
    for (number, case) in read(name).iter().enumerate() {
        let mut client = Passive::join(case);
        assert_eq!(
            client.group.epoch_authenticator().as_slice(),
            hex(&case["initial_epoch_authenticator"]),
            "{name}, case {number}: the first epoch"
        );
        for (step, epoch) in case["epochs"].as_array().unwrap().iter().enumerate() {
            for proposal in epoch["proposals"].as_array().unwrap() {
                client.hear(proposal);
            }
            client.hear(&epoch["commit"]);
            assert_eq!(
                client.group.epoch_authenticator().as_slice(),
                hex(&epoch["epoch_authenticator"]),
                "{name}, case {number}: after commit {step}"
            );
        }
    }
}

#[test]
fn a_client_that_was_welcomed_is_in_the_epoch_of_the_others() {
    follow("passive_client_welcome.json");
}

#[test]
fn a_client_follows_commits_of_every_kind() {
    follow("passive_client_handling_commit.json");
}

#[test]
fn a_client_follows_fifty_random_epochs() {
    follow("passive_client_random.json");
}

/// The structs that labels are put in (RFC 9420, sections 5.1.2, 5.1.3, 5.2 and 8): our crypto provider sees what is
/// inside only.
fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    [vector(format!("MLS 1.0 {label}").as_bytes()), vector(content)].concat()
}

fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let head = match length {
        0..64 => vec![u8::try_from(length).unwrap()],
        _ => (0x4000 | length).to_be_bytes().to_vec(),
    };
    [head, bytes.to_vec()].concat()
}

fn expand_with_label(crypto: &Crypto, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
    let info = [
        &u16::try_from(length).unwrap().to_be_bytes()[..],
        &labelled(label, context),
    ]
    .concat();
    let expanded = crypto
        .hkdf_expand(HashType::Sha2_256, secret, &info, length)
        .unwrap();
    expanded.as_slice().to_vec()
}

#[test]
fn the_basic_operations_are_those_of_the_standard() {
    let provider = Provider::new([0; 32]);
    let crypto = provider.crypto();
    for case in read("crypto_basics.json") {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();

        let one = &case["ref_hash"];
        let input = [
            vector(text(&one["label"]).as_bytes()),
            vector(&hex(&one["value"])),
        ]
        .concat();
        assert_eq!(crypto.hash(HashType::Sha2_256, &input).unwrap(), hex(&one["out"]));

        let one = &case["expand_with_label"];
        let (secret, context, length) = (hex(&one["secret"]), hex(&one["context"]), number(&one["length"]));
        let expanded = expand_with_label(crypto, &secret, &text(&one["label"]), &context, length);
        assert_eq!(expanded, hex(&one["out"]));

        let one = &case["derive_secret"];
        let derived = expand_with_label(crypto, &hex(&one["secret"]), &text(&one["label"]), &[], 32);
        assert_eq!(derived, hex(&one["out"]));

        let one = &case["derive_tree_secret"];
        let generation = u32::try_from(number(&one["generation"])).unwrap().to_be_bytes();
        let length = number(&one["length"]);
        let derived = expand_with_label(
            crypto,
            &hex(&one["secret"]),
            &text(&one["label"]),
            &generation,
            length,
        );
        assert_eq!(derived, hex(&one["out"]));

        let one = &case["sign_with_label"];
        let content = labelled(&text(&one["label"]), &hex(&one["content"]));
        let (private, public) = (hex(&one["priv"]), hex(&one["pub"]));
        let verify = |signature: &[u8]| {
            crypto.verify_signature(SignatureScheme::ED25519, &content, &public, signature)
        };
        verify(&hex(&one["signature"])).unwrap();
        verify(&crypto.sign(SignatureScheme::ED25519, &content, &private).unwrap()).unwrap();
        verify(&[0; 64]).unwrap_err();

        let one = &case["encrypt_with_label"];
        let info = labelled(&text(&one["label"]), &hex(&one["context"]));
        let sealed = HpkeCiphertext {
            kem_output: hex(&one["kem_output"]).into(),
            ciphertext: hex(&one["ciphertext"]).into(),
        };
        let open = |sealed: &HpkeCiphertext| crypto.hpke_open(hpke(), sealed, &hex(&one["priv"]), &info, &[]);
        assert_eq!(open(&sealed).unwrap(), hex(&one["plaintext"]));
        let again = crypto.hpke_seal(hpke(), &hex(&one["pub"]), &info, &[], &hex(&one["plaintext"]));
        assert_eq!(open(&again.unwrap()).unwrap(), hex(&one["plaintext"]));
    }
}

const fn hpke() -> HpkeConfig {
    HpkeConfig(
        HpkeKemType::DhKem25519,
        HpkeKdfType::HkdfSha256,
        HpkeAeadType::AesGcm128,
    )
}
