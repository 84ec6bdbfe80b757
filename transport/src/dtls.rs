//! DTLS, behind a small trait of our own.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use zeroize::Zeroizing;

use crate::limits;
use crate::srtp::SrtpProfile;

/// The session is over and cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DtlsFailed;

/// What a session has to say, in the order in which it happens.
#[derive(Debug)]
pub(crate) enum DtlsEvent {
    /// A datagram to send.
    Datagram(Vec<u8>),
    /// The peer's certificate, in DER. Nothing about it was checked but, before `Connected`, that the peer has its key.
    PeerCertificate(Vec<u8>),
    /// The handshake is complete.
    Connected,
    /// Keying material for SRTP, laid out as [`SrtpKeys::from_exported`](crate::SrtpKeys::from_exported) wants it.
    Keys(SrtpProfile, Zeroizing<Vec<u8>>),
    /// The peer said `close_notify`.
    ClosedByPeer,
}

/// A handshake and what follows it. After each call that takes something in, poll until nothing comes.
pub(crate) trait Dtls: fmt::Debug + Send {
    /// Takes in a datagram.
    fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), DtlsFailed>;

    /// Lets time pass.
    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsFailed>;

    /// The next event.
    fn poll_event(&mut self) -> Option<DtlsEvent>;

    /// When `handle_timeout` wants to be called next; good after `poll_event` has returned `None`.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Queues a `close_notify` if the handshake is complete.
    fn close(&mut self);
}

/// Which side of the handshake we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DtlsRole {
    /// Waits for the ClientHello.
    Server,
    /// Sends it.
    Client,
}

/// The settings of the handshake library: RustCrypto, and our limits.
pub(crate) fn configuration() -> Result<Arc<dimpl::Config>, dimpl::Error> {
    let configuration = dimpl::Config::builder()
        .with_crypto_provider(dimpl::crypto::rust_crypto::default_provider())
        .mtu(limits::DTLS_DATAGRAM_MAX)
        .flight_start_rto(limits::DTLS_FLIGHT_START_RTO)
        .flight_retries(limits::DTLS_FLIGHT_RETRIES)
        .handshake_timeout(limits::CONNECT_TIMEOUT)
        .require_client_certificate(true)
        // The address was validated by an authenticated check before the first record is looked at.
        .use_server_cookie(false)
        .build()?;
    Ok(Arc::new(configuration))
}

/// DTLS 1.2 by the crate `dimpl`.
///
/// Not 1.3: there its server takes the client's first protection profile, which costs 4.6 times as much with
/// Chromium, and has no setting for it. With 1.2 it takes AES-256-GCM.
pub(crate) struct DimplSession {
    dtls: dimpl::Dtls,
    buffer: Vec<u8>,
    timeout: Option<Instant>,
}

impl DimplSession {
    /// Starts a session at `now`. A client's ClientHello is ready to be polled afterwards.
    pub(crate) fn new(
        role: DtlsRole,
        configuration: Arc<dimpl::Config>,
        certificate: &[u8],
        private_key: &[u8],
        now: Instant,
    ) -> Result<Self, DtlsFailed> {
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.to_vec(),
            private_key: private_key.to_vec(),
        };
        let mut dtls = dimpl::Dtls::new_12(configuration, certificate, now);
        dtls.set_active(role == DtlsRole::Client);
        let mut session = Self {
            dtls,
            buffer: vec![0; limits::DTLS_DATAGRAM_MAX],
            timeout: None,
        };
        session.handle_timeout(now)?;
        Ok(session)
    }
}

impl Dtls for DimplSession {
    fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> Result<(), DtlsFailed> {
        self.handle_timeout(now)?;
        self.dtls.handle_packet(datagram).map_err(|_| DtlsFailed)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsFailed> {
        self.dtls.handle_timeout(now).map_err(|_| DtlsFailed)
    }

    fn poll_event(&mut self) -> Option<DtlsEvent> {
        loop {
            let needed = match self.dtls.poll_output(&mut self.buffer) {
                dimpl::Output::Packet(datagram) => return Some(DtlsEvent::Datagram(datagram.to_vec())),
                dimpl::Output::PeerCert(der) => return Some(DtlsEvent::PeerCertificate(der.to_vec())),
                dimpl::Output::Connected => return Some(DtlsEvent::Connected),
                dimpl::Output::KeyingMaterial(material, profile) => {
                    // A profile that we do not speak gives no keys, and the transport then fails for want of them.
                    let Some(profile) = profile_from_library(profile) else {
                        continue;
                    };
                    return Some(DtlsEvent::Keys(profile, Zeroizing::new(material.to_vec())));
                }
                dimpl::Output::CloseNotify => return Some(DtlsEvent::ClosedByPeer),
                dimpl::Output::Timeout(at) => {
                    self.timeout = Some(at);
                    return None;
                }
                dimpl::Output::BufferTooSmall { needed } => needed,
                // Nobody uses data channels here.
                _ => continue,
            };
            self.buffer.resize(needed.max(self.buffer.len() + 1), 0);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    fn close(&mut self) {
        // It fails only when the session is over already.
        let _ = self.dtls.close();
    }
}

impl fmt::Debug for DimplSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DimplSession").finish_non_exhaustive()
    }
}

fn profile_from_library(profile: dimpl::SrtpProfile) -> Option<SrtpProfile> {
    match profile {
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => Some(SrtpProfile::Aes128CmHmacSha1_80),
        dimpl::SrtpProfile::AEAD_AES_128_GCM => Some(SrtpProfile::AeadAes128Gcm),
        dimpl::SrtpProfile::AEAD_AES_256_GCM => Some(SrtpProfile::AeadAes256Gcm),
        _ => None,
    }
}
