//! The offer: BUNDLE of the microphone, the camera and a pool of receive slots that only ever grows.

use std::fmt::Write as _;
use std::ops::Range;

use protocol::bytes::DeflatedSdp;
use protocol::ids::Mid;
use protocol::media::{CAMERA_RIDS, Codec, Extension, Media, RETRANSMISSION_RTPMAP, SourceKind};
use protocol::sfu::{IceCredentials, SfuInfo};
use rand_core::CryptoRng;

use super::candidates;
use super::pool::Pool;

/// Characters of our user fragments: 6 bits each, 72 together, so that no two peers ever share one.
const UFRAG_CHARACTERS: usize = 12;

/// Characters of our passwords: 192 bits, above the 128 of RFC 8445 section 5.3.
const PWD_CHARACTERS: usize = 32;

/// What is offered to one participant for one transport, and has to be remembered as long as that lives.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The number by which the answer names it. It is the version of the session in the SDP as well.
    pub negotiation: u32,
    /// Our side's ICE credentials.
    pub local_ice: IceCredentials,
    /// The m-lines, in order.
    pub lines: Vec<OfferedLine>,
    pool: Pool,
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
        /// Its number among the slots of its medium. Audio and video of the same number are one participant's.
        number: u8,
        /// The SSRC of everything that we send there for the first time.
        ssrc: u32,
        /// The SSRC of what we send again; audio is sent again under its first one.
        retransmission_ssrc: Option<u32>,
    },
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

    /// The SSRCs that we send with on this line.
    fn ssrcs(&self) -> impl Iterator<Item = u32> {
        let ssrcs = match self.role {
            Role::Publish(_) => [None, None],
            Role::Slot {
                ssrc,
                retransmission_ssrc,
                ..
            } => [Some(ssrc), retransmission_ssrc],
        };
        ssrcs.into_iter().flatten()
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
    /// Draws credentials and SSRCs for a new transport of one participant.
    pub fn new(negotiation: u32, pool: Pool, rng: &mut impl CryptoRng) -> Self {
        let local_ice = IceCredentials {
            ufrag: ice_text(UFRAG_CHARACTERS, rng),
            pwd: ice_text(PWD_CHARACTERS, rng),
        };
        let [smallest, ..] = Pool::SIZES;
        let mut offer = Self {
            negotiation,
            local_ice,
            lines: Vec::new(),
            pool: smallest,
            session_id: 0,
        };
        for kind in [SourceKind::Microphone, SourceKind::Camera] {
            offer.push(kind.mid(), kind.media(), Role::Publish(kind));
        }
        offer.push_slots(Media::Audio, 0..smallest.slots(Media::Audio), rng);
        offer.push_slots(Media::Video, 0..smallest.slots(Media::Video), rng);
        // 31 bits: the grammar wants a number that fits into 63 bits, and browsers are content with this.
        offer.session_id = rng.next_u32() >> 1;
        offer.grow(negotiation, pool, rng);
        offer
    }

    /// Makes it the next offer for the same transport: lines of a larger pool stand behind those that are there, and
    /// nothing else changes. A pool that is not larger adds none.
    pub fn grow(&mut self, negotiation: u32, pool: Pool, rng: &mut impl CryptoRng) {
        self.negotiation = negotiation;
        for size in Pool::SIZES {
            if size.others() > self.pool.others() && size.others() <= pool.others() {
                for media in [Media::Audio, Media::Video] {
                    self.push_slots(media, self.pool.slots(media)..size.slots(media), rng);
                }
                self.pool = size;
            }
        }
    }

    /// How many slots it has.
    pub const fn pool(&self) -> Pool {
        self.pool
    }

    fn push_slots(&mut self, media: Media, numbers: Range<u8>, rng: &mut impl CryptoRng) {
        let prefix = match media {
            Media::Audio => 'a',
            Media::Video => 'v',
        };
        for number in numbers {
            let ssrc = self.fresh_ssrc(None, rng);
            let role = Role::Slot {
                number,
                ssrc,
                retransmission_ssrc: (media == Media::Video).then(|| self.fresh_ssrc(Some(ssrc), rng)),
            };
            self.push(&format!("{prefix}{number}"), media, role);
        }
    }

    fn push(&mut self, mid: &str, media: Media, role: Role) {
        // Our own names are short enough and of the right characters.
        if let Ok(mid) = Mid::new(mid) {
            self.lines.push(OfferedLine { mid, media, role });
        }
    }

    /// An SSRC that no line has, and that is not `other`.
    fn fresh_ssrc(&self, other: Option<u32>, rng: &mut impl CryptoRng) -> u32 {
        let is_taken = |ssrc| {
            other == Some(ssrc)
                || self
                    .lines
                    .iter()
                    .any(|line| line.ssrcs().any(|taken| taken == ssrc))
        };
        loop {
            let ssrc = rng.next_u32();
            if ssrc != 0 && !is_taken(ssrc) {
                return ssrc;
            }
        }
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
            "v=0\r\no=- {} {} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
            self.session_id, self.negotiation
        )?;
        out.push_str("a=group:BUNDLE");
        for line in &self.lines {
            write!(out, " {}", line.mid)?;
        }
        out.push_str("\r\na=extmap-allow-mixed\r\na=ice-lite\r\n");
        if !sfu.tcp_candidates.is_empty() {
            out.push_str("a=ice-options:trickle\r\n");
        }
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
                candidates::write(sfu, out)?;
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
            number,
            ssrc,
            retransmission_ssrc,
        } => {
            // Browsers play the tracks of one stream in sync.
            write!(out, "a=sendonly\r\na=msid:s{number} {}\r\n", line.mid)?;
            if let Some(retransmission) = retransmission_ssrc {
                write!(out, "a=ssrc-group:FID {ssrc} {retransmission}\r\n")?;
            }
            for ssrc in line.ssrcs() {
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
