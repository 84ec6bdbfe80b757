//! One participant's transport and streams.

use std::time::Instant;

use rtp::{ExtensionMap, Mid, Rid, Ssrc};
use transport::Transport;

use crate::command::{PeerConnection, PeerId, Repair};
use crate::congestion::history::SendHistory;
use crate::egress::Egress;
use crate::egress::slot::SlotState;
use crate::ingress::Ingress;
use crate::limits::{LAYERS_MAX, PAIRS_MAX, PUBLICATIONS_MAX, REPORT_INTERVAL, SLOTS_MAX};
use crate::random::Random;
use crate::repair::budget::Budget;
use crate::repair::round_trip::RoundTrip;

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) transport: Transport,
    pub(crate) ingress: Ingress,
    pub(crate) egress: Egress,
    pub(crate) history: SendHistory,
    pub(crate) round_trip: RoundTrip,
    /// What may be sent again.
    pub(crate) budget: Budget,
    /// When its last authentic datagram came.
    pub(crate) heard_at: Instant,
    pub(crate) next_report: Instant,
}

impl Peer {
    /// A peer with this transport. The connection must be [within the limits](is_within_limits).
    pub(crate) fn new(
        id: PeerId,
        connection: &PeerConnection,
        transport: Transport,
        random: &mut Random,
        now: Instant,
    ) -> Self {
        let extensions: ExtensionMap = connection.extensions.iter().copied().collect();
        Self {
            id,
            transport,
            ingress: Ingress::new(&connection.publications, extensions, now),
            egress: Egress::new(&connection.slots, extensions, random),
            history: SendHistory::new(now),
            round_trip: RoundTrip::default(),
            budget: Budget::new(now),
            heard_at: now,
            next_report: now + REPORT_INTERVAL,
        }
    }

    /// When this peer wants to be woken.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        let report = self.transport.is_connected().then_some(self.next_report);
        let missing = self.ingress.missing_due();
        [
            self.transport.poll_timeout(),
            self.ingress.arrivals.due(),
            missing,
            report,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// Whether a connection has no more of anything than it may, and no name twice.
pub(crate) fn is_within_limits(connection: &PeerConnection) -> bool {
    let PeerConnection {
        publications, slots, ..
    } = connection;
    publications.len() <= PUBLICATIONS_MAX
        && slots.len() <= SLOTS_MAX
        && publications
            .iter()
            .all(|publication| publication.rids.len() <= LAYERS_MAX)
        && publications
            .iter()
            .all(|publication| is_distinct(publication.rids.iter().map(Rid::as_str)))
        && is_distinct(publications.iter().map(|publication| publication.mid.as_str()))
        && is_distinct(publications.iter().map(|publication| publication.kind))
        && is_distinct(slots.iter().map(|slot| &slot.mid).map(Mid::as_str))
        && is_distinct(slots.iter().flat_map(SlotState::ssrcs))
        && slots
            .iter()
            .flat_map(SlotState::ssrcs)
            .all(|ssrc| ssrc != FEEDBACK_SSRC)
        && publications.iter().all(|publication| match &publication.repair {
            Repair::Retransmit(pairs) => pairs.len() <= PAIRS_MAX,
            Repair::None | Repair::Repeat => true,
        })
}

/// The SSRC under which we report and ask: no slot may have it.
pub(crate) const FEEDBACK_SSRC: Ssrc = Ssrc(1);

fn is_distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.windows(2).all(|pair| pair.first() != pair.last())
}
