//! Plain counters of one transport.

use crate::error::TransportError;
use crate::srtp::SrtpError;

/// What one transport has seen, by kind and by reason. All counts are datagrams since the transport began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Authentic STUN messages.
    pub stun_received: u64,
    /// Handshake datagrams given to DTLS.
    pub dtls_received: u64,
    /// RTP packets decrypted.
    pub rtp_received: u64,
    /// RTCP packets decrypted.
    pub rtcp_received: u64,
    /// RTP packets encrypted.
    pub rtp_protected: u64,
    /// RTCP packets encrypted.
    pub rtcp_protected: u64,
    /// Dropped: no known protocol.
    pub dropped_unknown: u64,
    /// Dropped: the transport had ended.
    pub dropped_closed: u64,
    /// Dropped: STUN that does not parse.
    pub dropped_stun_malformed: u64,
    /// Dropped: STUN that is not authentic.
    pub dropped_stun_refused: u64,
    /// Dropped: more addresses than one transport may use.
    pub dropped_too_many_paths: u64,
    /// Dropped: handshake from an address that no check has validated.
    pub dropped_dtls_unvalidated_path: u64,
    /// Dropped: handshake datagrams that ended the session (at most one per transport).
    pub dropped_dtls_failed: u64,
    /// Dropped: media from an address that no check has validated.
    pub dropped_media_unvalidated_path: u64,
    /// Dropped: media before there were keys.
    pub dropped_media_before_keys: u64,
    /// Dropped: SRTP or SRTCP too short or not well formed.
    pub dropped_srtp_malformed: u64,
    /// Dropped: SRTCP without encryption.
    pub dropped_srtp_unencrypted: u64,
    /// Dropped: SRTP or SRTCP whose authentication tag is wrong.
    pub dropped_srtp_authentication: u64,
    /// Dropped: SRTP or SRTCP seen before.
    pub dropped_srtp_replayed: u64,
    /// Dropped: SRTP or SRTCP older than the replay window.
    pub dropped_srtp_too_old: u64,
    /// Dropped: one more source than a transport may have.
    pub dropped_srtp_too_many_ssrcs: u64,
    /// Not sent: a packet that protection refused, whatever the reason.
    pub protect_refused: u64,
}

impl Counters {
    /// Counts one dropped datagram under its reason.
    pub(crate) fn count_drop(&mut self, error: TransportError) {
        let counter = match error {
            TransportError::Unknown => &mut self.dropped_unknown,
            TransportError::Closed => &mut self.dropped_closed,
            TransportError::StunMalformed => &mut self.dropped_stun_malformed,
            TransportError::StunRefused => &mut self.dropped_stun_refused,
            TransportError::TooManyPaths => &mut self.dropped_too_many_paths,
            TransportError::DtlsFromUnvalidatedPath => &mut self.dropped_dtls_unvalidated_path,
            TransportError::DtlsFailed => &mut self.dropped_dtls_failed,
            TransportError::MediaFromUnvalidatedPath => &mut self.dropped_media_unvalidated_path,
            TransportError::MediaBeforeKeys => &mut self.dropped_media_before_keys,
            TransportError::Srtp(error) => match error {
                SrtpError::Malformed | SrtpError::NoRoom | SrtpError::NeverSealed | SrtpError::Differs => {
                    &mut self.dropped_srtp_malformed
                }
                SrtpError::NotEncrypted => &mut self.dropped_srtp_unencrypted,
                SrtpError::Authentication | SrtpError::KeyExhausted => &mut self.dropped_srtp_authentication,
                SrtpError::Replayed => &mut self.dropped_srtp_replayed,
                SrtpError::TooOld => &mut self.dropped_srtp_too_old,
                SrtpError::TooManySsrcs => &mut self.dropped_srtp_too_many_ssrcs,
            },
        };
        *counter += 1;
    }

    /// All dropped datagrams.
    pub fn dropped(&self) -> u64 {
        self.dropped_unknown
            + self.dropped_closed
            + self.dropped_stun_malformed
            + self.dropped_stun_refused
            + self.dropped_too_many_paths
            + self.dropped_dtls_unvalidated_path
            + self.dropped_dtls_failed
            + self.dropped_media_unvalidated_path
            + self.dropped_media_before_keys
            + self.dropped_srtp_malformed
            + self.dropped_srtp_unencrypted
            + self.dropped_srtp_authentication
            + self.dropped_srtp_replayed
            + self.dropped_srtp_too_old
            + self.dropped_srtp_too_many_ssrcs
    }
}
