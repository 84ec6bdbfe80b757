//! Random joins, leaves, messages and events against a simple model of rooms.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::{
    Known, LEAVE, PING, World, announce, answer, create, gate, hello, hello_with, media, room, sealed,
};
use protocol::client::{ErrorCode, MediaState, Switch};
use protocol::ids::{Mid, PeerId, Seat};
use protocol::media::SourceKind;
use protocol::sfu::{PeerClosedReason, SfuEvent};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use signaling_core::ConnectionId;
use signaling_core::stats::Count;

const RUNS: u64 = 40;
const STEPS: usize = 400;
const ROOMS: u8 = 3;

/// What the rooms should be, said as simply as possible.
#[derive(Default)]
struct Model {
    rooms: BTreeMap<u8, BTreeSet<ConnectionId>>,
    members: BTreeMap<ConnectionId, Member>,
}

struct Member {
    room: u8,
    known: Known,
    peer: Option<PeerId>,
}

#[test]
fn random_conversations_keep_every_promise() {
    let (first, runs) = match std::env::var("UNDERTONE_SEED") {
        Ok(seed) => (seed.parse().expect("UNDERTONE_SEED is a number"), 1),
        Err(_) => (1, RUNS),
    };
    let mut joins = 0;
    for seed in first..first + runs {
        let result = std::panic::catch_unwind(|| run(seed));
        joins += result.unwrap_or_else(|panic| {
            eprintln!("replay with: UNDERTONE_SEED={seed} cargo test -p signaling-core --test rooms");
            std::panic::resume_unwind(panic)
        });
    }
    assert!(joins > runs * 20, "the runs say something: {joins} joins");
}

fn run(seed: u64) -> u64 {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut world = World::new(seed);
    let mut model = Model::default();
    for _ in 0..STEPS {
        step(&mut world, &mut model, &mut rng);
        forget_closed(&world, &mut model);
        check(&world, &model);
    }
    world.signaling.stats().count(Count::Joined)
}

fn step(world: &mut World, model: &mut Model, rng: &mut ChaCha12Rng) {
    let number = u8::try_from(rng.next_u32() % u32::from(ROOMS)).unwrap();
    let member = pick(model.members.keys().copied().collect(), rng);
    match (rng.next_u32() % 20, member) {
        (0..=4, _) => join(world, model, number, rng),
        (5..=8, Some(connection)) => give_answer(world, model, connection),
        (9, Some(connection)) => {
            world.say(connection, &LEAVE);
            assert!(world.page(connection).closed && world.error(connection).is_none());
        }
        (10, Some(connection)) => world.drop_connection(connection),
        (11 | 12, Some(connection)) => {
            let byte = rng.next_u32().to_be_bytes()[0];
            world.say(connection, &announce(byte));
            model.members.get_mut(&connection).unwrap().known.sealed = Some(sealed(byte));
        }
        (13 | 14, Some(connection)) => {
            let (microphone, camera) = (rng.next_u32().is_multiple_of(2), rng.next_u32().is_multiple_of(2));
            world.say(connection, &media(microphone, camera));
            let switch = |on| if on { Switch::On } else { Switch::Off };
            model.members.get_mut(&connection).unwrap().known.media = MediaState {
                microphone: switch(microphone),
                camera: switch(camera),
            };
        }
        (15, Some(connection)) => world.say(connection, &PING),
        (16, Some(connection)) => sfu_event(world, model, connection, rng),
        (17, Some(connection)) => misbehave(world, connection, rng),
        (18, _) => {
            let wrong = world.open();
            world.say(wrong, &hello_with(number, gate(200)));
            assert!(matches!(
                world.error(wrong),
                Some(ErrorCode::Refused | ErrorCode::RateLimited)
            ));
        }
        _ => world.pass(Duration::from_millis(u64::from(rng.next_u32() % 12_000))),
    }
}

fn join(world: &mut World, model: &mut Model, number: u8, rng: &mut ChaCha12Rng) {
    let connection = world.open();
    model.rooms.entry(number).or_insert_with(|| {
        world.say(connection, &create(number));
        BTreeSet::new()
    });
    if rng.next_u32().is_multiple_of(8) {
        world.say(connection, &PING);
    }
    world.say(connection, &hello(number));
    let members = model.rooms.get_mut(&number).unwrap();
    match world.error(connection) {
        Some(ErrorCode::RateLimited) => {}
        error if members.len() == 5 => assert_eq!(error, Some(ErrorCode::RoomFull)),
        error => {
            assert_eq!(error, None);
            members.insert(connection);
            let known = Known {
                media: MediaState::OFF,
                sealed: None,
            };
            model.members.insert(
                connection,
                Member {
                    room: number,
                    known,
                    peer: None,
                },
            );
        }
    }
}

fn give_answer(world: &mut World, model: &mut Model, connection: ConnectionId) {
    let member = model.members.get_mut(&connection).unwrap();
    let before = world.sfu.last_added;
    world.answer(connection);
    if member.peer.is_some() {
        assert_eq!(world.error(connection), Some(ErrorCode::OutOfOrder));
    } else {
        assert_ne!(world.sfu.last_added, before);
        member.peer = world.sfu.last_added;
    }
}

fn sfu_event(world: &mut World, model: &Model, connection: ConnectionId, rng: &mut ChaCha12Rng) {
    let Some(peer) = model.members[&connection].peer else {
        return;
    };
    let now = world.now;
    if !rng.next_u32().is_multiple_of(4) {
        world
            .signaling
            .handle_sfu_event(SfuEvent::PeerConnected { peer }, now);
        world.deliver();
        assert_eq!(world.error(connection), None);
    } else {
        world.sfu.peers.remove(&peer);
        let event = SfuEvent::PeerClosed {
            peer,
            reason: PeerClosedReason::IceTimeout,
        };
        world.signaling.handle_sfu_event(event, now);
        world.deliver();
        assert_eq!(world.error(connection), Some(ErrorCode::TransportFailed));
    }
}

fn misbehave(world: &mut World, connection: ConnectionId, rng: &mut ChaCha12Rng) {
    match rng.next_u32() % 4 {
        0 => world.say_text(connection, br#"{"type":"ping","type":"ping"}"#),
        1 => world.say(connection, &answer(77, harness::ANSWER)),
        2 => world.say(connection, &create(0)),
        _ => (0..60).for_each(|_| {
            if !world.page(connection).closed {
                world.say(connection, &PING);
            }
        }),
    }
    assert!(world.error(connection).is_some());
}

/// Whoever was closed is a member no more; that the others were told is what `check` looks at.
fn forget_closed(world: &World, model: &mut Model) {
    model
        .members
        .retain(|connection, _| !world.page(*connection).closed);
    for members in model.rooms.values_mut() {
        members.retain(|connection| !world.page(*connection).closed);
    }
}

fn check(world: &World, model: &Model) {
    let open = world.pages.values().filter(|page| !page.closed).count();
    assert_eq!(world.signaling.connections(), open);
    assert_eq!(world.signaling.rooms(), model.rooms.len());
    let in_use = model.rooms.values().filter(|members| !members.is_empty()).count();
    assert_eq!(world.signaling.rooms_in_use(), in_use);
    let peers: BTreeSet<PeerId> = model.members.values().filter_map(|member| member.peer).collect();
    assert_eq!(world.sfu.peers.keys().copied().collect::<BTreeSet<_>>(), peers);
    for (number, members) in &model.rooms {
        assert!(members.len() <= 5, "{:?} holds five", room(*number));
        for connection in members {
            check_member(world, model, members, *connection);
        }
    }
}

fn check_member(world: &World, model: &Model, members: &BTreeSet<ConnectionId>, connection: ConnectionId) {
    let page = world.page(connection);
    let others = || members.iter().filter(|other| **other != connection);
    let roster: BTreeMap<Seat, Known> = others()
        .map(|other| (seat(world, *other), model.members[other].known.clone()))
        .collect();
    assert_eq!(page.roster, roster, "everybody knows of everybody else");
    assert!(!roster.contains_key(&seat(world, connection)), "seats differ");

    let me = &model.members[&connection];
    assert_eq!(world.signaling.rooms() as u64, model.rooms.len() as u64);
    let Some(peer) = me.peer else {
        assert!(page.slots.is_empty(), "nothing is bound before the answer");
        return;
    };
    let mut wanted = BTreeSet::new();
    for other in others() {
        if let Some(other_peer) = model.members[other].peer {
            assert_eq!(model.members[other].room, me.room);
            for kind in [SourceKind::Microphone, SourceKind::Camera] {
                wanted.insert((seat(world, *other), other_peer, kind));
            }
        }
    }
    let at_sfu = &world.sfu.peers[&peer];
    assert_eq!(
        at_sfu.keys().collect::<Vec<_>>(),
        page.slots.keys().collect::<Vec<_>>()
    );
    let mut bound = BTreeSet::new();
    for (mid, (seat, kind)) in &page.slots {
        let (peer, sfu_kind) = at_sfu[mid];
        assert_eq!(sfu_kind, *kind, "the SFU and the page are told the same");
        assert_eq!(
            mid.as_str().starts_with('a'),
            *kind == SourceKind::Microphone,
            "{mid} fits its source"
        );
        bound.insert((*seat, peer, *kind));
    }
    assert_eq!(
        bound, wanted,
        "each source of the others lies in exactly one slot"
    );
    assert_eq!(page.slots.len(), wanted.len());
}

fn seat(world: &World, connection: ConnectionId) -> Seat {
    world.page(connection).seat.expect("a member has a seat")
}

fn pick(mut from: Vec<ConnectionId>, rng: &mut ChaCha12Rng) -> Option<ConnectionId> {
    if from.is_empty() {
        return None;
    }
    let index = rng.next_u32() as usize % from.len();
    Some(from.swap_remove(index))
}

/// The name of every slot says its medium, which `check_member` relies on.
#[test]
fn slot_names_begin_with_their_medium() {
    let mut world = World::new(1);
    let members = world.room_with(1, 2);
    let mids: Vec<&Mid> = world.page(members[0]).slots.keys().collect();
    assert_eq!(mids, [&Mid::new("a0").unwrap(), &Mid::new("v0").unwrap()]);
}
