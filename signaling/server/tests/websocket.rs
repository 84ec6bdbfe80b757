//! Pages on real WebSockets against the server, with an SFU that only remembers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client;

use std::sync::atomic::Ordering;

use client::{Page, Server, answer, create, hello};
use futures_util::SinkExt as _;
use protocol::bytes::Sealed;
use protocol::client::{Announce, ClientMessage, ErrorCode, Leave, Ping, ServerMessage, TransportState};
use protocol::ids::Seat;
use protocol::limits::MESSAGE_BYTES_MAX;
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent};
use tokio_tungstenite::tungstenite::Message;

const ERRORS: &str = "undertone_signaling_errors_total";
const REFUSED: &str = "undertone_signaling_messages_refused_total";

#[tokio::test]
async fn two_pages_meet_and_the_sfu_is_told() {
    let server = Server::start().await;
    let (mut ada, ada_joined) = server.join(1).await;
    ada.say(&answer(&ada_joined)).await;
    let (mut ben, ben_joined) = server.join(1).await;
    assert_eq!(ben_joined.participants.len(), 1);
    assert!(
        matches!(ada.hear().await, ServerMessage::ParticipantJoined(joined) if joined.seat == ben_joined.seat)
    );
    ben.say(&answer(&ben_joined)).await;
    for page in [&mut ada, &mut ben] {
        let ServerMessage::Slots(slots) = page.hear().await else {
            panic!("slots are bound")
        };
        assert_eq!(slots.slots.len(), 2);
    }
    let commands = server.commands(6).await;
    let SfuCommand::AddPeer { peer, connection } = &commands[1] else {
        panic!("{commands:?}")
    };
    assert_eq!((connection.publications.len(), connection.slots.len()), (2, 13));

    server
        .sfu_events
        .send(SfuEvent::PeerConnected { peer: *peer })
        .await
        .unwrap();
    let ServerMessage::Transport(transport) = ben.hear().await else {
        panic!("it is told")
    };
    assert_eq!(transport.state, TransportState::Connected);

    ben.say(&ClientMessage::Leave(Leave {})).await;
    assert_eq!(ben.hear_text().await, None);
    assert!(matches!(ada.hear().await, ServerMessage::ParticipantLeft(_)));
    assert!(
        server
            .commands(7)
            .await
            .contains(&SfuCommand::RemovePeer { peer: *peer })
    );
    server
        .wait_for("undertone_signaling_leaves_total", Some("left"), 1.0)
        .await;
}

#[tokio::test]
async fn a_lost_connection_is_a_leave() {
    let server = Server::start().await;
    let (mut ada, _) = server.join(1).await;
    let (ben, ben_joined) = server.join(1).await;
    assert!(matches!(ada.hear().await, ServerMessage::ParticipantJoined(_)));
    drop(ben);
    assert!(matches!(ada.hear().await, ServerMessage::ParticipantLeft(left) if left.seat == ben_joined.seat));
}

#[tokio::test]
async fn a_wrong_gate_and_an_unknown_room_give_the_same_bytes() {
    let server = Server::start().await;
    let _first = server.join(1).await;
    let mut texts = Vec::new();
    for message in [hello(1, 9), hello(2, 2)] {
        let mut page = server.connect().await;
        page.say(&message).await;
        texts.push(page.hear_text().await.unwrap());
        assert_eq!(page.hear_text().await, None);
    }
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].contains("\"refused\""), "{}", texts[0]);
    server.wait_for(ERRORS, Some("refused"), 2.0).await;
}

#[tokio::test]
async fn bad_messages_end_the_connection_with_their_reason() {
    let server = Server::start().await;
    let version = r#"{"type":"hello","version":2}"#.to_owned();
    let large = " ".repeat(MESSAGE_BYTES_MAX + 1);
    for (text, code, reason) in [
        (
            r#"{"type":"ping","type":"leave"}"#.to_owned(),
            ErrorCode::Malformed,
            "duplicate_key",
        ),
        (
            r#"{"type":"ping"} "#.to_owned() + "x",
            ErrorCode::Malformed,
            "trailing_bytes",
        ),
        ("[".repeat(60_000), ErrorCode::Malformed, "too_deep"),
        (version, ErrorCode::VersionUnsupported, "version"),
        (large, ErrorCode::TooLarge, "too_large"),
    ] {
        let mut page = server.connect().await;
        page.say_text(&text).await;
        assert_eq!(page.error().await, code);
        assert!(server.metric(REFUSED, Some(reason)) >= 1.0, "{reason}");
    }
    let mut page = server.connect().await;
    page.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(page.error().await, ErrorCode::Malformed);
    let mut page = server.connect().await;
    page.say(&ClientMessage::Leave(Leave {})).await;
    assert_eq!(page.error().await, ErrorCode::OutOfOrder);
}

#[tokio::test]
async fn a_message_that_nobody_would_read_is_cut_off_and_counted() {
    let server = Server::start().await;
    let mut page = server.connect().await;
    // The server stops reading at the frame's header, so the page may see a reset instead of the words.
    let _ = page.socket.send(Message::text(" ".repeat(10_000_000))).await;
    server.wait_for(ERRORS, Some("too_large"), 1.0).await;
    assert_eq!(server.metric(REFUSED, Some("too_large")), 1.0);
}

#[tokio::test]
async fn too_many_messages_are_too_many() {
    let server = Server::start().await;
    let mut page = server.connect().await;
    for _ in 0..100 {
        if page
            .socket
            .send(Message::text(ClientMessage::Ping(Ping {}).encode()))
            .await
            .is_err()
        {
            break;
        }
    }
    assert_eq!(page.error().await, ErrorCode::RateLimited);
}

#[tokio::test]
async fn control_frames_count_as_messages() {
    let server = Server::start().await;
    let mut page = server.connect().await;
    for _ in 0..100 {
        if page.socket.send(Message::Ping(Vec::new().into())).await.is_err() {
            break;
        }
    }
    assert_eq!(page.error().await, ErrorCode::RateLimited);
}

#[tokio::test]
async fn a_sixth_member_is_told_that_the_room_is_full() {
    let server = Server::start().await;
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(server.join(1).await);
    }
    let mut page = server.connect().await;
    page.say(&hello(1, 1)).await;
    assert_eq!(page.error().await, ErrorCode::RoomFull);
}

#[tokio::test]
async fn a_room_is_made_once() {
    let server = Server::start().await;
    let _first = server.join(1).await;
    let mut page = server.connect().await;
    page.say(&create(1)).await;
    assert_eq!(page.error().await, ErrorCode::RoomExists);
}

#[tokio::test]
async fn a_page_that_does_not_read_is_cut_off_and_disturbs_nobody() {
    let server = Server::start().await;
    let (silent, silent_joined) = server.join(1).await;
    let mut talkers = Vec::new();
    for _ in 0..4 {
        talkers.push(server.join(1).await.0);
    }
    let announce = ClientMessage::Announce(Announce {
        sealed: Sealed::new(vec![7; 1_024]).unwrap(),
    });
    // The talkers read what the others say in each round; the silent one reads nothing.
    let mut told = 0;
    for _ in 0..35 {
        for talker in &mut talkers {
            talker.say(&announce).await;
        }
        for talker in &mut talkers {
            told += hear_announcements(talker, 3, silent_joined.seat).await;
        }
    }
    server.wait_for(ERRORS, Some("too_slow"), 1.0).await;
    for talker in &mut talkers {
        talker.say(&ClientMessage::Ping(Ping {})).await;
        told += hear_announcements(talker, 0, silent_joined.seat).await;
    }
    assert_eq!(
        told, 4,
        "each of the others is told once that the silent one left"
    );
    assert_eq!(server.metric("undertone_signaling_connections", None), 4.0);
    drop(silent);
}

#[tokio::test]
async fn a_failed_transport_is_told_and_ends_the_membership() {
    let server = Server::start().await;
    let (mut page, joined) = server.join(1).await;
    page.say(&answer(&joined)).await;
    let SfuCommand::AddPeer { peer, .. } = server.commands(1).await[0] else {
        panic!("a peer is added")
    };
    let event = SfuEvent::PeerClosed {
        peer,
        reason: PeerClosedReason::FingerprintMismatch,
    };
    server.sfu_events.send(event).await.unwrap();
    let ServerMessage::Transport(transport) = page.hear().await else {
        panic!("it is told")
    };
    assert_eq!(transport.state, TransportState::Closed);
    assert_eq!(page.error().await, ErrorCode::FingerprintMismatch);
}

#[tokio::test]
async fn a_busy_sfu_gets_its_commands_later_and_in_order() {
    let server = Server::start().await;
    server.sfu.is_busy.store(true, Ordering::Relaxed);
    let (mut page, joined) = server.join(1).await;
    page.say(&answer(&joined)).await;
    page.say(&ClientMessage::Leave(Leave {})).await;
    assert_eq!(page.hear_text().await, None);
    assert_eq!(server.command_count(), 0);
    server.sfu.is_busy.store(false, Ordering::Relaxed);
    let commands = server.commands(2).await;
    assert!(
        matches!(commands[..], [SfuCommand::AddPeer { peer: added, .. }, SfuCommand::RemovePeer { peer }] if peer == added)
    );
}

#[tokio::test]
async fn a_stop_is_told_to_everybody() {
    let server = Server::start().await;
    let (mut ada, _) = server.join(1).await;
    let mut ben = server.connect().await;
    ben.say(&ClientMessage::Ping(Ping {})).await;
    assert!(matches!(ben.hear().await, ServerMessage::Pong(_)));
    let (ada_error, ben_error, ()) = tokio::join!(ada.error(), ben.error(), server.signaling.stop());
    assert_eq!(
        (ada_error, ben_error),
        (ErrorCode::ServerStopping, ErrorCode::ServerStopping)
    );
    assert!(!server.signaling.is_running());
}

/// Reads this many announcements, or up to the next pong, and counts how often it is told that `left` left.
async fn hear_announcements(page: &mut Page, count: usize, left: Seat) -> usize {
    let (mut announcements, mut told) = (0, 0);
    while count == 0 || announcements < count {
        match page.hear().await {
            ServerMessage::Announced(_) => announcements += 1,
            ServerMessage::ParticipantLeft(message) => {
                assert_eq!(message.seat, left);
                told += 1;
            }
            ServerMessage::ParticipantJoined(_) => {}
            ServerMessage::Pong(_) => break,
            other => panic!("{other:?}"),
        }
    }
    told
}
