//! The room's secret K, and the independent keys that are derived from it.
//!
//! The link is always mixed in; there is no room whose only secret is a
//! password. Knowing one output tells nothing of the others.

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::bytes::secret_bytes;
use crate::hkdf;

secret_bytes! {
    /// 128 random bits that travel in the meeting link.
    Link, 16
}
secret_bytes! {
    /// What a client shows the server to be let in. The server keeps its hash only.
    Gate, 32
}
secret_bytes! {
    /// The pre-shared key of one generation, for the MLS group.
    Psk, 32
}
secret_bytes! {
    /// Seals the mailbox's private key of one generation.
    MailboxSecret, 32
}
secret_bytes! {
    /// What SFrame keys are derived from (RFC 9605, section 4.4.2).
    BaseKey, 16
}
/// Argon2id's memory in kibibytes: 64 MiB, what a phone's browser still gives.
const ARGON2_MEMORY_KIB: u32 = 64 * 1_024;
/// Argon2id's passes.
const ARGON2_PASSES: u32 = 3;

/// The secret K of a room.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RoomSecret([u8; 32]);

impl std::fmt::Debug for RoomSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RoomSecret(hidden)")
    }
}

impl RoomSecret {
    /// Derives the secret of a room without password.
    pub fn from_link(link: &Link) -> Self {
        Self(*hkdf::derive(link.as_bytes(), &[b""]))
    }

    /// Derives the secret of a room with a password. It takes 64 MiB and a
    /// good part of a second. The password is put into normal form C first,
    /// because keyboards disagree on how an accent is written.
    ///
    /// Source: RFC 9106 for Argon2id; Unicode Standard Annex 15 for form C.
    pub fn from_link_and_password(link: &Link, password: &str) -> Self {
        let normal = Zeroizing::new(password.nfc().collect::<String>());
        let salt = hkdf::derive::<32>(link.as_bytes(), &[b"salt"]);
        let mut input = Zeroizing::new([0; 48]);
        input[..16].copy_from_slice(link.as_bytes());
        let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, 1, Some(32))
            .expect("the parameters are constants within Argon2's bounds");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(normal.as_bytes(), salt.as_slice(), &mut input[16..])
            .expect("the salt has 32 bytes and no password nears 4 GiB");
        Self(*hkdf::derive(input.as_slice(), &[b""]))
    }

    /// What the server asks for at the door.
    pub fn gate(&self) -> Gate {
        Gate::new(*hkdf::derive(&self.0, &[b"gate"]))
    }

    /// The MLS pre-shared key of a generation.
    pub fn psk(&self, generation: u16) -> Psk {
        Psk::new(*hkdf::derive(&self.0, &[b"mls psk", &generation.to_be_bytes()]))
    }

    /// The key of the proof that a KeyPackage was made by somebody who knows this secret.
    pub(crate) fn key_package_key(&self) -> Zeroizing<[u8; 32]> {
        hkdf::derive(&self.0, &[b"kp"])
    }

    /// The mailbox secret of a generation.
    pub fn mailbox(&self, generation: u16) -> MailboxSecret {
        MailboxSecret::new(*hkdf::derive(&self.0, &[b"mailbox", &generation.to_be_bytes()]))
    }

    /// The secret itself, for the vectors that the browser client reads too.
    #[cfg(test)]
    pub(crate) const fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Gate {
    /// SHA-256 of the gate: all that the server keeps.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_written_in_two_ways_give_one_secret() {
        let link = Link::new([1; 16]);
        let composed = RoomSecret::from_link_and_password(&link, "caf\u{e9}");
        let decomposed = RoomSecret::from_link_and_password(&link, "cafe\u{301}");
        assert_eq!(composed.reveal(), decomposed.reveal());
    }

    #[test]
    fn password_link_and_purpose_each_change_the_output() {
        let link = Link::new([1; 16]);
        let other_link = RoomSecret::from_link(&Link::new([2; 16]));
        let plain = RoomSecret::from_link(&link);
        let with_password = RoomSecret::from_link_and_password(&link, "");
        let outputs = [
            *plain.gate().as_bytes(),
            *other_link.gate().as_bytes(),
            *with_password.gate().as_bytes(),
            *plain.psk(0).as_bytes(),
            *plain.psk(1).as_bytes(),
            *plain.mailbox(0).as_bytes(),
            *plain.key_package_key(),
            *plain.reveal(),
        ];
        for (index, output) in outputs.iter().enumerate() {
            assert!(!outputs[index + 1..].contains(output), "output {index} repeats");
        }
    }

    #[test]
    fn debug_output_hides_every_secret() {
        let secret = RoomSecret::from_link(&Link::new([1; 16]));
        assert_eq!(
            format!("{secret:?} {:?}", secret.gate()),
            "RoomSecret(hidden) Gate(hidden)"
        );
    }
}
