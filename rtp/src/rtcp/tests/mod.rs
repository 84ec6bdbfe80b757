//! RTCP: bytes by hand after the RFCs, hostile datagrams, and there and back.

mod compound;
mod packets;
mod transport_feedback;

use super::{RtcpPacket, packets};
use crate::error::RtcpError;

/// The only packet of a datagram.
fn only(datagram: &[u8]) -> Result<RtcpPacket<'_>, RtcpError> {
    let mut packets = packets(datagram);
    let packet = packets.next().unwrap();
    assert!(packets.next().is_none(), "more than one packet");
    packet
}

/// Takes everything out of a packet, so that a test meets whatever could panic.
/// Returns how many items there were.
fn exhaust(packet: &RtcpPacket<'_>) -> usize {
    match packet {
        RtcpPacket::SenderReport(report) => report.blocks().count(),
        RtcpPacket::ReceiverReport(report) => report.blocks().count(),
        RtcpPacket::Sdes(sdes) => sdes.chunks().count(),
        RtcpPacket::Bye(bye) => bye.ssrcs().count(),
        RtcpPacket::Nack(nack) => nack.sequence_numbers().count(),
        RtcpPacket::Fir(fir) => fir.entries().count(),
        RtcpPacket::TransportFeedback(feedback) => feedback.packets().count(),
        RtcpPacket::Pli(_) | RtcpPacket::Unknown { .. } => 0,
    }
}
