//! Rewriting descriptors: by hand, and the properties that hold for any payload.

use proptest::prelude::*;

use super::*;
use crate::{
    descriptor::{Codec, Descriptor},
    testing::config,
};

#[test]
fn vp8_fields_are_replaced_and_their_neighbours_kept() {
    let payload = [0xFB, 0xFF, 0x92, 0x34, 0x56, 0xBF, 0x11, 0x99];
    let rewrite = DescriptorRewrite::Vp8(Vp8Rewrite {
        picture_id: Some(PictureId::fifteen(0x7FFF)),
        tl0_picture_index: Some(1),
        key_index: Some(0xE2),
    });
    assert_eq!(
        copy(&rewrite, &payload),
        Ok(vec![0xFB, 0xFF, 0xFF, 0xFF, 1, 0xA2, 0x11, 0x99])
    );
}

#[test]
fn picture_id_grows_and_shrinks() {
    let narrow = [0x90, 0xC0, 0x11, 0x56, 0x11];
    let wide = [0x90, 0xC0, 0x81, 0x01, 0x57, 0x11];
    let rewrite = |picture_id, tl0_picture_index| {
        DescriptorRewrite::Vp8(Vp8Rewrite {
            picture_id: Some(picture_id),
            tl0_picture_index: Some(tl0_picture_index),
            key_index: Some(9),
        })
    };
    assert_eq!(
        copy(&rewrite(PictureId::fifteen(0x101), 0x57), &narrow),
        Ok(wide.to_vec())
    );
    assert_eq!(
        copy(&rewrite(PictureId::seven(0x11), 0x56), &wide),
        Ok(narrow.to_vec())
    );
}

#[test]
fn vp9_fields_are_replaced() {
    let payload = [0b1010_1000, 0x81, 0x02, 0x20, 0x07, 0xA5];
    let rewrite = DescriptorRewrite::Vp9(Vp9Rewrite {
        picture_id: Some(PictureId::fifteen(0x0304)),
        tl0_picture_index: Some(0xFF),
    });
    assert_eq!(
        copy(&rewrite, &payload),
        Ok(vec![0b1010_1000, 0x83, 0x04, 0x20, 0xFF, 0xA5])
    );
}

#[test]
fn fields_that_are_not_there_stay_away() {
    let rewrite = DescriptorRewrite::Vp8(Vp8Rewrite {
        picture_id: Some(PictureId::fifteen(1)),
        tl0_picture_index: Some(2),
        key_index: Some(3),
    });
    assert_eq!(copy(&rewrite, &[0x10, 0x10, 0xAA]), Ok(vec![0x10, 0x10, 0xAA]));
}

#[test]
fn payload_that_ends_in_its_descriptor_is_not_copied() {
    let rewrite = DescriptorRewrite::Vp8(Vp8Rewrite::default());
    assert_eq!(copy(&rewrite, &[0x90, 0x80]), Err(DescriptorError::Truncated));
    let rewrite = DescriptorRewrite::Vp9(Vp9Rewrite::default());
    assert_eq!(copy(&rewrite, &[]), Err(DescriptorError::Truncated));
}

#[test]
fn output_must_hold_the_grown_payload() {
    let picture_id = Some(PictureId::fifteen(1));
    let rewrite = DescriptorRewrite::Vp8(Vp8Rewrite {
        picture_id,
        ..Vp8Rewrite::default()
    });
    let payload = [0x90, 0x80, 0x11, 0x11];
    assert_eq!(
        rewrite.copy(&payload, &mut [0; 4]),
        Err(DescriptorError::BufferTooSmall)
    );
    assert_eq!(rewrite.copy(&payload, &mut [0; 5]), Ok(5));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn vp8_rewrite_changes_what_it_names_alone(payload in payloads(), rewrite in vp8_rewrites()) {
        let Ok(Descriptor::Vp8(before)) = Descriptor::parse(Codec::Vp8, &payload) else { return Ok(()) };
        let out = copy(&DescriptorRewrite::Vp8(rewrite), &payload).unwrap();
        let Ok(Descriptor::Vp8(after)) = Descriptor::parse(Codec::Vp8, &out) else { panic!("unreadable") };
        let mut expected = before;
        expected.picture_id = before.picture_id.map(|id| rewrite.picture_id.unwrap_or(id));
        expected.tl0_picture_index =
            before.tl0_picture_index.map(|index| rewrite.tl0_picture_index.unwrap_or(index));
        expected.key_index = before.key_index.map(|index| rewrite.key_index.unwrap_or(index) & 0x1F);
        prop_assert_eq!(after, expected);
        prop_assert!(out.len() <= payload.len() + DESCRIPTOR_GROWTH_MAX);
        prop_assert_eq!(out.last(), payload.last());
        // Putting the old values back gives the old bytes, reserved bits included.
        let back = Vp8Rewrite {
            picture_id: before.picture_id,
            tl0_picture_index: before.tl0_picture_index,
            key_index: before.key_index,
        };
        prop_assert_eq!(copy(&DescriptorRewrite::Vp8(back), &out), Ok(payload));
    }

    #[test]
    fn vp9_rewrite_changes_what_it_names_alone(payload in payloads(), id in picture_ids(), tl0: Option<u8>) {
        let Ok(Descriptor::Vp9(before)) = Descriptor::parse(Codec::Vp9, &payload) else { return Ok(()) };
        let rewrite = Vp9Rewrite { picture_id: Some(id), tl0_picture_index: tl0 };
        let out = copy(&DescriptorRewrite::Vp9(rewrite), &payload).unwrap();
        let Ok(Descriptor::Vp9(after)) = Descriptor::parse(Codec::Vp9, &out) else { panic!("unreadable") };
        let mut expected = before;
        expected.picture_id = before.picture_id.map(|_| id);
        if let Some(layer) = &mut expected.layer {
            layer.tl0_picture_index = layer.tl0_picture_index.map(|index| tl0.unwrap_or(index));
        }
        prop_assert_eq!(after, expected);
        let back = Vp9Rewrite {
            picture_id: before.picture_id,
            tl0_picture_index: before.layer.and_then(|layer| layer.tl0_picture_index),
        };
        prop_assert_eq!(copy(&DescriptorRewrite::Vp9(back), &out), Ok(payload));
    }

    #[test]
    fn picture_ids_are_extended_across_widths(latest in 1_u64 << 15..1 << 40, step in 0_u64..64) {
        let next = latest + step;
        prop_assert_eq!(PictureId::seven(next as u16).extend(latest), next);
        prop_assert_eq!(PictureId::fifteen(next as u16).extend(latest), next);
    }
}

fn copy(rewrite: &DescriptorRewrite, payload: &[u8]) -> Result<Vec<u8>, DescriptorError> {
    let mut out = vec![0xEE; payload.len() + DESCRIPTOR_GROWTH_MAX];
    let len = rewrite.copy(payload, &mut out)?;
    assert!(out[len..].iter().all(|&byte| byte == 0xEE));
    out.truncate(len);
    Ok(out)
}

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..24)
}

fn picture_ids() -> impl Strategy<Value = PictureId> {
    prop_oneof![
        any::<u16>().prop_map(PictureId::seven),
        any::<u16>().prop_map(PictureId::fifteen)
    ]
}

fn vp8_rewrites() -> impl Strategy<Value = Vp8Rewrite> {
    (
        proptest::option::of(picture_ids()),
        any::<Option<u8>>(),
        any::<Option<u8>>(),
    )
        .prop_map(|(picture_id, tl0_picture_index, key_index)| Vp8Rewrite {
            picture_id,
            tl0_picture_index,
            key_index,
        })
}
