//! One conversation after another: what each message does, in which order, and how each fault ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::time::Duration;

use harness::{
    ANSWER, Known, LEAVE, PING, World, announce, answer, create, gate, hello, hello_with, media, resume,
    sealed,
};
use protocol::bytes::ResumeToken;
use protocol::client::{ErrorCode, MediaState, ServerMessage, Switch, TransportState};
use protocol::decode::Reason;
use protocol::ids::{PeerId, Seat};
use protocol::limits::MEDIA_MEMBERS_MAX;
use protocol::sfu::PeerClosedReason;
use signaling_core::limits::{
    ADDRESS_CREATIONS_MAX, ADDRESS_FAILURES_MAX, ANSWER_DEADLINE, EMPTY_ROOM_LIFE, FAILURE_WINDOW,
    HELLO_DEADLINE, IDLE_TIMEOUT, MESSAGE_BURST, ROOM_FAILURES_MAX, SESSIONS_MAX,
};
use signaling_core::negotiation::AnswerReason;
use signaling_core::stats::Count;
use signaling_core::{Closing, ConnectionId, Fault};

const SECOND: Duration = Duration::from_secs(1);

/// Brings a page to a stage.
type Setup = fn(&mut World) -> ConnectionId;

#[test]
fn two_pages_meet() {
    let mut world = World::new(1);
    let ada = world.open();
    world.say(ada, &create(1));
    world.say(ada, &hello(1));
    world.say(ada, &announce(7));
    world.say(ada, &media(true, false));
    world.answer(ada);
    assert!(world.page(ada).slots.is_empty());

    let ben = world.open();
    world.say(ben, &hello(1));
    let on_off = MediaState {
        microphone: Switch::On,
        camera: Switch::Off,
    };
    let known = Known {
        media: on_off,
        sealed: Some(sealed(7)),
        ..Known::NEW
    };
    assert_eq!(
        world.page(ben).roster[&Seat::FIRST],
        known,
        "a joiner gets what was said before"
    );
    assert!(
        world.page(ada).slots.is_empty(),
        "nothing is bound before the answer is in"
    );
    world.answer(ben);
    assert_eq!(world.page(ada).slots.len(), 2);
    assert_eq!(world.page(ben).slots.len(), 2);
    assert_eq!(world.sfu.peers.len(), 2);

    world.say(ben, &LEAVE);
    assert!(world.page(ben).closed);
    assert!(world.page(ada).slots.is_empty() && world.page(ada).roster.is_empty());
    assert_eq!(world.sfu.peers.len(), 1);
    assert_eq!(world.signaling.stats().count(Count::Left), 1);
}

#[test]
fn a_wrong_gate_and_an_unknown_room_are_told_alike() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    let (wrong, unknown) = (world.open(), world.open());
    world.say(wrong, &hello_with(1, gate(9)));
    world.say(unknown, &hello_with(2, gate(2)));
    let text = |news: Vec<ServerMessage>| news.iter().map(ServerMessage::encode).collect::<Vec<_>>();
    let (wrong, unknown) = (text(world.news(wrong)), text(world.news(unknown)));
    assert_eq!(wrong, unknown);
    assert!(wrong[0].contains("\"refused\""));
}

#[test]
fn every_message_out_of_order_is_refused() {
    let setups: [(&str, Setup); 5] = [
        ("opened", World::open),
        ("created", |world| {
            let page = world.open();
            world.say(page, &create(1));
            page
        }),
        ("joined", |world| {
            let page = world.open();
            world.say(page, &create(1));
            world.say(page, &hello(1));
            page
        }),
        ("answered", |world| world.room_with(1, 1)[0]),
        ("resumed", |world| {
            let page = world.room_with(1, 1)[0];
            world.come_back(1, page)
        }),
    ];
    let messages = [
        ("create", create(2)),
        ("hello", hello(1)),
        ("answer", answer(1, ANSWER)),
        ("answer to another offer", answer(2, ANSWER)),
        ("announce", announce(1)),
        ("media", media(true, true)),
        ("ping", PING),
        ("leave", LEAVE),
        ("resume", resume(1, ResumeToken::from_bytes([9; 32]))),
    ];
    let allowed = [
        ("opened", &["create", "hello", "ping", "resume"][..]),
        ("created", &["hello", "ping"]),
        ("joined", &["answer", "announce", "media", "ping", "leave"]),
        ("answered", &["announce", "media", "ping", "leave"]),
        ("resumed", &["announce", "media", "ping", "leave"]),
    ];
    for (index, (stage, setup)) in setups.into_iter().enumerate() {
        for (name, message) in &messages {
            let mut world = World::new(1);
            let page = setup(&mut world);
            world.say(page, message);
            // In the first stage the room does not exist yet: that is another refusal, and the order was right.
            let out_of_order = world.error(page) == Some(ErrorCode::OutOfOrder);
            assert_eq!(
                !out_of_order,
                allowed[index].1.contains(name),
                "{name} when {stage}"
            );
        }
    }
}

#[test]
fn malformed_messages_are_told_apart_and_counted() {
    let mut world = World::new(1);
    for (json, code, reason) in [
        (&b"{"[..], ErrorCode::Malformed, Reason::Syntax),
        (
            br#"{"type":"ping","type":"ping"}"#,
            ErrorCode::Malformed,
            Reason::DuplicateKey,
        ),
        (
            br#"{"type":"ping","x":1}"#,
            ErrorCode::Malformed,
            Reason::UnknownField,
        ),
        (
            br#"{"type":"hello","version":2}"#,
            ErrorCode::VersionUnsupported,
            Reason::Version,
        ),
        (&[b' '; 70_000], ErrorCode::TooLarge, Reason::TooLarge),
    ] {
        let page = world.open();
        world.say_text(page, json);
        assert_eq!(world.error(page), Some(code));
        assert_eq!(
            world.signaling.stats().count(Count::MessageRefused(reason)),
            1,
            "{reason:?}"
        );
    }
    assert_eq!(world.signaling.connections(), 0);
}

#[test]
fn one_member_too_many_is_told_that_the_room_is_full_and_disturbs_nobody() {
    let mut world = World::new(1);
    let members = world.room_with(1, MEDIA_MEMBERS_MAX);
    world.settle(&members);
    for member in &members {
        world.news(*member);
    }
    let late = world.open();
    world.say(late, &hello(1));
    assert_eq!(world.error(late), Some(ErrorCode::RoomFull));
    for member in &members {
        assert!(world.news(*member).is_empty());
        assert_eq!(world.page(*member).slots.len(), 2 * (MEDIA_MEMBERS_MAX - 1));
    }
    world.say(members[2], &LEAVE);
    let again = world.open();
    world.say(again, &hello(1));
    assert_eq!(world.error(again), None);
    assert_eq!(
        world.page(again).seat,
        Seat::new(24).ok(),
        "a seat is not used again soon"
    );
}

#[test]
fn a_seat_comes_again_only_after_1024_joins() {
    let mut world = World::new(1);
    let first = world.room_with(1, 1)[0];
    for join in 1..1_200_u16 {
        // The first member keeps its seat, so one number is passed over from then on.
        let wanted = if join < 1_024 { join } else { join - 1_023 };
        let page = world.open();
        world.say(page, &hello(1));
        assert_eq!(world.page(page).seat, Seat::new(wanted).ok());
        world.close(page);
        world.say(first, &PING);
        world.now += SECOND;
    }
}

#[test]
fn a_room_is_made_once() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    let page = world.open();
    world.say(page, &create(1));
    assert_eq!(world.error(page), Some(ErrorCode::RoomExists));
}

#[test]
fn a_bad_answer_is_refused_with_its_reason_and_the_member_leaves() {
    let mut world = World::new(1);
    let ada = world.room_with(1, 1)[0];
    let ben = world.open();
    world.say(ben, &hello(1));
    world.say(
        ben,
        &answer(1, &ANSWER.replace("a=setup:active", "a=setup:passive")),
    );
    assert_eq!(world.error(ben), Some(ErrorCode::BadAnswer));
    assert_eq!(
        world.page(ben).error.as_ref().unwrap().detail,
        "setup: the page has to be active"
    );
    assert_eq!(
        world
            .signaling
            .stats()
            .count(Count::AnswerRefused(AnswerReason::Setup)),
        1
    );
    assert!(world.page(ada).roster.is_empty());
    assert_eq!(world.sfu.peers.len(), 1, "the SFU never heard of it");
}

#[test]
fn an_address_that_fails_too_often_has_to_wait_and_others_do_not() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    let guess = |world: &mut World, number: u8| {
        let page = world.open_from([192, 0, 2, 1]);
        world.say(page, &hello(number));
        world.page(page).error.clone()
    };
    for unknown in 0..ADDRESS_FAILURES_MAX {
        let number = u8::try_from(2 + unknown).unwrap();
        assert_eq!(guess(&mut world, number).unwrap().code, ErrorCode::Refused);
    }
    world.now += SECOND * 20;
    let error = guess(&mut world, 1).expect("the right gate has to wait too");
    assert_eq!(
        (error.code, error.retry_after_ms),
        (ErrorCode::RateLimited, Some(40_000))
    );
    assert_eq!(world.signaling.stats().count(Count::AddressLimited), 1);
    let elsewhere = world.open();
    world.say(elsewhere, &hello(1));
    assert_eq!(world.error(elsewhere), None);
    world.now += SECOND * 40;
    assert_eq!(guess(&mut world, 1), None);
}

#[test]
fn a_room_is_guarded_against_many_addresses_whether_it_exists_or_not() {
    for exists in [true, false] {
        let mut world = World::new(1);
        let first = world.open();
        if exists {
            world.say(first, &create(1));
        }
        for _ in 0..ROOM_FAILURES_MAX {
            let page = world.open();
            world.say(page, &hello_with(1, gate(9)));
            assert_eq!(world.error(page), Some(ErrorCode::Refused));
        }
        let page = world.open();
        world.say(page, &hello(1));
        assert_eq!(world.error(page), Some(ErrorCode::RateLimited));
        assert_eq!(world.signaling.stats().count(Count::RoomLimited), 1);
        world.pass(FAILURE_WINDOW);
        let page = world.open();
        world.say(page, &hello(1));
        assert_eq!(world.error(page), (!exists).then_some(ErrorCode::Refused));
    }
}

#[test]
fn right_tries_are_not_counted() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    for _ in 0..ADDRESS_FAILURES_MAX * 2 {
        let page = world.open_from([192, 0, 2, 1]);
        world.say(page, &hello(1));
        assert_eq!(world.error(page), None);
        world.close(page);
    }
}

#[test]
fn an_address_makes_a_bounded_number_of_rooms() {
    let mut world = World::new(1);
    for number in 0..=ADDRESS_CREATIONS_MAX {
        let page = world.open_from([192, 0, 2, 1]);
        world.say(page, &create(u8::try_from(number).unwrap()));
        let limited = number == ADDRESS_CREATIONS_MAX;
        assert_eq!(world.error(page), limited.then_some(ErrorCode::RateLimited));
        if !limited {
            world.close(page);
        }
    }
}

#[test]
fn too_many_messages_end_the_connection() {
    let mut world = World::new(1);
    let page = world.open();
    for _ in 0..MESSAGE_BURST {
        world.say(page, &PING);
        assert_eq!(world.error(page), None);
    }
    world.say(page, &PING);
    assert_eq!(world.error(page), Some(ErrorCode::RateLimited));
    assert_eq!(world.news(page).len(), MESSAGE_BURST as usize + 1);
}

#[test]
fn silence_ends_a_connection_and_its_seat_is_held() {
    let mut world = World::new(1);
    let members = world.room_with(1, 2);
    for _ in 0..4 {
        world.pass(SECOND * 10);
        world.say(members[0], &PING);
    }
    assert_eq!(world.error(members[0]), None);
    assert_eq!(world.error(members[1]), Some(ErrorCode::TooSlow));
    assert_eq!(world.page(members[0]).roster.len(), 1, "its seat is held");
    assert_eq!(world.signaling.stats().count(Count::IdleTimeout), 1);
    world.pass(IDLE_TIMEOUT + SECOND);
    assert_eq!(world.error(members[0]), Some(ErrorCode::TooSlow));
}

#[test]
fn control_frames_are_signs_of_life() {
    let mut world = World::new(1);
    let page = world.room_with(1, 1)[0];
    for _ in 0..10 {
        world.pass(SECOND * 10);
        let now = world.now;
        world.signaling.handle_alive(page, now);
    }
    assert_eq!(world.error(page), None);
}

#[test]
fn hello_and_answer_have_deadlines() {
    let mut world = World::new(1);
    let silent = world.open();
    world.pass(HELLO_DEADLINE + SECOND);
    assert_eq!(world.error(silent), Some(ErrorCode::TooSlow));

    let page = world.open();
    world.say(page, &create(1));
    world.say(page, &hello(1));
    for _ in 0..4 {
        world.pass(ANSWER_DEADLINE / 4);
        if world.error(page).is_none() {
            world.say(page, &PING);
        }
    }
    world.pass(SECOND);
    assert_eq!(world.error(page), Some(ErrorCode::TooSlow));
    let stats = world.signaling.stats();
    assert_eq!(
        (
            stats.count(Count::HelloTimeout),
            stats.count(Count::AnswerTimeout)
        ),
        (1, 1)
    );
}

#[test]
fn an_empty_room_lives_for_a_day() {
    let mut world = World::new(1);
    let page = world.room_with(1, 1)[0];
    world.pass(SECOND);
    world.say(page, &LEAVE);
    world.pass(EMPTY_ROOM_LIFE - SECOND * 2);
    let again = world.open();
    world.say(again, &hello(1));
    assert_eq!(
        world.error(again),
        None,
        "the day begins when the room becomes empty"
    );
    world.say(again, &LEAVE);
    world.pass(EMPTY_ROOM_LIFE + SECOND);
    assert_eq!(world.signaling.rooms(), 0);
    assert_eq!(world.signaling.stats().count(Count::RoomExpired), 1);
    assert_eq!(
        world.signaling.poll_timeout(),
        None,
        "nothing is left to wait for"
    );
    let late = world.open();
    world.say(late, &hello(1));
    assert_eq!(world.error(late), Some(ErrorCode::Refused));
}

#[test]
fn the_page_is_told_of_its_transport() {
    let mut world = World::new(1);
    let members = world.room_with(1, 2);
    world.connect_peer(world.last_peer());
    assert_eq!(world.page(members[1]).transport, Some(TransportState::Connected));
    assert_eq!(world.page(members[0]).transport, None);
}

#[test]
fn a_transport_that_never_connected_ends_the_membership_with_its_reason() {
    for (reason, code) in [
        (
            PeerClosedReason::FingerprintMismatch,
            ErrorCode::FingerprintMismatch,
        ),
        (PeerClosedReason::DtlsFailed, ErrorCode::TransportFailed),
        (PeerClosedReason::IceTimeout, ErrorCode::TransportFailed),
        (PeerClosedReason::ClosedByPeer, ErrorCode::TransportFailed),
        (PeerClosedReason::Unreachable, ErrorCode::TransportFailed),
        (PeerClosedReason::Overload, ErrorCode::ServerFull),
    ] {
        let mut world = World::new(1);
        let members = world.room_with(1, 2);
        world.close_peer(world.last_peer(), reason);
        assert_eq!(world.page(members[1]).transport, Some(TransportState::Closed));
        let error = world.page(members[1]).error.clone().unwrap();
        assert_eq!((error.code, error.detail.as_str()), (code, reason.as_str()));
        assert!(world.page(members[0]).roster.is_empty() && world.page(members[0]).slots.is_empty());
        assert_eq!(world.sfu.peers.len(), 1);
    }
}

#[test]
fn events_of_unknown_peers_are_counted_and_harmless() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    world.connect_peer(PeerId(99));
    assert_eq!(world.signaling.stats().count(Count::UnknownPeer), 1);
}

#[test]
fn what_the_shell_gives_up_is_told_once() {
    for (fault, code) in [
        (Fault::TooLarge, ErrorCode::TooLarge),
        (Fault::NotText, ErrorCode::Malformed),
        (Fault::TooSlow, ErrorCode::TooSlow),
    ] {
        let mut world = World::new(1);
        let page = world.room_with(1, 1)[0];
        let now = world.now;
        world.signaling.handle_fault(page, fault, now);
        world.signaling.handle_fault(page, fault, now);
        world.deliver();
        assert_eq!(world.error(page), Some(code));
        world.signaling.handle_closed(page, Closing::Broken, now);
        assert_eq!(world.signaling.stats().count(Count::Closed), 1);
    }
}

#[test]
fn a_connection_above_the_limit_is_told_that_the_server_is_full() {
    let mut world = World::new(1);
    for _ in 0..SESSIONS_MAX {
        world.open();
    }
    let page = world.open();
    assert_eq!(world.error(page), Some(ErrorCode::ServerFull));
    assert_eq!(world.signaling.connections(), SESSIONS_MAX);
    world.close(ConnectionId(0));
    let page = world.open();
    assert_eq!(world.error(page), None);
}

#[test]
fn a_stop_is_told_to_everybody() {
    let mut world = World::new(1);
    let mut pages = world.room_with(1, 3);
    pages.push(world.open());
    let now = world.now;
    world.signaling.handle_stop(now);
    // A member that leaves is told to those who are told to stop after it; that is in order.
    world.deliver();
    for page in pages {
        assert_eq!(world.error(page), Some(ErrorCode::ServerStopping));
    }
    assert!(world.sfu.peers.is_empty());
}
