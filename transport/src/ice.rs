//! ICE, behind a small trait of our own.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgentEvent, IceConnectionState, IceCreds};
use zeroize::Zeroizing;

use crate::error::{SetupError, TransportError};
use crate::limits;
use crate::path::{Path, Protocol, Transmit};

/// One side's ICE credentials: `a=ice-ufrag` and `a=ice-pwd`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    password: Zeroizing<String>,
}

impl IceCredentials {
    /// Checks and takes credentials. Ours must come from a cryptographic random generator.
    ///
    /// Fails when one of them is shorter or longer than the grammar allows (4 and 22 to 256 characters), or holds
    /// a character other than letters, digits, `+` and `/`; browsers refuse those too, so base64url will not do.
    ///
    /// Source: RFC 8839 section 5.4.
    pub fn new(ufrag: &str, password: &str) -> Result<Self, SetupError> {
        let well_formed = |value: &str, len_min: usize| {
            (len_min..=limits::ICE_CREDENTIAL_MAX).contains(&value.len())
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
        };
        if !well_formed(ufrag, 4) || !well_formed(password, 22) {
            return Err(SetupError::Credentials);
        }
        Ok(Self {
            ufrag: ufrag.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        })
    }

    /// The user name fragment, which says to whom a check belongs.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// The password, a secret between the two sides and signaling.
    pub fn password(&self) -> &str {
        &self.password
    }

    fn to_library(&self) -> IceCreds {
        IceCreds {
            ufrag: self.ufrag.clone(),
            pass: self.password.to_string(),
        }
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IceCredentials").finish_non_exhaustive()
    }
}

/// What ICE has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IceEvent {
    /// Media goes over this path from now on.
    Nominated(Path),
    /// No path is left.
    Lost,
}

/// The connectivity checks of one transport.
pub(crate) trait Ice: fmt::Debug + Send {
    /// Takes in a STUN message. Success means that it was authentic, which validates the path it came over.
    fn handle_datagram(&mut self, path: Path, datagram: &[u8], now: Instant) -> Result<(), TransportError>;

    /// Lets time pass.
    fn handle_timeout(&mut self, now: Instant);

    /// A TCP connection was closed.
    fn handle_closed_path(&mut self, path: Path, now: Instant);

    /// When `handle_timeout` wants to be called next.
    fn poll_timeout(&mut self) -> Option<Instant>;

    /// The next message to send.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// The next event.
    fn poll_event(&mut self) -> Option<IceEvent>;
}

/// Which part an agent plays.
pub(crate) enum IceRole<'a> {
    /// ICE-lite, controlled: answers checks and makes none.
    Lite,
    /// Full ICE, controlling: checks the peer's addresses and nominates.
    Controlling {
        /// The peer's addresses.
        remote: Addresses<'a>,
    },
}

/// The host candidates of one side.
#[derive(Clone, Copy)]
pub(crate) struct Addresses<'a> {
    pub(crate) udp: &'a [SocketAddr],
    pub(crate) tcp: &'a [SocketAddr],
}

impl Addresses<'_> {
    fn candidates(&self) -> impl Iterator<Item = (Protocol, SocketAddr)> {
        // The library prefers what is added first.
        let udp = self.udp.iter().map(|address| (Protocol::Udp, *address));
        udp.chain(self.tcp.iter().map(|address| (Protocol::Tcp, *address)))
    }
}

/// Connectivity checks by the crate `is`.
pub(crate) struct IsAgent {
    agent: is::IceAgent,
    is_lite: bool,
    local: Vec<(Protocol, SocketAddr)>,
    /// What a check nominated that the library does not tell.
    nominated: Option<Path>,
    announced: Option<Path>,
}

impl IsAgent {
    /// Starts checks at `now`. Fails when an address cannot be a candidate.
    pub(crate) fn new(
        role: &IceRole<'_>,
        local: &IceCredentials,
        remote: &IceCredentials,
        addresses: Addresses<'_>,
        now: Instant,
    ) -> Result<Self, SetupError> {
        let mut agent = is::IceAgent::new(local.to_library());
        let is_lite = matches!(role, IceRole::Lite);
        agent.set_ice_lite(is_lite);
        agent.set_controlling(!is_lite);
        // A lite agent cannot become controlling, so it must win every role conflict: the peer then takes the other
        // role (RFC 8445 section 7.3.1.1). The library would else draw a number.
        agent.set_control_tie_breaker(if is_lite { u64::MAX } else { 0 });
        agent.set_remote_credentials(remote.to_library());
        let candidates: Vec<_> = addresses.candidates().collect();
        if candidates.is_empty() {
            return Err(SetupError::Address);
        }
        for (protocol, address) in &candidates {
            agent.add_local_candidate(host(*protocol, *address)?);
        }
        if let IceRole::Controlling { remote } = role {
            for (protocol, address) in remote.candidates() {
                agent.add_remote_candidate(host(protocol, address)?);
            }
        }
        agent.handle_timeout(now);
        Ok(Self {
            agent,
            is_lite,
            local: candidates,
            nominated: None,
            announced: None,
        })
    }
}

impl Ice for IsAgent {
    fn handle_datagram(&mut self, path: Path, datagram: &[u8], now: Instant) -> Result<(), TransportError> {
        let message = StunMessage::parse(datagram).map_err(|_| TransportError::StunMalformed)?;
        if !self.local.contains(&(path.protocol, path.local)) {
            return Err(TransportError::StunRefused);
        }
        let nominates = message.is_binding_request() && message.use_candidate();
        let packet = StunPacket {
            proto: to_library(path.protocol),
            source: path.remote,
            destination: path.local,
            message,
        };
        if !self.agent.handle_packet(now, packet) {
            return Err(TransportError::StunRefused);
        }
        if self.is_lite && nominates {
            self.nominated = Some(path);
        }
        // The library evaluates states and nominations only here.
        self.agent.handle_timeout(now);
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
    }

    fn handle_closed_path(&mut self, path: Path, now: Instant) {
        if self.announced == Some(path) {
            self.announced = None;
        }
        if self.nominated == Some(path) {
            self.nominated = None;
        }
        // A client's end of a connection is a candidate of its own, and gone with it. A server's is where it listens;
        // the library forgets the peer's end once no checks come from it.
        if !self.is_lite
            && let Ok(candidate) = host(path.protocol, path.local)
        {
            self.agent.invalidate_candidate(&candidate);
            self.agent.handle_timeout(now);
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.agent.poll_timeout()
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        let transmit = self.agent.poll_transmit()?;
        Some(Transmit {
            path: Path {
                protocol: from_library(transmit.proto),
                local: transmit.source,
                remote: transmit.destination,
            },
            payload: transmit.contents.into(),
        })
    }

    fn poll_event(&mut self) -> Option<IceEvent> {
        while let Some(event) = self.agent.poll_event() {
            match event {
                IceAgentEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                    return Some(IceEvent::Lost);
                }
                // The library keeps to the nominated pair of the highest priority until that one times out, so for a
                // lite agent it would send into a dead network for 15 s after a browser has moved. The controlling
                // side decides (RFC 8445 section 8.1.1): for us the last nomination counts.
                IceAgentEvent::NominatedSend {
                    proto,
                    source,
                    destination,
                } if !self.is_lite => {
                    self.nominated = Some(Path {
                        protocol: from_library(proto),
                        local: source,
                        remote: destination,
                    });
                }
                _ => {}
            }
        }
        let nominated = self
            .nominated
            .take()
            .filter(|path| self.announced != Some(*path))?;
        self.announced = Some(nominated);
        Some(IceEvent::Nominated(nominated))
    }
}

// The library's own debug output holds the passwords.
impl fmt::Debug for IsAgent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IsAgent").finish_non_exhaustive()
    }
}

/// The library pairs candidates by protocol alone; active and passive differ only in who connects, which is not its
/// business.
fn host(protocol: Protocol, address: SocketAddr) -> Result<Candidate, SetupError> {
    Candidate::host(address, to_library(protocol)).map_err(|_| SetupError::Address)
}

const fn to_library(protocol: Protocol) -> is::Protocol {
    match protocol {
        Protocol::Udp => is::Protocol::Udp,
        Protocol::Tcp => is::Protocol::Tcp,
    }
}

/// Candidates of no other protocol are ever added.
const fn from_library(protocol: is::Protocol) -> Protocol {
    match protocol {
        is::Protocol::Udp => Protocol::Udp,
        is::Protocol::Tcp | is::Protocol::SslTcp | is::Protocol::Tls => Protocol::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_follow_the_grammar_of_rfc_8839() {
        let password = "abcdefghijklmnopqrstuv";
        assert!(IceCredentials::new("ab+/", password).is_ok());
        for (ufrag, password) in [
            ("abc", password),
            ("abcd", "too short"),
            ("ab:d", password),
            ("ab_d", password),
            ("ab-d", password),
            ("äbcd", password),
            ("abcd", "abcdefghijklmnopqrstu "),
        ] {
            assert_eq!(IceCredentials::new(ufrag, password), Err(SetupError::Credentials));
        }
        assert_eq!(
            IceCredentials::new(&"a".repeat(257), password),
            Err(SetupError::Credentials)
        );
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let credentials = IceCredentials::new("abcd", "abcdefghijklmnopqrstuv").unwrap();
        assert_eq!(format!("{credentials:?}"), "IceCredentials { .. }");
    }
}
