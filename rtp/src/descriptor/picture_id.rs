//! The running number of a picture, which VP8 and VP9 write in the same way.

use crate::{bytes::Reader, seq::extend_bits};

/// How many bits a picture id has on the wire. A stream may change it at any time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PictureIdWidth {
    /// 7 bits in one byte.
    Seven,
    /// 15 bits in two bytes.
    Fifteen,
}

/// A picture's running number.
///
/// Source: RFC 7741 section 4.2, RFC 9628 section 4.2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PictureId {
    value: u16,
    width: PictureIdWidth,
}

impl PictureId {
    /// The low 7 bits of `value`, in one byte.
    pub const fn seven(value: u16) -> Self {
        Self {
            value: value & 0x7F,
            width: PictureIdWidth::Seven,
        }
    }

    /// The low 15 bits of `value`, in two bytes.
    pub const fn fifteen(value: u16) -> Self {
        Self {
            value: value & 0x7FFF,
            width: PictureIdWidth::Fifteen,
        }
    }

    /// The number, below 128 or 32,768 according to its width.
    pub const fn value(self) -> u16 {
        self.value
    }

    /// The bits it has on the wire.
    pub const fn width(self) -> PictureIdWidth {
        self.width
    }

    /// Extends the number to 64 bits: the candidate nearest to `latest`, the
    /// highest extended number so far. Works across changes of width.
    pub fn extend(self, latest: u64) -> u64 {
        let bits = match self.width {
            PictureIdWidth::Seven => 7,
            PictureIdWidth::Fifteen => 15,
        };
        extend_bits(u64::from(self.value), latest, bits)
    }

    /// Reads one or two bytes; the first bit tells which.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let first = reader.u8()?;
        if first & 0x80 == 0 {
            return Some(Self::seven(u16::from(first)));
        }
        Some(Self::fifteen(u16::from_be_bytes([first, reader.u8()?])))
    }

    /// The bytes as they stand on the wire, and how many of them count.
    pub(super) fn wire(self) -> ([u8; 2], usize) {
        match self.width {
            PictureIdWidth::Seven => ([self.value as u8, 0], 1),
            PictureIdWidth::Fifteen => ((self.value | 0x8000).to_be_bytes(), 2),
        }
    }
}
