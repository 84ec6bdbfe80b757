//! One packet of each kind, read and written.

use std::time::Duration;

use proptest::prelude::*;

use super::only;
use crate::{
    error::{BufferTooSmall, RtcpError},
    ids::Ssrc,
    ntp::{NtpTime, compact_from_duration},
    rtcp::{FirEntry, Pli, ReportBlock, RtcpPacket, RtcpWriter, SdesChunk, SenderInfo},
    testing::config,
};

const BLOCK: ReportBlock = ReportBlock {
    ssrc: Ssrc(0x0102_0304),
    fraction_lost: 64,
    cumulative_lost: -2,
    extended_highest_sequence_number: 0x0001_FFFE,
    jitter: 900,
    last_sender_report: 0xAABB_CCDD,
    delay_since_last_sender_report: 0x0001_0000,
};

#[rustfmt::skip]
const BLOCK_BYTES: [u8; 24] = [
    1, 2, 3, 4, 64, 0xFF, 0xFF, 0xFE, 0, 1, 0xFF, 0xFE,
    0, 0, 3, 0x84, 0xAA, 0xBB, 0xCC, 0xDD, 0, 1, 0, 0,
];

const INFO: SenderInfo = SenderInfo {
    ntp_time: NtpTime(0x1122_3344_5566_7788),
    rtp_timestamp: 90_000,
    packet_count: 7,
    octet_count: 7_000,
};

#[test]
fn sender_report_goes_there_and_back() {
    let golden = [
        &[0x81, 200, 0, 12, 0, 0, 0, 9][..],
        &[
            0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 1, 0x5F, 0x90, 0, 0, 0, 7, 0, 0, 0x1B, 0x58,
        ],
        &BLOCK_BYTES,
    ]
    .concat();
    assert_eq!(
        written(|writer| writer.sender_report(Ssrc(9), &INFO, &[BLOCK])),
        golden
    );
    let Ok(RtcpPacket::SenderReport(report)) = only(&golden) else {
        panic!("not a sender report")
    };
    assert_eq!((report.ssrc, report.info), (Ssrc(9), INFO));
    assert!(report.blocks().eq([BLOCK]));
    assert_eq!(report.info.ntp_time.compact(), 0x3344_5566);
}

#[test]
fn receiver_report_goes_there_and_back() {
    let golden = [&[0x82, 201, 0, 13, 0, 0, 0, 9][..], &BLOCK_BYTES, &BLOCK_BYTES].concat();
    assert_eq!(
        written(|writer| writer.receiver_report(Ssrc(9), &[BLOCK; 2])),
        golden
    );
    let Ok(RtcpPacket::ReceiverReport(report)) = only(&golden) else {
        panic!("not a receiver report")
    };
    assert_eq!(report.ssrc, Ssrc(9));
    assert!(report.blocks().eq([BLOCK; 2]));
}

#[test]
fn report_with_fewer_blocks_than_it_counts_is_refused() {
    let mut datagram = written(|writer| writer.receiver_report(Ssrc(9), &[BLOCK; 2]));
    datagram[0] = 0x83;
    assert_eq!(only(&datagram).err(), Some(RtcpError::Malformed));
}

#[test]
fn what_follows_the_blocks_of_a_report_is_ignored() {
    let mut datagram = written(|writer| writer.receiver_report(Ssrc(9), &[BLOCK; 2]));
    datagram[0] = 0x81;
    let Ok(RtcpPacket::ReceiverReport(report)) = only(&datagram) else {
        panic!("not a receiver report")
    };
    assert!(report.blocks().eq([BLOCK]));
}

#[test]
fn lists_are_cut_at_what_a_packet_can_count() {
    let datagram = written(|writer| writer.receiver_report(Ssrc(9), &[BLOCK; 40]));
    let Ok(RtcpPacket::ReceiverReport(report)) = only(&datagram) else {
        panic!("not a receiver report")
    };
    assert_eq!(report.blocks().count(), 31);
    let datagram = written(|writer| writer.bye(&[Ssrc(1); 40]));
    let Ok(RtcpPacket::Bye(bye)) = only(&datagram) else {
        panic!("not a goodbye")
    };
    assert_eq!(bye.ssrcs().count(), 31);
}

#[test]
fn round_trip_time_is_what_the_answer_did_not_wait() {
    let sent = NtpTime::from_duration(Duration::from_secs(100));
    let block = ReportBlock {
        last_sender_report: sent.compact(),
        delay_since_last_sender_report: compact_from_duration(Duration::from_millis(750)),
        ..BLOCK
    };
    let after = |milliseconds: u64| NtpTime::from_duration(Duration::from_millis(100_000 + milliseconds));
    assert_eq!(
        block.round_trip_time(after(1_000)),
        Some(Duration::from_millis(250))
    );
    assert_eq!(block.round_trip_time(after(500)), None, "less than no time");
    let unanswered = ReportBlock {
        last_sender_report: 0,
        ..block
    };
    assert_eq!(unanswered.round_trip_time(after(1_000)), None);
}

#[test]
fn cumulative_loss_is_clamped_to_its_24_bits() {
    for (loss, expected) in [(i32::MAX, 0x7F_FFFF), (i32::MIN, -0x80_0000), (-1, -1)] {
        let block = ReportBlock {
            cumulative_lost: loss,
            ..BLOCK
        };
        let datagram = written(|writer| writer.receiver_report(Ssrc(9), &[block]));
        let Ok(RtcpPacket::ReceiverReport(report)) = only(&datagram) else {
            panic!("not a receiver report")
        };
        assert_eq!(report.blocks().next().unwrap().cumulative_lost, expected);
    }
}

#[test]
fn sdes_cname_goes_there_and_back() {
    // Even a name that ends on a word is followed by a zero.
    for (name, golden) in [
        ("u", &[0x81, 202, 0, 2, 0, 0, 0, 9, 1, 1, b'u', 0][..]),
        ("un", &[0x81, 202, 0, 3, 0, 0, 0, 9, 1, 2, b'u', b'n', 0, 0, 0, 0]),
    ] {
        assert_eq!(written(|writer| writer.sdes_cname(Ssrc(9), name)), golden);
        let Ok(RtcpPacket::Sdes(sdes)) = only(golden) else {
            panic!("not a source description")
        };
        assert!(sdes.chunks().eq([SdesChunk {
            ssrc: Ssrc(9),
            cname: Some(name.as_bytes())
        }]));
    }
}

#[test]
fn sdes_with_several_chunks_and_items_is_read() {
    #[rustfmt::skip]
    let datagram = [
        0x82, 202, 0, 6,
        0, 0, 0, 1, 2, 1, b'x', 1, 1, b'c', 0, 0, // a NAME before the CNAME
        0, 0, 0, 2, 6, 1, b't', 0, 0, 0, 0, 0, // a TOOL alone; the zeros behind it are nobody's
    ];
    let Ok(RtcpPacket::Sdes(sdes)) = only(&datagram) else {
        panic!("not a source description")
    };
    let expected = [
        SdesChunk {
            ssrc: Ssrc(1),
            cname: Some(b"c"),
        },
        SdesChunk {
            ssrc: Ssrc(2),
            cname: None,
        },
    ];
    assert!(sdes.chunks().eq(expected));
}

#[test]
fn sdes_that_ends_too_early_is_refused() {
    let without_end = [0x81, 202, 0, 2, 0, 0, 0, 9, 1, 2, b'u', b'n'];
    assert_eq!(only(&without_end).err(), Some(RtcpError::Malformed));
    let with_long_item = [0x81, 202, 0, 2, 0, 0, 0, 9, 1, 200, b'u', 0];
    assert_eq!(only(&with_long_item).err(), Some(RtcpError::Malformed));
    let without_second_chunk = [0x82, 202, 0, 2, 0, 0, 0, 9, 1, 1, b'u', 0];
    assert_eq!(only(&without_second_chunk).err(), Some(RtcpError::Malformed));
}

#[test]
fn long_names_are_cut_between_characters() {
    let name = "é".repeat(200);
    let datagram = written(|writer| writer.sdes_cname(Ssrc(9), &name));
    let Ok(RtcpPacket::Sdes(sdes)) = only(&datagram) else {
        panic!("not a source description")
    };
    assert_eq!(
        sdes.chunks().next().unwrap().cname,
        Some("é".repeat(127).as_bytes())
    );
}

#[test]
fn bye_goes_there_and_back() {
    let golden = [0x82, 203, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(written(|writer| writer.bye(&[Ssrc(1), Ssrc(2)])), golden);
    let with_reason = [0x81, 203, 0, 2, 0, 0, 0, 1, 3, b'b', b'y', b'e'];
    for (datagram, expected) in [(&golden, &[Ssrc(1), Ssrc(2)][..]), (&with_reason, &[Ssrc(1)])] {
        let Ok(RtcpPacket::Bye(bye)) = only(datagram) else {
            panic!("not a goodbye")
        };
        assert!(bye.ssrcs().eq(expected.iter().copied()));
    }
}

#[test]
fn pli_goes_there_and_back() {
    let golden = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(written(|writer| writer.pli(Ssrc(1), Ssrc(2))), golden);
    let Ok(RtcpPacket::Pli(pli)) = only(&golden) else {
        panic!("not a picture loss indication")
    };
    assert_eq!(
        pli,
        Pli {
            sender_ssrc: Ssrc(1),
            media_ssrc: Ssrc(2)
        }
    );
}

#[test]
fn fir_goes_there_and_back() {
    let entries = [
        FirEntry {
            ssrc: Ssrc(2),
            sequence_number: 255,
        },
        FirEntry {
            ssrc: Ssrc(3),
            sequence_number: 0,
        },
    ];
    #[rustfmt::skip]
    let golden = [
        0x84, 206, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0,
        0, 0, 0, 2, 255, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0,
    ];
    assert_eq!(written(|writer| writer.fir(Ssrc(1), &entries)), golden);
    let Ok(RtcpPacket::Fir(fir)) = only(&golden) else {
        panic!("not a full intra request")
    };
    assert_eq!(fir.sender_ssrc, Ssrc(1));
    assert!(fir.entries().eq(entries));
    let without_entry = [0x84, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(only(&without_entry).err(), Some(RtcpError::Malformed));
}

#[test]
fn nack_goes_there_and_back() {
    #[rustfmt::skip]
    let golden = [
        0x81, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2,
        0xFF, 0xFE, 0x80, 0x05, // 65,534, 65,535, 1 and 14
        0x00, 0x0F, 0x00, 0x00, // 15
    ];
    let missing = [65_534, 65_535, 1, 14, 15];
    assert_eq!(written(|writer| writer.nack(Ssrc(1), Ssrc(2), &missing)), golden);
    let Ok(RtcpPacket::Nack(nack)) = only(&golden) else {
        panic!("not a negative acknowledgement")
    };
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (Ssrc(1), Ssrc(2)));
    assert!(nack.sequence_numbers().eq(missing));
    assert_eq!(
        only(&[0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]).err(),
        Some(RtcpError::Malformed)
    );
}

#[test]
fn packets_that_mean_nothing_to_us_are_named() {
    let remb = [
        0x8F, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 0, 0, 0, 0,
    ];
    assert!(matches!(
        only(&remb),
        Ok(RtcpPacket::Unknown {
            packet_type: 206,
            format: 15
        })
    ));
    let extended_report = [0x80, 207, 0, 1, 0, 0, 0, 1];
    assert!(matches!(
        only(&extended_report),
        Ok(RtcpPacket::Unknown {
            packet_type: 207,
            format: 0
        })
    ));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_missing_numbers_come_back(first: u16, steps in proptest::collection::vec(1_u16..40, 1..60)) {
        let mut missing = vec![first];
        for step in steps {
            missing.push(missing[missing.len() - 1].wrapping_add(step));
        }
        let datagram = written(|writer| writer.nack(Ssrc(1), Ssrc(2), &missing));
        let Ok(RtcpPacket::Nack(nack)) = only(&datagram) else { panic!("not a negative acknowledgement") };
        prop_assert_eq!(nack.sequence_numbers().collect::<Vec<_>>(), missing);
    }
}

fn written(write: impl FnOnce(&mut RtcpWriter<'_>) -> Result<(), BufferTooSmall>) -> Vec<u8> {
    let mut out = vec![0xEE; 1_200];
    let mut writer = RtcpWriter::new(&mut out);
    write(&mut writer).unwrap();
    let len = writer.len();
    out.truncate(len);
    out
}
