//! The proof that a KeyPackage was made by somebody who knows the room's secret.
//!
//! HMAC-SHA-256 with key HKDF(K, "kp") over room id ‖ generation ‖ KeyPackage. It names the room and not the group,
//! because a newcomer does not know the group yet; a room has one group at a time.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::identity::RoomId;
use crate::secret::RoomSecret;

fn mac(secret: &RoomSecret, room: RoomId, generation: u16, key_package: &[u8]) -> Hmac<Sha256> {
    let key = secret.key_package_key();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    mac.update(room.as_bytes());
    mac.update(&generation.to_be_bytes());
    mac.update(key_package);
    mac
}

/// The proof for a KeyPackage, as `MLSMessage`.
pub fn prove(secret: &RoomSecret, room: RoomId, generation: u16, key_package: &[u8]) -> [u8; 32] {
    mac(secret, room, generation, key_package)
        .finalize()
        .into_bytes()
        .into()
}

/// Whether the proof is right, in constant time.
pub fn is_proven(
    secret: &RoomSecret,
    room: RoomId,
    generation: u16,
    key_package: &[u8],
    proof: &[u8; 32],
) -> bool {
    mac(secret, room, generation, key_package)
        .verify_slice(proof)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Link;

    #[test]
    fn a_proof_holds_for_its_secret_room_generation_and_key_package_only() {
        let secret = RoomSecret::from_link(&Link::new([1; 16]));
        let other = RoomSecret::from_link(&Link::new([2; 16]));
        let room = RoomId::new([3; 16]);
        let proof = prove(&secret, room, 4, b"package");
        assert!(is_proven(&secret, room, 4, b"package", &proof));
        assert!(!is_proven(&other, room, 4, b"package", &proof));
        assert!(!is_proven(&secret, RoomId::new([0; 16]), 4, b"package", &proof));
        assert!(!is_proven(&secret, room, 5, b"package", &proof));
        assert!(!is_proven(&secret, room, 4, b"packages", &proof));
    }
}
