//! End-to-end encryption: nothing panics, what is read can be written again, and nothing opens that was
//! not sealed.

use e2ee::announcement::Announcement;
use e2ee::codec::{Codec, vp8_dimensions};
use e2ee::frame::{OpenError, Opener};
use e2ee::header::Header;
use e2ee::identity::{RoomId, Seat, TrackNumber};
use e2ee::interim::InterimKeys;
use e2ee::key_id::KeyId;
use e2ee::prefix::Prefix;
use e2ee::secret::{Link, RoomSecret, Salt};

// Link, room and salt are those of `e2ee/vectors/frames.json`, so that its frames are inputs that open.
const LINK: [u8; 16] = *b"a link of 16 B..";
const ROOM: [u8; 16] = *b"a room id, 16 B.";
const SALT: [u8; 32] = *b"a salt of thirty-two bytes......";
const SEAT: u16 = 3;
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
    let (seat, track) = (seat(), TrackNumber::new(TRACK).expect("a track number"));
    let mut keys = InterimKeys::new(RoomSecret::from_link(&Link::new(LINK)), RoomId::new(ROOM));
    keys.insert(seat, Salt::new(SALT));
    let mut opener = Opener::default();
    opener
        .insert(
            &keys,
            KeyId {
                seat,
                track,
                epoch: 0,
            },
        )
        .expect("the salt is known");
    let mut buffer = Vec::new();
    let opened = opener
        .open(codec, frame, &mut buffer)
        .map(|opened| opened.counter);
    if let Ok(counter) = opened {
        assert!(counter < FRAMES_SEALED, "a frame opened that nobody sealed");
        assert_eq!(opener.open(codec, frame, &mut buffer), Err(OpenError::Duplicate));
    }
}

/// The input is the text of an announcement after it was opened: any holder of the link can write it.
pub fn announcement(data: &[u8]) {
    if let Ok(announcement) = Announcement::from_text(data, RoomId::new(ROOM), seat()) {
        // Longer ones open nowhere, because the server relays none above 1,024 bytes.
        if data.len() <= 900 {
            assert_eq!(
                announcement
                    .to_text()
                    .expect("what was accepted can be written")
                    .as_slice(),
                data
            );
        }
    }
}

fn seat() -> Seat {
    Seat::new(SEAT).expect("a seat")
}
