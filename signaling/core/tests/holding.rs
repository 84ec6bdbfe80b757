//! Rooms that hold: broken lines, pages that come back, transports that are lost, slots that grow, and the drain.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::time::Duration;

use harness::answer::{Credentials, answer_to};
use harness::{ANSWER, LEAVE, PING, World, announce, answer, create, hello, media, resume};
use protocol::bytes::ResumeToken;
use protocol::client::{ErrorCode, OfferedTransport, Presence, ServerMessage, TransportState};
use protocol::ids::Seat;
use protocol::limits::MEDIA_MEMBERS_MAX;
use protocol::sfu::PeerClosedReason;
use signaling_core::limits::{
    ADDRESS_FAILURES_MAX, ANSWER_DEADLINE, GROWTH_DELAY, HELD_SEATS_MAX, RESTARTS_MAX, RESUME_WINDOW,
    ROOM_RESUME_FAILURES_MAX,
};
use signaling_core::negotiation::AnswerReason;
use signaling_core::stats::Count;
use signaling_core::{Closing, ConnectionId, Fault};

/// How a page goes.
type Way = fn(&mut World, ConnectionId);

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_broken_line_is_told_to_nobody_and_the_media_flows_on() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let fed = world.sfu.peers.clone();
    world.break_line(ben);
    assert!(world.news(ada).is_empty());
    assert_eq!(world.sfu.peers, fed, "the SFU is told nothing");

    let again = world.come_back(1, ben);
    let news = world.news(again);
    let [ServerMessage::Resumed(resumed)] = &news[..] else {
        panic!("one message says everything: {news:?}")
    };
    assert_eq!(resumed.transport, TransportState::Connected);
    assert_eq!(world.page(again).slots.len(), 2);
    assert!(world.news(ada).is_empty(), "nobody is told that it is back");
    assert_eq!(world.sfu.peers, fed);
    assert_eq!(world.signaling.stats().count(Count::Resumed), 1);
    world.say(again, &announce(3));
    assert_eq!(world.news(ada).len(), 1, "it may say what it may after joined");
}

#[test]
fn whoever_comes_back_learns_what_has_changed() {
    let mut world = World::new(1);
    let members = world.room_with(1, 3);
    world.break_line(members[2]);
    world.say(members[1], &LEAVE);
    let late = world.open();
    world.say(late, &hello(1));
    world.say(late, &announce(9));
    world.say(members[0], &media(true, true));
    let again = world.come_back(1, members[2]);
    let (page, other) = (world.page(again), world.page(late));
    assert_eq!(
        page.roster.keys().map(|seat| seat.number()).collect::<Vec<_>>(),
        [0, 3]
    );
    assert!(page.roster[&other.seat.unwrap()].sealed.is_some());
    assert_eq!(page.slots.len(), 2, "whoever left is in no slot");
    assert_eq!(other.roster.len(), 2, "a held seat is a member");
}

#[test]
fn a_seat_is_freed_when_nobody_comes_back_in_time() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    world.break_line(ben);
    alive_for(&mut world, ada, RESUME_WINDOW - SECOND);
    assert_eq!(world.page(ada).roster.len(), 1);
    alive_for(&mut world, ada, SECOND * 2);
    assert!(world.page(ada).roster.is_empty() && world.page(ada).slots.is_empty());
    assert_eq!(world.sfu.peers.len(), 1);
    assert_eq!(world.signaling.stats().count(Count::Expired), 1);
    let again = world.come_back(1, ben);
    assert_eq!(world.error(again), Some(ErrorCode::ResumeRefused));
}

#[test]
fn whoever_leaves_closes_or_errs_is_gone_at_once() {
    let ways: [(&str, Way); 4] = [
        ("leave", |world, page| world.say(page, &LEAVE)),
        ("close", World::close),
        ("an error", |world, page| world.say(page, &create(1))),
        ("not text", |world, page| {
            let now = world.now;
            world.signaling.handle_fault(page, Fault::NotText, now);
            world.deliver();
        }),
    ];
    for (name, go) in ways {
        let mut world = World::new(1);
        let [ada, ben] = two(&mut world);
        go(&mut world, ben);
        assert!(world.page(ada).roster.is_empty(), "{name}");
        assert_eq!(
            (world.sfu.peers.len(), world.signaling.seats_held()),
            (1, 0),
            "{name}"
        );
        let again = world.come_back(1, ben);
        assert_eq!(world.error(again), Some(ErrorCode::ResumeRefused), "{name}");
    }
}

#[test]
fn a_page_that_does_not_read_may_come_back() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let now = world.now;
    world.signaling.handle_fault(ben, Fault::TooSlow, now);
    world.deliver();
    assert_eq!(world.error(ben), Some(ErrorCode::TooSlow));
    assert!(world.news(ada).is_empty());
    let again = world.come_back(1, ben);
    assert_eq!(world.error(again), None);
}

#[test]
fn a_page_takes_its_seat_over_from_a_connection_that_seems_alive() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let again = world.come_back(1, ben);
    assert!(world.page(ben).closed && world.error(ben).is_none());
    assert_eq!(world.signaling.stats().count(Count::TakenOver), 1);
    let now = world.now;
    for closing in [Closing::Clean, Closing::Broken] {
        world.signaling.handle_closed(ben, closing, now);
    }
    world.deliver();
    assert_eq!(
        world.signaling.seats_held(),
        0,
        "the end of the old one means nothing"
    );
    world.say(again, &PING);
    assert_eq!(world.error(again), None);
    assert!(world.news(ada).is_empty());
}

#[test]
fn a_wrong_token_and_an_unknown_room_are_told_alike() {
    let mut world = World::new(1);
    let ada = world.room_with(1, 1)[0];
    let token = world.page(ada).token.unwrap();
    let mut texts = Vec::new();
    for (number, token) in [(1, ResumeToken::from_bytes([1; 32])), (2, token)] {
        let page = world.open();
        world.say(page, &resume(number, token));
        let news = world.news(page);
        texts.push(news.iter().map(ServerMessage::encode).collect::<Vec<_>>());
    }
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0][0].contains("\"resume_refused\""));
    let stats = world.signaling.stats();
    assert_eq!(
        (stats.count(Count::ResumeNoSeat), stats.count(Count::ResumeNoRoom)),
        (1, 1)
    );
}

#[test]
fn failing_to_come_back_is_limited_and_does_not_keep_anybody_from_entering() {
    let mut world = World::new(1);
    world.room_with(1, 1);
    let wrong = || resume(1, ResumeToken::from_bytes([1; 32]));
    for _ in 0..ROOM_RESUME_FAILURES_MAX {
        let page = world.open();
        world.say(page, &wrong());
        assert_eq!(world.error(page), Some(ErrorCode::ResumeRefused));
    }
    let page = world.open();
    world.say(page, &wrong());
    assert_eq!(world.error(page), Some(ErrorCode::RateLimited));
    let page = world.open();
    world.say(page, &hello(1));
    assert_eq!(world.error(page), None, "the right gate still opens");
    for number in 0..ADDRESS_FAILURES_MAX {
        let page = world.open_from([192, 0, 2, 1]);
        let number = u8::try_from(number + 2).unwrap();
        world.say(page, &resume(number, ResumeToken::from_bytes([1; 32])));
        assert_eq!(world.error(page), Some(ErrorCode::ResumeRefused));
    }
    let page = world.open_from([192, 0, 2, 1]);
    world.say(page, &hello(1));
    assert_eq!(
        world.error(page),
        Some(ErrorCode::RateLimited),
        "the address waits"
    );
}

#[test]
fn a_full_room_behind_one_address_meets_again_after_a_restart() {
    let mut world = World::new(1);
    for round in 0..3 {
        for _ in 0..MEDIA_MEMBERS_MAX {
            let page = world.open_from([192, 0, 2, 1]);
            let message = match round {
                0 => resume(1, ResumeToken::from_bytes([1; 32])),
                1 => hello(1),
                _ => create(1),
            };
            world.say(page, &message);
            assert_ne!(world.error(page), Some(ErrorCode::RateLimited), "round {round}");
        }
    }
    for _ in 0..MEDIA_MEMBERS_MAX {
        let page = world.open_from([192, 0, 2, 1]);
        world.say(page, &hello(1));
        assert_eq!(world.error(page), None);
    }
}

#[test]
fn held_seats_are_bounded_and_one_too_many_is_a_leave() {
    let mut world = World::new(1);
    let mut pages = Vec::new();
    for number in 0..=u8::try_from(HELD_SEATS_MAX / MEDIA_MEMBERS_MAX).unwrap() {
        for member in 0..MEDIA_MEMBERS_MAX {
            let page = world.open();
            if member == 0 {
                world.say(page, &create(number));
            }
            world.say(page, &hello(number));
            pages.push(page);
        }
    }
    for page in pages.iter().take(HELD_SEATS_MAX) {
        world.break_line(*page);
    }
    assert_eq!(world.signaling.seats_held(), HELD_SEATS_MAX);
    let one_more = pages[HELD_SEATS_MAX];
    world.break_line(one_more);
    assert_eq!(world.signaling.seats_held(), HELD_SEATS_MAX);
    assert_eq!(world.signaling.stats().count(Count::SeatNotHeld), 1);
    let again = world.come_back(41, one_more);
    assert_eq!(world.error(again), Some(ErrorCode::ResumeRefused));
}

#[test]
fn a_lost_transport_is_offered_again_on_the_same_seat() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let peer = world.last_peer();
    world.connect_peer(peer);
    world.news(ada);
    let slots = world.page(ada).slots.clone();
    world.close_peer(peer, PeerClosedReason::IceTimeout);
    let seat = world.page(ben).seat.unwrap();
    assert!(
        matches!(&world.news(ada)[..], [ServerMessage::Presence(it)] if it.seat == seat && it.presence == Presence::Away),
        "the others are told that it is away, and nothing else"
    );
    assert_eq!(world.page(ada).slots, slots, "its slots stay its own");
    assert_eq!(
        world.page(ben).asked.as_ref().unwrap().transport,
        OfferedTransport::New
    );
    assert_eq!(world.page(ben).transport, Some(TransportState::Closed));

    let late = world.open();
    world.say(late, &hello(1));
    assert_eq!(world.page(late).roster[&seat].presence, Presence::Away);
    world.answer(late);
    assert_eq!(
        world.page(late).slots.len(),
        4,
        "who is away has its slots already"
    );

    world.answer(ben);
    assert_ne!(world.last_peer(), peer);
    world.news(ada);
    world.connect_peer(world.last_peer());
    assert!(matches!(&world.news(ada)[..], [ServerMessage::Presence(it)] if it.presence == Presence::Here));
    let fed = |world: &World| {
        world
            .sfu
            .peers
            .values()
            .map(|slots| slots.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(fed(&world), [4, 4, 4]);
}

#[test]
fn a_transport_that_is_lost_while_the_line_is_broken_is_offered_with_the_return() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let peer = world.last_peer();
    world.connect_peer(peer);
    world.break_line(ben);
    world.close_peer(peer, PeerClosedReason::ClosedByPeer);
    let seat = world.page(ben).seat.unwrap();
    assert_eq!(world.page(ada).roster[&seat].presence, Presence::Away);
    let again = world.come_back(1, ben);
    assert_eq!(world.page(again).transport, Some(TransportState::Closed));
    world.answer(again);
    world.connect_peer(world.last_peer());
    assert_eq!(world.page(ada).roster[&seat].presence, Presence::Here);
}

#[test]
fn a_transport_that_fails_while_the_line_is_broken_frees_the_seat() {
    for reason in [
        PeerClosedReason::FingerprintMismatch,
        PeerClosedReason::Unreachable,
    ] {
        let mut world = World::new(1);
        let [ada, ben] = two(&mut world);
        world.break_line(ben);
        world.close_peer(world.last_peer(), reason);
        assert!(world.page(ada).roster.is_empty(), "{reason:?}");
        assert_eq!(world.signaling.seats_held(), 0);
    }
}

#[test]
fn a_certificate_that_changes_is_never_offered_another_try() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    world.connect_peer(world.last_peer());
    world.close_peer(world.last_peer(), PeerClosedReason::FingerprintMismatch);
    assert_eq!(world.error(ben), Some(ErrorCode::FingerprintMismatch));
    assert!(world.page(ada).roster.is_empty());
}

#[test]
fn a_transport_that_is_lost_again_and_again_ends_the_membership() {
    let mut world = World::new(1);
    let [_, ben] = two(&mut world);
    for lost in 0..=RESTARTS_MAX {
        assert_eq!(world.error(ben), None, "{lost}");
        world.connect_peer(world.last_peer());
        world.close_peer(world.last_peer(), PeerClosedReason::ClosedByPeer);
        if lost < RESTARTS_MAX {
            world.answer(ben);
        }
    }
    assert_eq!(world.error(ben), Some(ErrorCode::TransportFailed));
    assert_eq!(world.signaling.stats().count(Count::RestartsLimited), 1);
}

#[test]
fn an_offer_that_was_not_answered_is_made_again_under_another_number() {
    let mut world = World::new(1);
    let pages = world.room_with(1, 5);
    world.pass(GROWTH_DELAY);
    let asked = world.page(pages[0]).asked.clone().expect("it is time to grow");
    assert_eq!((asked.negotiation, asked.transport), (2, OfferedTransport::Kept));
    world.break_line(pages[0]);
    let again = world.come_back(1, pages[0]);
    let asked = world.page(again).asked.clone().expect("it is asked again");
    assert_eq!((asked.negotiation, asked.transport), (3, OfferedTransport::Kept));
    world.say(again, &answer(2, ANSWER));
    assert_eq!(world.error(again), None, "the late answer is passed over");
    assert_eq!(world.signaling.stats().count(Count::AnswerReplaced), 1);
    world.answer(again);
    world.say(again, &answer(3, ANSWER));
    assert_eq!(
        world.error(again),
        Some(ErrorCode::OutOfOrder),
        "once for each offer"
    );
}

#[test]
fn every_newcomer_is_heard_at_once_while_a_room_fills() {
    let mut world = World::new(1);
    let mut pages = Vec::new();
    let mut offers = 0;
    for members in 1..=MEDIA_MEMBERS_MAX {
        let page = world.open();
        if pages.is_empty() {
            world.say(page, &create(1));
        }
        world.say(page, &hello(1));
        world.answer(page);
        pages.push(page);
        for page in &pages {
            assert_eq!(world.page(*page).slots.len(), 2 * (members - 1), "{members}");
        }
        world.settle(&pages);
        everybody(&mut world, &pages, &PING);
    }
    for message in world.news(pages[0]) {
        offers += u32::from(matches!(message, ServerMessage::Offer(_)));
    }
    assert_eq!(
        offers, 3,
        "the first was asked three times, and nobody more often"
    );
}

#[test]
fn a_crowd_that_comes_at_once_is_few_offers_and_hears_everybody() {
    let mut world = World::new(1);
    let pages: Vec<ConnectionId> = (0..MEDIA_MEMBERS_MAX)
        .map(|number| {
            let page = world.open();
            if number == 0 {
                world.say(page, &create(1));
            }
            world.say(page, &hello(1));
            world.say(page, &announce(7));
            page
        })
        .collect();
    everybody(&mut world, &pages, &media(true, true));
    world.settle(&pages);
    for page in &pages {
        assert_eq!(world.page(*page).slots.len(), 2 * (MEDIA_MEMBERS_MAX - 1));
        let news = world.news(*page);
        let offers = news
            .iter()
            .filter(|message| matches!(message, ServerMessage::Offer(_)));
        assert!(offers.count() <= 2, "growth is batched");
        assert!(
            news.len() < 150,
            "{} messages fit into the queue of a page",
            news.len()
        );
    }
}

#[test]
fn one_offer_is_outstanding_and_further_growth_waits_for_its_answer() {
    let mut world = World::new(1);
    let mut pages = world.room_with(1, 5);
    world.pass(GROWTH_DELAY);
    let first = pages[0];
    let slots = |world: &World| {
        world
            .page(first)
            .asked
            .as_ref()
            .unwrap()
            .sdp
            .matches("m=audio")
            .count()
    };
    assert_eq!(slots(&world), 1 + 8);
    for _ in 5..12 {
        let page = world.open();
        world.say(page, &hello(1));
        world.answer(page);
        pages.push(page);
    }
    world.pass(GROWTH_DELAY * 4);
    assert_eq!(slots(&world), 1 + 8, "the same offer is still owed");
    world.answer(first);
    assert_eq!(
        world.page(first).slots.len(),
        8 + 9,
        "what fits is bound, video before its audio"
    );
    world.pass(GROWTH_DELAY);
    assert_eq!(
        slots(&world),
        1 + 16,
        "then everything that is missing comes at once"
    );
    world.answer(first);
    assert_eq!(world.page(first).slots.len(), 2 * 11);
}

#[test]
fn an_offer_of_more_slots_has_its_deadline() {
    let mut world = World::new(1);
    let pages = world.room_with(1, 5);
    world.pass(GROWTH_DELAY);
    for page in &pages[1..] {
        if world.page(*page).asked.is_some() {
            world.answer(*page);
        }
    }
    for _ in 0..4 {
        everybody(&mut world, &pages, &PING);
        world.pass(ANSWER_DEADLINE / 4);
    }
    everybody(&mut world, &pages, &PING);
    world.pass(SECOND);
    assert_eq!(world.error(pages[0]), Some(ErrorCode::TooSlow));
    assert_eq!(world.signaling.stats().count(Count::AnswerTimeout), 1);
    assert_eq!(world.page(pages[1]).roster.len(), 3);
}

#[test]
fn an_answer_that_changes_a_living_transport_ends_the_membership() {
    let mut world = World::new(1);
    let pages = world.room_with(1, 5);
    world.pass(GROWTH_DELAY);
    let asked = world.page(pages[0]).asked.clone().unwrap();
    let other = Credentials::new(77);
    let sdp = answer_to(&asked.sdp, &other);
    world.say(pages[0], &answer(asked.negotiation, &sdp));
    assert_eq!(world.error(pages[0]), Some(ErrorCode::BadAnswer));
    let count = Count::AnswerRefused(AnswerReason::Ice);
    assert_eq!(world.signaling.stats().count(count), 1);
}

#[test]
fn a_transport_that_is_lost_during_growth_replaces_the_offer() {
    let mut world = World::new(1);
    let pages = world.room_with(1, 5);
    let (peer, _) = world.sfu.peers.first_key_value().unwrap();
    let peer = *peer;
    world.connect_peer(peer);
    world.pass(GROWTH_DELAY);
    let old = world.page(pages[0]).asked.clone().unwrap();
    world.close_peer(peer, PeerClosedReason::IceTimeout);
    let asked = world.page(pages[0]).asked.clone().unwrap();
    assert_eq!(asked.transport, OfferedTransport::New);
    assert_eq!(
        asked.sdp.matches("m=audio").count(),
        1 + 8,
        "it has the size that is needed"
    );
    world.say(pages[0], &answer(old.negotiation, ANSWER));
    assert_eq!(world.error(pages[0]), None);
    world.answer(pages[0]);
    assert_eq!(world.page(pages[0]).slots.len(), 8);
}

#[test]
fn a_draining_server_lets_only_its_members_back_in() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    let waiting = world.open();
    let deadline = world.now + SECOND * 60;
    let now = world.now;
    world.signaling.handle_drain(deadline, now);
    world.deliver();
    assert_eq!(world.page(ada).stopping, Some(60_000));
    for message in [create(2), hello(1)] {
        let page = world.open();
        world.say(page, &message);
        assert_eq!(world.error(page), Some(ErrorCode::ServerStopping));
    }
    world.say(waiting, &hello(1));
    assert_eq!(world.error(waiting), Some(ErrorCode::ServerStopping));
    world.break_line(ben);
    world.now += SECOND * 20;
    let again = world.come_back(1, ben);
    assert_eq!(
        world.page(again).stopping,
        Some(40_000),
        "it is told how long is left"
    );
    assert!(!world.signaling.is_drained());
    world.say(again, &LEAVE);
    assert!(!world.signaling.is_drained());
    world.close(ada);
    assert!(world.signaling.is_drained(), "nobody is left");
}

#[test]
fn a_drain_ends_at_its_deadline_whoever_is_left() {
    let mut world = World::new(1);
    let [ada, ben] = two(&mut world);
    world.break_line(ben);
    let (deadline, now) = (world.now + SECOND * 7, world.now);
    world.signaling.handle_drain(deadline, now);
    world.deliver();
    world.pass(SECOND * 7 - Duration::from_millis(1));
    assert!(!world.signaling.is_drained());
    world.pass(Duration::from_millis(1));
    assert!(world.signaling.is_drained());
    let now = world.now;
    world.signaling.handle_stop(now);
    world.deliver();
    assert_eq!(world.error(ada), Some(ErrorCode::ServerStopping));
    assert_eq!(world.signaling.seats_held(), 0);
    assert!(world.sfu.peers.is_empty());
}

#[test]
fn seats_of_those_who_come_back_are_not_given_to_others() {
    let mut world = World::new(1);
    let [_, ben] = two(&mut world);
    world.break_line(ben);
    let late = world.open();
    world.say(late, &hello(1));
    assert_eq!(world.page(late).seat, Seat::new(2).ok());
    let again = world.come_back(1, ben);
    assert_eq!(world.page(again).seat, Seat::new(1).ok());
}

/// Two members whose answers are in, and who have read everything.
fn two(world: &mut World) -> [ConnectionId; 2] {
    let members = world.room_with(1, 2);
    for member in &members {
        world.news(*member);
    }
    [members[0], members[1]]
}

/// Lets time pass for a page that shows that it is there.
fn alive_for(world: &mut World, page: ConnectionId, time: Duration) {
    let end = world.now + time;
    while world.now < end {
        world.say(page, &PING);
        let step = (end - world.now).min(SECOND * 10);
        world.pass(step);
    }
}

fn everybody(world: &mut World, pages: &[ConnectionId], message: &protocol::client::ClientMessage) {
    for page in pages {
        if !world.page(*page).closed {
            world.say(*page, message);
        }
    }
}
