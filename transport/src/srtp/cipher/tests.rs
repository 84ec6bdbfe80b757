//! The vectors of RFC 7714 sections 16 and 17, and packets that libsrtp protects the same way.

use super::*;
use crate::srtp::derivation::Stream;
use crate::srtp::testing::hex;

const KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const SALT: &str = "517569642070726f2071756f";

const RTP: &str =
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465
                   73207472 6573";
const RTP_SSRC: u32 = 0x5501_a0b2;
const RTP_INDEX: u64 = 0xf17b;

const RTCP: &str =
    "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef
                    deadbeef deadbeef";
const RTCP_SSRC: u32 = 0x4d61_7273;
const RTCP_INDEX: u32 = 0x5d4;

fn with_session_keys(profile: SrtpProfile, salt: &str) -> Cipher {
    let keys = SessionKeys {
        encryption: Zeroizing::new(hex(KEY_256)[..profile.key_len()].to_vec()),
        authentication: Zeroizing::new([0; 20]),
        salt: Zeroizing::new(hex(salt)),
    };
    Cipher::new(profile, &keys)
}

fn gcm(profile: SrtpProfile) -> Gcm {
    match with_session_keys(profile, SALT) {
        Cipher::Gcm(gcm) => gcm,
        Cipher::CounterMode(_) => panic!("an AEAD profile was asked for"),
    }
}

fn rtp_round_trip(cipher: &Cipher, ssrc: u32, index: u64, plain: &[u8], sealed: &[u8]) {
    let mut buffer = plain.to_vec();
    buffer.resize(sealed.len(), 0);
    assert_eq!(
        cipher.seal_rtp(ssrc, index, 12, &mut buffer, plain.len()),
        Ok(sealed.len())
    );
    assert_eq!(buffer, sealed);
    assert_eq!(cipher.open_rtp(ssrc, index, 12, &mut buffer), Ok(plain.len()));
    assert_eq!(buffer[..plain.len()], *plain);
}

fn rtcp_round_trip(cipher: &Cipher, ssrc: u32, index: u32, plain: &[u8], sealed: &[u8]) {
    let mut buffer = plain.to_vec();
    buffer.resize(sealed.len(), 0);
    assert_eq!(
        cipher.seal_rtcp(ssrc, index, &mut buffer, plain.len()),
        Ok(sealed.len())
    );
    assert_eq!(buffer, sealed);
    assert_eq!(cipher.rtcp_index(&buffer), Ok(index));
    assert_eq!(cipher.open_rtcp(ssrc, index, &mut buffer), Ok(plain.len()));
    assert_eq!(buffer[..plain.len()], *plain);
}

#[test]
fn nonces_are_those_of_rfc_7714() {
    let gcm = gcm(SrtpProfile::AeadAes128Gcm);
    assert_eq!(
        gcm.nonce(RTP_SSRC, RTP_INDEX).to_vec(),
        hex("51753c6580c2726f20718414")
    );
    assert_eq!(
        gcm.nonce(RTCP_SSRC, u64::from(RTCP_INDEX)).to_vec(),
        hex("517524055203726f207170bb")
    );
}

/// RFC 7714 sections 16.1.1, 16.1.2, 16.2.1 and 16.2.2.
#[test]
fn srtp_is_that_of_rfc_7714() {
    for (profile, sealed) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b
             36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f
             1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
        ),
    ] {
        rtp_round_trip(&with_session_keys(profile, SALT), RTP_SSRC, RTP_INDEX, &hex(RTP), &hex(sealed));
    }
}

/// RFC 7714 sections 17.1 and 17.2.
#[test]
fn srtcp_is_that_of_rfc_7714() {
    for (profile, sealed) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46
             86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658
             c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
        ),
    ] {
        rtcp_round_trip(&with_session_keys(profile, SALT), RTCP_SSRC, RTCP_INDEX, &hex(RTCP), &hex(sealed));
    }
}

/// RFC 7714 sections 16.1.3, 16.1.4, 16.2.3, 16.2.4, 17.3 and 17.4 authenticate without encrypting. We never send nor
/// accept that; its vectors still check nonce, associated data and tag.
#[test]
fn tags_over_clear_packets_are_those_of_rfc_7714() {
    for (profile, rtp_tag, rtcp_tag) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "22493f82d2bce397e9d79e3b19aa4216",
            "841dd9683dd78ec92ae58790125f62b3",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "a866d5910f887463067ceefec45215d4",
            "91db4afbfeee5a978fab4393ed2615fe",
        ),
    ] {
        let gcm = gcm(profile);
        let tag = gcm
            .seal(gcm.nonce(RTP_SSRC, RTP_INDEX), &hex(RTP), &mut [])
            .unwrap();
        assert_eq!(tag.as_ref(), hex(rtp_tag));

        let mut associated = hex(RTCP);
        associated.extend(RTCP_INDEX.to_be_bytes());
        let tag = gcm
            .seal(gcm.nonce(RTCP_SSRC, u64::from(RTCP_INDEX)), &associated, &mut [])
            .unwrap();
        assert_eq!(tag.as_ref(), hex(rtcp_tag));
    }
}

/// RFC 7714 section 17.3: a packet with a good tag and without the E flag.
#[test]
fn srtcp_without_encryption_is_refused() {
    let packet = hex(&format!("{RTCP} 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4"));
    let cipher = with_session_keys(SrtpProfile::AeadAes128Gcm, SALT);
    assert_eq!(cipher.rtcp_index(&packet), Err(SrtpError::NotEncrypted));
}

/// Master keys, packets and results of libsrtp's own test driver; they cover key derivation too, with salts of 14 and
/// of 12 bytes.
#[test]
fn packets_are_those_of_libsrtp() {
    let content = "ab".repeat(16);
    let (rtp, rtcp) = (
        hex(&format!("800f1234decafbadcafebabe{content}")),
        hex(&format!("81c8000bcafebabe{content}")),
    );
    for (profile, key, salt, srtp, srtcp) in [
        (
            SrtpProfile::Aes128CmHmacSha1_80,
            "e1f97a0d3e018be0d64fa32c06de4139",
            "0ec675ad498afeebb6960b3aabe6",
            "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb",
            "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798",
        ),
        (
            SrtpProfile::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0f",
            "a0a1a2a3a4a5a6a7a8a9aaab",
            "800f1234decafbadcafebabe c5002ede04cfdd2eb91159e0880aa06e d2976826f796b201df3131a127e8a392",
            "81c8000bcafebabe c98b8b5df0392a55852b6c21ac8e7025 c52c6fbea2b3b446ea31123ba88ce61e 80000001",
        ),
    ] {
        let master = (hex(key), hex(salt));
        let cipher = |stream| {
            Cipher::new(
                profile,
                &SessionKeys::derive(profile, (&master.0, &master.1), stream),
            )
        };
        rtp_round_trip(&cipher(Stream::Rtp), 0xcafe_babe, 0x1234, &rtp, &hex(srtp));
        rtcp_round_trip(&cipher(Stream::Rtcp), 0xcafe_babe, 1, &rtcp, &hex(srtcp));
    }
}
