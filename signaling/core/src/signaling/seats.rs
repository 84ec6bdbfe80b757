//! Who is there: what members say of themselves, and how their connections and seats end.

use std::time::Duration;

use protocol::bytes::Sealed;
use protocol::client::{
    Announced, ErrorCode, ErrorMessage, MediaState, ParticipantLeft, ParticipantMedia, ServerMessage, Slots,
};
use protocol::ids::RoomId;
use protocol::sfu::SfuCommand;
use tracing::{debug, info};

use super::Signaling;
use crate::limits::{ANSWER_DEADLINE, HELD_SEATS_MAX, RESUME_WINDOW};
use crate::outgoing::{Outgoing, Refusal};
use crate::room::{Attachment, Rebinding};
use crate::session::{ConnectionId, Place};
use crate::stats::Count;

/// How a connection ended, and with it perhaps a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// The member is gone, and this is counted.
    Gone(Count),
    /// The line broke: the seat is held.
    Broken,
}

impl Signaling {
    pub(super) fn announce(&mut self, place: Place, sealed: Sealed) {
        let room = self.rooms.get_mut(&place.room);
        if let Some(member) = room.and_then(|room| room.member_mut(place.seat)) {
            member.sealed = Some(sealed.clone());
        }
        let announced = Announced {
            seat: place.seat,
            sealed,
        };
        self.tell_others(place, &ServerMessage::Announced(announced));
    }

    pub(super) fn media(&mut self, place: Place, media: MediaState) {
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

    /// Tells a page of an error that ends its session, and its membership with it.
    pub(super) fn refuse(&mut self, connection: ConnectionId, refusal: Refusal, now: Duration) {
        self.say_last(connection, refusal);
        self.end(connection, Departure::Gone(Count::Lost), now);
    }

    /// Tells a page, should it still listen, that its line does not work; its seat is held.
    pub(super) fn cut_off(&mut self, connection: ConnectionId, refusal: Refusal, now: Duration) {
        self.say_last(connection, refusal);
        self.end(connection, Departure::Broken, now);
    }

    fn say_last(&mut self, connection: ConnectionId, refusal: Refusal) {
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
        let error = ErrorMessage {
            code,
            detail,
            retry_after_ms,
        };
        self.send(connection, ServerMessage::Error(error));
        self.outgoing.push_back(Outgoing::Close(connection));
    }

    /// Forgets a session; its member leaves the room or its seat is held.
    pub(super) fn end(&mut self, connection: ConnectionId, departure: Departure, now: Duration) {
        let Some(session) = self.sessions.remove(&connection) else {
            return;
        };
        self.stats.add(Count::Closed);
        let Some(place) = session.stage.place() else {
            return;
        };
        match departure {
            Departure::Gone(how) => self.free(place, how, now),
            Departure::Broken => self.hold(place, now),
        }
    }

    /// Keeps a seat for a page whose connection broke. The SFU and the others are told nothing.
    fn hold(&mut self, place: Place, now: Duration) {
        if self.held_seats.len() >= HELD_SEATS_MAX {
            self.stats.add(Count::SeatNotHeld);
            return self.free(place, Count::Lost, now);
        }
        let room = self.rooms.get_mut(&place.room);
        if let Some(member) = room.and_then(|room| room.member_mut(place.seat)) {
            member.hold(now);
            self.held_seats.insert((now, place.room, place.seat));
            self.stats.add(Count::SeatHeld);
            info!(seat = %place.seat, "connection broke, seat is held");
        }
        self.with_delivery(place.room, now, |delivery| delivery.handle_away(place.seat, now));
    }

    /// Lets a member out of its room, with its transport.
    pub(super) fn free(&mut self, place: Place, how: Count, now: Duration) {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return;
        };
        let (Some(member), rebinding) = room.leave(place.seat, now) else {
            return;
        };
        if let Some(since) = room.empty_since() {
            self.empty_rooms.insert((since, place.room));
        }
        if let Attachment::Held(since) = member.attachment {
            self.held_seats.remove(&(since, place.room, place.seat));
        }
        self.stats.add(how);
        info!(seat = %place.seat, "member left");
        // A peer that the SFU closed by itself is no longer among them.
        if let Some(peer) = member.peer()
            && self.peers.remove(&peer).is_some()
        {
            self.commands.push_back(SfuCommand::RemovePeer { peer });
        }
        let left = ServerMessage::ParticipantLeft(ParticipantLeft { seat: place.seat });
        self.tell_others(place, &left);
        self.rebound(place.room, rebinding);
        self.with_delivery(place.room, now, |delivery| delivery.handle_gone(place.seat, now));
    }

    /// Tells the SFU and the pages about slots that changed; a page gets all its changes in one message.
    pub(super) fn rebound(&mut self, room: RoomId, rebinding: Rebinding) {
        for feed in rebinding.feeds {
            self.commands.push_back(SfuCommand::Bind {
                subscriber: feed.subscriber,
                slot: feed.mid,
                source: feed.source,
            });
        }
        for (seat, slots) in rebinding.told {
            self.tell(Place { room, seat }, ServerMessage::Slots(Slots { slots }));
        }
    }

    /// Ends connections whose time is over. Silence is a broken line; the rest is the page's own doing.
    pub(super) fn sweep_sessions(&mut self, now: Duration) {
        let sessions = self.sessions.iter();
        let overdue: Vec<(ConnectionId, Count)> = sessions
            .filter_map(|(connection, session)| {
                let answer = || self.answer_overdue(session.stage.place()?, now);
                Some((*connection, session.overdue(now).or_else(answer)?))
            })
            .collect();
        for (connection, count) in overdue {
            self.stats.add(count);
            let refuse = |detail| Refusal::new(ErrorCode::TooSlow, detail);
            match count {
                Count::HelloTimeout => self.refuse(connection, refuse("no hello in time"), now),
                Count::AnswerTimeout => self.refuse(connection, refuse("no answer in time"), now),
                _ => self.cut_off(connection, refuse("silent for too long"), now),
            }
        }
    }

    fn answer_overdue(&self, place: Place, now: Duration) -> Option<Count> {
        let pending = self.rooms.get(&place.room)?.member(place.seat)?.pending?;
        (now.saturating_sub(pending.since) >= ANSWER_DEADLINE).then_some(Count::AnswerTimeout)
    }

    /// Frees the seats whose pages did not come back.
    pub(super) fn sweep_seats(&mut self, now: Duration) {
        while let Some((since, room, seat)) = self.held_seats.first().copied() {
            if now.saturating_sub(since) < RESUME_WINDOW {
                break;
            }
            self.free(Place { room, seat }, Count::Expired, now);
            // Held seats are members, so this was one; but the loop must end even where it was not.
            self.held_seats.remove(&(since, room, seat));
        }
    }
}
