//! Reads the golden messages that TypeScript reads too; `fixtures/README.md` describes their layout.

use std::collections::BTreeSet;

use protocol::client::{ClientMessage, ErrorCode, ServerMessage};
use protocol::decode::{DecodeError, Reason};
use serde::Deserialize;

/// A text, or pieces of it with the number of times that each stands there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Pieces(Vec<(String, usize)>),
}

impl Text {
    fn text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Pieces(pieces) => pieces.iter().map(|(piece, count)| piece.repeat(*count)).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Valid {
    name: String,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    name: String,
    text: Text,
    reason: String,
    field: Option<String>,
}

#[test]
fn every_valid_client_message_survives_a_round_trip() {
    let mut kinds = BTreeSet::new();
    for Valid { name, text } in read::<Valid>("client-valid") {
        let message = ClientMessage::decode(text.text().as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
        kinds.insert(message.kind());
        assert_eq!(message.encode(), text.text(), "{name}");
    }
    assert_eq!(kinds.len(), 8, "every kind has a fixture: {kinds:?}");
}

#[test]
fn every_valid_server_message_survives_a_round_trip() {
    let mut codes = BTreeSet::new();
    let mut count = 0;
    for Valid { name, text } in read::<Valid>("server-valid") {
        let message = ServerMessage::decode(text.text().as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
        if let ServerMessage::Error(error) = &message {
            codes.insert(error.code);
        }
        assert_eq!(message.encode(), text.text(), "{name}");
        count += 1;
    }
    assert_eq!(codes, BTreeSet::from(ErrorCode::ALL));
    assert!(count > codes.len());
}

#[test]
fn every_invalid_client_message_is_refused_for_its_reason() {
    refuses_all("client-invalid", |json| {
        ClientMessage::decode(json).map(|message| format!("{message:?}"))
    });
}

#[test]
fn every_invalid_server_message_is_refused_for_its_reason() {
    refuses_all("server-invalid", |json| {
        ServerMessage::decode(json).map(|message| format!("{message:?}"))
    });
}

#[test]
fn the_invalid_client_messages_cover_every_reason() {
    let found: BTreeSet<String> = read::<Invalid>("client-invalid")
        .into_iter()
        .map(|f| f.reason)
        .collect();
    let wanted: BTreeSet<String> = Reason::ALL.map(|reason| reason.as_str().to_owned()).into();
    assert_eq!(found, wanted);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    for json in [
        &b"\xff"[..],
        b"{\"type\":\"pi\xffng\"}",
        b"{\"type\":\"ping\",\"\xc0\xaf\":1}",
    ] {
        assert_eq!(ClientMessage::decode(json).unwrap_err().reason, Reason::Syntax);
    }
}

#[test]
fn debug_output_of_a_message_shows_no_secret() {
    for Valid { name, text } in read::<Valid>("client-valid") {
        let message = ClientMessage::decode(text.text().as_bytes()).unwrap();
        let shown = format!("{message:?}");
        let value: serde_json::Value = serde_json::from_str(&text.text()).unwrap();
        for secret in ["room", "gate", "gate_hash", "sdp", "sealed", "token"] {
            if let Some(secret) = value.get(secret).and_then(|value| value.as_str()) {
                assert!(!shown.contains(secret), "{name}: {shown}");
            }
        }
    }
}

fn refuses_all(file: &str, decode: impl Fn(&[u8]) -> Result<String, DecodeError>) {
    for Invalid {
        name,
        text,
        reason,
        field,
    } in read::<Invalid>(file)
    {
        match decode(text.text().as_bytes()) {
            Ok(message) => panic!("{file}, {name}: accepted as {message}"),
            Err(error) => {
                assert_eq!(error.reason.as_str(), reason, "{file}, {name}");
                assert_eq!(error.field, field.as_deref(), "{file}, {name}");
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> Vec<T> {
    let path = format!("{}/fixtures/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let entries: Vec<T> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(!entries.is_empty(), "{path} is empty");
    entries
}
