//! The room: its people, its server, the network and the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2ee::fragment::Fragment;
use protocol::bytes::{GateHash, Owner};
use protocol::group::{ClientFrame, RefusalReason, ServerFrame};
use protocol::ids::Seat;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use signaling_core::DeliveryKey;
use signaling_core::delivery::{Action, Delivery};

use crate::person::{Person, first_fragment, owner, unix_now};

/// A person of the simulation, whatever its seat and its member id are.
pub type Name = u32;

/// What is under way.
#[derive(Debug, Clone)]
enum Parcel {
    /// To the server, on a connection of this number.
    Up(Name, u64, ClientFrame),
    /// To a member, on a connection of this number.
    Down(Name, u64, ServerFrame),
}

/// A way to bend what the server sends: the frame may be changed, swallowed or multiplied.
pub type Bend = Box<dyn FnMut(Name, ServerFrame) -> Vec<ServerFrame>>;

/// One room.
pub struct World {
    /// The time.
    pub now: Duration,
    /// The real delivery service.
    pub delivery: Delivery,
    /// Everybody who ever came, those who left excepted.
    pub people: BTreeMap<Name, Person>,
    /// Those who were removed, and since when. They still get every frame that anybody gets.
    pub removed: BTreeMap<Name, (Duration, Person)>,
    /// What opens the room.
    pub gate: Option<GateHash>,
    /// Those whom the server let out because their commit was refused.
    pub closed: Vec<Name>,
    /// The longest that a parcel takes, in milliseconds.
    pub delay_ms_max: u64,
    /// What the server sends is bent by this.
    pub bend: Option<Bend>,
    /// Every frame that the server sent, with who got it, for attacks that repeat it.
    pub sent: Vec<(Name, ServerFrame)>,
    /// Every frame that a member sent, for attacks that use it.
    pub received: Vec<(Name, ClientFrame)>,
    is_traced: bool,
    random: ChaCha20Rng,
    connections: BTreeMap<Name, u64>,
    connected_since: BTreeMap<Name, Duration>,
    seats: BTreeMap<Name, Seat>,
    next_connection: u64,
    next_seat: Seat,
    next_name: Name,
    parcels: BTreeMap<(Duration, u64), Parcel>,
    next_parcel: u64,
    /// When the last parcel of a connection arrives: a WebSocket keeps the order.
    last_arrival: BTreeMap<(u64, bool), Duration>,
}

impl World {
    /// An empty room.
    pub fn new(seed: u64) -> Self {
        let key = DeliveryKey::new(&[99; 32]);
        let owner = Owner::from_bytes(e2ee::grant::owner_of(&owner().public()));
        Self {
            now: Duration::ZERO,
            delivery: Delivery::new(key, owner, unix_now(), None),
            people: BTreeMap::new(),
            removed: BTreeMap::new(),
            gate: None,
            closed: Vec::new(),
            delay_ms_max: 40,
            bend: None,
            sent: Vec::new(),
            received: Vec::new(),
            is_traced: std::env::var_os("TRACE").is_some(),
            random: ChaCha20Rng::seed_from_u64(seed),
            connections: BTreeMap::new(),
            connected_since: BTreeMap::new(),
            seats: BTreeMap::new(),
            next_connection: 1,
            next_seat: Seat::FIRST,
            next_name: 0,
            parcels: BTreeMap::new(),
            next_parcel: 0,
            last_arrival: BTreeMap::new(),
        }
    }

    /// A number below this.
    pub fn below(&mut self, end: u64) -> u64 {
        self.random.next_u64() % end.max(1)
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        seed
    }

    /// Somebody comes with the newest link that anybody inside holds.
    pub fn join(&mut self) -> Name {
        let newest = self
            .people
            .values()
            .max_by_key(|person| person.member.generation());
        let text = newest.map(|person| person.member.fragment());
        let fragment = text.map_or_else(first_fragment, |text| {
            Fragment::parse(&text).expect("a member's own fragment can be read")
        });
        let is_owner = self.next_name == 0;
        self.join_with(fragment, is_owner, false)
    }

    /// Somebody comes with this link; without a policy where the attack of a test needs somebody who lets it in.
    pub fn join_with(&mut self, fragment: Fragment, is_owner: bool, unguarded: bool) -> Name {
        let name = self.next_name;
        self.next_name += 1;
        let seed = self.seed();
        let mut person = Person::new(&format!("person {name}"), fragment, is_owner, seed, unguarded);
        person.keyless_since = Some(self.now);
        self.people.insert(name, person);
        self.connect(name);
        name
    }

    /// Gives somebody a connection, and a seat where it has none.
    pub fn connect(&mut self, name: Name) {
        let number = self.next_connection;
        self.next_connection += 1;
        self.connections.insert(name, number);
        self.connected_since.insert(name, self.now);
        if let Some(seat) = self.seats.get(&name) {
            self.delivery.handle_here(*seat);
        } else {
            while self.seats.values().any(|seat| *seat == self.next_seat) {
                self.next_seat = self.next_seat.next();
            }
            self.seats.insert(name, self.next_seat);
            self.next_seat = self.next_seat.next();
        }
        let now = self.now;
        if let Some(person) = self.people.get_mut(&name) {
            person.member.handle_connected(now);
        }
        self.settle();
    }

    /// The connection of somebody breaks, with all that is under way on it; its seat is held.
    pub fn disconnect(&mut self, name: Name) {
        if self.connections.remove(&name).is_none() {
            return;
        }
        if let Some(person) = self.people.get_mut(&name) {
            person.member.handle_disconnected();
        }
        if let Some(seat) = self.seats.get(&name) {
            self.delivery.handle_away(*seat, self.now);
        }
        self.settle();
    }

    /// Whether somebody has a connection.
    pub fn is_connected(&self, name: Name) -> bool {
        self.connections.contains_key(&name)
    }

    /// Whether somebody has had its connection for longer than this.
    pub fn is_connected_for(&self, name: Name, time: Duration) -> bool {
        let since = self.connected_since.get(&name).copied().unwrap_or_default();
        self.is_connected(name) && self.now.saturating_sub(since) > time
    }

    /// Somebody leaves for good.
    pub fn leave(&mut self, name: Name) -> Option<Person> {
        self.connections.remove(&name);
        let person = self.people.remove(&name);
        if let Some(seat) = self.seats.remove(&name) {
            self.delivery.handle_gone(seat, self.now);
        }
        self.settle();
        person
    }

    /// Somebody reloads its page: a new member with the link that it holds, on a new seat; the old one is gone.
    pub fn reload(&mut self, name: Name) -> Option<Name> {
        let text = self.people.get(&name)?.member.fragment();
        let fragment = Fragment::parse(&text).ok()?;
        self.leave(name);
        Some(self.join_with(fragment, name == 0, false))
    }

    /// Those who are told that there is another group reload, as their pages tell them to.
    pub fn reload_strays(&mut self) {
        let is_stray = |person: &Person| person.refused(RefusalReason::OtherGroup) > 0;
        let strays = self.people.iter().filter(|(_, person)| is_stray(person));
        let strays: Vec<Name> = strays.map(|(name, _)| *name).collect();
        for name in strays {
            self.reload(name);
        }
    }

    /// The server is killed and starts again, with nothing but its key. Everybody comes back at once.
    pub fn restart_server(&mut self) {
        let key = DeliveryKey::new(&[99; 32]);
        let owner = Owner::from_bytes(e2ee::grant::owner_of(&owner().public()));
        let grace_until = Some(self.now + Duration::from_secs(1));
        self.delivery = Delivery::new(key, owner, unix_now(), grace_until);
        self.seats.clear();
        let names: Vec<Name> = self.connections.keys().copied().collect();
        for name in &names {
            self.connections.remove(name);
            if let Some(person) = self.people.get_mut(name) {
                person.member.handle_disconnected();
            }
        }
        for name in names {
            self.connect(name);
        }
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next_moment().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
        self.step();
    }

    /// Lets time pass until the moment after which nothing is under way, or this long.
    fn next_moment(&self) -> Option<Duration> {
        let parcel = self.parcels.keys().next().map(|(at, _)| *at);
        let server = self.delivery.poll_timeout();
        let people = self
            .people
            .values()
            .filter_map(|person| person.member.poll_timeout());
        people.chain(parcel).chain(server).min()
    }

    fn step(&mut self) {
        while let Some(entry) = self
            .parcels
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let parcel = entry.remove();
            self.deliver(parcel);
            self.settle();
        }
        if self.delivery.poll_timeout().is_some_and(|due| due <= self.now) {
            self.delivery.handle_timeout(self.now);
            self.settle();
        }
        let now = self.now;
        let due = self.people.iter().filter(|(_, person)| {
            let timeout = person.member.poll_timeout();
            timeout.is_some_and(|timeout| timeout <= now)
        });
        let due: Vec<Name> = due.map(|(name, _)| *name).collect();
        for name in due {
            if let Some(person) = self.people.get_mut(&name) {
                person.member.handle_timeout(now);
            }
            self.settle();
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Up(name, connection, frame) => {
                if self.connections.get(&name) == Some(&connection)
                    && let Some(seat) = self.seats.get(&name)
                {
                    self.received.push((name, frame.clone()));
                    self.trace(name, "says", &frame);
                    self.delivery.handle_frame(*seat, frame, self.now);
                }
            }
            Parcel::Down(name, connection, frame) => {
                if self.connections.get(&name) == Some(&connection)
                    && let Some(person) = self.people.get_mut(&name)
                {
                    person.member.handle_message(&frame.encode(), self.now);
                    self.trace(name, "hears", &frame);
                }
            }
        }
    }

    /// Prints what is said, where `TRACE` is set: for whoever repeats a seed.
    fn trace(&self, name: Name, what: &str, frame: &impl std::fmt::Debug) {
        if self.is_traced {
            let text = format!("{frame:?}");
            let shown: String = text.chars().take(90).collect();
            eprintln!("{:>9.3} {name:>3} {what} {shown}", self.now.as_secs_f64());
        }
    }

    /// Hands a frame to a member as if it came from the server, at once.
    pub fn inject(&mut self, name: Name, frame: ServerFrame) {
        if let Some(person) = self.people.get_mut(&name) {
            person.member.handle_frame(frame, self.now);
        }
        self.settle();
    }

    /// Hands a frame to the server as if it came from a member, at once.
    pub fn inject_up(&mut self, name: Name, frame: ClientFrame) {
        if let Some(seat) = self.seats.get(&name).copied() {
            self.delivery.handle_frame(seat, frame, self.now);
        }
        self.settle();
    }

    /// Moves everything that somebody wants to say.
    pub fn settle(&mut self) {
        loop {
            let mut is_moved = false;
            while let Some(action) = self.delivery.poll_action() {
                is_moved = true;
                self.act(action);
            }
            let names: Vec<Name> = self.people.keys().copied().collect();
            for name in names {
                is_moved |= self.collect(name);
            }
            if !is_moved {
                return;
            }
        }
    }

    fn collect(&mut self, name: Name) -> bool {
        let now = self.now;
        let Some(person) = self.people.get_mut(&name) else {
            return false;
        };
        person.take_events(now);
        let mut frames = Vec::new();
        while let Some(frame) = person.member.poll_frame() {
            frames.push(frame);
        }
        let is_moved = !frames.is_empty();
        if let Some(connection) = self.connections.get(&name).copied() {
            for frame in frames {
                self.ship(connection, true, Parcel::Up(name, connection, frame));
            }
        }
        is_moved
    }

    fn ship(&mut self, connection: u64, is_up: bool, parcel: Parcel) {
        let millis = 1 + self.below(self.delay_ms_max);
        let at = self.now + Duration::from_millis(millis);
        let last = self.last_arrival.entry((connection, is_up)).or_default();
        let at = at.max(*last);
        *last = at;
        self.next_parcel += 1;
        self.parcels.insert((at, self.next_parcel), parcel);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send(seat, frame) => {
                if let Some(name) = self.name_at(seat) {
                    self.send(name, frame);
                }
            }
            Action::Close(seat) => {
                if let Some(name) = self.name_at(seat) {
                    self.closed.push(name);
                    self.leave(name);
                }
            }
            Action::Kicked(seat) => {
                if let Some(name) = self.name_at(seat) {
                    self.seats.remove(&name);
                    self.connections.remove(&name);
                    if let Some(person) = self.people.remove(&name) {
                        self.removed.insert(name, (self.now, person));
                    }
                }
            }
            Action::Gate(gate) => self.gate = Some(gate),
            Action::Count(_) => {}
        }
    }

    fn send(&mut self, name: Name, frame: ServerFrame) {
        let frames = match &mut self.bend {
            Some(bend) => bend(name, frame),
            None => vec![frame],
        };
        for frame in frames {
            // Whoever was removed listens on: nothing of it may help.
            let now = self.now;
            for (_, person) in self.removed.values_mut() {
                person.member.handle_frame(frame.clone(), now);
                while person.member.poll_frame().is_some() {}
                person.take_events(now);
            }
            self.sent.push((name, frame.clone()));
            if let Some(connection) = self.connections.get(&name).copied() {
                self.ship(connection, false, Parcel::Down(name, connection, frame));
            }
        }
    }

    fn name_at(&self, seat: Seat) -> Option<Name> {
        let mut seats = self.seats.iter();
        seats.find(|(_, there)| **there == seat).map(|(name, _)| *name)
    }

    /// Those who have a connection and were not removed.
    pub fn present(&self) -> BTreeSet<Name> {
        self.connections.keys().copied().collect()
    }

    /// Removes somebody, by the owner.
    pub fn kick(&mut self, kicker: Name, kicked: Name) {
        let Some(member) = self.people.get(&kicked).map(|person| person.member.id()) else {
            return;
        };
        let now = self.now;
        if let Some(person) = self.people.get_mut(&kicker) {
            person.member.remove(member, now);
        }
        self.settle();
    }
}
