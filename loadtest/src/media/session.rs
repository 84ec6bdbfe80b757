//! One transport with the two streams that a member sends and the slots that it receives.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use e2ee::key_id::KeyId;
use protocol::media::{Extension, SourceKind};
use rtp::{AudioLevel, ExtensionMap, RtpHeader, RtpPacket, write_header};
use transport::{CloseReason, Path, Received, Role, Transport, TransportConfig, TransportEvent};

use super::incoming::{Incoming, Opening};
use super::outgoing::{Again, Outgoing, Plain};
use super::pace::Pace;
use super::vp8;
use crate::description::{Answering, Direction, Offer, Publishing};
use crate::error::MemberError;
use crate::fixtures;
use crate::keys::Keys;
use crate::limits::DATAGRAM_MAX;
use crate::report::MediaReport;
use e2ee::frame::SealError;

/// Length of an Opus frame.
const SOUND_INTERVAL: Duration = Duration::from_millis(20);

/// How long one member speaks before it is the next one's turn.
const TURN: Duration = Duration::from_secs(2);

/// What the audio level says of the tone and of silence, in dB below overload (RFC 6464).
const TONE_LEVEL: u8 = 27;
const SILENCE_LEVEL: u8 = 127;

/// How a member behaves.
#[derive(Debug, Clone, Copy)]
pub struct SessionSettings {
    /// Pictures per second.
    pub fps: u32,
    /// When the member speaks.
    pub voice: Voice,
    /// Whether it asks for missing packets, where that was negotiated.
    pub asks_again: bool,
    /// The wall clock at the start of the voices, since the epoch of NTP.
    pub ntp_at_start: Duration,
}

/// The turn of one member among those who speak one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// When the first one began.
    pub start: Instant,
    /// Whose turn this is.
    pub number: u32,
    /// How many speak.
    pub of: u32,
}

impl Voice {
    fn speaks(&self, now: Instant) -> bool {
        let turn = now.saturating_duration_since(self.start).as_millis() / TURN.as_millis();
        turn % u128::from(self.of.max(1)) == u128::from(self.number)
    }
}

/// Our side of a transport: addresses, credentials and the numbers of our streams.
pub struct Local {
    /// The address of our socket.
    pub address: SocketAddr,
    /// Our ICE credentials.
    pub ice: transport::IceCredentials,
    /// Our certificate.
    pub certificate: std::sync::Arc<transport::Certificate>,
    /// Random bits: SSRCs and first numbers.
    pub random: [u64; 4],
}

impl Local {
    /// What we answer to any offer for this transport.
    pub fn answering(&self) -> Answering {
        let publishing = |kind: SourceKind, random: u64| Publishing {
            mid: kind.mid(),
            ssrc: random as u32,
            retransmission_ssrc: (random >> 32) as u32,
        };
        Answering {
            ufrag: self.ice.ufrag().to_owned(),
            pwd: self.ice.password().to_owned(),
            fingerprint: self.certificate.fingerprint(),
            publishing: vec![
                publishing(SourceKind::Microphone, self.random[0]),
                publishing(SourceKind::Camera, self.random[1]),
            ],
        }
    }
}

/// The media of one member. After each call, drain `poll_transmit` and `poll_event` and ask `poll_timeout` anew.
pub struct Session {
    pub(super) transport: Transport,
    local: SocketAddr,
    pub(super) settings: SessionSettings,
    extensions: ExtensionMap,
    transport_sequence: u16,
    pub(super) microphone: Outgoing,
    pub(super) camera: Outgoing,
    sound: Pace,
    picture: Pace,
    /// The next picture of the circle; 0 is the key frame.
    next_picture: usize,
    picture_id: u16,
    pub(super) slots: BTreeMap<u32, Incoming>,
    /// From the SSRC of retransmissions to that of their slot.
    repairs: BTreeMap<u32, u32>,
    flows: BTreeMap<KeyId, Instant>,
    pub(super) report: MediaReport,
    pub(super) next_report: Instant,
    outbox: VecDeque<Vec<u8>>,
}

impl Session {
    /// Starts a transport for an offer.
    pub fn new(
        offer: &Offer,
        remotes: Vec<SocketAddr>,
        local: &Local,
        settings: SessionSettings,
        now: Instant,
    ) -> Result<Self, MemberError> {
        let config = TransportConfig {
            role: Role::Client,
            local_ice: local.ice.clone(),
            remote_ice: transport::IceCredentials::new(&offer.ufrag, &offer.pwd)?,
            remote_fingerprint: offer.fingerprint,
            certificate: local.certificate.clone(),
            local_addresses: vec![local.address],
            local_tcp_addresses: Vec::new(),
            remote_addresses: remotes,
            remote_tcp_addresses: Vec::new(),
        };
        let answering = local.answering();
        let stream = |kind, number: usize| {
            Outgoing::new(
                kind,
                answering.publishing[number].ssrc,
                local.random[2 + number],
                now,
            )
            .ok_or(MemberError::Offer("a stream without a name"))
        };
        let mut session = Self {
            transport: Transport::new(config, now)?,
            local: local.address,
            settings,
            extensions: extension_map(),
            transport_sequence: 0,
            microphone: stream(SourceKind::Microphone, 0)?,
            camera: stream(SourceKind::Camera, 1)?,
            sound: Pace::new(now, SOUND_INTERVAL),
            picture: Pace::new(now, Duration::from_secs(1) / settings.fps.max(1)),
            next_picture: 0,
            picture_id: (local.random[3] & 0x7FFF) as u16,
            slots: BTreeMap::new(),
            repairs: BTreeMap::new(),
            flows: BTreeMap::new(),
            report: MediaReport::default(),
            next_report: now,
            outbox: VecDeque::new(),
        };
        session.negotiate(offer, &answering);
        Ok(session)
    }

    /// Takes in what an offer for this transport says of its lines. Slots that are there stay as they are.
    pub fn negotiate(&mut self, offer: &Offer, answering: &Answering) {
        for line in &offer.lines {
            let payload_type = crate::description::codec_of(line.media).payload_type();
            let retransmission = line.retransmission_of(payload_type);
            match (line.direction, line.ssrc) {
                (Direction::SendOnly, Some(ssrc)) => {
                    let takes_nack = line.takes_nack(payload_type);
                    let slot = || Incoming::new(ssrc, line.media, takes_nack);
                    self.slots.entry(ssrc).or_insert_with(slot);
                    if let Some(repair) = line.retransmission_ssrc.filter(|_| retransmission.is_some()) {
                        self.repairs.insert(repair, ssrc);
                    }
                }
                (Direction::ReceiveOnly, _) if line.mid.as_str() == SourceKind::Camera.mid() => {
                    if let Some(payload_type) = retransmission {
                        self.camera
                            .retransmit(answering.publishing[1].retransmission_ssrc, payload_type);
                    }
                }
                _ => {}
            }
        }
    }

    /// What was counted so far, added to what earlier transports counted.
    pub fn report(&self) -> &MediaReport {
        &self.report
    }

    /// Goes on counting where an earlier transport ended.
    pub fn continue_report(&mut self, report: MediaReport) {
        self.report = report;
    }

    /// Takes in a datagram. What comes before keys or from strangers is dropped.
    pub fn handle_datagram(&mut self, from: SocketAddr, datagram: &mut [u8], keys: &mut Keys, now: Instant) {
        match self
            .transport
            .handle_datagram(Path::udp(self.local, from), datagram, now)
        {
            Ok(Received::Rtp { len }) => self.handle_rtp(&datagram[..len], keys, now),
            Ok(Received::Rtcp { len }) => self.handle_rtcp(&datagram[..len]),
            Ok(Received::Nothing) | Err(_) => {}
        }
    }

    fn handle_rtp(&mut self, datagram: &[u8], keys: &mut Keys, now: Instant) {
        self.report.packets_received += 1;
        let Ok(packet) = RtpPacket::parse(datagram, &self.extensions) else {
            self.report.fail("rtp");
            return;
        };
        let end = datagram.len() - usize::from(packet.padding_len);
        let mut payload = &datagram[packet.header_len..end];
        let mut header = packet.header;
        if let Some(ssrc) = self.repairs.get(&header.ssrc.0) {
            let Some((original, behind)) = payload.split_first_chunk::<2>() else {
                // Padding that probes for bandwidth.
                return;
            };
            header = RtpHeader {
                ssrc: rtp::Ssrc(*ssrc),
                sequence_number: u16::from_be_bytes(*original),
                ..header
            };
            payload = behind;
        }
        let Some(slot) = self.slots.get_mut(&header.ssrc.0) else {
            self.report.fail("unknown_ssrc");
            return;
        };
        let mut opening = Opening {
            keys,
            report: &mut self.report,
            flows: &mut self.flows,
            now,
        };
        slot.take(&header, payload, &mut opening);
    }

    /// Lets time pass: sends what is due.
    pub fn handle_timeout(&mut self, keys: &mut Keys, now: Instant) {
        if self.transport.poll_timeout().is_some_and(|at| at <= now) {
            self.transport.handle_timeout(now);
        }
        while let Some(number) = self.sound.take_due(now) {
            if self.transport.is_connected() {
                self.send_sound(number, keys, now);
            }
        }
        while let Some(number) = self.picture.take_due(now) {
            if self.transport.is_connected() {
                self.send_picture(number, keys);
            }
        }
        if self.transport.is_connected() {
            self.send_feedback(now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    pub fn poll_timeout(&mut self) -> Instant {
        let missing = self
            .slots
            .values()
            .filter_map(|slot| slot.reception.poll_timeout())
            .min();
        let media = [Some(self.sound.next_at()), Some(self.picture.next_at()), missing];
        media
            .into_iter()
            .chain([self.transport.poll_timeout()])
            .flatten()
            .min()
            .unwrap_or(self.next_report)
    }

    /// The next datagram to send and where it goes.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        if let Some(transmit) = self.transport.poll_transmit() {
            return Some((transmit.path.remote, transmit.payload.to_vec()));
        }
        let datagram = self.outbox.pop_front()?;
        let path = self.transport.destination()?;
        Some((path.remote, datagram))
    }

    /// Why the transport ended, if it did; `Ok(true)` once media may flow.
    pub fn poll_connected(&mut self) -> Result<bool, CloseReason> {
        while let Some(event) = self.transport.poll_event() {
            if let TransportEvent::Closed(reason) = event {
                return Err(reason);
            }
        }
        Ok(self.transport.is_connected())
    }

    /// Says goodbye; the farewell comes out of `poll_transmit`.
    pub fn close(&mut self) {
        self.outbox.clear();
        self.transport.close();
    }

    /// The next picture is a key frame.
    pub(super) fn want_key_frame(&mut self) {
        self.report.key_frames_asked += 1;
        self.next_picture = 0;
    }

    fn send_sound(&mut self, number: u32, keys: &mut Keys, now: Instant) {
        let speaks = self.settings.voice.speaks(now);
        let frame = if speaks {
            fixtures::TONE[number as usize % fixtures::TONE.len()]
        } else {
            fixtures::SILENCE
        };
        let level = AudioLevel {
            voice: speaks,
            below_overload_db: if speaks { TONE_LEVEL } else { SILENCE_LEVEL },
        };
        let mut sealed = Vec::new();
        if let Err(error) = keys.seal(SourceKind::Microphone, frame, &mut sealed) {
            // Before one is in the group there is nothing to seal with.
            if error != SealError::NoKey {
                self.report.fail("not_sealed");
            }
            return;
        }
        let plain = self
            .microphone
            .packet(SOUND_INTERVAL * number, false, Some(level), sealed);
        if let Some(plain) = plain {
            self.send(plain, SourceKind::Microphone);
        }
    }

    fn send_picture(&mut self, number: u32, keys: &mut Keys) {
        let frame = fixtures::PICTURE[self.next_picture];
        self.next_picture = (self.next_picture + 1) % fixtures::PICTURE.len();
        let mut sealed = Vec::new();
        if let Err(error) = keys.seal(SourceKind::Camera, frame, &mut sealed) {
            // Before one is in the group there is nothing to seal with.
            if error != SealError::NoKey {
                self.report.fail("not_sealed");
            }
            return;
        }
        let at = Duration::from_secs(1) * number / self.settings.fps.max(1);
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7FFF;
        let mut payloads = vp8::packetize(&sealed, self.picture_id).peekable();
        while let Some(payload) = payloads.next() {
            let is_last = payloads.peek().is_none();
            if let Some(plain) = self.camera.packet(at, is_last, None, payload) {
                self.send(plain, SourceKind::Camera);
            }
        }
    }

    fn send(&mut self, plain: Plain, kind: SourceKind) {
        let Some(wire) = self.seal(&plain) else {
            return;
        };
        self.report.packets_sent += 1;
        match kind {
            SourceKind::Microphone => self.microphone.remember(plain, &wire),
            SourceKind::Camera => self.camera.remember(plain, &wire),
        }
        self.outbox.push_back(wire);
    }

    /// Sends a packet again that the server misses.
    pub(super) fn send_again(&mut self, ssrc: rtp::Ssrc, sequence_number: u16) {
        let stream = if ssrc == self.microphone.ssrc {
            &mut self.microphone
        } else if ssrc == self.camera.ssrc {
            &mut self.camera
        } else {
            return;
        };
        let wire = match stream.again(sequence_number) {
            Some(Again::Wire(wire)) => Some(wire),
            Some(Again::Retransmission(plain)) => self.seal(&plain),
            None => None,
        };
        if let Some(wire) = wire {
            self.report.packets_sent_again += 1;
            self.outbox.push_back(wire);
        }
    }

    fn seal(&mut self, plain: &Plain) -> Option<Vec<u8>> {
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let mut extensions = plain.extensions;
        extensions.transport_sequence = Some(self.transport_sequence);
        let mut buffer = [0; DATAGRAM_MAX];
        let header_len = write_header(&mut buffer, &plain.header, &extensions, &self.extensions).ok()?;
        let len = header_len + plain.payload.len();
        buffer.get_mut(header_len..len)?.copy_from_slice(&plain.payload);
        let sealed_len = self.transport.protect_rtp(&mut buffer, len);
        if sealed_len.is_err() {
            self.report.fail("not_protected");
        }
        Some(buffer[..sealed_len.ok()?].to_vec())
    }

    /// Queues a compound RTCP packet, which has this room.
    pub(super) fn send_rtcp(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) {
        let mut buffer = [0; DATAGRAM_MAX];
        let room = DATAGRAM_MAX - transport::Protection::RTCP_OVERHEAD_MAX;
        let Some(len) = write(&mut buffer[..room]).filter(|len| *len > 0) else {
            return;
        };
        if let Ok(len) = self.transport.protect_rtcp(&mut buffer, len) {
            self.outbox.push_back(buffer[..len].to_vec());
        }
    }
}

fn extension_map() -> ExtensionMap {
    [
        (Extension::Mid, rtp::Extension::Mid),
        (Extension::AudioLevel, rtp::Extension::AudioLevel),
        (
            Extension::TransportSequenceNumber,
            rtp::Extension::TransportSequence,
        ),
    ]
    .into_iter()
    .map(|(extension, known)| (extension.id(), known))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_speak_one_after_the_other() {
        let start = Instant::now();
        for (number, seconds, speaks) in [
            (0, 0, true),
            (0, 1, true),
            (0, 2, false),
            (1, 3, true),
            (0, 6, true),
        ] {
            let voice = Voice { start, number, of: 3 };
            assert_eq!(
                voice.speaks(start + Duration::from_secs(seconds)),
                speaks,
                "{number} after {seconds} s"
            );
        }
    }
}
