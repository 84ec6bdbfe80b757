//! Prints what members did, call by call, with everything that they said: another build of the same crate that is given
//! the same seeds and calls has to say the same, byte for byte. `transcript [MEMBERS]`, three unless said otherwise.
//!
//! One creates, a crowd comes in, one joins by itself, they renew keys, chat, lock, and the last one is removed, with
//! the real delivery service in between. Written down are the owner, the first of the crowd and the last. The output
//! is JSON, with the nanoseconds that each call took here; browser tests and measurements replay it in WebAssembly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2ee::app::App;
use e2ee::group::{Config, Event, Member, Saying};
use e2ee::identity::TrackNumber;
use e2ee::profile::Kind;
use e2ee::secret::RoomSecret;
use protocol::bytes::Owner;
use protocol::group::{ClientFrame, ServerFrame};
use protocol::ids::Seat;
use serde_json::{Value, json};
use signaling_core::DeliveryKey;
use signaling_core::delivery::{Action, Delivery};
use simulation::person::{ROOM, first_fragment, owner, unix_now};

/// Between two moments at which anything happens: whole milliseconds are the same in both clocks.
const STEP_MS: u32 = 10;

/// How long nothing further happens after each event, so that all of it has come to rest.
const REST_MS: u32 = 1_500;

/// How long a crowd may take to come in.
const CROWD_MS: u32 = 120_000;

/// How many may be in the room.
const MEMBERS: std::ops::RangeInclusive<u16> = 2..=400;

struct Recorded {
    member: Member,
    seed: [u8; 32],
    is_owner: bool,
    is_written: bool,
    calls: Vec<Value>,
}

impl Recorded {
    fn new(seed: [u8; 32], unix_seconds: u64, is_owner: bool) -> Self {
        let fragment = first_fragment();
        let secret = RoomSecret::from_link(&fragment.link);
        let config = Config {
            room: ROOM,
            fragment,
            secret,
            password: None,
            unix_seconds,
            seed,
        };
        Self {
            member: Member::new(config, is_owner.then(|| owner().public())),
            seed,
            is_owner,
            is_written: false,
            calls: Vec::new(),
        }
    }

    /// Makes one call and writes down what came of it. Returns what was said to the server.
    fn call(
        &mut self,
        now: u32,
        call: Value,
        perform: impl FnOnce(&mut Member, Duration),
    ) -> Vec<ClientFrame> {
        let begun = Instant::now();
        perform(&mut self.member, time(now));
        let (mut frames, mut asked) = self.note(now, call, begun);
        while let Some(bytes) = asked.pop().filter(|_| self.is_owner) {
            let signature = owner().sign_bytes(&bytes);
            let begun = Instant::now();
            self.member.handle_owner_signature(signature, time(now));
            let call = json!({"call": "owner_signed", "bytes": hex(&signature)});
            let (more, further) = self.note(now, call, begun);
            frames.extend(more);
            asked.extend(further);
        }
        frames
    }

    /// Writes down what came of a call: what was said to the server, and what the owner's key has to sign.
    fn note(&mut self, now: u32, mut call: Value, begun: Instant) -> (Vec<ClientFrame>, Vec<Vec<u8>>) {
        let nanoseconds = begun.elapsed().as_nanos();
        let mut frames = Vec::new();
        while let Some(frame) = self.member.poll_frame() {
            frames.push(frame);
        }
        let mut events = 0;
        let mut asked = Vec::new();
        while let Some(event) = self.member.poll_event() {
            events += 1;
            if let Event::OwnerSignature { bytes } = event {
                asked.push(bytes);
            }
        }
        if !self.is_written {
            return (frames, asked);
        }
        call["now"] = json!(now);
        call["nanoseconds"] = json!(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        call["frames"] = json!(
            frames
                .iter()
                .map(|frame| hex(&frame.encode()))
                .collect::<Vec<_>>()
        );
        call["events"] = json!(events);
        call["authenticator"] = json!(self.member.epoch_authenticator().map(|bytes| hex(&bytes)));
        self.calls.push(call);
        (frames, asked)
    }
}

fn time(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Room {
    delivery: Delivery,
    people: BTreeMap<Seat, Recorded>,
    now: u32,
}

impl Room {
    fn call(&mut self, seat: Seat, call: Value, perform: impl FnOnce(&mut Member, Duration)) {
        let now = self.now;
        let Some(person) = self.people.get_mut(&seat) else {
            return;
        };
        for frame in person.call(now, call, perform) {
            self.delivery.handle_frame(seat, frame, time(now));
        }
    }

    /// Carries everything to where it goes.
    fn settle(&mut self) {
        while let Some(action) = self.delivery.poll_action() {
            if let Action::Send(seat, frame) = action {
                self.hand(seat, &frame);
            }
        }
    }

    fn hand(&mut self, seat: Seat, frame: &ServerFrame) {
        let bytes = frame.encode();
        let call = json!({"call": "message", "bytes": hex(&bytes)});
        self.call(seat, call, |member, now| member.handle_message(&bytes, now));
    }

    fn join(&mut self, seat: Seat, name: &str) {
        let tracks = [(0, Kind::Microphone), (1, Kind::Camera)];
        let saying = Saying {
            seat: seat.number(),
            name: name.to_owned(),
            microphone_on: true,
            camera_on: false,
            tracks: tracks
                .iter()
                .filter_map(|(number, kind)| Some((TrackNumber::new(*number)?, *kind)))
                .collect(),
        };
        let call = json!({"call": "announce", "seat": seat.number(), "name": name, "tracks": [0, 1, 1, 2]});
        self.call(seat, call, |member, now| member.announce(saying, now));
        self.call(seat, json!({"call": "connected"}), Member::handle_connected);
        self.settle();
    }

    fn timers(&mut self) {
        let now = time(self.now);
        if self.delivery.poll_timeout().is_some_and(|due| due <= now) {
            self.delivery.handle_timeout(now);
        }
        let due: Vec<Seat> = self
            .people
            .iter()
            .filter(|(_, person)| person.member.poll_timeout().is_some_and(|due| due <= now))
            .map(|(seat, _)| *seat)
            .collect();
        for seat in due {
            self.call(seat, json!({"call": "timeout"}), Member::handle_timeout);
        }
        self.settle();
    }
}

impl Room {
    fn run_for(&mut self, milliseconds: u32) {
        let end = self.now + milliseconds;
        while self.now < end {
            self.now += STEP_MS;
            self.timers();
        }
    }

    /// Lets time pass until this many know each other.
    fn run_until_settled(&mut self, members: usize) {
        let end = self.now + CROWD_MS;
        let is_settled = |person: &Recorded| {
            person.member.epoch().is_none() || {
                let roster = person.member.roster();
                roster.len() == members && roster.entries().all(|(_, entry)| entry.profile.is_some())
            }
        };
        let is_inside = |person: &Recorded| person.member.epoch().is_some();
        while self.now < end {
            let people = self.people.values();
            if people.clone().filter(|person| is_inside(person)).count() == members
                && people.clone().all(is_settled)
            {
                break;
            }
            self.run_for(STEP_MS);
        }
        self.run_for(REST_MS);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let members = std::env::args()
        .nth(1)
        .map_or(Ok(3), |text| text.parse::<u16>())?;
    if !MEMBERS.contains(&members) {
        return Err(format!(
            "{members} members: {} to {} are possible",
            MEMBERS.start(),
            MEMBERS.end()
        )
        .into());
    }
    let unix_seconds = unix_now();
    let server_owner = Owner::from_bytes(e2ee::grant::owner_of(&owner().public()));
    let mut room = Room {
        delivery: Delivery::new(DeliveryKey::new(&[99; 32]), server_owner, unix_seconds, None),
        people: BTreeMap::new(),
        now: 0,
    };
    let seats: Vec<Seat> = std::iter::successors(Some(Seat::FIRST), |seat| Some(seat.next()))
        .take(members.into())
        .collect();
    let (ada, ben, cem) = (Seat::FIRST, Seat::FIRST.next(), *seats.last().ok_or("nobody")?);
    for (number, seat) in (1_u16..).zip(&seats) {
        let mut seed = [0; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        let mut person = Recorded::new(seed, unix_seconds, *seat == ada);
        person.is_written = [ada, ben, cem].contains(seat);
        room.people.insert(*seat, person);
    }
    room.join(ada, "Ada");
    room.run_for(REST_MS);
    for seat in seats.iter().filter(|seat| ![ada, cem].contains(seat)) {
        room.join(*seat, &format!("Guest {}", seat.number()));
    }
    room.run_until_settled(seats.len() - 1);
    room.join(cem, "Çem");
    room.run_until_settled(seats.len());
    room.call(ben, json!({"call": "update"}), Member::update);
    room.settle();
    room.run_for(REST_MS);
    let chat = json!({"call": "chat", "text": "Grüße"});
    room.call(cem, chat, |member, now| {
        member.say_to_all(&App::Chat("Grüße".to_owned()), now);
    });
    room.settle();
    room.run_for(REST_MS);
    let lock = json!({"call": "lock", "locked": true});
    room.call(ada, lock, |member, now| member.lock(true, now));
    room.settle();
    room.run_for(REST_MS);
    let id = room.people.get(&cem).ok_or("nobody")?.member.id();
    let remove = json!({"call": "remove", "member": hex(id.as_bytes())});
    room.call(ada, remove, |member, now| member.remove(id, now));
    room.settle();
    room.run_for(REST_MS);
    let written = room.people.values().filter(|person| person.is_written);
    let described: Vec<Value> = written.map(described).collect();
    let transcript = json!({
        "fragment": *first_fragment().to_text(),
        "room": ROOM.to_text(),
        "unix_seconds": unix_seconds,
        "owner": hex(&owner().public()),
        "members": described,
    });
    println!("{transcript}");
    Ok(())
}

fn described(person: &Recorded) -> Value {
    json!({"seed": hex(&person.seed), "is_owner": person.is_owner, "calls": person.calls})
}
