//! One direction of a session: opens what comes in, or seals what goes out.

use std::fmt;

use crate::limits;
use crate::srtp::cipher::{Cipher, INDEX_WORD_LEN};
use crate::srtp::contexts::Contexts;
use crate::srtp::derivation::{SessionKeys, Stream};
use crate::srtp::error::SrtpError;
use crate::srtp::header::{self, RtpHeader};
use crate::srtp::index::{self, INDEX_END};
use crate::srtp::profile::{SrtpKeys, SrtpProfile};
use crate::srtp::replay::ReplayWindow;

/// Words of a replay window for RTP; one more than its size needs, as the ring asks for.
const RTP_WORDS: usize = limits::REPLAY_WINDOW_RTP / 64 + 1;

/// Words of a replay window for RTCP.
const RTCP_WORDS: usize = limits::REPLAY_WINDOW_RTCP / 64 + 1;

/// First SRTCP index that may not be used any more: it has 31 bits.
const RTCP_INDEX_END: u32 = 1 << 31;

/// How much protection adds to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection;

impl Protection {
    /// Bytes that [`Protector::protect_rtp`] adds at most: the tag.
    pub const RTP_OVERHEAD_MAX: usize = 16;

    /// Bytes that [`Protector::protect_rtcp`] adds at most: the tag and the index.
    pub const RTCP_OVERHEAD_MAX: usize = Self::RTP_OVERHEAD_MAX + INDEX_WORD_LEN;
}

/// The authentication tag of a sealed RTP packet: two packets of one source that have it in common are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; Protection::RTP_OVERHEAD_MAX]);

impl Tag {
    /// The end of a sealed packet. Shorter tags are filled up with zeros.
    fn of(sealed: &[u8], profile: SrtpProfile) -> Option<Self> {
        let start = sealed.len().checked_sub(profile.tag_len())?;
        let mut tag = [0; Protection::RTP_OVERHEAD_MAX];
        tag.get_mut(..profile.tag_len())?
            .copy_from_slice(sealed.get(start..)?);
        Some(Self(tag))
    }
}

/// Seals what we send.
pub struct Protector {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    sent: Contexts<ReplayWindow<RTP_WORDS>>,
    /// The SRTCP index of the last packet. One counter serves all sources: an index is then unique in any of them.
    rtcp_index: u32,
}

impl Protector {
    /// Derives the session keys for sending.
    pub fn new(keys: &SrtpKeys) -> Self {
        let cipher = |stream| {
            Cipher::new(
                keys.profile(),
                &SessionKeys::derive(keys.profile(), keys.send(), stream),
            )
        };
        Self {
            profile: keys.profile(),
            rtp: cipher(Stream::Rtp),
            rtcp: cipher(Stream::Rtcp),
            sent: Contexts::new(),
            rtcp_index: 0,
        }
    }

    /// Seals the RTP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTP_OVERHEAD_MAX`] bytes of room behind the packet. The first sequence number
    /// of a source should be below 32,768, so that the receiver cannot miss the first rollover.
    ///
    /// A sequence number that this source has sealed before is refused: the same key stream over two packets would
    /// give both away.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let packet = buffer.get(..len).ok_or(SrtpError::NoRoom)?;
        if buffer.len() - len < self.profile.tag_len() {
            return Err(SrtpError::NoRoom);
        }
        let header = RtpHeader::parse(packet)?;
        let sent = self.sent.find(header.ssrc)?;
        let index = next_index(header.sequence_number, sent.as_deref())?;
        let sealed_len = self.rtp.seal_rtp(header.ssrc, index, header.len, buffer, len)?;
        record(&mut self.sent, header.ssrc, index)?;
        Ok(sealed_len)
    }

    /// Seals a packet once more that [`protect_rtp`](Self::protect_rtp) sealed before with this authentication tag, so
    /// that the very same datagram can be sent again.
    ///
    /// Fails when the packet differs in a single bit: the tag is then another one, and the sealed bytes, which would
    /// give both packets away, are wiped before anybody sees them.
    pub fn protect_rtp_again(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        tag: &Tag,
    ) -> Result<usize, SrtpError> {
        let packet = buffer.get(..len).ok_or(SrtpError::NoRoom)?;
        if buffer.len() - len < self.profile.tag_len() {
            return Err(SrtpError::NoRoom);
        }
        let header = RtpHeader::parse(packet)?;
        let sent = self.sent.find(header.ssrc)?.ok_or(SrtpError::NeverSealed)?;
        let index = index::estimate(header.sequence_number, sent.highest());
        if sent.check(index) != Err(SrtpError::Replayed) {
            return Err(SrtpError::NeverSealed);
        }
        let sealed_len = self.rtp.seal_rtp(header.ssrc, index, header.len, buffer, len)?;
        let is_same = Tag::of(&buffer[..sealed_len], self.profile) == Some(*tag);
        if !is_same {
            buffer.fill(0);
            return Err(SrtpError::Differs);
        }
        Ok(sealed_len)
    }

    /// The authentication tag of a packet that [`protect_rtp`](Self::protect_rtp) sealed.
    pub fn tag(&self, sealed: &[u8]) -> Option<Tag> {
        Tag::of(sealed, self.profile)
    }

    /// Seals the compound RTCP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTCP_OVERHEAD_MAX`] bytes of room behind the packet.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let packet = buffer.get(..len).ok_or(SrtpError::NoRoom)?;
        if buffer.len() - len < self.profile.tag_len() + INDEX_WORD_LEN {
            return Err(SrtpError::NoRoom);
        }
        let ssrc = header::rtcp_ssrc(packet)?;
        let index = self.rtcp_index + 1;
        if index >= RTCP_INDEX_END {
            return Err(SrtpError::KeyExhausted);
        }
        self.rtcp_index = index;
        self.rtcp.seal_rtcp(ssrc, index, buffer, len)
    }
}

impl fmt::Debug for Protector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Protector")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// Opens what we receive.
pub struct Unprotector {
    profile: SrtpProfile,
    rtp: Cipher,
    rtcp: Cipher,
    rtp_seen: Contexts<ReplayWindow<RTP_WORDS>>,
    rtcp_seen: Contexts<ReplayWindow<RTCP_WORDS>>,
}

impl Unprotector {
    /// Derives the session keys for receiving.
    pub fn new(keys: &SrtpKeys) -> Self {
        let cipher = |stream| {
            Cipher::new(
                keys.profile(),
                &SessionKeys::derive(keys.profile(), keys.receive(), stream),
            )
        };
        Self {
            profile: keys.profile(),
            rtp: cipher(Stream::Rtp),
            rtcp: cipher(Stream::Rtcp),
            rtp_seen: Contexts::new(),
            rtcp_seen: Contexts::new(),
        }
    }

    /// Opens an SRTP packet in place and returns the length of the RTP packet.
    ///
    /// Nothing is remembered about a packet that is refused. The bytes of a refused packet are undefined.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header = RtpHeader::parse(packet)?;
        if packet.len() < header.len + self.profile.tag_len() {
            return Err(SrtpError::Malformed);
        }
        let seen = self.rtp_seen.find(header.ssrc)?;
        let index = next_index(header.sequence_number, seen.as_deref())?;
        let len = self.rtp.open_rtp(header.ssrc, index, header.len, packet)?;
        record(&mut self.rtp_seen, header.ssrc, index)?;
        Ok(len)
    }

    /// Opens an SRTCP packet in place and returns the length of the compound RTCP packet.
    ///
    /// Nothing is remembered about a packet that is refused. The bytes of a refused packet are undefined.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let ssrc = header::rtcp_ssrc(packet)?;
        if packet.len() < header::RTCP_HEADER_LEN + self.profile.tag_len() + INDEX_WORD_LEN {
            return Err(SrtpError::Malformed);
        }
        let index = self.rtcp.rtcp_index(packet)?;
        if let Some(seen) = self.rtcp_seen.find(ssrc)? {
            seen.check(u64::from(index))?;
        }
        let len = self.rtcp.open_rtcp(ssrc, index, packet)?;
        record(&mut self.rtcp_seen, ssrc, u64::from(index))?;
        Ok(len)
    }
}

impl fmt::Debug for Unprotector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Unprotector")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// The index of a packet, if it may pass.
fn next_index(sequence_number: u16, seen: Option<&ReplayWindow<RTP_WORDS>>) -> Result<u64, SrtpError> {
    let index = index::estimate(sequence_number, seen.and_then(ReplayWindow::highest));
    if index >= INDEX_END {
        return Err(SrtpError::KeyExhausted);
    }
    seen.map_or(Ok(()), |seen| seen.check(index))?;
    Ok(index)
}

/// Records an index that is authentic now, for a source that may be new.
fn record<const WORDS: usize>(
    contexts: &mut Contexts<ReplayWindow<WORDS>>,
    ssrc: u32,
    index: u64,
) -> Result<(), SrtpError> {
    if let Some(window) = contexts.find(ssrc)? {
        window.record(index);
    } else {
        let mut window = ReplayWindow::new();
        window.record(index);
        contexts.add(ssrc, window);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
