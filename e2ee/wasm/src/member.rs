//! One member of the group of one room.

use std::time::Duration;

use e2ee::app::App;
use e2ee::group::{Config, Member, Owner, Saying};
use e2ee::identity::{MemberId, RoomId, TrackNumber};
use e2ee::profile::Kind;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

use crate::events;
use crate::keys::Keys;

/// One member of the group of one room.
#[wasm_bindgen]
pub struct GroupMember(Member);

fn time(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1_000.0).unwrap_or_default()
}

fn array<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], JsError> {
    bytes
        .try_into()
        .map_err(|_| JsError::new(&format!("{what} has to have {N} bytes")))
}

#[wasm_bindgen]
impl GroupMember {
    /// A member outside of any group. `seed` are 32 bytes of the operating system, used once; `owner` is the public
    /// key of the room's owner where this browser holds the private one.
    #[wasm_bindgen(constructor)]
    pub fn new(
        keys: &Keys,
        room: &str,
        unix_seconds: f64,
        seed: &[u8],
        owner: Option<Vec<u8>>,
    ) -> Result<Self, JsError> {
        let config = Config {
            room: RoomId::parse(room).ok_or_else(|| JsError::new("the room's id is not one"))?,
            fragment: keys.fragment.clone(),
            secret: keys.secret.clone(),
            password: keys.password.clone(),
            unix_seconds: unix_seconds as u64,
            seed: array(seed, "the seed")?,
        };
        let owner: Option<Owner> = owner.map(|key| array(&key, "the owner's key")).transpose()?;
        Ok(Self(Member::new(config, owner)))
    }

    /// There is a connection and a seat.
    pub fn connected(&mut self, now: f64) {
        self.0.handle_connected(time(now));
    }

    /// The connection broke.
    pub fn disconnected(&mut self) {
        self.0.handle_disconnected();
    }

    /// A binary message of the server.
    pub fn message(&mut self, bytes: &[u8], now: f64) {
        self.0.handle_message(bytes, time(now));
    }

    /// The moment of `next_timeout` has come.
    pub fn timeout(&mut self, now: f64) {
        self.0.handle_timeout(time(now));
    }

    /// When `timeout` is due, in milliseconds.
    pub fn next_timeout(&self) -> Option<f64> {
        self.0.poll_timeout().map(|due| due.as_secs_f64() * 1_000.0)
    }

    /// The next binary message for the server.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        self.0.poll_frame().map(|frame| frame.encode())
    }

    /// The next event, as a plain object.
    pub fn next_event(&mut self) -> Option<JsValue> {
        self.0.poll_event().map(|event| events::to_js(&event))
    }

    /// Says who one is and what one sends. `tracks` are pairs of number and kind.
    pub fn announce(
        &mut self,
        seat: u16,
        name: String,
        microphone_on: bool,
        camera_on: bool,
        tracks: &[u8],
        now: f64,
    ) -> Result<(), JsError> {
        let tracks = tracks.chunks(2).map(|track| match track {
            [number, kind] => Some((TrackNumber::new(*number)?, Kind::from_code(*kind)?)),
            _ => None,
        });
        let tracks: Option<Vec<_>> = tracks.collect();
        let saying = Saying {
            seat,
            name,
            microphone_on,
            camera_on,
            tracks: tracks.ok_or_else(|| JsError::new("the tracks cannot be read"))?,
        };
        self.0.announce(saying, time(now));
        Ok(())
    }

    /// Removes a member, with the owner's right.
    pub fn remove(&mut self, member: &[u8], now: f64) -> Result<(), JsError> {
        let member = MemberId::new(array(member, "the member's id")?);
        self.0.remove(member, time(now));
        Ok(())
    }

    /// Closes the meeting to newcomers, or opens it again.
    pub fn lock(&mut self, locked: bool, now: f64) {
        self.0.lock(locked, time(now));
    }

    /// The owner's key signed what was asked for.
    pub fn owner_signed(&mut self, signature: &[u8], now: f64) -> Result<(), JsError> {
        let signature = array(signature, "the signature")?;
        self.0.handle_owner_signature(signature, time(now));
        Ok(())
    }

    /// Something that a member sent was opened with its key.
    pub fn heard(&mut self, member: &[u8], now: f64) -> Result<(), JsError> {
        let member = MemberId::new(array(member, "the member's id")?);
        self.0.note_heard(member, time(now));
        Ok(())
    }

    /// A text for everybody.
    pub fn chat(&mut self, text: String, now: f64) -> bool {
        self.0.say_to_all(&App::Chat(text), time(now))
    }

    /// Renews one's own keys, out of turn.
    pub fn update(&mut self, now: f64) {
        self.0.update(time(now));
    }

    /// The epoch that one is in.
    pub fn epoch(&self) -> Option<f64> {
        self.0.epoch().map(|epoch| epoch as f64)
    }

    /// Equal for all who are in one epoch of one group.
    pub fn epoch_authenticator(&self) -> Option<Vec<u8>> {
        self.0.epoch_authenticator()
    }

    /// How many are in the group.
    pub fn members(&self) -> usize {
        self.0.roster().len()
    }

    /// What was refused and alarmed, by word: a plain object of numbers.
    pub fn statistics(&self) -> JsValue {
        events::statistics(self.0.statistics())
    }
}
