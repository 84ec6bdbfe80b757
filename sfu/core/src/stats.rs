//! Plain counters of what this core did and what it dropped, and why. They name nobody.

/// What one core did since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams handed in.
    pub datagrams_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// RTP packets that were authentic, with media or padding.
    pub rtp_packets_received: u64,
    /// RTCP datagrams that were authentic.
    pub rtcp_datagrams_received: u64,
    /// RTP packets queued for subscribers.
    pub rtp_packets_forwarded: u64,
    /// Their bytes after SRTP.
    pub rtp_bytes_forwarded: u64,
    /// RTCP datagrams queued.
    pub rtcp_datagrams_sent: u64,
    /// Key-frame requests sent to publishers.
    pub key_frame_requests_sent: u64,
    /// Key-frame requests of subscribers (PLI and FIR).
    pub key_frame_requests_received: u64,
    /// Transport-wide feedback packets sent to publishers.
    pub transport_feedback_sent: u64,
    /// Transport-wide feedback packets of subscribers.
    pub transport_feedback_received: u64,
    /// Times that a slot began to receive a layer: its first, another, and the same after an interruption.
    pub layer_switches: u64,
    /// Requests to publishers for one missing packet each (NACK).
    pub packets_requested: u64,
    /// Missing packets that came after they were asked for.
    pub packets_repaired: u64,
    /// Missing packets that are not waited for any longer.
    pub packets_given_up: u64,
    /// Requests of subscribers for one missing packet each (NACK).
    pub retransmissions_requested: u64,
    /// Packets sent again to subscribers.
    pub retransmissions_sent: u64,
    /// Their bytes after SRTP.
    pub retransmitted_bytes: u64,
    /// Packets sent late from the cache, to slots whose key frame came out of order.
    pub packets_caught_up: u64,
    /// Plain STUN binding requests answered.
    pub self_checks_answered: u64,
    /// Peers that completed ICE and DTLS.
    pub peers_connected: u64,
    /// Peers whose transport ended before they were removed.
    pub peers_closed: u64,
    drops: Drops,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Drops([u64; DropReason::ALL.len()]);

impl Default for Drops {
    fn default() -> Self {
        Self([0; DropReason::ALL.len()])
    }
}

impl Stats {
    /// How many packets, commands or events were dropped for this reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.0[reason as usize]
    }

    /// Counts a packet that was queued with this many bytes, or was not.
    pub(crate) const fn count_forwarded(&mut self, outcome: Result<usize, DropReason>) {
        match outcome {
            Ok(len) => {
                self.rtp_packets_forwarded += 1;
                self.rtp_bytes_forwarded += len as u64;
            }
            Err(reason) => self.drop_one(reason),
        }
    }

    pub(crate) const fn drop_one(&mut self, reason: DropReason) {
        self.drops.0[reason as usize] += 1;
    }
}

macro_rules! drop_reasons {
    ($($(#[$documentation:meta])* $reason:ident = $name:literal,)*) => {
        /// Why something was dropped.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DropReason {
            $($(#[$documentation])* $reason,)*
        }

        impl DropReason {
            /// Every reason, in the order of the road.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$reason),*];

            /// The name of the reason in metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

drop_reasons! {
    /// The datagram is larger than [`crate::limits::DATAGRAM_MAX`].
    DatagramTooLarge = "datagram_too_large",
    /// The first byte belongs to no protocol of ours.
    DatagramUnknown = "datagram_unknown",
    /// A STUN message that cannot be read, or that nobody waits for.
    StunUnexpected = "stun_unexpected",
    /// More plain STUN requests than we answer.
    SelfCheckLimit = "self_check_limit",
    /// A STUN request for a user name that we never gave out.
    UnknownUfrag = "unknown_ufrag",
    /// A datagram from an address that no peer has proven to be its own.
    UnknownAddress = "unknown_address",
    /// A peer proved an address that belongs to another living peer.
    AddressTaken = "address_taken",
    /// A peer proved more addresses than [`crate::limits::PATHS_PER_PEER_MAX`].
    PathLimit = "path_limit",
    /// A connectivity check that is malformed or not authentic.
    StunRefused = "stun_refused",
    /// A DTLS record that does not fit its handshake.
    DtlsRefused = "dtls_refused",
    /// SRTP or SRTCP before there are keys.
    SrtpBeforeKeys = "srtp_before_keys",
    /// SRTP or SRTCP that is too short or not authentic.
    SrtpRefused = "srtp_refused",
    /// SRTP or SRTCP that was seen before or is too old to tell.
    SrtpReplayed = "srtp_replayed",
    /// An authentic packet that is not RTP.
    RtpMalformed = "rtp_malformed",
    /// An authentic compound packet that is not RTCP.
    RtcpMalformed = "rtcp_malformed",
    /// An SSRC that neither the answer nor MID and RID bind to a publication.
    UnknownSsrc = "unknown_ssrc",
    /// A payload type that the publication did not negotiate.
    UnknownPayloadType = "unknown_payload_type",
    /// The codec descriptor cannot be read.
    DescriptorMalformed = "descriptor_malformed",
    /// Padding without media; the hole it leaves in the sequence is closed.
    PaddingOnly = "padding_only",
    /// Padding without media that came after later media: its hole stays open.
    PaddingLate = "padding_late",
    /// The packet came before: a retransmission that nobody needed, or a late packet that was sent again already.
    Repeated = "repeated",
    /// The packet is further back than [`crate::limits::REORDER_WINDOW`].
    TooLate = "too_late",
    /// The slot waits for a key frame.
    AwaitsKeyFrame = "awaits_key_frame",
    /// The slot receives another layer of this source.
    OtherLayer = "other_layer",
    /// The packet is older than the key frame at which its slot changed to this layer.
    LateAfterSwitch = "late_after_switch",
    /// The subscriber did not accept this payload type.
    PayloadTypeNotAccepted = "payload_type_not_accepted",
    /// The subscriber's transport is not ready yet.
    SubscriberNotReady = "subscriber_not_ready",
    /// The rewritten packet would exceed [`crate::limits::DATAGRAM_MAX`].
    PacketTooLarge = "packet_too_large",
    /// SRTP refused to seal the packet.
    SealRefused = "seal_refused",
    /// [`crate::limits::TRANSMIT_QUEUE_MAX`] datagrams wait already.
    TransmitQueueFull = "transmit_queue_full",
    /// A request for a packet on a line that did not negotiate to send any again.
    RequestNotNegotiated = "request_not_negotiated",
    /// A request for a packet that its slot did not send, or under another source.
    RequestUnknown = "request_unknown",
    /// A request for a packet that did not come from its publisher either, not yet.
    RequestNotReceived = "request_not_received",
    /// A request for a packet that is no longer kept ([`crate::limits::CACHE_AGE`] and the bounds beside it).
    RequestTooOld = "request_too_old",
    /// A request for a packet whose last answer is still on its way.
    RequestTooSoon = "request_too_soon",
    /// A request for a packet that was sent again [`crate::limits::ANSWERS_PER_PACKET_MAX`] times.
    RequestTooOften = "request_too_often",
    /// A request beyond what may be sent again ([`crate::limits::RETRANSMISSION_SHARE`] and the floor beside it).
    RequestOverBudget = "request_over_budget",
    /// A request over TCP, which loses nothing: what is missing was left out because there was no room for it.
    RequestOverTcp = "request_over_tcp",
    /// A request behind the first [`crate::limits::REQUESTED_PER_DATAGRAM_MAX`] of its datagram.
    RequestTooMany = "request_too_many",
    /// A packet to be repeated was not the one that was sent: it was wiped.
    RepeatDiffers = "repeat_differs",
    /// A key-frame request, report or feedback for an SSRC that we never sent.
    FeedbackUnknownSsrc = "feedback_unknown_ssrc",
    /// A command that names an unknown peer or slot.
    CommandUnknown = "command_unknown",
    /// A command beyond one of our bounds, or for something that exists already.
    CommandRefused = "command_refused",
    /// [`crate::limits::EVENTS_MAX`] events wait already.
    EventsFull = "events_full",
}
