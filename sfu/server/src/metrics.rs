//! The core's counters as Prometheus metrics. They name nobody.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use sfu_core::{DropReason, Sfu, Stats};

use crate::outcome::{CloseCause, Drops, TcpRefused};

/// What a connection drops: see [`sfu_core::Class`].
const VIDEO: &str = "video";
const REPAIR: &str = "repair";

/// The metrics of one worker; clones are the same metrics.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    peers: IntGauge,
    subscriptions: IntGauge,
    /// In the order of `COUNTERS`.
    counters: Vec<IntCounter>,
    drops: IntCounterVec,
    pub(crate) send_errors: IntCounter,
    pub(crate) receive_errors: IntCounter,
    pub(crate) commands_refused: IntCounter,
    tcp_refused: IntCounterVec,
    tcp_connections: IntGauge,
    tcp_taken: IntCounter,
    tcp_closed: IntCounterVec,
    tcp_dropped: IntCounterVec,
}

type Read = fn(&Stats) -> u64;

/// Name, help and source of every plain counter.
const COUNTERS: [(&str, &str, Read); 21] = [
    (
        "datagrams_received_total",
        "Datagrams that came to the media port.",
        |stats| stats.datagrams_received,
    ),
    (
        "bytes_received_total",
        "Bytes that came to the media port.",
        |stats| stats.bytes_received,
    ),
    (
        "rtp_packets_received_total",
        "Authentic RTP packets of publishers.",
        |stats| stats.rtp_packets_received,
    ),
    (
        "rtcp_datagrams_received_total",
        "Authentic RTCP datagrams.",
        |stats| stats.rtcp_datagrams_received,
    ),
    (
        "rtp_packets_forwarded_total",
        "RTP packets sent to subscribers.",
        |stats| stats.rtp_packets_forwarded,
    ),
    (
        "rtp_bytes_forwarded_total",
        "Bytes of RTP packets sent to subscribers.",
        |stats| stats.rtp_bytes_forwarded,
    ),
    ("rtcp_datagrams_sent_total", "RTCP datagrams sent.", |stats| {
        stats.rtcp_datagrams_sent
    }),
    (
        "key_frame_requests_sent_total",
        "Key-frame requests sent to publishers.",
        |stats| stats.key_frame_requests_sent,
    ),
    (
        "key_frame_requests_received_total",
        "Key-frame requests of subscribers.",
        |stats| stats.key_frame_requests_received,
    ),
    (
        "transport_feedback_sent_total",
        "Transport-wide feedback sent to publishers.",
        |stats| stats.transport_feedback_sent,
    ),
    (
        "layer_switches_total",
        "Times that a slot began to receive a layer, the same one after an interruption included.",
        |stats| stats.layer_switches,
    ),
    (
        "packets_requested_total",
        "Missing packets asked of publishers, each time counted.",
        |stats| stats.packets_requested,
    ),
    (
        "packets_repaired_total",
        "Missing packets that came after they were asked for.",
        |stats| stats.packets_repaired,
    ),
    (
        "packets_given_up_total",
        "Missing packets that never came.",
        |stats| stats.packets_given_up,
    ),
    (
        "retransmissions_requested_total",
        "Packets that subscribers asked for again.",
        |stats| stats.retransmissions_requested,
    ),
    (
        "retransmissions_sent_total",
        "Packets sent again to subscribers.",
        |stats| stats.retransmissions_sent,
    ),
    (
        "retransmitted_bytes_total",
        "Bytes of packets sent again to subscribers.",
        |stats| stats.retransmitted_bytes,
    ),
    (
        "packets_caught_up_total",
        "Packets sent late because their key frame came out of order.",
        |stats| stats.packets_caught_up,
    ),
    (
        "self_checks_answered_total",
        "Plain STUN requests answered.",
        |stats| stats.self_checks_answered,
    ),
    (
        "peers_connected_total",
        "Peers that completed ICE and DTLS.",
        |stats| stats.peers_connected,
    ),
    (
        "peers_closed_total",
        "Peers whose transport ended before they left.",
        |stats| stats.peers_closed,
    ),
];

impl Metrics {
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let counters = COUNTERS
            .iter()
            .map(|(name, help, _)| IntCounter::with_opts(options(name, help)))
            .collect::<Result<_, _>>()?;
        let drops = by_reason(
            "drops_total",
            "Packets, commands and events that were dropped, by reason.",
            DropReason::ALL.map(DropReason::as_str),
        )?;
        let tcp_refused = by_reason(
            "tcp_refused_total",
            "TCP connections that were not taken, by reason.",
            TcpRefused::ALL.map(TcpRefused::as_str),
        )?;
        let tcp_closed = by_reason(
            "tcp_closed_total",
            "TCP connections that were closed, by reason.",
            CloseCause::ALL.map(CloseCause::as_str),
        )?;
        let tcp_dropped = by_reason(
            "tcp_dropped_total",
            "Datagrams that a slow TCP connection dropped, by reason.",
            [VIDEO, REPAIR],
        )?;
        Ok(Self {
            tcp_refused,
            tcp_closed,
            tcp_dropped,
            tcp_connections: IntGauge::with_opts(options("tcp_connections", "TCP connections of media."))?,
            tcp_taken: counter(
                "tcp_taken_total",
                "TCP connections that the media worker took over.",
            )?,
            peers: IntGauge::with_opts(options("peers", "Peers, connected or not."))?,
            subscriptions: IntGauge::with_opts(options("subscriptions", "Slots that are fed by a source."))?,
            counters,
            drops,
            send_errors: counter("send_errors_total", "Datagrams that the kernel did not take.")?,
            receive_errors: counter("receive_errors_total", "Reads that the kernel refused.")?,
            commands_refused: counter("commands_refused_total", "Commands that cannot be carried out.")?,
        })
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.peers.clone()))?;
        registry.register(Box::new(self.subscriptions.clone()))?;
        registry.register(Box::new(self.tcp_connections.clone()))?;
        for counters in [
            &self.drops,
            &self.tcp_refused,
            &self.tcp_closed,
            &self.tcp_dropped,
        ] {
            registry.register(Box::new(counters.clone()))?;
        }
        for counter in [
            &self.send_errors,
            &self.receive_errors,
            &self.commands_refused,
            &self.tcp_taken,
        ] {
            registry.register(Box::new(counter.clone()))?;
        }
        self.counters
            .iter()
            .try_for_each(|counter| registry.register(Box::new(counter.clone())))
    }

    /// Counts a connection that was not taken.
    pub(crate) fn tcp_refused(&self, reason: TcpRefused) {
        self.tcp_refused.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts a connection that was taken; so many there are now.
    pub(crate) fn tcp_taken(&self, connections: usize) {
        self.tcp_taken.inc();
        self.tcp_connections
            .set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// Counts a connection that was closed; so many there are left.
    pub(crate) fn tcp_closed(&self, cause: CloseCause, connections: usize) {
        self.tcp_closed.with_label_values(&[cause.as_str()]).inc();
        self.tcp_connections
            .set(i64::try_from(connections).unwrap_or(i64::MAX));
    }

    /// Counts what a connection dropped.
    pub(crate) fn tcp_dropped(&self, drops: Drops) {
        for (reason, number) in [(VIDEO, drops.video), (REPAIR, drops.repair)] {
            if number > 0 {
                self.tcp_dropped.with_label_values(&[reason]).inc_by(number);
            }
        }
    }

    /// Brings the metrics up to the core's counters, which were `before` at the last call.
    pub(crate) fn follow(&self, sfu: &Sfu, before: &mut Stats) {
        let stats = sfu.stats();
        self.peers
            .set(i64::try_from(sfu.peer_count()).unwrap_or(i64::MAX));
        self.subscriptions
            .set(i64::try_from(sfu.subscription_count()).unwrap_or(i64::MAX));
        for ((_, _, read), counter) in COUNTERS.iter().zip(&self.counters) {
            counter.inc_by(read(stats).saturating_sub(read(before)));
        }
        for reason in DropReason::ALL {
            let more = stats.dropped(reason).saturating_sub(before.dropped(reason));
            if more > 0 {
                self.drops.with_label_values(&[reason.as_str()]).inc_by(more);
            }
        }
        before.clone_from(stats);
    }
}

/// A counter for each reason; a series that exists from the start can be alerted on.
fn by_reason<const N: usize>(
    name: &str,
    help: &str,
    reasons: [&str; N],
) -> Result<IntCounterVec, prometheus::Error> {
    let counters = IntCounterVec::new(options(name, help), &["reason"])?;
    for reason in reasons {
        counters.with_label_values(&[reason]);
    }
    Ok(counters)
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("undertone").subsystem("sfu")
}

fn counter(name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    IntCounter::with_opts(options(name, help))
}
