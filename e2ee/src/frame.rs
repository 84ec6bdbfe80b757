//! Sealing and opening frames: `prefix ‖ SFrame(header ‖ ciphertext ‖ tag)`.
//!
//! Suite 4, AES_128_GCM_SHA256_128. The key is taken by key id only; a frame
//! that fails never invalidates a key, and there is no way around encryption.

use std::collections::BTreeMap;

use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, MediaFrameView, MonotonicCounter};
use sframe::key::{DecryptionKey, EncryptionKey};

use crate::codec::Codec;
use crate::header::Header;
use crate::key_id::KeyId;
use crate::limits::{FRAME_BYTES_MAX, FRAMES_PER_KEY_MAX};
use crate::prefix::Prefix;
use crate::replay::{ReplayRefusal, ReplayWindow};
use crate::secret::BaseKey;

const SUITE: CipherSuite = CipherSuite::AesGcm128Sha256;
const TAG_LENGTH: usize = 16;

/// Why a frame was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no key for this key id, or none can be made of it.
    #[error("there is no key to seal with")]
    NoKey,
    /// The key has sealed as many frames as it may; a new key is needed first.
    #[error("the key is used up")]
    Exhausted,
    /// The frame is empty or longer than any frame.
    #[error("the frame has no length that a frame has")]
    Length,
}

/// Why a frame was not opened. Each has its own counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum OpenError {
    /// It has no bytes. Browsers produce such frames; drop it in silence.
    #[error("the frame is empty")]
    Empty,
    /// Its counter was already opened. Browsers deliver frames twice; drop it in silence.
    #[error("the frame came twice")]
    Duplicate,
    /// Its counter lies behind the window.
    #[error("the frame is too old")]
    Replayed,
    /// Prefix or header cannot be read, or it is longer than any frame.
    #[error("the frame cannot be read")]
    Malformed,
    /// The key of its key id is not known, or not yet.
    #[error("the frame's key is not known")]
    WaitingForKey,
    /// It was not sealed under this key, or altered since.
    #[error("the frame is not authentic")]
    Tampered,
}

/// What one participant seals one track with. One counter for all simulcast
/// layers of the track; it lives as long as the key, whatever happens to the track.
pub struct Sealer {
    key: EncryptionKey,
    counter: MonotonicCounter,
    sealed: u64,
}

impl Sealer {
    /// Takes the key of `key_id`. For one key id and one base key there must
    /// never be a second sealer: it would use nonces again.
    pub fn new(base_key: &BaseKey, key_id: KeyId) -> Result<Self, SealError> {
        let key = EncryptionKey::derive_from(SUITE, key_id.number(), base_key.as_bytes())
            .map_err(|_| SealError::NoKey)?;
        Ok(Self {
            key,
            counter: MonotonicCounter::new(u64::MAX),
            sealed: 0,
        })
    }

    /// Seals `plaintext` behind `prefix` into `frame`, whose earlier content is lost.
    pub fn seal(&mut self, prefix: &Prefix, plaintext: &[u8], frame: &mut Vec<u8>) -> Result<(), SealError> {
        if plaintext.is_empty() || plaintext.len() > FRAME_BYTES_MAX {
            return Err(SealError::Length);
        }
        if self.sealed >= FRAMES_PER_KEY_MAX {
            return Err(SealError::Exhausted);
        }
        self.sealed += 1;
        MediaFrameView::try_with_meta_data(&mut self.counter, plaintext, prefix.as_bytes())
            .and_then(|view| view.encrypt_into(&self.key, frame).map(drop))
            .map_err(|_| SealError::Exhausted)
    }

    /// How many frames were sealed.
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Sealer")
            .field("sealed", &self.sealed)
            .finish_non_exhaustive()
    }
}

/// A frame that was opened.
#[derive(PartialEq, Eq)]
pub struct Opened<'buffer> {
    /// Whose frame it is, proven by the key.
    pub key_id: KeyId,
    /// Its number under that key.
    pub counter: u64,
    /// Decoding can begin here, as the opened bytes themselves say.
    pub is_key_frame: bool,
    /// What the encoder gave out.
    pub plaintext: &'buffer [u8],
}

impl std::fmt::Debug for Opened<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Opened")
            .field("key_id", &self.key_id)
            .field("counter", &self.counter)
            .field("is_key_frame", &self.is_key_frame)
            .field("length", &self.plaintext.len())
            .finish_non_exhaustive()
    }
}

/// The keys with which one participant opens what the others send.
#[derive(Default)]
pub struct Opener {
    keys: BTreeMap<KeyId, OpeningKey>,
}

struct OpeningKey {
    key: DecryptionKey,
    replay: ReplayWindow,
}

impl Opener {
    /// Takes the key of `key_id`, with an empty replay window. Calling it again
    /// for the same base key would let old frames in again.
    pub fn insert(&mut self, base_key: &BaseKey, key_id: KeyId) -> Result<(), OpenError> {
        let key = DecryptionKey::derive_from(SUITE, key_id.number(), base_key.as_bytes())
            .map_err(|_| OpenError::WaitingForKey)?;
        self.keys.insert(
            key_id,
            OpeningKey {
                key,
                replay: ReplayWindow::default(),
            },
        );
        Ok(())
    }

    /// Forgets the keys that this picks, with their replay windows.
    pub fn remove(&mut self, is_over: impl Fn(KeyId) -> bool) {
        self.keys.retain(|key_id, _| !is_over(*key_id));
    }

    /// Whether there is a key for this key id.
    pub fn has(&self, key_id: KeyId) -> bool {
        self.keys.contains_key(&key_id)
    }

    /// The key id that a frame says it was sealed under, before anything is checked.
    pub fn claimed_key_id(codec: Codec, frame: &[u8]) -> Option<KeyId> {
        let (_, sealed) = Prefix::split(codec, frame)?;
        KeyId::from_number(Header::parse(sealed)?.key_id)
    }

    /// Opens `frame`. The plaintext lies in `buffer`, whose earlier content is lost.
    pub fn open<'buffer>(
        &mut self,
        codec: Codec,
        frame: &[u8],
        buffer: &'buffer mut Vec<u8>,
    ) -> Result<Opened<'buffer>, OpenError> {
        if frame.is_empty() {
            return Err(OpenError::Empty);
        }
        if frame.len() > FRAME_BYTES_MAX {
            return Err(OpenError::Malformed);
        }
        let (prefix, sealed) = Prefix::split(codec, frame).ok_or(OpenError::Malformed)?;
        let header = Header::parse(sealed).ok_or(OpenError::Malformed)?;
        if sealed.len() < header.length + TAG_LENGTH {
            return Err(OpenError::Malformed);
        }
        let key_id = KeyId::from_number(header.key_id).ok_or(OpenError::WaitingForKey)?;
        let OpeningKey { key, replay } = self.keys.get_mut(&key_id).ok_or(OpenError::WaitingForKey)?;
        replay.check(header.counter).map_err(|refusal| match refusal {
            ReplayRefusal::Duplicate => OpenError::Duplicate,
            ReplayRefusal::TooOld => OpenError::Replayed,
        })?;
        let opened = EncryptedFrameView::try_with_meta_data(sealed, prefix.as_bytes())
            .and_then(|view| view.decrypt_into(&*key, buffer))
            .map_err(|_| OpenError::Tampered)?;
        replay.record(header.counter);
        Ok(Opened {
            key_id,
            counter: header.counter,
            is_key_frame: codec.is_key_frame(opened.payload()),
            plaintext: opened.payload(),
        })
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Opener")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
