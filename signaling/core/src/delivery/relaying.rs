//! Application messages, and what somebody has missed.

use std::time::Duration;

use protocol::bytes::GateHash;
use protocol::group::frame::Audience;
use protocol::group::{RejectReason, ServerFrame};
use protocol::ids::Seat;

use super::Delivery;
use super::state::Action;
use crate::stats::Count;

/// How long somebody counts as a newcomer.
const NEWCOMER_TIME: Duration = Duration::from_secs(10);

/// How long the kicker has for the next gate before the others may say it.
const GATE_TURN: Duration = Duration::from_millis(900);

impl Delivery {
    /// Hands a sealed message on.
    pub(super) fn relay(
        &mut self,
        seat: Seat,
        epoch: u64,
        audience: Audience,
        message: Vec<u8>,
        now: Duration,
    ) {
        if !self.is_inside(seat) {
            return self.reject(seat, RejectReason::OutOfOrder);
        }
        let is_newcomer = |other: &Seat| {
            let entered = self.people.get(other).and_then(|person| person.entered);
            entered.is_some_and(|entered| now.saturating_sub(entered) < NEWCOMER_TIME)
        };
        let others = self.present().into_iter().filter(|other| *other != seat);
        let audience: Vec<Seat> = match audience {
            Audience::Everyone => others.collect(),
            Audience::Newcomers => others.filter(is_newcomer).collect(),
        };
        self.actions.push_back(Action::Count(Count::AppRelayed));
        for other in audience {
            let message = message.clone();
            self.send(other, ServerFrame::App { epoch, message });
        }
    }

    /// Sends all commits since this epoch with the proposals that they may name, and then the epoch.
    pub(super) fn catch_up(&mut self, seat: Seat, epoch: u64) {
        let Some(current) = self.epoch() else {
            return self.reject(seat, RejectReason::OutOfOrder);
        };
        if !self.is_inside(seat) {
            return self.reject(seat, RejectReason::Gone);
        }
        let oldest = self.log.front().map_or(current, |logged| logged.epoch);
        if epoch < oldest {
            return self.reject(seat, RejectReason::Gone);
        }
        let missed = self.log.iter().filter(|logged| logged.epoch >= epoch);
        let mut frames = Vec::new();
        for logged in missed {
            frames.extend(proposed(logged.epoch, &logged.proposals));
            frames.push(ServerFrame::Committed {
                epoch: logged.epoch,
                commit: logged.commit.clone(),
            });
        }
        frames.extend(proposed(current, &self.proposals));
        for frame in frames {
            self.send(seat, frame);
        }
        self.send(seat, ServerFrame::Epoch { epoch: current });
    }

    /// After a kick: what opens the room from now on. The first word counts, and the kicker has the first.
    pub(super) fn gate(&mut self, seat: Seat, epoch: u64, gate_hash: [u8; 32], now: Duration) {
        if !self.is_inside(seat) {
            return self.reject(seat, RejectReason::OutOfOrder);
        }
        let is_due = self.gate_due.take_if(|due| {
            due.epoch == epoch && (due.kicker == seat || now.saturating_sub(due.since) >= GATE_TURN)
        });
        if is_due.is_some() {
            self.actions.push_back(Action::Count(Count::GateChanged));
            self.actions
                .push_back(Action::Gate(GateHash::from_bytes(gate_hash)));
            self.close_waiting();
        }
    }

    /// Those who still wait at the door have the old link, which opens nothing any more.
    fn close_waiting(&mut self) {
        let outside: Vec<Seat> = self
            .people
            .iter()
            .filter(|(_, person)| person.is_waiting && self.leaf_of(&person.signature_key).is_none())
            .map(|(seat, _)| *seat)
            .collect();
        self.actions.extend(outside.into_iter().map(Action::Close));
    }
}

fn proposed(epoch: u64, proposals: &[Vec<u8>]) -> impl Iterator<Item = ServerFrame> {
    proposals.iter().map(move |proposal| ServerFrame::Proposal {
        epoch,
        proposal: proposal.clone(),
    })
}
