//! Datagrams of several packets, and hostile ones.

use proptest::prelude::*;

use super::{exhaust, packets};
use crate::{
    error::{BufferTooSmall, RtcpError},
    ids::Ssrc,
    rtcp::{PACKETS_MAX, RtcpPacket, RtcpWriter},
    testing::config,
};

#[test]
fn compound_datagram_is_read_packet_by_packet() {
    let mut out = [0; 64];
    let mut writer = RtcpWriter::new(&mut out);
    assert!(writer.is_empty());
    writer.receiver_report(Ssrc(1), &[]).unwrap();
    writer.sdes_cname(Ssrc(1), "u").unwrap();
    writer.pli(Ssrc(1), Ssrc(2)).unwrap();
    let len = writer.len();
    let read: Vec<_> = packets(&out[..len]).map(Result::unwrap).collect();
    assert!(matches!(
        read[..],
        [
            RtcpPacket::ReceiverReport(_),
            RtcpPacket::Sdes(_),
            RtcpPacket::Pli(_)
        ]
    ));
}

#[test]
fn packet_that_does_not_fit_leaves_what_was_written() {
    let mut out = [0; 23];
    let mut writer = RtcpWriter::new(&mut out);
    writer.pli(Ssrc(1), Ssrc(2)).unwrap();
    assert_eq!(writer.pli(Ssrc(1), Ssrc(3)), Err(BufferTooSmall));
    assert_eq!(writer.len(), 12);
    writer.receiver_report(Ssrc(1), &[]).unwrap();
    assert_eq!(writer.len(), 20);
    assert_eq!(packets(&out[..20]).filter(Result::is_ok).count(), 2);
}

#[test]
fn malformed_packet_does_not_hide_the_next() {
    let datagram = [
        &[0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], // NACK without an entry
        &[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2],     // PLI
    ]
    .concat();
    let read: Vec<_> = packets(&datagram).collect();
    assert!(matches!(
        read[..],
        [Err(RtcpError::Malformed), Ok(RtcpPacket::Pli(_))]
    ));
}

#[test]
fn broken_lengths_end_the_walk() {
    for (datagram, error) in [
        (&[][..], RtcpError::Truncated),
        (&[0x81, 206, 0], RtcpError::Truncated),
        (&[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0], RtcpError::Truncated),
        (&[0x41, 206, 0, 0, 0x81, 206, 0, 0], RtcpError::WrongVersion),
    ] {
        let read: Vec<_> = packets(datagram).map(|packet| packet.err()).collect();
        assert_eq!(read, [Some(error)]);
    }
}

#[test]
fn padding_is_taken_off() {
    // A NACK whose padding would be a second entry.
    let datagram = [0xA1, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 7, 0, 0, 0, 0, 0, 4];
    let Some(Ok(RtcpPacket::Nack(nack))) = packets(&datagram).next() else {
        panic!("not a NACK")
    };
    assert!(nack.sequence_numbers().eq([7]));
}

#[test]
fn impossible_padding_is_refused() {
    for count in [0, 9, 255] {
        let datagram = [0xA0, 207, 0, 2, 0, 0, 0, 1, 0, 0, 0, count];
        assert_eq!(
            packets(&datagram).next().unwrap().err(),
            Some(RtcpError::PaddingInvalid)
        );
    }
    assert_eq!(
        packets(&[0xA0, 207, 0, 0]).next().unwrap().err(),
        Some(RtcpError::PaddingInvalid)
    );
}

#[test]
fn datagram_full_of_tiny_packets_is_cut_short() {
    let datagram = [0x80, 207, 0, 0].repeat(PACKETS_MAX + 9);
    let read: Vec<_> = packets(&datagram).collect();
    assert_eq!(read.len(), PACKETS_MAX + 1);
    assert_eq!(read[PACKETS_MAX].as_ref().err(), Some(&RtcpError::TooMany));
    let exactly = [0x80, 207, 0, 0].repeat(PACKETS_MAX);
    assert!(packets(&exactly).all(|packet| packet.is_ok()));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_datagram_is_read_or_refused(datagram: Vec<u8>) {
        read_all(&datagram);
    }

    #[test]
    fn any_body_under_a_good_header_is_read_or_refused(
        count in 0_u8..64,
        packet_type in 199_u8..208,
        words in proptest::collection::vec(any::<[u8; 4]>(), 0..24),
    ) {
        let mut datagram = vec![0x80 | count, packet_type, 0, words.len() as u8];
        datagram.extend(words.as_flattened());
        read_all(&datagram);
    }
}

fn read_all(datagram: &[u8]) {
    let mut count = 0;
    for packet in packets(datagram) {
        count += 1;
        if let Ok(packet) = packet {
            // What a byte can claim is bounded: a NACK's 17 numbers in 4, a feedback's statuses by themselves.
            let claimed = exhaust(&packet);
            assert!(claimed <= datagram.len() * 5 || matches!(packet, RtcpPacket::TransportFeedback(_)));
        }
    }
    assert!((1..=PACKETS_MAX + 1).contains(&count));
}
