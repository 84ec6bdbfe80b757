//! The core: every datagram, command and deadline enters here.
//!
//! [`Sfu::handle_datagram`] holds the one road of a packet; read it first.

mod control;
mod exit;
mod feedback;
mod repair;
mod reports;
mod tcp;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rtp::RtpPacket;
use rtp::rtcp::Arrival;
use transport::{Certificate, DatagramKind, Path, Protection, Received, SrtpError, TransportError};

#[cfg(feature = "capture")]
use crate::capture::Tap;
use crate::capture::{Capture, Direction};
use crate::command::Event;
use crate::config::{Config, MediaProfile};
use crate::demux::Demux;
use crate::egress::slot::SlotState;
use crate::ingress::{Accepted, Missing};
use crate::limits::{DATAGRAM_MAX, EVENTS_MAX, PATH_QUIET, SELF_CHECKS_PER_SECOND};
use crate::peer::Peer;
use crate::random::Random;
use crate::repair::gaps::Came;
use crate::router::{Router, SourceKey, Target};
use crate::stats::{DropReason, Stats};
use crate::table::{PeerKey, Table};
use crate::timers::Timers;
use crate::transmit::{Transmit, TransmitQueue};
use exit::Exit;

/// A selective forwarding unit: takes datagrams, commands and the time, hands out datagrams and events.
///
/// After each `handle_*`, drain [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event), and
/// ask [`poll_timeout`](Self::poll_timeout) anew.
#[derive(Debug)]
pub struct Sfu {
    certificate: Arc<Certificate>,
    media_addresses: Vec<SocketAddr>,
    tcp_addresses: Vec<SocketAddr>,
    media: MediaProfile,
    random: Random,
    peers: Table<Peer>,
    demux: Demux,
    router: Router,
    timers: Timers,
    transmit: TransmitQueue,
    events: VecDeque<Event>,
    stats: Stats,
    self_checks: SelfChecks,
    capture: Capture,
    /// Used again by every feedback.
    arrivals: Vec<Arrival>,
    /// Used again by every request for missing packets.
    missing: Missing,
    /// Used again by every packet: the slots that change to its layer although it is late.
    late_switches: Vec<Target>,
}

/// How many plain STUN requests were answered in this second.
#[derive(Debug, Default)]
struct SelfChecks {
    since: Option<Instant>,
    answered: u32,
}

impl Sfu {
    /// A core without peers.
    pub fn new(config: Config) -> Self {
        Self {
            certificate: config.certificate,
            media_addresses: config.media_addresses,
            tcp_addresses: config.tcp_addresses,
            media: config.media,
            random: Random::new(config.seed),
            peers: Table::default(),
            demux: Demux::default(),
            router: Router::default(),
            timers: Timers::default(),
            transmit: TransmitQueue::default(),
            events: VecDeque::new(),
            stats: Stats::default(),
            self_checks: SelfChecks::default(),
            capture: Capture::default(),
            arrivals: Vec::new(),
            missing: Missing::default(),
            late_switches: Vec::new(),
        }
    }

    /// Shows every decrypted packet to the tap from now on.
    #[cfg(feature = "capture")]
    pub fn set_tap(&mut self, tap: Tap) {
        self.capture.tap = Some(tap);
    }

    /// Takes in a datagram that came over this path. It is decrypted in place.
    pub fn handle_datagram(&mut self, path: Path, datagram: &mut [u8], now: Instant) {
        self.stats.datagrams_received += 1;
        self.stats.bytes_received += datagram.len() as u64;
        if let Err(reason) = self.take_in(path, datagram, now) {
            self.stats.drop_one(reason);
        }
    }

    /// Lets time pass for every peer whose deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        // A peer may be due again at once; it waits for the next call.
        for _ in 0..self.peers.len() {
            let Some(key) = self.timers.take_due(now) else {
                return;
            };
            self.peer_timeout(key, now);
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        self.transmit.poll()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What this core did so far.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// How many peers there are, connected or not.
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// How many slots are fed by a source.
    pub fn subscription_count(&self) -> usize {
        self.router.len()
    }

    /// A datagram finds its peer, that peer's transport opens it, and it goes the way of its kind.
    fn take_in(&mut self, path: Path, datagram: &mut [u8], now: Instant) -> Result<(), DropReason> {
        if datagram.len() > DATAGRAM_MAX {
            return Err(DropReason::DatagramTooLarge);
        }
        let kind = transport::classify(datagram);
        let Some(key) = self.addressee(kind, path, datagram, now)? else {
            return Ok(());
        };
        let peer = self.peers.get_mut(key).ok_or(DropReason::UnknownAddress)?;
        let received = peer.transport.handle_datagram(path, datagram, now);
        // A DTLS record proves nothing before it is opened, so it does not keep a path for its owner.
        if received.is_ok() && kind != DatagramKind::Dtls {
            peer.heard_at = now;
        }
        match received {
            Ok(Received::Rtp { len }) => {
                let packet = datagram.get(..len).ok_or(DropReason::RtpMalformed)?;
                self.forward(key, packet, now)
            }
            Ok(Received::Rtcp { len }) => {
                let packets = datagram.get(..len).ok_or(DropReason::RtcpMalformed)?;
                self.take_feedback(key, packets, now)
            }
            Ok(Received::Nothing) => {
                let learned = if kind == DatagramKind::Stun {
                    self.learn(path, key, now)
                } else {
                    Ok(())
                };
                self.settle(key, now);
                learned
            }
            Err(error) => {
                self.settle(key, now);
                Err(refusal(error))
            }
        }
    }

    /// The one road of a media packet, from its publisher to every subscriber.
    fn forward(&mut self, key: PeerKey, bytes: &[u8], now: Instant) -> Result<(), DropReason> {
        self.stats.rtp_packets_received += 1;
        self.capture.show(Direction::In, bytes);
        let publisher = self.peers.get_mut(key).ok_or(DropReason::UnknownAddress)?;
        let packet =
            RtpPacket::parse(bytes, publisher.ingress.extensions()).map_err(|_| DropReason::RtpMalformed)?;
        let mut given_up = 0;
        let accepted = publisher.ingress.accept(&packet, &self.media, &mut given_up, now);
        self.stats.packets_given_up += given_up;
        let due = [publisher.ingress.arrivals.due(), publisher.ingress.missing_due()];
        if let Some(due) = due.into_iter().flatten().min() {
            self.timers.arm_no_later(key, due);
        }
        let (accepted, packet) = accepted?;
        if let Some(Came::Repaired(after)) = accepted.came {
            self.stats.packets_repaired += 1;
            after
                .into_iter()
                .for_each(|after| publisher.round_trip.measured(after));
        }
        let source = SourceKey {
            peer: key,
            publication: accepted.publication,
        };
        let targets = self.router.targets(source);
        if !targets.is_empty() {
            publisher.ingress.keep(&accepted, &packet, now);
        }
        let mut wants_key_frame = false;
        for target in targets {
            let Some(subscriber) = self.peers.get_mut(target.peer) else {
                continue;
            };
            let Some(path) = destination(subscriber) else {
                subscriber.egress.interrupt(target.slot);
                self.stats.drop_one(DropReason::SubscriberNotReady);
                continue;
            };
            let outgoing = subscriber.egress.rewrite(target.slot, &accepted, &packet, now);
            wants_key_frame |= subscriber.egress.lacks(target.slot, &accepted);
            let sent = outgoing.and_then(|outgoing| {
                let mut exit = Exit {
                    transmit: &mut self.transmit,
                    capture: &mut self.capture,
                    now,
                };
                let len = exit.send(subscriber, *target, path, &outgoing, &packet.payload)?;
                if outgoing.is_switch {
                    self.stats.layer_switches += 1;
                    if accepted.is_late_video() {
                        self.late_switches.push(*target);
                    }
                }
                Ok(len)
            });
            self.stats.count_forwarded(sent);
        }
        if given_up > 0 {
            self.ask_after_loss(source, accepted.stream, now);
        }
        self.catch_up(source, &accepted, now);
        self.ask_for_key_frame(source, &accepted, wants_key_frame, now);
        Ok(())
    }

    /// Asks the publisher for key frames that its subscribers lack: of the layer that they should receive, and of
    /// this packet's layer if one was asked for and did not come.
    fn ask_for_key_frame(&mut self, source: SourceKey, accepted: &Accepted, is_wanted: bool, now: Instant) {
        let Some(publisher) = self.peers.get_mut(source.peer) else {
            return;
        };
        let ingress = &mut publisher.ingress;
        let preferred = is_wanted
            .then(|| ingress.want_key_frame(source.publication, accepted.preferred.layer, now))
            .flatten();
        let repeated = ingress.due_key_frame_request(source.publication, accepted.stream.layer, now);
        for ssrc in [preferred, repeated].into_iter().flatten() {
            self.send_key_frame_request(source.peer, ssrc);
        }
    }

    /// Whose datagram this is; `None` when it was a plain STUN request and is answered.
    fn addressee(
        &mut self,
        kind: DatagramKind,
        path: Path,
        datagram: &[u8],
        now: Instant,
    ) -> Result<Option<PeerKey>, DropReason> {
        match kind {
            DatagramKind::Unknown => Err(DropReason::DatagramUnknown),
            DatagramKind::Stun => {
                if let Some(ufrag) = transport::stun::username_local_ufrag(datagram) {
                    return self
                        .demux
                        .ufrag_owner(ufrag)
                        .map(Some)
                        .ok_or(DropReason::UnknownUfrag);
                }
                if let Some(transaction) = transport::stun::parse_plain_binding_request(datagram) {
                    return self.answer_self_check(path, transaction, now).map(|()| None);
                }
                self.demux.owner(path).map(Some).ok_or(DropReason::StunUnexpected)
            }
            DatagramKind::Dtls | DatagramKind::Rtp | DatagramKind::Rtcp => {
                self.demux.owner(path).map(Some).ok_or(DropReason::UnknownAddress)
            }
        }
    }

    fn answer_self_check(
        &mut self,
        path: Path,
        transaction: transport::stun::TransactionId,
        now: Instant,
    ) -> Result<(), DropReason> {
        if !self.self_checks.take(now) {
            return Err(DropReason::SelfCheckLimit);
        }
        let mut response = [0; transport::stun::PLAIN_RESPONSE_MAX];
        let len = transport::stun::plain_binding_response(transaction, path.remote, &mut response);
        let response = response.get(..len).ok_or(DropReason::SelfCheckLimit)?;
        self.transmit.push_copy(path, None, response)?;
        self.stats.self_checks_answered += 1;
        Ok(())
    }

    /// A peer has proven a path by an authentic check. It keeps what it has; it does not take a living peer's.
    fn learn(&mut self, path: Path, key: PeerKey, now: Instant) -> Result<(), DropReason> {
        match self.demux.owner(path) {
            Some(owner) if owner == key => return Ok(()),
            Some(owner) => {
                let heard_at = self.peers.get(owner).map(|peer| peer.heard_at);
                if heard_at.is_some_and(|heard| now.saturating_duration_since(heard) < PATH_QUIET) {
                    return Err(DropReason::AddressTaken);
                }
            }
            None => {}
        }
        let Some(peer) = self.peers.get(key) else {
            return Ok(());
        };
        let is_learned = self.demux.learn(path, key) || {
            // The transport has given up a path for this one.
            self.demux.retain(key, |path| peer.transport.has_path(path));
            self.demux.learn(path, key)
        };
        if is_learned {
            Ok(())
        } else {
            Err(DropReason::PathLimit)
        }
    }

    fn push_event(&mut self, event: Event) {
        if self.events.len() >= EVENTS_MAX {
            self.stats.drop_one(DropReason::EventsFull);
            return;
        }
        self.events.push_back(event);
    }
}

/// Where the media of a peer goes, once it may flow.
fn destination(peer: &Peer) -> Option<Path> {
    if !peer.transport.is_connected() {
        return None;
    }
    peer.transport.destination()
}

/// The reason that stands for an error of a transport.
const fn refusal(error: TransportError) -> DropReason {
    match error {
        TransportError::Unknown => DropReason::DatagramUnknown,
        TransportError::StunMalformed | TransportError::StunRefused => DropReason::StunRefused,
        TransportError::TooManyPaths => DropReason::PathLimit,
        TransportError::DtlsFailed | TransportError::DtlsFromUnvalidatedPath => DropReason::DtlsRefused,
        TransportError::MediaBeforeKeys => DropReason::SrtpBeforeKeys,
        TransportError::Closed | TransportError::MediaFromUnvalidatedPath => DropReason::UnknownAddress,
        TransportError::Srtp(SrtpError::Replayed | SrtpError::TooOld) => DropReason::SrtpReplayed,
        TransportError::Srtp(_) => DropReason::SrtpRefused,
    }
}

impl SelfChecks {
    /// Whether one more may be answered.
    fn take(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since).as_secs() >= 1;
        if self.since.is_none_or(is_over) {
            *self = Self {
                since: Some(now),
                answered: 0,
            };
        }
        self.answered += 1;
        self.answered <= SELF_CHECKS_PER_SECOND
    }
}
