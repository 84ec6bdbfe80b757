//! A server that is ours to bend, and members that break the rules. Each attack ends in a named refusal or a visible
//! alarm, and afterwards the call works. Each has its control: without the check, or without the attack, the same
//! steps have the effect that the attack was after.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use e2ee::fragment::Fragment;
use e2ee::group::Alarm;
use e2ee::secret::{Link, RoomSecret};
use protocol::group::{ClientFrame, CommitData, RefusalReason, RejectReason, ServerFrame};
use simulation::ghost::{Ghost, digest};
use simulation::person::first_fragment;
use simulation::world::{Name, World};

const SECOND: Duration = Duration::from_secs(1);

/// A room with so many people, all settled; without the policy for the control.
fn room(people: u32, unguarded: bool) -> World {
    let mut world = World::new(7);
    for number in 0..people {
        world.join_with(first_fragment(), number == 0, unguarded);
        world.run_for(SECOND);
    }
    world
}

fn secret() -> RoomSecret {
    RoomSecret::from_link(&first_fragment().link)
}

/// What the server serves to somebody who comes; whoever it was stays outside and goes again.
fn served(world: &mut World) -> ServerFrame {
    let kept: Rc<RefCell<Option<ServerFrame>>> = Rc::default();
    let keep = Rc::clone(&kept);
    world.bend = Some(Box::new(move |_, frame| match frame {
        ServerFrame::GroupInfo { .. } => {
            *keep.borrow_mut() = Some(frame);
            Vec::new()
        }
        frame => vec![frame],
    }));
    let visitor = world.join_with(first_fragment(), false, false);
    world.run_for(SECOND / 5);
    world.leave(visitor);
    world.bend = None;
    world.run_for(SECOND);
    kept.take().expect("the server serves its group")
}

fn epochs(world: &World) -> Vec<Option<u64>> {
    world
        .people
        .values()
        .map(|person| person.member.epoch())
        .collect()
}

/// Everybody hands on to everybody: the call works.
fn call_works(world: &mut World) {
    let newcomer = world.join();
    world.run_for(SECOND * 2);
    // Where the attack led members away from the real server they come in anew, one after the other.
    let mut seconds = 0;
    while seconds < 20 && world.people.values().any(|person| person.sealing().is_none()) {
        world.run_for(SECOND);
        seconds += 1;
    }
    world.run_for(SECOND * 2);
    let people: Vec<_> = world.people.iter().collect();
    for (name, person) in &people {
        let (epoch, leaf, key) = person.sealing().unwrap_or_else(|| panic!("{name} has no key"));
        for (other_name, other) in &people {
            assert!(
                name == other_name || other.can_open(epoch, leaf, &key),
                "{other_name} cannot open {name}"
            );
        }
    }
    assert!(world.people[&newcomer].names.len() >= people.len() - 1);
}

/// Hands a commit to everybody as if the server had ordered it.
fn order(world: &mut World, epoch: u64, commit: &[u8]) {
    let names: Vec<Name> = world.people.keys().copied().collect();
    for name in names {
        let commit = commit.to_vec();
        world.inject(name, ServerFrame::Committed { epoch, commit });
    }
}

fn epoch_of(served: &ServerFrame) -> u64 {
    match served {
        ServerFrame::GroupInfo { epoch, .. } => *epoch,
        _ => panic!("no GROUP_INFO"),
    }
}

/// Runs an attack by a commit, against people with the policy and, as the control, without it.
fn refused_commit(reason: RefusalReason, attack: impl Fn(&mut World, &ServerFrame) -> Vec<u8>) {
    for unguarded in [false, true] {
        let mut world = room(3, unguarded);
        let group = served(&mut world);
        let commit = attack(&mut world, &group);
        let before = epochs(&world);
        order(&mut world, before[0].unwrap(), &commit);
        if unguarded {
            assert_ne!(
                epochs(&world),
                before,
                "the control: without the policy it is taken"
            );
            continue;
        }
        assert_eq!(epochs(&world), before);
        for (name, person) in &world.people {
            assert_eq!(person.refused(reason), 1, "{name}: {:?}", person.alarm_words());
            assert!(person.alarms.contains(&Alarm::Refused(reason)));
        }
        call_works(&mut world);
    }
}

#[test]
fn a_ghost_without_the_psk_is_refused() {
    refused_commit(RefusalReason::NoPsk, |_, group| {
        Ghost::new(200).external_commit(group, None).commit
    });
}

#[test]
fn a_ghost_with_a_wrong_psk_is_refused_by_the_members_and_let_out_by_the_server() {
    let mut world = room(3, false);
    let other = Fragment {
        link: Link::new([99; 16]),
        ..first_fragment()
    };
    let ghost = world.join_with(other, false, false);
    world.run_for(SECOND * 2);
    assert!(world.closed.contains(&ghost));
    for person in world.people.values() {
        assert_eq!(person.refused(RefusalReason::WrongPsk), 1);
    }
    // The control: with the right link the same steps lead in.
    call_works(&mut world);
}

#[test]
fn a_welcome_without_the_psk_is_refused() {
    for unguarded in [false, true] {
        let mut world = room(1, false);
        world.bend = Some(Box::new(
            |name, frame| if name == 1 { Vec::new() } else { vec![frame] },
        ));
        let joiner = world.join_with(first_fragment(), false, unguarded);
        world.run_for(SECOND / 2);
        let (_, enter) = world
            .received
            .iter()
            .rfind(|(name, _)| *name == joiner)
            .unwrap()
            .clone();
        let mut server = Ghost::new(201);
        server.create(&[1; 32]);
        let welcome = server.welcome(&enter);
        world.inject(joiner, welcome);
        let person = &world.people[&joiner];
        assert_eq!(
            person.member.epoch().is_some(),
            unguarded,
            "the control is taken in by it"
        );
        if !unguarded {
            assert_eq!(person.refused(RefusalReason::WelcomeWithoutPsk), 1);
            world.bend = None;
            world.run_for(SECOND * 4);
            call_works(&mut world);
        }
    }
}

#[test]
fn a_joiner_of_a_fake_group_is_alone_in_it_and_told_so() {
    let mut world = room(1, false);
    world.bend = Some(Box::new(
        |name, frame| if name == 1 { Vec::new() } else { vec![frame] },
    ));
    let joiner = world.join_with(first_fragment(), false, false);
    world.run_for(SECOND / 2);
    let mut server = Ghost::new(202);
    server.create(&[1; 32]);
    world.inject(joiner, server.serve());
    world.run_for(SECOND / 2);
    let commit = world.received.iter().rev().find_map(|(name, frame)| match frame {
        ClientFrame::Commit { commit, .. } if *name == joiner => Some(commit.clone()),
        _ => None,
    });
    let confirmed = ServerFrame::Confirmed {
        epoch: 1,
        digest: digest(&commit.unwrap()),
    };
    world.inject(joiner, confirmed);
    assert!(
        world.people[&joiner].member.epoch().is_some(),
        "it is in the fake group"
    );
    world.run_for(SECOND * 6);
    assert!(world.people[&joiner].alarms.contains(&Alarm::NobodyAnswers));
    // The control: in the real group somebody answers.
    world.bend = None;
    world.leave(joiner);
    call_works(&mut world);
    world.run_for(SECOND * 6);
    assert!(
        world
            .people
            .values()
            .all(|person| !person.alarms.contains(&Alarm::NobodyAnswers))
    );
}

#[test]
fn an_add_from_outside_is_refused() {
    for unguarded in [false, true] {
        let mut world = room(2, unguarded);
        let group = served(&mut world);
        let epoch = world.delivery.epoch().unwrap();
        let fresh = if epoch == epoch_of(&group) {
            group
        } else {
            served_now(&mut world)
        };
        let proposal = Ghost::new(203).external_add(&fresh);
        world.inject(0, ServerFrame::Proposal { epoch, proposal });
        let refused = world.people[&0].refused(RefusalReason::ExternalAdd);
        assert_eq!(refused, u64::from(!unguarded), "the control takes it");
    }
}

/// As `served`, of the epoch that the room is in: a visitor that never came in leaves no epoch behind.
fn served_now(world: &mut World) -> ServerFrame {
    let group = served(world);
    assert_eq!(Some(epoch_of(&group)), world.delivery.epoch());
    group
}

#[test]
fn a_remove_that_only_pretends_to_be_the_servers_is_refused() {
    let mut world = room(3, false);
    let group = served_now(&mut world);
    let epoch = epoch_of(&group);
    let proposal = Ghost::new(204).forged_remove(&group, 1);
    world.inject(0, ServerFrame::Proposal { epoch, proposal });
    assert_eq!(world.people[&0].refused(RefusalReason::Invalid), 1);
    world.run_for(SECOND * 2);
    assert_eq!(world.people[&0].member.roster().len(), 3);
    call_works(&mut world);
    // The control: the real server's own is committed.
    world.leave(1);
    world.run_for(SECOND * 2);
    assert_eq!(
        world.people[&0].member.roster().len(),
        3,
        "two of the first, and the newcomer"
    );
}

#[test]
fn an_external_commit_that_removes_somebody_else_is_refused() {
    refused_commit(RefusalReason::RemovesStranger, |world, group| {
        // A ghost with the link comes in, and comes back on the same leaf as somebody else.
        let mut ghost = Ghost::new(205);
        let first = ghost.external_commit(group, Some((0, &secret()))).commit;
        order(world, epoch_of(group), &first);
        let again = ghost.serve();
        ghost.rename(206);
        ghost.external_commit(&again, Some((0, &secret()))).commit
    });
}

#[test]
fn a_kick_that_is_called_a_leave_is_refused() {
    refused_commit(RefusalReason::UnnamedRemove, |world, group| {
        let mut ghost = Ghost::new(207);
        let first = ghost.external_commit(group, Some((0, &secret()))).commit;
        order(world, epoch_of(group), &first);
        ghost.remove(1, &CommitData::Plain).commit
    });
}

#[test]
fn who_was_removed_does_not_return_with_the_psk_of_the_old_link() {
    let mut world = room(3, false);
    world.kick(0, 2);
    world.run_for(SECOND);
    let current = Fragment::parse(world.people[&0].links.last().unwrap()).unwrap();
    let group = served_with(&mut world, current);
    let commit = Ghost::new(208)
        .external_commit(&group, Some((0, &secret())))
        .commit;
    let before = epochs(&world);
    order(&mut world, before[0].unwrap(), &commit);
    assert_eq!(epochs(&world), before);
    for person in world.people.values() {
        assert_eq!(person.refused(RefusalReason::OldPsk), 1);
    }
    call_works(&mut world);
    // The control: before the kick the same commit was good.
    let mut earlier = room(3, false);
    let group = served(&mut earlier);
    let commit = Ghost::new(208)
        .external_commit(&group, Some((0, &secret())))
        .commit;
    let before = epochs(&earlier);
    order(&mut earlier, before[0].unwrap(), &commit);
    assert_ne!(epochs(&earlier), before);
}

fn served_with(world: &mut World, fragment: Fragment) -> ServerFrame {
    let kept: Rc<RefCell<Option<ServerFrame>>> = Rc::default();
    let keep = Rc::clone(&kept);
    world.bend = Some(Box::new(move |_, frame| {
        if matches!(frame, ServerFrame::GroupInfo { .. }) {
            *keep.borrow_mut() = Some(frame);
            return Vec::new();
        }
        vec![frame]
    }));
    let visitor = world.join_with(fragment, false, false);
    world.run_for(SECOND / 5);
    world.leave(visitor);
    world.bend = None;
    world.run_for(SECOND);
    kept.take().expect("the server serves its group")
}

#[test]
fn a_withheld_removal_stops_sending_and_raises_an_alarm() {
    for withholds in [true, false] {
        let mut world = room(4, false);
        world.bend = Some(Box::new(move |name, frame| match frame {
            ServerFrame::Committed { .. } if withholds && name == 2 => Vec::new(),
            frame => vec![frame],
        }));
        world.kick(0, 1);
        world.run_for(SECOND);
        // Somebody speaks in the new epoch.
        let now = world.now;
        let chat = e2ee::app::App::Chat("still here?".to_owned());
        world.people.get_mut(&3).unwrap().member.say_to_all(&chat, now);
        world.settle();
        world.run_for(SECOND * 7);
        let person = &world.people[&2];
        assert_eq!(person.alarms.contains(&Alarm::Withheld), withholds);
        assert_eq!(
            person.sealing().is_none(),
            withholds,
            "it sends nothing under the old keys"
        );
        world.bend = None;
        world.disconnect(2);
        world.connect(2);
        world.run_for(SECOND * 3);
        call_works(&mut world);
    }
}

#[test]
fn forked_commits_raise_an_alarm_on_both_sides() {
    for forks in [true, false] {
        let mut world = room(3, false);
        let group = served_now(&mut world);
        let epoch = epoch_of(&group);
        let mut commits = [209, 210].map(|number| {
            Ghost::new(number)
                .external_commit(&group, Some((0, &secret())))
                .commit
        });
        if !forks {
            commits[1] = commits[0].clone();
        }
        for (name, commit) in [(1, commits[0].clone()), (2, commits[1].clone())] {
            world.inject(name, ServerFrame::Committed { epoch, commit });
        }
        let (one, other) = (&world.people[&1].member, &world.people[&2].member);
        assert_eq!(one.epoch(), other.epoch());
        assert_eq!(one.epoch_authenticator() == other.epoch_authenticator(), !forks);
        let now = world.now;
        for (from, to) in [(1, 2), (2, 1)] {
            let chat = e2ee::app::App::Chat("hello".to_owned());
            let member = &mut world.people.get_mut(&from).unwrap().member;
            while member.poll_frame().is_some() {}
            member.say_to_all(&chat, now);
            let Some(ClientFrame::App { epoch, message, .. }) = member.poll_frame() else {
                panic!("nothing was said");
            };
            let person = world.people.get_mut(&to).unwrap();
            person
                .member
                .handle_frame(ServerFrame::App { epoch, message }, now);
            assert_eq!(person.member.statistics().unopened, u64::from(forks));
            person.member.handle_timeout(now + SECOND * 6);
            person.take_events(now);
            assert_eq!(person.alarms.contains(&Alarm::Forked), forks, "{from} to {to}");
        }
    }
}

#[test]
fn repeated_and_reordered_frames_change_nothing() {
    let mut world = room(3, false);
    let held: Rc<RefCell<Vec<(Name, ServerFrame)>>> = Rc::default();
    let keep = Rc::clone(&held);
    world.bend = Some(Box::new(move |name, frame| {
        keep.borrow_mut().push((name, frame.clone()));
        vec![frame.clone(), frame]
    }));
    world.join();
    world.run_for(SECOND);
    world.leave(1);
    world.run_for(SECOND);
    world.bend = None;
    // Everything that was ever said, once more and backwards.
    for (name, frame) in held.take().into_iter().rev() {
        world.inject(name, frame);
    }
    world.run_for(SECOND * 4);
    call_works(&mut world);
    for person in world.people.values() {
        assert!(
            person
                .alarms
                .iter()
                .all(|alarm| !matches!(alarm, Alarm::Forked | Alarm::Withheld))
        );
    }
}

#[test]
fn a_group_info_of_an_older_epoch_is_refused_by_whoever_comes_in_anew() {
    for is_old in [true, false] {
        let mut world = room(3, false);
        let old = served_now(&mut world);
        for _ in 0..3 {
            world.join();
            world.run_for(SECOND);
        }
        if is_old {
            world.bend = Some(Box::new(move |name, frame| match frame {
                ServerFrame::GroupInfo { .. } if name == 1 => vec![old.clone()],
                frame => vec![frame],
            }));
        }
        world.inject(
            1,
            ServerFrame::Reject {
                epoch: 99,
                reason: RejectReason::Gone,
            },
        );
        world.run_for(SECOND * 2);
        assert_eq!(world.people[&1].refused(RefusalReason::OldEpoch) > 0, is_old);
        assert_eq!(world.people[&1].member.statistics().resyncs, u64::from(!is_old));
        world.bend = None;
        world.run_for(SECOND * 4);
        call_works(&mut world);
    }
}
