//! A participant's name, tracks and salt, sealed under the room's secret.
//!
//! `nonce (12) ‖ AES-256-GCM(JSON)`. The server relays it unread, so it knows no name.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identity::{RoomId, Seat, TrackNumber};
use crate::limits::{ANNOUNCEMENT_BYTES_MAX, NAME_CHARS_MAX};
use crate::secret::{RoomSecret, Salt};

const ASSOCIATED_DATA: &[u8] = b"undertone announcement";
const TAG_LENGTH: usize = 16;

/// What a track shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Audio of the participant.
    Microphone,
    /// Video of the participant.
    Camera,
}

/// One track of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track {
    /// Its number in the key ids.
    pub number: TrackNumber,
    /// What it shows.
    pub kind: TrackKind,
}

/// What a participant says of itself.
#[derive(Clone)]
pub struct Announcement {
    /// The room it is for.
    pub room: RoomId,
    /// The place of the participant.
    pub seat: Seat,
    /// What its base key is derived from.
    pub salt: Salt,
    /// At most 64 characters, none of them a control or bidi control.
    pub name: String,
    /// Each number once.
    pub tracks: Vec<Track>,
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Announcement")
            .field("seat", &self.seat)
            .finish_non_exhaustive()
    }
}

/// Why an announcement was not sealed or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum AnnouncementError {
    /// Sealed under another secret, altered, or too long.
    #[error("the announcement does not open with this room's secret")]
    Unreadable,
    /// It opened, and what is inside cannot be read.
    #[error("the announcement cannot be understood")]
    Malformed,
    /// It was made for another room.
    #[error("the announcement is for another room")]
    OtherRoom,
    /// It was made by a participant at another seat.
    #[error("the announcement is of another seat")]
    OtherSeat,
    /// The name is too long or has control characters.
    #[error("the name is not one that can be shown")]
    BadName,
    /// A track number is too high or comes twice.
    #[error("the track numbers are not valid")]
    BadTracks,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    room: String,
    seat: u16,
    salt: String,
    name: String,
    tracks: Vec<PlainTrack>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainTrack {
    number: u8,
    kind: TrackKind,
}

/// Seals and opens the announcements of one room.
pub struct AnnouncementKey(LessSafeKey);

impl std::fmt::Debug for AnnouncementKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AnnouncementKey(hidden)")
    }
}

impl AnnouncementKey {
    /// Derives the key from the room's secret.
    pub fn new(secret: &RoomSecret) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret.announcement_key().as_slice())
            .expect("the key has the 32 bytes that AES-256 takes");
        Self(LessSafeKey::new(key))
    }

    /// Seals an announcement. It fails when the name or the tracks would be
    /// refused by those who open it, or when it gets longer than 1,024 bytes
    /// (`BadTracks`: only their number can do that).
    pub fn seal(
        &self,
        announcement: &Announcement,
        random: &mut impl rand_core::CryptoRng,
    ) -> Result<Vec<u8>, AnnouncementError> {
        let mut text = announcement.to_text()?;
        let mut nonce = [0; NONCE_LEN];
        random.fill_bytes(&mut nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(ASSOCIATED_DATA),
                &mut text,
            )
            .map_err(|_| AnnouncementError::Malformed)?;
        Ok([&nonce, text.as_slice(), tag.as_ref()].concat())
    }

    /// Opens what the server relayed as the announcement of `seat` in `room`.
    pub fn open(&self, sealed: &[u8], room: RoomId, seat: Seat) -> Result<Announcement, AnnouncementError> {
        if sealed.len() > ANNOUNCEMENT_BYTES_MAX {
            return Err(AnnouncementError::Unreadable);
        }
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(AnnouncementError::Unreadable)?;
        let mut text = Zeroizing::new(ciphertext.to_vec());
        let text = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(ASSOCIATED_DATA),
                &mut text,
            )
            .map_err(|_| AnnouncementError::Unreadable)?;
        Announcement::from_text(text, room, seat)
    }
}

impl Announcement {
    /// The JSON text that is sealed. One announcement has one text, so every
    /// implementation reads the same.
    pub fn to_text(&self) -> Result<Zeroizing<Vec<u8>>, AnnouncementError> {
        check_name(&self.name)?;
        check_tracks(&self.tracks)?;
        let plain = Plain {
            room: self.room.to_text(),
            seat: self.seat.number(),
            salt: URL_SAFE_NO_PAD.encode(self.salt.as_bytes()),
            name: self.name.clone(),
            tracks: self
                .tracks
                .iter()
                .map(|track| PlainTrack {
                    number: track.number.number(),
                    kind: track.kind,
                })
                .collect(),
        };
        let text = plain.to_text()?;
        if NONCE_LEN + text.len() + TAG_LENGTH > ANNOUNCEMENT_BYTES_MAX {
            return Err(AnnouncementError::BadTracks);
        }
        Ok(text)
    }

    /// Reads an opened text as the announcement of `seat` in `room`.
    pub fn from_text(text: &[u8], room: RoomId, seat: Seat) -> Result<Self, AnnouncementError> {
        let plain: Plain = serde_json::from_slice(text).map_err(|_| AnnouncementError::Malformed)?;
        if plain.to_text()?.as_slice() != text {
            return Err(AnnouncementError::Malformed);
        }
        accept(plain, room, seat)
    }
}

impl Plain {
    fn to_text(&self) -> Result<Zeroizing<Vec<u8>>, AnnouncementError> {
        serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(|_| AnnouncementError::Malformed)
    }
}

fn accept(plain: Plain, room: RoomId, seat: Seat) -> Result<Announcement, AnnouncementError> {
    if RoomId::parse(&plain.room).ok_or(AnnouncementError::Malformed)? != room {
        return Err(AnnouncementError::OtherRoom);
    }
    if plain.seat != seat.number() {
        return Err(AnnouncementError::OtherSeat);
    }
    let mut salt = Zeroizing::new([0; Salt::LENGTH]);
    let length = URL_SAFE_NO_PAD
        .decode_slice(&plain.salt, salt.as_mut_slice())
        .map_err(|_| AnnouncementError::Malformed)?;
    if length != Salt::LENGTH {
        return Err(AnnouncementError::Malformed);
    }
    check_name(&plain.name)?;
    let tracks = plain
        .tracks
        .into_iter()
        .map(|track| {
            let number = TrackNumber::new(track.number).ok_or(AnnouncementError::BadTracks)?;
            Ok(Track {
                number,
                kind: track.kind,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    check_tracks(&tracks)?;
    Ok(Announcement {
        room,
        seat,
        salt: Salt::new(*salt),
        name: plain.name,
        tracks,
    })
}

fn check_name(name: &str) -> Result<(), AnnouncementError> {
    let shown = name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(is_hidden);
    if shown {
        Ok(())
    } else {
        Err(AnnouncementError::BadName)
    }
}

/// Controls, line and paragraph separators, and the characters that turn the
/// direction of text and so make one name look like another (Unicode Standard Annex 9).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

fn check_tracks(tracks: &[Track]) -> Result<(), AnnouncementError> {
    for (index, track) in tracks.iter().enumerate() {
        if tracks[..index]
            .iter()
            .any(|earlier| earlier.number == track.number)
        {
            return Err(AnnouncementError::BadTracks);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
