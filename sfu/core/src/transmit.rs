//! What waits to be sent, in buffers that are used again.

use std::collections::VecDeque;
use std::fmt;

use transport::{Path, Protection};

use crate::limits::{DATAGRAM_MAX, FREE_BUFFERS_MAX, TRANSMIT_QUEUE_MAX};
use crate::stats::DropReason;
use crate::table::PeerKey;

/// A datagram for the shell to send.
pub struct Transmit<'a> {
    /// Over which path.
    pub path: Path,
    /// What may be dropped before what, where a path is slower than what it is to carry.
    pub class: Class,
    /// The datagram.
    pub bytes: &'a [u8],
}

/// Addresses stay out of logs.
impl fmt::Debug for Transmit<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Transmit")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What a datagram is to its receiver, most needed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// ICE, DTLS and RTCP, without which nothing goes on.
    Control,
    /// Sound. It is little, and people talk on without a picture.
    Audio,
    /// A picture. Where one packet is missing, the rest is of no use until the next key frame of its slot.
    Video {
        /// The place of the slot, for [`Sfu::handle_tcp_dropped`](crate::Sfu::handle_tcp_dropped).
        slot: u8,
    },
    /// What was sent before and is sent again. Its receiver asks once more if it needs it.
    Repair,
}

/// Room behind the largest datagram, so that sealing never fails for want of it.
const TRAILER_MAX: usize = if Protection::RTP_OVERHEAD_MAX > Protection::RTCP_OVERHEAD_MAX {
    Protection::RTP_OVERHEAD_MAX
} else {
    Protection::RTCP_OVERHEAD_MAX
};

/// The bytes of one datagram, with room for [`DATAGRAM_MAX`] and the trailer of SRTP.
pub(crate) struct Buffer {
    pub(crate) bytes: Box<[u8; DATAGRAM_MAX + TRAILER_MAX]>,
    pub(crate) len: usize,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Buffer")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// The queue is full, and the datagram was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFull;

impl From<QueueFull> for DropReason {
    fn from(_: QueueFull) -> Self {
        Self::TransmitQueueFull
    }
}

/// Datagrams in the order in which they are sent.
#[derive(Debug, Default)]
pub(crate) struct TransmitQueue {
    waiting: VecDeque<Staged>,
    free: Vec<Buffer>,
    /// The datagram that the shell reads now.
    handed_out: Option<Staged>,
}

#[derive(Debug)]
struct Staged {
    path: Path,
    class: Class,
    /// Whose datagram it is; `None` for answers to strangers and farewells.
    peer: Option<PeerKey>,
    buffer: Buffer,
}

impl TransmitQueue {
    /// An empty buffer.
    pub(crate) fn buffer(&mut self) -> Buffer {
        let empty = || Buffer {
            bytes: Box::new([0; DATAGRAM_MAX + TRAILER_MAX]),
            len: 0,
        };
        self.free.pop().unwrap_or_else(empty)
    }

    /// Takes a buffer back unsent.
    pub(crate) fn recycle(&mut self, buffer: Buffer) {
        if self.free.len() < FREE_BUFFERS_MAX {
            self.free.push(buffer);
        }
    }

    /// Queues a datagram.
    pub(crate) fn push(
        &mut self,
        path: Path,
        peer: Option<PeerKey>,
        class: Class,
        buffer: Buffer,
    ) -> Result<(), QueueFull> {
        if self.waiting.len() >= TRANSMIT_QUEUE_MAX {
            self.recycle(buffer);
            return Err(QueueFull);
        }
        self.waiting.push_back(Staged {
            path,
            class,
            peer,
            buffer,
        });
        Ok(())
    }

    /// Queues a copy of a datagram of ICE or DTLS; one that is larger than we send counts as not queued.
    pub(crate) fn push_copy(
        &mut self,
        path: Path,
        peer: Option<PeerKey>,
        datagram: &[u8],
    ) -> Result<(), QueueFull> {
        let mut buffer = self.buffer();
        let Some(bytes) = buffer.bytes.get_mut(..datagram.len()) else {
            return Err(QueueFull);
        };
        bytes.copy_from_slice(datagram);
        buffer.len = datagram.len();
        self.push(path, peer, Class::Control, buffer)
    }

    /// Hands out the next datagram.
    pub(crate) fn poll(&mut self) -> Option<Transmit<'_>> {
        if let Some(sent) = self.handed_out.take() {
            self.recycle(sent.buffer);
        }
        self.handed_out = self.waiting.pop_front();
        let staged = self.handed_out.as_ref()?;
        let bytes = staged.buffer.bytes.get(..staged.buffer.len)?;
        Some(Transmit {
            path: staged.path,
            class: staged.class,
            bytes,
        })
    }

    /// Drops what waits for a peer.
    pub(crate) fn forget(&mut self, key: PeerKey) {
        self.waiting.retain(|staged| staged.peer != Some(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_forgotten_peer_is_not_sent() {
        let mut queue = TransmitQueue::default();
        let (gone, stays) = (PeerKey::of(0), PeerKey::of(1));
        queue.push_copy(path(), Some(gone), &[1]).unwrap();
        queue.push_copy(path(), Some(stays), &[2]).unwrap();
        queue.push_copy(path(), None, &[3]).unwrap();
        queue.forget(gone);
        assert_eq!(queue.poll().unwrap().bytes, [2]);
        assert_eq!(queue.poll().unwrap().bytes, [3]);
        assert!(queue.poll().is_none());
    }

    #[test]
    fn a_full_queue_refuses_and_buffers_come_back() {
        let mut queue = TransmitQueue::default();
        for _ in 0..TRANSMIT_QUEUE_MAX {
            queue.push_copy(path(), None, &[0]).unwrap();
        }
        assert_eq!(queue.push_copy(path(), None, &[1]), Err(QueueFull));
        while queue.poll().is_some() {}
        assert_eq!(queue.free.len(), FREE_BUFFERS_MAX);
    }

    fn path() -> Path {
        Path::udp(([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into())
    }
}
