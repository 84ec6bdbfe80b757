//! One member's end-to-end encryption: its own keys, and those of the others as they announce themselves.

use std::collections::BTreeMap;

use e2ee::announcement::{Announcement, AnnouncementError, AnnouncementKey, Track, TrackKind};
use e2ee::codec::Codec;
use e2ee::frame::{OpenError, Opened, Opener, SealError, Sealer};
use e2ee::identity::{RoomId, Seat, TrackNumber};
use e2ee::interim::InterimKeys;
use e2ee::key_id::KeyId;
use e2ee::prefix::{Layer, Prefix};
use e2ee::secret::{Gate, RoomSecret, Salt};
use protocol::media::SourceKind;
use rand_chacha::rand_core::CryptoRng;

use crate::error::MemberError;
use crate::link::MeetingLink;

/// The epoch of all keys until the MLS group is there.
const INTERIM_EPOCH: u8 = 0;

/// What lets one into a room, and what opens the media in it.
#[derive(Clone)]
pub struct Access {
    room: RoomId,
    gate: Gate,
    owner: [u8; 16],
    secret: RoomSecret,
}

impl Access {
    /// Derives both from a link. With a password this takes a good part of a second.
    pub fn new(link: &MeetingLink, password: Option<&str>) -> Self {
        let secret = match password {
            Some(password) => RoomSecret::from_link_and_password(&link.fragment.link, password),
            None => RoomSecret::from_link(&link.fragment.link),
        };
        Self {
            room: link.room,
            gate: secret.gate(),
            owner: link.fragment.owner,
            secret,
        }
    }

    /// The same room and gate with the keys of another link: somebody who got in, and may open nothing.
    #[must_use]
    pub fn with_secret_of(&self, other: &Self) -> Self {
        Self {
            room: self.room,
            gate: self.gate.clone(),
            owner: self.owner,
            secret: other.secret.clone(),
        }
    }

    /// The room, as signaling knows it.
    pub fn room(&self) -> protocol::ids::RoomId {
        protocol::ids::RoomId::from_bytes(*self.room.as_bytes())
    }

    /// What signaling asks for at the door.
    pub fn gate(&self) -> protocol::bytes::Gate {
        protocol::bytes::Gate::from_bytes(*self.gate.as_bytes())
    }

    /// Who owns the room.
    pub fn owner(&self) -> protocol::bytes::Owner {
        protocol::bytes::Owner::from_bytes(self.owner)
    }

    /// What signaling keeps of the gate.
    pub fn gate_hash(&self) -> protocol::bytes::GateHash {
        protocol::bytes::GateHash::from_bytes(self.gate.hash())
    }
}

/// The keys of a member who has a seat.
pub struct Keys {
    room: RoomId,
    seat: Seat,
    salt: Salt,
    interim: InterimKeys,
    announcements: AnnouncementKey,
    microphone: Sealer,
    camera: Sealer,
    opener: Opener,
    /// What everybody announced last: an announcement that comes again must not empty the replay windows.
    salts: BTreeMap<Seat, (Salt, Vec<Track>)>,
    names: BTreeMap<Seat, String>,
}

impl Keys {
    /// Takes a seat, with a fresh salt.
    pub fn enter(access: &Access, seat: u16, random: &mut impl CryptoRng) -> Result<Self, MemberError> {
        let seat = Seat::new(seat).ok_or(MemberError::Protocol("a seat above 1,023"))?;
        let salt = Salt::random(random);
        let mut interim = InterimKeys::new(access.secret.clone(), access.room);
        interim.insert(seat, salt.clone());
        let sealer = |kind| {
            Sealer::new(&interim, key_id(seat, track_number(kind)))
                .map_err(|_| MemberError::Encryption("no key for one's own frames"))
        };
        Ok(Self {
            room: access.room,
            seat,
            salt,
            announcements: AnnouncementKey::new(&access.secret),
            microphone: sealer(SourceKind::Microphone)?,
            camera: sealer(SourceKind::Camera)?,
            opener: Opener::default(),
            salts: BTreeMap::new(),
            names: BTreeMap::new(),
            interim,
        })
    }

    /// Seals one's name and tracks for the others.
    pub fn announce(
        &self,
        name: &str,
        random: &mut impl CryptoRng,
    ) -> Result<protocol::bytes::Sealed, MemberError> {
        let track = |kind, shown| Track {
            number: track_number(kind),
            kind: shown,
        };
        let announcement = Announcement {
            room: self.room,
            seat: self.seat,
            salt: self.salt.clone(),
            name: name.to_owned(),
            tracks: vec![
                track(SourceKind::Microphone, TrackKind::Microphone),
                track(SourceKind::Camera, TrackKind::Camera),
            ],
        };
        let sealed = self
            .announcements
            .seal(&announcement, random)
            .map_err(|_| MemberError::Encryption("the name cannot be announced"))?;
        protocol::bytes::Sealed::new(sealed)
            .map_err(|_| MemberError::Encryption("the announcement is too long"))
    }

    /// Takes what the server relayed from `seat`, and with it the keys of its tracks.
    pub fn participant_announced(&mut self, seat: u16, sealed: &[u8]) -> Result<(), AnnouncementError> {
        let seat = Seat::new(seat).ok_or(AnnouncementError::OtherSeat)?;
        let announcement = self.announcements.open(sealed, self.room, seat)?;
        self.names.insert(seat, announcement.name);
        if let Some((salt, _)) = self.salts.get(&seat)
            && salt.as_bytes() == announcement.salt.as_bytes()
        {
            return Ok(());
        }
        self.forget_keys(seat);
        self.interim.insert(seat, announcement.salt.clone());
        for track in &announcement.tracks {
            // There is a key now: the salt was just taken.
            let _ = self.opener.insert(&self.interim, key_id(seat, track.number));
        }
        self.salts.insert(seat, (announcement.salt, announcement.tracks));
        Ok(())
    }

    /// Ends the keys of `seat`.
    pub fn participant_left(&mut self, seat: u16) {
        if let Some(seat) = Seat::new(seat) {
            self.forget_keys(seat);
            self.names.remove(&seat);
        }
    }

    fn forget_keys(&mut self, seat: Seat) {
        if let Some((_, tracks)) = self.salts.remove(&seat) {
            for track in tracks {
                self.opener.remove(key_id(seat, track.number));
            }
        }
        self.interim.remove(seat);
    }

    /// The names of the others that could be opened.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }

    /// Seals one's own frame into `sealed`.
    pub fn seal(
        &mut self,
        kind: SourceKind,
        plaintext: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let (sealer, codec) = match kind {
            SourceKind::Microphone => (&mut self.microphone, Codec::Opus),
            SourceKind::Camera => (&mut self.camera, Codec::Vp8),
        };
        let prefix = Prefix::of_frame(codec, plaintext, Layer::default()).ok_or(SealError::Length)?;
        sealer.seal(&prefix, plaintext, sealed)
    }

    /// Opens a frame of somebody.
    pub fn open<'buffer>(
        &mut self,
        codec: Codec,
        frame: &[u8],
        buffer: &'buffer mut Vec<u8>,
    ) -> Result<Opened<'buffer>, OpenError> {
        self.opener.open(codec, frame, buffer)
    }
}

fn track_number(kind: SourceKind) -> TrackNumber {
    TrackNumber::new(kind.track()).expect("the tracks of this house have small numbers")
}

fn key_id(seat: Seat, track: TrackNumber) -> KeyId {
    KeyId {
        seat,
        track,
        epoch: INTERIM_EPOCH,
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::fixtures;

    #[test]
    fn what_one_member_seals_another_opens_once_it_was_announced() {
        let (mut anna, mut ben, mut random) = two_members();
        let mut sealed = Vec::new();
        let mut buffer = Vec::new();
        anna.seal(SourceKind::Camera, fixtures::PICTURE[0], &mut sealed)
            .unwrap();
        assert_eq!(
            ben.open(Codec::Vp8, &sealed, &mut buffer),
            Err(OpenError::WaitingForKey)
        );
        let announcement = anna.announce("Anna", &mut random).unwrap();
        ben.participant_announced(1, announcement.as_bytes()).unwrap();
        let opened = ben.open(Codec::Vp8, &sealed, &mut buffer).unwrap();
        assert!(opened.is_key_frame && opened.plaintext == fixtures::PICTURE[0]);
        assert_eq!(ben.names().collect::<Vec<_>>(), ["Anna"]);
    }

    #[test]
    fn an_announcement_that_comes_again_lets_no_frame_in_again() {
        let (mut anna, mut ben, mut random) = two_members();
        let mut sealed = Vec::new();
        let mut buffer = Vec::new();
        anna.seal(SourceKind::Microphone, fixtures::SILENCE, &mut sealed)
            .unwrap();
        let announcement = anna.announce("Anna", &mut random).unwrap();
        ben.participant_announced(1, announcement.as_bytes()).unwrap();
        assert!(ben.open(Codec::Opus, &sealed, &mut buffer).is_ok());
        ben.participant_announced(1, announcement.as_bytes()).unwrap();
        assert_eq!(
            ben.open(Codec::Opus, &sealed, &mut buffer),
            Err(OpenError::Duplicate)
        );
    }

    #[test]
    fn nothing_of_one_who_left_is_opened() {
        let (mut anna, mut ben, mut random) = two_members();
        let mut sealed = Vec::new();
        let announcement = anna.announce("Anna", &mut random).unwrap();
        ben.participant_announced(1, announcement.as_bytes()).unwrap();
        ben.participant_left(1);
        anna.seal(SourceKind::Microphone, fixtures::SILENCE, &mut sealed)
            .unwrap();
        assert_eq!(
            ben.open(Codec::Opus, &sealed, &mut Vec::new()),
            Err(OpenError::WaitingForKey)
        );
        assert_eq!(ben.names().count(), 0);
    }

    fn two_members() -> (Keys, Keys, ChaCha20Rng) {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let link = MeetingLink::draw("http://localhost", &mut random);
        let access = Access::new(&link, None);
        let anna = Keys::enter(&access, 1, &mut random).unwrap();
        let ben = Keys::enter(&access, 2, &mut random).unwrap();
        (anna, ben, random)
    }
}
