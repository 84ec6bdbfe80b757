//! A seeded life of a room, with the invariants that hold after each step.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::person::Person;
use crate::world::{Name, World};

/// How long a removed member may still open what is sent.
const BLIND_AFTER: Duration = Duration::from_secs(1);

/// How long anybody may be without keys once messages flow again.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// How long the leaf of somebody whom the server forgot may stay.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(45);

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What it is drawn from.
    pub seed: u64,
    /// Most members at once.
    pub members_max: usize,
    /// Steps.
    pub steps: usize,
}

/// What held no longer, in words, with the step.
#[derive(Debug)]
pub struct Broken {
    /// What.
    pub what: String,
    /// At which step.
    pub step: usize,
}

/// Runs a plan; an error names what held no longer.
pub fn run(plan: Plan) -> Result<World, Broken> {
    let mut world = World::new(plan.seed);
    let mut used = Used::default();
    world.join();
    world.run_for(Duration::from_millis(500));
    for step in 0..plan.steps {
        act(&mut world, plan);
        let millis = match world.below(4) {
            0 => 5,
            1 => 60,
            2 => 300,
            _ => 1_500,
        };
        let pause = 1 + world.below(millis);
        advance(&mut world, Duration::from_millis(pause), &mut used).map_err(|what| Broken { what, step })?;
    }
    end(&mut world, &mut used).map_err(|what| Broken {
        what,
        step: plan.steps,
    })?;
    Ok(world)
}

/// Lets time pass in slices, and looks after each.
fn advance(world: &mut World, time: Duration, used: &mut Used) -> Result<(), String> {
    let slice = Duration::from_millis(50);
    let mut left = time;
    while !left.is_zero() {
        let next = left.min(slice);
        world.run_for(next);
        left -= next;
        check(world, used)?;
    }
    Ok(())
}

fn act(world: &mut World, plan: Plan) {
    let names: Vec<Name> = world.people.keys().copied().collect();
    let pick = |world: &mut World| {
        let index = usize::try_from(world.below(names.len() as u64)).unwrap_or_default();
        names.get(index).copied()
    };
    match world.below(20) {
        0..=5 if names.len() < plan.members_max => {
            world.join();
        }
        6 | 7 if names.len() < plan.members_max => {
            // A crowd comes at once.
            let room = (plan.members_max - names.len()) as u64;
            for _ in 0..=world.below(room.min(12)) {
                world.join();
            }
        }
        18 => world.reload_strays(),
        8 | 9 => {
            if let Some(name) = pick(world).filter(|name| *name != 0) {
                world.leave(name);
            }
        }
        10 => {
            if let Some(name) = pick(world).filter(|name| *name != 0) {
                world.kick(0, name);
            }
        }
        11 | 12 => {
            if let Some(name) = pick(world) {
                world.disconnect(name);
            }
        }
        13 | 14 => reconnect(world),
        15 => {
            if let Some(name) = pick(world).filter(|name| *name != 0) {
                world.reload(name);
            }
        }
        16 => {
            let now = world.now;
            for _ in 0..=world.below(3) {
                // Several at once: a race.
                if let Some(person) = pick(world).and_then(|name| world.people.get_mut(&name)) {
                    person.member.update(now);
                }
            }
            world.settle();
        }
        17 if world.below(4) == 0 => world.restart_server(),
        _ => {
            let now = world.now;
            let text = e2ee::app::App::Chat("hello".to_owned());
            if let Some(person) = pick(world).and_then(|name| world.people.get_mut(&name)) {
                person.member.say_to_all(&text, now);
            }
            world.settle();
        }
    }
}

fn reconnect(world: &mut World) {
    let away: Vec<Name> = world
        .people
        .keys()
        .copied()
        .filter(|name| !world.is_connected(*name))
        .collect();
    for name in away {
        world.connect(name);
    }
}

/// What was ever sealed with.
#[derive(Debug, Default)]
pub struct Used {
    /// Who seals with a base key as a leaf.
    sealers: BTreeMap<([u8; 16], u16), Name>,
}

fn check(world: &World, used: &mut Used) -> Result<(), String> {
    check_agreement(world)?;
    check_nonces(world, used)?;
    check_blindness(world)
}

/// All who are in an epoch of one group and hold one transcript hold the same keys and see the same members.
fn check_agreement(world: &World) -> Result<(), String> {
    let mut seen: BTreeMap<Vec<u8>, (&Person, Name)> = BTreeMap::new();
    for (name, person) in &world.people {
        let (Some(epoch), Some(authenticator)) = (person.member.epoch(), person.member.epoch_authenticator())
        else {
            continue;
        };
        if let Some((other, other_name)) = seen.get(&authenticator) {
            if other.keys.epochs.get(&epoch) != person.keys.epochs.get(&epoch) {
                return Err(format!(
                    "{name} and {other_name} hold other keys of epoch {epoch}"
                ));
            }
            if other.keys.members.get(&epoch) != person.keys.members.get(&epoch) {
                return Err(format!(
                    "{name} and {other_name} see other members in epoch {epoch}"
                ));
            }
        } else {
            seen.insert(authenticator, (person, *name));
        }
    }
    Ok(())
}

/// A base key and a leaf belong to one person for ever. It counts its frames in one counter per key, so no key and
/// nonce come twice.
fn check_nonces(world: &World, used: &mut Used) -> Result<(), String> {
    for (name, person) in &world.people {
        let Some((epoch, leaf, base_key)) = person.sealing() else {
            continue;
        };
        let sealer = used.sealers.entry((base_key, leaf.number())).or_insert(*name);
        if sealer != name {
            return Err(format!(
                "{name} seals in epoch {epoch} with the key that {sealer} sealed with"
            ));
        }
    }
    Ok(())
}

/// A member that was removed opens nothing of what is sent a second later, though it gets everything.
fn check_blindness(world: &World) -> Result<(), String> {
    for (removed_name, (since, removed)) in &world.removed {
        if world.now.saturating_sub(*since) <= BLIND_AFTER {
            continue;
        }
        for (name, person) in &world.people {
            let Some((epoch, leaf, base_key)) = person.sealing() else {
                continue;
            };
            // One that was away hears of the removal when it is back.
            if world.is_connected_for(*name, BLIND_AFTER) && removed.can_open(epoch, leaf, &base_key) {
                return Err(format!(
                    "{removed_name}, who was removed, opens what {name} seals in epoch {epoch}"
                ));
            }
        }
    }
    Ok(())
}

/// Everybody comes back, messages flow, and then all are in one epoch and hear each other.
fn end(world: &mut World, used: &mut Used) -> Result<(), String> {
    reconnect(world);
    advance(world, SETTLED_AFTER, used)?;
    world.reload_strays();
    advance(world, SETTLED_AFTER, used)?;
    let members: Vec<Name> = world.people.keys().copied().collect();
    for name in &members {
        let person = &world.people[name];
        // Who was away at a kick needs the new link from a person.
        if person.member.epoch().is_none() || person.sealing().is_none() {
            return Err(format!(
                "{name} has no keys three seconds after everybody was back: {:?}, alarms {:?}",
                person.member,
                person.alarm_words()
            ));
        }
    }
    // After a restart the server waits for those who may come back before it gives their leaves up.
    world.run_for(GIVEN_UP_AFTER);
    advance(world, SETTLED_AFTER, used)?;
    let people: Vec<(&Name, &Person)> = world.people.iter().collect();
    for (name, person) in &people {
        for (other_name, other) in &people {
            let Some((epoch, leaf, base_key)) = other.sealing() else {
                return Err(format!("{other_name} does not send"));
            };
            if name != other_name && !person.can_open(epoch, leaf, &base_key) {
                return Err(format!(
                    "{name} in {:?} cannot open what {other_name} in {:?} seals in {epoch}",
                    person.member.epoch(),
                    other.member.epoch()
                ));
            }
            let wanted = format!("person {other_name}");
            if person.names.get(&other.member.id()) != Some(&wanted) {
                return Err(format!("{name} does not know who {other_name} is"));
            }
        }
        let members = person.member.roster().len();
        if members != people.len() {
            return Err(format!("{name} sees {members} members of {}", people.len()));
        }
    }
    Ok(())
}
