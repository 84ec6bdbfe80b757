//! One direction of a session: opens what comes in, or seals what goes out.

use crate::srtp::error::SrtpError;
use crate::srtp::profile::SrtpKeys;

/// How much protection adds to a packet, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection;

impl Protection {
    /// Bytes that [`Protector::protect_rtp`] adds at most: the tag.
    pub const RTP_OVERHEAD_MAX: usize = 16;

    /// Bytes that [`Protector::protect_rtcp`] adds at most: the tag and the index.
    pub const RTCP_OVERHEAD_MAX: usize = 20;
}

/// Seals what we send.
pub struct Protector {}

/// Opens what we receive.
pub struct Unprotector {}

impl Protector {
    /// Derives the session keys for sending.
    pub fn new(_keys: &SrtpKeys) -> Self {
        Self {}
    }

    /// Seals the RTP packet in `buffer[..len]` in place and returns its new length.
    pub fn protect_rtp(&mut self, _buffer: &mut [u8], _len: usize) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }

    /// Seals the compound RTCP packet in `buffer[..len]` in place and returns its new length.
    pub fn protect_rtcp(&mut self, _buffer: &mut [u8], _len: usize) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }
}

impl Unprotector {
    /// Derives the session keys for receiving.
    pub fn new(_keys: &SrtpKeys) -> Self {
        Self {}
    }

    /// Opens an SRTP packet in place and returns the length of the RTP packet.
    pub fn unprotect_rtp(&mut self, _packet: &mut [u8]) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }

    /// Opens an SRTCP packet in place and returns the length of the RTCP packet.
    pub fn unprotect_rtcp(&mut self, _packet: &mut [u8]) -> Result<usize, SrtpError> {
        Err(SrtpError::Malformed)
    }
}
