//! The road between connections and the delivery services of their rooms.

use std::time::Duration;

use protocol::client::ErrorCode;
use protocol::group::ClientFrame;
use protocol::ids::RoomId;
use tracing::debug;

use super::Signaling;
use crate::delivery::{Action, Delivery};
use crate::outgoing::{Outgoing, Refusal};
use crate::session::{ConnectionId, Place};
use crate::stats::Count;

impl Signaling {
    /// A frame of a member.
    pub(super) fn frame(
        &mut self,
        connection: ConnectionId,
        bytes: &[u8],
        now: Duration,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(&connection) else {
            return Ok(());
        };
        let Some(place) = session.stage.place() else {
            return Err(Refusal::new(ErrorCode::OutOfOrder, "hello comes first"));
        };
        let frame = ClientFrame::decode(bytes).map_err(|error| {
            self.stats.add(Count::FrameRefused);
            Refusal::new(ErrorCode::Malformed, error.to_string())
        })?;
        self.with_delivery(place.room, now, |delivery| {
            delivery.handle_frame(place.seat, frame, now);
        });
        Ok(())
    }

    /// Lets a room's delivery service do something, and does what follows from it.
    pub(super) fn with_delivery(&mut self, room: RoomId, now: Duration, act: impl FnOnce(&mut Delivery)) {
        let Some(there) = self.rooms.get_mut(&room) else {
            return;
        };
        act(&mut there.delivery);
        // An action may end a membership, which comes back here: each is taken off before it is done.
        while let Some(action) = self
            .rooms
            .get_mut(&room)
            .and_then(|room| room.delivery.poll_action())
        {
            self.act(room, action, now);
        }
        self.plan_group(room);
    }

    fn act(&mut self, room: RoomId, action: Action, now: Duration) {
        match action {
            Action::Send(seat, frame) => {
                let member = self.rooms.get(&room).and_then(|room| room.member(seat));
                if let Some(connection) = member.and_then(|member| member.connection()) {
                    self.outgoing.push_back(Outgoing::SendFrame(connection, frame));
                }
            }
            Action::Close(seat) => {
                let detail = "the other members refused the commit";
                self.let_out(
                    Place { room, seat },
                    Refusal::new(ErrorCode::Refused, detail),
                    now,
                );
            }
            Action::Kicked(seat) => {
                let refusal = Refusal::new(ErrorCode::Removed, "removed from the meeting");
                self.let_out(Place { room, seat }, refusal, now);
            }
            Action::Gate(gate_hash) => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.gate_hash = gate_hash;
                }
            }
            Action::Count(count) => self.stats.add(count),
        }
    }

    /// Ends a membership with this word, also where its seat is only held.
    fn let_out(&mut self, place: Place, refusal: Refusal, now: Duration) {
        let room = self.rooms.get(&place.room);
        let Some(member) = room.and_then(|room| room.member(place.seat)) else {
            return;
        };
        debug!(seat = %place.seat, code = refusal.code.as_str(), "member let out");
        match member.connection() {
            Some(connection) => {
                self.refuse(connection, refusal, now);
            }
            None => self.free(place, Count::Lost, now),
        }
    }

    /// Notes when the delivery service of a room is due.
    fn plan_group(&mut self, room: RoomId) {
        let due = self
            .rooms
            .get(&room)
            .and_then(|room| room.delivery.poll_timeout());
        let earlier = match due {
            Some(due) => self.group_dues.insert(room, due),
            None => self.group_dues.remove(&room),
        };
        if earlier == due {
            return;
        }
        if let Some(earlier) = earlier {
            self.due_groups.remove(&(earlier, room));
        }
        if let Some(due) = due {
            self.due_groups.insert((due, room));
        }
    }

    /// Lets every delivery service act whose time has come.
    pub(super) fn time_groups(&mut self, now: Duration) {
        while let Some((due, room)) = self.due_groups.first().copied() {
            if due > now {
                break;
            }
            self.due_groups.remove(&(due, room));
            self.group_dues.remove(&room);
            self.with_delivery(room, now, |delivery| delivery.handle_timeout(now));
        }
    }
}
