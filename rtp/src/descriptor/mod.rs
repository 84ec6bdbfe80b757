//! What a codec's RTP payload descriptor says in clear about a frame.

mod av1;
mod picture_id;
mod rewrite;
mod vp8;
mod vp9;

pub use av1::Av1Descriptor;
pub use picture_id::{PictureId, PictureIdWidth};
pub use rewrite::{DESCRIPTOR_GROWTH_MAX, DescriptorRewrite, Vp8Rewrite, Vp9Rewrite};
pub use vp8::Vp8Descriptor;
pub use vp9::{Vp9Descriptor, Vp9Layer};

use crate::error::DescriptorError;

/// A codec that we forward.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Codec {
    /// Audio; its payload has no descriptor (RFC 7587).
    Opus,
    /// Video (RFC 7741).
    Vp8,
    /// Video (RFC 9628).
    Vp9,
    /// Video (RTP Payload Format For AV1, v1.0).
    Av1,
}

/// The descriptor of one payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Descriptor {
    /// Opus has none.
    Opus,
    /// See [`Vp8Descriptor`].
    Vp8(Vp8Descriptor),
    /// See [`Vp9Descriptor`].
    Vp9(Vp9Descriptor),
    /// See [`Av1Descriptor`].
    Av1(Av1Descriptor),
}

impl Descriptor {
    pub(crate) fn parse(codec: Codec, payload: &[u8]) -> Result<Self, DescriptorError> {
        match codec {
            Codec::Opus => Ok(Self::Opus),
            Codec::Vp8 => Vp8Descriptor::parse(payload).map(|(descriptor, _)| Self::Vp8(descriptor)),
            Codec::Vp9 => Vp9Descriptor::parse(payload).map(|(descriptor, _)| Self::Vp9(descriptor)),
            Codec::Av1 => Av1Descriptor::parse(payload).map(Self::Av1),
        }
    }

    /// Whether a decoder that has seen nothing yet can start with this packet:
    /// the first packet of a key frame. Every audio packet is one.
    pub fn starts_key_frame(&self) -> bool {
        match self {
            Self::Opus => true,
            Self::Vp8(vp8) => vp8.key_frame,
            Self::Vp9(vp9) => vp9.starts_key_frame(),
            Self::Av1(av1) => av1.new_coded_video_sequence,
        }
    }

    /// The temporal layer, 0 being the lowest, where the descriptor tells it.
    pub fn temporal_layer(&self) -> Option<u8> {
        match self {
            Self::Vp8(vp8) => vp8.temporal_layer,
            Self::Vp9(vp9) => vp9.layer.map(|layer| layer.temporal),
            Self::Opus | Self::Av1(_) => None,
        }
    }

    /// The spatial layer, 0 being the lowest, where the descriptor tells it.
    pub fn spatial_layer(&self) -> Option<u8> {
        match self {
            Self::Vp9(vp9) => vp9.layer.map(|layer| layer.spatial),
            Self::Opus | Self::Vp8(_) | Self::Av1(_) => None,
        }
    }

    /// The picture's running number, where the descriptor tells it.
    pub fn picture_id(&self) -> Option<PictureId> {
        match self {
            Self::Vp8(vp8) => vp8.picture_id,
            Self::Vp9(vp9) => vp9.picture_id,
            Self::Opus | Self::Av1(_) => None,
        }
    }
}
