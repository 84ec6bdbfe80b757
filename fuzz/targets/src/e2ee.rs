//! End-to-end encryption: nothing panics, what is read can be written again, and nothing opens that was
//! not sealed.

use e2ee::app::App;
use e2ee::codec::{Codec, vp8_dimensions};
use e2ee::frame::{OpenError, Opener};
use e2ee::header::Header;
use e2ee::identity::{Leaf, TrackNumber};
use e2ee::key_id::KeyId;
use e2ee::prefix::Prefix;
use e2ee::profile::Profile;
use e2ee::secret::BaseKey;
use mls::LeafSigner;

// The key is that of `e2ee/vectors/frames.json`, so that its frames are inputs that open.
const BASE_KEY: [u8; 16] = 0xdd57_d0bf_889a_8f82_7bca_e29a_1aca_a044_u128.to_be_bytes();
const LEAF: u16 = 3;
const TRACK: u8 = 1;
/// How many frames were ever sealed under the key above.
const FRAMES_SEALED: u64 = 9;

/// The input is a byte that chooses the codec, then a frame as it arrives.
pub fn sframe_header(data: &[u8]) {
    let Some((&choice, frame)) = data.split_first() else {
        return;
    };
    let codec = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::Av1][usize::from(choice % 4)];
    assert!(vp8_dimensions(frame).is_none() || Codec::Vp8.is_key_frame(frame));
    codec.is_key_frame(frame);
    if let Some((prefix, sealed)) = Prefix::split(codec, frame) {
        let again = [prefix.as_bytes(), sealed].concat();
        assert_eq!(Prefix::split(codec, &again), Some((prefix, sealed)));
        header(sealed);
    }
    header(frame);
    open(codec, frame);
}

fn header(bytes: &[u8]) {
    let Some(header) = Header::parse(bytes) else {
        return;
    };
    assert_eq!(
        Header::encode(header.key_id, header.counter),
        bytes[..header.length]
    );
    if let Some(key_id) = KeyId::from_number(header.key_id) {
        assert_eq!(key_id.number(), header.key_id);
    }
}

fn open(codec: Codec, frame: &[u8]) {
    let key_id = KeyId {
        leaf: Leaf::new(LEAF).expect("a leaf"),
        track: TrackNumber::new(TRACK).expect("a track number"),
        epoch: 0,
    };
    let mut opener = Opener::default();
    opener
        .insert(&BaseKey::new(BASE_KEY), key_id)
        .expect("every base key makes a key");
    let mut buffer = Vec::new();
    let opened = opener
        .open(codec, frame, &mut buffer)
        .map(|opened| opened.counter);
    if let Ok(counter) = opened {
        assert!(counter < FRAMES_SEALED, "a frame opened that nobody sealed");
        assert_eq!(opener.open(codec, frame, &mut buffer), Err(OpenError::Duplicate));
    }
}

/// The input is a signed announcement as any member may hand it on: who made it is checked last.
pub fn profile(data: &[u8]) {
    let signer = LeafSigner::new(&[1; 32]);
    let _ = Profile::claimed_member(data);
    if let Ok(profile) = Profile::open(data, &[9; 16], &signer.public()) {
        let again = profile
            .sign(&[9; 16], &signer)
            .expect("what was read can be signed");
        assert_eq!(again, data);
    }
}

/// The input is an application message after it was opened: any member can write it.
pub fn app(data: &[u8]) {
    if let Some(app) = App::decode(data) {
        assert_eq!(app.encode(), data);
    }
}
