//! Prints what three members did, call by call, with everything that they said: another build of the same crate that
//! is given the same seeds and calls has to say the same, byte for byte.
//!
//! They create, join, rename, update, chat, lock and remove, with the real delivery service in between. The output is
//! JSON; the browser tests replay it in WebAssembly.

use std::collections::BTreeMap;
use std::time::Duration;

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

/// How long it goes on.
const END_MS: u32 = 9_000;

struct Recorded {
    member: Member,
    seed: [u8; 32],
    is_owner: bool,
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
        perform(&mut self.member, time(now));
        let (mut frames, mut asked) = self.note(now, call);
        while let Some(bytes) = asked.pop().filter(|_| self.is_owner) {
            let signature = owner().sign_bytes(&bytes);
            self.member.handle_owner_signature(signature, time(now));
            let (more, further) = self.note(now, json!({"call": "owner_signed", "bytes": hex(&signature)}));
            frames.extend(more);
            asked.extend(further);
        }
        frames
    }

    /// Writes down what came of a call: what was said to the server, and what the owner's key has to sign.
    fn note(&mut self, now: u32, mut call: Value) -> (Vec<ClientFrame>, Vec<Vec<u8>>) {
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
        call["now"] = json!(now);
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

fn main() {
    let unix_seconds = unix_now();
    let server_owner = Owner::from_bytes(e2ee::grant::owner_of(&owner().public()));
    let mut room = Room {
        delivery: Delivery::new(DeliveryKey::new(&[99; 32]), server_owner, unix_seconds, None),
        people: BTreeMap::new(),
        now: 0,
    };
    let seats = [Seat::FIRST, Seat::FIRST.next(), Seat::FIRST.next().next()];
    for (seed, seat) in (1_u8..).zip(seats) {
        let person = Recorded::new([seed; 32], unix_seconds, seat == Seat::FIRST);
        room.people.insert(seat, person);
    }
    let [ada, ben, cem] = seats;
    while room.now < END_MS {
        match room.now {
            0 => room.join(ada, "Ada"),
            1_000 => room.join(ben, "Ben"),
            2_000 => room.join(cem, "Çem"),
            4_000 => {
                room.call(ben, json!({"call": "update"}), Member::update);
                room.settle();
            }
            5_000 => {
                let call = json!({"call": "chat", "text": "Grüße"});
                room.call(cem, call, |member, now| {
                    member.say_to_all(&App::Chat("Grüße".to_owned()), now);
                });
                room.settle();
            }
            6_000 => {
                let call = json!({"call": "lock", "locked": true});
                room.call(ada, call, |member, now| member.lock(true, now));
                room.settle();
            }
            7_000 => {
                let id = room.people.get(&cem).map(|person| person.member.id());
                if let Some(id) = id {
                    let call = json!({"call": "remove", "member": hex(id.as_bytes())});
                    room.call(ada, call, |member, now| member.remove(id, now));
                    room.settle();
                }
            }
            _ => {}
        }
        room.timers();
        room.now += STEP_MS;
    }
    let members: Vec<Value> = room.people.values().map(described).collect();
    let transcript = json!({
        "fragment": *first_fragment().to_text(),
        "room": ROOM.to_text(),
        "unix_seconds": unix_seconds,
        "owner": hex(&owner().public()),
        "members": members,
    });
    println!("{transcript}");
}

fn described(person: &Recorded) -> Value {
    json!({"seed": hex(&person.seed), "is_owner": person.is_owner, "calls": person.calls})
}
