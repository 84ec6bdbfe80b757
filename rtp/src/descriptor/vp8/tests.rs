//! VP8 descriptors by hand after RFC 7741 sections 4.2 and 4.6.

use super::*;
use crate::descriptor::PictureIdWidth;

/// The first media byte of a key frame and of another frame, as the sender's page puts them.
const KEY: u8 = 0x10;
const DELTA: u8 = 0x11;

#[test]
fn one_byte_descriptor_is_read() {
    let (descriptor, layout) = Vp8Descriptor::parse(&[0x10, KEY]).unwrap();
    let expected = Vp8Descriptor {
        non_reference: false,
        start_of_partition: true,
        partition: 0,
        picture_id: None,
        tl0_picture_index: None,
        temporal_layer: None,
        layer_sync: false,
        key_index: None,
        key_frame: true,
    };
    assert_eq!(descriptor, expected);
    assert!(descriptor.starts_frame());
    assert!(layout.picture_id.is_none() && layout.tl0_picture_index.is_none() && layout.key_index.is_none());
}

#[test]
fn full_descriptor_is_read() {
    let payload = [
        0xB3, // extended, non-reference, start of partition 3
        0xF0, // I, L, T, K
        0x92, 0x34, // 15-bit picture id 0x1234
        0x56, // TL0PICIDX
        0xBF, // TID 2, Y, KEYIDX 31
        DELTA,
    ];
    let (descriptor, layout) = Vp8Descriptor::parse(&payload).unwrap();
    assert!(descriptor.non_reference && descriptor.start_of_partition && descriptor.layer_sync);
    assert_eq!(descriptor.partition, 3);
    assert_eq!(descriptor.picture_id, Some(PictureId::fifteen(0x1234)));
    assert_eq!(descriptor.tl0_picture_index, Some(0x56));
    assert_eq!(
        (descriptor.temporal_layer, descriptor.key_index),
        (Some(2), Some(31))
    );
    assert_eq!(
        (layout.picture_id, layout.tl0_picture_index, layout.key_index),
        (Some(2..4), Some(4), Some(5))
    );
    assert!(!descriptor.starts_frame());
}

#[test]
fn seven_bit_picture_id_is_read() {
    let (descriptor, layout) = Vp8Descriptor::parse(&[0x90, 0x80, 0x11, DELTA]).unwrap();
    let picture_id = descriptor.picture_id.unwrap();
    assert_eq!(
        (picture_id.value(), picture_id.width()),
        (17, PictureIdWidth::Seven)
    );
    assert_eq!(layout.picture_id, Some(2..3));
    assert!(descriptor.starts_frame() && !descriptor.key_frame);
}

#[test]
fn temporal_layer_and_key_index_share_a_byte_and_need_not_both_be_there() {
    let (temporal, _) = Vp8Descriptor::parse(&[0x80, 0x20, 0x7F, DELTA]).unwrap();
    assert_eq!(
        (temporal.temporal_layer, temporal.layer_sync, temporal.key_index),
        (Some(1), true, None)
    );
    let (key_index, _) = Vp8Descriptor::parse(&[0x80, 0x10, 0xE3, DELTA]).unwrap();
    assert_eq!(
        (
            key_index.temporal_layer,
            key_index.layer_sync,
            key_index.key_index
        ),
        (None, false, Some(3))
    );
}

#[test]
fn key_frame_needs_the_start_of_partition_zero() {
    for (first, media, key_frame) in [
        (0x10, KEY, true),
        (0x10, DELTA, false),
        (0x00, KEY, false), // goes on with a partition
        (0x11, KEY, false), // starts partition 1
        (0x18, KEY, true),  // a reserved bit is ignored
    ] {
        let (descriptor, _) = Vp8Descriptor::parse(&[first, media]).unwrap();
        assert_eq!(descriptor.key_frame, key_frame, "{first:#04x} {media:#04x}");
    }
}

#[test]
fn descriptor_cut_anywhere_is_refused() {
    let payload = [0x90, 0xF0, 0x92, 0x34, 0x56, 0xBF, KEY];
    for len in 0..payload.len() {
        assert_eq!(
            Vp8Descriptor::parse(&payload[..len]).err(),
            Some(DescriptorError::Truncated),
            "{len} bytes"
        );
    }
    assert!(Vp8Descriptor::parse(&payload).unwrap().0.key_frame);
}
