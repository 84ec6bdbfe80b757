//! The end of the server: nobody new comes in, calls go on until a deadline, then everybody is told.

use std::time::Duration;

use protocol::client::{ErrorCode, ServerMessage, Stopping};

use super::Signaling;
use crate::outgoing::Refusal;
use crate::session::{ConnectionId, Place};
use crate::stats::Count;

/// A drain that was begun.
#[derive(Debug)]
pub(super) struct Drain {
    deadline: Duration,
    is_over: bool,
}

impl Drain {
    /// When something has to be done.
    pub(super) fn due(&self) -> Option<Duration> {
        (!self.is_over).then_some(self.deadline)
    }
}

impl Signaling {
    /// The server will stop at the deadline: nobody new comes in, and everybody inside is told. A later call moves the
    /// deadline.
    pub fn handle_drain(&mut self, deadline: Duration, now: Duration) {
        self.drain = Some(Drain {
            deadline,
            is_over: deadline <= now,
        });
        let seated = self.sessions.iter();
        let connections: Vec<ConnectionId> = seated
            .filter(|(_, session)| session.stage.place().is_some())
            .map(|(connection, _)| *connection)
            .collect();
        for connection in connections {
            self.tell_drain(connection, now);
        }
    }

    /// Whether a drain was begun and has come to its end: its deadline has passed, or nobody is left.
    pub fn is_drained(&self) -> bool {
        let is_over = |drain: &Drain| drain.is_over || self.rooms_in_use() == 0;
        self.drain.as_ref().is_some_and(is_over)
    }

    /// The server is being stopped: everybody is told, and every seat is free.
    pub fn handle_stop(&mut self, now: Duration) {
        let connections: Vec<ConnectionId> = self.sessions.keys().copied().collect();
        for connection in connections {
            self.refuse(connection, stopping(), now);
        }
        while let Some((_, room, seat)) = self.held_seats.first().copied() {
            self.free(Place { room, seat }, Count::Lost, now);
        }
    }

    /// Refuses what would bring somebody new into a server that is being drained.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        match self.drain {
            Some(_) => Err(stopping()),
            None => Ok(()),
        }
    }

    pub(super) fn tell_drain(&mut self, connection: ConnectionId, now: Duration) {
        let Some(drain) = &self.drain else { return };
        let left = drain.deadline.saturating_sub(now);
        let deadline_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        self.send(connection, ServerMessage::Stopping(Stopping { deadline_ms }));
    }

    pub(super) fn end_drain(&mut self, now: Duration) {
        if let Some(drain) = &mut self.drain {
            drain.is_over |= drain.deadline <= now;
        }
    }
}

fn stopping() -> Refusal {
    Refusal::new(ErrorCode::ServerStopping, "the server is being stopped")
}
