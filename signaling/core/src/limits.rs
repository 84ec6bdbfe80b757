//! Every bound of the rooms, with the reason for its number.

use std::time::Duration;

/// Connections at once. Each costs a task, two queues and about 100 kB in the shell.
pub const SESSIONS_MAX: usize = 2_000;

/// Rooms at once, empty ones included. An empty room is about 200 bytes.
pub const ROOMS_MAX: usize = 100_000;

/// How long an empty room lives: a meeting made in the morning opens in the evening.
pub const EMPTY_ROOM_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a connection may take to be in a room: one password typed and hashed happens before it opens.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// How long a seat is held for a connection that broke: a page that lost its network notices it and is back, or it
/// is not; the others see a frozen picture that long.
pub const RESUME_WINDOW: Duration = Duration::from_millis(protocol::limits::RESUME_WINDOW_MS as u64);

/// Seats that are held at once, for all rooms together. Each is a member without a connection, with its transport.
/// Above it a broken connection is a leave.
pub const HELD_SEATS_MAX: usize = 1_000;

/// How long the rooms wait before they ask pages for more slots, so that a crowd that comes in together is one offer.
/// Short, because the last of them is not heard until the answer is in.
pub const GROWTH_DELAY: Duration = Duration::from_millis(250);

/// For how many newcomers an offer has slots beyond the members that are there. With the next one it is time to grow:
/// so one more is always heard at once, and the other is for those who come in while the answer is on its way.
pub const NEWCOMERS: usize = 2;

/// How long lost transports of a member are remembered.
pub const RESTART_WINDOW: Duration = Duration::from_secs(60);

/// New transports that a member gets in [`RESTART_WINDOW`]. Silence takes longer than
/// this to end five of them, so only a page that closes one after the other comes here.
pub const RESTARTS_MAX: u32 = 5;

/// Addresses for media over TCP that a page is told: a machine has a few, and each that is told is tried.
pub const TCP_CANDIDATES_MAX: usize = 16;

/// How long a page may take for its answer: 80 ms measured, a hundred times that on a slow telephone.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// How long a connection may be silent.
pub const IDLE_TIMEOUT: Duration = Duration::from_millis(protocol::limits::IDLE_TIMEOUT_MS as u64);

/// How often deadlines are looked at, and so how late they may be noticed.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Messages that a connection may send at once: a join takes five, the rest is for quick fingers.
pub const MESSAGE_BURST: u32 = 40;

/// Messages per second that a connection may send for long; a page needs one ping in ten seconds.
pub const MESSAGE_RATE: u32 = 10;

/// How long failures are remembered.
pub const FAILURE_WINDOW: Duration = Duration::from_secs(60);

/// Failed tries to enter, come back or create from one address in [`FAILURE_WINDOW`]. After a restart of the server a
/// full room behind one address fails to come back 24 times, to enter 24 times and to create 23 times, and a few
/// people mistype. What is guessed at is guarded per room.
pub const ADDRESS_FAILURES_MAX: u32 = 100;

/// Failed tries on one room in [`FAILURE_WINDOW`], from all addresses: who holds the link can guess at the
/// password this often, and not more by renting addresses.
pub const ROOM_FAILURES_MAX: u32 = 60;

/// Failed tries to come back to one room in [`FAILURE_WINDOW`], from all addresses. They are counted apart from those
/// to enter: a token of 32 bytes is not guessed, and a crowd that comes back too late must still be able to enter.
pub const ROOM_RESUME_FAILURES_MAX: u32 = 60;

/// How long creations are remembered.
pub const CREATION_WINDOW: Duration = Duration::from_secs(60 * 60);

/// Rooms made from one address in [`CREATION_WINDOW`]: in 24 hours under 3 % of [`ROOMS_MAX`].
pub const ADDRESS_CREATIONS_MAX: u32 = 120;

/// Addresses or rooms whose failures are remembered at once; the oldest give way. About 100 bytes each.
pub const TRIES_MAX: usize = 10_000;

/// Commands waiting for the SFU. Above it nobody new gets in; those inside still leave, so each session adds
/// at most its own few commands beyond the bound.
pub const SFU_COMMANDS_MAX: usize = 4_096;

/// Lines of an answer: Chromium's for 15 m-lines has about 400, so that for the 48 of a full room has 1,300, and
/// retransmission of every video codec adds ten to each of half of them.
pub const SDP_LINES_MAX: usize = 4_000;

/// Longest line of an answer, in bytes: the longest that browsers write are under 300.
pub const SDP_LINE_BYTES_MAX: usize = 1_000;

/// m-lines of an answer, and names in its BUNDLE group: in a full room ours has 48.
pub const SDP_SECTIONS_MAX: usize = 64;

/// Payload types, extensions, layers or SSRCs of one m-line: browsers write under 10.
pub const SDP_ENTRIES_MAX: usize = 32;

/// Bytes of binary messages that a connection may send at once: the creation or upload of a group of 500 (100 kB),
/// the Welcome of 32 (60 kB) and a few commits, or a thousand short messages.
pub const FRAME_BYTES_BURST: u64 = 1_048_576;

/// Bytes of binary messages per second that a connection may send for long: a commit of 1 kB and some words.
pub const FRAME_BYTES_RATE: u64 = 32_768;

/// How long commits are kept for those who missed them.
pub const COMMIT_LOG_LIFE: Duration = Duration::from_secs(120);

/// Bytes of commits that are kept for one room: two minutes of commits of 1 kB at several a second are half of it.
pub const COMMIT_LOG_BYTES_MAX: usize = 2 * 1_048_576;

/// How long after its start the server reckons with rooms that were there before.
pub const RESTART_TIME: Duration = Duration::from_secs(60);

/// How long in such a room somebody without a group waits for somebody with one.
pub const GROUP_GRACE: Duration = Duration::from_secs(1);
