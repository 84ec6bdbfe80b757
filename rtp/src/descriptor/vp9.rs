//! The VP9 payload descriptor.

use super::{PictureId, rewrite::Layout};
use crate::{bytes::Reader, error::DescriptorError};

/// What stands before VP9 media in every packet.
///
/// Source: RFC 9628 section 4.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp9Descriptor {
    /// `I`: the picture's running number, the same on all its spatial layers.
    pub picture_id: Option<PictureId>,
    /// `P`: the frame depends on an earlier picture.
    pub inter_picture_predicted: bool,
    /// `F`: references are told explicitly, frame by frame.
    pub flexible_mode: bool,
    /// `B`: the packet starts a frame (one spatial layer of a picture).
    pub start_of_frame: bool,
    /// `E`: the packet ends a frame.
    pub end_of_frame: bool,
    /// `Z`: no frame of a higher spatial layer of this picture depends on this one.
    pub not_reference_for_upper_spatial_layers: bool,
    /// `L`: where in the layer structure the frame stands.
    pub layer: Option<Vp9Layer>,
    /// How many earlier pictures the frame names as references, 0 to 3 (flexible mode).
    pub reference_count: u8,
    /// `V`: how many spatial layers the stream has, 1 to 8, on packets that
    /// carry a scalability structure.
    pub spatial_layer_count: Option<u8>,
}

/// The place of a VP9 frame in the layer structure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp9Layer {
    /// `TID`: temporal layer, 0 to 7.
    pub temporal: u8,
    /// `U`: from this frame on a receiver may switch up to this temporal layer.
    pub switching_up_point: bool,
    /// `SID`: spatial layer, 0 to 7.
    pub spatial: u8,
    /// `D`: the frame depends on the next lower spatial layer of its picture.
    pub inter_layer_dependent: bool,
    /// `TL0PICIDX`: running number of the pictures of temporal layer 0; not in flexible mode.
    pub tl0_picture_index: Option<u8>,
}

impl Vp9Descriptor {
    /// Whether the packet is the first of a key picture: the start of a frame
    /// that depends on no earlier picture, in the lowest spatial layer.
    pub fn starts_key_frame(&self) -> bool {
        self.start_of_frame
            && !self.inter_picture_predicted
            && self
                .layer
                .is_none_or(|layer| layer.spatial == 0 && !layer.inter_layer_dependent)
    }

    pub(super) fn parse(payload: &[u8]) -> Result<(Self, Layout), DescriptorError> {
        let mut reader = Reader::new(payload);
        let (descriptor, layout) =
            Self::read(payload.len(), &mut reader).ok_or(DescriptorError::Truncated)??;
        // Every packet carries at least one byte of media.
        if reader.len() == 0 {
            return Err(DescriptorError::Truncated);
        }
        Ok((descriptor, layout))
    }

    /// Nothing when the payload ends too early.
    fn read(len: usize, reader: &mut Reader<'_>) -> Option<Result<(Self, Layout), DescriptorError>> {
        let mut layout = Layout::default();
        let flags = Flags(reader.u8()?);
        let mut picture_id = None;
        if flags.picture_id() {
            let start = len - reader.len();
            picture_id = Some(PictureId::read(reader)?);
            layout.picture_id = Some(start..len - reader.len());
        }
        let mut layer = None;
        if flags.layer() {
            let mut read = Vp9Layer::read(reader.u8()?);
            if !flags.flexible_mode() {
                layout.tl0_picture_index = Some(len - reader.len());
                read.tl0_picture_index = Some(reader.u8()?);
            }
            layer = Some(read);
        }
        let mut reference_count = 0;
        if flags.flexible_mode() && flags.inter_picture_predicted() {
            // References are differences of picture ids, so there must be one (RFC 9628 section 4.2).
            if !flags.picture_id() {
                return Some(Err(DescriptorError::Malformed));
            }
            loop {
                let more = reader.u8()? & 0x01 != 0;
                reference_count += 1;
                if !more {
                    break;
                }
                if reference_count == REFERENCES_MAX {
                    return Some(Err(DescriptorError::Malformed));
                }
            }
        }
        let spatial_layer_count = if flags.scalability_structure() {
            Some(read_scalability_structure(reader)?)
        } else {
            None
        };
        let descriptor = Self {
            picture_id,
            inter_picture_predicted: flags.inter_picture_predicted(),
            flexible_mode: flags.flexible_mode(),
            start_of_frame: flags.start_of_frame(),
            end_of_frame: flags.end_of_frame(),
            not_reference_for_upper_spatial_layers: flags.not_reference_for_upper(),
            layer,
            reference_count,
            spatial_layer_count,
        };
        Some(Ok((descriptor, layout)))
    }
}

impl Vp9Layer {
    /// `| TID |U| SID |D|`
    fn read(byte: u8) -> Self {
        Self {
            temporal: byte >> 5,
            switching_up_point: byte & 0x10 != 0,
            spatial: byte >> 1 & 0x07,
            inter_layer_dependent: byte & 0x01 != 0,
            tl0_picture_index: None,
        }
    }
}

/// The most references that one frame can name (RFC 9628 section 4.2).
const REFERENCES_MAX: u8 = 3;

/// Steps over a scalability structure and returns its number of spatial layers.
///
/// Source: RFC 9628 section 4.2.1.
fn read_scalability_structure(reader: &mut Reader<'_>) -> Option<u8> {
    let first = reader.u8()?;
    let spatial_layer_count = (first >> 5) + 1;
    let (has_sizes, has_pictures) = (first & 0x10 != 0, first & 0x08 != 0);
    if has_sizes {
        reader.take(usize::from(spatial_layer_count) * 4)?;
    }
    if has_pictures {
        // At most 255 pictures of at most 3 references each.
        for _ in 0..reader.u8()? {
            let picture = reader.u8()?;
            reader.take(usize::from(picture >> 2 & 0x03))?;
        }
    }
    Some(spatial_layer_count)
}

/// The first byte: `|I|P|L|F|B|E|V|Z|`.
#[derive(Clone, Copy)]
struct Flags(u8);

impl Flags {
    fn picture_id(self) -> bool {
        self.0 & 0x80 != 0
    }

    fn inter_picture_predicted(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn layer(self) -> bool {
        self.0 & 0x20 != 0
    }

    fn flexible_mode(self) -> bool {
        self.0 & 0x10 != 0
    }

    fn start_of_frame(self) -> bool {
        self.0 & 0x08 != 0
    }

    fn end_of_frame(self) -> bool {
        self.0 & 0x04 != 0
    }

    fn scalability_structure(self) -> bool {
        self.0 & 0x02 != 0
    }

    fn not_reference_for_upper(self) -> bool {
        self.0 & 0x01 != 0
    }
}

#[cfg(test)]
mod tests;
