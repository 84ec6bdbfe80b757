//! Repair of lost packets: asks publishers for what is missing, and sends again what subscribers miss.

use std::time::Instant;

use rtp::rtcp::Nack;
use rtp::{Extensions, RtpPacket};
use transport::Protocol;

use super::exit::Exit;
use super::{Sfu, destination};
use crate::egress::slot::SlotState;
use crate::ingress::{Accepted, StreamKey};
use crate::limits::{CATCH_UP_MAX, MISSING_MAX, REQUESTED_PER_DATAGRAM_MAX};
use crate::peer::FEEDBACK_SSRC;
use crate::repair::cache::Lookup;
use crate::router::{SourceKey, Target};
use crate::stats::DropReason;
use crate::table::PeerKey;

impl Sfu {
    /// Asks a publisher for the packets whose turn it is, in as many datagrams as that takes.
    pub(super) fn ask_for_missing(&mut self, key: PeerKey, now: Instant) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        let mut missing = std::mem::take(&mut self.missing);
        peer.ingress
            .take_missing(peer.round_trip.patience(), now, &mut missing);
        let mut wanted = missing.wanted.as_slice();
        while !wanted.is_empty() {
            let mut written = 0;
            let sent = self.send_rtcp(key, |writer| {
                for stream in wanted.chunk_by(|(one, _), (other, _)| one == other) {
                    let Some((ssrc, _)) = stream.first() else {
                        continue;
                    };
                    let mut numbers = [0; MISSING_MAX];
                    for (place, (_, number)) in numbers.iter_mut().zip(stream) {
                        *place = *number;
                    }
                    let numbers = numbers.get(..stream.len()).unwrap_or_default();
                    if writer.nack(FEEDBACK_SSRC, *ssrc, numbers).is_err() {
                        break;
                    }
                    written += stream.len();
                }
                written > 0
            });
            if !sent {
                break;
            }
            self.stats.packets_requested += written as u64;
            wanted = wanted.get(written..).unwrap_or_default();
        }
        self.stats.packets_given_up += missing.given_up_count;
        for (publication, stream) in &missing.given_up {
            let source = SourceKey {
                peer: key,
                publication: *publication,
            };
            self.ask_after_loss(source, *stream, now);
        }
        missing.clear();
        self.missing = missing;
    }

    /// Packets of a stream are lost for good: asks for a key frame, if somebody receives it.
    pub(super) fn ask_after_loss(&mut self, source: SourceKey, stream: StreamKey, now: Instant) {
        let is_received = self.router.targets(source).iter().any(|target| {
            let slot = self.peers.get(target.peer);
            let slot = slot.and_then(|peer| peer.egress.slot(target.slot));
            slot.is_some_and(|slot| slot.stream() == Some(stream) && !slot.is_held())
        });
        let Some(publisher) = self.peers.get_mut(source.peer).filter(|_| is_received) else {
            return;
        };
        if let Some(ssrc) = publisher
            .ingress
            .want_key_frame(source.publication, stream.layer, now)
        {
            self.send_key_frame_request(source.peer, ssrc);
        }
    }

    /// A subscriber misses packets of one of its slots. `requested` counts those of its whole datagram.
    pub(super) fn take_requests(
        &mut self,
        key: PeerKey,
        nack: &Nack<'_>,
        requested: &mut usize,
        now: Instant,
    ) {
        let subscriber = self.peers.get(key);
        let position = subscriber.and_then(|peer| peer.egress.position_of_ssrc(nack.media_ssrc));
        let Some(slot) = position else {
            self.stats.drop_one(DropReason::FeedbackUnknownSsrc);
            return;
        };
        let target = Target { peer: key, slot };
        let Some(source) = self.router.source(target) else {
            self.stats.drop_one(DropReason::RequestUnknown);
            return;
        };
        let mut is_lost = false;
        for sequence_number in nack.sequence_numbers() {
            *requested += 1;
            self.stats.retransmissions_requested += 1;
            let sent = if *requested > REQUESTED_PER_DATAGRAM_MAX {
                Err(DropReason::RequestTooMany)
            } else {
                self.send_again(source, target, sequence_number, now)
            };
            match sent {
                Ok(len) => {
                    self.stats.retransmissions_sent += 1;
                    self.stats.retransmitted_bytes += len as u64;
                }
                Err(reason) => {
                    is_lost |= reason == DropReason::RequestTooOld;
                    self.stats.drop_one(reason);
                }
            }
        }
        let slot = self.peers.get(key).and_then(|peer| peer.egress.slot(slot));
        if let Some(stream) = slot.and_then(SlotState::stream).filter(|_| is_lost) {
            self.ask_after_loss(source, stream, now);
        }
    }

    /// Sends one packet of a slot again, and returns how long it became.
    fn send_again(
        &mut self,
        source: SourceKey,
        target: Target,
        sequence_number: u16,
        now: Instant,
    ) -> Result<usize, DropReason> {
        let (publisher, subscriber) = self
            .peers
            .pair_mut(source.peer, target.peer)
            .ok_or(DropReason::RequestUnknown)?;
        let path = destination(subscriber).ok_or(DropReason::SubscriberNotReady)?;
        if path.protocol == Protocol::Tcp {
            return Err(DropReason::RequestOverTcp);
        }
        let deafness = subscriber.round_trip.deafness();
        let slot = subscriber
            .egress
            .slot_mut(target.slot)
            .ok_or(DropReason::RequestUnknown)?;
        let origin = slot.origin(sequence_number).ok_or(DropReason::RequestUnknown)?;
        let found = publisher
            .ingress
            .find(source.publication, origin.stream, origin.sequence, now);
        let (packet, payload) = match found {
            Lookup::Here(packet, payload) => (packet, payload),
            Lookup::Gone => return Err(DropReason::RequestTooOld),
            Lookup::NeverCame => return Err(DropReason::RequestNotReceived),
        };
        let format = self
            .media
            .format(packet.header.payload_type)
            .ok_or(DropReason::UnknownPayloadType)?;
        slot.again.answer(origin.number, deafness, now)?;
        if !subscriber.budget.spend(payload.len(), now) {
            return Err(DropReason::RequestOverBudget);
        }
        let outgoing = subscriber
            .egress
            .rewrite_again(target.slot, &origin, packet, format)?;
        let mut exit = Exit {
            transmit: &mut self.transmit,
            capture: &mut self.capture,
            now,
        };
        exit.send(subscriber, target, path, &outgoing, &payload)
    }

    /// Slots that changed to a layer with a late packet are sent what came behind it: nothing of that was theirs when
    /// it came, and without it they would have a key frame with a hole.
    pub(super) fn catch_up(&mut self, source: SourceKey, first: &Accepted, now: Instant) {
        if self.late_switches.is_empty() {
            return;
        }
        let mut targets = std::mem::take(&mut self.late_switches);
        let last = first.highest_sequence.min(first.sequence + CATCH_UP_MAX);
        for target in targets.drain(..) {
            for sequence in first.sequence + 1..=last {
                let sent = self.send_late(source, target, first, sequence, now);
                if let Some(sent) = sent {
                    self.stats.packets_caught_up += u64::from(sent.is_ok());
                    self.stats.count_forwarded(sent);
                }
            }
        }
        self.late_switches = targets;
    }

    /// Sends one packet from the cache for the first time; `None` when it is not there.
    fn send_late(
        &mut self,
        source: SourceKey,
        target: Target,
        first: &Accepted,
        sequence: u64,
        now: Instant,
    ) -> Option<Result<usize, DropReason>> {
        let (publisher, subscriber) = self.peers.pair_mut(source.peer, target.peer)?;
        let found = publisher
            .ingress
            .find(source.publication, first.stream, sequence, now);
        let Lookup::Here(cached, payload) = found else {
            return None;
        };
        let path = destination(subscriber)?;
        let accepted = Accepted {
            sequence: cached.sequence,
            picture_id: cached.picture_id,
            tl0_picture_index: cached.tl0_picture_index,
            starts_key_frame: false,
            ..*first
        };
        let packet = RtpPacket {
            header: cached.header,
            csrc_count: 0,
            extensions: Extensions {
                audio_level: cached.audio_level,
                ..Extensions::default()
            },
            payload,
            padding_len: 0,
            header_len: 0,
        };
        let outgoing = subscriber.egress.rewrite(target.slot, &accepted, &packet, now);
        let mut exit = Exit {
            transmit: &mut self.transmit,
            capture: &mut self.capture,
            now,
        };
        Some(outgoing.and_then(|outgoing| exit.send(subscriber, target, path, &outgoing, &payload)))
    }
}
