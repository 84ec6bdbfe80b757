//! One member of a group: what it is told, what it says, and what it decides.

mod commits;
mod entering;
mod merging;
mod talking;
mod timers;

use std::collections::VecDeque;
use std::time::Duration;

use mls::openmls::prelude::MlsGroup;
use mls::{LeafSigner, Provider};
use protocol::group::frame::SealedKeyPackage;
use protocol::group::{ClientFrame, Grant, RefusalReason, Role, ServerFrame};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use zeroize::Zeroizing;

use super::epochs::Epochs;
use super::event::{Alarm, Event};
use super::policy::Rules;
use super::roster::{self, Roster};
use super::statistics::Statistics;
use crate::fragment::Fragment;
use crate::grant;
use crate::identity::{Leaf, MemberId, RoomId};
use crate::secret::{Link, RoomSecret};
use commits::{Own, Wanted};
use entering::Attempt;
pub use talking::Saying;
use talking::Talk;
use timers::Timers;

/// How long the owner's grant for its own leaf holds, in seconds: longer than any meeting, and a leaf does not
/// outlive its page.
pub const OWNER_GRANT_LIFE: u64 = 7 * 24 * 60 * 60;

/// Commands that wait for a commit at once: a person does not ask for more.
const WANTED_MAX: usize = 64;

/// What a member has to know of its room and of itself.
#[derive(Debug)]
pub struct Config {
    /// The room.
    pub room: RoomId,
    /// What the link says.
    pub fragment: Fragment,
    /// The room's secret, derived from link and password.
    pub secret: RoomSecret,
    /// The password, where the room has one: a kick makes a new link, from which the secret is derived anew.
    pub password: Option<Zeroizing<String>>,
    /// The time at the start, in seconds since 1970; all other times are durations since then.
    pub unix_seconds: u64,
    /// Drawn from the operating system and used once.
    pub seed: [u8; 32],
}

/// The public key of the owner, where this member's host holds the private one.
pub type Owner = [u8; 32];

/// The group that one is in.
struct Inside {
    provider: Provider,
    group: MlsGroup,
}

/// The link, and what is derived from it.
struct Door {
    fragment: Fragment,
    secret: RoomSecret,
    password: Option<Zeroizing<String>>,
    /// The link of the next generation, until its secret is derived.
    next: Option<(u16, Link)>,
}

/// One member.
pub struct Member {
    room: RoomId,
    unix_seconds: u64,
    random: ChaCha20Rng,
    signer: LeafSigner,
    id: MemberId,
    owner: Option<Owner>,
    grant: Option<Grant>,
    door: Door,
    inside: Option<Inside>,
    attempt: Option<Attempt>,
    /// A KeyPackage that one may be added with, and its private half.
    waiting: Option<(Provider, SealedKeyPackage)>,
    is_connected: bool,
    is_removed: bool,
    /// Has to come in anew by an external commit that frees one's own leaf.
    is_lost: bool,
    locked: Option<bool>,
    own: Option<Own>,
    /// Own commits that a commit of somebody else beat, and whose rejection is still to come.
    beaten: u32,
    wanted: VecDeque<Wanted>,
    epochs: Epochs,
    roster: Roster,
    talk: Talk,
    timers: Timers,
    frames: VecDeque<ClientFrame>,
    events: VecDeque<Event>,
    statistics: Statistics,
    #[cfg(feature = "unguarded")]
    is_unguarded: bool,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Member")
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}

impl Member {
    /// A member outside of any group.
    pub fn new(config: Config, owner: Option<Owner>) -> Self {
        let mut random = ChaCha20Rng::from_seed(config.seed);
        let mut private = Zeroizing::new([0; 32]);
        random.fill_bytes(private.as_mut_slice());
        let mut id = [0; 16];
        random.fill_bytes(&mut id);
        let owner = owner.filter(|key| grant::owner_of(key) == config.fragment.owner);
        Self {
            room: config.room,
            unix_seconds: config.unix_seconds,
            random,
            signer: LeafSigner::new(&private),
            id: MemberId::new(id),
            owner,
            grant: None,
            door: Door {
                fragment: config.fragment,
                secret: config.secret,
                password: config.password,
                next: None,
            },
            inside: None,
            attempt: None,
            waiting: None,
            is_connected: false,
            is_removed: false,
            is_lost: false,
            locked: None,
            own: None,
            beaten: 0,
            wanted: VecDeque::new(),
            epochs: Epochs::default(),
            roster: Roster::default(),
            talk: Talk::default(),
            timers: Timers::default(),
            frames: VecDeque::new(),
            events: VecDeque::new(),
            statistics: Statistics::default(),
            #[cfg(feature = "unguarded")]
            is_unguarded: false,
        }
    }

    /// Merges whatever the library takes. The control of every attack that the policy stops.
    #[cfg(feature = "unguarded")]
    #[must_use]
    pub const fn without_policy(mut self) -> Self {
        self.is_unguarded = true;
        self
    }

    /// There is a connection to the server, and one has a leaf: comes in, or catches up.
    pub fn handle_connected(&mut self, now: Duration) {
        self.is_connected = true;
        self.beaten = 0;
        self.drop_own();
        self.enter(now);
    }

    /// The connection broke. The group stays.
    pub fn handle_disconnected(&mut self) {
        self.is_connected = false;
        self.attempt = None;
        self.drop_own();
        self.timers.disconnect();
        self.frames.clear();
    }

    /// A binary message of the server came in.
    pub fn handle_message(&mut self, bytes: &[u8], now: Duration) {
        match ServerFrame::decode(bytes) {
            Ok(frame) => self.handle_frame(frame, now),
            Err(_) => self.statistics.unexpected += 1,
        }
    }

    /// A frame of the server came in.
    pub fn handle_frame(&mut self, frame: ServerFrame, now: Duration) {
        if self.is_removed {
            return;
        }
        // After a kick nothing is judged by the old link any more, even where the timer has not come round yet.
        self.turn_link(now);
        match frame {
            ServerFrame::Create { external_sender } => self.create(&external_sender, now),
            ServerFrame::GroupInfo { group_info, tree, .. } => self.come_in(&group_info, &tree, now),
            ServerFrame::Welcome { welcome, tree, .. } => self.welcomed(&welcome, &tree, now),
            ServerFrame::Upload => self.upload(now),
            ServerFrame::Committed { epoch, commit } => self.committed(epoch, &commit, now),
            ServerFrame::Confirmed { epoch, digest } => self.confirmed(epoch, &digest, now),
            ServerFrame::AllReady { epoch } => self.all_ready(epoch),
            ServerFrame::Reject { epoch, reason } => self.rejected(epoch, reason, now),
            ServerFrame::Proposal { epoch, proposal } => self.proposed(epoch, &proposal, now),
            ServerFrame::KeyPackages { key_packages, .. } => self.add(key_packages, now),
            ServerFrame::App { epoch, message } => self.heard(epoch, &message, now),
            ServerFrame::Epoch { epoch } => self.caught_up(epoch, now),
        }
    }

    /// The next frame for the server.
    pub fn poll_frame(&mut self) -> Option<ClientFrame> {
        self.frames.pop_front()
    }

    /// The next thing that the host has to act on.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Removes a member, by a commit of one's own. Without the right to it nothing happens; the others and the server
    /// would refuse it.
    pub fn remove(&mut self, member: MemberId, now: Duration) {
        self.want(Wanted::Kick(vec![member]), now);
    }

    /// Closes the meeting to newcomers, or opens it again; for the owner too.
    pub fn lock(&mut self, locked: bool, now: Duration) {
        self.want(Wanted::Lock(locked), now);
    }

    /// Renews one's own keys now, out of turn.
    pub fn update(&mut self, now: Duration) {
        if self.inside.is_some() && self.own.is_none() {
            self.wanted.push_back(Wanted::Update);
            self.commit_next(now);
        }
    }

    fn want(&mut self, wanted: Wanted, now: Duration) {
        if self.grant.is_none() || self.wanted.len() >= WANTED_MAX {
            self.statistics.unexpected += 1;
            return;
        }
        self.wanted.push_back(wanted);
        self.commit_next(now);
    }

    /// The owner's key signed what `OwnerSignature` asked for.
    pub fn handle_owner_signature(&mut self, signature: [u8; 64], now: Duration) {
        let (Some(owner), Some(group_id)) = (self.owner, self.group_id()) else {
            return;
        };
        let grant = Grant {
            owner,
            role: Role::Owner,
            expiry: self.unix_seconds + OWNER_GRANT_LIFE,
            signature,
        };
        let key = self.signer.public();
        let holder = grant::Holder {
            group_id: &group_id,
            member: self.id,
            signature_key: &key,
        };
        if grant::role(&grant, &self.door.fragment.owner, holder, self.unix(now)).is_none() {
            self.statistics.bad_profiles += 1;
            return;
        }
        self.grant = Some(grant);
        self.announce_again(now);
        self.commit_next(now);
    }

    /// Says who one is and what one sends; everybody is told.
    pub fn announce(&mut self, saying: Saying, now: Duration) {
        self.talk.saying = saying;
        self.announce_again(now);
    }

    /// Oneself.
    pub const fn id(&self) -> MemberId {
        self.id
    }

    /// The epoch that one is in.
    pub fn epoch(&self) -> Option<u64> {
        self.inside.as_ref().map(|inside| inside.group.epoch().as_u64())
    }

    /// One's own leaf.
    pub fn leaf(&self) -> Option<Leaf> {
        let leaf = self.inside.as_ref()?.group.own_leaf_index().u32();
        roster::leaf(leaf)
    }

    /// Who is in the group.
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Whether nobody new may come in, as far as one knows.
    pub const fn is_locked(&self) -> bool {
        matches!(self.locked, Some(true))
    }

    /// Whether one was removed.
    pub const fn is_removed(&self) -> bool {
        self.is_removed
    }

    /// The generation of the link that one holds.
    pub const fn generation(&self) -> u16 {
        self.door.fragment.generation
    }

    /// The fragment of the link that one holds.
    pub fn fragment(&self) -> Zeroizing<String> {
        self.door.fragment.to_text()
    }

    /// What was counted.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The epoch authenticator (RFC 9420, section 8.7): equal for all who are in one epoch of one group.
    pub fn epoch_authenticator(&self) -> Option<Vec<u8>> {
        let inside = self.inside.as_ref()?;
        Some(inside.group.epoch_authenticator().as_slice().to_vec())
    }

    fn group_id(&self) -> Option<[u8; 16]> {
        let inside = self.inside.as_ref()?;
        inside.group.group_id().as_slice().try_into().ok()
    }

    fn unix(&self, now: Duration) -> u64 {
        self.unix_seconds.saturating_add(now.as_secs())
    }

    fn rules(&self, now: Duration) -> Rules<'_> {
        Rules {
            room: self.room,
            secret: &self.door.secret,
            generation: self.door.fragment.generation,
            owner: &self.door.fragment.owner,
            locked: self.is_locked(),
            unix_seconds: self.unix(now),
        }
    }

    fn draw_provider(&mut self) -> Provider {
        let mut seed = Zeroizing::new([0; 32]);
        self.random.fill_bytes(seed.as_mut_slice());
        Provider::new(*seed)
    }

    /// A random time between the two.
    fn draw_time(&mut self, from: Duration, to: Duration) -> Duration {
        let span = to.saturating_sub(from).as_millis().max(1);
        let millis = u128::from(self.random.next_u64()) % span;
        from + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    fn alarm(&mut self, alarm: Alarm) {
        self.statistics.alarm(alarm);
        self.events.push_back(Event::Alarm(alarm));
    }

    fn refuse(&mut self, reason: RefusalReason) {
        self.statistics.refuse(reason);
        self.alarm(Alarm::Refused(reason));
    }

    const fn is_guarded(&self) -> bool {
        #[cfg(feature = "unguarded")]
        {
            !self.is_unguarded
        }
        #[cfg(not(feature = "unguarded"))]
        true
    }
}
