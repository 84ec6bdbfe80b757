//! One member, what its keys can open, and what it has used.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2ee::fragment::Fragment;
use e2ee::group::{Alarm, Config, Event, Member, Owner, Saying};
use e2ee::identity::{Leaf, MemberId, RoomId};
use e2ee::secret::{Link, RoomSecret};
use mls::LeafSigner;
use protocol::group::RefusalReason;

/// The room of every simulation.
pub const ROOM: RoomId = RoomId::new([7; 16]);

/// When every simulation begins: OpenMLS reads the real clock for lifetimes, so it is a real one.
pub fn unix_now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// The owner's key pair.
pub fn owner() -> LeafSigner {
    LeafSigner::new(&[42; 32])
}

/// The link that a room begins with.
pub fn first_fragment() -> Fragment {
    Fragment {
        password: false,
        lobby: false,
        generation: 0,
        link: Link::new([11; 16]),
        owner: e2ee::grant::owner_of(&owner().public()),
    }
}

/// The keys that a page would hold.
#[derive(Debug, Default)]
pub struct Keys {
    /// Base key by epoch.
    pub epochs: BTreeMap<u64, [u8; 16]>,
    /// Leaves whose keys of an epoch before this one are gone.
    pub forgotten_leaves: Vec<(Leaf, u64)>,
    /// The epoch to send with.
    pub sending: Option<u64>,
    /// One's own leaf by epoch.
    pub leaves: BTreeMap<u64, Leaf>,
    /// Who sits where, by epoch.
    pub members: BTreeMap<u64, BTreeMap<Leaf, MemberId>>,
}

/// A member and what it was told.
#[derive(Debug)]
pub struct Person {
    /// The member.
    pub member: Member,
    /// Its keys.
    pub keys: Keys,
    /// Names of the others.
    pub names: BTreeMap<MemberId, String>,
    /// Every alarm so far.
    pub alarms: Vec<Alarm>,
    /// Texts of link fragments that it was given, the newest last.
    pub links: Vec<String>,
    /// What the others said.
    pub said: Vec<(MemberId, e2ee::app::App)>,
    /// Whether it was removed.
    pub is_removed: bool,
    /// Refused because the meeting is locked or full.
    pub not_admitted: Option<protocol::group::RejectReason>,
    /// The latest word on the lock.
    pub locked: Option<bool>,
    /// Since when it has no key to send with.
    pub keyless_since: Option<Duration>,
    is_owner: bool,
}

impl Person {
    /// Somebody with this link.
    pub fn new(name: &str, fragment: Fragment, is_owner: bool, seed: [u8; 32], unguarded: bool) -> Self {
        let secret = RoomSecret::from_link(&fragment.link);
        let config = Config {
            room: ROOM,
            fragment,
            secret,
            password: None,
            unix_seconds: unix_now(),
            seed,
        };
        let key: Option<Owner> = is_owner.then(|| owner().public());
        let member = Member::new(config, key);
        let mut member = if unguarded {
            member.without_policy()
        } else {
            member
        };
        let saying = Saying {
            name: name.to_owned(),
            ..Saying::default()
        };
        member.announce(saying, Duration::ZERO);
        Self {
            member,
            keys: Keys::default(),
            names: BTreeMap::new(),
            alarms: Vec::new(),
            links: Vec::new(),
            said: Vec::new(),
            is_removed: false,
            not_admitted: None,
            locked: None,
            keyless_since: Some(Duration::ZERO),
            is_owner,
        }
    }

    /// Acts on everything that the member tells.
    pub fn take_events(&mut self, now: Duration) {
        while let Some(event) = self.member.poll_event() {
            self.take(event, now);
        }
    }

    fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::Entered { .. } => {}
            Event::Epoch {
                epoch,
                base_key,
                leaf,
                members,
            } => {
                self.keys.epochs.insert(epoch, *base_key.as_bytes());
                self.keys.leaves.insert(epoch, leaf);
                self.keys.members.insert(epoch, members.into_iter().collect());
                self.keys
                    .forgotten_leaves
                    .retain(|(_, before)| *before != epoch + 1);
            }
            Event::Send { epoch } => {
                self.keys.sending = Some(epoch);
                self.keyless_since = None;
            }
            Event::Stop => {
                self.keys.sending = None;
                self.keyless_since = Some(now);
            }
            Event::Forget { epoch } => {
                self.keys.epochs.remove(&epoch);
                self.keys.leaves.remove(&epoch);
                self.keys.members.remove(&epoch);
                if self.keys.sending == Some(epoch) {
                    self.keys.sending = None;
                    self.keyless_since = Some(now);
                }
            }
            Event::ForgetLeaf { leaf, before } => self.keys.forgotten_leaves.push((leaf, before)),
            Event::Profile { profile, .. } => {
                self.names.insert(profile.member, profile.name);
            }
            Event::Gone { member, .. } => {
                self.names.remove(&member);
            }
            Event::Said { member, app } => self.said.push((member, app)),
            Event::Link { fragment, .. } => self.links.push(fragment.to_string()),
            Event::Locked { locked } => self.locked = Some(locked),
            Event::Removed => self.is_removed = true,
            Event::NotAdmitted { reason } => self.not_admitted = Some(reason),
            Event::OwnerSignature { bytes } => {
                if self.is_owner {
                    let signature = owner().sign_bytes(&bytes);
                    self.member.handle_owner_signature(signature, now);
                }
            }
            Event::Alarm(alarm) => self.alarms.push(alarm),
        }
    }

    /// Whether it can open what was sealed by this leaf with this base key in this epoch.
    pub fn can_open(&self, epoch: u64, leaf: Leaf, base_key: &[u8; 16]) -> bool {
        let is_gone = self
            .keys
            .forgotten_leaves
            .iter()
            .any(|(gone, before)| *gone == leaf && epoch < *before);
        !is_gone && self.keys.epochs.get(&epoch) == Some(base_key)
    }

    /// What it seals with: epoch, leaf, base key.
    pub fn sealing(&self) -> Option<(u64, Leaf, [u8; 16])> {
        let epoch = self.keys.sending?;
        Some((
            epoch,
            *self.keys.leaves.get(&epoch)?,
            *self.keys.epochs.get(&epoch)?,
        ))
    }

    /// How often it refused for this reason.
    pub fn refused(&self, reason: RefusalReason) -> u64 {
        self.member.statistics().refused(reason)
    }

    /// The words of all alarms, for messages of tests.
    pub fn alarm_words(&self) -> BTreeSet<&'static str> {
        self.alarms.iter().map(|alarm| alarm.as_str()).collect()
    }
}
