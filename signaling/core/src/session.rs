//! One connection: how far its conversation has come, and which message it may send next.

use std::time::Duration;

use protocol::client::ClientMessage;
use protocol::ids::{RoomId, Seat};

use crate::limits::{
    FRAME_BYTES_BURST, FRAME_BYTES_RATE, HELLO_DEADLINE, IDLE_TIMEOUT, MESSAGE_BURST, MESSAGE_RATE,
};
use crate::origin::Origin;
use crate::stats::Count;

/// The shell's name for one connection, never used twice in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How far a conversation has come. A page that left, erred or vanished has no session any more, though its seat may
/// be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was said yet.
    Opened,
    /// It made a room, and is in none.
    Created,
    /// It is in a room. Whether it owes an answer, the member knows.
    Seated(Place),
}

/// Where a member sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The room.
    pub room: RoomId,
    /// The seat in it.
    pub seat: Seat,
}

impl Stage {
    /// The place in a room, from `joined` or `resumed` on.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Seated(place) => Some(*place),
            Self::Opened | Self::Created => None,
        }
    }

    /// Refuses a message that does not belong here, in words.
    pub const fn check_order(&self, message: &ClientMessage) -> Result<(), &'static str> {
        match (message, self) {
            (ClientMessage::Ping(_), _)
            | (ClientMessage::Create(_) | ClientMessage::Resume(_), Self::Opened)
            | (ClientMessage::Hello(_), Self::Opened | Self::Created)
            | (
                ClientMessage::Answer(_)
                | ClientMessage::Announce(_)
                | ClientMessage::Media(_)
                | ClientMessage::Leave(_),
                Self::Seated(_),
            ) => Ok(()),
            (ClientMessage::Create(_), _) => Err("create comes first and once"),
            (ClientMessage::Hello(_), _) => Err("hello comes once"),
            (ClientMessage::Resume(_), _) => Err("resume comes first and once"),
            (_, Self::Opened | Self::Created) => Err("hello comes first"),
        }
    }
}

/// What is known of one connection.
#[derive(Debug)]
pub struct Session {
    /// Where it comes from.
    pub origin: Origin,
    /// How far its conversation has come.
    pub stage: Stage,
    opened: Duration,
    heard: Duration,
    /// Messages that it may send at once, and since when.
    allowance: u32,
    allowance_since: Duration,
    /// Bytes of binary messages that it may send at once, and since when.
    bytes: u64,
    bytes_since: Duration,
}

impl Session {
    /// A connection that was opened now.
    pub const fn new(origin: Origin, now: Duration) -> Self {
        Self {
            origin,
            stage: Stage::Opened,
            opened: now,
            heard: now,
            allowance: MESSAGE_BURST,
            allowance_since: now,
            bytes: FRAME_BYTES_BURST,
            bytes_since: now,
        }
    }

    /// Notes a sign of life, and says whether it is one too many.
    pub fn hear(&mut self, now: Duration) -> Result<(), TooMany> {
        self.heard = now;
        let gap = Duration::from_secs(1) / MESSAGE_RATE;
        let earned = now.saturating_sub(self.allowance_since).as_nanos() / gap.as_nanos();
        match u32::try_from(earned) {
            Ok(earned) if self.allowance.saturating_add(earned) < MESSAGE_BURST => {
                self.allowance += earned;
                self.allowance_since += gap * earned;
            }
            _ => {
                self.allowance = MESSAGE_BURST;
                self.allowance_since = now;
            }
        }
        self.allowance = self.allowance.checked_sub(1).ok_or(TooMany)?;
        Ok(())
    }

    /// Notes a binary message of this size, and says whether it is more than may come.
    pub fn hear_bytes(&mut self, bytes: usize, now: Duration) -> Result<(), TooMany> {
        self.heard = now;
        let millis = now.saturating_sub(self.bytes_since).as_millis();
        let earned = u64::try_from(millis)
            .unwrap_or(u64::MAX)
            .saturating_mul(FRAME_BYTES_RATE)
            / 1_000;
        self.bytes = self.bytes.saturating_add(earned).min(FRAME_BYTES_BURST);
        self.bytes_since = now;
        // Small messages cost work too.
        let cost = u64::try_from(bytes).unwrap_or(u64::MAX).max(512);
        self.bytes = self.bytes.checked_sub(cost).ok_or(TooMany)?;
        Ok(())
    }

    /// The deadline of the connection that has passed, if one has.
    pub fn overdue(&self, now: Duration) -> Option<Count> {
        match self.stage {
            Stage::Opened | Stage::Created if now.saturating_sub(self.opened) >= HELLO_DEADLINE => {
                Some(Count::HelloTimeout)
            }
            _ if now.saturating_sub(self.heard) >= IDLE_TIMEOUT => Some(Count::IdleTimeout),
            _ => None,
        }
    }
}

/// More messages than the rate limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(
            Origin::from(std::net::IpAddr::from([192, 0, 2, 1])),
            Duration::ZERO,
        )
    }

    #[test]
    fn a_burst_is_taken_and_one_more_is_not() {
        let mut session = session();
        for _ in 0..MESSAGE_BURST {
            assert_eq!(session.hear(Duration::from_secs(1)), Ok(()));
        }
        assert_eq!(session.hear(Duration::from_secs(1)), Err(TooMany));
    }

    #[test]
    fn the_allowed_rate_may_go_on_for_ever() {
        let mut session = session();
        let gap = Duration::from_secs(1) / MESSAGE_RATE;
        for number in 1..10_000 {
            assert_eq!(session.hear(gap * number), Ok(()), "{number}");
        }
        for _ in 1..MESSAGE_BURST {
            let _ = session.hear(gap * 10_000);
        }
        assert_eq!(session.hear(gap * 10_000), Ok(()), "its burst is still there");
        assert_eq!(session.hear(gap * 10_000), Err(TooMany));
        assert_eq!(session.hear(gap * 10_001), Ok(()), "and comes back one by one");
    }

    #[test]
    fn making_a_room_does_not_prolong_the_time_for_hello() {
        let mut session = session();
        session.hear(HELLO_DEADLINE / 2).unwrap();
        session.stage = Stage::Created;
        assert_eq!(session.overdue(HELLO_DEADLINE - Duration::from_millis(1)), None);
        assert_eq!(session.overdue(HELLO_DEADLINE), Some(Count::HelloTimeout));
    }
}
