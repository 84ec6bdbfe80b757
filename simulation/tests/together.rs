//! Joining, leaving, kicking and coming back, step by step.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use e2ee::fragment::Fragment;
use protocol::group::RejectReason;
use simulation::person::first_fragment;
use simulation::world::{Name, World};

const SECOND: Duration = Duration::from_secs(1);

/// A room with so many people, all settled.
fn room(people: u32) -> World {
    let mut world = World::new(1);
    for _ in 0..people {
        world.join();
        world.run_for(SECOND);
    }
    world
}

fn all_agree(world: &World) {
    let people: Vec<_> = world.people.iter().collect();
    for (name, person) in &people {
        let (epoch, leaf, base_key) = person.sealing().unwrap_or_else(|| panic!("{name} has no key"));
        for (other_name, other) in &people {
            assert!(
                name == other_name || other.can_open(epoch, leaf, &base_key),
                "{other_name} cannot open what {name} sends"
            );
            let wanted = format!("person {name}");
            assert_eq!(
                other.names.get(&person.member.id()),
                Some(&wanted),
                "{other_name} on {name}"
            );
        }
        assert_eq!(person.alarms, [], "{name}");
    }
}

#[test]
fn two_come_in_one_after_the_other_and_know_each_other() {
    let world = room(2);
    all_agree(&world);
}

#[test]
fn six_come_in_one_by_one() {
    let world = room(6);
    all_agree(&world);
    assert_eq!(world.people[&5].member.roster().len(), 6);
}

#[test]
fn a_crowd_comes_in_by_few_commits() {
    let mut world = room(2);
    for _ in 0..40 {
        world.join();
    }
    world.run_for(SECOND * 4);
    all_agree(&world);
    let epoch = world.delivery.epoch().unwrap();
    assert!(epoch < 12, "40 people came in by {epoch} epochs");
}

#[test]
fn who_leaves_is_removed_and_the_others_go_on() {
    let mut world = room(4);
    world.leave(1);
    world.run_for(SECOND);
    all_agree(&world);
    assert_eq!(world.people[&0].member.roster().len(), 3);
}

#[test]
fn the_owner_removes_somebody_and_the_link_changes_for_those_who_remain() {
    let mut world = room(3);
    let old_gate = world.gate;
    world.kick(0, 1);
    world.run_for(SECOND);
    all_agree(&world);
    let (_, removed) = &world.removed[&1];
    assert!(removed.is_removed);
    let links: Vec<&str> = [0, 2]
        .map(|name: Name| world.people[&name].links.last().unwrap().as_str())
        .into();
    assert_eq!(links[0], links[1]);
    assert_eq!(Fragment::parse(links[0]).unwrap().generation, 1);
    assert!(
        world.gate.is_some() && old_gate.is_none(),
        "the server was told the next gate"
    );
    // And somebody with the new link comes in.
    world.join();
    world.run_for(SECOND);
    all_agree(&world);
}

#[test]
fn in_a_room_of_two_the_other_can_be_removed() {
    let mut world = room(2);
    world.kick(0, 1);
    world.run_for(SECOND);
    all_agree(&world);
    assert!(world.removed.contains_key(&1));
}

#[test]
fn nobody_but_the_owner_removes_anybody() {
    let mut world = room(3);
    world.kick(1, 2);
    world.run_for(SECOND * 3);
    assert_eq!(world.people.len(), 3);
    all_agree(&world);
}

#[test]
fn a_locked_meeting_lets_nobody_in_until_it_is_opened() {
    let mut world = room(2);
    let now = world.now;
    world.people.get_mut(&0).unwrap().member.lock(true, now);
    world.settle();
    world.run_for(SECOND);
    assert_eq!(world.people[&1].locked, Some(true));
    let late = world.join();
    world.run_for(SECOND);
    assert_eq!(world.people[&late].not_admitted, Some(RejectReason::Locked));
    assert_eq!(world.people[&0].member.roster().len(), 2);
    let now = world.now;
    world.people.get_mut(&0).unwrap().member.lock(false, now);
    world.settle();
    world.run_for(SECOND * 5);
    all_agree(&world);
    assert_eq!(world.people[&late].locked, Some(false));
}

#[test]
fn who_was_away_catches_up_and_who_was_away_too_long_comes_in_anew() {
    let mut world = room(3);
    world.disconnect(2);
    world.join();
    world.run_for(SECOND);
    world.connect(2);
    world.run_for(SECOND * 3);
    all_agree(&world);
    assert_eq!(world.people[&2].member.statistics().resyncs, 0);
    world.disconnect(2);
    world.run_for(SECOND * 5);
    world.join();
    world.run_for(SECOND * 125);
    world.join();
    world.run_for(SECOND);
    world.connect(2);
    world.run_for(SECOND * 2);
    assert_eq!(world.people[&2].member.statistics().resyncs, 1);
    let (epoch, leaf, base_key) = world.people[&0].sealing().unwrap();
    assert!(world.people[&2].can_open(epoch, leaf, &base_key));
}

#[test]
fn a_reload_makes_a_new_epoch_and_a_new_member() {
    let mut world = room(3);
    let epoch = world.delivery.epoch().unwrap();
    let name = world.reload(1).unwrap();
    world.run_for(SECOND * 2);
    all_agree(&world);
    assert!(world.delivery.epoch().unwrap() > epoch);
    assert!(world.people.contains_key(&name));
}

#[test]
fn after_a_restart_of_the_server_the_group_goes_on() {
    let mut world = room(3);
    let epoch = world.delivery.epoch().unwrap();
    world.restart_server();
    world.run_for(SECOND);
    assert!(world.delivery.epoch().unwrap() >= epoch);
    all_agree(&world);
    world.join();
    world.run_for(SECOND);
    world.leave(1);
    world.run_for(SECOND * 2);
    all_agree(&world);
}

#[test]
fn commits_made_at_once_are_ordered_and_the_losers_go_on() {
    let mut world = room(4);
    let now = world.now;
    let epoch = world.delivery.epoch().unwrap();
    for person in world.people.values_mut() {
        person.member.update(now);
    }
    world.settle();
    world.run_for(SECOND);
    all_agree(&world);
    assert_eq!(world.delivery.epoch().unwrap(), epoch + 1);
    let merged: u64 = world
        .people
        .values()
        .map(|person| person.member.statistics().beaten)
        .sum();
    assert_eq!(merged, 3);
}

#[test]
fn a_kick_that_loses_a_race_is_made_anew_on_the_winner() {
    let mut world = room(4);
    let now = world.now;
    world.people.get_mut(&3).unwrap().member.update(now);
    world.settle();
    world.kick(0, 1);
    world.run_for(SECOND * 2);
    assert!(world.removed.contains_key(&1));
    all_agree(&world);
}

#[test]
fn the_first_link_is_refused_by_the_members_after_a_kick() {
    let mut world = room(3);
    world.kick(0, 1);
    world.run_for(SECOND);
    let ghost = world.join_with(first_fragment(), false, false);
    world.run_for(SECOND * 2);
    assert!(world.closed.contains(&ghost));
    assert_eq!(world.people[&0].member.roster().len(), 2);
}

#[test]
fn whoever_had_to_wait_before_it_made_the_group_vouches_for_newcomers_like_anybody() {
    let mut world = World::new(1);
    // A server that has just started waits for those who may hold the group.
    world.restart_server();
    world.join();
    world.run_for(SECOND * 2);
    world.join();
    world.run_for(SECOND);
    all_agree(&world);
    for (name, person) in &world.people {
        let statistics = person.member.statistics();
        assert_eq!(
            (statistics.resyncs, statistics.unexpected),
            (0, 0),
            "{name} went through it twice"
        );
    }
}

#[test]
fn slow_members_are_waited_for_and_nobody_has_to_come_in_anew() {
    let mut world = room(2);
    world.delay_ms_max = 1_500;
    world.join();
    world.run_for(SECOND * 12);
    assert_eq!(world.people[&2].member.roster().len(), 3);
    for (name, person) in &world.people {
        assert_eq!(person.member.statistics().resyncs, 0, "{name}");
    }
}
