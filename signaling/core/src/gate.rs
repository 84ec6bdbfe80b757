//! Who may come in: the check of a gate against the hash that the room's creator left.

use protocol::bytes::{Gate, GateHash};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What an unknown room is compared with. No gate is known whose SHA-256 this is.
const NO_ROOM: [u8; 32] = [0; 32];

/// Whether the gate opens a room with this hash. `None` stands for an unknown room and costs the same work.
pub fn opens(stored: Option<&GateHash>, gate: &Gate) -> bool {
    let hash: [u8; 32] = Sha256::digest(gate.as_bytes()).into();
    let known = Choice::from(u8::from(stored.is_some()));
    let wanted = stored.map_or(&NO_ROOM, GateHash::as_bytes);
    (hash.ct_eq(wanted) & known).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash_of(gate: &Gate) -> GateHash {
        GateHash::from_bytes(Sha256::digest(gate.as_bytes()).into())
    }

    #[test]
    fn the_right_gate_opens_and_others_do_not() {
        let right = Gate::from_bytes([7; 32]);
        let mut nearly = [7; 32];
        nearly[31] ^= 1;
        assert!(opens(Some(&hash_of(&right)), &right));
        assert!(!opens(Some(&hash_of(&right)), &Gate::from_bytes(nearly)));
    }

    #[test]
    fn an_unknown_room_opens_for_nobody() {
        assert!(!opens(None, &Gate::from_bytes([0; 32])));
    }

    #[test]
    fn the_hash_itself_does_not_open() {
        let stored = hash_of(&Gate::from_bytes([7; 32]));
        assert!(!opens(Some(&stored), &Gate::from_bytes(*stored.as_bytes())));
    }
}
