use super::*;
use crate::secret::Link;
use rand_core::{CryptoRng, RngCore};

#[test]
fn announcement_survives_sealing() {
    let sealed = key().seal(&sample(), &mut Steady(1)).unwrap();
    let opened = key().open(&sealed, room(), seat(5)).unwrap();
    assert_eq!(opened.name, "Zoë 🎈");
    assert_eq!(opened.tracks, sample().tracks);
    assert_eq!(opened.salt.as_bytes(), &[4; 32]);
}

#[test]
fn name_is_nowhere_in_the_sealed_bytes() {
    let sealed = key().seal(&sample(), &mut Steady(1)).unwrap();
    assert!(!sealed.windows(3).any(|window| window == b"Zo\xc3"));
}

#[test]
fn other_secret_room_or_seat_and_every_altered_byte_is_refused() {
    let sealed = key().seal(&sample(), &mut Steady(1)).unwrap();
    let other = AnnouncementKey::new(&RoomSecret::from_link(&Link::new([9; 16])));
    assert_eq!(
        other.open(&sealed, room(), seat(5)).unwrap_err(),
        AnnouncementError::Unreadable
    );
    assert_eq!(
        key().open(&sealed, RoomId::new([8; 16]), seat(5)).unwrap_err(),
        AnnouncementError::OtherRoom
    );
    assert_eq!(
        key().open(&sealed, room(), seat(6)).unwrap_err(),
        AnnouncementError::OtherSeat
    );
    for index in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[index] ^= 1;
        assert_eq!(
            key().open(&altered, room(), seat(5)).unwrap_err(),
            AnnouncementError::Unreadable
        );
        assert_eq!(
            key().open(&sealed[..index], room(), seat(5)).unwrap_err(),
            AnnouncementError::Unreadable
        );
    }
    assert_eq!(
        key().open(&[0; 1_025], room(), seat(5)).unwrap_err(),
        AnnouncementError::Unreadable
    );
}

#[test]
fn names_that_deceive_or_overflow_are_refused_on_both_sides() {
    let long = "n".repeat(65);
    for name in [
        "a\u{202e}b",
        "a\u{2066}",
        "tab\t",
        "\u{7f}",
        "\u{85}",
        "\u{200f}",
        "line\u{2028}",
        long.as_str(),
    ] {
        let announcement = Announcement {
            name: name.to_owned(),
            ..sample()
        };
        assert_eq!(
            key().seal(&announcement, &mut Steady(1)).unwrap_err(),
            AnnouncementError::BadName
        );
        assert_eq!(
            open_text(&text_with(name, "[]")).unwrap_err(),
            AnnouncementError::BadName
        );
    }
    for name in ["", "n", "e\u{301}", "👩\u{200d}🚀", &"é".repeat(64)] {
        open_text(&text_with(name, "[]")).unwrap();
    }
}

#[test]
fn text_of_another_shape_is_malformed() {
    for text in [
        String::new(),
        "{}".to_owned(),
        text_with("n", "[]").replace("\"name\"", "\"nick\""),
        text_with("n", "[]").replace("{\"room\"", "{\"role\":1,\"room\""),
        text_with("n", "[]").replace("{\"room\"", "{\"seat\":5,\"room\""),
        text_with("n", "[]").replace("BAQ", "BA"),
        text_with("n", "[]").replace("\"seat\":5", "\"seat\":\"5\""),
        text_with("n", "[{\"number\":0,\"kind\":\"screen\"}]"),
        text_with("n", "[{\"number\":256,\"kind\":\"camera\"}]"),
        text_with("n", "[{\"number\":0,\"kind\":\"camera\",\"rid\":1}]"),
        text_with("n", "[]") + "x",
        text_with("n", "[]") + " ",
        text_with("n", "[[0,\"camera\"]]"),
    ] {
        assert_eq!(
            open_text(&text).unwrap_err(),
            AnnouncementError::Malformed,
            "{text}"
        );
    }
}

#[test]
fn track_numbers_that_repeat_or_overflow_are_refused() {
    let twice = "[{\"number\":1,\"kind\":\"camera\"},{\"number\":1,\"kind\":\"microphone\"}]";
    for tracks in [twice, "[{\"number\":64,\"kind\":\"camera\"}]"] {
        assert_eq!(
            open_text(&text_with("n", tracks)).unwrap_err(),
            AnnouncementError::BadTracks
        );
    }
}

#[test]
fn announcement_with_too_many_tracks_is_not_sealed() {
    let tracks = (0..64)
        .map(|number| Track {
            number: TrackNumber::new(number).unwrap(),
            kind: TrackKind::Camera,
        })
        .collect();
    let announcement = Announcement { tracks, ..sample() };
    assert_eq!(
        key().seal(&announcement, &mut Steady(1)).unwrap_err(),
        AnnouncementError::BadTracks
    );
}

#[test]
fn longest_name_with_the_usual_tracks_fits() {
    let announcement = Announcement {
        name: "🎈".repeat(64),
        ..sample()
    };
    assert!(key().seal(&announcement, &mut Steady(1)).unwrap().len() <= ANNOUNCEMENT_BYTES_MAX);
}

#[test]
fn debug_output_hides_the_name() {
    assert!(!format!("{:?} {:?}", sample(), key()).contains("Zo"));
}

fn sample() -> Announcement {
    Announcement {
        room: room(),
        seat: seat(5),
        salt: Salt::new([4; 32]),
        name: "Zoë 🎈".to_owned(),
        tracks: vec![
            Track {
                number: TrackNumber::new(0).unwrap(),
                kind: TrackKind::Microphone,
            },
            Track {
                number: TrackNumber::new(1).unwrap(),
                kind: TrackKind::Camera,
            },
        ],
    }
}

fn room() -> RoomId {
    RoomId::new([2; 16])
}

fn seat(number: u16) -> Seat {
    Seat::new(number).unwrap()
}

fn key() -> AnnouncementKey {
    AnnouncementKey::new(&RoomSecret::from_link(&Link::new([1; 16])))
}

fn text_with(name: &str, tracks: &str) -> String {
    let name = serde_json::to_string(name).unwrap();
    let salt = URL_SAFE_NO_PAD.encode([4; 32]);
    let room = room().to_text();
    format!("{{\"room\":\"{room}\",\"seat\":5,\"salt\":\"{salt}\",\"name\":{name},\"tracks\":{tracks}}}")
}

/// Seals any text as an announcement, as a malicious holder of the link could.
fn open_text(text: &str) -> Result<Announcement, AnnouncementError> {
    let mut sealed = text.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([7; NONCE_LEN]);
    key()
        .0
        .seal_in_place_append_tag(nonce, Aad::from(ASSOCIATED_DATA), &mut sealed)
        .unwrap();
    key().open(&[&[7; NONCE_LEN], sealed.as_slice()].concat(), room(), seat(5))
}

/// Gives the same byte again and again.
struct Steady(u8);

impl RngCore for Steady {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes([self.0; 4])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes([self.0; 8])
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

impl CryptoRng for Steady {}
