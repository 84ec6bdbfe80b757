//! All TCP connections of one worker, and their bounds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Interest, Registry, Token};
use sfu_core::{Sfu, Transmit};
use transport::Path;

use super::connection::{Brought, Connection};
use super::handover::Accepted;
use crate::limits::{
    TCP_CONNECTIONS_MAX, TCP_CONNECTIONS_PER_NETWORK_MAX, TCP_READS_PER_WAKE, TCP_STRANGERS_MAX,
    TCP_SWEEP_INTERVAL,
};
use crate::metrics::Metrics;
use crate::outcome::{CloseCause, TcpRefused};

/// The connections of one worker.
pub(crate) struct Connections {
    registry: Registry,
    metrics: Metrics,
    /// By the place that their token tells.
    places: Vec<Option<Connection>>,
    free: Vec<usize>,
    by_address: HashMap<(SocketAddr, SocketAddr), usize>,
    /// Where there may be something to read.
    readable: Vec<usize>,
    /// Where there may be something to write.
    writable: Vec<usize>,
    next_sweep: Instant,
}

/// Tokens below are those of the UDP sockets.
const FIRST_TOKEN: usize = 1 << 16;

impl Connections {
    pub(crate) fn new(registry: Registry, metrics: Metrics, now: Instant) -> Self {
        Self {
            registry,
            metrics,
            places: Vec::new(),
            free: Vec::new(),
            by_address: HashMap::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            next_sweep: now,
        }
    }

    /// Takes a connection over, if its bounds allow.
    pub(crate) fn take(&mut self, accepted: Accepted, sfu: &mut Sfu, now: Instant) {
        let address = (accepted.local, accepted.remote);
        // The kernel gives addresses anew once a connection is over; that this one was, we had not read yet.
        if let Some(place) = self.by_address.get(&address).copied() {
            self.close(place, CloseCause::Remote, sfu, now);
        }
        if !self.has_room(accepted.remote.ip(), sfu, now) {
            self.metrics.tcp_refused(TcpRefused::TooMany);
            return;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let mut connection = Connection::new(accepted, now);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = self
            .registry
            .register(&mut connection.stream, Token(FIRST_TOKEN + place), interest);
        if registered.is_err() {
            self.free.push(place);
            self.metrics.tcp_refused(TcpRefused::Broken);
            return;
        }
        if let Some(empty) = self.places.get_mut(place) {
            *empty = Some(connection);
        }
        self.by_address.insert(address, place);
        self.readable.push(place);
        self.metrics.tcp_taken(self.by_address.len());
    }

    /// Whether one more may come from this network; the oldest stranger makes room if need be.
    fn has_room(&mut self, remote: IpAddr, sfu: &mut Sfu, now: Instant) -> bool {
        let network = network(remote);
        let (mut strangers, mut neighbours) = (0, 0);
        let (mut oldest, mut oldest_neighbour) = (None, None);
        for (place, connection) in (0..).zip(&self.places) {
            let Some(connection) = connection else { continue };
            let is_neighbour = self::network(connection.remote.ip()) == network;
            neighbours += usize::from(is_neighbour);
            let Some(since) = connection.stranger_since else {
                continue;
            };
            strangers += 1;
            let candidate = Some((since, place));
            let is_older = |than: Option<(Instant, usize)>| than.is_none_or(|than| (since, place) < than);
            if is_older(oldest) {
                oldest = candidate;
            }
            if is_neighbour && is_older(oldest_neighbour) {
                oldest_neighbour = candidate;
            }
        }
        let victim = if neighbours >= TCP_CONNECTIONS_PER_NETWORK_MAX {
            oldest_neighbour
        } else if strangers >= TCP_STRANGERS_MAX || self.by_address.len() >= TCP_CONNECTIONS_MAX {
            oldest
        } else {
            return true;
        };
        let Some((_, place)) = victim else { return false };
        self.close(place, CloseCause::Crowded, sfu, now);
        true
    }

    /// Something happened to the connection of this token.
    pub(crate) fn wake(&mut self, token: Token, is_readable: bool, is_writable: bool) {
        let Some(place) = token.0.checked_sub(FIRST_TOKEN) else {
            return;
        };
        let Some(Some(connection)) = self.places.get_mut(place) else {
            return;
        };
        if is_readable && !connection.is_readable {
            connection.is_readable = true;
            self.readable.push(place);
        }
        if is_writable && !connection.is_writable {
            connection.is_writable = true;
            self.writable.push(place);
        }
    }

    /// Whether something was left over for the next round.
    pub(crate) fn has_more(&self) -> bool {
        !self.readable.is_empty() || !self.writable.is_empty()
    }

    /// Gives every connection that may have brought something a bounded turn. `after` is called after each datagram,
    /// to send what it made the core send.
    pub(crate) fn receive(&mut self, sfu: &mut Sfu, mut after: impl FnMut(&mut Self, &mut Sfu)) {
        for place in std::mem::take(&mut self.readable) {
            let outcome = self.receive_from(place, sfu, &mut after);
            match outcome {
                Ok(()) => {
                    let connection = self.places.get(place).and_then(Option::as_ref);
                    if connection.is_some_and(|connection| connection.is_readable) {
                        self.readable.push(place);
                    }
                }
                Err(cause) => {
                    self.close(place, cause, sfu, Instant::now());
                    after(self, sfu);
                }
            }
        }
    }

    fn receive_from(
        &mut self,
        place: usize,
        sfu: &mut Sfu,
        after: &mut impl FnMut(&mut Self, &mut Sfu),
    ) -> Result<(), CloseCause> {
        for _ in 0..TCP_READS_PER_WAKE {
            let Some(Some(connection)) = self.places.get_mut(place) else {
                return Ok(());
            };
            if connection.read()? == Brought::Nothing {
                return Ok(());
            }
            let (local, remote) = (connection.local, connection.remote);
            while let Some(Some(connection)) = self.places.get_mut(place) {
                let Some(frame) = connection
                    .deframer
                    .next_frame()
                    .map_err(|_| CloseCause::Garbage)?
                else {
                    break;
                };
                sfu.handle_datagram(Path::tcp(local, remote), frame, Instant::now());
                if connection.stranger_since.is_some() {
                    connection.count_frame(sfu.is_known_tcp(local, remote))?;
                }
                after(self, sfu);
            }
        }
        Ok(())
    }

    /// Queues a datagram for its connection.
    pub(crate) fn send(&mut self, transmit: &Transmit<'_>, now: Instant) {
        let address = (transmit.path.local, transmit.path.remote);
        let Some(place) = self.by_address.get(&address).copied() else {
            self.metrics.send_errors.inc();
            return;
        };
        let Some(Some(connection)) = self.places.get_mut(place) else {
            return;
        };
        let is_first = connection.queue.is_empty();
        let is_full = connection
            .queue
            .push(transmit.class, transmit.bytes, now)
            .is_err();
        // The core hears of drops before it sends more, and of an end at once.
        if is_first || connection.queue.has_drops() || (is_full && !connection.is_full) {
            self.writable.push(place);
        }
        connection.is_full |= is_full;
    }

    /// Writes what was queued, tells the core what was dropped, and closes what has waited too long.
    pub(crate) fn write(&mut self, sfu: &mut Sfu, now: Instant) {
        if self.next_sweep <= now {
            self.next_sweep = now + TCP_SWEEP_INTERVAL;
            self.sweep(sfu, now);
        }
        for place in std::mem::take(&mut self.writable) {
            if let Err(cause) = self.write_to(place, sfu, now) {
                self.close(place, cause, sfu, now);
            }
        }
    }

    fn write_to(&mut self, place: usize, sfu: &mut Sfu, now: Instant) -> Result<(), CloseCause> {
        let Some(Some(connection)) = self.places.get_mut(place) else {
            return Ok(());
        };
        if connection.is_full {
            return Err(CloseCause::Full);
        }
        connection.write(now)?;
        self.metrics.tcp_dropped(connection.queue.take_drops());
        while let Some(slot) = connection.queue.poll_dropped_slot() {
            sfu.handle_tcp_dropped(connection.local, connection.remote, slot);
        }
        if connection.queue.poll_drained(now) {
            sfu.handle_tcp_drained(connection.local, connection.remote);
        }
        Ok(())
    }

    /// Looks at every connection.
    fn sweep(&mut self, sfu: &mut Sfu, now: Instant) {
        for place in 0..self.places.len() {
            let Some(Some(connection)) = self.places.get_mut(place) else {
                continue;
            };
            let is_known = sfu.is_known_tcp(connection.local, connection.remote);
            match connection.check(is_known, now) {
                Ok(()) => self.writable.push(place),
                Err(cause) => self.close(place, cause, sfu, now),
            }
        }
    }

    /// When [`write`](Self::write) wants to be called though nothing came.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        (!self.by_address.is_empty()).then_some(self.next_sweep)
    }

    fn close(&mut self, place: usize, cause: CloseCause, sfu: &mut Sfu, now: Instant) {
        let Some(mut connection) = self.places.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.by_address.remove(&(connection.local, connection.remote));
        self.free.push(place);
        self.metrics.tcp_dropped(connection.queue.take_drops());
        self.metrics.tcp_closed(cause, self.by_address.len());
        if let Err(error) = self.registry.deregister(&mut connection.stream) {
            tracing::error!(%error, "a TCP connection could not be taken from epoll");
        }
        if !matches!(cause, CloseCause::Remote) {
            // The kernel shall not keep for minutes what nobody reads.
            let _ = socket2::SockRef::from(&connection.stream).set_linger(Some(Duration::ZERO));
        }
        sfu.handle_tcp_closed(connection.local, connection.remote, now);
    }
}

/// Whom an address belongs to, as far as one can tell: IPv6 is given away in networks of 64 bits at least.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}
