//! Sealing and opening frames with the keys of a group: what the events of a [`Member`](crate::group::Member) say
//! about keys, done.

use std::collections::BTreeMap;

use crate::codec::Codec;
use crate::frame::{OpenError, Opened, Opener, SealError, Sealer};
use crate::group::Event;
use crate::identity::{Leaf, MemberId, TrackNumber};
use crate::key_id::KeyId;
use crate::prefix::Prefix;
use crate::secret::BaseKey;

/// One epoch whose keys are there.
struct Epoch {
    base_key: BaseKey,
    leaf: Leaf,
    members: BTreeMap<Leaf, MemberId>,
}

/// The keys of all epochs that are kept.
#[derive(Default)]
pub struct Keyring {
    epochs: BTreeMap<u64, Epoch>,
    sending: Option<u64>,
    sealers: BTreeMap<KeyId, Sealer>,
    opener: Opener,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Keyring")
            .field("epochs", &self.epochs.keys())
            .finish_non_exhaustive()
    }
}

const fn low_bits(epoch: u64) -> u8 {
    (epoch & 0xff) as u8
}

impl Keyring {
    /// Takes what a member tells about keys; everything else is passed over.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Epoch {
                epoch,
                base_key,
                leaf,
                members,
            } => {
                // Another epoch of the same last 8 bits is long over, or was one that nobody else is in.
                self.forget(*epoch);
                let epoch_keys = Epoch {
                    base_key: base_key.clone(),
                    leaf: *leaf,
                    members: members.iter().copied().collect(),
                };
                self.epochs.insert(*epoch, epoch_keys);
            }
            Event::Send { epoch } => self.sending = Some(*epoch),
            Event::Stop | Event::Removed => self.sending = None,
            Event::Forget { epoch } => {
                self.forget(*epoch);
                if self.sending == Some(*epoch) {
                    self.sending = None;
                }
            }
            Event::ForgetLeaf { leaf, before } => {
                for (_, keys) in self.epochs.range_mut(..*before) {
                    keys.members.remove(leaf);
                }
                let over: Vec<u8> = self
                    .epochs
                    .range(..*before)
                    .map(|(epoch, _)| low_bits(*epoch))
                    .collect();
                self.opener
                    .remove(|key_id| key_id.leaf == *leaf && over.contains(&key_id.epoch));
            }
            _ => {}
        }
    }

    fn forget(&mut self, epoch: u64) {
        self.epochs.remove(&epoch);
        self.opener.remove(|key_id| key_id.epoch == low_bits(epoch));
        self.sealers.retain(|key_id, _| key_id.epoch != low_bits(epoch));
    }

    /// Seals one's own frame of a track into `sealed`, whose earlier content is lost.
    pub fn seal(
        &mut self,
        track: TrackNumber,
        prefix: &Prefix,
        plaintext: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let epoch = self.sending.ok_or(SealError::NoKey)?;
        let keys = self.epochs.get(&epoch).ok_or(SealError::NoKey)?;
        let key_id = KeyId {
            leaf: keys.leaf,
            track,
            epoch: low_bits(epoch),
        };
        let sealer = match self.sealers.entry(key_id) {
            std::collections::btree_map::Entry::Occupied(sealer) => sealer.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(Sealer::new(&keys.base_key, key_id)?)
            }
        };
        sealer.seal(prefix, plaintext, sealed)
    }

    /// Opens a frame: by its key id only. The plaintext lies in `buffer`, whose earlier content is lost.
    pub fn open<'buffer>(
        &mut self,
        codec: Codec,
        frame: &[u8],
        buffer: &'buffer mut Vec<u8>,
    ) -> Result<(MemberId, Opened<'buffer>), OpenError> {
        if frame.is_empty() {
            return Err(OpenError::Empty);
        }
        let key_id = Opener::claimed_key_id(codec, frame).ok_or(OpenError::Malformed)?;
        let mut epochs = self.epochs.iter().rev();
        let (_, keys) = epochs
            .find(|(epoch, _)| low_bits(**epoch) == key_id.epoch)
            .ok_or(OpenError::WaitingForKey)?;
        let member = *keys.members.get(&key_id.leaf).ok_or(OpenError::WaitingForKey)?;
        if key_id.leaf == keys.leaf {
            // Nobody but oneself seals with one's own leaf.
            return Err(OpenError::WaitingForKey);
        }
        if !self.opener.has(key_id) {
            self.opener.insert(&keys.base_key, key_id)?;
        }
        let opened = self.opener.open(codec, frame, buffer)?;
        Ok((member, opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Layer;

    fn epoch(number: u64, key: u8, leaf: u16) -> Event {
        let member = |leaf: u16| (Leaf::new(leaf).unwrap(), MemberId::new([leaf as u8; 16]));
        Event::Epoch {
            epoch: number,
            base_key: BaseKey::new([key; 16]),
            leaf: Leaf::new(leaf).unwrap(),
            members: vec![member(0), member(1)],
        }
    }

    fn pair() -> (Keyring, Keyring) {
        let (mut anna, mut ben) = (Keyring::default(), Keyring::default());
        anna.take(&epoch(3, 7, 0));
        anna.take(&Event::Send { epoch: 3 });
        ben.take(&epoch(3, 7, 1));
        (anna, ben)
    }

    fn seal(keyring: &mut Keyring) -> Result<Vec<u8>, SealError> {
        let mut sealed = Vec::new();
        let prefix = Prefix::of_frame(Codec::Opus, b"sound", Layer::default()).unwrap();
        keyring.seal(TrackNumber::new(0).unwrap(), &prefix, b"sound", &mut sealed)?;
        Ok(sealed)
    }

    fn open(keyring: &mut Keyring, frame: &[u8]) -> Result<MemberId, OpenError> {
        let mut buffer = Vec::new();
        keyring
            .open(Codec::Opus, frame, &mut buffer)
            .map(|(member, _)| member)
    }

    #[test]
    fn what_one_seals_the_other_opens_as_of_the_member_on_that_leaf() {
        let (mut anna, mut ben) = pair();
        let frame = seal(&mut anna).unwrap();
        assert_eq!(open(&mut ben, &frame), Ok(MemberId::new([0; 16])));
        assert_eq!(open(&mut ben, &frame), Err(OpenError::Duplicate));
        assert_eq!(
            open(&mut anna, &frame),
            Err(OpenError::WaitingForKey),
            "one's own"
        );
    }

    #[test]
    fn nothing_is_sealed_before_an_epoch_is_to_be_sent_with_nor_after_stop() {
        let (mut anna, mut ben) = pair();
        assert_eq!(seal(&mut ben), Err(SealError::NoKey));
        anna.take(&Event::Stop);
        assert_eq!(seal(&mut anna), Err(SealError::NoKey));
    }

    #[test]
    fn a_forgotten_epoch_and_a_forgotten_leaf_open_nothing() {
        let (mut anna, mut ben) = pair();
        let (first, second) = (seal(&mut anna).unwrap(), seal(&mut anna).unwrap());
        ben.take(&epoch(4, 8, 1));
        ben.take(&Event::ForgetLeaf {
            leaf: Leaf::new(0).unwrap(),
            before: 4,
        });
        assert_eq!(open(&mut ben, &first), Err(OpenError::WaitingForKey));
        let (_, mut other) = pair();
        other.take(&Event::Forget { epoch: 3 });
        assert_eq!(open(&mut other, &second), Err(OpenError::WaitingForKey));
    }

    #[test]
    fn another_epoch_of_the_same_number_is_another_key() {
        let (mut anna, mut ben) = pair();
        anna.take(&epoch(3, 9, 0));
        let frame = seal(&mut anna).unwrap();
        assert_eq!(open(&mut ben, &frame), Err(OpenError::Tampered));
        ben.take(&epoch(3, 9, 1));
        assert!(open(&mut ben, &frame).is_ok());
    }
}
