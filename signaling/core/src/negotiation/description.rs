//! Reads the lines of an SDP answer that we need, and checks the form of each, but not what it means for our offer.
//!
//! Lines that we do not need are passed over: candidates (ICE-lite learns them from STUN), feedback other than NACK
//! (Firefox also leaves `a=rtcp-fb` lines for payload types that are not in the m-line), names of streams, bandwidth.

use protocol::ids::{Mid, Rid};
use protocol::limits::SDP_BYTES_MAX;
use protocol::media::Media;

use super::reason::{AnswerError, AnswerReason};
use crate::limits::{SDP_ENTRIES_MAX, SDP_LINE_BYTES_MAX, SDP_LINES_MAX, SDP_SECTIONS_MAX};

/// An answer, line by line.
#[derive(Clone, Default)]
pub struct Description {
    /// What stands above the first m-line and holds for all of them.
    pub session: Shared,
    /// The mids of the BUNDLE group.
    pub bundle: Vec<Mid>,
    /// The m-lines.
    pub sections: Vec<Section>,
}

/// What may stand above the m-lines or in each of them.
#[derive(Clone, Default)]
pub struct Shared {
    /// `a=ice-ufrag`
    pub ufrag: Option<String>,
    /// `a=ice-pwd`
    pub pwd: Option<String>,
    /// `a=fingerprint:sha-256`
    pub fingerprint: Option<[u8; 32]>,
    /// `a=setup`
    pub setup: Option<Setup>,
}

/// Who starts DTLS, RFC 8842.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// The page does.
    Active,
    /// We would.
    Passive,
    /// Not decided; no answer may say so.
    Actpass,
}

/// Which way media flows, seen from the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways; what a missing line means.
    #[default]
    SendReceive,
    /// From the page.
    SendOnly,
    /// To the page.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

/// One m-line of an answer.
#[derive(Clone)]
pub struct Section {
    /// The number of its `m=` line in the text, from 1.
    pub line: usize,
    /// Its medium; `None` for one that we never offer.
    pub media: Option<Media>,
    /// Whether its port is 0.
    pub rejected: bool,
    /// Its name.
    pub mid: Option<Mid>,
    /// What may also stand above the m-lines.
    pub shared: Shared,
    /// The payload types, most wanted first.
    pub payload_types: Vec<u8>,
    /// `a=rtpmap`: payload type and what it stands for.
    pub rtpmaps: Vec<(u8, String)>,
    /// `a=fmtp` of retransmissions: payload type and the one that it repairs.
    pub retransmissions: Vec<(u8, u8)>,
    /// `a=rtcp-fb:… nack`: the payload types whose lost packets are asked for.
    pub nacks: Vec<u8>,
    /// `a=extmap`: id and URI.
    pub extensions: Vec<(u8, String)>,
    /// Which way media flows.
    pub direction: Direction,
    /// `a=rtcp-mux`
    pub rtcp_mux: bool,
    /// `a=rid:… send`
    pub rids: Vec<Rid>,
    /// `a=simulcast:send …`, the first alternative of each stream; paused ones count.
    pub simulcast: Vec<Rid>,
    /// `a=ssrc`, each once.
    pub ssrcs: Vec<u32>,
    /// `a=ssrc-group:FID`: an SSRC and that of its retransmissions.
    pub ssrc_pairs: Vec<(u32, u32)>,
}

type Parsed<T> = Result<T, (AnswerReason, &'static str)>;

impl Description {
    /// Reads an answer.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        if text.len() > SDP_BYTES_MAX {
            return Err(AnswerError::new(AnswerReason::TooLarge, "too many bytes"));
        }
        let mut description = Self::default();
        for (number, line) in (1..).zip(text.split_terminator('\n')) {
            if number > SDP_LINES_MAX {
                return Err(AnswerError::new(AnswerReason::TooLarge, "too many lines"));
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            description
                .read(number, line)
                .map_err(|(reason, detail)| AnswerError::at(reason, detail, number))?;
        }
        if text.is_empty() {
            return Err(AnswerError::new(AnswerReason::NotSdp, "no lines"));
        }
        Ok(description)
    }

    fn read(&mut self, number: usize, line: &str) -> Parsed<()> {
        if number == 1 {
            return if line == "v=0" {
                Ok(())
            } else {
                Err((AnswerReason::NotSdp, "does not begin with v=0"))
            };
        }
        if line.len() > SDP_LINE_BYTES_MAX {
            return Err((AnswerReason::TooLarge, "line too long"));
        }
        if line.chars().any(char::is_control) {
            return Err((AnswerReason::BadLine, "control character"));
        }
        let Some((kind, value)) = line.split_once('=').filter(|(kind, _)| kind.len() == 1) else {
            return Err((AnswerReason::BadLine, "not of the form x=..."));
        };
        match kind {
            "m" => {
                if self.sections.len() == SDP_SECTIONS_MAX {
                    return Err((AnswerReason::TooLarge, "too many m-lines"));
                }
                self.sections.push(Section::new(number, value)?);
                Ok(())
            }
            "a" => self.attribute(value),
            _ => Ok(()),
        }
    }

    fn attribute(&mut self, text: &str) -> Parsed<()> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let shared = match self.sections.last_mut() {
            Some(section) => &mut section.shared,
            None => &mut self.session,
        };
        if shared.attribute(name, value)? {
            return Ok(());
        }
        match self.sections.last_mut() {
            Some(section) => section.attribute(name, value),
            None if name == "group" => self.group(value),
            None => Ok(()),
        }
    }

    fn group(&mut self, value: &str) -> Parsed<()> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        if words.next() != Some("BUNDLE") {
            return Ok(());
        }
        if !self.bundle.is_empty() {
            return Err((AnswerReason::NotBundled, "more than one BUNDLE group"));
        }
        for word in words {
            let mid = Mid::new(word).map_err(|_| (AnswerReason::BadLine, "malformed mid"))?;
            if self.bundle.len() >= SDP_SECTIONS_MAX {
                return Err((AnswerReason::TooLarge, "too many mids"));
            }
            self.bundle.push(mid);
        }
        Ok(())
    }
}

impl Shared {
    /// Takes the attribute if it is one of these, and says whether it was.
    fn attribute(&mut self, name: &str, value: &str) -> Parsed<bool> {
        match name {
            "ice-ufrag" => set_once(&mut self.ufrag, ice_text(value, 4)?, AnswerReason::Ice)?,
            "ice-pwd" => set_once(&mut self.pwd, ice_text(value, 22)?, AnswerReason::Ice)?,
            "fingerprint" => {
                let (hash, bytes) = value
                    .split_once(' ')
                    .ok_or((AnswerReason::Fingerprint, "malformed fingerprint"))?;
                if hash.eq_ignore_ascii_case("sha-256") {
                    set_once(
                        &mut self.fingerprint,
                        fingerprint(bytes)?,
                        AnswerReason::Fingerprint,
                    )?;
                }
            }
            "setup" => {
                let setup = match value {
                    "active" => Setup::Active,
                    "passive" => Setup::Passive,
                    "actpass" => Setup::Actpass,
                    _ => return Err((AnswerReason::Setup, "unknown setup")),
                };
                set_once(&mut self.setup, setup, AnswerReason::Setup)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Section {
    fn new(line: usize, value: &str) -> Parsed<Self> {
        const MALFORMED: (AnswerReason, &str) = (AnswerReason::BadLine, "malformed m-line");
        let mut words = value.split(' ');
        let media = match words.next() {
            Some("audio") => Some(Media::Audio),
            Some("video") => Some(Media::Video),
            _ => None,
        };
        let port: u16 = words.next().and_then(|word| word.parse().ok()).ok_or(MALFORMED)?;
        if words.next() != Some("UDP/TLS/RTP/SAVPF") {
            return Err((AnswerReason::OtherLines, "another profile than UDP/TLS/RTP/SAVPF"));
        }
        let mut payload_types = Vec::new();
        for word in words {
            let payload_type = word
                .parse()
                .ok()
                .filter(|number| *number < 128)
                .ok_or(MALFORMED)?;
            if payload_types.contains(&payload_type) {
                return Err((AnswerReason::PayloadType, "payload type named twice"));
            }
            push(&mut payload_types, payload_type)?;
        }
        Ok(Self {
            line,
            media,
            rejected: port == 0,
            mid: None,
            shared: Shared::default(),
            payload_types,
            rtpmaps: Vec::new(),
            retransmissions: Vec::new(),
            nacks: Vec::new(),
            extensions: Vec::new(),
            direction: Direction::default(),
            rtcp_mux: false,
            rids: Vec::new(),
            simulcast: Vec::new(),
            ssrcs: Vec::new(),
            ssrc_pairs: Vec::new(),
        })
    }

    fn attribute(&mut self, name: &str, value: &str) -> Parsed<()> {
        match name {
            "mid" => {
                let mid = Mid::new(value).map_err(|_| (AnswerReason::BadLine, "malformed mid"))?;
                set_once(&mut self.mid, mid, AnswerReason::BadLine)
            }
            "rtcp-mux" => {
                self.rtcp_mux = true;
                Ok(())
            }
            "sendrecv" => self.set_direction(Direction::SendReceive),
            "sendonly" => self.set_direction(Direction::SendOnly),
            "recvonly" => self.set_direction(Direction::ReceiveOnly),
            "inactive" => self.set_direction(Direction::Inactive),
            "rtpmap" => {
                let (payload_type, meaning) = numbered(value, AnswerReason::PayloadType)?;
                push(&mut self.rtpmaps, (payload_type, meaning.to_owned()))
            }
            "fmtp" => self.format_parameters(value),
            "rtcp-fb" => self.feedback(value),
            "extmap" => {
                let (id, uri) = extension(value)?;
                if self.extensions.iter().any(|(taken, _)| *taken == id) {
                    return Err((AnswerReason::Extension, "extension id named twice"));
                }
                push(&mut self.extensions, (id, uri.to_owned()))
            }
            "rid" => self.rid(value),
            "simulcast" => self.simulcast(value),
            "ssrc-group" => self.ssrc_group(value),
            "ssrc" => {
                let ssrc = ssrc(value.split(' ').next().unwrap_or_default())?;
                if self.ssrcs.contains(&ssrc) {
                    Ok(())
                } else {
                    push(&mut self.ssrcs, ssrc)
                }
            }
            _ => Ok(()),
        }
    }

    /// Keeps `apt`, by which RFC 4588 section 8.1 names the repaired payload type; the rest is the codec's affair.
    fn format_parameters(&mut self, value: &str) -> Parsed<()> {
        let Ok((payload_type, parameters)) = numbered(value, AnswerReason::PayloadType) else {
            return Ok(());
        };
        let repaired = parameters
            .split(';')
            .find_map(|it| it.trim().strip_prefix("apt="));
        let Some(repaired) = repaired else {
            return Ok(());
        };
        let repaired = repaired
            .parse()
            .map_err(|_| (AnswerReason::PayloadType, "malformed apt"))?;
        push(&mut self.retransmissions, (payload_type, repaired))
    }

    /// Keeps NACK without parameter. Source: RFC 4585 section 4.2; `*` stands for every payload type.
    fn feedback(&mut self, value: &str) -> Parsed<()> {
        let Some(payload_type) = value.strip_suffix(" nack") else {
            return Ok(());
        };
        if payload_type == "*" {
            self.nacks.clone_from(&self.payload_types);
            return Ok(());
        }
        match payload_type.parse() {
            Ok(payload_type) if !self.nacks.contains(&payload_type) => push(&mut self.nacks, payload_type),
            _ => Ok(()),
        }
    }

    /// Keeps the pairs of RFC 4588 section 8.1, `FID <stream> <retransmission>` (RFC 5576 section 4.2).
    fn ssrc_group(&mut self, value: &str) -> Parsed<()> {
        let mut words = value.split(' ');
        if words.next() != Some("FID") {
            return Ok(());
        }
        match (words.next(), words.next(), words.next()) {
            (Some(stream), Some(retransmission), None) => {
                push(&mut self.ssrc_pairs, (ssrc(stream)?, ssrc(retransmission)?))
            }
            _ => Err((AnswerReason::Ssrc, "malformed ssrc-group")),
        }
    }

    fn set_direction(&mut self, direction: Direction) -> Parsed<()> {
        self.direction = direction;
        Ok(())
    }

    /// Source: RFC 8851 section 10, `a=rid:<id> send …`.
    fn rid(&mut self, value: &str) -> Parsed<()> {
        let mut words = value.split(' ');
        let rid = rid(words.next().unwrap_or_default())?;
        if words.next() != Some("send") {
            return Err((AnswerReason::Rid, "a layer that the page does not send"));
        }
        if self.rids.contains(&rid) {
            return Err((AnswerReason::Rid, "layer named twice"));
        }
        push(&mut self.rids, rid)
    }

    /// Source: RFC 8853 section 5.1: streams apart by `;`, alternatives of one stream by `,`, `~` before a paused one.
    fn simulcast(&mut self, value: &str) -> Parsed<()> {
        let Some(list) = value.strip_prefix("send ") else {
            return Err((AnswerReason::Rid, "simulcast that the page does not send"));
        };
        if !self.simulcast.is_empty() {
            return Err((AnswerReason::Rid, "simulcast said twice"));
        }
        for stream in list.trim_end().split(';') {
            let first = stream.split(',').next().unwrap_or_default();
            let rid = rid(first.strip_prefix('~').unwrap_or(first))?;
            push(&mut self.simulcast, rid)?;
        }
        Ok(())
    }
}

fn push<T>(list: &mut Vec<T>, entry: T) -> Parsed<()> {
    if list.len() >= SDP_ENTRIES_MAX {
        return Err((AnswerReason::TooLarge, "too many entries"));
    }
    list.push(entry);
    Ok(())
}

/// Sets a value; the same value again is harmless, another one is not.
fn set_once<T: PartialEq>(place: &mut Option<T>, value: T, reason: AnswerReason) -> Parsed<()> {
    if place.as_ref().is_some_and(|earlier| *earlier != value) {
        return Err((reason, "said twice, and differently"));
    }
    *place = Some(value);
    Ok(())
}

/// Source: RFC 8839 section 5.4: `min` to 256 characters, letters, digits, `+` and `/`.
fn ice_text(value: &str, min: usize) -> Parsed<String> {
    let valid = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    if !valid || value.len() < min || value.len() > 256 {
        return Err((AnswerReason::Ice, "malformed ICE credentials"));
    }
    Ok(value.to_owned())
}

/// Source: RFC 8122 section 5: 32 pairs of hexadecimal digits, apart by colons.
fn fingerprint(text: &str) -> Parsed<[u8; 32]> {
    const MALFORMED: (AnswerReason, &str) = (AnswerReason::Fingerprint, "malformed fingerprint");
    let mut bytes = [0; 32];
    let mut pairs = text.trim_end().split(':');
    for byte in &mut bytes {
        let pair = pairs.next().ok_or(MALFORMED)?;
        if pair.len() != 2 || !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(MALFORMED);
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| MALFORMED)?;
    }
    if pairs.next().is_some() {
        Err(MALFORMED)
    } else {
        Ok(bytes)
    }
}

/// A payload type and what follows it.
fn numbered(value: &str, reason: AnswerReason) -> Parsed<(u8, &str)> {
    value
        .split_once(' ')
        .and_then(|(number, rest)| Some((number.parse().ok()?, rest)))
        .ok_or((reason, "malformed rtpmap"))
}

/// Source: RFC 8285 section 7: `<id>["/"<direction>] <URI> [<attributes>]`.
fn extension(value: &str) -> Parsed<(u8, &str)> {
    let mut words = value.split(' ');
    let id = words
        .next()
        .and_then(|word| word.split('/').next())
        .and_then(|word| word.parse().ok());
    match (id, words.next()) {
        (Some(id), Some(uri)) => Ok((id, uri)),
        _ => Err((AnswerReason::Extension, "malformed extmap")),
    }
}

fn ssrc(text: &str) -> Parsed<u32> {
    text.parse().map_err(|_| (AnswerReason::Ssrc, "malformed SSRC"))
}

fn rid(text: &str) -> Parsed<Rid> {
    Rid::new(text).map_err(|_| (AnswerReason::Rid, "malformed layer"))
}
