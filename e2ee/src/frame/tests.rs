use super::*;
use crate::identity::{Leaf, TrackNumber};
use crate::prefix::Layer;
use proptest::prelude::{any, prop, prop_assert_eq, prop_assume, proptest};

const VP8_KEY: &[u8] = &[
    0x50, 0x2f, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01, 0xaa, 0xbb,
];
const VP8_DELTA: &[u8] = &[0xd1, 0x01, 0x02, 0x03];

#[test]
fn frames_of_every_codec_open_to_what_was_sealed() {
    for (codec, plaintext, is_key_frame) in [
        (Codec::Opus, &b"twenty milliseconds"[..], true),
        (Codec::Vp8, VP8_KEY, true),
        (Codec::Vp8, VP8_DELTA, false),
        (Codec::Vp9, &[0x82, 0x49, 0x83, 0x42, 0x00], true),
        (Codec::Vp9, &[0x86, 0x00], false),
        (Codec::Av1, &[0x12, 0x00, 0x0a, 0x01, 0x00, 0x32, 0x00], true),
        (Codec::Av1, &[0x12, 0x00, 0x32, 0x00], false),
    ] {
        let (mut sealer, mut opener) = pair();
        let frame = seal(&mut sealer, codec, plaintext);
        let mut buffer = Vec::new();
        let opened = opener.open(codec, &frame, &mut buffer).unwrap();
        assert_eq!(opened.plaintext, plaintext);
        assert_eq!(opened.is_key_frame, is_key_frame, "{codec:?}");
        assert_eq!((opened.key_id, opened.counter), (key_id(), 0));
    }
}

#[test]
fn nothing_of_the_plaintext_is_on_the_wire() {
    let (mut sealer, _) = pair();
    let plaintext: Vec<u8> = [VP8_KEY, &[0x5a; 200]].concat();
    let frame = seal(&mut sealer, Codec::Vp8, &plaintext);
    assert_eq!(
        frame[..10],
        [0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]
    );
    assert!(!frame.windows(4).any(|window| window == [0x5a; 4]));
}

#[test]
fn frame_that_came_twice_is_a_duplicate_and_the_key_goes_on() {
    let (mut sealer, mut opener) = pair();
    let (first, second) = (
        seal(&mut sealer, Codec::Opus, b"one"),
        seal(&mut sealer, Codec::Opus, b"two"),
    );
    assert_eq!(open(&mut opener, Codec::Opus, &first), Ok(b"one".to_vec()));
    assert_eq!(open(&mut opener, Codec::Opus, &first), Err(OpenError::Duplicate));
    assert_eq!(open(&mut opener, Codec::Opus, &second), Ok(b"two".to_vec()));
}

#[test]
fn frame_behind_the_window_is_replayed() {
    let (mut sealer, mut opener) = pair();
    let first = seal(&mut sealer, Codec::Opus, b"first");
    for _ in 0..1_024 {
        let frame = seal(&mut sealer, Codec::Opus, b"later");
        open(&mut opener, Codec::Opus, &frame).unwrap();
    }
    assert_eq!(open(&mut opener, Codec::Opus, &first), Err(OpenError::Replayed));
}

#[test]
fn tampered_frame_uses_up_no_counter() {
    let (mut sealer, mut opener) = pair();
    let frame = seal(&mut sealer, Codec::Vp8, VP8_DELTA);
    for index in 0..frame.len() {
        let mut altered = frame.clone();
        altered[index] ^= 0x40;
        assert!(open(&mut opener, Codec::Vp8, &altered).is_err(), "byte {index}");
    }
    assert_eq!(open(&mut opener, Codec::Vp8, &frame), Ok(VP8_DELTA.to_vec()));
}

#[test]
fn prefix_of_another_frame_does_not_fit() {
    let (mut sealer, mut opener) = pair();
    let frame = seal(&mut sealer, Codec::Vp8, VP8_DELTA);
    let swapped = [Prefix::vp8_key(640, 480).as_bytes(), &frame[1..]].concat();
    assert_eq!(open(&mut opener, Codec::Vp8, &swapped), Err(OpenError::Tampered));
    assert_eq!(
        open(&mut opener, Codec::Vp9, &frame[1..]),
        Err(OpenError::Tampered)
    );
}

#[test]
fn av1_frame_opens_with_the_size_that_a_depacketizer_wrote() {
    let (mut sealer, mut opener) = pair();
    let plaintext = [0x12, 0x00, 0x32, 0x05, 1, 2, 3, 4, 5];
    let prefix = Prefix::av1(
        false,
        Layer {
            temporal: 1,
            spatial: 0,
        },
    );
    let mut frame = Vec::new();
    sealer.seal(&prefix, &plaintext, &mut frame).unwrap();
    let size = u8::try_from(frame.len() - 2).unwrap();
    let received = [&[frame[0] | 0x02, frame[1], size], &frame[2..]].concat();
    assert_eq!(open(&mut opener, Codec::Av1, &received), Ok(plaintext.to_vec()));
}

#[test]
fn frame_without_a_known_key_waits() {
    let (mut sealer, mut opener) = pair();
    let frame = seal(&mut sealer, Codec::Opus, b"one");
    opener.remove(|other| other == key_id());
    assert_eq!(
        open(&mut opener, Codec::Opus, &frame),
        Err(OpenError::WaitingForKey)
    );
    let foreign = [Header::encode(1 << 24, 0), vec![0; 20]].concat();
    assert_eq!(
        open(&mut opener, Codec::Opus, &foreign),
        Err(OpenError::WaitingForKey)
    );
}

#[test]
fn empty_cut_and_endless_frames_are_refused() {
    let (mut sealer, mut opener) = pair();
    assert_eq!(open(&mut opener, Codec::Opus, &[]), Err(OpenError::Empty));
    assert_eq!(
        open(&mut opener, Codec::Opus, &[0; 16]),
        Err(OpenError::Malformed)
    );
    assert_eq!(
        open(&mut opener, Codec::Opus, &vec![0; FRAME_BYTES_MAX + 1]),
        Err(OpenError::Malformed)
    );
    let mut frame = Vec::new();
    assert_eq!(
        sealer.seal(&Prefix::NONE, &[], &mut frame),
        Err(SealError::Length)
    );
}

#[test]
fn key_that_is_used_up_seals_no_more() {
    let (mut sealer, _) = pair();
    sealer.sealed = FRAMES_PER_KEY_MAX - 1;
    let mut frame = Vec::new();
    assert_eq!(sealer.seal(&Prefix::NONE, b"last", &mut frame), Ok(()));
    assert_eq!(
        sealer.seal(&Prefix::NONE, b"more", &mut frame),
        Err(SealError::Exhausted)
    );
}

#[test]
fn debug_output_hides_plaintext_and_keys() {
    let (mut sealer, mut opener) = pair();
    let frame = seal(&mut sealer, Codec::Opus, &[0xab; 9]);
    let mut buffer = Vec::new();
    let opened = opener.open(Codec::Opus, &frame, &mut buffer).unwrap();
    let shown = format!("{opened:?} {sealer:?} {opener:?}");
    assert!(shown.contains("length: 9") && !shown.contains("171"), "{shown}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_open(
        frame in prop::collection::vec(any::<u8>(), 0..64),
        codec in prop::sample::select(vec![Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::Av1]),
    ) {
        let (_, mut opener) = pair();
        prop_assume!(!frame.is_empty());
        prop_assert_eq!(open(&mut opener, codec, &frame).is_err(), true);
    }
}

fn key_id() -> KeyId {
    KeyId {
        leaf: Leaf::new(3).unwrap(),
        track: TrackNumber::new(1).unwrap(),
        epoch: 0,
    }
}

fn pair() -> (Sealer, Opener) {
    let base_key = BaseKey::new([3; 16]);
    let mut opener = Opener::default();
    opener.insert(&base_key, key_id()).unwrap();
    (Sealer::new(&base_key, key_id()).unwrap(), opener)
}

fn seal(sealer: &mut Sealer, codec: Codec, plaintext: &[u8]) -> Vec<u8> {
    let prefix = Prefix::of_frame(codec, plaintext, Layer::default()).unwrap();
    let mut frame = Vec::new();
    sealer.seal(&prefix, plaintext, &mut frame).unwrap();
    frame
}

fn open(opener: &mut Opener, codec: Codec, frame: &[u8]) -> Result<Vec<u8>, OpenError> {
    let mut buffer = Vec::new();
    opener
        .open(codec, frame, &mut buffer)
        .map(|opened| opened.plaintext.to_vec())
}
