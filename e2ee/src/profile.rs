//! What a member says of itself: name, tracks, and whether microphone and camera are on, signed with its leaf key.
//!
//! ```text
//! version u8 ‖ member (16) ‖ sequence u64 ‖ seat u16 ‖ state u8 ‖ name length u16 ‖ name ‖ tracks u8 ‖ (number u8 ‖ kind u8)…
//!   ‖ granted u8 ‖ grant (105, where granted is 1) ‖ signature (64)
//! ```
//!
//! It is signed over the group too, so that any member can hand it to a newcomer, and nobody can make one for another
//! member. Of two the one with the higher sequence holds.

use mls::LeafSigner;
use mls::crypto::verify;
use protocol::group::Grant;

use crate::identity::{MemberId, TrackNumber};
use crate::limits::{NAME_CHARS_MAX, PROFILE_BYTES_MAX, PROFILE_TRACKS_MAX};
use crate::name::is_showable;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"undertone profile";
const SIGNATURE_LENGTH: usize = 64;
const MICROPHONE_ON: u8 = 1;
const CAMERA_ON: u8 = 2;

/// What a track shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Audio of the participant.
    Microphone,
    /// Video of the participant.
    Camera,
    /// Video of a screen.
    Screen,
    /// Audio of a screen.
    ScreenAudio,
}

impl Kind {
    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Microphone => 1,
            Self::Camera => 2,
            Self::Screen => 3,
            Self::ScreenAudio => 4,
        }
    }

    /// Reads the byte of the wire.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Microphone),
            2 => Some(Self::Camera),
            3 => Some(Self::Screen),
            4 => Some(Self::ScreenAudio),
            _ => None,
        }
    }
}

/// What a member says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who says it.
    pub member: MemberId,
    /// Rises with each one that the member signs.
    pub sequence: u64,
    /// Where the server seats it: what the server says of a seat is said of this member then.
    pub seat: u16,
    /// At most 64 characters, none of them a control or bidi control.
    pub name: String,
    /// Whether its microphone is heard.
    pub microphone_on: bool,
    /// Whether its camera is seen.
    pub camera_on: bool,
    /// Number and kind of each track; each number once.
    pub tracks: Vec<(TrackNumber, Kind)>,
    /// What the owner allows it.
    pub grant: Option<Grant>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Profile")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// Why bytes are no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// They cannot be read.
    #[error("the announcement cannot be read")]
    Malformed,
    /// The name is too long or has control characters.
    #[error("the name is not one that can be shown")]
    BadName,
    /// A track number is too high or comes twice, or there are too many.
    #[error("the track numbers are not valid")]
    BadTracks,
    /// It was not signed with the key of the member that it names, or for another group.
    #[error("the announcement is not signed by its member")]
    BadSignature,
}

impl Profile {
    /// Signs it for a group. Fails where those who read it would refuse it.
    pub fn sign(&self, group_id: &[u8], signer: &LeafSigner) -> Result<Vec<u8>, ProfileError> {
        if !is_showable(&self.name) || self.name.chars().count() > NAME_CHARS_MAX {
            return Err(ProfileError::BadName);
        }
        check_tracks(&self.tracks)?;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(self.member.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.seat.to_be_bytes());
        bytes.push(u8::from(self.microphone_on) * MICROPHONE_ON + u8::from(self.camera_on) * CAMERA_ON);
        // 64 characters are at most 256 bytes.
        let name_length = u16::try_from(self.name.len()).map_err(|_| ProfileError::BadName)?;
        bytes.extend_from_slice(&name_length.to_be_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        bytes.push(u8::try_from(self.tracks.len()).map_err(|_| ProfileError::BadTracks)?);
        for (number, kind) in &self.tracks {
            bytes.extend_from_slice(&[number.number(), kind.code()]);
        }
        bytes.push(u8::from(self.grant.is_some()));
        if let Some(grant) = &self.grant {
            bytes.extend_from_slice(&grant.encode());
        }
        let signature = signer.sign_bytes(&signed(group_id, &bytes));
        bytes.extend_from_slice(&signature);
        Ok(bytes)
    }

    /// Whose profile the bytes claim to be, before anything is checked.
    pub fn claimed_member(bytes: &[u8]) -> Option<MemberId> {
        bytes.get(1..17)?.try_into().ok().map(MemberId::new)
    }

    /// Which one of that member's profiles the bytes claim to be, before anything is checked.
    pub fn claimed_sequence(bytes: &[u8]) -> Option<u64> {
        bytes.get(17..25)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// Reads and checks a profile of the member with this signature key in this group.
    pub fn open(bytes: &[u8], group_id: &[u8], signature_key: &[u8]) -> Result<Self, ProfileError> {
        if bytes.len() > PROFILE_BYTES_MAX {
            return Err(ProfileError::Malformed);
        }
        let split = bytes
            .len()
            .checked_sub(SIGNATURE_LENGTH)
            .ok_or(ProfileError::Malformed)?;
        let (body, signature) = bytes.split_at(split);
        let profile = Self::read(body).ok_or(ProfileError::Malformed)?;
        verify(&signed(group_id, body), signature_key, signature).map_err(|_| ProfileError::BadSignature)?;
        if !is_showable(&profile.name) || profile.name.chars().count() > NAME_CHARS_MAX {
            return Err(ProfileError::BadName);
        }
        check_tracks(&profile.tracks)?;
        Ok(profile)
    }

    fn read(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length)?;
            rest = left;
            Some(taken)
        };
        if take(1)? != [VERSION] {
            return None;
        }
        let member = MemberId::new(take(16)?.try_into().ok()?);
        let sequence = u64::from_be_bytes(take(8)?.try_into().ok()?);
        let seat = u16::from_be_bytes(take(2)?.try_into().ok()?);
        let state = take(1)?[0];
        if state & !(MICROPHONE_ON | CAMERA_ON) != 0 {
            return None;
        }
        let name_length = u16::from_be_bytes(take(2)?.try_into().ok()?);
        let name = String::from_utf8(take(usize::from(name_length))?.to_vec()).ok()?;
        let count = take(1)?[0];
        let mut tracks = Vec::new();
        for _ in 0..count {
            let &[number, kind] = take(2)? else { return None };
            tracks.push((TrackNumber::new(number)?, Kind::from_code(kind)?));
        }
        let grant = match take(1)? {
            [0] => None,
            [1] => Some(Grant::decode(take(Grant::LENGTH)?).ok()?),
            _ => return None,
        };
        rest.is_empty().then_some(Self {
            member,
            sequence,
            seat,
            name,
            microphone_on: state & MICROPHONE_ON != 0,
            camera_on: state & CAMERA_ON != 0,
            tracks,
            grant,
        })
    }
}

fn signed(group_id: &[u8], body: &[u8]) -> Vec<u8> {
    [LABEL, group_id, body].concat()
}

fn check_tracks(tracks: &[(TrackNumber, Kind)]) -> Result<(), ProfileError> {
    if tracks.len() > PROFILE_TRACKS_MAX {
        return Err(ProfileError::BadTracks);
    }
    for (index, (number, _)) in tracks.iter().enumerate() {
        if tracks[..index].iter().any(|(earlier, _)| earlier == number) {
            return Err(ProfileError::BadTracks);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_was_signed() {
        let signer = LeafSigner::new(&[1; 32]);
        let bytes = sample().sign(&[9; 16], &signer).unwrap();
        assert_eq!(Profile::open(&bytes, &[9; 16], &signer.public()), Ok(sample()));
        assert_eq!(Profile::claimed_member(&bytes), Some(sample().member));
    }

    #[test]
    fn another_key_another_group_and_every_flipped_bit_are_refused() {
        let signer = LeafSigner::new(&[1; 32]);
        let bytes = sample().sign(&[9; 16], &signer).unwrap();
        let key = signer.public();
        let other = LeafSigner::new(&[2; 32]).public();
        assert_eq!(
            Profile::open(&bytes, &[9; 16], &other),
            Err(ProfileError::BadSignature)
        );
        assert_eq!(
            Profile::open(&bytes, &[8; 16], &key),
            Err(ProfileError::BadSignature)
        );
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(Profile::open(&altered, &[9; 16], &key).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(
                Profile::open(&bytes[..length], &[9; 16], &key).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn names_that_deceive_and_tracks_that_collide_are_neither_signed_nor_read() {
        let signer = LeafSigner::new(&[1; 32]);
        for name in ["a\u{202e}b", "a\nb", &"x".repeat(65)] {
            let profile = Profile {
                name: name.to_owned(),
                ..sample()
            };
            assert_eq!(profile.sign(&[9; 16], &signer), Err(ProfileError::BadName));
        }
        let twice = Profile {
            tracks: vec![sample().tracks[0], sample().tracks[0]],
            ..sample()
        };
        assert_eq!(twice.sign(&[9; 16], &signer), Err(ProfileError::BadTracks));
    }

    fn sample() -> Profile {
        Profile {
            member: MemberId::new([7; 16]),
            sequence: 3,
            seat: 9,
            name: "Zoë".to_owned(),
            microphone_on: true,
            camera_on: false,
            tracks: vec![
                (TrackNumber::new(0).unwrap(), Kind::Microphone),
                (TrackNumber::new(1).unwrap(), Kind::Camera),
            ],
            grant: None,
        }
    }
}
