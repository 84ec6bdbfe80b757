//! Transport-wide feedback: bytes by hand after the draft, and there and back.

use std::time::Duration;

use proptest::prelude::*;

use super::only;
use crate::{
    error::{BufferTooSmall, RtcpError},
    ids::Ssrc,
    rtcp::{
        Arrival, RtcpPacket, RtcpWriter, STATUSES_MAX, TICK, TransportFeedback, TransportFeedbackRequest,
        TransportFeedbackWritten,
    },
    seq::{extend, extend_reference_time},
    testing::config,
};

/// A reference time of 3 units.
const REFERENCE: Duration = Duration::from_millis(192);

#[test]
fn every_kind_of_chunk_is_read() {
    #[rustfmt::skip]
    let datagram = [
        0x8F, 205, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2,
        0xFF, 0xFE, 0, 26, // base 65,534, 26 packets
        0x00, 0x00, 0x03, 0x07, // reference time 3, feedback 7
        0x20, 0x03, // run: 3 small
        0x00, 0x02, // run: 2 missing
        0b1010_0000, 0b0000_0001, // vector: small, 12 missing, small
        0b1101_0010, 0b0000_0000, // wide vector: small, missing, large, 4 missing
        4, 0, 8, // the run
        255, 1, // the vector
        2, 0xFF, 0xFC, // the wide vector: 2, -4
        0, 0, 0, 0, // padding
    ];
    let feedback = parse(&datagram).unwrap();
    assert_eq!((feedback.sender_ssrc, feedback.media_ssrc), (Ssrc(1), Ssrc(2)));
    assert_eq!(
        (feedback.base_sequence_number, feedback.status_count),
        (65_534, 26)
    );
    assert_eq!((feedback.reference_time, feedback.feedback_count), (3, 7));
    let received: Vec<_> = feedback
        .packets()
        .filter_map(|packet| Some((packet.sequence_number, packet.arrival_ticks?)))
        .collect();
    let expected = [
        (65_534, 4),
        (65_535, 4),
        (0, 12),
        (3, 267),
        (16, 268),
        (17, 270),
        (19, 266),
    ];
    assert_eq!(received, expected);
    assert_eq!(feedback.packets().count(), 26);
}

#[test]
fn feedback_that_does_not_add_up_is_refused() {
    let header = [0, 0, 0, 1, 0, 0, 0, 2];
    let refused = |rest: &[u8]| {
        let words = (header.len() + rest.len()) / 4;
        parse(&[&[0x8F, 205, 0, words as u8], &header[..], rest].concat()).err()
    };
    let malformed = Some(RtcpError::Malformed);
    assert_eq!(refused(&[]), malformed, "no base");
    assert_eq!(refused(&[0, 1, 0, 0, 0, 0, 3, 7]), malformed, "no packets");
    assert_eq!(refused(&[0, 1, 0, 1, 0, 0, 3, 7]), malformed, "no chunk");
    assert_eq!(
        refused(&[0, 1, 0, 9, 0, 0, 3, 7, 0, 4, 0, 4]),
        malformed,
        "chunks for 8 of 9"
    );
    assert_eq!(
        refused(&[0, 1, 0, 3, 0, 0, 3, 7, 0x20, 3, 1, 1]),
        malformed,
        "deltas for 2 of 3"
    );
    assert_eq!(
        refused(&[0, 1, 0, 1, 0, 0, 3, 7, 0x60, 1, 1, 1]),
        malformed,
        "a reserved symbol"
    );
    assert_eq!(
        refused(&[0, 1, 0, 1, 0, 0, 3, 7, 0, 0, 0, 0]),
        malformed,
        "runs of nothing"
    );
    assert_eq!(
        refused(&[0, 1, 0x20, 1, 0, 0, 3, 7, 0x1F, 0xFF, 0, 2]),
        Some(RtcpError::TooMany)
    );
    assert_eq!(
        refused(&[0, 1, 0x20, 0, 0, 0, 3, 7, 0x1F, 0xFF, 0, 1]),
        None,
        "the most"
    );
}

#[test]
fn a_few_arrivals_are_written_as_a_vector() {
    let arrivals = at(&[(10, 0), (11, 4), (13, 3), (14, 300)]);
    let (datagram, written) = write(10, &arrivals, 64);
    #[rustfmt::skip]
    let golden = [
        0x8F, 205, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2,
        0, 10, 0, 5, 0, 0, 3, 9,
        0b1101_0100, 0b1010_0000, // small, small, missing, large, large
        0, 4, // small deltas
        0xFF, 0xFF, // large: -1
        0x01, 0x29, // large: 297
    ];
    assert_eq!(datagram, golden);
    assert_eq!(
        written,
        TransportFeedbackWritten {
            arrival_count: 4,
            next_base_sequence_number: 15
        }
    );
}

#[test]
fn runs_and_one_bit_vectors_are_preferred_where_they_say_more() {
    // 20 in a row, then every second one of 14.
    let numbers = (0..20).chain((20..34).step_by(2));
    let arrivals: Vec<_> = numbers.map(|number| (number, 0)).collect();
    let (datagram, _) = write(0, &at(&arrivals), 64);
    #[rustfmt::skip]
    let chunks = [
        0x20, 21, // run of 21, the first of the second part among them
        0b1001_0101, 0b0101_0100, // vector: missing, small, …
    ];
    assert_eq!(datagram[20..24], chunks);
    assert_eq!(told(&[datagram]).len(), 27);
}

#[test]
fn longest_run_is_followed_by_another_chunk() {
    let arrivals: Vec<_> = (0..u64::from(STATUSES_MAX)).map(|number| (number, 0)).collect();
    let (datagram, written) = write(0, &at(&arrivals), 10_000);
    assert_eq!(datagram[20..24], [0x3F, 0xFF, 0x20, 1]);
    assert_eq!(written.arrival_count, arrivals.len());
    assert_eq!(told(&[datagram]).len(), arrivals.len());
}

#[test]
fn packets_before_the_first_arrival_are_told_as_missing() {
    let (datagram, written) = write(7, &at(&[(10, 0)]), 64);
    let feedback = parse(&datagram).unwrap();
    assert_eq!((feedback.base_sequence_number, feedback.status_count), (7, 4));
    assert_eq!(written.next_base_sequence_number, 11);
}

#[test]
fn a_gap_too_long_to_tell_is_not_told() {
    let gap = u64::from(STATUSES_MAX);
    let (datagram, _) = write(5, &at(&[(5 + gap, 0)]), 64);
    assert_eq!(parse(&datagram).unwrap().status_count, 1);
    let (datagram, _) = write(5, &at(&[(4 + gap, 0)]), 64);
    assert_eq!(parse(&datagram).unwrap().status_count, STATUSES_MAX);
    let (_, written) = write(5, &at(&[(5, 0), (5 + gap, 0)]), 64);
    assert_eq!(
        written,
        TransportFeedbackWritten {
            arrival_count: 1,
            next_base_sequence_number: 6
        }
    );
}

#[test]
fn arrivals_that_do_not_rise_are_passed_over() {
    let (datagram, written) = write(10, &at(&[(8, 0), (9, 0), (10, 0), (10, 1), (9, 2), (11, 3)]), 64);
    assert_eq!(
        written,
        TransportFeedbackWritten {
            arrival_count: 6,
            next_base_sequence_number: 12
        }
    );
    assert_eq!(parse(&datagram).unwrap().status_count, 2);
    let (datagram, written) = write(10, &at(&[(8, 0), (9, 0)]), 64);
    assert_eq!(
        written,
        TransportFeedbackWritten {
            arrival_count: 2,
            next_base_sequence_number: 10
        }
    );
    assert!(datagram.is_empty());
}

#[test]
fn arrivals_more_than_eight_seconds_apart_need_another_packet() {
    let most = i32::from(i16::MAX);
    for (ticks, arrival_count) in [(most, 2), (most + 1, 1)] {
        let (_, written) = write(1, &at(&[(1, 0), (2, ticks)]), 64);
        assert_eq!(written.arrival_count, arrival_count);
    }
}

#[test]
fn output_too_small_for_one_arrival_is_refused() {
    let arrivals = at(&[(1, 0)]);
    for len in 0..24 {
        let mut out = vec![0; len];
        let mut writer = RtcpWriter::new(&mut out);
        assert_eq!(
            writer.transport_feedback(&request(1, &arrivals)),
            Err(BufferTooSmall),
            "{len} bytes"
        );
        assert_eq!(writer.len(), 0);
    }
    assert_eq!(write(1, &arrivals, 24).0.len(), 24);
}

#[test]
fn reference_time_wraps_after_24_bits() {
    let time = Duration::from_millis(64) * 0x0100_0002;
    let (datagram, _) = write(
        1,
        &[Arrival {
            sequence_number: 1,
            time,
        }],
        64,
    );
    let feedback = parse(&datagram).unwrap();
    assert_eq!(feedback.reference_time, 2);
    assert_eq!(
        extend_reference_time(feedback.reference_time, 0x00FF_FFFF),
        0x0100_0002
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_told_is_what_arrived(
        start in 0_u64..0x4_0000,
        start_microseconds in 0_u64..2_000_000_000_000,
        steps in proptest::collection::vec(steps(), 1..400),
        room in 28_usize..1_200,
    ) {
        let mut arrivals = Vec::new();
        let (mut sequence_number, mut microseconds) = (start, start_microseconds + 60_000_000);
        for (gap, wait) in steps {
            sequence_number += gap;
            microseconds = microseconds.saturating_add_signed(wait);
            arrivals.push(Arrival { sequence_number, time: Duration::from_micros(microseconds) });
        }
        let mut datagrams = Vec::new();
        let (mut base, mut rest) = (start, &arrivals[..]);
        while !rest.is_empty() {
            let (datagram, written) = write(base, rest, room);
            prop_assert!(written.arrival_count > 0);
            prop_assert!(datagram.len() <= room);
            datagrams.push(datagram);
            (base, rest) = (written.next_base_sequence_number, &rest[written.arrival_count..]);
        }
        let expected: Vec<_> = arrivals
            .iter()
            .map(|arrival| (arrival.sequence_number, arrival.time.as_micros() / TICK.as_micros()))
            .collect();
        prop_assert_eq!(told_near(&datagrams, start, start_microseconds / 64_000), expected);
    }
}

/// Mostly the next packet a little later; sometimes a loss, a pause or a swap.
fn steps() -> impl Strategy<Value = (u64, i64)> {
    let gap = prop_oneof![20 => Just(1_u64), 3 => 2_u64..30, 1 => 30_u64..20_000];
    let wait = prop_oneof![
        20 => 0_i64..20_000,
        3 => 20_000_i64..200_000,
        2 => -100_000_i64..0,
        1 => 200_000_i64..20_000_000,
    ];
    (gap, wait)
}

fn at(arrivals: &[(u64, i32)]) -> Vec<Arrival> {
    let time = |ticks: i32| REFERENCE + TICK * ticks.cast_unsigned();
    arrivals
        .iter()
        .map(|&(sequence_number, ticks)| Arrival {
            sequence_number,
            time: time(ticks),
        })
        .collect()
}

fn request(base_sequence_number: u64, arrivals: &[Arrival]) -> TransportFeedbackRequest<'_> {
    TransportFeedbackRequest {
        sender_ssrc: Ssrc(1),
        media_ssrc: Ssrc(2),
        feedback_count: 9,
        base_sequence_number,
        arrivals,
    }
}

fn write(base: u64, arrivals: &[Arrival], room: usize) -> (Vec<u8>, TransportFeedbackWritten) {
    let mut out = vec![0xEE; room];
    let mut writer = RtcpWriter::new(&mut out);
    let written = writer.transport_feedback(&request(base, arrivals)).unwrap();
    let len = writer.len();
    out.truncate(len);
    (out, written)
}

fn parse(datagram: &[u8]) -> Result<TransportFeedback<'_>, RtcpError> {
    match only(datagram)? {
        RtcpPacket::TransportFeedback(feedback) => Ok(feedback),
        other => panic!("not a transport feedback: {other:?}"),
    }
}

/// The packets that arrived according to `datagrams`, with their time in ticks.
fn told(datagrams: &[Vec<u8>]) -> Vec<(u64, u128)> {
    told_near(datagrams, 0, 0)
}

/// The same, of numbers and reference times not far behind these.
fn told_near(datagrams: &[Vec<u8>], mut number: u64, mut reference: u64) -> Vec<(u64, u128)> {
    let mut told = Vec::new();
    for datagram in datagrams {
        let feedback = parse(datagram).unwrap();
        reference = extend_reference_time(feedback.reference_time, reference);
        for packet in feedback.packets() {
            number = extend(packet.sequence_number, number);
            if let Some(ticks) = packet.arrival_ticks {
                told.push((
                    number,
                    (reference * 256).checked_add_signed(ticks.into()).unwrap().into(),
                ));
            }
        }
    }
    told
}
