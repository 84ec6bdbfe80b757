//! Copying a payload while fields of its descriptor change.

use core::ops::Range;

use super::{PictureId, Vp8Descriptor, Vp9Descriptor};
use crate::error::DescriptorError;

/// How many bytes a rewritten payload can be longer than it was: one, when a
/// picture id grows from 7 to 15 bits.
pub const DESCRIPTOR_GROWTH_MAX: usize = 1;

/// What to change in a descriptor. Fields that a payload does not carry stay away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DescriptorRewrite {
    /// Nothing: every byte is copied.
    #[default]
    Keep,
    /// The payload is VP8.
    Vp8(Vp8Rewrite),
    /// The payload is VP9.
    Vp9(Vp9Rewrite),
}

/// New values of fields in a VP8 descriptor; `None` keeps a field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Vp8Rewrite {
    /// The picture id, in the width that it shall have.
    pub picture_id: Option<PictureId>,
    /// `TL0PICIDX`.
    pub tl0_picture_index: Option<u8>,
    /// The low five bits are written to `KEYIDX`.
    pub key_index: Option<u8>,
}

/// New values of fields in a VP9 descriptor; `None` keeps a field.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Vp9Rewrite {
    /// The picture id, in the width that it shall have.
    pub picture_id: Option<PictureId>,
    /// `TL0PICIDX`.
    pub tl0_picture_index: Option<u8>,
}

impl DescriptorRewrite {
    pub(crate) fn copy(&self, payload: &[u8], out: &mut [u8]) -> Result<usize, DescriptorError> {
        match self {
            Self::Keep => Splice::default().copy(payload, out),
            Self::Vp8(rewrite) => {
                let (_, layout) = Vp8Descriptor::parse(payload)?;
                let patches = [
                    layout
                        .tl0_picture_index
                        .zip(rewrite.tl0_picture_index)
                        .map(Patch::whole_byte),
                    layout.key_index.zip(rewrite.key_index).map(Patch::low_five_bits),
                ];
                Splice {
                    picture_id: layout.picture_id.zip(rewrite.picture_id),
                    patches,
                }
                .copy(payload, out)
            }
            Self::Vp9(rewrite) => {
                let (_, layout) = Vp9Descriptor::parse(payload)?;
                let tl0_picture_index = layout
                    .tl0_picture_index
                    .zip(rewrite.tl0_picture_index)
                    .map(Patch::whole_byte);
                let patches = [tl0_picture_index, None];
                Splice {
                    picture_id: layout.picture_id.zip(rewrite.picture_id),
                    patches,
                }
                .copy(payload, out)
            }
        }
    }
}

/// Where in a payload the fields stand that a rewrite can replace.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) picture_id: Option<Range<usize>>,
    /// Offset of its byte; always after the picture id.
    pub(super) tl0_picture_index: Option<usize>,
    /// Offset of the byte whose low five bits it is; always after the picture id.
    pub(super) key_index: Option<usize>,
}

/// A copy with one field of another length and a few bytes after it changed.
#[derive(Default)]
struct Splice {
    picture_id: Option<(Range<usize>, PictureId)>,
    patches: [Option<Patch>; 2],
}

impl Splice {
    /// All offsets must lie within `payload`, as those of a parsed [`Layout`] do.
    fn copy(self, payload: &[u8], out: &mut [u8]) -> Result<usize, DescriptorError> {
        let (replaced, wire, wire_len) = match self.picture_id {
            Some((range, picture_id)) => {
                let (wire, wire_len) = picture_id.wire();
                (range, wire, wire_len)
            }
            None => (0..0, [0; 2], 0),
        };
        let len = payload.len() - replaced.len() + wire_len;
        let out = out.get_mut(..len).ok_or(DescriptorError::BufferTooSmall)?;
        let (head, tail) = out.split_at_mut(replaced.start);
        head.copy_from_slice(&payload[..replaced.start]);
        let (new, tail) = tail.split_at_mut(wire_len);
        new.copy_from_slice(&wire[..wire_len]);
        tail.copy_from_slice(&payload[replaced.end..]);
        for patch in self.patches.into_iter().flatten() {
            let byte = &mut tail[patch.offset - replaced.end];
            *byte = (*byte & !patch.mask) | (patch.value & patch.mask);
        }
        Ok(len)
    }
}

/// New bits for one byte behind the picture id.
struct Patch {
    offset: usize,
    mask: u8,
    value: u8,
}

impl Patch {
    fn whole_byte((offset, value): (usize, u8)) -> Self {
        Self {
            offset,
            mask: 0xFF,
            value,
        }
    }

    fn low_five_bits((offset, value): (usize, u8)) -> Self {
        Self {
            offset,
            mask: 0x1F,
            value,
        }
    }
}

#[cfg(test)]
mod tests;
