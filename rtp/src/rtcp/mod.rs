//! RTCP: what arrives in one datagram, and what we send.
//!
//! [`packets`] reads compound (RFC 3550) and reduced-size (RFC 5506) datagrams
//! alike; [`RtcpWriter`] writes either. Nothing here allocates.

mod compound;
mod feedback;
mod report;
mod source;
mod transport_feedback;
mod transport_feedback_writer;
mod writer;

pub use compound::{PACKETS_MAX, Packets, packets};
pub use feedback::{Fir, FirEntry, Nack, Pli};
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport};
pub use source::{Bye, Sdes, SdesChunk};
pub use transport_feedback::{PacketStatus, STATUSES_MAX, TICK, TransportFeedback};
pub use transport_feedback_writer::{Arrival, TransportFeedbackRequest, TransportFeedbackWritten};
pub use writer::RtcpWriter;

/// One packet of an RTCP datagram.
#[derive(Clone, Copy, Debug)]
pub enum RtcpPacket<'a> {
    /// What a sender sent, and what it received (RFC 3550 section 6.4.1).
    SenderReport(SenderReport<'a>),
    /// What a receiver received (RFC 3550 section 6.4.2).
    ReceiverReport(ReceiverReport<'a>),
    /// Who a source is (RFC 3550 section 6.5).
    Sdes(Sdes<'a>),
    /// Sources that end (RFC 3550 section 6.6).
    Bye(Bye<'a>),
    /// Packets that are missing (RFC 4585 section 6.2.1).
    Nack(Nack<'a>),
    /// A decoder needs a key frame (RFC 4585 section 6.3.1).
    Pli(Pli),
    /// A new decoder needs a key frame (RFC 5104 section 4.3.1).
    Fir(Fir<'a>),
    /// When each packet of a transport arrived
    /// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    TransportFeedback(TransportFeedback<'a>),
    /// Well-formed, and nothing that we act on.
    Unknown {
        /// The packet type field.
        packet_type: u8,
        /// The count, or the format of a feedback packet: 0 to 31.
        format: u8,
    },
}

/// Packet types (RFC 3550 section 12.1, RFC 4585 section 6.1).
mod packet_type {
    pub(super) const SENDER_REPORT: u8 = 200;
    pub(super) const RECEIVER_REPORT: u8 = 201;
    pub(super) const SDES: u8 = 202;
    pub(super) const BYE: u8 = 203;
    pub(super) const TRANSPORT_LAYER_FEEDBACK: u8 = 205;
    pub(super) const PAYLOAD_SPECIFIC_FEEDBACK: u8 = 206;
}

/// Formats of feedback packets (RFC 4585 section 6, RFC 5104 section 4, draft-holmer).
mod format {
    pub(super) const NACK: u8 = 1;
    pub(super) const TRANSPORT_FEEDBACK: u8 = 15;
    pub(super) const PLI: u8 = 1;
    pub(super) const FIR: u8 = 4;
}

#[cfg(test)]
mod tests;
