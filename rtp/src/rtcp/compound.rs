//! Walking the packets of one RTCP datagram.

use super::{
    RtcpPacket,
    feedback::{Fir, Nack, Pli},
    format, packet_type,
    report::{ReceiverReport, SenderReport},
    source::{Bye, Sdes},
    transport_feedback::TransportFeedback,
};
use crate::{bytes::Reader, error::RtcpError};

/// The most packets that we read from one datagram. Browsers send fewer than
/// ten; the bound keeps a datagram full of four-byte packets from costing more
/// than a normal one.
pub const PACKETS_MAX: usize = 32;

/// The packets of a datagram that SRTCP has opened.
///
/// A packet whose contents are malformed is one error, and the walk goes on
/// behind it; where the lengths are broken the error is the last item. An
/// empty datagram is an error too.
pub fn packets(datagram: &[u8]) -> Packets<'_> {
    Packets {
        rest: Some(Reader::new(datagram)),
        count: 0,
    }
}

/// See [`packets`].
#[derive(Clone)]
pub struct Packets<'a> {
    /// Nothing once the walk is over.
    rest: Option<Reader<'a>>,
    count: usize,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<RtcpPacket<'a>, RtcpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.rest.take()?;
        if reader.len() == 0 && self.count > 0 {
            return None;
        }
        if self.count == PACKETS_MAX {
            return Some(Err(RtcpError::TooMany));
        }
        self.count += 1;
        match Frame::read(&mut reader) {
            Ok(frame) => {
                self.rest = Some(reader);
                Some(frame.parse())
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// One packet by its header: what every type has in common.
struct Frame<'a> {
    packet_type: u8,
    /// The count or format field.
    count: u8,
    has_padding: bool,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, RtcpError> {
        let [first, packet_type] = reader.array().ok_or(RtcpError::Truncated)?;
        if first >> 6 != 2 {
            return Err(RtcpError::WrongVersion);
        }
        let words = reader.u16().ok_or(RtcpError::Truncated)?;
        let body = reader.take(usize::from(words) * 4).ok_or(RtcpError::Truncated)?;
        Ok(Self {
            packet_type,
            count: first & 0x1F,
            has_padding: first & 0x20 != 0,
            body,
        })
    }

    fn parse(&self) -> Result<RtcpPacket<'a>, RtcpError> {
        let body = self.body_without_padding()?;
        let packet = match (self.packet_type, self.count) {
            (packet_type::SENDER_REPORT, count) => {
                SenderReport::parse(count, body).map(RtcpPacket::SenderReport)
            }
            (packet_type::RECEIVER_REPORT, count) => {
                ReceiverReport::parse(count, body).map(RtcpPacket::ReceiverReport)
            }
            (packet_type::SDES, count) => Sdes::parse(count, body).map(RtcpPacket::Sdes),
            (packet_type::BYE, count) => Bye::parse(count, body).map(RtcpPacket::Bye),
            (packet_type::TRANSPORT_LAYER_FEEDBACK, format::NACK) => Nack::parse(body).map(RtcpPacket::Nack),
            (packet_type::TRANSPORT_LAYER_FEEDBACK, format::TRANSPORT_FEEDBACK) => {
                return TransportFeedback::parse(body).map(RtcpPacket::TransportFeedback);
            }
            (packet_type::PAYLOAD_SPECIFIC_FEEDBACK, format::PLI) => Pli::parse(body).map(RtcpPacket::Pli),
            (packet_type::PAYLOAD_SPECIFIC_FEEDBACK, format::FIR) => Fir::parse(body).map(RtcpPacket::Fir),
            (packet_type, format) => Some(RtcpPacket::Unknown { packet_type, format }),
        };
        packet.ok_or(RtcpError::Malformed)
    }

    /// The last byte of padding counts it, itself included (RFC 3550 section 6.4.1).
    fn body_without_padding(&self) -> Result<&'a [u8], RtcpError> {
        if !self.has_padding {
            return Ok(self.body);
        }
        let padding = usize::from(*self.body.last().ok_or(RtcpError::PaddingInvalid)?);
        match self.body.len().checked_sub(padding) {
            Some(len) if padding != 0 => Ok(&self.body[..len]),
            _ => Err(RtcpError::PaddingInvalid),
        }
    }
}
