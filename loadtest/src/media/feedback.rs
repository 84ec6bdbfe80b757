//! The RTCP of a member: reports about what it sends and receives, requests for packets and key frames.

use std::time::Instant;

use protocol::media::SourceKind;
use rtp::rtcp::ReportBlock;
use rtp::{RtcpPacket, RtcpWriter};

use super::session::Session;
use crate::limits::REPORT_INTERVAL;

/// Blocks of one report: the count has five bits (RFC 3550 section 6.4.1).
const BLOCKS_MAX: usize = 31;

impl Session {
    /// Answers what others ask of our streams.
    pub(super) fn handle_rtcp(&mut self, datagram: &[u8]) {
        let camera = self.camera.ssrc;
        for packet in rtp::rtcp::packets(datagram).flatten() {
            match packet {
                RtcpPacket::Pli(pli) if pli.media_ssrc == camera => self.want_key_frame(),
                RtcpPacket::Fir(fir) if fir.entries().any(|entry| entry.ssrc == camera) => {
                    self.want_key_frame();
                }
                RtcpPacket::Nack(nack) => {
                    for sequence_number in nack.sequence_numbers() {
                        self.send_again(nack.media_ssrc, sequence_number);
                    }
                }
                _ => {}
            }
        }
    }

    /// Sends what is due.
    pub(super) fn send_feedback(&mut self, now: Instant) {
        self.ask_for_packets(now);
        self.ask_for_key_frames(now);
        if self.next_report <= now {
            self.next_report = now + REPORT_INTERVAL;
            self.send_reports(now);
        }
    }

    fn ask_for_packets(&mut self, now: Instant) {
        let sender = self.microphone.ssrc;
        let mut questions = Vec::new();
        for slot in self.slots.values_mut() {
            let mut numbers = Vec::new();
            let asks = self.settings.asks_again && slot.takes_nack;
            let lost = slot.reception.take_missing(now, asks, &mut numbers);
            self.report.packets_lost += lost as u64;
            if lost > 0 {
                slot.need_key_frame();
            }
            if !numbers.is_empty() {
                questions.push((slot.ssrc, numbers));
            }
        }
        for (ssrc, numbers) in questions {
            self.report.nacks_sent += 1;
            self.send_rtcp(|out| {
                let mut writer = RtcpWriter::new(out);
                writer.nack(sender, ssrc, &numbers).ok()?;
                Some(writer.len())
            });
        }
    }

    fn ask_for_key_frames(&mut self, now: Instant) {
        let sender = self.microphone.ssrc;
        let slots = self.slots.values_mut();
        let asked: Vec<rtp::Ssrc> = slots
            .filter_map(|slot| slot.take_key_frame_request(now).then_some(slot.ssrc))
            .collect();
        if asked.is_empty() {
            return;
        }
        self.report.key_frame_requests_sent += asked.len() as u64;
        self.send_rtcp(|out| {
            let mut writer = RtcpWriter::new(out);
            for ssrc in asked {
                writer.pli(sender, ssrc).ok()?;
            }
            Some(writer.len())
        });
    }

    /// A compound packet for each stream: the report with a share of the blocks, and the one name that both streams
    /// share, by which receivers play them in step (RFC 3550 section 6.5.1).
    fn send_reports(&mut self, now: Instant) {
        let slots = self.slots.values_mut();
        let blocks: Vec<ReportBlock> = slots
            .filter_map(|slot| slot.reception.report(slot.ssrc))
            .collect();
        let mut shares = blocks.chunks(BLOCKS_MAX);
        let since_start = now.saturating_duration_since(self.settings.voice.start);
        let ntp_now = self.settings.ntp_at_start + since_start;
        for kind in [SourceKind::Microphone, SourceKind::Camera] {
            let stream = match kind {
                SourceKind::Microphone => &self.microphone,
                SourceKind::Camera => &self.camera,
            };
            let ssrc = stream.ssrc;
            let info = stream.report(now, ntp_now);
            let share = shares.next().unwrap_or_default();
            self.send_rtcp(|out| {
                let mut writer = RtcpWriter::new(out);
                match info {
                    Some(info) => writer.sender_report(ssrc, &info, share).ok()?,
                    None => writer.receiver_report(ssrc, share).ok()?,
                }
                writer.sdes_cname(ssrc, "member").ok()?;
                Some(writer.len())
            });
        }
    }
}
