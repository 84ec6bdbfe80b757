//! One TCP connection: bytes in, bytes out, and when it is over.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use transport::Deframer;

use super::handover::Accepted;
use super::queue::TcpQueue;
use crate::limits::{TCP_STRANGER_FRAMES_MAX, TCP_STRANGER_TIME};
use crate::outcome::CloseCause;

/// One connection.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) deframer: Deframer,
    pub(super) queue: TcpQueue,
    /// Whether there may be more to read.
    pub(super) is_readable: bool,
    /// Whether the kernel may take more.
    pub(super) is_writable: bool,
    /// Whether its queue could not take what must not be dropped.
    pub(super) is_full: bool,
    /// Since when it belongs to no peer; `None` while it does.
    pub(super) stranger_since: Option<Instant>,
    /// Datagrams that came while it belonged to none.
    stranger_frames: u32,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    Bytes,
    Nothing,
}

impl Connection {
    pub(super) fn new(accepted: Accepted, now: Instant) -> Self {
        Self {
            stream: TcpStream::from_std(accepted.stream),
            local: accepted.local,
            remote: accepted.remote,
            deframer: Deframer::default(),
            queue: TcpQueue::new(),
            is_readable: true,
            is_writable: true,
            is_full: false,
            stranger_since: Some(now),
            stranger_frames: 0,
        }
    }

    /// Reads once.
    pub(super) fn read(&mut self) -> Result<Brought, CloseCause> {
        match self.stream.read(self.deframer.space()) {
            Ok(0) => Err(CloseCause::Remote),
            Ok(len) => {
                self.deframer.filled(len);
                Ok(Brought::Bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_readable = false;
                Ok(Brought::Nothing)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Brought::Nothing),
            Err(_) => Err(CloseCause::Remote),
        }
    }

    /// Writes as much as the kernel takes.
    pub(super) fn write(&mut self, now: Instant) -> Result<(), CloseCause> {
        while self.is_writable && !self.queue.is_empty() {
            match self.stream.write_vectored(&self.queue.slices(now)) {
                Ok(len) => self.queue.written(len),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(CloseCause::Remote),
            }
        }
        Ok(())
    }

    /// A datagram came, and its connection belongs to a peer or not.
    pub(super) fn count_frame(&mut self, is_known: bool) -> Result<(), CloseCause> {
        if is_known {
            self.stranger_since = None;
            self.stranger_frames = 0;
            return Ok(());
        }
        self.stranger_frames += 1;
        if self.stranger_frames > TCP_STRANGER_FRAMES_MAX {
            Err(CloseCause::Garbage)
        } else {
            Ok(())
        }
    }

    /// Whether it has been too slow, or without a peer, for too long.
    pub(super) fn check(&mut self, is_known: bool, now: Instant) -> Result<(), CloseCause> {
        if is_known {
            self.stranger_since = None;
        } else {
            let since = *self.stranger_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= TCP_STRANGER_TIME {
                return Err(CloseCause::Stranger);
            }
        }
        self.queue.expire(now);
        if self.queue.is_stalled(now) {
            return Err(CloseCause::Stalled);
        }
        Ok(())
    }
}
