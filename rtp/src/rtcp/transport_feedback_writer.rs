//! Telling a sender when each packet of its transport arrived.
//!
//! Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

use core::time::Duration;

use super::{
    format, packet_type,
    transport_feedback::{REFERENCE_TICKS, STATUSES_MAX, Symbol, TICK},
};
use crate::{bytes::Writer, ids::Ssrc};

/// When one packet arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Arrival {
    /// Its extended transport sequence number.
    pub sequence_number: u64,
    /// When it arrived, counted from a fixed moment of our choice.
    pub time: Duration,
}

/// What one feedback packet shall say.
#[derive(Clone, Copy, Debug)]
pub struct TransportFeedbackRequest<'a> {
    /// Our own source.
    pub sender_ssrc: Ssrc,
    /// Any stream of the transport that the feedback is about.
    pub media_ssrc: Ssrc,
    /// Counts feedbacks to this transport.
    pub feedback_count: u8,
    /// The first packet to tell about: what the last feedback ended before.
    /// Those between it and the first arrival are told as missing.
    pub base_sequence_number: u64,
    /// Packets with rising numbers. Those below the base, or not above the one
    /// before, are passed over.
    pub arrivals: &'a [Arrival],
}

/// How much of a request one feedback packet said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransportFeedbackWritten {
    /// How many of the arrivals were told or passed over; the others need another packet.
    pub arrival_count: usize,
    /// The base of the next feedback: one after the last packet that was told about.
    pub next_base_sequence_number: u64,
}

impl TransportFeedbackRequest<'_> {
    /// Writes one packet to the front of `out` and returns its length, 0 when
    /// there is nothing to tell; or nothing when not even one arrival fits.
    pub(super) fn write(&self, out: &mut [u8]) -> Option<(usize, TransportFeedbackWritten)> {
        let passed_over = self
            .arrivals
            .iter()
            .take_while(|arrival| arrival.sequence_number < self.base_sequence_number);
        let passed_over = passed_over.count();
        let Some(first) = self.arrivals.get(passed_over) else {
            let next_base_sequence_number = self.base_sequence_number;
            let written = TransportFeedbackWritten {
                arrival_count: passed_over,
                next_base_sequence_number,
            };
            return Some((0, written));
        };
        // After a gap too long to tell, start at what arrived.
        let gap = first.sequence_number - self.base_sequence_number;
        let base = if gap < u64::from(STATUSES_MAX) {
            self.base_sequence_number
        } else {
            first.sequence_number
        };
        let reference_time = ticks(first.time) / REFERENCE_TICKS;

        // Whole words only, so that the padding fits whenever the rest does.
        let (out, _) = out.as_chunks_mut::<4>();
        let (header, body) = out.as_flattened_mut().split_at_mut_checked(HEADER_LEN)?;
        let arrivals = &self.arrivals[passed_over..];
        let mut encoder = Encoder::new(base, reference_time);
        let told = arrivals
            .iter()
            .take_while(|arrival| encoder.add(arrival, body))
            .count();
        if told == 0 {
            return None;
        }
        let body_len = encoder.finish(&arrivals[..told], reference_time, body)?;

        let mut header = Writer::new(header);
        header.u8(2 << 6 | format::TRANSPORT_FEEDBACK)?;
        header.u8(packet_type::TRANSPORT_LAYER_FEEDBACK)?;
        header.u16(u16::try_from((HEADER_LEN + body_len) / 4 - 1).ok()?)?;
        header.u32(self.sender_ssrc.0)?;
        header.u32(self.media_ssrc.0)?;
        header.u16(base as u16)?;
        header.u16((encoder.next - base) as u16)?;
        header.u24(reference_time as u32)?;
        header.u8(self.feedback_count)?;
        let written = TransportFeedbackWritten {
            arrival_count: passed_over + told,
            next_base_sequence_number: encoder.next,
        };
        Some((HEADER_LEN + body_len, written))
    }
}

/// Everything before the chunks, in bytes: RTCP header, two sources, base and
/// count, reference time and feedback count.
const HEADER_LEN: usize = 20;

/// The time in ticks. Rounding each arrival, not each delta, lets no error grow.
fn ticks(time: Duration) -> u64 {
    (time.as_nanos() / TICK.as_nanos()) as u64
}

/// Writes chunks while it counts the deltas that are to follow them.
#[derive(Clone)]
struct Encoder {
    base: u64,
    /// The first packet that is not told about yet.
    next: u64,
    /// When the last packet arrived.
    last_ticks: u64,
    pending: Pending,
    chunks_len: usize,
    deltas_len: usize,
}

impl Encoder {
    fn new(base: u64, reference_time: u64) -> Self {
        Self {
            base,
            next: base,
            last_ticks: reference_time * REFERENCE_TICKS,
            pending: Pending::default(),
            chunks_len: 0,
            deltas_len: 0,
        }
    }

    /// Takes one arrival in, or changes nothing and returns false when it
    /// needs another packet.
    fn add(&mut self, arrival: &Arrival, body: &mut [u8]) -> bool {
        if arrival.sequence_number < self.next {
            return true;
        }
        let mut tried = self.clone();
        if tried.try_add(arrival, body).is_none() {
            return false;
        }
        *self = tried;
        true
    }

    fn try_add(&mut self, arrival: &Arrival, body: &mut [u8]) -> Option<()> {
        if arrival.sequence_number - self.base >= u64::from(STATUSES_MAX) {
            return None;
        }
        let delta = Delta::between(self.last_ticks, ticks(arrival.time))?;
        for _ in self.next..arrival.sequence_number {
            self.push(Symbol::NotReceived, body)?;
        }
        self.push(delta.symbol(), body)?;
        self.next = arrival.sequence_number + 1;
        self.last_ticks = ticks(arrival.time);
        self.deltas_len += delta.len();
        (self.chunks_len + 2 + self.deltas_len <= body.len()).then_some(())
    }

    fn push(&mut self, symbol: Symbol, body: &mut [u8]) -> Option<()> {
        match self.pending.push(symbol) {
            Some(chunk) => self.write_chunk(chunk, body),
            None => Some(()),
        }
    }

    fn write_chunk(&mut self, chunk: u16, body: &mut [u8]) -> Option<()> {
        let (_, rest) = body.split_at_mut_checked(self.chunks_len)?;
        *rest.first_chunk_mut()? = chunk.to_be_bytes();
        self.chunks_len += 2;
        Some(())
    }

    /// Writes the last chunk, the deltas of what was taken in, and padding;
    /// returns the length of it all.
    fn finish(&mut self, arrivals: &[Arrival], reference_time: u64, body: &mut [u8]) -> Option<usize> {
        self.write_chunk(self.pending.last_chunk(), body)?;
        let (_, rest) = body.split_at_mut_checked(self.chunks_len)?;
        let mut writer = Writer::new(rest);
        let (mut next, mut last_ticks) = (self.base, reference_time * REFERENCE_TICKS);
        for arrival in arrivals {
            if arrival.sequence_number < next {
                continue;
            }
            Delta::between(last_ticks, ticks(arrival.time))?.write(&mut writer)?;
            (next, last_ticks) = (arrival.sequence_number + 1, ticks(arrival.time));
        }
        let len = self.chunks_len + writer.len();
        let padded_len = len.next_multiple_of(4);
        writer.put(&[0; 3][..padded_len - len])?;
        Some(padded_len)
    }
}

/// The time from one arrival to the next, in ticks.
#[derive(Clone, Copy)]
enum Delta {
    Small(u8),
    Large(i16),
}

impl Delta {
    /// Nothing when it is more than 16 bits can tell, 8.19 s.
    fn between(earlier: u64, later: u64) -> Option<Self> {
        let delta = i16::try_from(later.wrapping_sub(earlier).cast_signed()).ok()?;
        Some(u8::try_from(delta).map_or(Self::Large(delta), Self::Small))
    }

    fn symbol(self) -> Symbol {
        match self {
            Self::Small(_) => Symbol::SmallDelta,
            Self::Large(_) => Symbol::LargeDelta,
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Small(_) => 1,
            Self::Large(_) => 2,
        }
    }

    fn write(self, writer: &mut Writer<'_>) -> Option<()> {
        match self {
            Self::Small(ticks) => writer.u8(ticks),
            Self::Large(ticks) => writer.u16(ticks.cast_unsigned()),
        }
    }
}

/// Symbols that wait for their chunk: a run of one symbol, or up to 14 mixed
/// ones, up to 7 when a large delta is among them.
#[derive(Clone)]
struct Pending {
    /// The first 14; of a longer run all are the same.
    symbols: [Symbol; VECTOR_LEN],
    len: u16,
    is_run: bool,
    has_large: bool,
}

/// Symbols in a vector of one bit each, and of two.
const VECTOR_LEN: usize = 14;
const WIDE_VECTOR_LEN: usize = 7;
/// The longest run: 13 bits.
const RUN_LEN_MAX: u16 = 0x1FFF;

impl Default for Pending {
    fn default() -> Self {
        Self {
            symbols: [Symbol::NotReceived; VECTOR_LEN],
            len: 0,
            is_run: true,
            has_large: false,
        }
    }
}

impl Pending {
    /// Takes a symbol in, and returns the chunk that had to make place for it.
    fn push(&mut self, symbol: Symbol) -> Option<u16> {
        let chunk = if self.has_place(symbol) {
            None
        } else {
            Some(self.pop_chunk())
        };
        self.add(symbol);
        chunk
    }

    fn has_place(&self, symbol: Symbol) -> bool {
        let len = usize::from(self.len);
        let fits_vector = len < VECTOR_LEN && !self.has_large && symbol != Symbol::LargeDelta;
        let fits_run = self.is_run && symbol == self.symbols[0] && self.len < RUN_LEN_MAX;
        len < WIDE_VECTOR_LEN || fits_vector || fits_run
    }

    fn add(&mut self, symbol: Symbol) {
        if let Some(place) = self.symbols.get_mut(usize::from(self.len)) {
            *place = symbol;
        }
        self.len += 1;
        self.is_run &= symbol == self.symbols[0];
        self.has_large |= symbol == Symbol::LargeDelta;
    }

    /// A chunk of as many symbols as it can cover; fewer than 7 stay behind.
    fn pop_chunk(&mut self) -> u16 {
        let symbols = self.symbols;
        let len = usize::from(self.len);
        let (chunk, covered) = if self.is_run {
            (self.run(), len)
        } else if len == VECTOR_LEN {
            (self.vector(), len)
        } else {
            (self.wide_vector(), WIDE_VECTOR_LEN)
        };
        *self = Self::default();
        if let Some(left) = symbols.get(covered..len) {
            left.iter().for_each(|&symbol| self.add(symbol));
        }
        chunk
    }

    /// A chunk of everything that waits. Places behind the last symbol stay zero.
    fn last_chunk(&self) -> u16 {
        if self.is_run {
            self.run()
        } else if usize::from(self.len) <= WIDE_VECTOR_LEN {
            self.wide_vector()
        } else {
            self.vector()
        }
    }

    fn run(&self) -> u16 {
        self.symbols[0].bits() << 13 | self.len
    }

    fn vector(&self) -> u16 {
        let symbols = self.symbols.iter().take(usize::from(self.len)).enumerate();
        symbols.fold(0b10 << 14, |chunk, (index, symbol)| {
            chunk | symbol.bits() << (13 - index)
        })
    }

    fn wide_vector(&self) -> u16 {
        let symbols = self
            .symbols
            .iter()
            .take(usize::from(self.len).min(WIDE_VECTOR_LEN))
            .enumerate();
        symbols.fold(0b11 << 14, |chunk, (index, symbol)| {
            chunk | symbol.bits() << (12 - 2 * index)
        })
    }
}
