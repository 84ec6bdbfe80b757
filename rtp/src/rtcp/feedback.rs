//! Feedback about one stream: missing packets and key frames.

use crate::{bytes::Reader, ids::Ssrc};

/// A decoder needs a key frame. Source: RFC 4585 section 6.3.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pli {
    /// Who asks.
    pub sender_ssrc: Ssrc,
    /// The stream that needs it.
    pub media_ssrc: Ssrc,
}

impl Pli {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (sender_ssrc, media_ssrc) = read_ssrcs(&mut Reader::new(body))?;
        Some(Self {
            sender_ssrc,
            media_ssrc,
        })
    }
}

/// New decoders need a key frame. Source: RFC 5104 section 4.3.1.
#[derive(Clone, Copy, Debug)]
pub struct Fir<'a> {
    /// Who asks.
    pub sender_ssrc: Ssrc,
    entries: &'a [u8],
}

/// One stream that a [`Fir`] asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirEntry {
    /// The stream that needs a key frame.
    pub ssrc: Ssrc,
    /// Counts requests; the same number again is the same request again.
    pub sequence_number: u8,
}

impl<'a> Fir<'a> {
    /// The streams: at least one.
    pub fn entries(&self) -> impl Iterator<Item = FirEntry> + use<'a> {
        self.entries
            .as_chunks::<FIR_ENTRY_LEN>()
            .0
            .iter()
            .map(|&[a, b, c, d, sequence_number, ..]| FirEntry {
                ssrc: Ssrc(u32::from_be_bytes([a, b, c, d])),
                sequence_number,
            })
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        // The media source of the common header is unused (RFC 5104 section 4.3.1.2).
        let (sender_ssrc, _) = read_ssrcs(&mut reader)?;
        let entries = read_entries::<FIR_ENTRY_LEN>(&reader)?;
        Some(Self { sender_ssrc, entries })
    }
}

/// SSRC, sequence number and three reserved bytes.
const FIR_ENTRY_LEN: usize = 8;

/// Packets that are missing. Source: RFC 4585 section 6.2.1.
#[derive(Clone, Copy, Debug)]
pub struct Nack<'a> {
    /// Who misses them.
    pub sender_ssrc: Ssrc,
    /// The stream that they belong to.
    pub media_ssrc: Ssrc,
    entries: &'a [u8],
}

impl<'a> Nack<'a> {
    /// The missing sequence numbers, as listed: 1 to 17 for each four bytes of the packet.
    pub fn sequence_numbers(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.entries
            .as_chunks::<NACK_ENTRY_LEN>()
            .0
            .iter()
            .flat_map(|&[a, b, c, d]| {
                let first = u16::from_be_bytes([a, b]);
                let following = u16::from_be_bytes([c, d]);
                let others = (0..16).filter(move |bit| following >> bit & 1 != 0);
                core::iter::once(first).chain(others.map(move |bit| first.wrapping_add(bit + 1)))
            })
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let (sender_ssrc, media_ssrc) = read_ssrcs(&mut reader)?;
        let entries = read_entries::<NACK_ENTRY_LEN>(&reader)?;
        Some(Self {
            sender_ssrc,
            media_ssrc,
            entries,
        })
    }
}

/// A sequence number, and a bit for each of the 16 that follow it.
const NACK_ENTRY_LEN: usize = 4;

/// The two sources with which every feedback packet begins (RFC 4585 section 6.1).
fn read_ssrcs(reader: &mut Reader<'_>) -> Option<(Ssrc, Ssrc)> {
    Some((Ssrc(reader.u32()?), Ssrc(reader.u32()?)))
}

/// What is left, when it is one or more whole entries.
fn read_entries<'a, const LEN: usize>(reader: &Reader<'a>) -> Option<&'a [u8]> {
    let entries = reader.rest();
    (!entries.is_empty() && entries.len().is_multiple_of(LEN)).then_some(entries)
}
