//! The picture and the sound that the members send, made by `loadtest/fixtures/make.py`.

use std::sync::LazyLock;

/// 30 VP8 frames of 160x90 that can be played in a circle; the first one is a key frame.
pub static PICTURE: LazyLock<Vec<&'static [u8]>> =
    LazyLock::new(|| ivf_frames(include_bytes!("../fixtures/picture.ivf")));

/// 50 Opus frames of 20 ms that can be played in a circle: a quiet tone.
pub static TONE: LazyLock<Vec<&'static [u8]>> =
    LazyLock::new(|| counted_frames(include_bytes!("../fixtures/tone.opus")));

/// 20 ms of silence: an Opus frame of CELT, fullband, mono, whose two bytes of data say "silence" (RFC 6716 section 4.3).
pub const SILENCE: &[u8] = &[0xF8, 0xFF, 0xFE];

/// An IVF file begins with 32 bytes of header; 12 bytes before each frame begin with its length, little-endian.
fn ivf_frames(file: &'static [u8]) -> Vec<&'static [u8]> {
    let mut frames = Vec::new();
    let mut rest = file.get(32..).unwrap_or_default();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let end = 8 + u32::from_le_bytes(*length) as usize;
        let Some(frame) = behind.get(8..end) else {
            break;
        };
        frames.push(frame);
        rest = &behind[end..];
    }
    frames
}

/// Frames, each behind its length in two bytes, big-endian.
fn counted_frames(file: &'static [u8]) -> Vec<&'static [u8]> {
    let mut frames = Vec::new();
    let mut rest = file;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let Some((frame, after)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            break;
        };
        frames.push(frame);
        rest = after;
    }
    frames
}

#[cfg(test)]
mod tests {
    use e2ee::codec::{Codec, vp8_dimensions};

    use super::*;

    #[test]
    fn picture_begins_with_its_only_key_frame() {
        assert_eq!(PICTURE.len(), 30);
        assert_eq!(vp8_dimensions(PICTURE[0]), Some((160, 90)));
        assert!(PICTURE[1..].iter().all(|frame| !Codec::Vp8.is_key_frame(frame)));
    }

    #[test]
    fn tone_is_one_second_of_frames_of_20_ms() {
        assert_eq!(TONE.len(), 50);
        // Configurations 16 to 31 are CELT, whose last two bits choose 2.5, 5, 10 or 20 ms (RFC 6716 section 3.1).
        assert!(
            TONE.iter()
                .chain([&SILENCE])
                .all(|frame| frame[0] >> 3 >= 16 && frame[0] >> 3 & 3 == 3)
        );
    }
}
