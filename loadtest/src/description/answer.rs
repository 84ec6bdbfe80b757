//! Writes a member's answer.

use std::fmt::Write as _;

use protocol::media::{Codec, Media};

use super::offer::{Direction, Offer, OfferedLine};

/// What a member answers with, apart from the offer.
#[derive(Clone)]
pub struct Answering {
    /// Our ICE user fragment.
    pub ufrag: String,
    /// Our ICE password.
    pub pwd: String,
    /// SHA-256 of our certificate.
    pub fingerprint: [u8; 32],
    /// What we send.
    pub publishing: Vec<Publishing>,
}

/// One m-line on which a member sends.
#[derive(Debug, Clone, Copy)]
pub struct Publishing {
    /// The m-line.
    pub mid: &'static str,
    /// Under which SSRC.
    pub ssrc: u32,
    /// Under which SSRC packets are sent again, where that was offered.
    pub retransmission_ssrc: u32,
}

/// The codec of a medium that a member sends and takes.
pub(crate) const fn codec_of(media: Media) -> Codec {
    match media {
        Media::Audio => Codec::Opus,
        Media::Video => Codec::Vp8,
    }
}

/// The answer to an offer: every line in use, Opus and VP8 alone, with all extensions and all feedback that were
/// offered, in a single layer.
pub fn answer(offer: &Offer, with: &Answering) -> String {
    let mut text = String::with_capacity(8_192);
    write(offer, with, &mut text).expect("a string takes everything");
    text
}

fn write(offer: &Offer, with: &Answering, out: &mut String) -> std::fmt::Result {
    out.push_str("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for line in &offer.lines {
        write!(out, " {}", line.mid)?;
    }
    write!(
        out,
        "\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n",
        with.ufrag, with.pwd
    )?;
    out.push_str("a=fingerprint:sha-256 ");
    for (number, byte) in with.fingerprint.iter().enumerate() {
        write!(out, "{}{byte:02X}", if number == 0 { "" } else { ":" })?;
    }
    out.push_str("\r\na=setup:active\r\n");
    for line in &offer.lines {
        write_line(line, with, out)?;
    }
    Ok(())
}

fn write_line(line: &OfferedLine, with: &Answering, out: &mut String) -> std::fmt::Result {
    let media = match line.media {
        Media::Audio => "audio",
        Media::Video => "video",
    };
    let payload_type = codec_of(line.media).payload_type();
    let retransmission = line.retransmission_of(payload_type);
    let accepted = [Some(payload_type), retransmission];
    write!(out, "m={media} 9 UDP/TLS/RTP/SAVPF")?;
    for payload_type in accepted.into_iter().flatten() {
        write!(out, " {payload_type}")?;
    }
    write!(
        out,
        "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=rtcp-mux\r\n",
        line.mid
    )?;
    for (id, uri) in &line.extensions {
        write!(out, "a=extmap:{id} {uri}\r\n")?;
    }
    for (of, attribute) in &line.of_payload_types {
        if accepted.contains(&Some(*of)) {
            write!(out, "a={attribute}\r\n")?;
        }
    }
    let publishing = with
        .publishing
        .iter()
        .find(|publishing| publishing.mid == line.mid.as_str());
    match (line.direction, publishing) {
        (Direction::SendOnly, _) => out.push_str("a=recvonly\r\n"),
        (Direction::ReceiveOnly, Some(publishing)) => {
            out.push_str("a=sendonly\r\n");
            let mut ssrcs = vec![publishing.ssrc];
            if retransmission.is_some() {
                ssrcs.push(publishing.retransmission_ssrc);
                write!(
                    out,
                    "a=ssrc-group:FID {} {}\r\n",
                    publishing.ssrc, publishing.retransmission_ssrc
                )?;
            }
            for ssrc in ssrcs {
                write!(out, "a=ssrc:{ssrc} cname:member\r\n")?;
            }
        }
        (Direction::ReceiveOnly | Direction::Inactive, _) => out.push_str("a=inactive\r\n"),
    }
    Ok(())
}
