//! Every bound of the load tester, with the reason for its number.

use std::time::Duration;

/// Most members of one crowd: no room takes more than 24.
pub const MEMBERS_MAX: usize = 24;

/// Longest run, in seconds: a forgotten one ends within a day.
pub const SECONDS_MAX: u64 = 24 * 60 * 60;

/// Most pictures per second: what browsers send at most.
pub const FPS_MAX: u32 = 30;

/// How long a member may take from its connection to the server until it is in the room.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a member may take to say goodbye.
pub const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest message that a member reads from the server, in bytes: twice what the server may write.
pub const MESSAGE_BYTES_READ_MAX: usize = 2 * protocol::limits::FRAME_BYTES_MAX;

/// Largest datagram that is read or sent, in bytes: the MTU of Ethernet.
pub const DATAGRAM_MAX: usize = 1_500;

/// Payload of one packet of a picture, in bytes: with all headers and tags it stays under 1,232, which every path
/// carries (the IPv6 minimum link MTU less 40 for IPv6 and 8 for UDP).
pub const PAYLOAD_MAX: usize = 1_100;

/// Datagrams that are read in one go before time is looked at again: a picture from everybody in a full room.
pub const DATAGRAMS_PER_TURN: usize = 64;

/// m-lines of an offer that are read: a full room needs 48, and the SFU knows 64 slots.
pub const SECTIONS_MAX: usize = 72;

/// Entries of one kind in one m-line of an offer: the server writes under 20.
pub const ATTRIBUTES_MAX: usize = 64;

/// Candidates of an offer that are read: one for each address of the server.
pub const CANDIDATES_MAX: usize = 16;

/// Pictures of one slot that wait for packets. Half a second of 30 pictures; what is not whole by then was lost.
pub const PICTURES_WAITING_MAX: usize = 16;

/// Pictures of one slot that are remembered after they were given out: two seconds of 30, and nobody sends a packet
/// again after that.
pub const PICTURES_GIVEN_OUT_MAX: usize = 64;

/// Packets of one picture: more than a key frame of 1080p.
pub const PICTURE_PACKETS_MAX: usize = 512;

/// Sent packets that can be sent again: ten seconds of sound.
pub const SENT_PACKETS_MAX: usize = 512;

/// Missing packets of one slot that are asked for at a time.
pub const MISSING_MAX: usize = 64;

/// How often a missing packet is asked for.
pub const NACKS_PER_PACKET: u8 = 3;

/// Time between two questions for missing packets: about a round trip on the paths that are tested.
pub const NACK_INTERVAL: Duration = Duration::from_millis(50);

/// Time between two requests for a key frame of one slot, as in browsers.
pub const KEY_FRAME_REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two reports, as in browsers.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// A member whose task was held up for longer than this skips what it should have sent meanwhile, so that a busy
/// machine does not answer with a burst.
pub const CATCH_UP_MAX: Duration = Duration::from_millis(200);

/// How often a member tells its numbers.
pub const TELL_INTERVAL: Duration = Duration::from_millis(200);

/// Members of a storm: as many as a room holds.
pub const STORM_MEMBERS_MAX: usize = protocol::limits::ROOM_MEMBERS_MAX;

/// How long a member of a storm may take to be connected, in a crowd of them on one machine.
pub const STORM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server's word for the end of a member may come after the end of its transport.
pub const LAST_WORD_TIME: Duration = Duration::from_secs(1);
