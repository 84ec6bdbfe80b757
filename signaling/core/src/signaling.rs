//! All connections and rooms of one process: what comes in, what follows from it, what goes out.

mod admission;
mod drain;
mod group;
mod seats;
mod transports;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use protocol::client::{ClientMessage, ErrorCode, Pong, ServerMessage};
use protocol::decode::Reason;
use protocol::ids::{PeerId, RoomId, Seat};
use protocol::sfu::{SfuCommand, SfuEvent, SfuInfo};
use rand_core::CryptoRng;

use crate::delivery::DeliveryKey;
use crate::limits::{
    ADDRESS_CREATIONS_MAX, ADDRESS_FAILURES_MAX, CREATION_WINDOW, EMPTY_ROOM_LIFE, FAILURE_WINDOW,
    ROOM_FAILURES_MAX, ROOM_RESUME_FAILURES_MAX, SESSIONS_MAX, SWEEP_INTERVAL, TRIES_MAX,
};
use crate::origin::Origin;
use crate::outgoing::{Closing, Fault, Outgoing, Refusal};
use crate::room::Room;
use crate::session::{ConnectionId, Place, Session};
use crate::stats::{Count, Stats};
use crate::tries::Tries;
use drain::Drain;
use seats::Departure;

/// What the rooms have to know of the rest of the house.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the SFU takes media, and the certificate that it shows.
    pub sfu: SfuInfo,
    /// What this server's proposals to remove those who left are signed with.
    pub key: DeliveryKey,
    /// The time at the moment that all durations count from, in seconds since 1970.
    pub started_unix: u64,
}

/// The rooms. Time is a `Duration` since any fixed moment that the shell chooses, and never runs backwards.
#[derive(Debug)]
pub struct Signaling {
    config: Config,
    sessions: BTreeMap<ConnectionId, Session>,
    rooms: BTreeMap<RoomId, Room>,
    /// Empty rooms, by the moment in which they became so.
    empty_rooms: BTreeSet<(Duration, RoomId)>,
    /// Seats whose connection broke, by the moment in which it did.
    held_seats: BTreeSet<(Duration, RoomId, Seat)>,
    /// Rooms whose delivery service has something to do, by the moment in which that is due.
    due_groups: BTreeSet<(Duration, RoomId)>,
    /// The same, by room.
    group_dues: BTreeMap<RoomId, Duration>,
    /// Rooms whose members will be asked for more slots, by the moment in which that is due.
    growing_rooms: BTreeSet<(Duration, RoomId)>,
    peers: BTreeMap<PeerId, Place>,
    next_peer: u64,
    address_failures: Tries<Origin>,
    room_failures: Tries<RoomId>,
    resume_failures: Tries<RoomId>,
    creations: Tries<Origin>,
    next_sweep: Duration,
    drain: Option<Drain>,
    outgoing: VecDeque<Outgoing>,
    commands: VecDeque<SfuCommand>,
    stats: Stats,
}

impl Signaling {
    /// No connections and no rooms.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            sessions: BTreeMap::new(),
            rooms: BTreeMap::new(),
            empty_rooms: BTreeSet::new(),
            held_seats: BTreeSet::new(),
            due_groups: BTreeSet::new(),
            group_dues: BTreeMap::new(),
            growing_rooms: BTreeSet::new(),
            peers: BTreeMap::new(),
            next_peer: 1,
            address_failures: Tries::new(ADDRESS_FAILURES_MAX, FAILURE_WINDOW, TRIES_MAX),
            room_failures: Tries::new(ROOM_FAILURES_MAX, FAILURE_WINDOW, TRIES_MAX),
            resume_failures: Tries::new(ROOM_RESUME_FAILURES_MAX, FAILURE_WINDOW, TRIES_MAX),
            creations: Tries::new(ADDRESS_CREATIONS_MAX, CREATION_WINDOW, TRIES_MAX),
            next_sweep: Duration::ZERO,
            drain: None,
            outgoing: VecDeque::new(),
            commands: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// A connection was opened.
    pub fn handle_opened(&mut self, connection: ConnectionId, origin: Origin, now: Duration) {
        self.stats.add(Count::Opened);
        let full = self.sessions.len() >= SESSIONS_MAX;
        self.sessions.insert(connection, Session::new(origin, now));
        if full {
            let refusal = Refusal::new(ErrorCode::ServerFull, "too many connections");
            self.refuse(connection, refusal, now);
        }
    }

    /// A connection is gone. Harmless for one that was closed from here.
    pub fn handle_closed(&mut self, connection: ConnectionId, closing: Closing, now: Duration) {
        let departure = match closing {
            Closing::Clean => Departure::Gone(Count::ClosedByPage),
            Closing::Broken => Departure::Broken,
        };
        self.end(connection, departure, now);
    }

    /// A text message came in.
    pub fn handle_message(
        &mut self,
        connection: ConnectionId,
        json: &[u8],
        now: Duration,
        rng: &mut impl CryptoRng,
    ) {
        if !self.hear(connection, now) {
            return;
        }
        self.stats.add(Count::MessageReceived);
        if let Err(refusal) = self.message(connection, json, now, rng) {
            self.refuse(connection, refusal, now);
        }
    }

    /// A binary message came in: a frame for the delivery service of the room.
    pub fn handle_binary(&mut self, connection: ConnectionId, bytes: &[u8], now: Duration) {
        if !self.hear_bytes(connection, bytes.len(), now) {
            return;
        }
        self.stats.add(Count::FrameReceived);
        if let Err(refusal) = self.frame(connection, bytes, now) {
            self.refuse(connection, refusal, now);
        }
    }

    /// A control frame of the WebSocket came in: a sign of life, which counts against the rate limit too.
    pub fn handle_alive(&mut self, connection: ConnectionId, now: Duration) {
        self.hear(connection, now);
    }

    /// The shell has to give a connection up. A member that does not read may come back; one that sends what it must
    /// not is let go.
    pub fn handle_fault(&mut self, connection: ConnectionId, fault: Fault, now: Duration) {
        let (code, detail) = match fault {
            Fault::TooLarge => (ErrorCode::TooLarge, "message too large"),
            Fault::NotText => (ErrorCode::Malformed, "not a text message"),
            Fault::TooSlow => (ErrorCode::TooSlow, "messages are not read"),
        };
        let refusal = Refusal::new(code, detail);
        match fault {
            Fault::TooLarge => self.stats.add(Count::MessageRefused(Reason::TooLarge)),
            Fault::NotText => self.stats.add(Count::MessageRefused(Reason::Syntax)),
            Fault::TooSlow => return self.cut_off(connection, refusal, now),
        }
        self.refuse(connection, refusal, now);
    }

    /// The SFU reports.
    pub fn handle_sfu_event(&mut self, event: SfuEvent, now: Duration, rng: &mut impl CryptoRng) {
        let (SfuEvent::PeerConnected { peer } | SfuEvent::PeerClosed { peer, .. }) = event;
        let Some(place) = self.peers.get(&peer).copied() else {
            self.stats.add(Count::UnknownPeer);
            return;
        };
        match event {
            SfuEvent::PeerConnected { .. } => self.peer_connected(place, peer),
            SfuEvent::PeerClosed { reason, .. } => {
                // The SFU has forgotten the peer already; there is nothing to remove.
                self.peers.remove(&peer);
                self.peer_closed(place, peer, reason, now, rng);
            }
        }
    }

    /// The moment of [`Signaling::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration, rng: &mut impl CryptoRng) {
        self.grow_rooms(now, rng);
        self.time_groups(now);
        self.end_drain(now);
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now.saturating_add(SWEEP_INTERVAL);
        self.sweep_sessions(now);
        self.sweep_seats(now);
        while let Some((since, room)) = self.empty_rooms.first().copied() {
            if now.saturating_sub(since) < EMPTY_ROOM_LIFE {
                break;
            }
            self.empty_rooms.pop_first();
            self.rooms.remove(&room);
            self.stats.add(Count::RoomExpired);
        }
        self.address_failures.forget_ended(now);
        self.room_failures.forget_ended(now);
        self.resume_failures.forget_ended(now);
        self.creations.forget_ended(now);
    }

    /// When [`Signaling::handle_timeout`] is due; never where nobody and nothing is there.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let is_swept = !self.sessions.is_empty() || !self.rooms.is_empty();
        let sweep = is_swept.then_some(self.next_sweep);
        let growth = self.growing_rooms.first().map(|(due, _)| *due);
        let drain = self.drain.as_ref().and_then(Drain::due);
        let group = self.due_groups.first().map(|(due, _)| *due);
        [sweep, growth, drain, group].into_iter().flatten().min()
    }

    /// What to do next with a connection.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// What to tell the SFU next. A command that it does not take has to be told again, before all others.
    pub fn poll_sfu_command(&mut self) -> Option<SfuCommand> {
        self.commands.pop_front()
    }

    /// What was counted.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.sessions.len()
    }

    /// Rooms that exist, empty ones included.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Rooms that somebody is in.
    pub fn rooms_in_use(&self) -> usize {
        self.rooms.len() - self.empty_rooms.len()
    }

    /// Seats whose connection broke and that are held.
    pub fn seats_held(&self) -> usize {
        self.held_seats.len()
    }

    /// Notes a sign of life; false where the connection is unknown or was closed for saying too much.
    fn hear(&mut self, connection: ConnectionId, now: Duration) -> bool {
        let Some(session) = self.sessions.get_mut(&connection) else {
            return false;
        };
        if session.hear(now).is_ok() {
            return true;
        }
        self.refuse_flood(connection, now);
        false
    }

    /// The same for a binary message, of which the bytes count.
    fn hear_bytes(&mut self, connection: ConnectionId, bytes: usize, now: Duration) -> bool {
        let Some(session) = self.sessions.get_mut(&connection) else {
            return false;
        };
        if session.hear_bytes(bytes, now).is_ok() {
            return true;
        }
        self.refuse_flood(connection, now);
        false
    }

    fn refuse_flood(&mut self, connection: ConnectionId, now: Duration) {
        let detail = "too many messages".to_owned();
        let retry_after = Some(Duration::from_secs(1));
        self.refuse(
            connection,
            Refusal {
                code: ErrorCode::RateLimited,
                detail,
                retry_after,
            },
            now,
        );
    }

    fn message(
        &mut self,
        connection: ConnectionId,
        json: &[u8],
        now: Duration,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Refusal> {
        let message = ClientMessage::decode(json).map_err(|error| {
            self.stats.add(Count::MessageRefused(error.reason));
            let code = match error.reason {
                Reason::TooLarge => ErrorCode::TooLarge,
                Reason::Version => ErrorCode::VersionUnsupported,
                _ => ErrorCode::Malformed,
            };
            Refusal::new(code, error.to_string())
        })?;
        let Some(session) = self.sessions.get(&connection) else {
            return Ok(());
        };
        let (stage, origin) = (session.stage, session.origin);
        stage
            .check_order(&message)
            .map_err(|detail| Refusal::new(ErrorCode::OutOfOrder, detail))?;
        match (message, stage.place()) {
            (ClientMessage::Create(create), _) => self.create(connection, origin, &create, now),
            (ClientMessage::Hello(hello), _) => self.hello(connection, origin, &hello, now, rng),
            (ClientMessage::Resume(resume), _) => self.resume(connection, origin, &resume, now, rng),
            (ClientMessage::Answer(answer), Some(place)) => self.answer(place, &answer, now),
            (ClientMessage::Announce(announce), Some(place)) => {
                self.announce(place, announce.sealed);
                Ok(())
            }
            (ClientMessage::Media(media), Some(place)) => {
                self.media(place, media);
                Ok(())
            }
            (ClientMessage::Leave(_), _) => {
                self.outgoing.push_back(Outgoing::Close(connection));
                self.end(connection, Departure::Gone(Count::Left), now);
                Ok(())
            }
            (ClientMessage::Ping(_), _) => {
                self.send(connection, ServerMessage::Pong(Pong {}));
                Ok(())
            }
            // The order was checked: these stand in a room.
            (ClientMessage::Answer(_) | ClientMessage::Announce(_) | ClientMessage::Media(_), None) => Ok(()),
        }
    }

    fn send(&mut self, connection: ConnectionId, message: ServerMessage) {
        self.outgoing.push_back(Outgoing::Send(connection, message));
    }

    /// Says something to a member, where it has a connection.
    fn tell(&mut self, place: Place, message: ServerMessage) {
        let room = self.rooms.get(&place.room);
        let member = room.and_then(|room| room.member(place.seat));
        if let Some(connection) = member.and_then(|member| member.connection()) {
            self.send(connection, message);
        }
    }

    fn tell_others(&mut self, place: Place, message: &ServerMessage) {
        let Some(room) = self.rooms.get(&place.room) else {
            return;
        };
        for (seat, member) in room.members() {
            if seat != place.seat
                && let Some(connection) = member.connection()
            {
                self.outgoing
                    .push_back(Outgoing::Send(connection, message.clone()));
            }
        }
    }
}
