//! What a member does because time has passed.

use std::time::Duration;

use super::Member;
use super::commits::Wanted;
use super::entering::ANSWER_TIME;
use crate::group::event::{Alarm, Event};

/// Each member renews its keys this often, give or take a fifth.
const UPDATE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How long an epoch that is known of may be out of reach.
const KNOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Every deadline, and what is waited for.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// To ask again to be let in, or for what was missed.
    pub(super) enter_due: Option<Duration>,
    /// To give up on the answer to one's own commit.
    pub(super) own_due: Option<Duration>,
    /// To make the next commit after a lost race.
    pub(super) retry_due: Option<Duration>,
    /// To commit the removes that the server proposed.
    pub(super) commit_due: Option<Duration>,
    pub(super) update_due: Option<Duration>,
    pub(super) presence_due: Option<Duration>,
    silence_due: Option<Duration>,
    pub(super) ask_due: Option<Duration>,
    pub(super) answer_due: Option<Duration>,
    /// To say that nothing of this epoch opens.
    pub(super) fork_due: Option<Duration>,
    /// To derive what the next link opens.
    pub(super) link_due: Option<Duration>,
    /// To tell the server the next gate, should the kicker not have done so.
    pub(super) gate_due: Option<Duration>,
    /// No second question for missed commits before this.
    pub(super) catch_up_until: Option<Duration>,
    /// The newest epoch that is known of and not reached, and since when.
    pub(super) known: Option<(u64, Duration)>,
    /// Sending has stopped because of it.
    pub(super) is_stopped: bool,
    /// The latest commit could not be read: perhaps the others are elsewhere.
    pub(super) is_maybe_lost: bool,
}

impl Timers {
    /// Nothing can be asked or told without a connection.
    pub(super) fn disconnect(&mut self) {
        *self = Self {
            update_due: self.update_due,
            silence_due: self.silence_due,
            link_due: self.link_due,
            ..Self::default()
        };
    }

    fn known_due(&self) -> Option<Duration> {
        let (_, since) = self.known.filter(|_| !self.is_stopped)?;
        Some(since.saturating_add(KNOWN_DEADLINE))
    }

    fn due(&self) -> Option<Duration> {
        let all = [
            self.enter_due,
            self.own_due,
            self.retry_due,
            self.commit_due,
            self.update_due,
            self.presence_due,
            self.silence_due,
            self.ask_due,
            self.answer_due,
            self.link_due,
            self.fork_due,
            self.gate_due,
            self.known_due(),
        ];
        all.into_iter().flatten().min()
    }
}

/// Clears a deadline that has come.
fn is_due(due: &mut Option<Duration>, now: Duration) -> bool {
    due.take_if(|due| *due <= now).is_some()
}

impl Member {
    /// When [`Member::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.timers.due(), self.epochs.due()].into_iter().flatten().min()
    }

    /// The moment of [`Member::poll_timeout`] has come. What is to be sent should have been sent before: a new link
    /// is derived here, which takes a while where the room has a password.
    pub fn handle_timeout(&mut self, now: Duration) {
        for epoch in self.epochs.forget(now) {
            self.events.push_back(Event::Forget { epoch });
        }
        if let Some(epoch) = self.epochs.switch(now)
            && !self.timers.is_stopped
        {
            self.events.push_back(Event::Send { epoch });
        }
        if is_due(&mut self.timers.link_due, now) {
            self.turn_link(now);
        }
        if is_due(&mut self.timers.gate_due, now) {
            self.send_gate();
        }
        self.handle_commit_timers(now);
        self.handle_talk_timers(now);
        if self.timers.known_due().is_some_and(|due| due <= now) {
            self.withheld();
        }
        if is_due(&mut self.timers.enter_due, now) {
            self.enter(now);
        }
    }

    fn handle_commit_timers(&mut self, now: Duration) {
        if is_due(&mut self.timers.own_due, now) {
            self.retry_own();
            self.catch_up(now);
            self.timers.retry_due = Some(now.saturating_add(ANSWER_TIME));
        }
        if is_due(&mut self.timers.commit_due, now) {
            self.wanted.push_front(Wanted::Leaves);
            self.commit_next(now);
        }
        if is_due(&mut self.timers.update_due, now) {
            self.plan_update(now);
            if self.inside.is_some() && self.own.is_none() {
                self.wanted.push_back(Wanted::Update);
            }
            self.commit_next(now);
        }
        if is_due(&mut self.timers.retry_due, now) {
            self.commit_next(now);
        }
    }

    fn handle_talk_timers(&mut self, now: Duration) {
        if is_due(&mut self.timers.presence_due, now) {
            self.say_presence(now);
        }
        if is_due(&mut self.timers.ask_due, now) {
            self.ask(now);
        }
        if is_due(&mut self.timers.answer_due, now) {
            self.nobody_answered();
        }
        if is_due(&mut self.timers.fork_due, now) {
            self.alarm(Alarm::Forked);
        }
        if is_due(&mut self.timers.silence_due, now) {
            self.timers.silence_due = Some(self.mark_silent(now));
        }
    }

    /// Sets the times of the next update and of the first look at who is silent.
    pub(super) fn plan_update(&mut self, now: Duration) {
        let time = self.draw_time(UPDATE_INTERVAL.mul_f64(0.8), UPDATE_INTERVAL.mul_f64(1.2));
        self.timers.update_due = Some(now.saturating_add(time));
        if self.timers.silence_due.is_none() {
            self.timers.silence_due = Some(now);
        }
    }
}
