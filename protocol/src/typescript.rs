//! Writes the TypeScript twin of [`crate::client`], and fails when the file in the tree is stale.

use std::fmt::Write as _;
use std::path::PathBuf;

use ts_rs::TS;

use crate::{client, decode, limits, media};

const COMMAND: &str = "UNDERTONE_REFRESH=1 cargo test -p protocol";

#[test]
fn generated_typescript_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web/src/protocol/generated.ts");
    let wanted = typescript();
    if std::env::var_os("UNDERTONE_REFRESH").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "web/src/protocol/generated.ts is stale; refresh it with: {COMMAND}"
    );
}

fn typescript() -> String {
    let mut text =
        format!("// Generated from the crate `protocol`. Do not edit; refresh with: {COMMAND}\n\n");
    for (name, value) in [
        ("VERSION", u64::from(client::VERSION)),
        ("MESSAGE_BYTES_MAX", limits::MESSAGE_BYTES_MAX as u64),
        ("SDP_BYTES_MAX", limits::SDP_BYTES_MAX as u64),
        ("SEALED_BYTES_MAX", limits::SEALED_BYTES_MAX as u64),
        ("ROOM_MEMBERS_MAX", limits::ROOM_MEMBERS_MAX as u64),
        ("MEDIA_MEMBERS_MAX", limits::MEDIA_MEMBERS_MAX as u64),
        ("FRAME_BYTES_MAX", limits::FRAME_BYTES_MAX as u64),
        ("RESUME_WINDOW_MS", u64::from(limits::RESUME_WINDOW_MS)),
        ("SEATS", u64::from(limits::SEATS)),
        ("PING_INTERVAL_MS", u64::from(limits::PING_INTERVAL_MS)),
        ("IDLE_TIMEOUT_MS", u64::from(limits::IDLE_TIMEOUT_MS)),
        ("CLIENT_DEPTH_MAX", limits::CLIENT_DEPTH_MAX as u64),
        ("SERVER_DEPTH_MAX", limits::SERVER_DEPTH_MAX as u64),
        ("FIELDS_MAX", limits::FIELDS_MAX as u64),
        ("ENTRIES_MAX", limits::ENTRIES_MAX as u64),
        ("SLOTS_OF_MEDIUM_MAX", media::SLOTS_OF_MEDIUM_MAX as u64),
    ] {
        writeln!(text, "export const {name} = {value};").unwrap();
    }
    writeln!(
        text,
        "export const MICROPHONE_MID = \"{}\";",
        media::MICROPHONE_MID
    )
    .unwrap();
    writeln!(text, "export const CAMERA_MID = \"{}\";", media::CAMERA_MID).unwrap();
    writeln!(
        text,
        "export const CAMERA_RIDS = {:?} as const;",
        media::CAMERA_RIDS
    )
    .unwrap();
    let codes = client::ErrorCode::ALL.map(client::ErrorCode::as_str);
    writeln!(text, "export const ERROR_CODES = {codes:?} as const;").unwrap();
    let reasons = decode::Reason::ALL.map(decode::Reason::as_str);
    writeln!(text, "export const DECODE_REASONS = {reasons:?} as const;").unwrap();
    text.push_str("\nexport type DecodeReason = (typeof DECODE_REASONS)[number];\n");
    for declaration in declarations() {
        writeln!(text, "\nexport {}", tidy(&declaration)).unwrap();
    }
    text
}

/// Puts each field and its one-line comment on lines of their own, indented.
fn tidy(declaration: &str) -> String {
    declaration
        .replace("{ \n/**\n", "{\n/**\n")
        .replace("/**\n * ", "  /** ")
        .replace("\n */\n", " */\n  ")
        .replace(", \n", ",\n")
        .replace(", };", ",\n};")
        .replace(" | { \"type\"", "\n  | { \"type\"")
}

fn declarations() -> Vec<String> {
    let config = ts_rs::Config::default();
    macro_rules! all {
        ($($name:ty),* $(,)?) => { vec![$(<$name as TS>::decl(&config)),*] };
    }
    all![
        media::SourceKind,
        client::Switch,
        client::ErrorCode,
        client::TransportState,
        client::OfferedTransport,
        client::Presence,
        client::Create,
        client::Hello,
        client::Resume,
        client::Answer,
        client::Announce,
        client::MediaState,
        client::Ping,
        client::Leave,
        client::ClientMessage,
        client::SlotBinding,
        client::Participant,
        client::Created,
        client::Joined,
        client::Resumed,
        client::OfferMessage,
        client::ParticipantJoined,
        client::ParticipantLeft,
        client::Announced,
        client::ParticipantMedia,
        client::ParticipantPresence,
        client::Slots,
        client::TransportMessage,
        client::Stopping,
        client::Pong,
        client::ErrorMessage,
        client::ServerMessage,
    ]
}
