//! One member's end-to-end encryption: its place in the group, and the keys that come from it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use e2ee::codec::Codec;
use e2ee::fragment::Fragment;
use e2ee::frame::{OpenError, Opened, SealError};
use e2ee::group::{self, Event};
use e2ee::identity::{MemberId, RoomId, TrackNumber};
use e2ee::keyring::Keyring;
use e2ee::prefix::{Layer, Prefix};
use e2ee::profile::Kind;
use e2ee::secret::{Gate, RoomSecret};
use protocol::media::SourceKind;
use rand_chacha::rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::link::MeetingLink;

/// What lets one into a room, and what opens the media in it.
#[derive(Clone)]
pub struct Access {
    room: RoomId,
    gate: Gate,
    fragment: Fragment,
    password: Option<Zeroizing<String>>,
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
            fragment: link.fragment.clone(),
            password: password.map(|password| Zeroizing::new(password.to_owned())),
            secret,
        }
    }

    /// The same room and gate with the keys of another link: somebody who got in, and may open nothing.
    #[must_use]
    pub fn with_secret_of(&self, other: &Self) -> Self {
        Self {
            room: self.room,
            gate: self.gate.clone(),
            fragment: other.fragment.clone(),
            password: other.password.clone(),
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
        protocol::bytes::Owner::from_bytes(self.fragment.owner)
    }

    /// What signaling keeps of the gate.
    pub fn gate_hash(&self) -> protocol::bytes::GateHash {
        protocol::bytes::GateHash::from_bytes(self.gate.hash())
    }
}

/// One member of the group, with its keys.
pub struct Keys {
    member: group::Member,
    keyring: Keyring,
    start: Instant,
    names: BTreeMap<MemberId, String>,
    /// Commits and groups that were refused, and alarms, by word.
    alarms: BTreeMap<&'static str, u64>,
}

impl Keys {
    /// Somebody outside of the group.
    pub fn new(access: &Access, random: &mut impl CryptoRng) -> Self {
        let mut seed = [0; 32];
        random.fill_bytes(&mut seed);
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let config = group::Config {
            room: access.room,
            fragment: access.fragment.clone(),
            secret: access.secret.clone(),
            password: access.password.clone(),
            unix_seconds: unix.map_or(0, |since| since.as_secs()),
            seed,
        };
        Self {
            member: group::Member::new(config, None),
            keyring: Keyring::default(),
            start: Instant::now(),
            names: BTreeMap::new(),
            alarms: BTreeMap::new(),
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// There is a seat: says who one is, and asks to come into the group.
    pub fn enter(&mut self, seat: u16, name: &str, has_media: bool) {
        let track = |kind: SourceKind, shown| (track_number(kind), shown);
        let tracks = [
            track(SourceKind::Microphone, Kind::Microphone),
            track(SourceKind::Camera, Kind::Camera),
        ];
        let saying = group::Saying {
            seat,
            name: name.to_owned(),
            microphone_on: has_media,
            camera_on: has_media,
            tracks: if has_media { tracks.into() } else { Vec::new() },
        };
        let now = self.now();
        self.member.announce(saying, now);
        self.member.handle_connected(now);
        self.take_events();
    }

    /// A binary message of the server.
    pub fn handle_message(&mut self, bytes: &[u8]) {
        let now = self.now();
        self.member.handle_message(bytes, now);
        self.take_events();
    }

    /// The moment of [`Keys::poll_timeout`] has come.
    pub fn handle_timeout(&mut self) {
        let now = self.now();
        if self.member.poll_timeout().is_some_and(|due| due <= now) {
            self.member.handle_timeout(now);
            self.take_events();
        }
    }

    /// When [`Keys::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.start + self.member.poll_timeout()?)
    }

    /// The next binary message for the server.
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        Some(self.member.poll_frame()?.encode())
    }

    fn take_events(&mut self) {
        while let Some(event) = self.member.poll_event() {
            self.keyring.take(&event);
            match event {
                Event::Profile { profile, .. } if profile.member != self.member.id() => {
                    self.names.insert(profile.member, profile.name);
                }
                Event::Gone { member, .. } => {
                    self.names.remove(&member);
                }
                Event::Alarm(alarm) => *self.alarms.entry(alarm.as_str()).or_default() += 1,
                _ => {}
            }
        }
    }

    /// The epoch that one is in.
    pub fn epoch(&self) -> Option<u64> {
        self.member.epoch()
    }

    /// How many are in the group.
    pub fn members(&self) -> usize {
        self.member.roster().len()
    }

    /// Alarms so far, by word.
    pub fn alarms(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.alarms.iter().map(|(word, count)| (*word, *count))
    }

    /// The names of the others.
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
        let codec = match kind {
            SourceKind::Microphone => Codec::Opus,
            SourceKind::Camera => Codec::Vp8,
        };
        let prefix = Prefix::of_frame(codec, plaintext, Layer::default()).ok_or(SealError::Length)?;
        self.keyring.seal(track_number(kind), &prefix, plaintext, sealed)
    }

    /// Opens a frame of somebody.
    pub fn open<'buffer>(
        &mut self,
        codec: Codec,
        frame: &[u8],
        buffer: &'buffer mut Vec<u8>,
    ) -> Result<Opened<'buffer>, OpenError> {
        self.keyring.open(codec, frame, buffer).map(|(_, opened)| opened)
    }
}

fn track_number(kind: SourceKind) -> TrackNumber {
    TrackNumber::new(kind.track()).expect("the tracks of this house have small numbers")
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::fixtures;
    use crate::link::MeetingLink;

    #[test]
    fn outside_of_a_group_nothing_is_sealed_and_the_first_word_asks_to_come_in() {
        let mut random = ChaCha20Rng::seed_from_u64(3);
        let link = MeetingLink::draw("http://localhost", &mut random);
        let mut keys = Keys::new(&Access::new(&link, None), &mut random);
        let mut sealed = Vec::new();
        let refused = keys.seal(SourceKind::Camera, fixtures::PICTURE[0], &mut sealed);
        assert_eq!(refused, Err(SealError::NoKey));
        assert!(keys.poll_message().is_none());
        keys.enter(1, "Anna", true);
        let first = keys
            .poll_message()
            .map(|bytes| protocol::group::ClientFrame::decode(&bytes));
        assert!(matches!(
            first,
            Some(Ok(protocol::group::ClientFrame::Enter { .. }))
        ));
    }
}
