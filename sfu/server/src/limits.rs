//! The bounds of this shell, each with its reason.

use std::time::Duration;

/// Addresses on which media is taken: two families on loopback and on a few interfaces.
pub const MEDIA_ADDRESSES_MAX: usize = 8;

/// Commands that wait for the worker. A join of a full room makes about ninety; signaling that cannot place one
/// offers it again a moment later.
pub const COMMANDS_MAX: usize = 1_024;

/// Commands obeyed before the sockets are served again.
pub const COMMANDS_PER_WAKE: usize = 64;

/// TCP connections that wait for the worker to take them. It takes them within milliseconds, and a full room that
/// comes back at once makes 24.
pub const TCP_HANDOVER_MAX: usize = 128;

/// TCP connections of one worker. Media over TCP is for those whose network blocks UDP: this is half the peers of a full
/// core. A connection costs about 12 kB, and [`TCP_QUEUE_BYTES_MAX`] more while it does not read.
pub const TCP_CONNECTIONS_MAX: usize = 512;

/// TCP connections from one network: an IPv4 address, behind which a whole office may be, or an IPv6 /64.
pub const TCP_CONNECTIONS_PER_NETWORK_MAX: usize = 128;

/// TCP connections on which no peer has proven itself yet. When there are more, the oldest makes room: a browser proves
/// itself within a round trip, whoever just holds connections does not.
pub const TCP_STRANGERS_MAX: usize = 128;

/// How long a connection may be without a peer: before its first authentic check, and after its peer was removed. A
/// browser sends its check at once, and again after 0.5, 1.5 and 3.5 s.
pub const TCP_STRANGER_TIME: Duration = Duration::from_secs(5);

/// Datagrams that a connection may bring before an authentic check. A browser brings checks alone, about ten in
/// [`TCP_STRANGER_TIME`].
pub const TCP_STRANGER_FRAMES_MAX: u32 = 32;

/// Reads from one connection before the others, the sockets and the commands have their turn: about the bytes of
/// [`DATAGRAMS_PER_WAKE`] datagrams.
pub const TCP_READS_PER_WAKE: usize = 8;

/// Bytes that wait for one connection: 25 s of three voices, 3 s of 24, or 2 s of pictures at 2 Mb/s.
pub const TCP_QUEUE_BYTES_MAX: usize = 512_000;

/// Datagrams that wait for one connection: as many small ones as make [`TCP_QUEUE_BYTES_MAX`] with 128 bytes each.
pub const TCP_QUEUE_FRAMES_MAX: usize = 4_000;

/// How long pictures wait for a connection. What is shown a second late disturbs a conversation more than a picture
/// that stands still, and a key frame of 100 kB is through in a second at 0.8 Mb/s.
pub const TCP_PICTURE_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long anything waits before the connection is cut: its peer has stopped reading, or reads so slowly that it hears
/// what was said long ago. TCP repairs a loss within one or two seconds; a browser that is cut connects anew.
pub const TCP_WAIT_MAX: Duration = Duration::from_secs(8);

/// How often a connection that cannot carry its pictures asks for new ones, at most. A key frame costs its publisher
/// and everybody who watches it; one slow line must not set their pace.
pub const TCP_PICTURE_INTERVAL: Duration = Duration::from_secs(2);

/// Bytes that the kernel may hold unsent for one connection before it takes no more, so that what waits does so in our
/// queue, where pictures can be dropped: 50 ms at 5 Mb/s.
pub const TCP_NOTSENT_MAX: u32 = 32_768;

/// How often connections are looked through for those that have waited too long. The times above are in seconds.
pub const TCP_SWEEP_INTERVAL: Duration = Duration::from_millis(250);

/// Datagrams taken from one socket before the others, the commands and the timers have their turn: about 1 ms.
pub const DATAGRAMS_PER_WAKE: usize = 64;

/// Bytes of the receive buffer: more than the core takes, so that a longer datagram is seen to be too long.
pub const RECEIVE_BUFFER: usize = 2_048;

/// What we ask the kernel to hold for one socket, in bytes: 100 ms at 80 Mb/s. The kernel may grant less.
pub const SOCKET_BUFFER: usize = 1_000_000;

/// How often the metrics follow the core's counters. A scrape comes every few seconds.
pub const METRICS_INTERVAL: Duration = Duration::from_millis(250);

/// Tries to find one free port on every address when none was asked for.
pub const FREE_PORT_TRIES: usize = 16;

/// How often the self-check asks one address, and how long it waits for each answer.
pub const SELF_CHECK_TRIES: usize = 3;

/// See [`SELF_CHECK_TRIES`].
pub const SELF_CHECK_WAIT: Duration = Duration::from_millis(400);
