//! Encryption and authentication of one stream of one direction.

use std::fmt;

use aes::Aes128;
use aes::cipher::KeyInit;
use ring::{aead, hmac};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::srtp::derivation::{SessionKeys, apply_key_stream};
use crate::srtp::error::SrtpError;
use crate::srtp::header::RTCP_HEADER_LEN;
use crate::srtp::profile::SrtpProfile;

/// Length of the word behind an SRTCP packet, in bytes: the E flag and the index.
pub(crate) const INDEX_WORD_LEN: usize = 4;

/// The E flag: the packet is encrypted.
pub(crate) const ENCRYPTED_FLAG: u32 = 1 << 31;

/// A cipher with its session keys.
pub(crate) enum Cipher {
    /// AES-GCM.
    Gcm(Gcm),
    /// AES in counter mode with HMAC-SHA1.
    CounterMode(CounterMode),
}

impl Cipher {
    /// Takes the session keys of a stream.
    pub(crate) fn new(profile: SrtpProfile, keys: &SessionKeys) -> Self {
        match profile {
            SrtpProfile::AeadAes128Gcm => Self::Gcm(Gcm::new(&aead::AES_128_GCM, keys)),
            SrtpProfile::AeadAes256Gcm => Self::Gcm(Gcm::new(&aead::AES_256_GCM, keys)),
            SrtpProfile::Aes128CmHmacSha1_80 => Self::CounterMode(CounterMode::new(keys)),
        }
    }

    /// Seals the RTP packet in `buffer[..len]`, of which the first `header_len` bytes stay in clear.
    pub(crate) fn seal_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header_len: usize,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, SrtpError> {
        match self {
            Self::Gcm(gcm) => {
                let (packet, room) = buffer.split_at_mut(len);
                let (header, payload) = packet.split_at_mut(header_len);
                let tag = gcm.seal(gcm.nonce(ssrc, index), header, payload)?;
                room.get_mut(..Gcm::TAG_LEN)
                    .ok_or(SrtpError::NoRoom)?
                    .copy_from_slice(tag.as_ref());
                Ok(len + Gcm::TAG_LEN)
            }
            Self::CounterMode(cipher) => {
                apply_key_stream(
                    &cipher.aes,
                    &cipher.counter(ssrc, index),
                    &mut buffer[header_len..len],
                );
                let tag = cipher.rtp_tag(&buffer[..len], index);
                buffer
                    .get_mut(len..len + CounterMode::TAG_LEN)
                    .ok_or(SrtpError::NoRoom)?
                    .copy_from_slice(&tag);
                Ok(len + CounterMode::TAG_LEN)
            }
        }
    }

    /// Opens an SRTP packet of which the first `header_len` bytes are in clear.
    pub(crate) fn open_rtp(
        &self,
        ssrc: u32,
        index: u64,
        header_len: usize,
        packet: &mut [u8],
    ) -> Result<usize, SrtpError> {
        match self {
            Self::Gcm(gcm) => {
                let (header, sealed) = packet.split_at_mut(header_len);
                Ok(header_len + gcm.open(gcm.nonce(ssrc, index), header, sealed)?)
            }
            Self::CounterMode(cipher) => {
                let (sealed, tag) = packet
                    .split_last_chunk_mut::<{ CounterMode::TAG_LEN }>()
                    .ok_or(SrtpError::Malformed)?;
                if sealed.len() < header_len {
                    return Err(SrtpError::Malformed);
                }
                if !bool::from(cipher.rtp_tag(sealed, index).ct_eq(tag)) {
                    return Err(SrtpError::Authentication);
                }
                apply_key_stream(
                    &cipher.aes,
                    &cipher.counter(ssrc, index),
                    &mut sealed[header_len..],
                );
                Ok(sealed.len())
            }
        }
    }

    /// Seals the RTCP packet in `buffer[..len]` and puts the index behind it. The caller has checked the room.
    pub(crate) fn seal_rtcp(
        &self,
        ssrc: u32,
        index: u32,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, SrtpError> {
        let word = (index | ENCRYPTED_FLAG).to_be_bytes();
        match self {
            Self::Gcm(gcm) => {
                let associated = associated_data(buffer, word)?;
                let nonce = gcm.nonce(ssrc, u64::from(index));
                let tag = gcm.seal(nonce, &associated, &mut buffer[RTCP_HEADER_LEN..len])?;
                put(buffer, len, tag.as_ref())?;
                put(buffer, len + Gcm::TAG_LEN, &word)?;
                Ok(len + Gcm::TAG_LEN + INDEX_WORD_LEN)
            }
            Self::CounterMode(cipher) => {
                let counter = cipher.counter(ssrc, u64::from(index));
                apply_key_stream(&cipher.aes, &counter, &mut buffer[RTCP_HEADER_LEN..len]);
                put(buffer, len, &word)?;
                let len = len + INDEX_WORD_LEN;
                let tag = cipher.tag(&[&buffer[..len]]);
                put(buffer, len, &tag)?;
                Ok(len + CounterMode::TAG_LEN)
            }
        }
    }

    /// The index of an SRTCP packet, not yet authentic. Fails when the packet is too short or not encrypted.
    pub(crate) fn rtcp_index(&self, packet: &[u8]) -> Result<u32, SrtpError> {
        let behind_index = match self {
            Self::Gcm(_) => 0,
            Self::CounterMode(_) => CounterMode::TAG_LEN,
        };
        let word_end = packet
            .len()
            .checked_sub(behind_index)
            .ok_or(SrtpError::Malformed)?;
        let word = packet[..word_end]
            .last_chunk::<INDEX_WORD_LEN>()
            .ok_or(SrtpError::Malformed)?;
        let word = u32::from_be_bytes(*word);
        if word & ENCRYPTED_FLAG == 0 {
            return Err(SrtpError::NotEncrypted);
        }
        Ok(word & !ENCRYPTED_FLAG)
    }

    /// Opens an SRTCP packet whose index is `index`.
    pub(crate) fn open_rtcp(&self, ssrc: u32, index: u32, packet: &mut [u8]) -> Result<usize, SrtpError> {
        match self {
            Self::Gcm(gcm) => {
                let associated = associated_data(packet, (index | ENCRYPTED_FLAG).to_be_bytes())?;
                let word_start = packet.len() - INDEX_WORD_LEN;
                let sealed = packet
                    .get_mut(RTCP_HEADER_LEN..word_start)
                    .ok_or(SrtpError::Malformed)?;
                Ok(RTCP_HEADER_LEN + gcm.open(gcm.nonce(ssrc, u64::from(index)), &associated, sealed)?)
            }
            Self::CounterMode(cipher) => {
                let (sealed, tag) = packet
                    .split_last_chunk_mut::<{ CounterMode::TAG_LEN }>()
                    .ok_or(SrtpError::Malformed)?;
                let len = sealed
                    .len()
                    .checked_sub(INDEX_WORD_LEN)
                    .ok_or(SrtpError::Malformed)?;
                if len < RTCP_HEADER_LEN {
                    return Err(SrtpError::Malformed);
                }
                if !bool::from(cipher.tag(&[sealed]).ct_eq(tag)) {
                    return Err(SrtpError::Authentication);
                }
                let counter = cipher.counter(ssrc, u64::from(index));
                apply_key_stream(&cipher.aes, &counter, &mut sealed[RTCP_HEADER_LEN..len]);
                Ok(len)
            }
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cipher").finish_non_exhaustive()
    }
}

/// What AEAD authenticates of an SRTCP packet beside its content: the header in clear and the index word.
///
/// Source: RFC 7714 section 9.2.
fn associated_data(
    packet: &[u8],
    word: [u8; 4],
) -> Result<[u8; RTCP_HEADER_LEN + INDEX_WORD_LEN], SrtpError> {
    let header = packet
        .first_chunk::<RTCP_HEADER_LEN>()
        .ok_or(SrtpError::Malformed)?;
    let mut associated = [0; RTCP_HEADER_LEN + INDEX_WORD_LEN];
    associated[..RTCP_HEADER_LEN].copy_from_slice(header);
    associated[RTCP_HEADER_LEN..].copy_from_slice(&word);
    Ok(associated)
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), SrtpError> {
    buffer
        .get_mut(at..at + bytes.len())
        .ok_or(SrtpError::NoRoom)?
        .copy_from_slice(bytes);
    Ok(())
}

/// AES-GCM for SRTP (RFC 7714).
pub(crate) struct Gcm {
    key: aead::LessSafeKey,
    salt: Zeroizing<[u8; 12]>,
}

impl Gcm {
    const TAG_LEN: usize = 16;

    fn new(algorithm: &'static aead::Algorithm, keys: &SessionKeys) -> Self {
        let key = aead::UnboundKey::new(algorithm, &keys.encryption)
            .expect("the encryption key was derived with the length of its profile");
        let mut salt = Zeroizing::new([0; 12]);
        salt.copy_from_slice(&keys.salt);
        Self {
            key: aead::LessSafeKey::new(key),
            salt,
        }
    }

    /// Two zero bytes, SSRC and 48 bits of index, added to the salt. It is unique as long as no index is used twice.
    ///
    /// Source: RFC 7714 sections 8.1 and 9.1, which come to the same: an SRTCP index has 31 of the 48 bits.
    pub(crate) fn nonce(&self, ssrc: u32, index: u64) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[2..6].copy_from_slice(&ssrc.to_be_bytes());
        nonce[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        nonce
            .iter_mut()
            .zip(self.salt.iter())
            .for_each(|(byte, salt)| *byte ^= salt);
        nonce
    }

    fn seal(&self, nonce: [u8; 12], associated: &[u8], plain: &mut [u8]) -> Result<aead::Tag, SrtpError> {
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        // It fails only beyond 2^36 bytes, which no datagram has.
        self.key
            .seal_in_place_separate_tag(nonce, aead::Aad::from(associated), plain)
            .map_err(|_| SrtpError::Malformed)
    }

    fn open(&self, nonce: [u8; 12], associated: &[u8], sealed: &mut [u8]) -> Result<usize, SrtpError> {
        if sealed.len() < Self::TAG_LEN {
            return Err(SrtpError::Malformed);
        }
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let plain = self
            .key
            .open_in_place(nonce, aead::Aad::from(associated), sealed)
            .map_err(|_| SrtpError::Authentication)?;
        Ok(plain.len())
    }
}

/// AES-128 in counter mode with an HMAC-SHA1 tag of 80 bits (RFC 3711).
pub(crate) struct CounterMode {
    aes: Aes128,
    salt: Zeroizing<[u8; 14]>,
    authentication: hmac::Key,
}

impl CounterMode {
    const TAG_LEN: usize = 10;

    fn new(keys: &SessionKeys) -> Self {
        let aes = Aes128::new_from_slice(&keys.encryption)
            .expect("the encryption key was derived with the length of its profile");
        let mut salt = Zeroizing::new([0; 14]);
        salt.copy_from_slice(&keys.salt);
        let authentication = hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            keys.authentication.as_slice(),
        );
        Self {
            aes,
            salt,
            authentication,
        }
    }

    /// The first counter block of a packet: the salt, SSRC and 48 bits of index, and two bytes that count blocks.
    ///
    /// Source: RFC 3711 section 4.1.1.
    fn counter(&self, ssrc: u32, index: u64) -> [u8; 16] {
        let mut counter = [0; 16];
        counter[4..8].copy_from_slice(&ssrc.to_be_bytes());
        counter[8..14].copy_from_slice(&index.to_be_bytes()[2..]);
        counter
            .iter_mut()
            .zip(self.salt.iter())
            .for_each(|(byte, salt)| *byte ^= salt);
        counter
    }

    /// The tag of an SRTP packet covers the rollover counter too, which is not in the packet.
    fn rtp_tag(&self, packet: &[u8], index: u64) -> [u8; Self::TAG_LEN] {
        self.tag(&[packet, &((index >> 16) as u32).to_be_bytes()])
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; Self::TAG_LEN] {
        let mut context = hmac::Context::with_key(&self.authentication);
        parts.iter().for_each(|part| context.update(part));
        let mut tag = [0; Self::TAG_LEN];
        tag.copy_from_slice(&context.sign().as_ref()[..Self::TAG_LEN]);
        tag
    }
}

#[cfg(test)]
mod tests;
