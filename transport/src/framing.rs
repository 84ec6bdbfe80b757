//! Datagrams on a TCP connection: each behind its length in two bytes.
//!
//! Source: RFC 4571 section 2; RFC 6544 section 3 has STUN and DTLS framed in the same way.

use crate::limits::FRAME_MAX;

/// Bytes before each datagram.
pub const FRAME_HEADER_LEN: usize = 2;

/// Bytes that a [`Deframer`] holds: a few frames, so that one read takes a burst, and any frame at all.
const BUFFER_LEN: usize = 8_192;
const _: () = assert!(BUFFER_LEN >= 2 * (FRAME_HEADER_LEN + FRAME_MAX));

/// The stream announces a frame of more than [`FRAME_MAX`] bytes. What follows cannot be read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream announces a frame that is too long")]
pub struct FrameTooLong;

/// What stands before a datagram of this length; `None` when it is longer than [`FRAME_MAX`].
pub fn frame_header(len: usize) -> Option<[u8; FRAME_HEADER_LEN]> {
    let len = u16::try_from(len).ok().filter(|_| len <= FRAME_MAX)?;
    Some(len.to_be_bytes())
}

/// Cuts a stream of bytes into datagrams again, however the network has split it.
///
/// Read into [`space`](Self::space), say how much that was by [`filled`](Self::filled), and take
/// [`next_frame`](Self::next_frame) until there is none.
pub struct Deframer {
    buffer: Box<[u8; BUFFER_LEN]>,
    /// What was filled and not taken lies between these.
    start: usize,
    end: usize,
}

impl Default for Deframer {
    fn default() -> Self {
        Self {
            buffer: Box::new([0; BUFFER_LEN]),
            start: 0,
            end: 0,
        }
    }
}

impl Deframer {
    /// Room for what comes next. It is never empty once every complete frame was taken.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        &mut self.buffer[self.end..]
    }

    /// The first `len` bytes of [`space`](Self::space) were filled.
    pub fn filled(&mut self, len: usize) {
        self.end = BUFFER_LEN.min(self.end + len);
    }

    /// The next complete datagram, of 1 to [`FRAME_MAX`] bytes.
    ///
    /// A length of 0 codes a null packet (RFC 4571 section 2): it carries nothing, and is passed over.
    pub fn next_frame(&mut self) -> Result<Option<&mut [u8]>, FrameTooLong> {
        loop {
            let waiting = &self.buffer[self.start..self.end];
            let Some((header, rest)) = waiting.split_first_chunk::<FRAME_HEADER_LEN>() else {
                return Ok(None);
            };
            let len = usize::from(u16::from_be_bytes(*header));
            if len > FRAME_MAX {
                return Err(FrameTooLong);
            }
            if rest.len() < len {
                return Ok(None);
            }
            let first = self.start + FRAME_HEADER_LEN;
            self.start = first + len;
            if len > 0 {
                return Ok(Some(&mut self.buffer[first..first + len]));
            }
        }
    }

    /// Whether a frame has begun that is not complete.
    pub fn is_within_frame(&self) -> bool {
        self.start < self.end
    }
}

impl std::fmt::Debug for Deframer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Deframer")
            .field("waiting", &(self.end - self.start))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_is_its_length_and_its_bytes() {
        assert_eq!(frame_header(258), Some([1, 2]));
        assert_eq!(frame_header(FRAME_MAX), Some([5, 0xDC]));
        assert_eq!(frame_header(FRAME_MAX + 1), None);
        assert_eq!(frame_header(usize::MAX), None);
    }

    #[test]
    fn a_frame_too_long_ends_the_stream_and_the_longest_does_not() {
        let mut longest = vec![5, 0xDC];
        longest.resize(FRAME_HEADER_LEN + FRAME_MAX, 7);
        assert_eq!(split(&longest, &[1_000]), Ok(vec![vec![7; FRAME_MAX]]));
        for header in [[5, 0xDD], [0x16, 3], [b'G', b'E'], [0xFF, 0xFF]] {
            assert_eq!(split(&header, &[1]), Err(FrameTooLong));
        }
    }

    #[test]
    fn null_packets_are_passed_over() {
        assert_eq!(split(&[0, 0, 0, 0, 0, 1, 9, 0, 0], &[2]), Ok(vec![vec![9]]));
        assert_eq!(split(&[0; 50_000], &[8_192]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn any_split_of_a_stream_gives_the_same_frames(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..FRAME_MAX + 1), 0..20),
            cuts in prop::collection::vec(1_usize..4_000, 1..40),
        ) {
            let stream: Vec<u8> = frames
                .iter()
                .flat_map(|frame| frame_header(frame.len()).unwrap().into_iter().chain(frame.iter().copied()))
                .collect();
            let expected: Vec<Vec<u8>> = frames.into_iter().filter(|frame| !frame.is_empty()).collect();
            prop_assert_eq!(split(&stream, &cuts), Ok(expected));
        }

        #[test]
        fn noise_never_panics_and_always_leaves_space(
            noise in prop::collection::vec(any::<u8>(), 0..20_000),
            cuts in prop::collection::vec(1_usize..9_000, 1..10),
        ) {
            let _ = split(&noise, &cuts);
        }
    }

    /// Feeds a stream in pieces of these sizes, again and again.
    fn split(mut stream: &[u8], cuts: &[usize]) -> Result<Vec<Vec<u8>>, FrameTooLong> {
        let mut deframer = Deframer::default();
        let mut frames = Vec::new();
        for cut in cuts.iter().cycle() {
            if stream.is_empty() {
                break;
            }
            let space = deframer.space();
            assert!(!space.is_empty());
            let len = (*cut).min(space.len()).min(stream.len());
            space[..len].copy_from_slice(&stream[..len]);
            stream = &stream[len..];
            deframer.filled(len);
            while let Some(frame) = deframer.next_frame()? {
                frames.push(frame.to_vec());
            }
        }
        Ok(frames)
    }
}
