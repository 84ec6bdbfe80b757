//! Who is in the group, and what each says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use mls::openmls::prelude::{Credential, MlsGroup};
use protocol::group::RefusalReason;

use super::library;
use crate::identity::{Leaf, MemberId};
use crate::profile::Profile;

/// One member.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its member id.
    pub member: MemberId,
    /// The signature key of its leaf.
    pub signature_key: Vec<u8>,
    /// Its latest announcement, with the bytes that it signed.
    pub profile: Option<(Profile, Vec<u8>)>,
    /// When it was last heard, or since when it could have been.
    pub heard: Duration,
    /// Whether it was marked as silent.
    pub is_silent: bool,
}

/// All members by leaf.
#[derive(Debug, Default)]
pub struct Roster {
    entries: BTreeMap<u32, Entry>,
}

/// Somebody who is in no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departed {
    /// Its leaf.
    pub leaf: u32,
    /// Its member id.
    pub member: MemberId,
    /// Whether the same member sits on this leaf again, or on another.
    pub is_back: bool,
}

impl Roster {
    /// Takes over who is in the group. Returns who came and who went; what is known of those who stay, stays.
    pub fn follow(
        &mut self,
        group: &MlsGroup,
        now: Duration,
    ) -> Result<(Vec<u32>, Vec<Departed>), RefusalReason> {
        let mut next = BTreeMap::new();
        let mut came = Vec::new();
        for member in group.members() {
            let id = library::member_of(&member.credential)?;
            let leaf = member.index.u32();
            let entry = match self.entries.remove(&leaf) {
                Some(entry) if entry.member == id && entry.signature_key == member.signature_key => entry,
                earlier => {
                    if let Some(earlier) = earlier {
                        self.entries.insert(leaf, earlier);
                    }
                    came.push(leaf);
                    Entry {
                        member: id,
                        signature_key: member.signature_key,
                        profile: None,
                        heard: now,
                        is_silent: false,
                    }
                }
            };
            next.insert(leaf, entry);
        }
        let went = std::mem::replace(&mut self.entries, next);
        let departed = went
            .into_iter()
            .map(|(leaf, entry)| Departed {
                leaf,
                member: entry.member,
                is_back: self.leaf_of(entry.member).is_some(),
            })
            .collect();
        Ok((came, departed))
    }

    /// Everybody, by leaf.
    pub fn entries(&self) -> impl Iterator<Item = (u32, &Entry)> {
        self.entries.iter().map(|(leaf, entry)| (*leaf, entry))
    }

    /// Everybody, to note that they were heard.
    pub fn entries_mut(&mut self) -> impl Iterator<Item = (u32, &mut Entry)> {
        self.entries.iter_mut().map(|(leaf, entry)| (*leaf, entry))
    }

    /// The member on a leaf.
    pub fn at(&self, leaf: u32) -> Option<&Entry> {
        self.entries.get(&leaf)
    }

    /// The member on a leaf.
    pub fn at_mut(&mut self, leaf: u32) -> Option<&mut Entry> {
        self.entries.get_mut(&leaf)
    }

    /// The leaf of a member.
    pub fn leaf_of(&self, member: MemberId) -> Option<u32> {
        let mut entries = self.entries.iter();
        entries
            .find(|(_, entry)| entry.member == member)
            .map(|(leaf, _)| *leaf)
    }

    /// How many are in.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Everybody as key ids name them.
    pub fn leaves(&self) -> Vec<(Leaf, MemberId)> {
        let entries = self.entries.iter();
        entries
            .filter_map(|(index, entry)| Some((leaf(*index)?, entry.member)))
            .collect()
    }
}

/// A leaf as key ids name it; `None` above 1,023, which the policy keeps out.
pub fn leaf(index: u32) -> Option<Leaf> {
    Leaf::new(u16::try_from(index).ok()?)
}

/// Whether two credentials are of one member.
pub(super) fn is_same_member(one: &Credential, other: &Credential) -> bool {
    matches!((library::member_of(one), library::member_of(other)), (Ok(one), Ok(other)) if one == other)
}
