//! What one browser receives, and how it asks for what it misses: like libwebrtc, at once and then each round trip.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rtp::rtcp::ReportBlock;
use rtp::{NtpTime, Ssrc};

use super::common::{Forwarded, VP8_AGAIN};
use super::sender::{Sent, body_of};

/// How long libwebrtc waits between two requests for a packet, at least; and how often it asks.
const ASK_AGAIN: Duration = Duration::from_millis(30);
const ASKS_MAX: u32 = 10;

/// A packet that came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) at: Instant,
    /// Extended.
    pub(crate) number: u64,
    payload: Vec<u8>,
    rtp_timestamp: u32,
    /// How often it came, at first and again.
    times: usize,
}

/// One slot.
#[derive(Debug, Default)]
struct Slot {
    highest: Option<u64>,
    packets: BTreeMap<u64, Came>,
    /// How often it was asked for, and when next.
    missing: BTreeMap<u64, (u32, Instant)>,
    wants_key: bool,
    report: Option<(NtpTime, Instant)>,
}

/// Every slot of one browser, by SSRC.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    slots: BTreeMap<u32, Slot>,
}

impl Receiver {
    /// Takes in a packet, as it was sent first or again.
    pub(crate) fn take(&mut self, packet: &Forwarded, now: Instant) {
        let header = &packet.header;
        let is_again = header.payload_type.value() == VP8_AGAIN;
        let (ssrc, sequence_number, payload) = if is_again {
            let number = u16::from_be_bytes([packet.payload[0], packet.payload[1]]);
            (header.ssrc.0 - 0x800, number, &packet.payload[2..])
        } else {
            (header.ssrc.0, header.sequence_number, &packet.payload[..])
        };
        let slot = self.slots.entry(ssrc).or_default();
        let number = match slot.highest {
            Some(highest) => rtp::seq::extend(sequence_number, highest),
            None => rtp::seq::start(sequence_number),
        };
        for skipped in slot.highest.map_or(number, |highest| highest + 1)..number {
            slot.missing.insert(skipped, (0, now));
        }
        slot.highest = slot.highest.max(Some(number));
        slot.missing.remove(&number);
        let came = slot.packets.entry(number).or_insert_with(|| Came {
            at: now,
            number,
            payload: payload.to_vec(),
            rtp_timestamp: header.rtp_timestamp,
            times: 0,
        });
        came.times += 1;
        assert_eq!(came.payload, payload, "what is sent again is what was sent");
        assert_eq!(came.rtp_timestamp, header.rtp_timestamp);
    }

    /// The requests of this moment: missing packets by SSRC, and SSRCs that need a key frame.
    pub(crate) fn due(&mut self, now: Instant) -> (Vec<(u32, Vec<u16>)>, Vec<u32>) {
        let mut requests = Vec::new();
        let mut key_frames = Vec::new();
        for (ssrc, slot) in &mut self.slots {
            let mut numbers = Vec::new();
            slot.missing.retain(|number, (asks, at)| {
                if *at <= now {
                    if *asks == ASKS_MAX {
                        slot.wants_key = true;
                        return false;
                    }
                    *asks += 1;
                    *at = now + ASK_AGAIN;
                    numbers.push(*number as u16);
                }
                true
            });
            if !numbers.is_empty() {
                requests.push((*ssrc, numbers));
            }
            if std::mem::take(&mut slot.wants_key) {
                key_frames.push(*ssrc);
            }
        }
        (requests, key_frames)
    }

    /// A sender report of a slot came.
    pub(crate) fn reported(&mut self, ssrc: u32, ntp: NtpTime, now: Instant) {
        self.slots.entry(ssrc).or_default().report = Some((ntp, now));
    }

    /// What is reported back of the slots.
    pub(crate) fn blocks(&self, now: Instant) -> Vec<ReportBlock> {
        let reported = |(ssrc, slot): (&u32, &Slot)| {
            let (ntp, at) = slot.report?;
            Some(ReportBlock {
                ssrc: Ssrc(*ssrc),
                last_sender_report: ntp.compact(),
                delay_since_last_sender_report: rtp::ntp::compact_from_duration(now - at),
                ..ReportBlock::default()
            })
        };
        self.slots.iter().filter_map(reported).collect()
    }

    /// How often the packet came that came most often; the first time is no answer.
    pub(crate) fn most_answers(&self) -> usize {
        let packets = self.slots.values().flat_map(|slot| slot.packets.values());
        packets.map(|came| came.times - 1).max().unwrap_or_default()
    }

    /// What a slot received, by what tells packets apart.
    pub(crate) fn bodies(&self, ssrc: u32) -> BTreeMap<Vec<u8>, Came> {
        let mut bodies = BTreeMap::new();
        for came in self
            .slots
            .get(&ssrc)
            .iter()
            .flat_map(|slot| slot.packets.values())
        {
            let before = bodies.insert(body_of(&came.payload).to_vec(), came.clone());
            assert!(before.is_none(), "one packet under two numbers");
        }
        bodies
    }
}

/// Everything that was received was sent, and stands in the order of sending without holes but those of losses.
pub(crate) fn check_order(received: &BTreeMap<Vec<u8>, Came>, sent: &[Sent]) {
    let known: BTreeSet<&[u8]> = sent.iter().map(|sent| sent.body.as_slice()).collect();
    assert!(received.keys().all(|body| known.contains(body.as_slice())));
    let numbers: Vec<(u64, u64)> = (0..)
        .zip(sent)
        .filter_map(|(place, sent)| Some((place, received.get(&sent.body)?.number)))
        .collect();
    for pair in numbers.windows(2) {
        let [(place, number), (next_place, next_number)] = pair else {
            continue;
        };
        assert!(
            number < next_number,
            "the order of sending is that of the numbers"
        );
        // A change of layer closes holes; within one, they stay.
        assert!(
            next_number - number <= next_place - place,
            "a hole that nobody lost"
        );
    }
}
