//! VP9 descriptors by hand after RFC 9628 section 4.2.

use super::*;

const MEDIA: u8 = 0xA5;

#[test]
fn non_flexible_key_frame_with_scalability_structure_is_read() {
    let payload = [
        0b1010_1010, // I, L, B, V
        0x81,
        0x02,        // 15-bit picture id 0x0102
        0b0010_0000, // TID 1, SID 0
        0x07,        // TL0PICIDX
        0b0101_1000, // 3 spatial layers, sizes, pictures
        0x01,
        0x40,
        0x00,
        0xB4, // 320x180
        0x02,
        0x80,
        0x01,
        0x68, // 640x360
        0x05,
        0x00,
        0x02,
        0xD0,        // 1280x720
        2,           // two pictures
        0b0000_0100, // one reference
        1,
        0b0011_1000, // two references
        1,
        2,
        MEDIA,
    ];
    let (descriptor, layout) = Vp9Descriptor::parse(&payload).unwrap();
    assert_eq!(descriptor.picture_id, Some(PictureId::fifteen(0x0102)));
    let layer = descriptor.layer.unwrap();
    assert_eq!(
        (layer.temporal, layer.spatial, layer.tl0_picture_index),
        (1, 0, Some(7))
    );
    assert!(!layer.switching_up_point && !layer.inter_layer_dependent);
    assert_eq!(descriptor.spatial_layer_count, Some(3));
    assert!(descriptor.start_of_frame && !descriptor.end_of_frame);
    assert!(descriptor.starts_key_frame());
    assert_eq!(
        (layout.picture_id, layout.tl0_picture_index),
        (Some(1..3), Some(4))
    );
    for len in 0..payload.len() {
        assert_eq!(
            Vp9Descriptor::parse(&payload[..len]).err(),
            Some(DescriptorError::Truncated),
            "{len} bytes"
        );
    }
}

#[test]
fn flexible_mode_names_its_references() {
    let payload = [
        0b1111_1101, // I, P, L, F, B, E, Z
        0x05,        // 7-bit picture id
        0b1101_0101, // TID 6, U, SID 2, D
        0x03,        // reference 1 back, and another
        0x04,        // reference 2 back
        MEDIA,
    ];
    let (descriptor, layout) = Vp9Descriptor::parse(&payload).unwrap();
    assert!(descriptor.flexible_mode && descriptor.inter_picture_predicted);
    assert!(descriptor.end_of_frame && descriptor.not_reference_for_upper_spatial_layers);
    assert_eq!(descriptor.picture_id, Some(PictureId::seven(5)));
    assert_eq!(descriptor.reference_count, 2);
    let layer = descriptor.layer.unwrap();
    assert_eq!(
        (layer.temporal, layer.spatial, layer.tl0_picture_index),
        (6, 2, None)
    );
    assert!(layer.switching_up_point && layer.inter_layer_dependent);
    assert!(!descriptor.starts_key_frame());
    assert_eq!((layout.picture_id, layout.tl0_picture_index), (Some(1..2), None));
}

#[test]
fn references_have_a_bound_and_need_a_picture_id() {
    let three = [0b1101_0000, 0x05, 0x03, 0x03, 0x02, MEDIA];
    assert_eq!(Vp9Descriptor::parse(&three).unwrap().0.reference_count, 3);
    let four = [0b1101_0000, 0x05, 0x03, 0x03, 0x03, 0x02, MEDIA];
    assert_eq!(
        Vp9Descriptor::parse(&four).err(),
        Some(DescriptorError::Malformed)
    );
    let without_picture_id = [0b0101_0000, 0x02, MEDIA];
    assert_eq!(
        Vp9Descriptor::parse(&without_picture_id).err(),
        Some(DescriptorError::Malformed)
    );
}

#[test]
fn key_frame_is_the_start_of_the_lowest_layer_of_a_key_picture() {
    let starts = |payload: &[u8]| Vp9Descriptor::parse(payload).unwrap().0.starts_key_frame();
    assert!(starts(&[0b0000_1000, MEDIA]), "without layers");
    assert!(!starts(&[0b0000_0000, MEDIA]), "a later packet");
    assert!(!starts(&[0b0100_1000, MEDIA]), "a predicted frame");
    assert!(starts(&[0b0010_1000, 0b0000_0000, 0, MEDIA]), "the lowest layer");
    assert!(!starts(&[0b0010_1000, 0b0000_0011, 0, MEDIA]), "a higher layer");
    assert!(
        !starts(&[0b0010_1000, 0b0000_0010, 0, MEDIA]),
        "a higher layer that stands alone"
    );
    assert!(
        !starts(&[0b0010_1000, 0b0000_0001, 0, MEDIA]),
        "a lowest layer that leans on a lower one"
    );
}

#[test]
fn scalability_structure_may_be_as_long_as_it_says_and_no_longer() {
    let mut payload = vec![0b0000_0010, 0b0000_1000, 255];
    payload.extend([0b0000_1100, 1, 2, 3].repeat(255));
    assert_eq!(
        Vp9Descriptor::parse(&payload).err(),
        Some(DescriptorError::Truncated)
    );
    payload.push(MEDIA);
    assert_eq!(
        Vp9Descriptor::parse(&payload).unwrap().0.spatial_layer_count,
        Some(1)
    );
}
