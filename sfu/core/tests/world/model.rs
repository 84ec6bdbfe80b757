//! The reference model: written from the rules, slow and plain, without a look at the core.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sfu_core::SourceKind;

use super::common::{Forwarded, picture_id, slot_ssrc, vp8_body};

/// A packet that a browser sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// `None` is the microphone.
    pub(crate) layer: Option<usize>,
    pub(crate) is_key_start: bool,
    /// Its place among the media of its layer, counting padding that was lost.
    pub(crate) place: u64,
    pub(crate) body: Vec<u8>,
}

/// Who receives what.
#[derive(Default)]
pub(crate) struct Model {
    browsers: BTreeMap<usize, u64>,
    slots: BTreeMap<(usize, String), Slot>,
    /// When media of a layer came last, by browser.
    heard: BTreeMap<(usize, usize), Instant>,
    asked: BTreeMap<(usize, usize), Instant>,
    /// What came of a layer in the last second while anybody received the camera.
    kept: BTreeMap<(usize, usize), Vec<(Instant, Sent)>>,
    expected: Vec<Expected>,
    bodies: u64,
    pub(crate) received: u64,
}

/// What one slot of one subscriber did so far.
#[derive(Default)]
struct Slot {
    source: Option<(usize, SourceKind)>,
    /// The layer that it receives since its last change.
    current: Option<Current>,
    /// Packets of its picture were dropped on the subscriber's side: it goes on with a key frame.
    is_interrupted: bool,
    /// What it sent: timestamp and picture id by extended sequence number.
    sent: BTreeMap<u64, (u32, Option<u16>)>,
    changes: u64,
}

#[derive(Clone, Copy)]
struct Current {
    layer: Option<usize>,
    first_place: u64,
    /// The outgoing sequence number of the first packet, once it was received.
    first_sequence: Option<u64>,
    change: u64,
}

/// A packet that must come out now.
struct Expected {
    subscriber: usize,
    slot: String,
    sent: Sent,
    change: u64,
}

impl Model {
    /// Bytes that no other packet has: they stand for a sealed payload.
    pub(crate) fn new_body(&mut self, browser: usize, layer: Option<usize>) -> Vec<u8> {
        self.bodies += 1;
        let mut body = format!("{browser} {layer:?} {}", self.bodies).into_bytes();
        body.extend((0..self.bodies % 40).map(|index| (index * 37) as u8));
        body
    }

    pub(crate) fn joined(&mut self, browser: usize, number: u64) {
        self.browsers.insert(browser, number);
    }

    pub(crate) fn left(&mut self, browser: usize) {
        self.browsers.remove(&browser);
        self.slots.retain(|(subscriber, _), _| *subscriber != browser);
        for slot in self.slots.values_mut() {
            if slot.source.is_some_and(|(publisher, _)| publisher == browser) {
                slot.source = None;
                slot.current = None;
            }
        }
        self.heard.retain(|(publisher, _), _| *publisher != browser);
    }

    pub(crate) fn bound(&mut self, subscriber: usize, slot: &str, source: Option<(usize, SourceKind)>) {
        let slot = self.slots.entry((subscriber, slot.to_owned())).or_default();
        if slot.source != source {
            slot.source = source;
            slot.current = None;
        }
    }

    pub(crate) fn choked(&mut self, subscriber: usize, slot: &str) {
        let slot = self.slots.entry((subscriber, slot.to_owned())).or_default();
        slot.is_interrupted = true;
    }

    /// A packet comes to the server now: works out who has to receive it.
    pub(crate) fn arrives(&mut self, browser: usize, sent: Sent, now: Instant) {
        let kind = if sent.layer.is_some() {
            SourceKind::Camera
        } else {
            SourceKind::Microphone
        };
        if let Some(layer) = sent.layer {
            self.heard.insert((browser, layer), now);
        }
        let later = self.later_than(browser, &sent, now);
        let is_alive = |layer: usize| {
            let heard = self.heard.get(&(browser, layer));
            heard.is_some_and(|heard| now.duration_since(*heard) < Duration::from_secs(1))
        };
        let highest = (0..3).rev().find(|layer| is_alive(*layer));
        let mut caught_up = Vec::new();
        let mut is_received = false;
        for ((subscriber, name), slot) in &mut self.slots {
            if slot.source != Some((browser, kind)) {
                continue;
            }
            is_received = true;
            let is_same = slot.current.is_some_and(|current| current.layer == sent.layer);
            if is_same && slot.is_interrupted && !sent.is_key_start {
                continue;
            }
            if !is_same || slot.is_interrupted {
                let is_fed = slot
                    .current
                    .is_some_and(|current| current.layer.is_some_and(is_alive));
                let may_change = is_same
                    || sent.layer.is_none()
                    || (sent.is_key_start && (sent.layer == highest || !is_fed));
                if !may_change {
                    continue;
                }
                slot.changes += 1;
                slot.is_interrupted = false;
                slot.current = Some(Current {
                    layer: sent.layer,
                    first_place: sent.place,
                    first_sequence: None,
                    change: slot.changes,
                });
                // A layer that begins with a late packet has its later packets at once.
                caught_up.extend(later.iter().map(|later| Expected {
                    subscriber: *subscriber,
                    slot: name.clone(),
                    sent: later.clone(),
                    change: slot.changes,
                }));
            }
            let Some(current) = slot.current else { continue };
            if sent.place < current.first_place {
                continue;
            }
            let (subscriber, slot) = (*subscriber, name.clone());
            self.expected.push(Expected {
                subscriber,
                slot,
                sent: sent.clone(),
                change: current.change,
            });
        }
        if let Some(layer) = sent.layer.filter(|_| is_received) {
            self.kept.entry((browser, layer)).or_default().push((now, sent));
        }
        self.expected.extend(caught_up);
    }

    /// What came of the packet's layer in the last second, and lies behind it.
    fn later_than(&mut self, browser: usize, sent: &Sent, now: Instant) -> Vec<Sent> {
        let Some(layer) = sent.layer else {
            return Vec::new();
        };
        let kept = self.kept.entry((browser, layer)).or_default();
        kept.retain(|(at, _)| now.duration_since(*at) <= Duration::from_secs(1));
        let later = kept.iter().filter(|(_, later)| later.place > sent.place);
        later.map(|(_, later)| later.clone()).collect()
    }

    /// A browser received a packet: it must be one that was expected, with numbers that continue its slot's.
    pub(crate) fn received(&mut self, browser: usize, packet: &Forwarded) {
        let number = self.browsers[&browser];
        let position = self.expected.iter().position(|expected| {
            let body = match expected.sent.layer {
                Some(_) => packet.payload.ends_with(&expected.sent.body),
                None => packet.payload == expected.sent.body,
            };
            expected.subscriber == browser
                && packet.header.ssrc.0 == slot_ssrc(number, &expected.slot)
                && body
        });
        let position =
            position.expect("every packet that comes out is expected, once, with its bytes unchanged");
        let expected = self.expected.remove(position);
        self.received += 1;
        if expected.sent.layer.is_some() {
            let prefix = vp8_body(&packet.payload).len() - expected.sent.body.len();
            assert!(prefix <= 1, "a packet grew on its way");
        }
        let Some(slot) = self.slots.get_mut(&(browser, expected.slot)) else {
            return;
        };
        slot.numbers_continue(&expected.sent, expected.change, packet);
    }

    /// The publisher is asked for a key frame, not too often.
    pub(crate) fn asked(&mut self, browser: usize, layer: usize, now: Instant) {
        if let Some(before) = self.asked.insert((browser, layer), now) {
            assert!(
                now.duration_since(before) >= Duration::from_millis(500),
                "asked too often"
            );
        }
    }

    pub(crate) fn nothing_is_missing(&self) {
        let missing: Vec<_> = self
            .expected
            .iter()
            .map(|expected| (expected.subscriber, &expected.slot, &expected.sent))
            .collect();
        assert!(missing.is_empty(), "these did not come out: {missing:?}");
    }
}

impl Slot {
    fn numbers_continue(&mut self, sent: &Sent, change: u64, packet: &Forwarded) {
        let highest = self.sent.last_key_value().map(|(sequence, _)| *sequence);
        let sequence = match highest {
            Some(highest) => rtp::seq::extend(packet.header.sequence_number, highest),
            None => rtp::seq::start(packet.header.sequence_number),
        };
        let picture_id = sent.layer.map(|_| picture_id(&packet.payload));
        let repeated = self
            .sent
            .insert(sequence, (packet.header.rtp_timestamp, picture_id));
        assert_eq!(repeated, None, "a sequence number was used twice");
        let current = self.current.as_mut().filter(|current| current.change == change);
        if let Some(current) = current {
            match current.first_sequence {
                None => {
                    assert!(
                        highest.is_none_or(|highest| sequence == highest + 1),
                        "a change left a hole"
                    );
                    current.first_sequence = Some(sequence);
                }
                Some(first) => assert_eq!(
                    sequence - first,
                    sent.place - current.first_place,
                    "holes are those of lost packets and no others"
                ),
            }
        }
        // Neighbours rise: the timestamp never falls, nor does the picture id.
        let before = self
            .sent
            .range(..sequence)
            .next_back()
            .map(|(_, numbers)| *numbers);
        let after = self
            .sent
            .range(sequence + 1..)
            .next()
            .map(|(_, numbers)| *numbers);
        let this = (packet.header.rtp_timestamp, picture_id);
        for (earlier, later) in [(before, Some(this)), (Some(this), after)] {
            let (Some(earlier), Some(later)) = (earlier, later) else {
                continue;
            };
            assert!(
                rtp::seq::timestamp_distance(later.0, earlier.0) >= 0,
                "a timestamp falls"
            );
            if let (Some(earlier), Some(later)) = (earlier.1, later.1) {
                assert!(
                    later.wrapping_sub(earlier) & 0x7FFF < 0x4000,
                    "a picture id falls"
                );
            }
        }
        while self.sent.len() > 200 {
            self.sent.pop_first();
        }
    }
}
