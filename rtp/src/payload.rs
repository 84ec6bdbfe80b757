//! Media that only its endpoints can open.

use core::fmt;

use crate::{
    descriptor::{Codec, Descriptor, DescriptorRewrite},
    error::DescriptorError,
};

/// The payload of an RTP packet, which crosses the server unread.
///
/// It can be measured, asked for the descriptor that its codec's RTP
/// specification puts in clear before the media, and copied onto the wire.
/// There is no way to look at its bytes:
///
/// ```
/// # use rtp::{DescriptorRewrite, SealedPayload};
/// let payload = SealedPayload::seal(b"ciphertext");
/// assert_eq!(payload.len(), 10);
/// let mut wire = [0; 16];
/// assert_eq!(payload.copy_to_wire(&DescriptorRewrite::Keep, &mut wire), Ok(10));
/// ```
///
/// neither by index,
/// ```compile_fail,E0608
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let byte = payload[0];
/// ```
/// nor by its fields,
/// ```compile_fail,E0616
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let bytes = payload.bytes;
/// ```
/// nor as a slice,
/// ```compile_fail,E0599
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let bytes: &[u8] = payload.as_ref();
/// ```
/// ```compile_fail,E0614
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let bytes: &[u8] = &*payload;
/// ```
/// ```compile_fail,E0277
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let bytes: &[u8] = payload.into();
/// ```
/// nor one by one,
/// ```compile_fail,E0277
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// for byte in payload {}
/// ```
/// nor in a comparison.
/// ```compile_fail,E0369
/// # let payload = rtp::SealedPayload::seal(b"ciphertext");
/// let same = payload == payload;
/// ```
/// Its `Debug` form gives the length alone.
#[derive(Clone, Copy)]
pub struct SealedPayload<'a> {
    bytes: &'a [u8],
}

/// How many bytes a retransmission puts before the media: the packet's first sequence number.
pub const ORIGINAL_SEQUENCE_NUMBER_LEN: usize = 2;

impl<'a> SealedPayload<'a> {
    /// Takes bytes in; there is no way back but [`copy_to_wire`](Self::copy_to_wire).
    pub fn seal(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The length in bytes, descriptor included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no media: senders probe with padding alone.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What the codec's descriptor says about the frame.
    ///
    /// Fails on a payload that ends inside its descriptor or contradicts its
    /// specification, and on an empty one unless the codec has no descriptor.
    pub fn descriptor(&self, codec: Codec) -> Result<Descriptor, DescriptorError> {
        Descriptor::parse(codec, self.bytes)
    }

    /// Reads the payload of a retransmission: the sequence number that the packet had at first, and the media behind
    /// it. `None` when there is no media: what is shorter only pads.
    ///
    /// Source: RFC 4588 section 4.
    pub fn retransmitted(self) -> Option<(u16, Self)> {
        let (number, media) = self.bytes.split_first_chunk::<ORIGINAL_SEQUENCE_NUMBER_LEN>()?;
        (!media.is_empty()).then(|| (u16::from_be_bytes(*number), Self::seal(media)))
    }

    /// Copies the payload to the front of `out` as that of a retransmission, and returns how long it became: two bytes
    /// longer than [`copy_to_wire`](Self::copy_to_wire) makes it.
    ///
    /// Source: RFC 4588 section 4.
    pub fn copy_as_retransmission(
        &self,
        original_sequence_number: u16,
        rewrite: &DescriptorRewrite,
        out: &mut [u8],
    ) -> Result<usize, DescriptorError> {
        let (number, media) = out
            .split_first_chunk_mut::<ORIGINAL_SEQUENCE_NUMBER_LEN>()
            .ok_or(DescriptorError::BufferTooSmall)?;
        *number = original_sequence_number.to_be_bytes();
        Ok(ORIGINAL_SEQUENCE_NUMBER_LEN + self.copy_to_wire(rewrite, media)?)
    }

    /// Copies the payload to the front of `out` and returns how long it became.
    ///
    /// `rewrite` replaces fields of the descriptor on the way; a picture id
    /// that grows from 7 to 15 bits makes the payload
    /// [`DESCRIPTOR_GROWTH_MAX`](crate::descriptor::DESCRIPTOR_GROWTH_MAX)
    /// longer. On an error the contents of `out` are unspecified.
    pub fn copy_to_wire(
        &self,
        rewrite: &DescriptorRewrite,
        out: &mut [u8],
    ) -> Result<usize, DescriptorError> {
        rewrite.copy(self.bytes, out)
    }
}

impl fmt::Debug for SealedPayload<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SealedPayload")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_form_gives_the_length_alone() {
        let text = format!("{:?}", SealedPayload::seal(&[0xAB; 3]));
        assert_eq!(text, "SealedPayload { len: 3, .. }");
    }

    #[test]
    fn a_retransmission_carries_its_first_sequence_number_before_the_media() {
        let payload = SealedPayload::seal(b"abc");
        let mut out = [0; 6];
        let len = payload.copy_as_retransmission(0x1234, &DescriptorRewrite::Keep, &mut out);
        assert_eq!((len, &out), (Ok(5), b"\x12\x34abc\0"));
        let (number, media) = SealedPayload::seal(&out[..5]).retransmitted().unwrap();
        assert_eq!((number, media.len()), (0x1234, 3));
        assert!(SealedPayload::seal(&out[..2]).retransmitted().is_none());
        assert!(SealedPayload::seal(&[]).retransmitted().is_none());
        for room in 0..5 {
            let refused = payload.copy_as_retransmission(1, &DescriptorRewrite::Keep, &mut out[..room]);
            assert_eq!(refused, Err(DescriptorError::BufferTooSmall));
        }
    }

    #[test]
    fn too_small_output_is_refused() {
        let payload = SealedPayload::seal(b"abc");
        assert_eq!(
            payload.copy_to_wire(&DescriptorRewrite::Keep, &mut [0; 2]),
            Err(DescriptorError::BufferTooSmall)
        );
        let mut out = [0; 4];
        assert_eq!(payload.copy_to_wire(&DescriptorRewrite::Keep, &mut out), Ok(3));
        assert_eq!(&out, b"abc\0");
    }
}
