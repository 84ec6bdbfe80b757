//! The bounds that both ends of a connection have to know.

/// Largest WebSocket message a client may send, in bytes.
///
/// The largest is an answer: about 22 kB of SDP from Chromium for a pool of 4 + 9 slots with four codecs
/// (measured), plus one escape character for each end of line. 64 KiB leaves room for twice that.
pub const MESSAGE_BYTES_MAX: usize = 65_536;

/// Largest SDP inside an answer, in bytes: what fits into [`MESSAGE_BYTES_MAX`] with its escapes.
pub const SDP_BYTES_MAX: usize = 49_152;

/// Largest sealed announcement, in bytes: a name of 64 characters, a salt and the list of tracks, sealed,
/// take under 600; the format itself is bounded at 1 kB.
pub const SEALED_BYTES_MAX: usize = 1_024;

/// Members of one room. Five fill the pool of four other microphones, and two cores hold such a call.
pub const ROOM_MEMBERS_MAX: usize = 5;

/// Seats are 10 bits, because the key id of a media frame carries a seat in 10 bits.
pub const SEATS: u16 = 1_024;

/// How often a page says `ping`, in milliseconds.
pub const PING_INTERVAL_MS: u32 = 10_000;

/// How long a connection may be silent, in milliseconds: two pings may be lost or late, a third closes it.
pub const IDLE_TIMEOUT_MS: u32 = 30_000;

/// Deepest nesting of a JSON message from a client: its own object. No field of it holds another.
pub const CLIENT_DEPTH_MAX: usize = 1;

/// Deepest nesting of a JSON message from the server: message, list, entry.
pub const SERVER_DEPTH_MAX: usize = 3;

/// Most fields of one JSON object: the widest message has six. The bound keeps the search for duplicate keys
/// linear in the size of the message.
pub const FIELDS_MAX: usize = 16;

/// Most entries of one JSON list: the longest is the list of slots, with 13.
pub const ENTRIES_MAX: usize = 64;
