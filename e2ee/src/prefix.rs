//! The synthetic bytes in front of a sealed frame.
//!
//! Packetizers and depacketizers look at a frame's first bytes. So that they
//! handle ciphertext, we put bytes of our own making there: nothing of the
//! encoder's output stays readable. They are bound to the frame as associated
//! data and taken off before it is opened.

use crate::codec::{Codec, read_leb128, vp8_dimensions};

const LENGTH_MAX: usize = 10;

const VP8_DELTA: u8 = 0x11;
/// A shown VP8 key frame with a first partition of 16 bytes, up to the start code.
const VP8_KEY: [u8; 6] = [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a];

/// `OBU_SEQUENCE_HEADER` without size: only a packetizer that sees it first marks a key frame.
const AV1_KEY: u8 = 0x08;
/// `OBU_FRAME` without size.
const AV1_DELTA: u8 = 0x30;
const AV1_EXTENSION: u8 = 0x04;
const AV1_HAS_SIZE: u8 = 0x02;

/// Place of an AV1 frame in a scalable stream. The lowest, 0 and 0, is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layer {
    /// Temporal layer, 0 to 7.
    pub temporal: u8,
    /// Spatial layer, 0 to 3.
    pub spatial: u8,
}

/// The bytes in front of a sealed frame: none to ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; LENGTH_MAX],
    length: u8,
}

impl Prefix {
    /// Opus and VP9 need none.
    pub const NONE: Self = Self {
        bytes: [0; LENGTH_MAX],
        length: 0,
    };

    /// A VP8 frame that is no key frame.
    pub const VP8_DELTA: Self = {
        let mut prefix = Self::NONE;
        prefix.bytes[0] = VP8_DELTA;
        prefix.length = 1;
        prefix
    };

    /// A VP8 key frame; of width and height 14 bits count.
    pub fn vp8_key(width: u16, height: u16) -> Self {
        let mut prefix = Self {
            bytes: [0; LENGTH_MAX],
            length: LENGTH_MAX as u8,
        };
        prefix.bytes[..6].copy_from_slice(&VP8_KEY);
        prefix.bytes[6..8].copy_from_slice(&(width & 0x3fff).to_le_bytes());
        prefix.bytes[8..].copy_from_slice(&(height & 0x3fff).to_le_bytes());
        prefix
    }

    /// An AV1 frame.
    pub const fn av1(is_key_frame: bool, layer: Layer) -> Self {
        let mut prefix = Self::NONE;
        prefix.bytes[0] = if is_key_frame { AV1_KEY } else { AV1_DELTA };
        prefix.length = 1;
        if layer.temporal != 0 || layer.spatial != 0 {
            prefix.bytes[0] |= AV1_EXTENSION;
            prefix.bytes[1] = (layer.temporal & 7) << 5 | (layer.spatial & 3) << 3;
            prefix.length = 2;
        }
        prefix
    }

    /// The prefix of a plaintext frame. `None` when the frame is none of its
    /// codec: a VP8 key frame without its header.
    pub fn of_frame(codec: Codec, plaintext: &[u8], layer: Layer) -> Option<Self> {
        match codec {
            Codec::Opus | Codec::Vp9 => Some(Self::NONE),
            Codec::Vp8 if codec.is_key_frame(plaintext) => {
                vp8_dimensions(plaintext).map(|(width, height)| Self::vp8_key(width, height))
            }
            Codec::Vp8 => Some(Self::VP8_DELTA),
            Codec::Av1 => Some(Self::av1(codec.is_key_frame(plaintext), layer)),
        }
    }

    /// Takes the prefix off a frame as it arrives. AV1 depacketizers write the
    /// unit's size behind our header; it is taken off too and not part of the
    /// prefix, because it was not there when the frame was sealed.
    pub fn split(codec: Codec, frame: &[u8]) -> Option<(Self, &[u8])> {
        match codec {
            Codec::Opus | Codec::Vp9 => Some((Self::NONE, frame)),
            Codec::Vp8 => split_vp8(frame),
            Codec::Av1 => split_av1(frame),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

fn split_vp8(frame: &[u8]) -> Option<(Prefix, &[u8])> {
    if let Some((&VP8_DELTA, rest)) = frame.split_first() {
        return Some((Prefix::VP8_DELTA, rest));
    }
    let (bytes, rest) = frame.split_first_chunk::<LENGTH_MAX>()?;
    let spare_bits = (bytes[7] | bytes[9]) & 0xc0;
    if bytes[..6] != VP8_KEY || spare_bits != 0 {
        return None;
    }
    Some((
        Prefix {
            bytes: *bytes,
            length: LENGTH_MAX as u8,
        },
        rest,
    ))
}

fn split_av1(frame: &[u8]) -> Option<(Prefix, &[u8])> {
    let (&first, mut rest) = frame.split_first()?;
    let mut prefix = Prefix::NONE;
    prefix.bytes[0] = first & !AV1_HAS_SIZE;
    prefix.length = 1;
    if first & AV1_EXTENSION != 0 {
        let (&extension, after) = rest.split_first()?;
        if extension == 0 || extension & 7 != 0 {
            return None;
        }
        prefix.bytes[1] = extension;
        prefix.length = 2;
        rest = after;
    }
    if ![AV1_KEY, AV1_DELTA].contains(&(prefix.bytes[0] & !AV1_EXTENSION)) {
        return None;
    }
    if first & AV1_HAS_SIZE != 0 {
        let (size, taken) = read_leb128(rest)?;
        rest = &rest[taken..];
        if size != rest.len() {
            return None;
        }
    }
    Some((prefix, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};

    #[test]
    fn prefixes_are_the_bytes_of_the_table() {
        assert_eq!(Prefix::VP8_DELTA.as_bytes(), [0x11]);
        assert_eq!(
            Prefix::vp8_key(640, 480).as_bytes(),
            [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]
        );
        assert_eq!(Prefix::av1(true, Layer::default()).as_bytes(), [0x08]);
        assert_eq!(
            Prefix::av1(
                false,
                Layer {
                    temporal: 2,
                    spatial: 1
                }
            )
            .as_bytes(),
            [0x34, 0x48]
        );
    }

    #[test]
    fn size_written_by_an_av1_depacketizer_is_taken_off() {
        let (prefix, rest) = Prefix::split(Codec::Av1, &[0x36, 0x20, 0x02, 0xaa, 0xbb]).unwrap();
        assert_eq!(
            prefix,
            Prefix::av1(
                false,
                Layer {
                    temporal: 1,
                    spatial: 0
                }
            )
        );
        assert_eq!(rest, [0xaa, 0xbb]);
    }

    #[test]
    fn foreign_prefixes_are_refused() {
        for (codec, frame) in [
            (Codec::Vp8, &[][..]),
            (Codec::Vp8, &[0x31, 0x00]),
            (
                Codec::Vp8,
                &[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0],
            ),
            (
                Codec::Vp8,
                &[0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x01],
            ),
            (Codec::Av1, &[]),
            (Codec::Av1, &[0x12, 0x00]),
            (Codec::Av1, &[0x31, 0x00]),
            (Codec::Av1, &[0x34]),
            (Codec::Av1, &[0x34, 0x00, 0x00]),
            (Codec::Av1, &[0x34, 0x21, 0x00]),
            (Codec::Av1, &[0x32, 0x02, 0xaa]),
            (Codec::Av1, &[0x32, 0x80]),
        ] {
            assert!(Prefix::split(codec, frame).is_none(), "{codec:?} {frame:02x?}");
        }
    }

    #[test]
    fn vp8_key_frame_without_its_header_has_no_prefix() {
        assert_eq!(
            Prefix::of_frame(Codec::Vp8, &[0x10, 0, 0], Layer::default()),
            None
        );
    }

    proptest! {
        #[test]
        fn what_was_put_in_front_is_taken_off(
            plaintext in prop::collection::vec(any::<u8>(), 1..40),
            codec in prop::sample::select(vec![Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::Av1]),
            temporal in 0u8..8,
            spatial in 0u8..4,
        ) {
            if let Some(prefix) = Prefix::of_frame(codec, &plaintext, Layer { temporal, spatial }) {
                let frame = [prefix.as_bytes(), b"sealed"].concat();
                prop_assert_eq!(Prefix::split(codec, &frame), Some((prefix, &b"sealed"[..])));
            }
        }
    }
}
