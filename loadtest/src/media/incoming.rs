//! One slot: what the server sends there, put together, opened and counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2ee::frame::OpenError;
use e2ee::key_id::KeyId;
use protocol::media::Media;
use rtp::{RtpHeader, Ssrc, seq};

use super::pictures::{Pictures, Taken};
use super::reception::{Arrival, Reception};
use crate::keys::Keys;
use crate::limits::KEY_FRAME_REQUEST_INTERVAL;
use crate::report::MediaReport;

/// One slot.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) ssrc: Ssrc,
    media: Media,
    /// Whether missing packets can be asked for.
    pub(crate) takes_nack: bool,
    pub(crate) reception: Reception,
    pictures: Pictures,
    timestamp: Option<u64>,
    /// Whose picture a decoder would show: the key that opened the last key frame.
    shown: Option<KeyId>,
    key_frame: KeyFrame,
}

/// Whether a key frame is needed before pictures can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyFrame {
    Here,
    Missing { asked_at: Option<Instant> },
}

/// What opening needs, and what it counts.
pub(crate) struct Opening<'a> {
    pub(crate) keys: &'a mut Keys,
    pub(crate) report: &'a mut MediaReport,
    pub(crate) flows: &'a mut BTreeMap<KeyId, Instant>,
    pub(crate) now: Instant,
}

impl Incoming {
    pub(crate) fn new(ssrc: u32, media: Media, takes_nack: bool) -> Self {
        Self {
            ssrc: Ssrc(ssrc),
            media,
            takes_nack,
            reception: Reception::default(),
            pictures: Pictures::default(),
            timestamp: None,
            shown: None,
            key_frame: KeyFrame::Missing { asked_at: None },
        }
    }

    /// Takes a packet; `header` is that of the packet as it was sent first.
    pub(crate) fn take(&mut self, header: &RtpHeader, payload: &[u8], opening: &mut Opening<'_>) {
        let (number, arrival) = self.reception.take(header.sequence_number, opening.now);
        opening.report.packets_repaired += u64::from(arrival == Arrival::Repaired);
        // Padding alone; it has its place among the numbers, and nothing to open.
        if payload.is_empty() {
            return;
        }
        let timestamp = self.timestamp.map_or_else(
            || seq::start_timestamp(header.rtp_timestamp),
            |latest| seq::extend_timestamp(header.rtp_timestamp, latest),
        );
        self.timestamp = self.timestamp.max(Some(timestamp));
        match self.media {
            Media::Audio => self.open(payload, opening),
            Media::Video => {
                match self.pictures.take(number, timestamp, header.marker, payload) {
                    Taken::Whole(frame) => self.open(&frame, opening),
                    Taken::Waiting | Taken::Refused => {}
                }
                if self.pictures.give_up() > 0 {
                    self.need_key_frame();
                }
            }
        }
    }

    /// Something is missing that later pictures may refer to.
    pub(crate) fn need_key_frame(&mut self) {
        if self.media == Media::Video && self.key_frame == KeyFrame::Here {
            self.key_frame = KeyFrame::Missing { asked_at: None };
        }
    }

    /// Whether to ask for a key frame now; then it counts as asked for.
    pub(crate) fn take_key_frame_request(&mut self, now: Instant) -> bool {
        let KeyFrame::Missing { asked_at } = self.key_frame else {
            return false;
        };
        let may_ask =
            asked_at.is_none_or(|at| now.saturating_duration_since(at) >= KEY_FRAME_REQUEST_INTERVAL);
        // Where nothing comes there is nobody to ask.
        if self.media == Media::Audio || self.timestamp.is_none() || !may_ask {
            return false;
        }
        self.key_frame = KeyFrame::Missing { asked_at: Some(now) };
        true
    }

    fn open(&mut self, frame: &[u8], opening: &mut Opening<'_>) {
        let codec = match self.media {
            Media::Audio => e2ee::codec::Codec::Opus,
            Media::Video => e2ee::codec::Codec::Vp8,
        };
        let mut plaintext = Vec::new();
        let (key_id, is_key_frame) = match opening.keys.open(codec, frame, &mut plaintext) {
            // The same track under the key of another epoch is the same flow.
            Ok(opened) => (
                KeyId {
                    epoch: 0,
                    ..opened.key_id
                },
                opened.is_key_frame,
            ),
            Err(error) => return refuse(error, opening.report),
        };
        let last = opening.flows.insert(key_id, opening.now);
        let gap = last.map_or(Duration::ZERO, |last| opening.now.saturating_duration_since(last));
        let gap_ms = gap.as_millis() as u64;
        let report = &mut *opening.report;
        report.tracks_opened = opening.flows.len() as u64;
        if self.media == Media::Audio {
            report.audio_frames_opened += 1;
            report.worst_audio_gap_ms = report.worst_audio_gap_ms.max(gap_ms);
            return;
        }
        report.video_frames_opened += 1;
        report.worst_video_gap_ms = report.worst_video_gap_ms.max(gap_ms);
        if is_key_frame {
            self.key_frame = KeyFrame::Here;
            self.shown = Some(key_id);
        } else if self.shown != Some(key_id) || self.key_frame != KeyFrame::Here {
            self.need_key_frame();
            report.video_frames_undecodable += 1;
        }
    }
}

fn refuse(error: OpenError, report: &mut MediaReport) {
    match error {
        // Retransmissions may come twice.
        OpenError::Empty | OpenError::Duplicate => {}
        OpenError::WaitingForKey => report.frames_waiting_for_key += 1,
        OpenError::Replayed => report.fail("replayed"),
        OpenError::Malformed => report.fail("malformed"),
        OpenError::Tampered => report.fail("tampered"),
    }
}
