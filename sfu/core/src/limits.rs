//! The bounds of this core and its fixed intervals, each with its reason.

use std::time::Duration;

/// Peers of one core: one thread cannot carry the media of more. A peer that only listens costs about 64 kB; what it
/// publishes costs as much again as a second of it, see [`CACHE_AGE`].
pub const PEERS_MAX: usize = 1_000;

/// M-lines on which one peer may send: microphone, camera and screen with its sound, and as many again.
pub const PUBLICATIONS_MAX: usize = 8;

/// Simulcast layers of one publication: the offer has three, and no browser sends more.
pub const LAYERS_MAX: usize = 3;

/// Pairs of SSRCs that the answer may name on one m-line: Firefox names one for each layer, and no page needs more.
pub const PAIRS_MAX: usize = 32;

/// Slots of one peer: the largest pool that was measured in browsers is 8 + 49 (about 250 ms to negotiate).
pub const SLOTS_MAX: usize = 64;

/// Slots that one source may feed: one for each peer of a full core.
pub const TARGETS_PER_SOURCE_MAX: usize = PEERS_MAX;

/// 4-tuples that one peer may own at a time: as many as its transport accepts.
pub const PATHS_PER_PEER_MAX: usize = transport::limits::PATHS_MAX;

/// SSRCs that are bound for one peer: every layer of every publication. As many again are bound for retransmissions.
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

/// How long a packet is taken for late rather than lost. Packets of one burst overtake each other by a few
/// milliseconds on the paths that browsers use; two frames of audio lie 20 ms apart.
pub const REORDER_DELAY: Duration = Duration::from_millis(10);

/// Packets of one SSRC that are missed at a time: half a second of 5 Mb/s. A longer gap is a pause of the network;
/// asking for all of it would only make the next one.
pub const MISSING_MAX: usize = 256;

/// How often one packet is asked for, as libwebrtc does.
pub const REQUESTS_PER_PACKET_MAX: u8 = 10;

/// For how long a missing packet of video is asked for. Receivers hold back the picture until then at most, and a key
/// frame takes about as long.
pub const PATIENCE_VIDEO: Duration = Duration::from_millis(600);

/// For how long a missing packet of audio is asked for. Later it would only be in time for a receiver whose jitter
/// buffer makes conversation hard.
pub const PATIENCE_AUDIO: Duration = Duration::from_millis(250);

/// The round trip of a path that was not measured yet: what libwebrtc takes as well.
pub const ROUND_TRIP_DEFAULT: Duration = Duration::from_millis(100);

/// The shortest round trip that counts: on a machine's own network, asking more often would only ask twice.
pub const ROUND_TRIP_MIN: Duration = Duration::from_millis(10);

/// The longest round trip that counts. A satellite's is 600 ms; what looks longer was a peer that slept.
pub const ROUND_TRIP_MAX: Duration = Duration::from_millis(800);

/// How long a packet can be sent again: a round trip over a satellite, and as much for a receiver's second try.
pub const CACHE_AGE: Duration = Duration::from_secs(1);

/// Packets of one video layer that can be sent again: a second at 1,000 packets/s, more than the bytes below hold at
/// their usual length.
pub const CACHE_VIDEO_PACKETS: usize = 1_024;

/// Length of one page of a video layer's cache, in bytes: a second of the smallest layer takes two.
pub const CACHE_VIDEO_PAGE_LEN: usize = 16_384;

/// Pages of one video layer: 512 KiB, a second of 4 Mb/s.
pub const CACHE_VIDEO_PAGES_MAX: usize = 32;

/// Packets of one audio stream that can be sent again: a second and a quarter at 10 ms for each, which is as short as
/// browsers cut them.
pub const CACHE_AUDIO_PACKETS: usize = 128;

/// Length of one page of an audio stream's cache, in bytes: about half a second of Opus.
pub const CACHE_AUDIO_PAGE_LEN: usize = 4_096;

/// Pages of one audio stream: 32 KiB, a second of Opus at its highest rate in stereo takes 16.
pub const CACHE_AUDIO_PAGES_MAX: usize = 8;

/// Packets of one slot that can be sent again as they were, for streams without retransmission: as many as the cache
/// of an audio stream holds.
pub const REPEATS_MAX: usize = CACHE_AUDIO_PACKETS;

/// Changes of layer over which a slot still knows what it sent. They lie [`KEY_FRAME_INTERVAL`] apart or more, so
/// these are more than [`CACHE_AGE`].
pub const SEGMENTS_MAX: usize = 4;

/// How often one packet is sent again to one subscriber, as often as libwebrtc asks for it.
pub const ANSWERS_PER_PACKET_MAX: u8 = 10;

/// Sequence numbers that one datagram of a subscriber may ask for. A datagram could list 6,000; a browser that lost
/// more than this asks for a key frame.
pub const REQUESTED_PER_DATAGRAM_MAX: usize = 512;

/// Which part of a subscriber's rate may be sent again: one byte for each four, enough for a loss of 20 %. Beyond
/// that, more data makes more loss.
pub const RETRANSMISSION_SHARE: u64 = 4;

/// What may always be sent again, in bytes per second: 256 kb/s, so that the first seconds of a call are repaired too.
pub const RETRANSMISSION_FLOOR_BYTES_PER_SECOND: u64 = 32_000;

/// What may be sent again at once, in bytes: half of a key frame of 720p.
pub const RETRANSMISSION_BURST_BYTES: u64 = 64_000;

/// Packets that a slot is sent from the cache when it changes to a layer whose key frame arrived out of order: a
/// large key frame. What is left out the subscriber asks for.
pub const CATCH_UP_MAX: u64 = 256;
