//! Every bound of a peer's path, with the reason for its number.

use std::time::Duration;

/// Most paths that one transport knows at a time.
///
/// A browser on a laptop with a VPN and two interfaces uses under ten; what remains is for a telephone that moves
/// between networks. One on which no check came for [`CONSENT_TIMEOUT`] makes room for another.
pub const PATHS_MAX: usize = 64;

/// Most paths that one transport meets in its life.
///
/// The ICE library keeps every address from which an authenticated check came (under 300 bytes each), so a member
/// who sends from ever new ports would grow it without end. Each broken TCP connection costs a new path: this is
/// one every two minutes for eight hours.
pub const PATHS_MET_MAX: usize = 256;

/// How long after the last authenticated check on a path media may still be sent to it, and how long after the last
/// one on any path the transport ends.
///
/// RFC 7675 section 5.1 has consent end after 30 s at the latest. The ICE library as a lite agent gives up a path
/// after 15 s, and we do the same for each: browsers check every 2.5 s (Chromium) or 5 s (RFC 7675), so at least two
/// checks in a row were lost, and a participant who has gone is shown as away sooner.
pub const CONSENT_TIMEOUT: Duration = Duration::from_secs(15);

/// Most synchronisation sources that one transport decrypts, and again most that it encrypts.
///
/// A sender of three layers with retransmission uses 7; a receiver of 8 + 49 slots with retransmission 106.
/// Contexts are never evicted, because forgetting one would forget which packets were already seen.
pub const SSRCS_MAX: usize = 256;

/// Size of the replay window of one RTP source, in packets.
///
/// A camera at 5 Mbit/s sends about 500 packets a second, so a packet may be two seconds late.
pub const REPLAY_WINDOW_RTP: usize = 1_024;

/// Size of the replay window of one RTCP source, in packets: RFC 3711 section 3.3.2 asks for at least 64, and
/// reports are rare.
pub const REPLAY_WINDOW_RTCP: usize = 128;

/// Longest time from the start of a transport until it must be connected.
///
/// The slowest browser measured sent its first handshake datagram 2.7 s after its answer; the rest is for
/// retransmissions over a bad network, which back off to about 16 s.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// First retransmission timeout of a handshake flight. RFC 6347 section 4.2.4.1 suggests a second; media waits
/// for this handshake, the path was measured by ICE already, and a flight sent twice costs two datagrams.
pub const DTLS_FLIGHT_START_RTO: Duration = Duration::from_millis(250);

/// Most retransmissions of one flight: with doubling from 250 ms the last one leaves after about 16 s, inside
/// [`CONNECT_TIMEOUT`].
pub const DTLS_FLIGHT_RETRIES: usize = 6;

/// Largest handshake datagram we send, in bytes: 1,280 (the IPv6 minimum link MTU, RFC 8200 section 5) less 40
/// for IPv6 and 8 for UDP, rounded down to what the handshake library defaults to.
pub const DTLS_DATAGRAM_MAX: usize = 1_150;

/// Longest ICE user name fragment or password, in bytes (RFC 8839 section 5.4).
pub const ICE_CREDENTIAL_MAX: usize = 256;

/// Largest datagram in a frame on a TCP connection, in bytes: as over UDP, the MTU of Ethernet. The field could say
/// 65,535; nobody sends what would not fit another path.
pub const FRAME_MAX: usize = 1_500;
