//! How members' transports come, grow, are lost and come again.

use std::time::Duration;

use protocol::client::{
    Answer, ErrorCode, OfferedTransport, ParticipantPresence, Presence, ServerMessage, TransportMessage,
    TransportState,
};
use protocol::ids::{PeerId, RoomId};
use protocol::sfu::{PeerClosedReason, SfuCommand};
use rand_core::CryptoRng;
use tracing::{debug, info};

use super::Signaling;
use crate::limits::GROWTH_DELAY;
use crate::negotiation::{self, AnswerError};
use crate::outgoing::Refusal;
use crate::room::Turn;
use crate::session::Place;
use crate::stats::Count;

impl Signaling {
    pub(super) fn answer(&mut self, place: Place, answer: &Answer, now: Duration) -> Result<(), Refusal> {
        let room = self.rooms.get_mut(&place.room);
        let Some(member) = room.and_then(|room| room.member_mut(place.seat)) else {
            return Ok(());
        };
        let accepted = match member.turn(answer.negotiation) {
            Turn::Owed(OfferedTransport::New) => self.accept_new(place, answer),
            Turn::Owed(OfferedTransport::Kept) => self.accept_again(place, answer),
            Turn::Replaced => {
                self.stats.add(Count::AnswerReplaced);
                return Ok(());
            }
            Turn::Unasked(detail) => return Err(Refusal::new(ErrorCode::OutOfOrder, detail)),
        };
        accepted.map_err(|error| {
            self.stats.add(Count::AnswerRefused(error.reason));
            Refusal::new(ErrorCode::BadAnswer, error.to_string())
        })?;
        self.plan_growth(place.room, now);
        Ok(())
    }

    /// Makes the transport that an answer describes.
    fn accept_new(&mut self, place: Place, answer: &Answer) -> Result<(), AnswerError> {
        let sdp = negotiation::inflate(&answer.sdp)?;
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return Ok(());
        };
        let Some(member) = room.member_mut(place.seat) else {
            return Ok(());
        };
        let accepted = negotiation::accept(&member.offer, sdp.as_str())?;
        member.answered();
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        self.peers.insert(peer, place);
        let rebinding = room.link(place.seat, peer, accepted.clone());
        debug!(seat = %place.seat, %peer, "answer accepted");
        self.commands.push_back(SfuCommand::AddPeer {
            peer,
            connection: accepted,
        });
        self.rebound(place.room, rebinding);
        Ok(())
    }

    /// Gives a living transport the slots that an answer adds.
    fn accept_again(&mut self, place: Place, answer: &Answer) -> Result<(), AnswerError> {
        let sdp = negotiation::inflate(&answer.sdp)?;
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return Ok(());
        };
        let Some(member) = room.member_mut(place.seat) else {
            return Ok(());
        };
        let (Some(peer), Some(agreed)) = (member.peer(), member.agreed()) else {
            return Ok(());
        };
        let slots = negotiation::accept_again(&member.offer, agreed, sdp.as_str())?;
        member.answered();
        debug!(seat = %place.seat, %peer, slots = slots.len(), "slots added");
        if !slots.is_empty() {
            let rebinding = room.add_slots(place.seat, slots.clone());
            self.commands.push_back(SfuCommand::AddSlots { peer, slots });
            self.rebound(place.room, rebinding);
        }
        Ok(())
    }

    pub(super) fn peer_connected(&mut self, place: Place, peer: PeerId) {
        let room = self.rooms.get_mut(&place.room);
        let Some(member) = room.and_then(|room| room.member_mut(place.seat)) else {
            return;
        };
        info!(seat = %place.seat, %peer, "transport connected");
        let is_back = member.connected();
        self.tell_transport(place, TransportState::Connected);
        if is_back {
            self.tell_presence(place, Presence::Here);
        }
    }

    pub(super) fn peer_closed(
        &mut self,
        place: Place,
        peer: PeerId,
        reason: PeerClosedReason,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) {
        info!(seat = %place.seat, %peer, reason = reason.as_str(), "transport closed");
        let room = self.rooms.get_mut(&place.room);
        let Some(member) = room.and_then(|room| room.member_mut(place.seat)) else {
            return;
        };
        let code = match reason {
            PeerClosedReason::FingerprintMismatch => ErrorCode::FingerprintMismatch,
            PeerClosedReason::Overload => ErrorCode::ServerFull,
            PeerClosedReason::Unreachable => ErrorCode::TransportFailed,
            PeerClosedReason::DtlsFailed | PeerClosedReason::IceTimeout | PeerClosedReason::ClosedByPeer => {
                if member.is_connected() {
                    return self.transport_lost(place, reason, now, rng);
                }
                ErrorCode::TransportFailed
            }
        };
        self.give_up(place, Refusal::new(code, reason.as_str()), now);
    }

    /// A transport that had worked is gone: the seat stays, and its page gets the offer of a new one.
    fn transport_lost(
        &mut self,
        place: Place,
        reason: PeerClosedReason,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) {
        self.stats.add(Count::TransportLost);
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return;
        };
        let (is_news, rebinding) = room.unlink(place.seat);
        let pool = room.pool(true);
        let Some(member) = room.member_mut(place.seat) else {
            return;
        };
        let may_restart = member.may_restart(now);
        let is_offered = may_restart && member.connection().is_some();
        if is_offered {
            member.offer_new(pool, now, rng);
        }
        self.rebound(place.room, rebinding);
        if !may_restart {
            self.stats.add(Count::RestartsLimited);
            return self.give_up(
                place,
                Refusal::new(ErrorCode::TransportFailed, reason.as_str()),
                now,
            );
        }
        if is_news {
            self.tell_presence(place, Presence::Away);
        }
        self.tell_transport(place, TransportState::Closed);
        if is_offered && let Err(refusal) = self.send_offer(place) {
            self.give_up(place, refusal, now);
        }
    }

    /// Ends a membership whose transport cannot be had.
    fn give_up(&mut self, place: Place, refusal: Refusal, now: Duration) {
        self.tell_transport(place, TransportState::Closed);
        let room = self.rooms.get(&place.room);
        let member = room.and_then(|room| room.member(place.seat));
        match member.and_then(|member| member.connection()) {
            Some(connection) => self.refuse(connection, refusal, now),
            None => self.free(place, Count::Lost, now),
        }
    }

    /// Makes the offer that a member needs who is back on a new connection. Returns whether it needs one.
    pub(super) fn offer_after_resume(
        &mut self,
        place: Place,
        now: Duration,
        rng: &mut impl CryptoRng,
    ) -> bool {
        let Some(room) = self.rooms.get_mut(&place.room) else {
            return false;
        };
        let pool = room.pool(true);
        let Some(member) = room.member_mut(place.seat) else {
            return false;
        };
        if !member.has_media {
            return false;
        }
        if member.peer().is_none() {
            member.offer_new(pool, now, rng);
        } else if member.pending.is_some() {
            member.offer_again(pool, now, rng);
            self.stats.add(Count::OfferRepeated);
        } else {
            return false;
        }
        true
    }

    /// Sends the offer whose answer a member owes.
    pub(super) fn send_offer(&mut self, place: Place) -> Result<(), Refusal> {
        let room = self.rooms.get(&place.room);
        let Some(member) = room.and_then(|room| room.member(place.seat)) else {
            return Ok(());
        };
        let Some(offer) = member.offer_message(&self.config.sfu) else {
            return Err(Refusal::new(ErrorCode::ServerFull, "no offer could be made"));
        };
        if offer.transport == OfferedTransport::New {
            self.stats.add(Count::OfferNew);
        }
        self.tell(place, ServerMessage::Offer(offer));
        Ok(())
    }

    /// Plans to ask the members of a room for more slots, where some have too few.
    pub(super) fn plan_growth(&mut self, id: RoomId, now: Duration) {
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        if room.growth_due.is_none() && !room.wants_growth().is_empty() {
            let due = now.saturating_add(GROWTH_DELAY);
            room.growth_due = Some(due);
            self.growing_rooms.insert((due, id));
        }
    }

    /// Asks for more slots in every room where that is due.
    pub(super) fn grow_rooms(&mut self, now: Duration, rng: &mut impl CryptoRng) {
        while let Some((due, id)) = self.growing_rooms.first().copied() {
            if now < due {
                break;
            }
            self.growing_rooms.pop_first();
            let Some(room) = self.rooms.get_mut(&id) else {
                continue;
            };
            room.growth_due = None;
            let pool = room.pool(true);
            for seat in room.wants_growth() {
                let room = self.rooms.get_mut(&id);
                if let Some(member) = room.and_then(|room| room.member_mut(seat)) {
                    member.offer_again(pool, now, rng);
                    self.stats.add(Count::OfferMore);
                    let place = Place { room: id, seat };
                    if let Err(refusal) = self.send_offer(place) {
                        self.give_up(place, refusal, now);
                    }
                }
            }
        }
    }

    fn tell_transport(&mut self, place: Place, state: TransportState) {
        self.tell(place, ServerMessage::Transport(TransportMessage { state }));
    }

    fn tell_presence(&mut self, place: Place, presence: Presence) {
        let message = ParticipantPresence {
            seat: place.seat,
            presence,
        };
        self.tell_others(place, &ServerMessage::Presence(message));
    }
}
