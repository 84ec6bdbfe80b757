//! Writing the packets of one RTCP datagram.

use super::{
    feedback::FirEntry,
    format, packet_type,
    report::{ReportBlock, SenderInfo},
    source::{ITEM_CNAME, ITEM_END},
    transport_feedback_writer::{TransportFeedbackRequest, TransportFeedbackWritten},
};
use crate::{bytes::Writer, error::BufferTooSmall, ids::Ssrc};

/// Writes packets one behind the other into a slice.
///
/// A packet that does not fit is an error and leaves what was written before.
/// A compound datagram begins with a report (RFC 3550 section 6.1); a
/// reduced-size one need not (RFC 5506).
#[derive(Debug)]
pub struct RtcpWriter<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> RtcpWriter<'a> {
    /// Writes from the front of `out` on.
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What we sent on one stream, and how the first 31 of `blocks` arrived (RFC 3550 section 6.4.1).
    pub fn sender_report(
        &mut self,
        ssrc: Ssrc,
        info: &SenderInfo,
        blocks: &[ReportBlock],
    ) -> Result<(), BufferTooSmall> {
        let blocks = &blocks[..blocks.len().min(COUNT_MAX)];
        self.packet(packet_type::SENDER_REPORT, blocks.len(), |writer| {
            writer.u32(ssrc.0)?;
            writer.u64(info.ntp_time.0)?;
            writer.u32(info.rtp_timestamp)?;
            writer.u32(info.packet_count)?;
            writer.u32(info.octet_count)?;
            blocks.iter().try_for_each(|block| block.write(writer))
        })
    }

    /// How the first 31 of `blocks` arrived (RFC 3550 section 6.4.2).
    pub fn receiver_report(&mut self, ssrc: Ssrc, blocks: &[ReportBlock]) -> Result<(), BufferTooSmall> {
        let blocks = &blocks[..blocks.len().min(COUNT_MAX)];
        self.packet(packet_type::RECEIVER_REPORT, blocks.len(), |writer| {
            writer.u32(ssrc.0)?;
            blocks.iter().try_for_each(|block| block.write(writer))
        })
    }

    /// The canonical name of one source, cut at 255 bytes (RFC 3550 section 6.5.1).
    pub fn sdes_cname(&mut self, ssrc: Ssrc, cname: &str) -> Result<(), BufferTooSmall> {
        let name = &cname.as_bytes()[..cname.floor_char_boundary(255)];
        self.packet(packet_type::SDES, 1, |writer| {
            writer.u32(ssrc.0)?;
            writer.put(&[ITEM_CNAME, name.len() as u8])?;
            writer.put(name)?;
            writer.u8(ITEM_END)?;
            writer.pad_to_word()
        })
    }

    /// The first 31 of `ssrcs` end (RFC 3550 section 6.6).
    pub fn bye(&mut self, ssrcs: &[Ssrc]) -> Result<(), BufferTooSmall> {
        let ssrcs = &ssrcs[..ssrcs.len().min(COUNT_MAX)];
        self.packet(packet_type::BYE, ssrcs.len(), |writer| {
            ssrcs.iter().try_for_each(|ssrc| writer.u32(ssrc.0))
        })
    }

    /// Asks `media_ssrc` for a key frame (RFC 4585 section 6.3.1).
    pub fn pli(&mut self, sender_ssrc: Ssrc, media_ssrc: Ssrc) -> Result<(), BufferTooSmall> {
        self.packet(
            packet_type::PAYLOAD_SPECIFIC_FEEDBACK,
            usize::from(format::PLI),
            |writer| {
                writer.u32(sender_ssrc.0)?;
                writer.u32(media_ssrc.0)
            },
        )
    }

    /// Asks streams for key frames, with counted requests (RFC 5104 section 4.3.1).
    pub fn fir(&mut self, sender_ssrc: Ssrc, entries: &[FirEntry]) -> Result<(), BufferTooSmall> {
        self.packet(
            packet_type::PAYLOAD_SPECIFIC_FEEDBACK,
            usize::from(format::FIR),
            |writer| {
                writer.u32(sender_ssrc.0)?;
                writer.u32(0)?;
                entries.iter().try_for_each(|entry| {
                    writer.u32(entry.ssrc.0)?;
                    writer.put(&[entry.sequence_number, 0, 0, 0])
                })
            },
        )
    }

    /// Tells which packets of `media_ssrc` are missing (RFC 4585 section 6.2.1).
    ///
    /// Numbers that rise by up to 16 from the first of their group share four bytes.
    pub fn nack(
        &mut self,
        sender_ssrc: Ssrc,
        media_ssrc: Ssrc,
        sequence_numbers: &[u16],
    ) -> Result<(), BufferTooSmall> {
        self.packet(
            packet_type::TRANSPORT_LAYER_FEEDBACK,
            usize::from(format::NACK),
            |writer| {
                writer.u32(sender_ssrc.0)?;
                writer.u32(media_ssrc.0)?;
                let mut rest = sequence_numbers.iter().copied().peekable();
                while let Some(first) = rest.next() {
                    let mut following = 0_u16;
                    while let Some(next) = rest.next_if(|next| (1..=16).contains(&next.wrapping_sub(first))) {
                        following |= 1 << (next.wrapping_sub(first) - 1);
                    }
                    writer.u16(first)?;
                    writer.u16(following)?;
                }
                Some(())
            },
        )
    }

    /// Tells a transport when its packets arrived.
    ///
    /// One packet says less than all when the output is full, when two
    /// arrivals lie more than 8 s apart, or when more than
    /// [`STATUSES_MAX`](super::STATUSES_MAX) packets lie between the first and
    /// the last: call again with what is left. Writes nothing when there is
    /// nothing to tell; fails when not even one arrival fits (28 bytes are
    /// always enough for one).
    pub fn transport_feedback(
        &mut self,
        request: &TransportFeedbackRequest<'_>,
    ) -> Result<TransportFeedbackWritten, BufferTooSmall> {
        let (len, written) = request.write(&mut self.out[self.len..]).ok_or(BufferTooSmall)?;
        self.len += len;
        Ok(written)
    }

    /// Writes a header with the right length before the body.
    fn packet(
        &mut self,
        packet_type: u8,
        count: usize,
        body: impl FnOnce(&mut Writer<'_>) -> Option<()>,
    ) -> Result<(), BufferTooSmall> {
        let out = &mut self.out[self.len..];
        let mut writer = Writer::new(out);
        let written = writer
            .put(&[2 << 6 | count as u8, packet_type, 0, 0])
            .and_then(|()| body(&mut writer));
        written.ok_or(BufferTooSmall)?;
        let len = writer.len();
        let words = u16::try_from(len / 4 - 1).map_err(|_| BufferTooSmall)?;
        out[2..4].copy_from_slice(&words.to_be_bytes());
        self.len += len;
        Ok(())
    }
}

/// The most blocks, chunks or sources in one packet: the count has five bits.
const COUNT_MAX: usize = 31;
