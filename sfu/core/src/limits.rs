//! The bounds of this core and its fixed intervals, each with its reason.

use std::time::Duration;

/// Peers of one core. A peer costs about 64 kB at most, so a full core stays under 64 MB, and one thread
/// cannot carry the media of more.
pub const PEERS_MAX: usize = 1_000;

/// M-lines on which one peer may send: microphone, camera and screen with its sound, and as many again.
pub const PUBLICATIONS_MAX: usize = 8;

/// Simulcast layers of one publication: the offer has three, and no browser sends more.
pub const LAYERS_MAX: usize = 3;

/// Slots of one peer: the largest pool that was measured in browsers is 8 + 49 (about 250 ms to negotiate).
pub const SLOTS_MAX: usize = 64;

/// Slots that one source may feed: one for each peer of a full core.
pub const TARGETS_PER_SOURCE_MAX: usize = PEERS_MAX;

/// 4-tuples that one peer may own at a time: as many as its transport accepts.
pub const PATHS_PER_PEER_MAX: usize = transport::limits::PATHS_MAX;

/// SSRCs that are bound for one peer: every layer of every publication.
pub const BINDINGS_MAX: usize = PUBLICATIONS_MAX * LAYERS_MAX;

/// How long a peer must be silent before its 4-tuple may pass to another one. Browsers check their path every
/// 2.5 s (RFC 7675 asks for consent at least every 5 s), so a living peer is never robbed of it.
pub const PATH_QUIET: Duration = Duration::from_secs(6);

/// Largest datagram that we take or send, in bytes: the MTU of Ethernet.
pub const DATAGRAM_MAX: usize = 1_500;

/// Datagrams that wait to be sent. The shell empties the queue after every datagram that it hands in, so one
/// packet to every peer of a full core and all their reports fit.
pub const TRANSMIT_QUEUE_MAX: usize = 4_096;

/// Buffers kept for reuse, 1.6 kB each: one packet to every peer of a full core needs no allocation.
pub const FREE_BUFFERS_MAX: usize = 1_024;

/// Events that wait for the shell, which takes them after every input. A peer makes at most two in its life.
pub const EVENTS_MAX: usize = 4_096;

/// How far back a late packet finds its place between dropped padding, in packets. Half a second of 2 Mb/s.
pub const REORDER_WINDOW: u64 = 1_024;

/// Arrivals remembered for transport-wide feedback: 50 ms at 10,000 packets/s, far above one browser.
pub const ARRIVALS_MAX: usize = 512;

/// How soon an arrival is reported. Senders adapt best with 50 to 100 ms (libwebrtc's receivers use 50 to 250).
pub const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);

/// Time between two reports (RFC 3550 section 6.2 allows less than its 5 s minimum to unicast sessions);
/// browsers use 1 s for video.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Least time between two key-frame requests for one layer, and the time after which an unanswered one is
/// repeated. A key frame costs the publisher about ten ordinary ones; a round trip and an encoder need up to
/// half a second.
pub const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(500);

/// A layer that sent nothing for this long is taken for switched off. Browsers send at least 5 frames/s on
/// a layer that is on.
pub const LAYER_ALIVE: Duration = Duration::from_secs(1);

/// Largest jump of a slot's timestamp after a silence: half the range of 32 bits at 90 kHz is 6.6 hours, and
/// a receiver must not take a step forward for one backward.
pub const TIMESTAMP_GAP_MAX: Duration = Duration::from_secs(3_600);

/// Packets remembered for the receiver's transport-wide feedback: 2 s at 500 packets/s, a full slot pool.
pub const SENT_PACKETS_MAX: usize = 1_024;

/// Plain STUN binding requests (without a user name) answered per second: enough for the self-check and
/// a monitor, too few to be of use for reflection.
pub const SELF_CHECKS_PER_SECOND: u32 = 20;
