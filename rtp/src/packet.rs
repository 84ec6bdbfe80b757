//! Reading an RTP packet.
//!
//! Source: RFC 3550 section 5.1.

use crate::{
    bytes::Reader,
    error::RtpError,
    extension::{ExtensionMap, Extensions},
    ids::{PayloadType, Ssrc},
    payload::SealedPayload,
};

/// The fields of an RTP header that a forwarder reads and rewrites.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RtpHeader {
    /// Last packet of a video frame; first packet after silence in audio.
    pub marker: bool,
    /// The codec, as negotiated.
    pub payload_type: PayloadType,
    /// Counts packets of this SSRC, and wraps.
    pub sequence_number: u16,
    /// When the media was sampled, in ticks of the codec's clock rate; wraps.
    pub rtp_timestamp: u32,
    /// The stream.
    pub ssrc: Ssrc,
}

/// One RTP packet, borrowed from the datagram that it came in.
#[derive(Clone, Copy, Debug)]
pub struct RtpPacket<'a> {
    /// The fixed header.
    pub header: RtpHeader,
    /// How many contributing sources were listed, 0 to 15.
    pub csrc_count: u8,
    /// The header extension elements that we know.
    pub extensions: Extensions,
    /// The media, without padding: sealed by its sender.
    pub payload: SealedPayload<'a>,
    /// How many bytes of padding followed the payload.
    pub padding_len: u8,
    /// How many bytes stood before the payload.
    pub header_len: usize,
}

impl<'a> RtpPacket<'a> {
    /// Reads a packet that SRTP has opened.
    ///
    /// `map` tells which header extension ids mean what. A packet whose
    /// payload is empty is valid: senders probe with padding alone.
    pub fn parse(datagram: &'a [u8], map: &ExtensionMap) -> Result<Self, RtpError> {
        let mut reader = Reader::new(datagram);
        let front = Front::parse(&mut reader)?;
        let extensions = match front.extension {
            Some((profile, block)) => Extensions::parse(profile, block, map)?,
            None => Extensions::default(),
        };
        let (payload, padding_len) = split_padding(reader.rest(), front.has_padding)?;
        Ok(Self {
            header: front.header,
            csrc_count: front.csrc_count,
            extensions,
            payload: SealedPayload::seal(payload),
            padding_len,
            header_len: datagram.len() - reader.len(),
        })
    }
}

/// How many bytes stand before the payload: fixed header, CSRC list and
/// extension block, as SRTP needs to know it before it opens the payload.
pub fn header_len(datagram: &[u8]) -> Result<usize, RtpError> {
    let mut reader = Reader::new(datagram);
    Front::parse(&mut reader)?;
    Ok(datagram.len() - reader.len())
}

/// Everything before the payload.
struct Front<'a> {
    header: RtpHeader,
    has_padding: bool,
    csrc_count: u8,
    /// The profile field and the block after it.
    extension: Option<(u16, &'a [u8])>,
}

impl<'a> Front<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, RtpError> {
        let Some([first, second]) = reader.array() else {
            return Err(RtpError::TooShort);
        };
        if first >> 6 != 2 {
            return Err(RtpError::WrongVersion);
        }
        let header = Self::parse_header(second, reader).ok_or(RtpError::TooShort)?;
        let csrc_count = first & 0x0F;
        reader
            .take(usize::from(csrc_count) * 4)
            .ok_or(RtpError::CsrcOverrun)?;
        let extension = if first & 0x10 != 0 {
            Some(Self::parse_extension(reader).ok_or(RtpError::ExtensionOverrun)?)
        } else {
            None
        };
        Ok(Self {
            header,
            has_padding: first & 0x20 != 0,
            csrc_count,
            extension,
        })
    }

    fn parse_header(second: u8, reader: &mut Reader<'a>) -> Option<RtpHeader> {
        Some(RtpHeader {
            marker: second & 0x80 != 0,
            payload_type: PayloadType::from_wire(second),
            sequence_number: reader.u16()?,
            rtp_timestamp: reader.u32()?,
            ssrc: Ssrc(reader.u32()?),
        })
    }

    fn parse_extension(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
        let profile = reader.u16()?;
        let words = reader.u16()?;
        Some((profile, reader.take(usize::from(words) * 4)?))
    }
}

/// Parts the media from its padding, whose last byte counts it (itself included).
fn split_padding(rest: &[u8], has_padding: bool) -> Result<(&[u8], u8), RtpError> {
    if !has_padding {
        return Ok((rest, 0));
    }
    let padding_len = *rest.last().ok_or(RtpError::PaddingInvalid)?;
    match rest.len().checked_sub(usize::from(padding_len)) {
        Some(payload_len) if padding_len > 0 => Ok((&rest[..payload_len], padding_len)),
        _ => Err(RtpError::PaddingInvalid),
    }
}

#[cfg(test)]
mod tests;
