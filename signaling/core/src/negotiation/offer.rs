//! The offer: BUNDLE of the microphone, the camera and the fixed pool of receive slots.

use std::fmt::Write as _;
use std::net::SocketAddr;

use protocol::bytes::DeflatedSdp;
use protocol::ids::Mid;
use protocol::media::{
    AUDIO_SLOTS, CAMERA_RIDS, Codec, Extension, Media, RETRANSMISSION_RTPMAP, SourceKind, VIDEO_SLOTS,
};
use protocol::sfu::{IceCredentials, SfuInfo};
use rand_core::CryptoRng;

/// Characters of our user fragments: 6 bits each, 72 together, so that no two peers ever share one.
const UFRAG_CHARACTERS: usize = 12;

/// Characters of our passwords: 192 bits, above the 128 of RFC 8445 section 5.3.
const PWD_CHARACTERS: usize = 32;

/// What is offered to one participant, and has to be remembered until its answer comes.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The number by which the answer names it.
    pub negotiation: u32,
    /// Our side's ICE credentials.
    pub local_ice: IceCredentials,
    /// The m-lines, in order.
    pub lines: Vec<OfferedLine>,
    session_id: u32,
}

/// One m-line of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferedLine {
    /// Its name.
    pub mid: Mid,
    /// Its medium.
    pub media: Media,
    /// What it is for.
    pub role: Role,
}

/// What an m-line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The page sends this source.
    Publish(SourceKind),
    /// The page receives what is bound here.
    Slot {
        /// The SSRC of everything that we send there for the first time.
        ssrc: u32,
        /// The SSRC of what we send again; audio is sent again under its first one.
        retransmission_ssrc: Option<u32>,
    },
}

impl Role {
    /// A slot whose SSRCs differ from those that are taken, and are taken from now on.
    fn slot(media: Media, taken: &mut Vec<u32>, rng: &mut impl CryptoRng) -> Self {
        let mut draw = || {
            let ssrc = fresh_ssrc(taken, rng);
            taken.push(ssrc);
            ssrc
        };
        Self::Slot {
            ssrc: draw(),
            retransmission_ssrc: (media == Media::Video).then(draw),
        }
    }
}

impl OfferedLine {
    /// The header extensions that this line offers.
    pub const fn extensions(&self) -> &'static [Extension] {
        match (self.role, self.media) {
            (Role::Publish(SourceKind::Camera), _) => &Extension::CAMERA,
            (_, Media::Audio) => &Extension::AUDIO,
            (_, Media::Video) => &Extension::VIDEO,
        }
    }

    /// The simulcast layers that this line offers to receive, smallest first.
    pub const fn rids(&self) -> &'static [&'static str] {
        match self.role {
            Role::Publish(SourceKind::Camera) => &CAMERA_RIDS,
            _ => &[],
        }
    }
}

impl Offer {
    /// Draws credentials and SSRCs for one participant.
    pub fn new(negotiation: u32, rng: &mut impl CryptoRng) -> Self {
        let local_ice = IceCredentials {
            ufrag: ice_text(UFRAG_CHARACTERS, rng),
            pwd: ice_text(PWD_CHARACTERS, rng),
        };
        let mut lines = Vec::with_capacity(2 + AUDIO_SLOTS + VIDEO_SLOTS);
        for kind in [SourceKind::Microphone, SourceKind::Camera] {
            lines.extend(line(kind.mid(), kind.media(), Role::Publish(kind)));
        }
        let mut ssrcs = Vec::with_capacity(AUDIO_SLOTS + 2 * VIDEO_SLOTS);
        for (prefix, media, count) in [('a', Media::Audio, AUDIO_SLOTS), ('v', Media::Video, VIDEO_SLOTS)] {
            for number in 0..count {
                let role = Role::slot(media, &mut ssrcs, rng);
                lines.extend(line(&format!("{prefix}{number}"), media, role));
            }
        }
        // 31 bits: the grammar wants a number that fits into 63 bits, and browsers are content with this.
        Self {
            negotiation,
            local_ice,
            lines,
            session_id: rng.next_u32() >> 1,
        }
    }

    /// The names of the slots, in order.
    pub fn slot_mids(&self) -> impl Iterator<Item = Mid> {
        let slots = self
            .lines
            .iter()
            .filter(|line| matches!(line.role, Role::Slot { .. }));
        slots.map(|line| line.mid)
    }

    /// Writes the offer as SDP.
    pub fn sdp(&self, sfu: &SfuInfo) -> String {
        let mut text = String::with_capacity(16_384);
        self.write(sfu, &mut text).unwrap_or_default();
        text
    }

    /// Writes the offer as SDP, compressed: about a tenth of the text.
    pub fn deflated(&self, sfu: &SfuInfo) -> Option<DeflatedSdp> {
        DeflatedSdp::deflate(&self.sdp(sfu)).ok()
    }

    fn write(&self, sfu: &SfuInfo, out: &mut String) -> std::fmt::Result {
        write!(
            out,
            "v=0\r\no=- {} 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
            self.session_id
        )?;
        out.push_str("a=group:BUNDLE");
        for line in &self.lines {
            write!(out, " {}", line.mid)?;
        }
        out.push_str("\r\na=extmap-allow-mixed\r\na=ice-lite\r\n");
        write!(
            out,
            "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n",
            self.local_ice.ufrag, self.local_ice.pwd
        )?;
        out.push_str("a=fingerprint:sha-256 ");
        for (number, byte) in sfu.fingerprint.iter().enumerate() {
            write!(out, "{}{byte:02X}", if number == 0 { "" } else { ":" })?;
        }
        out.push_str("\r\na=setup:actpass\r\n");
        for (number, line) in self.lines.iter().enumerate() {
            write_line(line, out)?;
            if number == 0 {
                write_candidates(&sfu.candidates, out)?;
            }
        }
        Ok(())
    }
}

fn write_line(line: &OfferedLine, out: &mut String) -> std::fmt::Result {
    let (media, codecs) = match line.media {
        Media::Audio => ("audio", Codec::of(Media::Audio)),
        Media::Video => ("video", Codec::of(Media::Video)),
    };
    write!(out, "m={media} 9 UDP/TLS/RTP/SAVPF")?;
    for codec in codecs {
        write!(out, " {}", codec.payload_type())?;
    }
    for payload_type in codecs
        .iter()
        .filter_map(|codec| codec.retransmission_payload_type())
    {
        write!(out, " {payload_type}")?;
    }
    write!(
        out,
        "\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na=rtcp-mux\r\n",
        line.mid
    )?;
    if line.media == Media::Video {
        out.push_str("a=rtcp-rsize\r\n");
    }
    for extension in line.extensions() {
        write!(out, "a=extmap:{} {}\r\n", extension.id(), extension.uri())?;
    }
    for codec in codecs {
        let payload_type = codec.payload_type();
        write!(out, "a=rtpmap:{payload_type} {}\r\n", codec.rtpmap())?;
        for feedback in codec.feedback() {
            write!(out, "a=rtcp-fb:{payload_type} {feedback}\r\n")?;
        }
        if let Some(parameters) = codec.fmtp() {
            write!(out, "a=fmtp:{payload_type} {parameters}\r\n")?;
        }
    }
    for codec in codecs {
        if let Some(retransmission) = codec.retransmission_payload_type() {
            let payload_type = codec.payload_type();
            write!(
                out,
                "a=rtpmap:{retransmission} {RETRANSMISSION_RTPMAP}\r\na=fmtp:{retransmission} apt={payload_type}\r\n"
            )?;
        }
    }
    match line.role {
        Role::Publish(_) => out.push_str("a=recvonly\r\n"),
        Role::Slot {
            ssrc,
            retransmission_ssrc,
        } => {
            write!(out, "a=sendonly\r\na=msid:- {}\r\n", line.mid)?;
            if let Some(retransmission) = retransmission_ssrc {
                write!(out, "a=ssrc-group:FID {ssrc} {retransmission}\r\n")?;
            }
            for ssrc in [Some(ssrc), retransmission_ssrc].into_iter().flatten() {
                write!(out, "a=ssrc:{ssrc} cname:u\r\n")?;
            }
        }
    }
    for rid in line.rids() {
        write!(out, "a=rid:{rid} recv\r\n")?;
    }
    if !line.rids().is_empty() {
        write!(out, "a=simulcast:recv {}\r\n", line.rids().join(";"))?;
    }
    Ok(())
}

/// Host candidates; the first address gets the highest priority.
///
/// Source: RFC 8839 section 5.1, RFC 8445 section 5.1.2.1 with type preference 126 and component 1.
fn write_candidates(candidates: &[SocketAddr], out: &mut String) -> std::fmt::Result {
    for (preference, candidate) in (0..=u16::MAX).rev().zip(candidates) {
        let number = u16::MAX - preference + 1;
        let priority = (126_u32 << 24) | (u32::from(preference) << 8) | 255;
        let (ip, port) = (candidate.ip(), candidate.port());
        write!(
            out,
            "a=candidate:{number} 1 udp {priority} {ip} {port} typ host\r\n"
        )?;
    }
    out.push_str("a=end-of-candidates\r\n");
    Ok(())
}

fn line(mid: &str, media: Media, role: Role) -> Option<OfferedLine> {
    Some(OfferedLine {
        mid: Mid::new(mid).ok()?,
        media,
        role,
    })
}

fn fresh_ssrc(taken: &[u32], rng: &mut impl CryptoRng) -> u32 {
    loop {
        let ssrc = rng.next_u32();
        if ssrc != 0 && !taken.contains(&ssrc) {
            return ssrc;
        }
    }
}

/// Source: RFC 8839 section 5.4, `ice-char`; 64 of them, so a byte's low 6 bits choose without bias.
fn ice_text(characters: usize, rng: &mut impl CryptoRng) -> String {
    const ICE_CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; characters];
    rng.fill_bytes(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ICE_CHARACTERS[usize::from(byte & 63)]))
        .collect()
}
