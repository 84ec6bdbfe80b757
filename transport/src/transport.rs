//! The transport of one peer: datagrams in, decrypted media and events out.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::certificate::{self, Certificate, Fingerprint};
use crate::counters::Counters;
use crate::demux::{DatagramKind, classify};
use crate::dtls::{DimplSession, Dtls, DtlsEvent, DtlsFailed, DtlsRole};
use crate::error::{CloseReason, SetupError, TransportError};
use crate::ice::{Addresses, Ice, IceCredentials, IceEvent, IceRole, IsAgent};
use crate::limits;
use crate::path::{Path, Transmit};
use crate::paths::Paths;
use crate::srtp::{Protector, SrtpError, SrtpKeys, SrtpProfile, Tag, Unprotector};

/// Which side of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// ICE-lite and controlled, DTLS server: waits for the peer's checks.
    Server,
    /// ICE controlling, DTLS client: checks `remote_addresses`.
    Client,
}

/// All that a transport needs to know.
#[derive(Clone)]
pub struct TransportConfig {
    /// Which side we are.
    pub role: Role,
    /// Our credentials, from a cryptographic random generator.
    pub local_ice: IceCredentials,
    /// The peer's credentials, from its answer.
    pub remote_ice: IceCredentials,
    /// The fingerprint that the peer's certificate must have.
    pub remote_fingerprint: Fingerprint,
    /// Our certificate.
    pub certificate: Arc<Certificate>,
    /// Our addresses: host candidates over UDP.
    pub local_addresses: Vec<SocketAddr>,
    /// Our addresses over TCP: where a server takes connections, or from where a client has made them.
    pub local_tcp_addresses: Vec<SocketAddr>,
    /// The peer's addresses over UDP; only a client needs them, a server learns them from the checks.
    pub remote_addresses: Vec<SocketAddr>,
    /// The peer's addresses over TCP, for a client.
    pub remote_tcp_addresses: Vec<SocketAddr>,
}

// Addresses stay out of logs, so out of debug output too.
impl fmt::Debug for TransportConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TransportConfig")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Nothing for the caller: STUN or DTLS, dealt with.
    Nothing,
    /// The first `len` bytes of the buffer are an RTP packet now.
    Rtp {
        /// Length of the packet, in bytes.
        len: usize,
    },
    /// The first `len` bytes of the buffer are a compound RTCP packet now.
    Rtcp {
        /// Length of the packet, in bytes.
        len: usize,
    },
}

/// What happened to a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportEvent {
    /// The fingerprint matched and there are keys: media may flow.
    Connected {
        /// The protection that was agreed on.
        profile: SrtpProfile,
    },
    /// The transport has ended. It comes once and is the last event.
    Closed(CloseReason),
}

/// One peer's path. After each call, drain `poll_transmit` and `poll_event` and ask `poll_timeout` anew.
#[derive(Debug)]
pub struct Transport {
    /// `None` when simulated: then there is one path, and keys from the start.
    negotiation: Option<Negotiation>,
    paths: Paths,
    media: Option<Media>,
    is_closed: bool,
    transmits: VecDeque<Transmit>,
    events: VecDeque<TransportEvent>,
    counters: Counters,
}

/// What leads to keys.
#[derive(Debug)]
struct Negotiation {
    role: Role,
    ice: Box<dyn Ice>,
    /// Starts with the first validated path.
    dtls: Option<Box<dyn Dtls>>,
    certificate: Arc<Certificate>,
    remote_fingerprint: Fingerprint,
    fingerprint_matched: bool,
    handshake_complete: bool,
    /// Until when the transport must be connected.
    connect_deadline: Instant,
}

/// The protection of media, which exists only after the fingerprint matched.
#[derive(Debug)]
struct Media {
    profile: SrtpProfile,
    protector: Protector,
    unprotector: Unprotector,
}

impl Media {
    fn new(keys: &SrtpKeys) -> Self {
        Self {
            profile: keys.profile(),
            protector: Protector::new(keys),
            unprotector: Unprotector::new(keys),
        }
    }
}

impl Transport {
    /// Starts a transport at `now`. A client's first check is ready to be polled afterwards.
    ///
    /// Fails when a local address cannot carry media.
    pub fn new(config: TransportConfig, now: Instant) -> Result<Self, SetupError> {
        let ice_role = match config.role {
            Role::Server => IceRole::Lite,
            Role::Client => IceRole::Controlling {
                remote: Addresses {
                    udp: &config.remote_addresses,
                    tcp: &config.remote_tcp_addresses,
                },
            },
        };
        let local = Addresses {
            udp: &config.local_addresses,
            tcp: &config.local_tcp_addresses,
        };
        let ice = IsAgent::new(&ice_role, &config.local_ice, &config.remote_ice, local, now)?;
        let negotiation = Negotiation {
            role: config.role,
            ice: Box::new(ice),
            dtls: None,
            certificate: config.certificate,
            remote_fingerprint: config.remote_fingerprint,
            fingerprint_matched: false,
            handshake_complete: false,
            connect_deadline: now + limits::CONNECT_TIMEOUT,
        };
        let mut transport = Self::empty();
        transport.negotiation = Some(negotiation);
        transport.progress(now);
        Ok(transport)
    }

    /// A transport that is connected from the start, over one path and with given keys: for simulations.
    pub fn from_srtp_keys(keys: &SrtpKeys, path: Path) -> Self {
        let mut transport = Self::empty();
        transport.paths = Paths::fixed(path);
        transport.media = Some(Media::new(keys));
        transport.events.push_back(TransportEvent::Connected {
            profile: keys.profile(),
        });
        transport
    }

    fn empty() -> Self {
        Self {
            negotiation: None,
            paths: Paths::default(),
            media: None,
            is_closed: false,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes in a datagram that came over this path. Media is decrypted in place.
    ///
    /// An error says why the datagram was dropped, and is counted already. The buffer's content is then undefined.
    pub fn handle_datagram(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        now: Instant,
    ) -> Result<Received, TransportError> {
        let outcome = match classify(datagram) {
            _ if self.is_closed => Err(TransportError::Closed),
            DatagramKind::Rtp => self.handle_rtp(path, datagram, now),
            DatagramKind::Rtcp => self.handle_rtcp(path, datagram, now),
            DatagramKind::Stun => self.handle_stun(path, datagram, now),
            DatagramKind::Dtls => self.handle_dtls(path, datagram, now),
            DatagramKind::Unknown => Err(TransportError::Unknown),
        };
        outcome.inspect_err(|error| self.counters.count_drop(*error))
    }

    fn handle_rtp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        now: Instant,
    ) -> Result<Received, TransportError> {
        let len = self.media_from(path)?.unprotector.unprotect_rtp(datagram)?;
        self.paths.prove(path, now);
        self.counters.rtp_received += 1;
        Ok(Received::Rtp { len })
    }

    fn handle_rtcp(
        &mut self,
        path: Path,
        datagram: &mut [u8],
        now: Instant,
    ) -> Result<Received, TransportError> {
        let len = self.media_from(path)?.unprotector.unprotect_rtcp(datagram)?;
        self.paths.prove(path, now);
        self.counters.rtcp_received += 1;
        Ok(Received::Rtcp { len })
    }

    fn media_from(&mut self, path: Path) -> Result<&mut Media, TransportError> {
        if !self.paths.contains(path) {
            return Err(TransportError::MediaFromUnvalidatedPath);
        }
        self.media.as_mut().ok_or(TransportError::MediaBeforeKeys)
    }

    fn handle_stun(&mut self, path: Path, datagram: &[u8], now: Instant) -> Result<Received, TransportError> {
        let Some(negotiation) = &mut self.negotiation else {
            return Err(TransportError::StunRefused);
        };
        if !self.paths.has_room_for(path, now) {
            return Err(TransportError::TooManyPaths);
        }
        negotiation.ice.handle_datagram(path, datagram, now)?;
        self.paths.checked(path, now);
        self.counters.stun_received += 1;
        self.progress(now);
        Ok(Received::Nothing)
    }

    fn handle_dtls(&mut self, path: Path, datagram: &[u8], now: Instant) -> Result<Received, TransportError> {
        if !self.paths.contains(path) {
            return Err(TransportError::DtlsFromUnvalidatedPath);
        }
        // The session starts with the first validated path, and this path is validated.
        let dtls = self
            .negotiation
            .as_mut()
            .and_then(|negotiation| negotiation.dtls.as_mut());
        let Some(dtls) = dtls else {
            return Err(TransportError::DtlsFailed);
        };
        let outcome = dtls.handle_datagram(datagram, now);
        self.paths.heard(path);
        self.counters.dtls_received += 1;
        self.progress(now);
        if outcome.is_err() {
            self.end(CloseReason::DtlsFailed);
            return Err(TransportError::DtlsFailed);
        }
        Ok(Received::Nothing)
    }

    /// Seals the RTP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTP_OVERHEAD_MAX`](crate::Protection::RTP_OVERHEAD_MAX) bytes of room behind
    /// the packet. The first sequence number of a source should be below 32,768. One that this source has sent
    /// before is refused: sealing it twice would break the encryption.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, TransportError> {
        let outcome = self.media_to()?.protector.protect_rtp(buffer, len);
        self.count_protected(outcome, |counters| &mut counters.rtp_protected)
    }

    /// Seals a packet once more that [`protect_rtp`](Self::protect_rtp) sealed before with this tag, so that the very
    /// same datagram can be sent again. Fails, and wipes the buffer, when the packet is not the same.
    pub fn protect_rtp_again(
        &mut self,
        buffer: &mut [u8],
        len: usize,
        tag: &Tag,
    ) -> Result<usize, TransportError> {
        let outcome = self.media_to()?.protector.protect_rtp_again(buffer, len, tag);
        self.count_protected(outcome, |counters| &mut counters.rtp_protected)
    }

    /// The authentication tag of a packet that [`protect_rtp`](Self::protect_rtp) sealed; `None` before there are keys.
    pub fn rtp_tag(&self, sealed: &[u8]) -> Option<Tag> {
        self.media.as_ref()?.protector.tag(sealed)
    }

    /// Seals the compound RTCP packet in `buffer[..len]` in place and returns its new length.
    ///
    /// The buffer needs [`Protection::RTCP_OVERHEAD_MAX`](crate::Protection::RTCP_OVERHEAD_MAX) bytes of room.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, TransportError> {
        let outcome = self.media_to()?.protector.protect_rtcp(buffer, len);
        self.count_protected(outcome, |counters| &mut counters.rtcp_protected)
    }

    fn media_to(&mut self) -> Result<&mut Media, TransportError> {
        self.media.as_mut().ok_or_else(|| {
            self.counters.protect_refused += 1;
            if self.is_closed {
                TransportError::Closed
            } else {
                TransportError::MediaBeforeKeys
            }
        })
    }

    fn count_protected(
        &mut self,
        outcome: Result<usize, SrtpError>,
        counter: fn(&mut Counters) -> &mut u64,
    ) -> Result<usize, TransportError> {
        let counter = if outcome.is_ok() {
            counter(&mut self.counters)
        } else {
            &mut self.counters.protect_refused
        };
        *counter += 1;
        Ok(outcome?)
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(negotiation) = self.negotiation.as_mut().filter(|_| !self.is_closed) else {
            return;
        };
        self.paths.expire(now);
        negotiation.ice.handle_timeout(now);
        let outcome = negotiation
            .dtls
            .as_mut()
            .map_or(Ok(()), |dtls| dtls.handle_timeout(now));
        let connect_deadline = negotiation.connect_deadline;
        self.progress(now);
        let is_late = self.media.is_none() && now >= connect_deadline;
        if is_late && self.paths.is_untouched() {
            self.end(CloseReason::Unreachable);
        } else if is_late || outcome.is_err() {
            self.end(CloseReason::DtlsFailed);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next; `None` when never.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let negotiation = self.negotiation.as_mut().filter(|_| !self.is_closed)?;
        let connect = self.media.is_none().then_some(negotiation.connect_deadline);
        let dtls = negotiation.dtls.as_ref().and_then(|dtls| dtls.poll_timeout());
        let consent = self.paths.consent_until();
        [connect, dtls, consent, negotiation.ice.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next datagram of ICE or DTLS to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        self.events.pop_front()
    }

    /// Ends the transport from our side: forgets the keys and says `close_notify` if there is somebody to hear it.
    ///
    /// The farewell still comes out of `poll_transmit`; no event follows.
    pub fn close(&mut self) {
        if self.is_closed {
            return;
        }
        let destination = self.paths.handshake();
        let dtls = self
            .negotiation
            .as_mut()
            .and_then(|negotiation| negotiation.dtls.as_mut());
        if let (Some(dtls), Some(path)) = (dtls, destination) {
            dtls.close();
            while let Some(event) = dtls.poll_event() {
                if let DtlsEvent::Datagram(payload) = event {
                    self.transmits.push_back(Transmit { path, payload });
                }
            }
        }
        self.forget();
        self.events.clear();
    }

    /// The path that media goes to; `None` before there are keys, and while the peer consents on no path that it was
    /// proven to be at.
    pub fn destination(&self) -> Option<Path> {
        self.paths.destination()
    }

    /// Whether datagrams from this path can be this peer's.
    pub fn has_path(&self, path: Path) -> bool {
        self.paths.contains(path)
    }

    /// A TCP connection was closed. Media moves to another path that the peer was proven to be at, if there is one;
    /// without any path the transport ends when the peer's consent does.
    pub fn handle_closed_path(&mut self, path: Path, now: Instant) {
        self.paths.close(path, now);
        if let Some(negotiation) = &mut self.negotiation {
            negotiation.ice.handle_closed_path(path, now);
            self.progress(now);
        }
    }

    /// Whether media may flow.
    pub fn is_connected(&self) -> bool {
        self.media.is_some()
    }

    /// Whether the transport has ended.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The protection in use, once connected.
    pub fn profile(&self) -> Option<SrtpProfile> {
        self.media.as_ref().map(|media| media.profile)
    }

    /// What this transport has seen.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Carries results from ICE to DTLS and from DTLS to media, until nothing moves.
    fn progress(&mut self, now: Instant) {
        if let Some(reason) = self.progress_ice().or_else(|| self.progress_dtls(now).err()) {
            self.end(reason);
        }
    }

    fn progress_ice(&mut self) -> Option<CloseReason> {
        let negotiation = self.negotiation.as_mut()?;
        while let Some(transmit) = negotiation.ice.poll_transmit() {
            self.transmits.push_back(transmit);
        }
        while let Some(event) = negotiation.ice.poll_event() {
            match event {
                IceEvent::Nominated(path) => {
                    if negotiation.role == Role::Client && self.media.is_some() {
                        self.paths.choose(path);
                    } else {
                        self.paths.nominate(path);
                    }
                }
                IceEvent::Lost if self.paths.is_untouched() => return Some(CloseReason::Unreachable),
                IceEvent::Lost => return Some(CloseReason::IceTimeout),
            }
        }
        None
    }

    fn progress_dtls(&mut self, now: Instant) -> Result<(), CloseReason> {
        let Some(path) = self.paths.handshake() else {
            return Ok(());
        };
        let Some(negotiation) = &mut self.negotiation else {
            return Ok(());
        };
        if negotiation.dtls.is_none() {
            negotiation.dtls = Some(negotiation.start_dtls(now).map_err(|_| CloseReason::DtlsFailed)?);
        }
        while let Some(event) = negotiation.dtls.as_mut().and_then(|dtls| dtls.poll_event()) {
            match event {
                DtlsEvent::Datagram(payload) => {
                    self.transmits.push_back(Transmit { path, payload });
                }
                DtlsEvent::PeerCertificate(der) => negotiation.check_fingerprint(&der)?,
                DtlsEvent::Connected => negotiation.handshake_complete = true,
                DtlsEvent::Keys(profile, exported) => {
                    let keys = negotiation.accept_keys(profile, &exported)?;
                    self.media = Some(Media::new(&keys));
                    self.paths.prove_latest();
                    self.events.push_back(TransportEvent::Connected { profile });
                }
                DtlsEvent::ClosedByPeer => {
                    // What is left to poll is our own farewell.
                    negotiation.drain_datagrams(path, &mut self.transmits);
                    return Err(CloseReason::ClosedByPeer);
                }
            }
        }
        // The handshake tells of keys right after completion; without them the peer agreed on no profile.
        if negotiation.handshake_complete && self.media.is_none() {
            return Err(CloseReason::DtlsFailed);
        }
        Ok(())
    }

    /// Ends the transport, unless it has ended already.
    fn end(&mut self, reason: CloseReason) {
        if !self.is_closed {
            if reason == CloseReason::FingerprintMismatch {
                // Nothing more goes to whoever this is.
                self.transmits.clear();
            }
            self.forget();
            self.events.push_back(TransportEvent::Closed(reason));
        }
    }

    /// Drops keys and state machines.
    fn forget(&mut self) {
        self.is_closed = true;
        self.media = None;
        self.negotiation = None;
    }
}

impl Negotiation {
    fn start_dtls(&self, now: Instant) -> Result<Box<dyn Dtls>, DtlsFailed> {
        let role = match self.role {
            Role::Server => DtlsRole::Server,
            Role::Client => DtlsRole::Client,
        };
        let certificate = &self.certificate;
        let session = DimplSession::new(
            role,
            certificate.dtls_configuration(),
            certificate.der(),
            certificate.private_key(),
            now,
        )?;
        Ok(Box::new(session))
    }

    fn check_fingerprint(&mut self, der: &[u8]) -> Result<(), CloseReason> {
        self.fingerprint_matched =
            certificate::same(&certificate::fingerprint(der), &self.remote_fingerprint);
        if self.fingerprint_matched {
            Ok(())
        } else {
            Err(CloseReason::FingerprintMismatch)
        }
    }

    /// Keys count only after the handshake is complete and the fingerprint matched.
    fn accept_keys(&self, profile: SrtpProfile, exported: &[u8]) -> Result<SrtpKeys, CloseReason> {
        if !self.fingerprint_matched {
            return Err(CloseReason::FingerprintMismatch);
        }
        if !self.handshake_complete {
            return Err(CloseReason::DtlsFailed);
        }
        SrtpKeys::from_exported(profile, exported, self.role == Role::Client)
            .map_err(|_| CloseReason::DtlsFailed)
    }

    fn drain_datagrams(&mut self, path: Path, transmits: &mut VecDeque<Transmit>) {
        while let Some(event) = self.dtls.as_mut().and_then(|dtls| dtls.poll_event()) {
            if let DtlsEvent::Datagram(payload) = event {
                transmits.push_back(Transmit { path, payload });
            }
        }
    }
}

#[cfg(test)]
mod tests;
