//! All connections and rooms of one process: what comes in, what follows from it, what goes out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use protocol::bytes::{ResumeToken, Sealed};
use protocol::client::{
    Announced, Answer, ClientMessage, Create, Created, ErrorCode, ErrorMessage, Hello, Joined, MediaState,
    ParticipantJoined, ParticipantLeft, ParticipantMedia, Pong, ServerMessage, SlotBinding, Slots,
    TransportMessage, TransportState,
};
use protocol::decode::Reason;
use protocol::ids::{PeerId, RoomId, Seat};
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent, SfuInfo};
use rand_core::CryptoRng;
use tracing::{debug, info};

use crate::gate;
use crate::limits::{
    ADDRESS_CREATIONS_MAX, ADDRESS_FAILURES_MAX, CREATION_WINDOW, EMPTY_ROOM_LIFE, FAILURE_WINDOW,
    ROOM_FAILURES_MAX, ROOMS_MAX, SESSIONS_MAX, SFU_COMMANDS_MAX, SWEEP_INTERVAL, TRIES_MAX,
};
use crate::negotiation::{self, Offer};
use crate::origin::Origin;
use crate::outgoing::{Fault, Outgoing, Refusal};
use crate::room::{Rebinding, Room};
use crate::session::{ConnectionId, Place, Session, Stage};
use crate::stats::{Count, Stats};
use crate::tries::Tries;

/// What the rooms have to know of the rest of the house.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the SFU takes media, and the certificate that it shows.
    pub sfu: SfuInfo,
}

/// The rooms. Time is a `Duration` since any fixed moment that the shell chooses, and never runs backwards.
#[derive(Debug)]
pub struct Signaling {
    config: Config,
    sessions: BTreeMap<ConnectionId, Session>,
    rooms: BTreeMap<RoomId, Room>,
    /// Empty rooms, by the moment in which they became so.
    empty_rooms: BTreeSet<(Duration, RoomId)>,
    peers: BTreeMap<PeerId, ConnectionId>,
    next_peer: u64,
    address_failures: Tries<Origin>,
    room_failures: Tries<RoomId>,
    creations: Tries<Origin>,
    next_sweep: Duration,
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
            peers: BTreeMap::new(),
            next_peer: 1,
            address_failures: Tries::new(ADDRESS_FAILURES_MAX, FAILURE_WINDOW, TRIES_MAX),
            room_failures: Tries::new(ROOM_FAILURES_MAX, FAILURE_WINDOW, TRIES_MAX),
            creations: Tries::new(ADDRESS_CREATIONS_MAX, CREATION_WINDOW, TRIES_MAX),
            next_sweep: Duration::ZERO,
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
    pub fn handle_closed(&mut self, connection: ConnectionId, now: Duration) {
        self.end(connection, Count::Lost, now);
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

    /// A control frame of the WebSocket came in: a sign of life, which counts against the rate limit too.
    pub fn handle_alive(&mut self, connection: ConnectionId, now: Duration) {
        self.hear(connection, now);
    }

    /// The shell has to give a connection up.
    pub fn handle_fault(&mut self, connection: ConnectionId, fault: Fault, now: Duration) {
        let (code, detail) = match fault {
            Fault::TooLarge => (ErrorCode::TooLarge, "message too large"),
            Fault::NotText => (ErrorCode::Malformed, "not a text message"),
            Fault::TooSlow => (ErrorCode::TooSlow, "messages are not read"),
        };
        match fault {
            Fault::TooLarge => self.stats.add(Count::MessageRefused(Reason::TooLarge)),
            Fault::NotText => self.stats.add(Count::MessageRefused(Reason::Syntax)),
            Fault::TooSlow => {}
        }
        self.refuse(connection, Refusal::new(code, detail), now);
    }

    /// The SFU reports.
    pub fn handle_sfu_event(&mut self, event: SfuEvent, now: Duration) {
        let (SfuEvent::PeerConnected { peer } | SfuEvent::PeerClosed { peer, .. }) = event;
        let Some(connection) = self.peers.get(&peer).copied() else {
            self.stats.add(Count::UnknownPeer);
            return;
        };
        match event {
            SfuEvent::PeerConnected { .. } => {
                info!(connection = connection.0, %peer, "transport connected");
                self.send_transport(connection, TransportState::Connected);
            }
            SfuEvent::PeerClosed { reason, .. } => {
                info!(connection = connection.0, %peer, reason = reason.as_str(), "transport closed");
                // The SFU has forgotten the peer already; there is nothing to remove.
                self.peers.remove(&peer);
                self.send_transport(connection, TransportState::Closed);
                let code = match reason {
                    PeerClosedReason::FingerprintMismatch => ErrorCode::FingerprintMismatch,
                    PeerClosedReason::Overload => ErrorCode::ServerFull,
                    PeerClosedReason::DtlsFailed
                    | PeerClosedReason::IceTimeout
                    | PeerClosedReason::ClosedByPeer
                    | PeerClosedReason::Unreachable => ErrorCode::TransportFailed,
                };
                self.refuse(connection, Refusal::new(code, reason.as_str()), now);
            }
        }
    }

    /// The server is being stopped: everybody is told.
    pub fn handle_stop(&mut self, now: Duration) {
        let connections: Vec<ConnectionId> = self.sessions.keys().copied().collect();
        for connection in connections {
            let refusal = Refusal::new(ErrorCode::ServerStopping, "the server is being stopped");
            self.refuse(connection, refusal, now);
        }
    }

    /// The moment of [`Signaling::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        if now < self.next_sweep {
            return;
        }
        self.next_sweep = now.saturating_add(SWEEP_INTERVAL);
        let sessions = self.sessions.iter();
        let overdue: Vec<(ConnectionId, Count)> = sessions
            .filter_map(|(connection, session)| Some((*connection, session.overdue(now)?)))
            .collect();
        for (connection, count) in overdue {
            self.stats.add(count);
            let detail = match count {
                Count::HelloTimeout => "no hello in time",
                Count::AnswerTimeout => "no answer in time",
                _ => "silent for too long",
            };
            self.refuse(connection, Refusal::new(ErrorCode::TooSlow, detail), now);
        }
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
        self.creations.forget_ended(now);
    }

    /// When [`Signaling::handle_timeout`] is due; never where nobody and nothing is there.
    pub fn poll_timeout(&self) -> Option<Duration> {
        (!self.sessions.is_empty() || !self.rooms.is_empty()).then_some(self.next_sweep)
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

    /// Notes a sign of life; false where the connection is unknown or was closed for saying too much.
    fn hear(&mut self, connection: ConnectionId, now: Duration) -> bool {
        let Some(session) = self.sessions.get_mut(&connection) else {
            return false;
        };
        if session.hear(now).is_ok() {
            return true;
        }
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
        false
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
            (ClientMessage::Answer(answer), Some(place)) => self.answer(connection, place, &answer, now),
            (ClientMessage::Announce(announce), Some(place)) => {
                self.announce(place, announce.sealed);
                Ok(())
            }
            (ClientMessage::Media(media), Some(place)) => {
                self.media(place, media);
                Ok(())
            }
            (ClientMessage::Resume(_), _) => Err(Refusal::new(ErrorCode::ResumeRefused, "no such seat")),
            (ClientMessage::Leave(_), _) => {
                self.outgoing.push_back(Outgoing::Close(connection));
                self.end(connection, Count::Left, now);
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

    fn create(
        &mut self,
        connection: ConnectionId,
        origin: Origin,
        create: &Create,
        now: Duration,
    ) -> Result<(), Refusal> {
        let wait = self
            .address_failures
            .wait(&origin, now)
            .or_else(|| self.creations.wait(&origin, now));
        if let Some(wait) = wait {
            self.stats.add(Count::AddressLimited);
            return Err(Refusal::wait(wait));
        }
        if self.rooms.contains_key(&create.room) {
            self.address_failures.count(origin, now);
            return Err(Refusal::new(ErrorCode::RoomExists, "a room of this name exists"));
        }
        if self.rooms.len() >= ROOMS_MAX {
            return Err(Refusal::new(ErrorCode::ServerFull, "too many rooms"));
        }
        self.creations.count(origin, now);
        self.rooms.insert(create.room, Room::new(create.gate_hash, now));
        self.empty_rooms.insert((now, create.room));
        self.stats.add(Count::RoomCreated);
        self.enter(connection, Stage::Created, now);
        self.send(connection, ServerMessage::Created(Created { room: create.room }));
        Ok(())
    }

    fn hello(
        &mut self,
        connection: ConnectionId,
        origin: Origin,
        hello: &Hello,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Refusal> {
        self.check_gate(origin, hello, now)?;
        let Some(room) = self.rooms.get_mut(&hello.room) else {
            return Ok(());
        };
        if self.commands.len() >= SFU_COMMANDS_MAX {
            return Err(Refusal::new(ErrorCode::ServerFull, "the media server is busy"));
        }
        let full = || Refusal::new(ErrorCode::RoomFull, "the room has all its members");
        if room.is_full() {
            return Err(full());
        }
        let empty_since = room.empty_since();
        let offer = Offer::new(1, rng);
        let Some(deflated) = offer.deflated(&self.config.sfu) else {
            return Err(Refusal::new(ErrorCode::ServerFull, "no offer could be made"));
        };
        let negotiation = offer.negotiation;
        let mut token = [0; 32];
        rng.fill_bytes(&mut token);
        let token = ResumeToken::from_bytes(token);
        let slots = offer
            .slot_mids()
            .map(|mid| SlotBinding {
                mid,
                seat: None,
                source: None,
            })
            .collect();
        let seat = room.join(connection, offer).map_err(|_| full())?;
        let participants = room.others(seat);
        if let Some(since) = empty_since {
            self.empty_rooms.remove(&(since, hello.room));
        }
        let place = Place {
            room: hello.room,
            seat,
        };
        self.enter(connection, Stage::Joined(place, negotiation), now);
        self.stats.add(Count::Joined);
        info!(connection = connection.0, %seat, "member joined");
        let joined = Joined {
            seat,
            participants,
            slots,
            negotiation,
            offer: deflated,
            token,
            tcp_candidates: Vec::new(),
        };
        self.send(connection, ServerMessage::Joined(joined));
        self.tell_others(
            place,
            &ServerMessage::ParticipantJoined(ParticipantJoined { seat }),
        );
        Ok(())
    }

    /// Lets pass who shows the right gate of a room that exists. An unknown room and a wrong gate are the same in
    /// what is counted, done and answered.
    fn check_gate(&mut self, origin: Origin, hello: &Hello, now: Duration) -> Result<(), Refusal> {
        if let Some(wait) = self.address_failures.wait(&origin, now) {
            self.stats.add(Count::AddressLimited);
            return Err(Refusal::wait(wait));
        }
        if let Some(wait) = self.room_failures.wait(&hello.room, now) {
            self.stats.add(Count::RoomLimited);
            return Err(Refusal::wait(wait));
        }
        let stored = self.rooms.get(&hello.room).map(|room| &room.gate_hash);
        if gate::opens(stored, &hello.gate) {
            return Ok(());
        }
        self.address_failures.count(origin, now);
        self.room_failures.count(hello.room, now);
        Err(Refusal::new(ErrorCode::Refused, "unknown room or wrong gate"))
    }

    fn answer(
        &mut self,
        connection: ConnectionId,
        place: Place,
        answer: &Answer,
        now: Duration,
    ) -> Result<(), Refusal> {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return Ok(());
        };
        let Some(member) = room.member(place.seat) else {
            return Ok(());
        };
        let accepted = negotiation::accept_deflated(&member.offer, &answer.sdp).map_err(|error| {
            self.stats.add(Count::AnswerRefused(error.reason));
            Refusal::new(ErrorCode::BadAnswer, error.to_string())
        })?;
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        self.peers.insert(peer, connection);
        let rebindings = room.link(place.seat, peer, &accepted);
        self.enter(connection, Stage::Answered(place), now);
        debug!(connection = connection.0, %peer, "answer accepted");
        self.commands.push_back(SfuCommand::AddPeer {
            peer,
            connection: accepted,
        });
        self.rebound(place.room, &rebindings);
        Ok(())
    }

    fn announce(&mut self, place: Place, sealed: Sealed) {
        let room = self.rooms.get_mut(&place.room);
        if let Some(member) = room.and_then(|room| room.member_mut(place.seat)) {
            member.sealed = Some(sealed.clone());
        }
        self.tell_others(
            place,
            &ServerMessage::Announced(Announced {
                seat: place.seat,
                sealed,
            }),
        );
    }

    fn media(&mut self, place: Place, media: MediaState) {
        let room = self.rooms.get_mut(&place.room);
        if let Some(member) = room.and_then(|room| room.member_mut(place.seat)) {
            member.media = media;
        }
        let MediaState { microphone, camera } = media;
        let message = ParticipantMedia {
            seat: place.seat,
            microphone,
            camera,
        };
        self.tell_others(place, &ServerMessage::Media(message));
    }

    /// Tells a page of an error and ends its session.
    fn refuse(&mut self, connection: ConnectionId, refusal: Refusal, now: Duration) {
        if !self.sessions.contains_key(&connection) {
            return;
        }
        let Refusal {
            code,
            detail,
            retry_after,
        } = refusal;
        debug!(
            connection = connection.0,
            code = code.as_str(),
            detail,
            "connection refused"
        );
        self.stats.add(Count::Error(code));
        let retry_after_ms =
            retry_after.map(|wait| u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1));
        self.send(
            connection,
            ServerMessage::Error(ErrorMessage {
                code,
                detail,
                retry_after_ms,
            }),
        );
        self.outgoing.push_back(Outgoing::Close(connection));
        self.end(connection, Count::Lost, now);
    }

    /// Forgets a session, and lets the member out of its room.
    fn end(&mut self, connection: ConnectionId, how: Count, now: Duration) {
        let Some(session) = self.sessions.remove(&connection) else {
            return;
        };
        self.stats.add(Count::Closed);
        let Some(place) = session.stage.place() else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return;
        };
        let (peer, rebindings) = room.leave(place.seat, now);
        if let Some(since) = room.empty_since() {
            self.empty_rooms.insert((since, place.room));
        }
        self.stats.add(how);
        info!(connection = connection.0, seat = %place.seat, "member left");
        // A peer that the SFU closed by itself is no longer among them.
        if let Some(peer) = peer
            && self.peers.remove(&peer).is_some()
        {
            self.commands.push_back(SfuCommand::RemovePeer { peer });
        }
        let left = ServerMessage::ParticipantLeft(ParticipantLeft { seat: place.seat });
        self.tell_others(place, &left);
        self.rebound(place.room, &rebindings);
    }

    /// Tells the SFU and the pages about slots that changed; a page gets all its changes in one message.
    fn rebound(&mut self, room: RoomId, rebindings: &[Rebinding]) {
        for rebinding in rebindings {
            self.commands.push_back(SfuCommand::Bind {
                subscriber: rebinding.peer,
                slot: rebinding.mid,
                source: rebinding.source.map(|source| (source.peer, source.kind)),
            });
        }
        for changes in rebindings.chunk_by(|one, next| one.subscriber == next.subscriber) {
            let Some(connection) = self.connection_at(room, changes[0].subscriber) else {
                continue;
            };
            let slots = changes.iter().map(Rebinding::binding).collect();
            self.send(connection, ServerMessage::Slots(Slots { slots }));
        }
    }

    fn connection_at(&self, room: RoomId, seat: Seat) -> Option<ConnectionId> {
        Some(self.rooms.get(&room)?.member(seat)?.connection)
    }

    fn tell_others(&mut self, place: Place, message: &ServerMessage) {
        let Some(room) = self.rooms.get(&place.room) else {
            return;
        };
        for (seat, member) in room.members() {
            if seat != place.seat {
                self.outgoing
                    .push_back(Outgoing::Send(member.connection, message.clone()));
            }
        }
    }

    fn enter(&mut self, connection: ConnectionId, stage: Stage, now: Duration) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.enter(stage, now);
        }
    }

    fn send_transport(&mut self, connection: ConnectionId, state: TransportState) {
        self.send(connection, ServerMessage::Transport(TransportMessage { state }));
    }

    fn send(&mut self, connection: ConnectionId, message: ServerMessage) {
        self.outgoing.push_back(Outgoing::Send(connection, message));
    }
}
