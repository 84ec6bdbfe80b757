//! A server and a client in memory, with a network between them, under virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;

pub(super) const SERVER_ADDRESS: &str = "10.0.0.1:8080";
pub(super) const CLIENT_ADDRESS: &str = "10.0.0.2:50000";

/// Whom a datagram is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Server,
    Client,
}

/// What the network does to a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives(Duration),
    IsLost,
}

/// Decides about a datagram. It is told whom it is for, and the time since the start.
type Network = dyn FnMut(Side, &Transmit, Duration) -> Fate;

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) server: Transport,
    pub(super) client: Transport,
    pub(super) server_events: Vec<TransportEvent>,
    pub(super) client_events: Vec<TransportEvent>,
    /// All that was ever delivered.
    pub(super) delivered: Vec<(Side, Transmit)>,
    in_flight: BTreeMap<(Instant, u64), (Side, Transmit)>,
    sent: u64,
    network: Box<Network>,
    start: Instant,
}

impl World {
    /// Both sides as they should be, and a network without loss.
    pub(super) fn new() -> Self {
        Self::with(|_, _| ())
    }

    /// Both sides, after `change` has changed the configuration of server and client.
    pub(super) fn with(change: impl FnOnce(&mut TransportConfig, &mut TransportConfig)) -> Self {
        let (mut server, mut client) = configurations();
        change(&mut server, &mut client);
        let now = start_of_time();
        Self {
            now,
            server: Transport::new(server, now).unwrap(),
            client: Transport::new(client, now).unwrap(),
            server_events: Vec::new(),
            client_events: Vec::new(),
            delivered: Vec::new(),
            in_flight: BTreeMap::new(),
            sent: 0,
            network: Box::new(|_, _, _| Fate::Arrives(Duration::from_millis(10))),
            start: now,
        }
    }

    /// Lets `network` decide from now on.
    pub(super) fn network(&mut self, network: impl FnMut(Side, &Transmit, Duration) -> Fate + 'static) {
        self.network = Box::new(network);
    }

    /// Goes on until nothing happens any more before `duration` is over.
    pub(super) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.collect();
            let arrival = self.in_flight.keys().next().map(|(at, _)| *at);
            let timeouts = [self.server.poll_timeout(), self.client.poll_timeout()];
            let next = timeouts.into_iter().chain([arrival]).flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if let Some(entry) = self
                .in_flight
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now)
            {
                let (side, transmit) = entry.remove();
                let _ = self.deliver(side, &transmit);
                self.delivered.push((side, transmit));
            } else {
                self.server.handle_timeout(self.now);
                self.client.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    /// Runs until both sides are connected; fails when that takes 30 s.
    pub(super) fn connect(&mut self) {
        for _ in 0..300 {
            self.run(Duration::from_millis(100));
            if self.server.is_connected() && self.client.is_connected() {
                return;
            }
        }
        panic!(
            "not connected: server {:?}, client {:?}",
            self.server_events, self.client_events
        );
    }

    /// Gives a datagram to a side now.
    pub(super) fn deliver(&mut self, side: Side, transmit: &Transmit) -> Result<Received, TransportError> {
        let mut bytes = transmit.payload.clone();
        let transport = match side {
            Side::Server => &mut self.server,
            Side::Client => &mut self.client,
        };
        transport.handle_datagram(transmit.path.reversed(), &mut bytes, self.now)
    }

    /// Delivered datagrams of one kind for one side.
    pub(super) fn delivered_to(&self, side: Side, kind: DatagramKind) -> Vec<Transmit> {
        let matches = |(to, transmit): &&(Side, Transmit)| *to == side && classify(&transmit.payload) == kind;
        self.delivered
            .iter()
            .filter(matches)
            .map(|(_, transmit)| transmit.clone())
            .collect()
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.send(Side::Server, transmit);
        }
        while let Some(transmit) = self.server.poll_transmit() {
            self.send(Side::Client, transmit);
        }
        self.server_events
            .extend(std::iter::from_fn(|| self.server.poll_event()));
        self.client_events
            .extend(std::iter::from_fn(|| self.client.poll_event()));
    }

    fn send(&mut self, to: Side, transmit: Transmit) {
        if let Fate::Arrives(delay) = (self.network)(to, &transmit, self.now - self.start) {
            self.sent += 1;
            self.in_flight
                .insert((self.now + delay, self.sent), (to, transmit));
        }
    }
}

/// A server and a client that belong together.
pub(super) fn configurations() -> (TransportConfig, TransportConfig) {
    let server_ice = IceCredentials::new("serverufrag", "serverpasswordserverpass").unwrap();
    let client_ice = IceCredentials::new("clientufrag", "clientpasswordclientpass").unwrap();
    let server_certificate = Arc::new(Certificate::generate().unwrap());
    let client_certificate = Arc::new(Certificate::generate().unwrap());
    let server = TransportConfig {
        role: Role::Server,
        local_ice: server_ice.clone(),
        remote_ice: client_ice.clone(),
        remote_fingerprint: client_certificate.fingerprint(),
        certificate: Arc::clone(&server_certificate),
        local_addresses: vec![address(SERVER_ADDRESS)],
        local_tcp_addresses: vec![],
        remote_addresses: vec![],
        remote_tcp_addresses: vec![],
    };
    let client = TransportConfig {
        role: Role::Client,
        local_ice: client_ice,
        remote_ice: server_ice,
        remote_fingerprint: server_certificate.fingerprint(),
        certificate: client_certificate,
        local_addresses: vec![address(CLIENT_ADDRESS)],
        local_tcp_addresses: vec![],
        remote_addresses: vec![address(SERVER_ADDRESS)],
        remote_tcp_addresses: vec![],
    };
    (server, client)
}

/// The usual path, as the client sees it.
pub(super) fn usual_path() -> Path {
    Path::udp(address(CLIENT_ADDRESS), address(SERVER_ADDRESS))
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The one look at a clock: an instant can be made in no other way. All others are counted from it.
#[expect(clippy::disallowed_methods, reason = "an instant can be made in no other way")]
pub(super) fn start_of_time() -> Instant {
    Instant::now()
}

/// A small generator of numbers that repeats for a seed (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) + 1)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}
