//! What opened bytes say about themselves.
//!
//! Whether a frame is a key frame is read from the plaintext alone: everything
//! outside could be written by the server.

/// A codec whose frames we can seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// RFC 6716.
    Opus,
    /// RFC 6386.
    Vp8,
    /// VP9 bitstream specification 0.6.
    Vp9,
    /// AV1 bitstream specification 1.0.
    Av1,
}

impl Codec {
    /// The codec of a media type such as `video/VP8`; letter case does not
    /// count (RFC 2045). `None` for everything we cannot seal.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        const KNOWN: [(&str, Codec); 4] = [
            ("audio/opus", Codec::Opus),
            ("video/vp8", Codec::Vp8),
            ("video/vp9", Codec::Vp9),
            ("video/av1", Codec::Av1),
        ];
        KNOWN
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(media_type))
            .map(|(_, codec)| *codec)
    }

    /// Whether decoding can begin with this plaintext frame. Every Opus frame
    /// is one; of several spatial layers only the lowest is.
    pub fn is_key_frame(self, plaintext: &[u8]) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8 => plaintext.first().is_some_and(|byte| byte & 1 == 0),
            Self::Vp9 => plaintext.first().is_some_and(|&byte| vp9_is_key(byte)),
            Self::Av1 => av1_has_sequence_header(plaintext),
        }
    }
}

/// Width and height of a VP8 key frame, read from its header.
///
/// Source: RFC 6386, section 9.1.
pub fn vp8_dimensions(plaintext: &[u8]) -> Option<(u16, u16)> {
    let &[tag, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = plaintext.first_chunk::<10>()? else {
        return None;
    };
    let scale_off = 0x3fff;
    (tag & 1 == 0).then(|| {
        (
            u16::from_le_bytes([w0, w1]) & scale_off,
            u16::from_le_bytes([h0, h1]) & scale_off,
        )
    })
}

/// VP9's uncompressed header begins with the frame marker `10`, two profile
/// bits (a reserved one more in profile 3), `show_existing_frame` and
/// `frame_type`, of which 0 is a key frame (section 6.2).
const fn vp9_is_key(first: u8) -> bool {
    if first >> 6 != 0b10 {
        return false;
    }
    let (show_existing, not_key) = if first & 0x30 == 0x30 {
        (first & 0x04, first & 0x02)
    } else {
        (first & 0x08, first & 0x04)
    };
    show_existing == 0 && not_key == 0
}

const OBU_SEQUENCE_HEADER: u8 = 1;
const OBU_TEMPORAL_DELIMITER: u8 = 2;
const OBU_METADATA: u8 = 5;
const OBU_PADDING: u8 = 15;
/// How many units are looked at before the sequence header must have come.
const OBUS_MAX: usize = 8;

/// An AV1 encoder puts a sequence header before every key frame (section 7.5).
fn av1_has_sequence_header(plaintext: &[u8]) -> bool {
    let mut rest = plaintext;
    for _ in 0..OBUS_MAX {
        let Some((&first, after)) = rest.split_first() else {
            return false;
        };
        match (first >> 3) & 0x0f {
            OBU_SEQUENCE_HEADER => return first & 0x80 == 0,
            OBU_TEMPORAL_DELIMITER | OBU_METADATA | OBU_PADDING if first & 0x82 == 0x02 => {}
            _ => return false,
        }
        let extension = usize::from(first & 0x04 != 0);
        let Some((size, taken)) = after.get(extension..).and_then(read_leb128) else {
            return false;
        };
        let Some(next) = extension
            .checked_add(taken)
            .and_then(|start| start.checked_add(size))
        else {
            return false;
        };
        let Some(following) = after.get(next..) else {
            return false;
        };
        rest = following;
    }
    false
}

/// Reads AV1's `leb128`: the value, and how many bytes it took. At most four
/// bytes, which is more than any frame's length needs.
///
/// Source: AV1 bitstream specification, section 4.10.5.
pub(crate) fn read_leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_known_in_any_case_and_others_are_not() {
        assert_eq!(Codec::from_media_type("video/VP8"), Some(Codec::Vp8));
        assert_eq!(Codec::from_media_type("AUDIO/OPUS"), Some(Codec::Opus));
        for unknown in ["audio/red", "video/H264", "", "video/vp8 "] {
            assert_eq!(Codec::from_media_type(unknown), None);
        }
    }

    #[test]
    fn vp8_key_bit_and_dimensions_are_read() {
        let key = [0x50, 0x2f, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x42, 0xe0, 0x81, 0xff];
        assert!(Codec::Vp8.is_key_frame(&key));
        assert_eq!(vp8_dimensions(&key), Some((640, 480)));
        assert!(!Codec::Vp8.is_key_frame(&[0x51]));
        assert!(!Codec::Vp8.is_key_frame(&[]));
        assert_eq!(vp8_dimensions(&key[..9]), None);
    }

    #[test]
    fn vp9_key_frames_are_told_apart() {
        for (first, key) in [
            (0x82, true),  // profile 0, shown key frame
            (0x86, false), // inter frame
            (0x88, false), // shows an existing frame
            (0xb0, true),  // profile 3, key frame
            (0xb2, false), // profile 3, inter frame
            (0x02, false), // no frame marker
        ] {
            assert_eq!(Codec::Vp9.is_key_frame(&[first]), key, "{first:02x}");
        }
    }

    #[test]
    fn av1_key_frame_begins_with_a_sequence_header() {
        assert!(Codec::Av1.is_key_frame(&[0x0a, 0x01, 0x00, 0x32, 0x00]));
        assert!(
            Codec::Av1.is_key_frame(&[0x12, 0x00, 0x0a, 0x01, 0x00]),
            "behind a temporal delimiter"
        );
        assert!(
            Codec::Av1.is_key_frame(&[0x16, 0x00, 0x00, 0x0a]),
            "the delimiter has an extension byte"
        );
        assert!(
            !Codec::Av1.is_key_frame(&[0x12, 0x00, 0x32, 0x00]),
            "a frame without one"
        );
        assert!(
            !Codec::Av1.is_key_frame(&[0x12, 0x05, 0x0a]),
            "the delimiter's size points outside"
        );
        assert!(!Codec::Av1.is_key_frame(&[0x12]));
        assert!(!Codec::Av1.is_key_frame(&[0x12, 0xff, 0xff, 0xff, 0xff, 0x00]));
    }
}
