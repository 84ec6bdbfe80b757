//! What the owner of a room allows, and the check of it.
//!
//! The owner is a key pair made for one room. The first 16 bytes of the SHA-256 of its public key stand in the link,
//! so nobody has to be asked who owns the room.

use mls::crypto::verify;
use protocol::group::{Grant, Role};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::identity::MemberId;

/// What names an owner in a link: the first 16 bytes of SHA-256 of the public key.
pub fn owner_of(public_key: &[u8; 32]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(public_key).into();
    let mut owner = [0; 16];
    owner.copy_from_slice(&hash[..16]);
    owner
}

/// Whose grant is looked at, and where.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The group that it holds in.
    pub group_id: &'a [u8],
    /// The member that shows it.
    pub member: MemberId,
    /// The signature key of that member's leaf.
    pub signature_key: &'a [u8],
}

/// The role that a grant gives to a leaf; `None` where it was not signed by this owner for this leaf of this group,
/// or is over.
pub fn role(grant: &Grant, owner: &[u8; 16], holder: Holder<'_>, unix_seconds: u64) -> Option<Role> {
    let is_owner: bool = owner_of(&grant.owner).ct_eq(owner).into();
    if !is_owner || grant.expiry <= unix_seconds {
        return None;
    }
    let signed = Grant::signed_bytes(
        holder.group_id,
        holder.member.as_bytes(),
        holder.signature_key,
        grant.role,
        grant.expiry,
    );
    verify(&signed, &grant.owner, &grant.signature).ok()?;
    Some(grant.role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mls::LeafSigner;

    #[test]
    fn a_grant_holds_for_its_leaf_in_its_group_until_it_is_over() {
        let (grant, owner) = sample();
        assert_eq!(role(&grant, &owner, holder(), 99), Some(Role::Owner));
        assert_eq!(role(&grant, &owner, holder(), 100), None, "it is over");
        assert_eq!(role(&grant, &[0; 16], holder(), 99), None, "another owner");
        let elsewhere = Holder {
            group_id: &[8; 16],
            ..holder()
        };
        assert_eq!(role(&grant, &owner, elsewhere, 99), None);
        let somebody = Holder {
            member: MemberId::new([8; 16]),
            ..holder()
        };
        assert_eq!(role(&grant, &owner, somebody, 99), None);
        let other_leaf = Holder {
            signature_key: &[8; 32],
            ..holder()
        };
        assert_eq!(role(&grant, &owner, other_leaf, 99), None);
        let raised = Grant {
            role: Role::Moderator,
            ..grant
        };
        assert_eq!(role(&raised, &owner, holder(), 99), None, "the role is signed");
    }

    fn holder() -> Holder<'static> {
        Holder {
            group_id: &[1; 16],
            member: MemberId::new([2; 16]),
            signature_key: &[3; 32],
        }
    }

    fn sample() -> (Grant, [u8; 16]) {
        let owner = LeafSigner::new(&[5; 32]);
        let signed = Grant::signed_bytes(&[1; 16], &[2; 16], &[3; 32], Role::Owner, 100);
        let grant = Grant {
            owner: owner.public(),
            role: Role::Owner,
            expiry: 100,
            signature: owner.sign_bytes(&signed),
        };
        (grant, owner_of(&owner.public()))
    }
}
