//! Sender and receiver reports.
//!
//! Source: RFC 3550 section 6.4.

use core::time::Duration;

use crate::{
    bytes::{Reader, Writer},
    ids::Ssrc,
    ntp::{NtpTime, duration_from_compact},
};

/// What a sender sent so far, and what it received.
#[derive(Clone, Copy, Debug)]
pub struct SenderReport<'a> {
    /// The stream that was sent.
    pub ssrc: Ssrc,
    /// What was sent.
    pub info: SenderInfo,
    blocks: &'a [u8],
}

/// What a sender sent so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SenderInfo {
    /// The sender's clock when the report was made.
    pub ntp_time: NtpTime,
    /// The same moment on the clock of the stream's timestamps.
    pub rtp_timestamp: u32,
    /// Packets sent; wraps.
    pub packet_count: u32,
    /// Payload bytes sent, without headers and padding; wraps.
    pub octet_count: u32,
}

/// What a receiver received so far.
#[derive(Clone, Copy, Debug)]
pub struct ReceiverReport<'a> {
    /// The stream that the receiver itself sends, or a placeholder.
    pub ssrc: Ssrc,
    blocks: &'a [u8],
}

/// How one stream arrived.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReportBlock {
    /// The stream.
    pub ssrc: Ssrc,
    /// Packets lost of 256 expected ones, since the last report.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; negative when duplicates came. 24 bits on the wire.
    pub cumulative_lost: i32,
    /// The highest sequence number, with the number of its wraps above 16 bits.
    pub extended_highest_sequence_number: u32,
    /// Mean deviation of the arrival spacing, in ticks of the stream's timestamps.
    pub jitter: u32,
    /// [`NtpTime::compact`] of the last sender report; 0 when none came.
    pub last_sender_report: u32,
    /// Time between that report's arrival and this one's sending, in units of 2^-16 s.
    pub delay_since_last_sender_report: u32,
}

impl<'a> SenderReport<'a> {
    /// How the streams that the sender receives arrived: 0 to 31.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }

    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let ssrc = Ssrc(reader.u32()?);
        let info = SenderInfo {
            ntp_time: NtpTime(reader.u64()?),
            rtp_timestamp: reader.u32()?,
            packet_count: reader.u32()?,
            octet_count: reader.u32()?,
        };
        // Profile-specific extensions may follow the blocks.
        Some(Self {
            ssrc,
            info,
            blocks: reader.take(usize::from(count) * ReportBlock::LEN)?,
        })
    }
}

impl<'a> ReceiverReport<'a> {
    /// How the streams arrived: 0 to 31.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }

    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let ssrc = Ssrc(reader.u32()?);
        Some(Self {
            ssrc,
            blocks: reader.take(usize::from(count) * ReportBlock::LEN)?,
        })
    }
}

fn blocks(bytes: &[u8]) -> impl Iterator<Item = ReportBlock> + use<'_> {
    bytes
        .chunks_exact(ReportBlock::LEN)
        .filter_map(|block| ReportBlock::read(&mut Reader::new(block)))
}

impl ReportBlock {
    /// Length on the wire, in bytes.
    pub(super) const LEN: usize = 24;

    /// The time from our sender report to the arrival of its answer at `now`,
    /// less what the answer waited; nothing when no report was answered, or
    /// when the numbers say that it took less than no time.
    ///
    /// Source: RFC 3550 section 6.4.1.
    pub fn round_trip_time(&self, now: NtpTime) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let units = now
            .compact()
            .wrapping_sub(self.last_sender_report)
            .wrapping_sub(self.delay_since_last_sender_report);
        (units.cast_signed() >= 0).then(|| duration_from_compact(units))
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let ssrc = Ssrc(reader.u32()?);
        let fraction_lost = reader.u8()?;
        // Sign extension of the low 24 bits.
        let cumulative_lost = (reader.u24()? << 8).cast_signed() >> 8;
        Some(Self {
            ssrc,
            fraction_lost,
            cumulative_lost,
            extended_highest_sequence_number: reader.u32()?,
            jitter: reader.u32()?,
            last_sender_report: reader.u32()?,
            delay_since_last_sender_report: reader.u32()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Option<()> {
        writer.u32(self.ssrc.0)?;
        writer.u8(self.fraction_lost)?;
        writer.u24(self.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF).cast_unsigned())?;
        writer.u32(self.extended_highest_sequence_number)?;
        writer.u32(self.jitter)?;
        writer.u32(self.last_sender_report)?;
        writer.u32(self.delay_since_last_sender_report)
    }
}
