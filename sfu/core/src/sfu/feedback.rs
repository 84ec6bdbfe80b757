//! The road backwards: RTCP from peers, and key-frame requests to publishers.

use std::time::Instant;

use rtp::ntp::duration_from_compact;
use rtp::rtcp::{ReportBlock, RtcpPacket, TICK, TransportFeedback};
use rtp::{RtcpWriter, Ssrc};

use super::{Sfu, destination};
use crate::capture::Direction;
use crate::congestion::history::Arrival;
use crate::peer::{FEEDBACK_SSRC, Peer};
use crate::router::Target;
use crate::stats::DropReason;
use crate::table::PeerKey;
use crate::transmit::Class;

impl Sfu {
    /// Takes in the RTCP of a peer. What is readable counts, whatever stands beside it.
    pub(super) fn take_feedback(
        &mut self,
        key: PeerKey,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), DropReason> {
        self.stats.rtcp_datagrams_received += 1;
        self.capture.show(Direction::In, bytes);
        let mut outcome = Ok(());
        let mut requested = 0;
        for packet in rtp::rtcp::packets(bytes) {
            let Ok(packet) = packet else {
                outcome = Err(DropReason::RtcpMalformed);
                continue;
            };
            let Some(peer) = self.peers.get_mut(key) else {
                break;
            };
            match packet {
                RtcpPacket::SenderReport(report) => {
                    let info = report.info;
                    peer.ingress
                        .sender_report(report.ssrc, info.ntp_time, info.rtp_timestamp, now);
                    measure(peer, report.blocks(), now);
                }
                RtcpPacket::TransportFeedback(feedback) => {
                    self.stats.transport_feedback_received += 1;
                    take_arrivals(peer, &feedback);
                }
                RtcpPacket::Pli(pli) => self.take_key_frame_request(key, pli.media_ssrc, now),
                RtcpPacket::Fir(fir) => {
                    for entry in fir.entries() {
                        self.take_key_frame_request(key, entry.ssrc, now);
                    }
                }
                RtcpPacket::ReceiverReport(report) => measure(peer, report.blocks(), now),
                RtcpPacket::Nack(nack) => self.take_requests(key, &nack, &mut requested, now),
                // Nothing was offered that would make sense of the others.
                RtcpPacket::Sdes(_) | RtcpPacket::Bye(_) | RtcpPacket::Unknown { .. } => {}
            }
        }
        outcome
    }

    /// A subscriber asks for a key frame in one of its slots: of the layer that it receives there.
    fn take_key_frame_request(&mut self, key: PeerKey, slot_ssrc: Ssrc, now: Instant) {
        self.stats.key_frame_requests_received += 1;
        let Some(subscriber) = self.peers.get(key) else {
            return;
        };
        let Some(position) = subscriber.egress.position_of_ssrc(slot_ssrc) else {
            self.stats.drop_one(DropReason::FeedbackUnknownSsrc);
            return;
        };
        let slot = subscriber.egress.slot(position);
        if slot.is_some_and(super::SlotState::is_held) {
            return;
        }
        let stream = slot.and_then(super::SlotState::stream);
        let Some(source) = self.router.source(Target {
            peer: key,
            slot: position,
        }) else {
            return;
        };
        let Some(publisher) = self.peers.get_mut(source.peer) else {
            return;
        };
        let asked = match stream {
            Some(stream) => publisher
                .ingress
                .want_key_frame(source.publication, stream.layer, now),
            None => publisher
                .ingress
                .want_preferred_key_frame(source.publication, now),
        };
        if let Some(ssrc) = asked {
            self.send_key_frame_request(source.peer, ssrc);
        }
    }

    pub(super) fn send_key_frame_request(&mut self, publisher: PeerKey, ssrc: Ssrc) {
        let sent = self.send_rtcp(publisher, |writer| writer.pli(FEEDBACK_SSRC, ssrc).is_ok());
        self.stats.key_frame_requests_sent += u64::from(sent);
    }

    /// Writes, seals and queues one RTCP datagram; `write` says whether there is anything to send.
    pub(super) fn send_rtcp(
        &mut self,
        key: PeerKey,
        write: impl FnOnce(&mut RtcpWriter<'_>) -> bool,
    ) -> bool {
        let Some(peer) = self.peers.get_mut(key) else {
            return false;
        };
        let Some(path) = destination(peer) else {
            return false;
        };
        let mut buffer = self.transmit.buffer();
        let plain_max = super::DATAGRAM_MAX - super::Protection::RTCP_OVERHEAD_MAX;
        let mut writer = RtcpWriter::new(buffer.bytes.get_mut(..plain_max).unwrap_or_default());
        if !write(&mut writer) || writer.is_empty() {
            self.transmit.recycle(buffer);
            return false;
        }
        let len = writer.len();
        self.capture
            .show(Direction::Out, buffer.bytes.get(..len).unwrap_or_default());
        let Ok(sealed_len) = peer.transport.protect_rtcp(&mut buffer.bytes[..], len) else {
            self.transmit.recycle(buffer);
            self.stats.drop_one(DropReason::SealRefused);
            return false;
        };
        buffer.len = sealed_len;
        if self
            .transmit
            .push(path, Some(key), Class::Control, buffer)
            .is_err()
        {
            self.stats.drop_one(DropReason::TransmitQueueFull);
            return false;
        }
        self.stats.rtcp_datagrams_sent += 1;
        true
    }
}

/// Learns the round trip from the answers to our sender reports. What a report says of loss is of use once something
/// is controlled.
fn measure(subscriber: &mut Peer, blocks: impl Iterator<Item = ReportBlock>, now: Instant) {
    for block in blocks {
        let delay = duration_from_compact(block.delay_since_last_sender_report);
        let slot = subscriber.egress.position_of_ssrc(block.ssrc);
        let slot = slot.and_then(|slot| subscriber.egress.slot(slot));
        let measured = slot.and_then(|slot| slot.round_trip(block.last_sender_report, delay, now));
        if let Some(measured) = measured {
            subscriber.round_trip.measured(measured);
        }
    }
}

/// Keeps what a subscriber says of the arrival of its packets.
fn take_arrivals(subscriber: &mut Peer, feedback: &TransportFeedback<'_>) {
    for packet in feedback.packets() {
        let arrival = match packet.arrival_ticks {
            // The clock is the subscriber's own: only differences within one feedback mean anything yet.
            Some(ticks) => Arrival::At(TICK * u32::try_from(ticks.max(0)).unwrap_or_default()),
            None => Arrival::Lost,
        };
        subscriber.history.reported(packet.sequence_number, arrival);
    }
}
