//! Source descriptions and goodbyes.

use crate::{bytes::Reader, ids::Ssrc};

/// Who sources are. Source: RFC 3550 section 6.5.
#[derive(Clone, Copy, Debug)]
pub struct Sdes<'a> {
    chunk_count: u8,
    body: &'a [u8],
}

/// What an [`Sdes`] says about one source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SdesChunk<'a> {
    /// The source.
    pub ssrc: Ssrc,
    /// Its canonical name, when it is given.
    pub cname: Option<&'a [u8]>,
}

impl<'a> Sdes<'a> {
    /// One chunk for each source: 0 to 31.
    pub fn chunks(&self) -> impl Iterator<Item = SdesChunk<'a>> + use<'a> {
        let mut reader = Reader::new(self.body);
        (0..self.chunk_count).map_while(move |_| SdesChunk::read(&mut reader))
    }

    pub(super) fn parse(chunk_count: u8, body: &'a [u8]) -> Option<Self> {
        let sdes = Self { chunk_count, body };
        (sdes.chunks().count() == usize::from(chunk_count)).then_some(sdes)
    }
}

impl<'a> SdesChunk<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let before = reader.len();
        let ssrc = Ssrc(reader.u32()?);
        let mut cname = None;
        loop {
            match reader.u8()? {
                ITEM_END => break,
                item => {
                    let len = usize::from(reader.u8()?);
                    let text = reader.take(len)?;
                    if item == ITEM_CNAME {
                        cname = Some(text);
                    }
                }
            }
        }
        // A chunk ends at a multiple of four bytes, with at least one zero.
        let read = before - reader.len();
        reader.take(read.next_multiple_of(4) - read)?;
        Some(Self { ssrc, cname })
    }
}

/// Ends the items of a chunk (RFC 3550 section 6.5).
pub(super) const ITEM_END: u8 = 0;
/// The canonical name (RFC 3550 section 6.5.1).
pub(super) const ITEM_CNAME: u8 = 1;

/// Sources that end. Source: RFC 3550 section 6.6.
#[derive(Clone, Copy, Debug)]
pub struct Bye<'a> {
    ssrcs: &'a [u8],
}

impl<'a> Bye<'a> {
    /// The sources: 0 to 31.
    pub fn ssrcs(&self) -> impl Iterator<Item = Ssrc> + use<'a> {
        self.ssrcs
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| Ssrc(u32::from_be_bytes(bytes)))
    }

    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        // A reason for leaving may follow.
        Some(Self {
            ssrcs: body.get(..usize::from(count) * 4)?,
        })
    }
}
