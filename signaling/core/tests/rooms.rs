//! Random joins, leaves, broken lines, lost transports, messages and events against a simple model of rooms.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;
mod model;

use std::time::Duration;

use harness::{
    ANSWER, LEAVE, PING, World, announce, answer, create, gate, hello, hello_with, media, resume, sealed,
};
use model::{Key, Member, Model, pick, switch};
use protocol::bytes::ResumeToken;
use protocol::client::{ErrorCode, MediaState, OfferedTransport, Presence, TransportState};
use protocol::ids::Mid;
use protocol::limits::MEDIA_MEMBERS_MAX;
use protocol::sfu::PeerClosedReason;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use signaling_core::limits::RESTARTS_MAX;
use signaling_core::stats::Count;

const RUNS: u64 = 40;
const STEPS: usize = 500;
const ROOMS: u8 = 3;
/// The step in which the server of every second run begins to drain.
const DRAIN_STEP: usize = 400;

#[test]
fn random_conversations_keep_every_promise() {
    let (first, runs) = match std::env::var("UNDERTONE_SEED") {
        Ok(seed) => (seed.parse().expect("UNDERTONE_SEED is a number"), 1),
        Err(_) => (1, RUNS),
    };
    let mut sums = [0; 8];
    for seed in first..first + runs {
        let result = std::panic::catch_unwind(|| run(seed));
        let counts = result.unwrap_or_else(|panic| {
            eprintln!("replay with: UNDERTONE_SEED={seed} cargo test -p signaling-core --test rooms");
            std::panic::resume_unwind(panic)
        });
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    let enough = sums.iter().all(|sum| *sum > runs);
    assert!(enough || runs == 1, "the runs say something: {sums:?}");
}

/// What has to have happened for a run to mean something.
fn run(seed: u64) -> [u64; 8] {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut world = World::new(seed);
    let mut model = Model::default();
    for number in 0..STEPS {
        if number == DRAIN_STEP && seed.is_multiple_of(2) {
            drain(&mut world, &mut model);
        }
        step(&mut world, &mut model, &mut rng);
        model.follow(&mut world);
        model.check(&world);
    }
    end(&mut world, &mut model);
    [
        Count::Joined,
        Count::Resumed,
        Count::TakenOver,
        Count::Expired,
        Count::TransportLost,
        Count::OfferNew,
        Count::OfferMore,
        Count::ResumeNoSeat,
    ]
    .map(|count| world.signaling.stats().count(count))
}

fn step(world: &mut World, model: &mut Model, rng: &mut ChaCha12Rng) {
    let number = u8::try_from(rng.next_u32() % u32::from(ROOMS)).unwrap();
    let here = pick(model.here(), rng);
    let held = pick(model.held(), rng);
    let anyone = pick(model.members.keys().copied().collect(), rng);
    match (rng.next_u32() % 40, here) {
        (0..=6, _) => join(world, model, number, rng),
        (7..=18, Some(key)) => give_answer(world, model, key),
        (19, Some(key)) => world.say(model.connection(key), &LEAVE),
        (20, Some(key)) => world.close(model.connection(key)),
        (21 | 22, Some(key)) => world.break_line(model.connection(key)),
        (23..=25, _) => {
            if let Some(key) = held {
                come_back(world, model, key);
            }
        }
        (26, Some(key)) => come_back(world, model, key),
        (27, Some(key)) => {
            let byte = rng.next_u32().to_be_bytes()[0];
            world.say(model.connection(key), &announce(byte));
            model.member(key).known.sealed = Some(sealed(byte));
        }
        (28, Some(key)) => {
            let (microphone, camera) = (rng.next_u32().is_multiple_of(2), rng.next_u32().is_multiple_of(2));
            world.say(model.connection(key), &media(microphone, camera));
            model.member(key).known.media = MediaState {
                microphone: switch(microphone),
                camera: switch(camera),
            };
        }
        (29, Some(key)) => world.say(model.connection(key), &PING),
        (30..=33, _) => {
            if let Some(key) = anyone {
                sfu_event(world, model, key, rng);
            }
        }
        (34, Some(key)) => misbehave(world, model, key, rng),
        (35, Some(key)) => answer_replaced(world, model, key),
        (36, _) => try_in_vain(world, model, number),
        (37, _) => everybody_pings(world, model),
        _ => world.pass(Duration::from_millis(u64::from(rng.next_u32() % 9_000))),
    }
}

fn drain(world: &mut World, model: &mut Model) {
    let deadline = world.now + Duration::from_secs(3_600);
    world.signaling.handle_drain(deadline, world.now);
    world.deliver();
    model.is_draining = true;
    for key in model.here() {
        let page = world.page(model.connection(key));
        assert_eq!(page.stopping, Some(3_600_000));
    }
}

fn join(world: &mut World, model: &mut Model, number: u8, rng: &mut ChaCha12Rng) {
    let connection = world.open();
    if model.is_draining {
        let message = if rng.next_u32().is_multiple_of(2) {
            create(number)
        } else {
            hello(number)
        };
        world.say(connection, &message);
        assert_eq!(world.error(connection), Some(ErrorCode::ServerStopping));
        return;
    }
    if model.rooms.insert(number) {
        world.say(connection, &create(number));
    }
    if rng.next_u32().is_multiple_of(8) {
        world.say(connection, &PING);
    }
    world.say(connection, &hello(number));
    match world.error(connection) {
        Some(ErrorCode::RateLimited) => {}
        error if model.in_room(number).count() == MEDIA_MEMBERS_MAX => {
            assert_eq!(error, Some(ErrorCode::RoomFull));
        }
        error => {
            assert_eq!(error, None);
            let page = world.page(connection);
            let key = (number, page.seat.unwrap());
            let member = Member::new(connection, page.token.unwrap(), world.now);
            assert!(
                model.members.insert(key, member).is_none(),
                "a seat is taken once"
            );
        }
    }
}

fn give_answer(world: &mut World, model: &mut Model, key: Key) {
    let connection = model.connection(key);
    let asked = world.page(connection).asked.clone();
    let before = world.sfu.last_added;
    world.answer(connection);
    match asked.map(|asked| asked.transport) {
        None => assert_eq!(world.error(connection), Some(ErrorCode::OutOfOrder)),
        Some(OfferedTransport::Kept) => assert_eq!(world.sfu.last_added, before),
        Some(OfferedTransport::New) => {
            assert_ne!(world.sfu.last_added, before);
            let peer = world.sfu.last_added;
            model.member(key).linked(peer);
        }
    }
}

/// An answer to an offer that was replaced while it was on its way changes nothing.
fn answer_replaced(world: &mut World, model: &mut Model, key: Key) {
    let connection = model.connection(key);
    let page = world.page(connection);
    if let (Some(replaced), Some(_)) = (&page.replaced, &page.asked) {
        let message = answer(replaced.negotiation, ANSWER);
        world.say(connection, &message);
        assert_eq!(world.error(connection), None);
    }
}

/// A member comes back, after its line broke or while it still seems alive.
fn come_back(world: &mut World, model: &mut Model, key: Key) {
    let old = model.members[&key].page;
    let was_open = !world.page(old).closed;
    let connection = world.come_back(key.0, old);
    assert_eq!(world.error(connection), None);
    assert!(world.page(old).closed, "no seat has two sessions");
    assert!(world.page(old).error.is_none() || !was_open);
    let is_linked = model.members[&key].peer.is_some();
    let page = world.page(connection);
    let wanted = if is_linked {
        TransportState::Connected
    } else {
        TransportState::Closed
    };
    assert_eq!(page.transport, Some(wanted));
    let asked = page.asked.as_ref().map(|asked| asked.transport);
    if is_linked {
        assert_ne!(asked, Some(OfferedTransport::New));
    } else {
        assert_eq!(asked, Some(OfferedTransport::New));
    }
    assert_eq!(page.stopping.is_some(), model.is_draining);
    let member = model.member(key);
    member.page = connection;
    member.held_since = None;
}

fn sfu_event(world: &mut World, model: &mut Model, key: Key, rng: &mut ChaCha12Rng) {
    let Some(peer) = model.members[&key].peer else {
        return;
    };
    let now = world.now;
    let one_in = if model.members[&key].is_connected { 2 } else { 10 };
    if !rng.next_u32().is_multiple_of(one_in) {
        world.connect_peer(peer);
        let member = model.member(key);
        member.is_connected = true;
        member.known.presence = Presence::Here;
        return;
    }
    let reasons = [
        PeerClosedReason::IceTimeout,
        PeerClosedReason::ClosedByPeer,
        PeerClosedReason::DtlsFailed,
        PeerClosedReason::Unreachable,
    ];
    let reason = reasons[rng.next_u32() as usize % reasons.len()];
    world.close_peer(peer, reason);
    let member = model.member(key);
    let can_restart = member.is_connected && reason != PeerClosedReason::Unreachable;
    let is_kept = can_restart && member.restart(now) <= RESTARTS_MAX;
    member.peer = None;
    member.is_connected = false;
    member.known.presence = Presence::Away;
    let is_here = member.held_since.is_none();
    let connection = member.page;
    if is_here {
        let wanted = (!is_kept).then_some(ErrorCode::TransportFailed);
        assert_eq!(world.error(connection), wanted);
        assert_eq!(world.page(connection).transport, Some(TransportState::Closed));
        let asked = world.page(connection).asked.as_ref();
        assert!(!is_kept || asked.unwrap().transport == OfferedTransport::New);
    } else if !is_kept {
        model.members.remove(&key);
    }
}

fn misbehave(world: &mut World, model: &mut Model, key: Key, rng: &mut ChaCha12Rng) {
    let connection = model.connection(key);
    match rng.next_u32() % 6 {
        0 => world.say_text(connection, br#"{"type":"ping","type":"ping"}"#),
        1 => world.say(connection, &answer(4_000_000_000, ANSWER)),
        2 => world.say(connection, &create(0)),
        3 => world.say(connection, &resume(key.0, model.members[&key].token)),
        4 => {
            let negotiation = world.page(connection).last_negotiation;
            world.say(connection, &answer(negotiation, "v=0\r\n"));
        }
        _ => (0..60).for_each(|_| {
            if !world.page(connection).closed {
                world.say(connection, &PING);
            }
        }),
    }
    assert!(world.error(connection).is_some());
}

/// Wrong gates, wrong tokens, tokens of another room and tokens of seats that are free are refused, and change nothing.
fn try_in_vain(world: &mut World, model: &Model, number: u8) {
    let page = world.open();
    world.say(page, &hello_with(number, gate(200)));
    let refused = [
        ErrorCode::Refused,
        ErrorCode::RateLimited,
        ErrorCode::ServerStopping,
    ];
    assert!(refused.contains(&world.error(page).unwrap()));
    let other_room = (number + 1) % ROOMS;
    let of_another = model.in_room(other_room).next().map(|(_, member)| member.token);
    let of_the_past = model.past_tokens.get(&number).cloned();
    let invented = Some(ResumeToken::from_bytes([7; 32]));
    for token in [of_another, of_the_past, invented].into_iter().flatten() {
        let page = world.open();
        world.say(page, &resume(number, token));
        assert!(matches!(
            world.error(page),
            Some(ErrorCode::ResumeRefused | ErrorCode::RateLimited)
        ));
    }
}

fn everybody_pings(world: &mut World, model: &Model) {
    for key in model.here() {
        world.say(model.connection(key), &PING);
    }
}

/// Everybody answers what is asked until nothing is; then everybody who is there is in everybody's slots.
fn end(world: &mut World, model: &mut Model) {
    for _ in 0..6 {
        for key in model.here() {
            let connection = model.connection(key);
            world.say(connection, &PING);
            let is_asked = world.page(connection).asked.is_some();
            if is_asked && world.error(connection).is_none() {
                give_answer(world, model, key);
            }
        }
        model.follow(world);
        world.pass(Duration::from_secs(1));
        model.follow(world);
        model.check(world);
    }
    for key in model.here() {
        let page = world.page(model.connection(key));
        assert!(page.asked.is_none());
        let others = model.in_room(key.0).filter(|(other, _)| *other != key);
        let senders = others.filter(|(_, member)| member.has_answered).count();
        assert_eq!(
            page.slots.len(),
            2 * senders,
            "everybody hears and sees everybody"
        );
    }
    let is_empty = model.members.is_empty();
    assert_eq!(world.signaling.is_drained(), model.is_draining && is_empty);
}

/// The name of every slot says its medium and its number, which the model relies on.
#[test]
fn slot_names_are_medium_and_number() {
    let mut world = World::new(1);
    let members = world.room_with(1, 2);
    let mids: Vec<&Mid> = world.page(members[0]).slots.keys().collect();
    assert_eq!(mids, [&Mid::new("a0").unwrap(), &Mid::new("v0").unwrap()]);
}
