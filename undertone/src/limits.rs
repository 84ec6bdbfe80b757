//! The bounds of the program's own sockets, waits and files, with the reason for each number.

use std::time::Duration;

/// Connections that have not said anything yet, on all addresses together. Browsers open a few ahead of need and
/// let them wait; a room of 24 that reloads at once makes about a hundred.
pub(crate) const SILENT_MAX: usize = 1_024;

/// How long a connection may take to say its first byte: browsers keep one in reserve for some seconds.
pub(crate) const FIRST_BYTE_TIME: Duration = Duration::from_secs(10);

/// The same where more than half of [`SILENT_MAX`] are waiting: long enough for the worst line, and a flood of
/// silent connections clears five times as fast.
pub(crate) const FIRST_BYTE_TIME_CROWDED: Duration = Duration::from_secs(2);

/// Connections in TLS handshakes and HTTP, WebSockets not included (signaling bounds those). A browser opens at
/// most six to one server.
pub(crate) const HTTP_MAX: usize = 2_048;

/// How long a TLS handshake may take: two round trips of the worst line, and one lost packet.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long the head of a request may take, and how long a connection may wait for its next request.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(15);

/// Bytes that hyper buffers for one connection. A browser's request head takes about one thousand.
pub(crate) const HTTP_BUFFER_BYTES: usize = 32_768;

/// How long the other side may leave data unacknowledged, or its window shut, before the kernel ends the
/// connection (RFC 5482). Whoever reads nothing for so long holds a place for nothing.
pub(crate) const UNACKNOWLEDGED_TIME: Duration = Duration::from_secs(30);

/// Connections that the kernel holds until we accept them.
pub(crate) const BACKLOG: i32 = 1_024;

/// How long to wait after `accept` failed: mostly because no file descriptor was left, which takes a moment.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long answers that have begun may take once the server stops. Pages are small and on a good line; a
/// service manager waits 10 seconds or more before it kills.
pub(crate) const CLOSE_TIME: Duration = Duration::from_secs(3);

/// Addresses that one setting may name: two families on loopback and on a few interfaces, twice.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// The longest drain, in seconds: a day. Whoever waits longer does not want to stop.
pub(crate) const DRAIN_SECONDS_MAX: u64 = 86_400;

/// Bytes of a configuration file: the example with all its comments takes about three thousand.
pub(crate) const CONFIG_BYTES_MAX: u64 = 65_536;

/// Bytes of a PEM file: a chain of three takes about six thousand.
pub(crate) const PEM_BYTES_MAX: u64 = 1_048_576;

/// How often the files of TLS are looked at. A renewal is weeks before the end, so seconds do not matter.
pub(crate) const TLS_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How soon the end of a certificate is worth a warning. Clients of ACME renew when a third of 90 days is left.
pub(crate) const EXPIRY_WARNING: Duration = Duration::from_secs(7 * 24 * 60 * 60);
