//! The bounds of the shell's queues, sockets and waits, with the reason for each number.

use std::time::Duration;

/// WebSockets at once, with those that are refused or closing. Twice what the rooms take, so that whoever comes
/// too late can still be told that the server is full; beyond it the HTTP request is refused.
pub const SOCKETS_MAX: usize = 2 * signaling_core::limits::SESSIONS_MAX;

/// Largest message that is read at all, in bytes. Above the limit of the protocol, so that a page whose message is
/// somewhat too large is told so instead of being cut off; small enough that all sockets together stay harmless.
pub const READ_BYTES_MAX: usize = protocol::limits::FRAME_BYTES_MAX + protocol::limits::MESSAGE_BYTES_MAX;

/// Bytes that one read of a socket may take: most messages are smaller, and 4 kB for each of 4,000 sockets is 16 MB.
pub const READ_BUFFER_BYTES: usize = 4_096;

/// Messages and reports that wait for the rooms, from all connections together. Above it connections stop reading.
pub const INBOX_MAX: usize = 256;

/// Messages that wait for one page. Where 23 others come in at once each of them is told in about six (joined,
/// announced, slots, presence, microphone and camera), so a page that is busy with its own join has 140 before it and
/// a few offers; a page that lets more pile up does not read.
///
/// A storm of 500 sends each member some hundred commits and as many announcements more.
pub const OUTBOX_MAX: usize = 1_024;

/// Bytes that wait for one page, but for a single message: the GroupInfo and tree of 500 members, the commits of two
/// minutes, and what else is said meanwhile.
pub const OUTBOX_BYTES_MAX: usize = 4 * 1_048_576;

/// How long one message to a page may take to leave.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a page that is being closed may take to read the last message and to close its side.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a page is asked for a sign of life. Browsers answer by themselves, also where a page in the background
/// runs its own timers once a minute only.
pub const PING_INTERVAL: Duration = Duration::from_millis(protocol::limits::PING_INTERVAL_MS as u64);

/// How long to wait before the SFU is offered again a command that it did not take.
pub const SFU_RETRY: Duration = Duration::from_millis(10);
