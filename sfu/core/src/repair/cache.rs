//! The packets of one stream as they came, kept for a moment so that they can be sent again.
//!
//! One copy serves every subscriber: what differs between them is worked out again from their offsets. Payloads lie
//! one behind the other in pages. A page is taken anew when everything in it is too old to be of use, so a stream
//! has as many pages as its rate needs, up to its bound, and once it has them nothing is allocated.

use std::time::Instant;

use rtp::{AudioLevel, DescriptorRewrite, RtpHeader, SealedPayload};

use crate::limits::{
    CACHE_AGE, CACHE_AUDIO_PACKETS, CACHE_AUDIO_PAGE_LEN, CACHE_AUDIO_PAGES_MAX, CACHE_VIDEO_PACKETS,
    CACHE_VIDEO_PAGE_LEN, CACHE_VIDEO_PAGES_MAX,
};

/// What is kept of a packet beside its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CachedPacket {
    /// Of the incoming packet.
    pub(crate) header: RtpHeader,
    pub(crate) audio_level: Option<AudioLevel>,
    /// Tells the streams apart that one cache sees one after the other; later ones have a higher number.
    pub(crate) epoch: u32,
    /// Extended, without holes of padding.
    pub(crate) sequence: u64,
    /// Extended.
    pub(crate) picture_id: u64,
    pub(crate) tl0_picture_index: u8,
}

/// What became of a packet of the stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// It is here.
    Here(&'a CachedPacket, SealedPayload<'a>),
    /// It came, and was forgotten.
    Gone,
    /// It did not come yet.
    NeverCame,
}

/// The bounds of a cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheSize {
    packets: usize,
    page_len: usize,
    pages_max: usize,
}

/// The last packets of one stream.
#[derive(Debug)]
pub(crate) struct PacketCache {
    size: CacheSize,
    /// Number `n` at place `n % packets`; grows to its bound with the first packet, and stays when another stream
    /// begins.
    places: Vec<Option<Place>>,
    pages: Vec<Page>,
    /// The page that is written.
    current: u16,
    /// How many times a page was begun.
    turns: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    packet: CachedPacket,
    stored_at: Instant,
    page: u16,
    start: u16,
    len: u16,
    /// The turn of the page; in a later one the payload is overwritten.
    turn: u64,
}

struct Page {
    bytes: Box<[u8]>,
    used: usize,
    /// When it was begun, in turns; the lowest is the oldest.
    turn: u64,
    written_at: Instant,
}

/// The payloads stay out of logs.
impl std::fmt::Debug for Page {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Page")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

impl CacheSize {
    /// For audio.
    pub(crate) const AUDIO: Self = Self {
        packets: CACHE_AUDIO_PACKETS,
        page_len: CACHE_AUDIO_PAGE_LEN,
        pages_max: CACHE_AUDIO_PAGES_MAX,
    };

    /// For one layer of video.
    pub(crate) const VIDEO: Self = Self {
        packets: CACHE_VIDEO_PACKETS,
        page_len: CACHE_VIDEO_PAGE_LEN,
        pages_max: CACHE_VIDEO_PAGES_MAX,
    };
}

impl PacketCache {
    /// An empty cache.
    pub(crate) const fn new(size: CacheSize) -> Self {
        Self {
            size,
            places: Vec::new(),
            pages: Vec::new(),
            current: 0,
            turns: 0,
        }
    }

    /// Keeps a packet. One that is longer than a page is not kept.
    pub(crate) fn keep(&mut self, packet: CachedPacket, payload: &SealedPayload<'_>, now: Instant) {
        let Some(index) = self.page_with_room(payload.len(), now) else {
            return;
        };
        let Some(page) = self.pages.get_mut(usize::from(index)) else {
            return;
        };
        let start = page.used;
        let room = page.bytes.get_mut(start..).unwrap_or_default();
        let Ok(len) = payload.copy_to_wire(&DescriptorRewrite::Keep, room) else {
            return;
        };
        page.used += len;
        page.written_at = now;
        // Both lie within a page, whose length fits.
        let (Ok(start), Ok(len)) = (u16::try_from(start), u16::try_from(len)) else {
            return;
        };
        let place = Place {
            packet,
            stored_at: now,
            page: index,
            start,
            len,
            turn: page.turn,
        };
        if self.places.is_empty() {
            self.places.resize(self.size.packets, None);
        }
        let position = self.position(packet.sequence);
        if let Some(entry) = self.places.get_mut(position) {
            // A late packet does not push out a newer one.
            let age = |packet: &CachedPacket| (packet.epoch, packet.sequence);
            if entry.is_none_or(|other| age(&other.packet) <= age(&packet)) {
                *entry = Some(place);
            }
        }
    }

    /// Finds the packet with this extended sequence number.
    pub(crate) fn find(&self, epoch: u32, sequence: u64, now: Instant) -> Lookup<'_> {
        let Some(Some(place)) = self.places.get(self.position(sequence)) else {
            return Lookup::NeverCame;
        };
        let found = (place.packet.epoch, place.packet.sequence);
        if found < (epoch, sequence) {
            return Lookup::NeverCame;
        }
        let is_kept =
            found == (epoch, sequence) && now.saturating_duration_since(place.stored_at) <= CACHE_AGE;
        let page = self
            .pages
            .get(usize::from(place.page))
            .filter(|page| is_kept && page.turn == place.turn);
        let range = usize::from(place.start)..usize::from(place.start) + usize::from(place.len);
        match page.and_then(|page| page.bytes.get(range)) {
            Some(bytes) => Lookup::Here(&place.packet, SealedPayload::seal(bytes)),
            None => Lookup::Gone,
        }
    }

    const fn position(&self, sequence: u64) -> usize {
        // The remainder is below `packets`, which is a `usize`.
        (sequence % self.size.packets as u64) as usize
    }

    /// The page to write so many bytes to: the current one, or one whose packets are too old, or a new one, and when
    /// there are enough of them the oldest.
    fn page_with_room(&mut self, len: usize, now: Instant) -> Option<u16> {
        if len > self.size.page_len {
            return None;
        }
        let current = self.pages.get(usize::from(self.current));
        if current.is_some_and(|page| page.used + len <= page.bytes.len()) {
            return Some(self.current);
        }
        let page_count = self.pages.len();
        let oldest = (0..).zip(&mut self.pages).min_by_key(|(_, page)| page.turn);
        let is_full = page_count >= self.size.pages_max;
        self.turns += 1;
        self.current = match oldest {
            Some((index, page)) if is_full || now.saturating_duration_since(page.written_at) > CACHE_AGE => {
                page.used = 0;
                page.turn = self.turns;
                index
            }
            _ => self.add_page(now)?,
        };
        Some(self.current)
    }

    fn add_page(&mut self, now: Instant) -> Option<u16> {
        let index = u16::try_from(self.pages.len()).ok()?;
        self.pages.push(Page {
            bytes: vec![0; self.size.page_len].into_boxed_slice(),
            used: 0,
            turn: self.turns,
            written_at: now,
        });
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rtp::{PayloadType, Ssrc};

    use super::*;
    use crate::testing::start;

    /// Of one packet, in bytes.
    const LEN: usize = 1_100;

    #[test]
    fn what_was_kept_is_found_with_its_bytes_until_it_is_too_old() {
        let mut cache = PacketCache::new(CacheSize::VIDEO);
        assert!(matches!(cache.find(1, 70_000, start()), Lookup::NeverCame));
        for sequence in 70_000..70_100 {
            keep(&mut cache, sequence, start());
        }
        for sequence in 70_000..70_100 {
            assert_eq!(
                found(&cache, sequence, start() + CACHE_AGE),
                Some(payload(sequence))
            );
        }
        let late = start() + CACHE_AGE + Duration::from_millis(1);
        assert!(matches!(cache.find(1, 70_050, late), Lookup::Gone));
        assert!(matches!(cache.find(1, 70_100, start()), Lookup::NeverCame));
        assert!(
            matches!(cache.find(2, 70_050, start()), Lookup::NeverCame),
            "another stream"
        );
        assert!(
            matches!(cache.find(0, 70_050, start()), Lookup::Gone),
            "an earlier stream"
        );
    }

    #[test]
    fn a_hole_that_is_filled_late_is_found_like_the_rest() {
        let mut cache = PacketCache::new(CacheSize::AUDIO);
        for sequence in (1_000..1_050).filter(|sequence| *sequence != 1_020) {
            keep(&mut cache, sequence, start());
        }
        assert!(matches!(cache.find(1, 1_020, start()), Lookup::NeverCame));
        keep(&mut cache, 1_020, start());
        assert_eq!(found(&cache, 1_020, start()), Some(payload(1_020)));
        keep(&mut cache, 1_049 - CACHE_AUDIO_PACKETS as u64, start());
        assert_eq!(
            found(&cache, 1_049, start()),
            Some(payload(1_049)),
            "it is not pushed out"
        );
    }

    #[test]
    fn a_stream_has_as_many_pages_as_its_rate_needs_and_no_more_than_it_may() {
        for (packets_per_second, pages) in [(50, 5), (300, 24), (3_000, CACHE_VIDEO_PAGES_MAX)] {
            let mut cache = PacketCache::new(CacheSize::VIDEO);
            for index in 0..packets_per_second * 10_u64 {
                let now = start() + Duration::from_micros(index * 1_000_000 / packets_per_second);
                keep(&mut cache, 70_000 + index, now);
            }
            assert!(cache.pages.len() <= pages, "{} pages", cache.pages.len());
            let end = start() + Duration::from_secs(10);
            let last = 70_000 + packets_per_second * 10 - 1;
            let kept = (0..)
                .take_while(|back| found(&cache, last - back, end).is_some())
                .count() as u64;
            let most = (CACHE_VIDEO_PAGES_MAX * CACHE_VIDEO_PAGE_LEN / LEN) as u64;
            let wanted = packets_per_second
                .min(most * 9 / 10)
                .min(CACHE_VIDEO_PACKETS as u64);
            assert!(kept >= wanted, "{kept} of {wanted}");
        }
    }

    #[test]
    fn what_does_not_fit_into_a_page_is_not_kept() {
        let mut cache = PacketCache::new(CacheSize::AUDIO);
        let long = vec![0; CACHE_AUDIO_PAGE_LEN + 1];
        cache.keep(packet(5), &SealedPayload::seal(&long), start());
        assert!(matches!(cache.find(1, 5, start()), Lookup::NeverCame));
    }

    fn keep(cache: &mut PacketCache, sequence: u64, now: Instant) {
        let bytes = payload(sequence);
        cache.keep(packet(sequence), &SealedPayload::seal(&bytes), now);
    }

    fn found(cache: &PacketCache, sequence: u64, now: Instant) -> Option<Vec<u8>> {
        let Lookup::Here(found, payload) = cache.find(1, sequence, now) else {
            return None;
        };
        assert_eq!(*found, packet(sequence));
        let mut bytes = vec![0; payload.len()];
        payload
            .copy_to_wire(&DescriptorRewrite::Keep, &mut bytes)
            .unwrap();
        Some(bytes)
    }

    fn payload(sequence: u64) -> Vec<u8> {
        let mut bytes = vec![sequence as u8; LEN];
        bytes[..8].copy_from_slice(&sequence.to_be_bytes());
        bytes
    }

    fn packet(sequence: u64) -> CachedPacket {
        CachedPacket {
            header: RtpHeader {
                marker: false,
                payload_type: PayloadType::new(100).unwrap(),
                sequence_number: sequence as u16,
                rtp_timestamp: sequence as u32,
                ssrc: Ssrc(7),
            },
            audio_level: None,
            epoch: 1,
            sequence,
            picture_id: sequence,
            tl0_picture_index: 0,
        }
    }
}
