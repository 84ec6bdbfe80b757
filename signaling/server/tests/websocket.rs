//! Pages on real WebSockets against the server, with an SFU that only remembers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client;

use std::sync::atomic::Ordering;
use std::time::Duration;

use client::{Page, Server, answer, create, hello, resume};
use futures_util::SinkExt as _;
use protocol::bytes::Sealed;
use protocol::client::{Announce, ClientMessage, ErrorCode, Leave, Ping, ServerMessage, TransportState};
use protocol::ids::Seat;
use protocol::limits::{MEDIA_MEMBERS_MAX, MESSAGE_BYTES_MAX};
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

const ERRORS: &str = "undertone_signaling_errors_total";
const LEAVES: &str = "undertone_signaling_leaves_total";
const HELD: &str = "undertone_signaling_seats_held";
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
async fn a_page_that_closes_its_connection_leaves_at_once() {
    for code in [
        None,
        Some(CloseCode::Normal),
        Some(CloseCode::Away),
        Some(CloseCode::Library(4_000)),
    ] {
        let server = Server::start().await;
        let (mut ada, _) = server.join(1).await;
        let (mut ben, ben_joined) = server.join(1).await;
        assert!(matches!(ada.hear().await, ServerMessage::ParticipantJoined(_)));
        let frame = code.map(|code| CloseFrame {
            code,
            reason: "".into(),
        });
        ben.socket.close(frame).await.unwrap();
        assert!(
            matches!(ada.hear().await, ServerMessage::ParticipantLeft(left) if left.seat == ben_joined.seat)
        );
        assert_eq!(server.metric(LEAVES, Some("closed")), 1.0);
        assert_eq!(server.metric(HELD, None), 0.0);
    }
}

#[tokio::test]
async fn a_line_that_breaks_is_told_to_nobody_and_its_page_comes_back_to_the_same_seat() {
    let server = Server::start().await;
    let (mut ada, ada_joined) = server.join(1).await;
    ada.say(&answer(&ada_joined)).await;
    for way in ["the socket is gone", "a proxy gives up"] {
        let (mut ben, ben_joined) = server.join(1).await;
        ben.say(&answer(&ben_joined)).await;
        assert!(matches!(ada.hear().await, ServerMessage::ParticipantJoined(_)));
        assert!(matches!(ada.hear().await, ServerMessage::Slots(_)));
        if way == "a proxy gives up" {
            let frame = CloseFrame {
                code: CloseCode::Restart,
                reason: "".into(),
            };
            ben.socket.close(Some(frame)).await.unwrap();
        }
        drop(ben);
        server.wait_for(HELD, None, 1.0).await;

        let mut again = server.connect().await;
        again.say(&resume(1, &ben_joined.token)).await;
        let ServerMessage::Resumed(resumed) = again.hear().await else {
            panic!("the seat is given back: {way}")
        };
        assert_eq!(resumed.seat, ben_joined.seat);
        assert_eq!(resumed.participants.len(), 1);
        assert_eq!(resumed.transport, TransportState::Connected);
        let carried = resumed.slots.iter().filter(|slot| slot.seat.is_some()).count();
        assert_eq!(carried, 2);
        again.say(&ClientMessage::Leave(Leave {})).await;
        assert_eq!(again.hear_text().await, None);
        assert!(
            matches!(ada.hear().await, ServerMessage::ParticipantLeft(left) if left.seat == ben_joined.seat),
            "the next that is told is that the member left: {way}"
        );
        assert!(matches!(ada.hear().await, ServerMessage::Slots(_)));
        assert_eq!(server.metric(HELD, None), 0.0);
    }
}

#[tokio::test]
async fn a_page_that_comes_back_closes_the_connection_that_it_had() {
    let server = Server::start().await;
    let (mut page, joined) = server.join(1).await;
    let mut again = server.connect().await;
    again.say(&resume(1, &joined.token)).await;
    assert!(matches!(again.hear().await, ServerMessage::Resumed(_)));
    assert!(
        matches!(again.hear().await, ServerMessage::Offer(_)),
        "its answer is owed"
    );
    assert_eq!(page.hear_text().await, None);
    let mut stranger = server.connect().await;
    stranger.say(&resume(2, &joined.token)).await;
    assert_eq!(stranger.error().await, ErrorCode::ResumeRefused);
}

#[tokio::test]
async fn a_drain_lets_nobody_new_in_and_ends_when_the_last_member_has_left() {
    let server = Server::start().await;
    let (mut page, joined) = server.join(1).await;
    let draining = server.signaling.drain(Duration::from_secs(600));
    let conversation = async {
        let ServerMessage::Stopping(stopping) = page.hear().await else {
            panic!("it is told")
        };
        assert!((590_000..=600_000).contains(&stopping.deadline_ms));
        let mut late = server.connect().await;
        late.say(&hello(1, 1)).await;
        assert_eq!(late.error().await, ErrorCode::ServerStopping);
        let mut again = server.connect().await;
        again.say(&resume(1, &joined.token)).await;
        assert!(matches!(again.hear().await, ServerMessage::Resumed(_)));
        assert!(matches!(again.hear().await, ServerMessage::Stopping(_)));
        again.say(&ClientMessage::Leave(Leave {})).await;
    };
    tokio::join!(draining, conversation);
    assert!(server.signaling.is_running());
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_and_then_everybody_is_told() {
    let server = Server::start().await;
    let (mut page, _) = server.join(1).await;
    server.signaling.drain(Duration::ZERO).await;
    assert!(matches!(page.hear().await, ServerMessage::Stopping(stopping) if stopping.deadline_ms == 0));
    let (error, ()) = tokio::join!(page.error(), server.signaling.stop());
    assert_eq!(error, ErrorCode::ServerStopping);
}

#[tokio::test]
async fn a_full_room_comes_in_at_once_and_a_page_that_is_busy_meanwhile_is_not_cut_off() {
    let server = Server::start().await;
    let (mut busy, busy_joined) = server.join(1).await;
    let mut others = Vec::new();
    for _ in 1..MEDIA_MEMBERS_MAX {
        let (mut page, joined) = server.join(1).await;
        page.say(&answer(&joined)).await;
        page.say(&announce()).await;
        others.push(page);
    }
    busy.say(&answer(&busy_joined)).await;
    let mut joined = 0;
    while joined < MEDIA_MEMBERS_MAX - 1 {
        joined += usize::from(matches!(busy.hear().await, ServerMessage::ParticipantJoined(_)));
    }
    assert_eq!(server.metric(ERRORS, Some("too_slow")), 0.0);
    let mut late = server.connect().await;
    late.say(&hello(1, 1)).await;
    assert_eq!(late.error().await, ErrorCode::RoomFull);
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
    assert_eq!(page.error().await, ErrorCode::OutOfOrder, "a frame before hello");
    let mut owner = server.connect().await;
    owner.say(&create(9)).await;
    owner.hear().await;
    owner.say(&hello(9, 9)).await;
    owner.hear().await;
    owner.socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(owner.error().await, ErrorCode::Malformed, "a frame that is none");
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
async fn a_room_is_made_once() {
    let server = Server::start().await;
    let _first = server.join(1).await;
    let mut page = server.connect().await;
    page.say(&create(1)).await;
    assert_eq!(page.error().await, ErrorCode::RoomExists);
}

#[tokio::test]
async fn a_page_that_does_not_read_is_cut_off_and_disturbs_nobody() {
    // Each may say forty things at once; together that is more than waits for one page.
    const TALKERS: usize = 8;
    let server = Server::start().await;
    let (silent, silent_joined) = server.join(1).await;
    let mut talkers = Vec::new();
    for _ in 0..TALKERS {
        talkers.push(server.join(1).await.0);
    }
    let announce = announce();
    // The talkers read what the others say in each round; the silent one reads nothing.
    let mut told = 0;
    for _ in 0..35 {
        for talker in &mut talkers {
            talker.say(&announce).await;
        }
        for talker in &mut talkers {
            told += hear_announcements(talker, TALKERS - 1, silent_joined.seat).await;
        }
    }
    server.wait_for(ERRORS, Some("too_slow"), 1.0).await;
    for talker in &mut talkers {
        talker.say(&ClientMessage::Ping(Ping {})).await;
        told += hear_announcements(talker, 0, silent_joined.seat).await;
    }
    assert_eq!(told, 0, "the seat of the silent one is held, and nobody is told");
    assert_eq!(server.metric(HELD, None), 1.0);
    assert_eq!(
        server.metric("undertone_signaling_connections", None),
        TALKERS as f64
    );
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

fn announce() -> ClientMessage {
    ClientMessage::Announce(Announce {
        sealed: Sealed::new(vec![7; 1_024]).unwrap(),
    })
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
