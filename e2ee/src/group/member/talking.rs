//! Application messages: announcements, the roster for newcomers, signs of life.

use std::time::Duration;

use mls::openmls::prelude::{GroupId, ProcessedMessageContent};
use protocol::group::ClientFrame;
use protocol::group::frame::Audience;

use super::Member;
use super::commits::TURN;
use crate::app::App;
use crate::grant::{self, Holder};
use crate::group::event::{Alarm, Event};
use crate::group::library;
use crate::identity::{MemberId, TrackNumber};
use crate::profile::{Kind, Profile};

/// A member that has said nothing under the current epoch for so long says that it is there.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(30);

/// Rooms above this many members say it less often, so that all together say it twice a second.
const PRESENCE_CROWD: usize = 60;

/// Intervals without a word after which a member is marked.
const PRESENCE_MISSED_MAX: u32 = 3;

/// How long a newcomer waits for announcements before it asks for them.
const ASK_DELAY: Duration = Duration::from_millis(700);

/// How long a member waits for the announcement of a newcomer before it asks the others.
const ASK_AGAIN_DELAY: Duration = Duration::from_secs(2);

/// How long a newcomer waits for a sign that anybody knows the room's secret.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// How long messages of the current epoch may fail to open, and none may open, before one says so.
const FORK_DEADLINE: Duration = Duration::from_secs(5);

/// What one says of oneself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saying {
    /// Where the server seats one.
    pub seat: u16,
    /// At most 64 characters, none of them a control or bidi control.
    pub name: String,
    /// Whether one's microphone is heard.
    pub microphone_on: bool,
    /// Whether one's camera is seen.
    pub camera_on: bool,
    /// Number and kind of each track.
    pub tracks: Vec<(TrackNumber, Kind)>,
}

/// What one says of oneself, and what of it was said.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) saying: Saying,
    sequence: u64,
    /// Something changed that nobody was told.
    pub(super) is_unsaid: bool,
    /// One has made the latest kick oneself.
    pub(super) is_kicker: bool,
    /// Whether anybody was heard since one came in.
    is_answered: bool,
    ask_rank: u16,
    /// When one last told everybody who is who, and in which epoch.
    told_all: Option<(u64, Duration)>,
}

impl Member {
    /// Seals a message and hands it to the server.
    fn say(&mut self, app: &App, audience: Audience, now: Duration) -> bool {
        let (Some(inside), true) = (&mut self.inside, self.is_connected) else {
            return false;
        };
        let Ok(message) = inside
            .group
            .create_message(&inside.provider, &self.signer, &app.encode())
        else {
            return false;
        };
        let Some(message) = library::to_bytes(message) else {
            return false;
        };
        self.frames.push_back(ClientFrame::App {
            epoch: inside.group.epoch().as_u64(),
            audience,
            message,
        });
        if audience == Audience::Everyone {
            let interval = self.presence_interval();
            let jittered = self.draw_time(interval.mul_f64(0.8), interval);
            self.timers.presence_due = Some(now.saturating_add(jittered));
        }
        true
    }

    /// Says something to everybody: a chat message, a reaction, a hand.
    pub fn say_to_all(&mut self, app: &App, now: Duration) -> bool {
        self.say(app, Audience::Everyone, now)
    }

    pub(super) fn say_presence(&mut self, now: Duration) {
        if !self.say(&App::Presence, Audience::Everyone, now) {
            self.timers.presence_due = None;
        }
    }

    fn presence_interval(&self) -> Duration {
        let members = self.roster.len();
        if members <= PRESENCE_CROWD {
            return PRESENCE_INTERVAL;
        }
        PRESENCE_INTERVAL.mul_f64(members as f64 / PRESENCE_CROWD as f64)
    }

    /// Signs what one says of oneself and tells it to everybody.
    pub(super) fn announce_again(&mut self, now: Duration) {
        self.talk.is_unsaid = true;
        let Some(group_id) = self.group_id() else { return };
        self.talk.sequence += 1;
        let saying = self.talk.saying.clone();
        let profile = Profile {
            member: self.id,
            sequence: self.talk.sequence,
            seat: saying.seat,
            name: saying.name,
            microphone_on: saying.microphone_on,
            camera_on: saying.camera_on,
            tracks: saying.tracks,
            grant: self.grant,
        };
        let Ok(bytes) = profile.sign(&group_id, &self.signer) else {
            self.statistics.bad_profiles += 1;
            return;
        };
        self.take_profile(&bytes);
        if self.say(&App::Profile(bytes), Audience::Everyone, now) {
            self.talk.is_unsaid = false;
        }
    }

    /// Some came in: the lowest leaf of those who were there tells them who is who.
    pub(super) fn greet(&mut self, came: &[u32], now: Duration) {
        let Some(inside) = &self.inside else { return };
        let own_leaf = inside.group.own_leaf_index().u32();
        if came.is_empty() || came.contains(&own_leaf) {
            return;
        }
        // They say themselves who they are; where that is lost, somebody is asked.
        self.ask_later(now);
        let lowest = self
            .roster
            .entries()
            .map(|(leaf, _)| leaf)
            .find(|leaf| !came.contains(leaf));
        if lowest == Some(own_leaf) {
            self.tell_roster(Audience::Newcomers, now);
        }
    }

    fn tell_roster(&mut self, audience: Audience, now: Duration) {
        let profiles = self.roster.entries().filter_map(|(_, entry)| {
            let (_, bytes) = entry.profile.as_ref()?;
            Some(bytes.clone())
        });
        let roster = App::Roster {
            locked: self.is_locked(),
            profiles: profiles.collect(),
        };
        self.say(&roster, audience, now);
    }

    /// Tells everybody who is who, because one asked; not again for those who ask at the same time, who hear it too.
    fn answer(&mut self, now: Duration) {
        let Some(epoch) = self.epoch() else { return };
        let is_told = |(told, at): (u64, Duration)| told == epoch && now.saturating_sub(at) < TURN;
        if !self.talk.told_all.is_some_and(is_told) {
            self.talk.told_all = Some((epoch, now));
            self.tell_roster(Audience::Everyone, now);
        }
    }

    /// One came in: others say who they are, or are asked.
    pub(super) fn ask_for_roster(&mut self, now: Duration) {
        self.talk.ask_rank = 0;
        self.talk.is_answered = false;
        if self.roster.len() > 1 {
            self.timers.ask_due = Some(now.saturating_add(ASK_DELAY));
            self.timers.answer_due = Some(now.saturating_add(ANSWER_DEADLINE));
        }
    }

    /// Asks for announcements, should some still be missing in a while.
    pub(super) fn ask_later(&mut self, now: Duration) {
        if self.timers.ask_due.is_none() {
            self.talk.ask_rank = 0;
            self.timers.ask_due = Some(now.saturating_add(ASK_AGAIN_DELAY));
        }
    }

    /// Asks the next member for what is missing, if something is.
    pub(super) fn ask(&mut self, now: Duration) {
        let others = self.roster.len().saturating_sub(1);
        let is_missing = self.roster.entries().any(|(_, entry)| entry.profile.is_none());
        if !is_missing || usize::from(self.talk.ask_rank) >= others {
            return;
        }
        let rank = self.talk.ask_rank;
        self.say(&App::Ask { rank }, Audience::Everyone, now);
        self.talk.ask_rank += 1;
        self.timers.ask_due = Some(now.saturating_add(TURN));
    }

    /// Nobody has shown to know the room's secret: the group may be one that the server made up.
    pub(super) fn nobody_answered(&mut self) {
        if !self.talk.is_answered && self.roster.len() > 1 {
            self.alarm(Alarm::NobodyAnswers);
        }
    }

    /// An application message came in.
    pub(super) fn heard(&mut self, epoch: u64, message: &[u8], now: Duration) {
        let Some(own_epoch) = self.epoch() else { return };
        if epoch > own_epoch {
            self.note_known(epoch, now);
            return self.catch_up(now);
        }
        match self.open(message) {
            Some((leaf, member, bytes)) => {
                if epoch == own_epoch {
                    self.timers.fork_due = None;
                }
                self.note_heard(member, now);
                match App::decode(&bytes) {
                    Some(app) => self.told(leaf, member, app, now),
                    None => self.statistics.unexpected += 1,
                }
            }
            None => {
                self.statistics.unopened += 1;
                if epoch == own_epoch && self.timers.fork_due.is_none() {
                    self.timers.fork_due = Some(now.saturating_add(FORK_DEADLINE));
                }
            }
        }
    }

    fn open(&mut self, message: &[u8]) -> Option<(u32, MemberId, Vec<u8>)> {
        let message = library::read_private(message)?;
        let inside = self.inside.as_mut()?;
        let processed = inside.group.process_message(&inside.provider, message).ok()?;
        let member = library::member_of(processed.credential()).ok()?;
        let mls::openmls::prelude::Sender::Member(leaf) = processed.sender() else {
            return None;
        };
        let leaf = leaf.u32();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(application) => {
                Some((leaf, member, application.into_bytes()))
            }
            _ => None,
        }
    }

    /// A member was heard, by a message or by a media frame.
    pub fn note_heard(&mut self, member: MemberId, now: Duration) {
        self.talk.is_answered = true;
        let Some(leaf) = self.roster.leaf_of(member) else {
            return;
        };
        let Some(entry) = self.roster.at_mut(leaf) else {
            return;
        };
        entry.heard = now;
        if std::mem::take(&mut entry.is_silent) {
            self.alarm(Alarm::Heard(member));
        }
    }

    /// Marks those who have not been heard for too long; returns when to look again.
    pub(super) fn mark_silent(&mut self, now: Duration) -> Duration {
        let limit = self.presence_interval() * PRESENCE_MISSED_MAX;
        let own = self.id;
        let mut silent = Vec::new();
        for (_, entry) in self.roster.entries_mut() {
            if entry.member != own && !entry.is_silent && now.saturating_sub(entry.heard) >= limit {
                entry.is_silent = true;
                silent.push(entry.member);
            }
        }
        for member in silent {
            self.alarm(Alarm::Silent(member));
        }
        now.saturating_add(PRESENCE_INTERVAL / 6)
    }

    fn told(&mut self, leaf: u32, member: MemberId, app: App, now: Duration) {
        match app {
            App::Presence => {
                // Whoever could have told who this is may have been away when one asked. Only a sign of life leads to
                // another question: in a crowd that comes at once, everything else would.
                if self.roster.at(leaf).is_some_and(|entry| entry.profile.is_none()) {
                    self.ask_later(now);
                }
            }
            App::Profile(bytes) => self.take_profile(&bytes),
            App::Roster { locked, profiles } => {
                for bytes in profiles {
                    self.take_profile(&bytes);
                }
                if self.locked.is_none() {
                    self.locked = Some(locked);
                    self.events.push_back(Event::Locked { locked });
                }
            }
            App::Ask { rank } => {
                if self.rank(Some(leaf)) == usize::from(rank) {
                    self.answer(now);
                }
            }
            app @ (App::Chat(_) | App::Reaction(_) | App::Hand { .. }) => {
                self.events.push_back(Event::Said { member, app });
            }
        }
    }

    /// Takes what a member says of itself, whoever hands it on.
    fn take_profile(&mut self, bytes: &[u8]) {
        let Some(group_id) = self.group_id() else { return };
        let member = Profile::claimed_member(bytes);
        let Some(leaf) = member.and_then(|member| self.roster.leaf_of(member)) else {
            // Of somebody who is gone again, or not yet here.
            return;
        };
        let unix_seconds = self.unix_seconds;
        let owner = self.door.fragment.owner;
        let Some(entry) = self.roster.at_mut(leaf) else {
            return;
        };
        // In a crowd everybody hears everybody's many times: only what is new is worth checking a signature.
        let known = entry.profile.as_ref().map_or(0, |(known, _)| known.sequence);
        if Profile::claimed_sequence(bytes).is_some_and(|sequence| sequence <= known) {
            return;
        }
        let Ok(profile) = Profile::open(bytes, &group_id, &entry.signature_key) else {
            self.statistics.bad_profiles += 1;
            return;
        };
        let holder = Holder {
            group_id: &group_id,
            member: entry.member,
            signature_key: &entry.signature_key,
        };
        let role = profile
            .grant
            .as_ref()
            .and_then(|grant| grant::role(grant, &owner, holder, unix_seconds));
        entry.profile = Some((profile.clone(), bytes.to_vec()));
        self.events.push_back(Event::Profile {
            profile,
            is_owner: role == Some(protocol::group::Role::Owner),
        });
    }

    /// After a kick: tells the server what opens the room from now on. The kicker does so at once, the lowest of the
    /// others after a second, should the kicker be gone.
    pub(super) fn tell_gate(&mut self, now: Duration) {
        if std::mem::take(&mut self.talk.is_kicker) {
            self.send_gate();
        } else if self.rank(None) == 0 {
            self.timers.gate_due = Some(now.saturating_add(TURN * 4));
        }
    }

    pub(super) fn send_gate(&mut self) {
        if let (Some(epoch), true) = (self.epoch(), self.is_connected) {
            let gate_hash = self.door.secret.gate().hash();
            self.frames.push_back(ClientFrame::Gate { epoch, gate_hash });
        }
    }

    /// The group that one is in, for tests and for statistics.
    pub fn group(&self) -> Option<&GroupId> {
        self.inside.as_ref().map(|inside| inside.group.group_id())
    }
}
