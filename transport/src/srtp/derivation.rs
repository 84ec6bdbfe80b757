//! Session keys from master keys, and the counter mode that makes them.

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use aes::{Aes128, Aes256};
use zeroize::Zeroizing;

use crate::srtp::profile::SrtpProfile;

/// Length of the HMAC-SHA1 key, in bytes (RFC 3711 section 8.2).
pub(crate) const AUTHENTICATION_KEY_LEN: usize = 20;

/// Which stream session keys are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// SRTP.
    Rtp,
    /// SRTCP.
    Rtcp,
}

/// What one stream of one direction is protected with.
pub(crate) struct SessionKeys {
    /// The encryption key, as long as the profile's master key.
    pub(crate) encryption: Zeroizing<Vec<u8>>,
    /// The HMAC-SHA1 key; AEAD profiles do not use it.
    pub(crate) authentication: Zeroizing<[u8; AUTHENTICATION_KEY_LEN]>,
    /// The salt, as long as the profile's master salt.
    pub(crate) salt: Zeroizing<Vec<u8>>,
}

impl SessionKeys {
    /// Derives the keys of a stream, once: the derivation rate of DTLS-SRTP is zero.
    ///
    /// Source: RFC 3711 section 4.3.2 with its labels 0 to 5; RFC 7714 section 11.
    pub(crate) fn derive(
        profile: SrtpProfile,
        (master_key, master_salt): (&[u8], &[u8]),
        stream: Stream,
    ) -> Self {
        let first_label = match stream {
            Stream::Rtp => 0,
            Stream::Rtcp => 3,
        };
        let mut keys = Self {
            encryption: Zeroizing::new(vec![0; profile.key_len()]),
            authentication: Zeroizing::new([0; AUTHENTICATION_KEY_LEN]),
            salt: Zeroizing::new(vec![0; profile.salt_len()]),
        };
        generate(master_key, master_salt, first_label, &mut keys.encryption);
        generate(
            master_key,
            master_salt,
            first_label + 1,
            keys.authentication.as_mut_slice(),
        );
        generate(master_key, master_salt, first_label + 2, &mut keys.salt);
        keys
    }
}

/// The pseudo-random function of SRTP: the key stream of AES in counter mode under the master key.
///
/// The label goes to byte 7 of the salt, seven bytes before its end; a salt of 12 bytes (AEAD profiles) is filled up
/// with zeros on the right first.
///
/// Source: RFC 3711 section 4.3.3, RFC 6188 section 4, RFC 7714 section 11.
pub(crate) fn generate(master_key: &[u8], master_salt: &[u8], label: u8, out: &mut [u8]) {
    let mut counter = Zeroizing::new([0; 16]);
    let salt_len = master_salt.len().min(14);
    counter[..salt_len].copy_from_slice(&master_salt[..salt_len]);
    counter[7] ^= label;
    out.fill(0);
    if let Ok(aes) = Aes128::new_from_slice(master_key) {
        apply_key_stream(&aes, &counter, out);
    } else if let Ok(aes) = Aes256::new_from_slice(master_key) {
        apply_key_stream(&aes, &counter, out);
    }
}

/// Adds the key stream of AES in counter mode that begins at `counter`.
pub(crate) fn apply_key_stream<C>(aes: &C, counter: &[u8; 16], bytes: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = U16>,
{
    let core = ctr::CtrCore::<&C, ctr::flavors::Ctr128BE>::inner_iv_init(aes, counter.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::testing::hex;

    fn generated(key: &str, salt: &str, label: u8, len: usize) -> Vec<u8> {
        let mut out = vec![0xFF; len];
        generate(&hex(key), &hex(salt), label, &mut out);
        out
    }

    /// RFC 3711 appendix B.2: the key stream of counter mode, of which it prints the first three blocks and three
    /// around block 0xFF00.
    #[test]
    fn key_stream_is_that_of_rfc_3711() {
        let aes = Aes128::new_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        let counter: [u8; 16] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap();
        let mut stream = vec![0; 0xFF02 * 16];
        apply_key_stream(&aes, &counter, &mut stream);
        for (block, expected) in [
            (0, "E03EAD0935C95E80E166B16DD92B4EB4"),
            (1, "D23513162B02D0F72A43A2FE4A5F97AB"),
            (2, "41E95B3BB0A2E8DD477901E4FCA894C0"),
            (0xFEFF, "EC8CDF7398607CB0F2D21675EA9EA1E4"),
            (0xFF00, "362B7C3C6773516318A077D7FC5073AE"),
            (0xFF01, "6A2CC3787889374FBEB4C81B17BA6C44"),
        ] {
            assert_eq!(stream[block * 16..][..16], hex(expected), "block {block:#x}");
        }
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn keys_are_those_of_rfc_3711() {
        let (key, salt) = ("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6");
        assert_eq!(
            generated(key, salt, 0, 16),
            hex("C61E7A93744F39EE10734AFE3FF7A087")
        );
        assert_eq!(generated(key, salt, 2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            generated(key, salt, 1, 94),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE
                 E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25
                 6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")
        );
    }

    /// RFC 6188 section 7.2: the pseudo-random function under a key of 256 bits.
    #[test]
    fn keys_of_256_bits_are_those_of_rfc_6188() {
        let key = "F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6";
        let salt = "3B04803DE51EE7C96423AB5B78D2";
        assert_eq!(
            generated(key, salt, 0, 32),
            hex("5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4")
        );
        assert_eq!(
            generated(key, salt, 1, 20),
            hex("FD9C32D39ED5FBB5A9DC96B30818454D1313DC05")
        );
        assert_eq!(generated(key, salt, 2, 14), hex("FA31791685CA444A9E07C6C64E93"));
    }

    #[test]
    fn the_six_keys_of_a_direction_differ() {
        let master = (&[1; 16][..], &[2; 14][..]);
        let rtp = SessionKeys::derive(SrtpProfile::Aes128CmHmacSha1_80, master, Stream::Rtp);
        let rtcp = SessionKeys::derive(SrtpProfile::Aes128CmHmacSha1_80, master, Stream::Rtcp);
        assert_ne!(rtp.encryption, rtcp.encryption);
        assert_ne!(rtp.authentication, rtcp.authentication);
        assert_ne!(rtp.salt, rtcp.salt);
        assert_ne!(rtp.encryption[..], rtp.authentication[..16]);
    }
}
