//! The VP8 payload descriptor.

use super::{PictureId, rewrite::Layout};
use crate::{bytes::Reader, error::DescriptorError};

/// What stands before VP8 media in every packet.
///
/// Source: RFC 7741 section 4.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Vp8Descriptor {
    /// `N`: no other frame refers to this one, so it may be dropped.
    pub non_reference: bool,
    /// `S`: the packet starts a partition.
    pub start_of_partition: bool,
    /// `PID`: the partition, 0 to 7.
    pub partition: u8,
    /// The frame's running number.
    pub picture_id: Option<PictureId>,
    /// `TL0PICIDX`: the running number of the frames of temporal layer 0.
    pub tl0_picture_index: Option<u8>,
    /// `TID`: the temporal layer, 0 to 3.
    pub temporal_layer: Option<u8>,
    /// `Y`: the frame depends on temporal layer 0 alone; false where there is no `TID`.
    pub layer_sync: bool,
    /// `KEYIDX`: the running number of key frames, 0 to 31.
    pub key_index: Option<u8>,
    /// The packet is the first of a key frame: it starts partition 0, and the
    /// P bit of the first media byte is 0 (RFC 7741 section 4.3). With sealed
    /// media that byte is the synthetic one that the sender's page put there.
    pub key_frame: bool,
}

impl Vp8Descriptor {
    /// Whether the packet is the first of a frame, key or not.
    pub fn starts_frame(&self) -> bool {
        self.start_of_partition && self.partition == 0
    }

    pub(super) fn parse(payload: &[u8]) -> Result<(Self, Layout), DescriptorError> {
        Self::read(payload).ok_or(DescriptorError::Truncated)
    }

    fn read(payload: &[u8]) -> Option<(Self, Layout)> {
        let mut reader = Reader::new(payload);
        let mut layout = Layout::default();
        let first = reader.u8()?;
        let has = if first & 0x80 != 0 {
            Present(reader.u8()?)
        } else {
            Present(0)
        };
        let position = |reader: &Reader<'_>| payload.len() - reader.len();

        let mut picture_id = None;
        if has.picture_id() {
            let start = position(&reader);
            picture_id = Some(PictureId::read(&mut reader)?);
            layout.picture_id = Some(start..position(&reader));
        }
        let mut tl0_picture_index = None;
        if has.tl0_picture_index() {
            layout.tl0_picture_index = Some(position(&reader));
            tl0_picture_index = Some(reader.u8()?);
        }
        let (mut temporal_layer, mut layer_sync, mut key_index) = (None, false, None);
        if has.temporal_layer() || has.key_index() {
            let offset = position(&reader);
            let byte = reader.u8()?;
            if has.temporal_layer() {
                temporal_layer = Some(byte >> 6);
                layer_sync = byte & 0x20 != 0;
            }
            if has.key_index() {
                layout.key_index = Some(offset);
                key_index = Some(byte & 0x1F);
            }
        }
        // Every packet carries at least one byte of media; its first bit is P.
        let media = reader.u8()?;
        let (start_of_partition, partition) = (first & 0x10 != 0, first & 0x07);
        let descriptor = Self {
            non_reference: first & 0x20 != 0,
            start_of_partition,
            partition,
            picture_id,
            tl0_picture_index,
            temporal_layer,
            layer_sync,
            key_index,
            key_frame: start_of_partition && partition == 0 && media & 0x01 == 0,
        };
        Some((descriptor, layout))
    }
}

/// The second byte, which tells the optional fields: `|I|L|T|K| RSV |`.
#[derive(Clone, Copy)]
struct Present(u8);

impl Present {
    fn picture_id(self) -> bool {
        self.0 & 0x80 != 0
    }

    fn tl0_picture_index(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn temporal_layer(self) -> bool {
        self.0 & 0x20 != 0
    }

    fn key_index(self) -> bool {
        self.0 & 0x10 != 0
    }
}

#[cfg(test)]
mod tests;
