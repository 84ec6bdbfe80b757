//! Who comes in: new rooms, new members, and members that come back.

use std::time::Duration;

use protocol::bytes::ResumeToken;
use protocol::client::{
    Create, Created, ErrorCode, Hello, Joined, ParticipantJoined, Resume, Resumed, ServerMessage,
    TransportState,
};
use protocol::ids::Seat;
use rand_core::CryptoRng;
use tracing::info;

use super::Signaling;
use crate::delivery::Delivery;
use crate::gate;
use crate::limits::{GROUP_GRACE, RESTART_TIME, ROOMS_MAX, SFU_COMMANDS_MAX};
use crate::negotiation::{Offer, Pool, candidates};
use crate::origin::Origin;
use crate::outgoing::{Outgoing, Refusal};
use crate::room::{Attachment, Member, Room};
use crate::session::{ConnectionId, Place, Stage};
use crate::stats::Count;

impl Signaling {
    pub(super) fn create(
        &mut self,
        connection: ConnectionId,
        origin: Origin,
        create: &Create,
        now: Duration,
    ) -> Result<(), Refusal> {
        self.check_open()?;
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
        // Rooms that are made so soon may have been there before a restart.
        let grace_until = (now < RESTART_TIME).then(|| now.saturating_add(GROUP_GRACE));
        let delivery = Delivery::new(
            self.config.key.clone(),
            create.owner,
            self.config.started_unix,
            grace_until,
        );
        self.rooms
            .insert(create.room, Room::new(create.gate_hash, delivery, now));
        self.empty_rooms.insert((now, create.room));
        self.stats.add(Count::RoomCreated);
        self.enter(connection, Stage::Created);
        self.send(connection, ServerMessage::Created(Created { room: create.room }));
        Ok(())
    }

    pub(super) fn hello(
        &mut self,
        connection: ConnectionId,
        origin: Origin,
        hello: &Hello,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Refusal> {
        self.check_open()?;
        self.check_gate(origin, hello, now)?;
        let Some(room) = self.rooms.get_mut(&hello.room) else {
            return Ok(());
        };
        if self.commands.len() >= SFU_COMMANDS_MAX {
            return Err(Refusal::new(ErrorCode::ServerFull, "the media server is busy"));
        }
        let full = || Refusal::new(ErrorCode::RoomFull, "the room has all its members");
        if room.is_full(hello.media) {
            return Err(full());
        }
        if room.delivery.is_locked() {
            return Err(Refusal::new(ErrorCode::Locked, "the meeting is locked"));
        }
        let empty_since = room.empty_since();
        let pool = if hello.media {
            room.pool(false)
        } else {
            Pool::for_others(0)
        };
        let offer = Offer::new(1, pool, rng);
        let deflated = hello.media.then(|| offer.deflated(&self.config.sfu));
        if matches!(deflated, Some(None)) {
            return Err(Refusal::new(ErrorCode::ServerFull, "no offer could be made"));
        }
        let negotiation = offer.negotiation;
        let token = draw_token(rng);
        let seat = room
            .join(connection, token, offer, hello.media, now)
            .map_err(|_| full())?;
        let participants = room.others(seat);
        let slots = room.member(seat).map(Member::slots).unwrap_or_default();
        if let Some(since) = empty_since {
            self.empty_rooms.remove(&(since, hello.room));
        }
        let place = Place {
            room: hello.room,
            seat,
        };
        self.enter(connection, Stage::Seated(place));
        self.stats.add(Count::Joined);
        info!(connection = connection.0, %seat, "member joined");
        let joined = Joined {
            seat,
            participants,
            slots,
            negotiation,
            offer: deflated.flatten(),
            token,
            tcp_candidates: candidates::tcp(&self.config.sfu),
        };
        self.send(connection, ServerMessage::Joined(joined));
        self.tell_others(
            place,
            &ServerMessage::ParticipantJoined(ParticipantJoined { seat }),
        );
        self.plan_growth(place.room, now);
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

    /// Gives a page its seat back, with everything that it may have missed.
    pub(super) fn resume(
        &mut self,
        connection: ConnectionId,
        origin: Origin,
        resume: &Resume,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Refusal> {
        let seat = self.check_token(origin, resume, now)?;
        let place = Place {
            room: resume.room,
            seat,
        };
        self.attach(place, connection);
        self.enter(connection, Stage::Seated(place));
        self.with_delivery(place.room, now, |delivery| delivery.handle_here(seat));
        let is_offered = self.offer_after_resume(place, now, rng);
        let Some(room) = self.rooms.get(&resume.room) else {
            return Ok(());
        };
        let Some(member) = room.member(seat) else {
            return Ok(());
        };
        let transport = match member.peer() {
            // Nothing is to be offered to one without media.
            None if !member.has_media => TransportState::Connected,
            Some(_) => TransportState::Connected,
            None => TransportState::Closed,
        };
        let resumed = Resumed {
            seat,
            participants: room.others(seat),
            slots: member.slots(),
            transport,
        };
        self.send(connection, ServerMessage::Resumed(resumed));
        info!(connection = connection.0, %seat, "member came back");
        self.tell_drain(connection, now);
        if is_offered {
            self.send_offer(place)?;
        }
        self.plan_growth(place.room, now);
        Ok(())
    }

    /// The seat of a token. An unknown room and an unknown token are the same in what is counted and answered.
    fn check_token(&mut self, origin: Origin, resume: &Resume, now: Duration) -> Result<Seat, Refusal> {
        if let Some(wait) = self.address_failures.wait(&origin, now) {
            self.stats.add(Count::AddressLimited);
            return Err(Refusal::wait(wait));
        }
        if let Some(wait) = self.resume_failures.wait(&resume.room, now) {
            self.stats.add(Count::RoomLimited);
            return Err(Refusal::wait(wait));
        }
        let room = self.rooms.get(&resume.room);
        if let Some(seat) = room.and_then(|room| room.seat_of(&resume.token)) {
            return Ok(seat);
        }
        self.stats.add(if room.is_some() {
            Count::ResumeNoSeat
        } else {
            Count::ResumeNoRoom
        });
        self.address_failures.count(origin, now);
        self.resume_failures.count(resume.room, now);
        Err(Refusal::new(ErrorCode::ResumeRefused, "no such seat"))
    }

    /// Puts a member on a new connection, in place of the one that broke or still seems alive.
    fn attach(&mut self, place: Place, connection: ConnectionId) {
        let room = self.rooms.get_mut(&place.room);
        let Some(member) = room.and_then(|room| room.member_mut(place.seat)) else {
            return;
        };
        match std::mem::replace(&mut member.attachment, Attachment::Here(connection)) {
            Attachment::Held(since) => {
                self.held_seats.remove(&(since, place.room, place.seat));
                self.stats.add(Count::Resumed);
            }
            Attachment::Here(old) => {
                self.sessions.remove(&old);
                self.outgoing.push_back(Outgoing::Close(old));
                self.stats.add(Count::Closed);
                self.stats.add(Count::TakenOver);
            }
        }
    }

    fn enter(&mut self, connection: ConnectionId, stage: Stage) {
        if let Some(session) = self.sessions.get_mut(&connection) {
            session.stage = stage;
        }
    }
}

fn draw_token(rng: &mut impl CryptoRng) -> ResumeToken {
    let mut token = [0; 32];
    rng.fill_bytes(&mut token);
    ResumeToken::from_bytes(token)
}
