//! The vectors in `vectors/`, which the browser client reads too.
//!
//! Those of RFC 9605 are read; ours are made from fixed inputs and compared
//! with the files, so neither side can drift. To write them anew:
//! `UNDERTONE_WRITE_VECTORS=1 cargo test -p e2ee vectors`.

use std::path::Path;

use serde_json::{Value, json};
use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

use crate::codec::Codec;
use crate::fragment::{Fragment, FragmentError};
use crate::frame::{Opener, Sealer};
use crate::header::Header;
use crate::identity::{Leaf, TrackNumber};
use crate::key_id::KeyId;
use crate::prefix::{Layer, Prefix};
use crate::secret::{BaseKey, Link, RoomSecret};

const LINK: [u8; 16] = *b"a link of 16 B..";
/// What the frames of `frames.json` are sealed under.
const BASE_KEY: [u8; 16] = 0xdd57_d0bf_889a_8f82_7bca_e29a_1aca_a044_u128.to_be_bytes();
const PASSWORD: &str = "cafe\u{301} \u{1f980}";

#[test]
fn rfc_9605_headers_are_met() {
    let file = read("rfc9605_headers.json");
    let headers = file["headers"].as_array().unwrap();
    assert_eq!(headers.len(), 289);
    for header in headers {
        let key_id = u64::from_str_radix(header[0].as_str().unwrap(), 16).unwrap();
        let counter = u64::from_str_radix(header[1].as_str().unwrap(), 16).unwrap();
        let encoded = unhex(&header[2]);
        assert_eq!(Header::encode(key_id, counter), encoded);
        assert_eq!(
            Header::parse(&encoded),
            Some(Header {
                key_id,
                counter,
                length: encoded.len()
            })
        );
    }
}

#[test]
fn rfc_9605_frames_of_suites_4_and_5_are_met() {
    let file = read("rfc9605_frames.json");
    for frame in file["frames"].as_array().unwrap() {
        let suite = match frame["suite"].as_u64().unwrap() {
            4 => CipherSuite::AesGcm128Sha256,
            _ => CipherSuite::AesGcm256Sha512,
        };
        let number = |name: &str| u64::from_str_radix(frame[name].as_str().unwrap(), 16).unwrap();
        let (key_id, base_key) = (number("key_id"), unhex(&frame["base_key"]));
        let (metadata, plaintext) = (unhex(&frame["metadata"]), unhex(&frame["plaintext"]));
        let sealing = EncryptionKey::derive_from(suite, key_id, &base_key).unwrap();
        let opening = DecryptionKey::derive_from(suite, key_id, &base_key).unwrap();
        let mut counter = MonotonicCounter::with_start_value(number("counter"), u64::MAX);

        let mut wire = Vec::new();
        MediaFrameView::try_with_meta_data(&mut counter, &plaintext, &metadata)
            .unwrap()
            .encrypt_into(&sealing, &mut wire)
            .unwrap();
        assert_eq!(wire, [metadata.clone(), unhex(&frame["frame"])].concat());

        let mut buffer = Vec::new();
        let opened = EncryptedFrameView::try_with_meta_data(&wire[metadata.len()..], &metadata)
            .unwrap()
            .decrypt_into(&opening, &mut buffer)
            .unwrap();
        assert_eq!(opened.payload(), plaintext);
    }
}

#[test]
fn fragment_vectors_are_current() {
    let fragment = |password, lobby, generation| Fragment {
        password,
        lobby,
        generation,
        link: Link::new(LINK),
        owner: *b"hash of an owner",
    };
    let valid: Vec<Value> = [(false, false, 0), (true, false, 1), (true, true, 0xffff)]
        .into_iter()
        .map(|(password, lobby, generation)| {
            let fragment = fragment(password, lobby, generation);
            json!({
                "text": fragment.to_text().as_str(), "password": password, "lobby": lobby,
                "generation": generation, "link": hex(fragment.link.as_bytes()), "owner": hex(&fragment.owner),
            })
        })
        .collect();
    let text = fragment(false, false, 0).to_text().to_string();
    let refused: Vec<Value> = [
        String::new(),
        text[..47].to_owned(),
        text[..44].to_owned(),
        format!("{text}AAAA"),
        format!("{}=", &text[..47]),
        format!("{}+", &text[..47]),
        format!("Ag{}", &text[2..]),
        format!("AQQ{}", &text[3..]),
    ]
    .into_iter()
    .map(|text| {
        let problem = match Fragment::parse(&text).unwrap_err() {
            FragmentError::Malformed => "malformed",
            FragmentError::VersionUnsupported => "version_unsupported",
        };
        json!({ "text": text, "problem": problem })
    })
    .collect();
    check("fragments.json", &json!({ "valid": valid, "refused": refused }));
}

#[test]
fn secret_vectors_are_current() {
    let rooms: Vec<Value> = [None, Some("correct horse"), Some(PASSWORD)]
        .into_iter()
        .map(|password| {
            let secret = secret(password);
            let generations: Vec<Value> = [0, 1, 0xffff]
                .into_iter()
                .map(|generation| {
                    json!({
                        "generation": generation,
                        "psk": hex(secret.psk(generation).as_bytes()),
                        "mailbox": hex(secret.mailbox(generation).as_bytes()),
                    })
                })
                .collect();
            json!({
                "link": hex(&LINK), "password": password, "room_secret": hex(secret.reveal()),
                "gate": hex(secret.gate().as_bytes()), "gate_hash": hex(&secret.gate().hash()),
                "generations": generations,
            })
        })
        .collect();
    check("secrets.json", &json!({ "rooms": rooms }));
}

#[test]
fn key_id_vectors_are_current() {
    let key_ids: Vec<Value> = [
        (0, 0, 0),
        (0, 1, 0),
        (1, 3, 0),
        (1, 1_023, 255),
        (63, 1_023, 255),
        (63, 0, 1),
    ]
    .into_iter()
    .map(|(track, leaf, epoch)| {
        let number = key_id(track, leaf, epoch).number();
        json!({ "track": track, "leaf": leaf, "epoch": epoch, "number": number })
    })
    .collect();
    check(
        "key_ids.json",
        &json!({ "key_ids": key_ids, "refused": [0x100_0000u64, 0x1_0000_0000u64] }),
    );
}

#[test]
fn frame_vectors_are_current() {
    let base_key = BaseKey::new(BASE_KEY);
    let mut sealer = Sealer::new(&base_key, key_id(1, 3, 0)).unwrap();
    let mut opener = Opener::default();
    opener.insert(&base_key, key_id(1, 3, 0)).unwrap();
    let frames: Vec<Value> = frame_samples()
        .into_iter()
        .enumerate()
        .map(|(counter, (media_type, codec, layer, plaintext))| {
            let prefix = Prefix::of_frame(codec, plaintext, layer).unwrap();
            let mut frame = Vec::new();
            sealer.seal(&prefix, plaintext, &mut frame).unwrap();
            let received = as_received(codec, prefix.as_bytes(), &frame);
            let mut buffer = Vec::new();
            let opened = opener.open(codec, &received, &mut buffer).unwrap();
            assert_eq!((opened.plaintext, opened.counter), (plaintext, counter as u64));
            json!({
                "media_type": media_type, "temporal": layer.temporal, "spatial": layer.spatial,
                "counter": counter, "plaintext": hex(plaintext), "is_key_frame": opened.is_key_frame,
                "prefix": hex(prefix.as_bytes()), "frame": hex(&frame), "received": hex(&received),
            })
        })
        .collect();
    check(
        "frames.json",
        &json!({ "base_key": hex(&BASE_KEY), "track": 1, "leaf": 3, "epoch": 0, "frames": frames }),
    );
}

/// A frame of each codec and prefix: media type, codec, layer and plaintext.
fn frame_samples() -> [(&'static str, Codec, Layer, &'static [u8]); 9] {
    let vp8_key: &[u8] = &[
        0x50, 0x2f, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x81, 0xaa, 0xbb,
    ];
    let top = Layer {
        temporal: 2,
        spatial: 1,
    };
    [
        (
            "audio/opus",
            Codec::Opus,
            Layer::default(),
            b"twenty milliseconds",
        ),
        ("video/VP8", Codec::Vp8, Layer::default(), vp8_key),
        ("video/VP8", Codec::Vp8, Layer::default(), &[0xd1, 1, 2, 3]),
        (
            "video/VP9",
            Codec::Vp9,
            Layer::default(),
            &[0x82, 0x49, 0x83, 0x42, 0],
        ),
        ("video/VP9", Codec::Vp9, top, &[0x86, 0]),
        (
            "video/AV1",
            Codec::Av1,
            Layer::default(),
            &[0x12, 0, 0x0a, 1, 0, 0x32, 0],
        ),
        ("video/AV1", Codec::Av1, Layer::default(), &[0x12, 0, 0x32, 1, 9]),
        ("video/AV1", Codec::Av1, top, &[0x36, 0x48, 1, 9]),
        (
            "video/AV1",
            Codec::Av1,
            Layer {
                temporal: 0,
                spatial: 1,
            },
            &[0x0a, 1, 0, 0x32, 0],
        ),
    ]
}

/// AV1 depacketizers write the unit's size into its header; others change nothing.
fn as_received(codec: Codec, prefix: &[u8], frame: &[u8]) -> Vec<u8> {
    if codec != Codec::Av1 {
        return frame.to_vec();
    }
    let rest = &frame[prefix.len()..];
    let size = u8::try_from(rest.len()).unwrap();
    assert!(size < 0x80, "one byte of leb128");
    [&[prefix[0] | 0x02], &prefix[1..], &[size], rest].concat()
}

fn secret(password: Option<&str>) -> RoomSecret {
    let link = Link::new(LINK);
    match password {
        None => RoomSecret::from_link(&link),
        Some(password) => RoomSecret::from_link_and_password(&link, password),
    }
}

fn leaf(number: u16) -> Leaf {
    Leaf::new(number).unwrap()
}

fn key_id(track: u8, number: u16, epoch: u8) -> KeyId {
    KeyId {
        leaf: leaf(number),
        track: TrackNumber::new(track).unwrap(),
        epoch,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name)
}

fn read(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn check(name: &str, made: &Value) {
    let text = serde_json::to_string_pretty(made).unwrap() + "\n";
    if std::env::var_os("UNDERTONE_WRITE_VECTORS").is_some() {
        std::fs::write(path(name), &text).unwrap();
    }
    let kept = std::fs::read_to_string(path(name)).unwrap_or_default();
    assert!(kept == text, "{name} is stale; see the head of this file");
}
