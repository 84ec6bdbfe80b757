//! The bounds that both ends of a connection have to know.

/// Largest WebSocket message a client may send, in bytes.
///
/// The largest from the server is `joined` with 23 announcements of 1 kB and a deflated offer, about 42 kB (a test
/// writes it); the largest from a page is a deflated answer, under 8 kB.
pub const MESSAGE_BYTES_MAX: usize = 65_536;

/// Largest SDP of an offer or an answer once inflated, in bytes: Chromium's answer for 57 slots with four codecs
/// was 87 kB (measured), retransmission adds about a third, and twice that is room enough.
pub const SDP_BYTES_MAX: usize = 262_144;

/// How long a seat is held for a connection that broke, in milliseconds.
pub const RESUME_WINDOW_MS: u32 = 30_000;

/// Largest sealed announcement, in bytes: a name of 64 characters, a salt and the list of tracks, sealed,
/// take under 600; the format itself is bounded at 1 kB.
pub const SEALED_BYTES_MAX: usize = 1_024;

/// Members of one room, those without media included: the group's tree and Welcome of 500 fit a message, and a commit
/// is checked in 10 ms (measured).
pub const ROOM_MEMBERS_MAX: usize = 500;

/// Members of one room with media. The slots for the others of a full room (23 microphones and 23 cameras) are about what
/// browsers negotiate in a quarter of a second (measured with 33 to 57 slots), and every page hears everybody.
pub const MEDIA_MEMBERS_MAX: usize = 24;

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

/// Most entries of one JSON list: the longest is the list of the others in a full room.
pub const ENTRIES_MAX: usize = 512;

/// Largest binary WebSocket message, in bytes: GroupInfo and tree of 500 members are 100 kB (measured), the Welcome
/// of a commit with 32 Adds and the commit of a sparse tree of that size are under 60 kB each.
pub const FRAME_BYTES_MAX: usize = 262_144;

/// Most members that one commit adds: it is checked by everybody at once, and 32 take about as long as one picture.
pub const ADDS_MAX: usize = 32;
