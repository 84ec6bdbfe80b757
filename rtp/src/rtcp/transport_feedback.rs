//! When each packet of a transport arrived, as its receiver tells it.
//!
//! Source: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

use core::time::Duration;

use crate::{bytes::Reader, error::RtcpError, ids::Ssrc};

/// The unit of arrival times in a feedback.
pub const TICK: Duration = Duration::from_micros(250);

/// The most packets that we read the status of in one feedback. Run lengths
/// let 20 bytes claim 65,535 of them; at one feedback every 100 ms this many
/// are 80,000 packets per second, more than a browser sends in a minute.
pub const STATUSES_MAX: u16 = 8_192;

/// Ticks in one unit of the reference time, 64 ms.
pub(super) const REFERENCE_TICKS: u64 = 256;

/// When each packet of a transport arrived.
#[derive(Clone, Copy, Debug)]
pub struct TransportFeedback<'a> {
    /// Who received.
    pub sender_ssrc: Ssrc,
    /// A stream that was received; means little, for a feedback covers all.
    pub media_ssrc: Ssrc,
    /// The transport sequence number of the first packet that is told about.
    pub base_sequence_number: u16,
    /// How many packets are told about: 1 to [`STATUSES_MAX`].
    pub status_count: u16,
    /// Where arrival times count from, in units of 64 ms on a clock of the
    /// receiver's choice: 24 bits that wrap
    /// (see [`extend_reference_time`](crate::seq::extend_reference_time)).
    pub reference_time: u32,
    /// Counts feedbacks, and wraps: a gap tells of a lost one.
    pub feedback_count: u8,
    /// Chunks of two bytes that cover `status_count` packets.
    chunks: &'a [u8],
    /// One or two bytes for each packet that arrived.
    deltas: &'a [u8],
}

/// What a feedback tells about one packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PacketStatus {
    /// The packet's transport sequence number.
    pub sequence_number: u16,
    /// When it arrived, in [`TICK`]s after the reference time (negative before
    /// it); `None` when it has not arrived.
    pub arrival_ticks: Option<i32>,
}

impl<'a> TransportFeedback<'a> {
    /// What is told about each packet, in the order of their numbers.
    pub fn packets(&self) -> impl Iterator<Item = PacketStatus> + use<'a> {
        let mut deltas = Reader::new(self.deltas);
        let mut ticks = 0_i32;
        let mut sequence_number = self.base_sequence_number;
        symbols(self.chunks)
            .take(usize::from(self.status_count))
            .map(move |symbol| {
                let delta = symbol.read_delta(&mut deltas);
                // 8,192 deltas of 16 bits cannot overflow 32.
                ticks += delta.unwrap_or(0);
                let status = PacketStatus {
                    sequence_number,
                    arrival_ticks: delta.map(|_| ticks),
                };
                sequence_number = sequence_number.wrapping_add(1);
                status
            })
    }

    pub(super) fn parse(body: &'a [u8]) -> Result<Self, RtcpError> {
        let mut feedback = Self::read_header(body).ok_or(RtcpError::Malformed)?;
        if feedback.status_count == 0 {
            return Err(RtcpError::Malformed);
        }
        if feedback.status_count > STATUSES_MAX {
            return Err(RtcpError::TooMany);
        }
        feedback.split_deltas().ok_or(RtcpError::Malformed)?;
        Ok(feedback)
    }

    /// With everything behind the header as chunks.
    fn read_header(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        Some(Self {
            sender_ssrc: Ssrc(reader.u32()?),
            media_ssrc: Ssrc(reader.u32()?),
            base_sequence_number: reader.u16()?,
            status_count: reader.u16()?,
            reference_time: reader.u24()?,
            feedback_count: reader.u8()?,
            chunks: reader.rest(),
            deltas: &[],
        })
    }

    /// Finds where the chunks end, and checks that all deltas are there.
    /// Up to three bytes of padding may follow them.
    fn split_deltas(&mut self) -> Option<()> {
        let status_count = usize::from(self.status_count);
        let (mut covered, mut chunk_count) = (0, 0);
        for &bytes in self.chunks.as_chunks::<2>().0 {
            if covered >= status_count {
                break;
            }
            covered += Chunk(u16::from_be_bytes(bytes)).len();
            chunk_count += 1;
        }
        if covered < status_count {
            return None;
        }
        let (chunks, deltas) = self.chunks.split_at(chunk_count * 2);
        let mut deltas_len = 0;
        for symbol in symbols(chunks).take(status_count) {
            deltas_len += symbol.delta_len()?;
        }
        self.chunks = chunks;
        self.deltas = deltas.get(..deltas_len)?;
        Some(())
    }
}

/// The symbols of all chunks, one after another.
fn symbols(chunks: &[u8]) -> impl Iterator<Item = Symbol> + use<'_> {
    chunks.as_chunks::<2>().0.iter().flat_map(|&bytes| {
        let chunk = Chunk(u16::from_be_bytes(bytes));
        (0..chunk.len()).map(move |index| chunk.symbol(index))
    })
}

/// What two bytes tell about one packet or many. Source: section 3.1.1 and following.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Symbol {
    NotReceived,
    SmallDelta,
    LargeDelta,
    Reserved,
}

impl Symbol {
    fn of_bits(bits: u16) -> Self {
        match bits & 0x03 {
            0 => Self::NotReceived,
            1 => Self::SmallDelta,
            2 => Self::LargeDelta,
            _ => Self::Reserved,
        }
    }

    pub(super) fn bits(self) -> u16 {
        match self {
            Self::NotReceived => 0,
            Self::SmallDelta => 1,
            Self::LargeDelta => 2,
            Self::Reserved => 3,
        }
    }

    /// How many bytes its delta has; nothing when its meaning is unknown.
    fn delta_len(self) -> Option<usize> {
        match self {
            Self::NotReceived => Some(0),
            Self::SmallDelta => Some(1),
            Self::LargeDelta => Some(2),
            Self::Reserved => None,
        }
    }

    fn read_delta(self, deltas: &mut Reader<'_>) -> Option<i32> {
        match self {
            Self::SmallDelta => deltas.u8().map(i32::from),
            Self::LargeDelta => deltas.u16().map(|delta| i32::from(delta.cast_signed())),
            Self::NotReceived | Self::Reserved => None,
        }
    }
}

/// Two bytes of statuses.
#[derive(Clone, Copy)]
struct Chunk(u16);

impl Chunk {
    /// How many packets it covers; a run can cover none.
    fn len(self) -> usize {
        match self.0 >> 14 {
            0 | 1 => usize::from(self.0 & 0x1FFF),
            2 => 14,
            _ => 7,
        }
    }

    fn symbol(self, index: usize) -> Symbol {
        match self.0 >> 14 {
            // A run of one symbol.
            0 | 1 => Symbol::of_bits(self.0 >> 13),
            // A vector of 14 symbols of one bit.
            2 => Symbol::of_bits(self.0 >> (13 - index) & 0x01),
            // A vector of 7 symbols of two bits.
            _ => Symbol::of_bits(self.0 >> (12 - 2 * index)),
        }
    }
}
