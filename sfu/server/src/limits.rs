//! The bounds of this shell, each with its reason.

use std::time::Duration;

/// Addresses on which media is taken: two families on loopback and on a few interfaces.
pub const MEDIA_ADDRESSES_MAX: usize = 8;

/// Commands that wait for the worker. A join of a full room makes about ninety; signaling that cannot place one
/// offers it again a moment later.
pub const COMMANDS_MAX: usize = 1_024;

/// Commands obeyed before the sockets are served again.
pub const COMMANDS_PER_WAKE: usize = 64;

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
