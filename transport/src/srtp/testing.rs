//! Helpers that several tests of this module use.

use crate::srtp::profile::{SrtpKeys, SrtpProfile};

/// All profiles.
pub(crate) const PROFILES: [SrtpProfile; 3] = [
    SrtpProfile::Aes128CmHmacSha1_80,
    SrtpProfile::AeadAes128Gcm,
    SrtpProfile::AeadAes256Gcm,
];

/// Bytes from hexadecimal digits; anything else between them is skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Keys that differ per direction.
pub(crate) fn keys(profile: SrtpProfile) -> SrtpKeys {
    let len = profile.key_len() + profile.salt_len();
    let send: Vec<u8> = (1..=len as u8).collect();
    let receive: Vec<u8> = (101..=100 + len as u8).collect();
    SrtpKeys::new(profile, &send, &receive).unwrap()
}

/// An RTP packet without extension.
pub(crate) fn rtp(ssrc: u32, sequence_number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(sequence_number.to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

/// An empty receiver report, with `words` words of noise behind it.
pub(crate) fn rtcp(ssrc: u32, words: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 201];
    packet.extend((1 + words).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..words * 4).map(|byte| byte as u8));
    packet
}
