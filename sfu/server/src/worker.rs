//! The worker: one thread that moves datagrams between its sockets and its core.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent};
use sfu_core::{Sfu, Stats, Transmit};
use transport::{Path, Protocol};

use crate::limits::{
    COMMANDS_PER_WAKE, DATAGRAMS_PER_WAKE, METRICS_INTERVAL, RECEIVE_BUFFER, TCP_HANDOVER_MAX,
};
use crate::mapping;
use crate::metrics::Metrics;
use crate::sockets::MediaSocket;
use crate::tcp::{Accepted, Connections};

/// Is told every event of the core, on the worker's thread. It must not block: media waits for it.
pub type OnEvent = Box<dyn Fn(SfuEvent) + Send>;

/// Everything that one thread owns.
pub(crate) struct Worker {
    sfu: Sfu,
    outlets: Outlets,
    connections: Connections,
    commands: Receiver<SfuCommand>,
    accepted: Receiver<Accepted>,
    is_stopping: Arc<AtomicBool>,
    poll: Poll,
    /// The core's counters at the last look of the metrics.
    counted: Stats,
    next_count: Instant,
}

/// Where goes what the core has for others.
struct Outlets {
    sockets: Vec<MediaSocket>,
    on_event: OnEvent,
    metrics: Metrics,
}

/// The token of the waker; UDP sockets have their place in the list, and TCP connections far above.
const WAKER: Token = Token(usize::MAX);

/// What a worker is made of.
pub(crate) struct Parts {
    pub(crate) sfu: Sfu,
    pub(crate) sockets: Vec<MediaSocket>,
    pub(crate) commands: Receiver<SfuCommand>,
    pub(crate) accepted: Receiver<Accepted>,
    pub(crate) on_event: OnEvent,
    pub(crate) metrics: Metrics,
    pub(crate) is_stopping: Arc<AtomicBool>,
}

impl Worker {
    /// A worker that is ready to [`run`](Self::run), and what wakes it.
    pub(crate) fn new(parts: Parts) -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let mut sockets = parts.sockets;
        for (index, socket) in sockets.iter_mut().enumerate() {
            poll.registry()
                .register(&mut socket.socket, Token(index), Interest::READABLE)?;
        }
        let registry = poll.registry().try_clone()?;
        let now = Instant::now();
        let worker = Self {
            sfu: parts.sfu,
            connections: Connections::new(registry, parts.metrics.clone(), now),
            outlets: Outlets {
                sockets,
                on_event: parts.on_event,
                metrics: parts.metrics,
            },
            commands: parts.commands,
            accepted: parts.accepted,
            is_stopping: parts.is_stopping,
            poll,
            counted: Stats::default(),
            next_count: now,
        };
        Ok((worker, waker))
    }

    /// Serves until it is stopped. Each round gives commands, every socket and connection and the timers a bounded turn.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(64);
        let mut buffer = [0; RECEIVE_BUFFER];
        let mut has_more_commands = true;
        while !self.is_stopping.load(Ordering::Acquire) {
            let timeout = self.timeout(has_more_commands);
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "epoll failed, the media worker ends");
                break;
            }
            for event in &events {
                self.wake(event);
            }
            has_more_commands = self.obey();
            for index in 0..self.outlets.sockets.len() {
                self.receive(index, &mut buffer);
            }
            let now = Instant::now();
            self.serve_connections(now);
            if self.sfu.poll_timeout().is_some_and(|at| at <= now) {
                self.sfu.handle_timeout(now);
                self.flush();
            }
            // Once for each round, so that several datagrams for one connection are one write.
            self.connections.write(&mut self.sfu, now);
            self.flush();
            if self.next_count <= now {
                self.count(now);
            }
        }
        self.count(Instant::now());
    }

    fn wake(&mut self, event: &Event) {
        match self.outlets.sockets.get_mut(event.token().0) {
            Some(socket) => socket.is_readable = true,
            None => {
                // An end of any kind is found by reading.
                let is_readable = event.is_readable() || event.is_read_closed() || event.is_error();
                self.connections
                    .wake(event.token(), is_readable, event.is_writable());
            }
        }
    }

    /// Takes over new connections, and what came on all of them.
    fn serve_connections(&mut self, now: Instant) {
        for _ in 0..TCP_HANDOVER_MAX {
            let Ok(accepted) = self.accepted.try_recv() else {
                break;
            };
            self.connections.take(accepted, &mut self.sfu, now);
        }
        let outlets = &self.outlets;
        self.connections.receive(&mut self.sfu, |connections, sfu| {
            outlets.flush(sfu, connections);
        });
    }

    /// How long to sleep: not at all while something was left over from the last round.
    fn timeout(&self, has_more_commands: bool) -> Option<Duration> {
        let mut sockets = self.outlets.sockets.iter();
        if has_more_commands || sockets.any(|socket| socket.is_readable) || self.connections.has_more() {
            return Some(Duration::ZERO);
        }
        let is_counted = self.counted == *self.sfu.stats();
        let count = (!is_counted).then_some(self.next_count);
        let wakes = [self.sfu.poll_timeout(), count, self.connections.poll_timeout()];
        let wake = wakes.into_iter().flatten().min()?;
        let left = wake.saturating_duration_since(Instant::now());
        // Epoll counts in milliseconds; a rest below one would spin.
        Some(if left.is_zero() {
            left
        } else {
            left.max(Duration::from_millis(1))
        })
    }

    /// Obeys commands, and says whether more may wait.
    fn obey(&mut self) -> bool {
        for _ in 0..COMMANDS_PER_WAKE {
            let Ok(command) = self.commands.try_recv() else {
                return false;
            };
            let added = match &command {
                SfuCommand::AddPeer { peer, .. } => Some(*peer),
                SfuCommand::Bind { .. } | SfuCommand::AddSlots { .. } | SfuCommand::RemovePeer { .. } => None,
            };
            match mapping::command(command) {
                Ok(command) => self.sfu.handle_command(command, Instant::now()),
                Err(mapping::Unmappable) => {
                    self.outlets.metrics.commands_refused.inc();
                    if let Some(peer) = added {
                        let reason = PeerClosedReason::Overload;
                        (self.outlets.on_event)(SfuEvent::PeerClosed { peer, reason });
                    }
                }
            }
            self.flush();
        }
        true
    }

    /// Takes a bounded batch of datagrams from one socket.
    fn receive(&mut self, index: usize, buffer: &mut [u8]) {
        for _ in 0..DATAGRAMS_PER_WAKE {
            let socket = self.outlets.sockets.get_mut(index);
            let Some(socket) = socket.filter(|socket| socket.is_readable) else {
                return;
            };
            let local = socket.local;
            match socket.socket.recv_from(buffer) {
                Ok((len, remote)) => {
                    let datagram = buffer.get_mut(..len).unwrap_or_default();
                    let path = Path::udp(local, remote);
                    self.sfu.handle_datagram(path, datagram, Instant::now());
                    self.flush();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    socket.is_readable = false;
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // An unreachable subscriber is reported here (ICMP), once for each packet to it.
                Err(_) => self.outlets.metrics.receive_errors.inc(),
            }
        }
    }

    fn flush(&mut self) {
        self.outlets.flush(&mut self.sfu, &mut self.connections);
    }

    fn count(&mut self, now: Instant) {
        self.outlets.metrics.follow(&self.sfu, &mut self.counted);
        self.next_count = now + METRICS_INTERVAL;
    }
}

impl Outlets {
    /// Sends what the core has for us, and passes on its events.
    ///
    /// What the kernel does not take at once over UDP is dropped and counted: late media is of no use, and ICE and DTLS
    /// repeat themselves. The kernel's send buffer is the only queue behind the core's own. A TCP connection has
    /// a queue of its own, because half a datagram cannot be taken back.
    fn flush(&self, sfu: &mut Sfu, connections: &mut Connections) {
        let mut now = None;
        while let Some(transmit) = sfu.poll_transmit() {
            match transmit.path.protocol {
                Protocol::Udp => self.send(&transmit),
                Protocol::Tcp => connections.send(&transmit, *now.get_or_insert_with(Instant::now)),
            }
        }
        while let Some(event) = sfu.poll_event() {
            let event = mapping::event(event);
            match event {
                SfuEvent::PeerConnected { peer } => tracing::info!(%peer, "media connected"),
                SfuEvent::PeerClosed { peer, reason } => {
                    tracing::info!(%peer, reason = reason.as_str(), "media closed");
                }
            }
            (self.on_event)(event);
        }
    }

    fn send(&self, transmit: &Transmit<'_>) {
        let mut sockets = self.sockets.iter();
        let socket = sockets.find(|socket| socket.local == transmit.path.local);
        let sent = socket.map(|socket| socket.socket.send_to(transmit.bytes, transmit.path.remote));
        if !matches!(sent, Some(Ok(_))) {
            self.metrics.send_errors.inc();
        }
    }
}
