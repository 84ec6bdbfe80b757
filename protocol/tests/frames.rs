//! Reads the golden frames of the group; `fixtures/README.md` describes their layout.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeSet;

use protocol::group::frame::{Audience, SealedKeyPackage};
use protocol::group::{ClientFrame, FrameError, RefusalReason, RejectReason, ServerFrame};
use serde::Deserialize;

const KEY_PACKAGE: &[u8] = b"\x00\x01\x00\x05kp";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Valid {
    from: String,
    name: String,
    hex: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    from: String,
    name: String,
    hex: String,
    error: String,
}

fn sealed() -> SealedKeyPackage {
    SealedKeyPackage {
        mac: [0xA0; 32],
        key_package: KEY_PACKAGE.to_vec(),
    }
}

fn enter(epoch: u64, group_id: Option<[u8; 16]>, resync: bool) -> ClientFrame {
    ClientFrame::Enter {
        epoch,
        group_id,
        resync,
        key_package: sealed(),
    }
}

fn commit(welcome: &[u8]) -> ClientFrame {
    ClientFrame::Commit {
        epoch: 7,
        commit: b"commit".to_vec(),
        group_info: b"info".to_vec(),
        welcome: welcome.to_vec(),
    }
}

fn app(audience: Audience) -> ClientFrame {
    ClientFrame::App {
        epoch: 8,
        audience,
        message: b"sealed".to_vec(),
    }
}

fn of_member(name: &str) -> ClientFrame {
    match name {
        "enter without a group" => enter(0, None, false),
        "enter with a group, to come in anew" => enter(
            7,
            Some(0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F_u128.to_be_bytes()),
            true,
        ),
        "group info" => ClientFrame::GroupInfo {
            epoch: 1,
            group_info: b"info".to_vec(),
            tree: b"tree".to_vec(),
        },
        "commit without a welcome" => commit(b""),
        "commit with a welcome" => commit(b"welcome"),
        "ready" => ClientFrame::Ready {
            epoch: 8,
            tag: [0xD0; 16],
        },
        "app to everyone" => app(Audience::Everyone),
        "app to newcomers" => app(Audience::Newcomers),
        "catch up" => ClientFrame::CatchUp { epoch: u64::MAX },
        "refused" => ClientFrame::Refused {
            epoch: 7,
            reason: RefusalReason::NoPsk,
        },
        "gate" => ClientFrame::Gate {
            epoch: 9,
            gate_hash: [0xE0; 32],
        },
        _ => panic!("what is {name}?"),
    }
}

fn of_server(name: &str) -> ServerFrame {
    match name {
        "group info" => ServerFrame::GroupInfo {
            epoch: 1,
            group_info: b"info".to_vec(),
            tree: b"tree".to_vec(),
        },
        "committed" => ServerFrame::Committed {
            epoch: 7,
            commit: b"commit".to_vec(),
        },
        "reject" => ServerFrame::Reject {
            epoch: 8,
            reason: RejectReason::Stale,
        },
        "proposal" => ServerFrame::Proposal {
            epoch: 8,
            proposal: b"proposal".to_vec(),
        },
        "key packages" => ServerFrame::KeyPackages {
            epoch: 8,
            key_packages: vec![sealed(), sealed()],
        },
        "welcome" => ServerFrame::Welcome {
            epoch: 9,
            welcome: b"welcome".to_vec(),
            tree: b"tree".to_vec(),
        },
        "all ready" => ServerFrame::AllReady { epoch: 8 },
        "app" => ServerFrame::App {
            epoch: 8,
            message: b"sealed".to_vec(),
        },
        "create" => ServerFrame::Create {
            external_sender: [0xE0; 32],
        },
        "upload" => ServerFrame::Upload,
        "confirmed" => ServerFrame::Confirmed {
            epoch: 8,
            digest: [0xD0; 16],
        },
        "epoch" => ServerFrame::Epoch { epoch: 8 },
        _ => panic!("what is {name}?"),
    }
}

#[test]
fn every_type_has_a_golden_frame_that_means_what_its_name_says() {
    let mut types = BTreeSet::new();
    for Valid { from, name, hex } in read::<Valid>("frames-valid") {
        let bytes = unhex(&hex);
        types.insert(bytes[0]);
        match from.as_str() {
            "member" => {
                assert_eq!(ClientFrame::decode(&bytes), Ok(of_member(&name)), "{name}");
                assert_eq!(of_member(&name).encode(), bytes, "{name}");
            }
            "server" => {
                assert_eq!(ServerFrame::decode(&bytes), Ok(of_server(&name)), "{name}");
                assert_eq!(of_server(&name).encode(), bytes, "{name}");
            }
            _ => panic!("who is {from}?"),
        }
    }
    assert_eq!(types, (1..=17).collect(), "each type of docs/protocol.md");
}

#[test]
fn frames_that_are_none_are_refused_for_their_reason() {
    let mut errors = BTreeSet::new();
    for Invalid {
        from,
        name,
        hex,
        error,
    } in read::<Invalid>("frames-invalid")
    {
        let bytes = unhex(&hex);
        let refused = match from.as_str() {
            "member" => ClientFrame::decode(&bytes).unwrap_err(),
            "server" => ServerFrame::decode(&bytes).unwrap_err(),
            _ => panic!("who is {from}?"),
        };
        assert_eq!(format!("{refused:?}"), error, "{name}");
        errors.insert(error);
    }
    // The fifth, `TooLarge`, is a quarter of a megabyte: it is not written down.
    let too_large = vec![0; protocol::limits::FRAME_BYTES_MAX + 1];
    assert_eq!(ClientFrame::decode(&too_large), Err(FrameError::TooLarge));
    assert_eq!(ServerFrame::decode(&too_large), Err(FrameError::TooLarge));
    assert_eq!(errors.len(), 4, "{errors:?}");
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2);
    digits
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn read<Entry: for<'de> Deserialize<'de>>(file: &str) -> Vec<Entry> {
    let path = format!("{}/fixtures/{file}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
