//! What was counted, for the page's statistics and for tests.

use std::collections::BTreeMap;

use protocol::group::{RefusalReason, RejectReason};

use super::event::Alarm;

/// Counters of one member.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    /// Commits that were merged.
    pub merged: u64,
    /// Own commits that lost a race.
    pub beaten: u64,
    /// Times that one had to enter anew.
    pub resyncs: u64,
    /// Frames that could not be read, or that nobody asked for.
    pub unexpected: u64,
    /// Application messages that did not open.
    pub unopened: u64,
    /// Announcements that were not genuine.
    pub bad_profiles: u64,
    refused: BTreeMap<RefusalReason, u64>,
    rejected: BTreeMap<RejectReason, u64>,
    alarms: BTreeMap<&'static str, u64>,
}

impl Statistics {
    pub(super) fn refuse(&mut self, reason: RefusalReason) {
        *self.refused.entry(reason).or_default() += 1;
    }

    pub(super) fn reject(&mut self, reason: RejectReason) {
        *self.rejected.entry(reason).or_default() += 1;
    }

    pub(super) fn alarm(&mut self, alarm: Alarm) {
        *self.alarms.entry(alarm.as_str()).or_default() += 1;
    }

    /// How often this was refused.
    pub fn refused(&self, reason: RefusalReason) -> u64 {
        self.refused.get(&reason).copied().unwrap_or_default()
    }

    /// Every refusal that happened.
    pub fn refusals(&self) -> impl Iterator<Item = (RefusalReason, u64)> + '_ {
        self.refused.iter().map(|(reason, count)| (*reason, *count))
    }

    /// How often the server rejected for this reason.
    pub fn rejected(&self, reason: RejectReason) -> u64 {
        self.rejected.get(&reason).copied().unwrap_or_default()
    }

    /// Every alarm that was raised, by its word.
    pub fn alarms(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.alarms.iter().map(|(word, count)| (*word, *count))
    }
}
