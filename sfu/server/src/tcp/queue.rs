//! What waits to be written to one TCP connection, and what goes first when it waits too long.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Instant;

use sfu_core::Class;
use transport::{FRAME_HEADER_LEN, frame_header};

use crate::limits::{
    TCP_PICTURE_INTERVAL, TCP_PICTURE_WAIT_MAX, TCP_QUEUE_BYTES_MAX, TCP_QUEUE_FRAMES_MAX, TCP_WAIT_MAX,
};
use crate::outcome::Drops;

/// Framed datagrams in the order in which they are written.
///
/// A connection that is slower than what it is to carry drops whole datagrams, those first that are missed least:
/// what is only sent again, then pictures, one slot after the other, the one that has waited longest first. Sound and
/// what controls the connection are never dropped; where only they fill the queue, the connection is
/// [`Full`](TcpQueueFull). A frame of which a part was written is never dropped.
///
/// Of a picture everything that waits is dropped together: its later packets would wait for nothing, because the
/// receiver cannot use them before the next key frame.
#[derive(Debug)]
pub(crate) struct TcpQueue {
    bytes: VecDeque<u8>,
    frames: VecDeque<Frame>,
    /// Whether a part of the first frame was written.
    is_begun: bool,
    /// Slots of which pictures were dropped since the last [`poll_dropped_slot`](Self::poll_dropped_slot).
    dropped_slots: Vec<u8>,
    /// Pictures were dropped and are not asked for anew yet.
    is_lacking: bool,
    /// When pictures were asked for anew.
    asked_at: Option<Instant>,
    drops: Drops,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    class: Class,
    /// Bytes still to be written, its header included.
    len: usize,
    since: Instant,
}

/// The queue is full of what must not be dropped, or the datagram fits no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TcpQueueFull;

impl TcpQueue {
    pub(crate) fn new() -> Self {
        Self {
            bytes: VecDeque::new(),
            frames: VecDeque::new(),
            is_begun: false,
            dropped_slots: Vec::new(),
            is_lacking: false,
            asked_at: None,
            drops: Drops::default(),
        }
    }

    /// Queues a datagram, or drops it or others.
    pub(crate) fn push(&mut self, class: Class, datagram: &[u8], now: Instant) -> Result<(), TcpQueueFull> {
        let header = frame_header(datagram.len()).ok_or(TcpQueueFull)?;
        let len = FRAME_HEADER_LEN + datagram.len();
        self.make_room(len);
        if !self.has_room(len) {
            return match class {
                Class::Control | Class::Audio => Err(TcpQueueFull),
                Class::Video { .. } | Class::Repair => {
                    self.count_drop(class);
                    Ok(())
                }
            };
        }
        self.bytes.extend(&header);
        self.bytes.extend(datagram);
        self.frames.push_back(Frame {
            class,
            len,
            since: now,
        });
        Ok(())
    }

    /// What is to be written next, in two pieces of which the second may be empty. Pictures that have waited too long
    /// are dropped before.
    pub(crate) fn slices(&mut self, now: Instant) -> [IoSlice<'_>; 2] {
        self.expire(now);
        let (first, second) = self.bytes.as_slices();
        [IoSlice::new(first), IoSlice::new(second)]
    }

    /// Drops pictures that have waited too long.
    pub(crate) fn expire(&mut self, now: Instant) {
        let is_late = |frame: &Frame| now.saturating_duration_since(frame.since) >= TCP_PICTURE_WAIT_MAX;
        // In the order of time: where the first of all is not late, none is.
        if !self.frames.front().is_some_and(is_late) {
            return;
        }
        self.remove(|frame| frame.class == Class::Repair && is_late(frame));
        loop {
            let late = |frame: &&Frame| is_late(frame);
            let oldest = self
                .droppable()
                .take_while(late)
                .find_map(|frame| slot(frame.class));
            let Some(slot) = oldest else { return };
            self.remove(|frame| slot_is(frame.class, slot));
        }
    }

    /// The first `len` bytes were written.
    pub(crate) fn written(&mut self, len: usize) {
        let mut left = len.min(self.bytes.len());
        self.bytes.drain(..left);
        while let Some(frame) = self.frames.front_mut() {
            if frame.len > left {
                frame.len -= left;
                self.is_begun |= left > 0;
                return;
            }
            left -= frame.len;
            self.frames.pop_front();
            self.is_begun = false;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether something has waited for so long that nobody reads at the other end.
    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        let first = self.frames.front();
        first.is_some_and(|first| now.saturating_duration_since(first.since) >= TCP_WAIT_MAX)
    }

    /// A slot of which pictures were dropped.
    pub(crate) fn poll_dropped_slot(&mut self) -> Option<u8> {
        self.dropped_slots.pop()
    }

    /// Whether dropped pictures may be asked for anew: everything was written, and the last time was not just now.
    /// It says so once.
    pub(crate) fn poll_drained(&mut self, now: Instant) -> bool {
        let is_soon = self
            .asked_at
            .is_some_and(|asked| now.saturating_duration_since(asked) < TCP_PICTURE_INTERVAL);
        if !self.is_lacking || !self.frames.is_empty() || is_soon {
            return false;
        }
        self.is_lacking = false;
        self.asked_at = Some(now);
        true
    }

    /// Whether something was dropped since the last [`take_drops`](Self::take_drops).
    pub(crate) fn has_drops(&self) -> bool {
        self.drops != Drops::default()
    }

    /// What was dropped since the last call.
    pub(crate) fn take_drops(&mut self) -> Drops {
        std::mem::take(&mut self.drops)
    }

    fn has_room(&self, len: usize) -> bool {
        self.bytes.len() + len <= TCP_QUEUE_BYTES_MAX && self.frames.len() < TCP_QUEUE_FRAMES_MAX
    }

    fn make_room(&mut self, len: usize) {
        if !self.has_room(len) {
            self.remove(|frame| frame.class == Class::Repair);
        }
        while !self.has_room(len) {
            let Some(slot) = self.droppable().find_map(|frame| slot(frame.class)) else {
                return;
            };
            self.remove(|frame| slot_is(frame.class, slot));
        }
    }

    /// The frames of which nothing was written yet.
    fn droppable(&self) -> impl Iterator<Item = &Frame> {
        self.frames.iter().skip(usize::from(self.is_begun))
    }

    /// Drops droppable frames, and closes the holes.
    fn remove(&mut self, is_removed: impl Fn(&Frame) -> bool) {
        if !self.droppable().any(&is_removed) {
            return;
        }
        let bytes = self.bytes.make_contiguous();
        let (mut from, mut to) = (0, 0);
        let mut is_begun = self.is_begun;
        let mut dropped = Vec::new();
        self.frames.retain(|frame| {
            let keep = std::mem::take(&mut is_begun) || !is_removed(frame);
            if keep {
                bytes.copy_within(from..from + frame.len, to);
                to += frame.len;
            } else {
                dropped.push(frame.class);
            }
            from += frame.len;
            keep
        });
        self.bytes.truncate(to);
        dropped.into_iter().for_each(|class| self.count_drop(class));
    }

    fn count_drop(&mut self, class: Class) {
        match class {
            Class::Video { slot } => {
                self.drops.video += 1;
                self.is_lacking = true;
                // At most one entry for each of the 256 slots that there can be.
                if !self.dropped_slots.contains(&slot) {
                    self.dropped_slots.push(slot);
                }
            }
            Class::Repair => self.drops.repair += 1,
            // They are never dropped.
            Class::Control | Class::Audio => {}
        }
    }
}

const fn slot(class: Class) -> Option<u8> {
    match class {
        Class::Video { slot } => Some(slot),
        Class::Control | Class::Audio | Class::Repair => None,
    }
}

fn slot_is(class: Class, wanted: u8) -> bool {
    slot(class) == Some(wanted)
}

#[cfg(test)]
mod tests;
