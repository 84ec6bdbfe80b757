//! What is sent when time passes: reports and transport-wide feedback.

use std::time::Instant;

use rtp::ntp::compact_from_duration;
use rtp::rtcp::{ReportBlock, SenderInfo, TransportFeedbackRequest};
use rtp::{RtcpWriter, Ssrc};

use super::Sfu;
use crate::egress::slot::SlotReport;
use crate::ingress::SourceReport;
use crate::limits::REPORT_INTERVAL;
use crate::peer::FEEDBACK_SSRC;
use crate::router::Target;
use crate::table::PeerKey;

/// The canonical name of everything we send, as our offer says. One name for all sources, because their real
/// names are none of a receiver's business.
const CNAME: &str = "u";

/// Sender reports in one datagram: with their names 40 bytes each, so that 24 stay under 1,000 bytes.
const SENDER_REPORTS_PER_DATAGRAM: usize = 24;

impl Sfu {
    /// Does everything of a peer that is due.
    pub(super) fn peer_timeout(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if peer.transport.poll_timeout().is_some_and(|at| at <= now) {
            peer.transport.handle_timeout(now);
        }
        let reports_due = peer.transport.is_connected() && peer.next_report <= now;
        if reports_due {
            peer.next_report = now + REPORT_INTERVAL;
        }
        self.send_transport_feedback(key, now);
        self.ask_for_missing(key, now);
        if reports_due {
            self.send_reports(key, now);
        }
        self.settle(key, now);
    }

    /// Tells a publisher when its packets came, in as many datagrams as that takes.
    fn send_transport_feedback(&mut self, key: PeerKey, now: Instant) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        while let Some((feedback_count, base)) = self
            .peers
            .get_mut(key)
            .and_then(|peer| peer.ingress.arrivals.take_due(now, &mut arrivals))
        {
            let request = TransportFeedbackRequest {
                sender_ssrc: FEEDBACK_SSRC,
                media_ssrc: self
                    .peers
                    .get(key)
                    .map_or(Ssrc(0), |peer| peer.ingress.any_ssrc()),
                feedback_count,
                base_sequence_number: base,
                arrivals: &arrivals,
            };
            let end = arrivals.last().map_or(base, |last| last.sequence_number + 1);
            let mut next_base = end;
            let sent = self.send_rtcp(key, |writer| match writer.transport_feedback(&request) {
                Ok(written) => {
                    next_base = written.next_base_sequence_number;
                    true
                }
                Err(_) => false,
            });
            self.stats.transport_feedback_sent += u64::from(sent);
            let Some(peer) = self.peers.get_mut(key) else {
                break;
            };
            // What cannot be sent is told no later: its news would be old.
            peer.ingress
                .arrivals
                .told_until(if sent { next_base } else { end });
        }
        self.arrivals = arrivals;
    }

    /// Sends what we received of a peer and what we sent to it.
    fn send_reports(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let blocks: Vec<ReportBlock> = peer
            .ingress
            .reports()
            .map(|report| report_block(&report, now))
            .collect();
        let slots = self.slot_reports(key, now);
        if blocks.is_empty() && slots.is_empty() {
            return;
        }
        let first = slots
            .chunks(SENDER_REPORTS_PER_DATAGRAM)
            .next()
            .unwrap_or_default();
        self.send_rtcp(key, |writer| write_reports(writer, &blocks, first));
        for more in slots.chunks(SENDER_REPORTS_PER_DATAGRAM).skip(1) {
            self.send_rtcp(key, |writer| write_reports(writer, &[], more));
        }
    }

    /// The sender reports of all slots whose source told its clock.
    fn slot_reports(&mut self, key: PeerKey, now: Instant) -> Vec<SlotReport> {
        let slot_count = self.peers.get(key).map_or(0, |peer| peer.egress.slot_count());
        let mut reports = Vec::new();
        for slot in (0..=u8::MAX).take(slot_count) {
            let Some(source) = self.router.source(Target { peer: key, slot }) else {
                continue;
            };
            let state = self.peers.get(key).and_then(|peer| peer.egress.slot(slot));
            let Some(stream) = state.and_then(super::SlotState::stream) else {
                continue;
            };
            let publisher = self.peers.get(source.peer);
            let Some(clock) = publisher.and_then(|peer| peer.ingress.clock(source.publication, stream))
            else {
                continue;
            };
            let state = self
                .peers
                .get_mut(key)
                .and_then(|peer| peer.egress.slot_mut(slot));
            reports.extend(state.and_then(|state| state.report(clock, now)));
        }
        reports
    }
}

fn report_block(report: &SourceReport, now: Instant) -> ReportBlock {
    let delay = report
        .clock
        .map(|clock| now.saturating_duration_since(clock.arrived));
    ReportBlock {
        ssrc: report.ssrc,
        fraction_lost: report.reception.fraction_lost,
        cumulative_lost: report.reception.cumulative_lost,
        extended_highest_sequence_number: report.reception.highest_sequence,
        jitter: report.reception.jitter,
        last_sender_report: report.clock.map_or(0, |clock| clock.ntp.compact()),
        delay_since_last_sender_report: delay.map_or(0, compact_from_duration),
    }
}

/// A compound packet: it begins with a report, and names its sources (RFC 3550 section 6.1).
fn write_reports(writer: &mut RtcpWriter<'_>, blocks: &[ReportBlock], slots: &[SlotReport]) -> bool {
    let written = (|| {
        writer.receiver_report(FEEDBACK_SSRC, blocks)?;
        for slot in slots {
            let info = SenderInfo {
                ntp_time: slot.ntp,
                rtp_timestamp: slot.rtp_timestamp,
                packet_count: slot.packets,
                octet_count: slot.octets,
            };
            writer.sender_report(slot.ssrc, &info, &[])?;
        }
        writer.sdes_cname(FEEDBACK_SSRC, CNAME)?;
        slots
            .iter()
            .try_for_each(|slot| writer.sdes_cname(slot.ssrc, CNAME))
    })();
    written.is_ok()
}
