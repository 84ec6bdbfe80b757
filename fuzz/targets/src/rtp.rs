//! RTP and RTCP: nothing panics, and what is read can be written and read again.

use std::time::Duration;

use ::rtp::{
    Codec, Descriptor, DescriptorRewrite, Extension, ExtensionMap, PictureId, RtcpPacket, RtcpWriter,
    RtpPacket, SealedPayload, Vp8Rewrite, Vp9Rewrite,
    descriptor::DESCRIPTOR_GROWTH_MAX,
    packet::header_len,
    payload::ORIGINAL_SEQUENCE_NUMBER_LEN,
    rtcp::{Arrival, STATUSES_MAX, TICK, TransportFeedback, TransportFeedbackRequest, packets},
    seq::{extend, extend_reference_time},
    write::{HEADER_LEN_MAX, write_header},
};

/// The input is a datagram that SRTP has opened.
pub fn rtp_packet(data: &[u8]) {
    let Ok(packet) = RtpPacket::parse(data, &map(1)) else {
        return;
    };
    assert_eq!(header_len(data), Ok(packet.header_len));
    let payload_end = packet.header_len + packet.payload.len();
    assert_eq!(payload_end + usize::from(packet.padding_len), data.len());
    let payload = &data[packet.header_len..payload_end];
    assert_eq!(copy(&packet.payload, &DescriptorRewrite::Keep), payload);
    // Ids from 1 on are written in the one-byte form, those from 100 on in the two-byte form.
    for map in [map(1), map(100)] {
        let mut header = [0; HEADER_LEN_MAX];
        let len = write_header(&mut header, &packet.header, &packet.extensions, &map)
            .expect("the header fits its bound");
        let datagram = [&header[..len], payload].concat();
        let again = RtpPacket::parse(&datagram, &map).expect("what was written can be read");
        assert_eq!(
            (again.header, again.extensions),
            (packet.header, packet.extensions)
        );
        assert_eq!((again.header_len, again.payload.len()), (len, payload.len()));
    }
}

/// The input is the profile field of an extension block, then the block without its length.
pub fn header_extensions(data: &[u8]) {
    let Some((profile, block)) = data.split_first_chunk::<2>() else {
        return;
    };
    let (block, _) = block.as_chunks::<4>();
    let block = &block[..block.len().min(usize::from(u16::MAX))];
    let mut datagram = vec![0x90, 100, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    datagram.extend(profile);
    datagram.extend((block.len() as u16).to_be_bytes());
    datagram.extend(block.as_flattened());
    assert_eq!(header_len(&datagram), Ok(datagram.len()));
    rtp_packet(&datagram);
}

/// The input is the payload of a retransmission.
pub fn retransmission(data: &[u8]) {
    let Some((number, media)) = SealedPayload::seal(data).retransmitted() else {
        assert!(data.len() <= ORIGINAL_SEQUENCE_NUMBER_LEN);
        return;
    };
    let mut out = vec![0; data.len()];
    let len = media.copy_as_retransmission(number, &DescriptorRewrite::Keep, &mut out);
    assert_eq!((len, out.as_slice()), (Ok(data.len()), data));
    // What a retransmission carries is read like any other payload.
    for codec in [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::Av1] {
        let _ = media.descriptor(codec);
    }
}

/// The input is a datagram that SRTCP has opened.
pub fn rtcp(data: &[u8]) {
    for packet in packets(data).flatten() {
        let mut out = vec![0; data.len() + 64];
        let mut writer = RtcpWriter::new(&mut out);
        let written = match packet {
            RtcpPacket::SenderReport(report) => {
                writer.sender_report(report.ssrc, &report.info, &report.blocks().collect::<Vec<_>>())
            }
            RtcpPacket::ReceiverReport(report) => {
                writer.receiver_report(report.ssrc, &report.blocks().collect::<Vec<_>>())
            }
            RtcpPacket::Bye(bye) => writer.bye(&bye.ssrcs().collect::<Vec<_>>()),
            RtcpPacket::Nack(nack) => writer.nack(
                nack.sender_ssrc,
                nack.media_ssrc,
                &nack.sequence_numbers().collect::<Vec<_>>(),
            ),
            RtcpPacket::Pli(pli) => writer.pli(pli.sender_ssrc, pli.media_ssrc),
            RtcpPacket::Fir(fir) => writer.fir(fir.sender_ssrc, &fir.entries().collect::<Vec<_>>()),
            RtcpPacket::TransportFeedback(feedback) => {
                transport_feedback(&feedback);
                continue;
            }
            RtcpPacket::Sdes(sdes) => {
                assert!(
                    sdes.chunks()
                        .all(|chunk| chunk.cname.is_none_or(|name| name.len() < 256))
                );
                continue;
            }
            RtcpPacket::Unknown { .. } => continue,
        };
        assert_eq!(written, Ok(()));
        let len = writer.len();
        let Some(Ok(again)) = packets(&out[..len]).next() else {
            panic!("unreadable")
        };
        assert_eq!(contents(&again), contents(&packet));
    }
}

/// The input is two bytes of a picture id, a `TL0PICIDX`, a `KEYIDX`, and a payload.
pub fn vp8_descriptor(data: &[u8]) {
    let Some((&[high, low, tl0_picture_index, key_index], payload)) = data.split_first_chunk() else {
        return;
    };
    let sealed = SealedPayload::seal(payload);
    let Ok(Descriptor::Vp8(before)) = sealed.descriptor(Codec::Vp8) else {
        return;
    };
    let rewrite = Vp8Rewrite {
        picture_id: Some(picture_id(high, low)),
        tl0_picture_index: Some(tl0_picture_index),
        key_index: Some(key_index),
    };
    let out = copy(&sealed, &DescriptorRewrite::Vp8(rewrite));
    let rewritten = SealedPayload::seal(&out);
    let Ok(Descriptor::Vp8(after)) = rewritten.descriptor(Codec::Vp8) else {
        panic!("unreadable")
    };
    let mut expected = before;
    expected.picture_id = before.picture_id.and(rewrite.picture_id);
    expected.tl0_picture_index = before.tl0_picture_index.and(rewrite.tl0_picture_index);
    expected.key_index = before.key_index.map(|_| key_index & 0x1F);
    assert_eq!(after, expected);
    let back = Vp8Rewrite {
        picture_id: before.picture_id,
        tl0_picture_index: before.tl0_picture_index,
        key_index: before.key_index,
    };
    assert_eq!(copy(&rewritten, &DescriptorRewrite::Vp8(back)), payload);
}

/// The input is two bytes of a picture id, a `TL0PICIDX`, and a payload.
pub fn vp9_descriptor(data: &[u8]) {
    let Some((&[high, low, tl0_picture_index], payload)) = data.split_first_chunk() else {
        return;
    };
    let sealed = SealedPayload::seal(payload);
    let Ok(Descriptor::Vp9(before)) = sealed.descriptor(Codec::Vp9) else {
        return;
    };
    let rewrite = Vp9Rewrite {
        picture_id: Some(picture_id(high, low)),
        tl0_picture_index: Some(tl0_picture_index),
    };
    let out = copy(&sealed, &DescriptorRewrite::Vp9(rewrite));
    let rewritten = SealedPayload::seal(&out);
    let Ok(Descriptor::Vp9(after)) = rewritten.descriptor(Codec::Vp9) else {
        panic!("unreadable")
    };
    let mut expected = before;
    expected.picture_id = before.picture_id.and(rewrite.picture_id);
    if let Some(layer) = &mut expected.layer {
        layer.tl0_picture_index = layer.tl0_picture_index.and(rewrite.tl0_picture_index);
    }
    assert_eq!(after, expected);
    let back = Vp9Rewrite {
        picture_id: before.picture_id,
        tl0_picture_index: before.layer.and_then(|layer| layer.tl0_picture_index),
    };
    assert_eq!(copy(&rewritten, &DescriptorRewrite::Vp9(back)), payload);
}

/// The input is a payload.
pub fn av1_aggregation(data: &[u8]) {
    let Ok(Descriptor::Av1(descriptor)) = SealedPayload::seal(data).descriptor(Codec::Av1) else {
        return;
    };
    assert!(data.len() > 1);
    assert!(!(descriptor.new_coded_video_sequence && descriptor.continues_previous));
    let byte = u8::from(descriptor.continues_previous) << 7
        | u8::from(descriptor.continues_in_next) << 6
        | descriptor.element_count.unwrap_or(0) << 4
        | u8::from(descriptor.new_coded_video_sequence) << 3;
    assert_eq!(byte, data[0] & 0xF8);
}

/// Every extension, from the id `first` on.
fn map(first: u8) -> ExtensionMap {
    (first..).zip(Extension::ALL).collect()
}

fn picture_id(high: u8, low: u8) -> PictureId {
    let value = u16::from_be_bytes([high, low]);
    if high & 0x80 == 0 {
        PictureId::seven(value)
    } else {
        PictureId::fifteen(value)
    }
}

fn copy(payload: &SealedPayload<'_>, rewrite: &DescriptorRewrite) -> Vec<u8> {
    let mut out = vec![0; payload.len() + DESCRIPTOR_GROWTH_MAX];
    let len = payload
        .copy_to_wire(rewrite, &mut out)
        .expect("the payload fits with its growth");
    out.truncate(len);
    out
}

/// What a packet says, in words that can be compared.
fn contents(packet: &RtcpPacket<'_>) -> String {
    match packet {
        RtcpPacket::SenderReport(report) => {
            format!(
                "{} {:?} {:?}",
                report.ssrc,
                report.info,
                report.blocks().collect::<Vec<_>>()
            )
        }
        RtcpPacket::ReceiverReport(report) => {
            format!("{} {:?}", report.ssrc, report.blocks().collect::<Vec<_>>())
        }
        RtcpPacket::Bye(bye) => format!("{:?}", bye.ssrcs().collect::<Vec<_>>()),
        RtcpPacket::Nack(nack) => {
            let mut missing: Vec<_> = nack.sequence_numbers().collect();
            missing.sort_unstable();
            missing.dedup();
            format!("{} {} {missing:?}", nack.sender_ssrc, nack.media_ssrc)
        }
        RtcpPacket::Fir(fir) => format!("{} {:?}", fir.sender_ssrc, fir.entries().collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}

/// Everything that `feedback` tells is told again by feedbacks of our own.
fn transport_feedback(feedback: &TransportFeedback<'_>) {
    let told = arrivals(feedback, 1 << 20, 1 << 30);
    let Some(first) = told.first() else { return };
    let (mut base, mut rest) = (first.sequence_number, &told[..]);
    let mut reference = (first.time.as_millis() / 64) as u64;
    let mut told_again = Vec::new();
    while !rest.is_empty() {
        let mut out = [0; 1_200];
        let mut writer = RtcpWriter::new(&mut out);
        let request = TransportFeedbackRequest {
            sender_ssrc: feedback.sender_ssrc,
            media_ssrc: feedback.media_ssrc,
            feedback_count: feedback.feedback_count,
            base_sequence_number: base,
            arrivals: rest,
        };
        let written = writer.transport_feedback(&request).expect("one arrival fits");
        let len = writer.len();
        let Some(Ok(RtcpPacket::TransportFeedback(again))) = packets(&out[..len]).next() else {
            panic!("unreadable")
        };
        assert!(written.arrival_count > 0 && again.status_count <= STATUSES_MAX);
        told_again.extend(arrivals(&again, base, reference));
        reference = extend_reference_time(again.reference_time, reference);
        (base, rest) = (written.next_base_sequence_number, &rest[written.arrival_count..]);
    }
    assert_eq!(told_again, told);
}

/// What arrived, as near as can be to an extended number and an extended reference time.
fn arrivals(feedback: &TransportFeedback<'_>, mut number: u64, reference: u64) -> Vec<Arrival> {
    let reference_ticks = extend_reference_time(feedback.reference_time, reference) * 256;
    let mut arrivals = Vec::new();
    for packet in feedback.packets() {
        number = extend(packet.sequence_number, number);
        if let Some(ticks) = packet.arrival_ticks {
            let ticks = reference_ticks
                .checked_add_signed(ticks.into())
                .expect("the reference is far from 0");
            let time = Duration::from_nanos(ticks * TICK.as_nanos() as u64);
            arrivals.push(Arrival {
                sequence_number: number,
                time,
            });
        }
    }
    arrivals
}
