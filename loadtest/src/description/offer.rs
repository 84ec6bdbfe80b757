//! Reads the server's offer, as far as a member needs it.

use std::net::{IpAddr, SocketAddr};

use protocol::ids::Mid;
use protocol::media::Media;

use crate::error::MemberError;
use crate::limits::{ATTRIBUTES_MAX, CANDIDATES_MAX, SECTIONS_MAX};

/// What the server offers.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// `a=ice-ufrag`
    pub ufrag: String,
    /// `a=ice-pwd`
    pub pwd: String,
    /// `a=fingerprint:sha-256`
    pub fingerprint: [u8; 32],
    /// Where the server takes media over UDP.
    pub candidates: Vec<SocketAddr>,
    /// The m-lines.
    pub lines: Vec<OfferedLine>,
}

/// Which way media flows, seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    ReceiveOnly,
    /// From the server.
    SendOnly,
    /// Not at all.
    Inactive,
}

/// One m-line of an offer.
#[derive(Debug, Clone)]
pub struct OfferedLine {
    /// Its name.
    pub mid: Mid,
    /// Its medium.
    pub media: Media,
    /// Which way media flows.
    pub direction: Direction,
    /// The payload types.
    pub payload_types: Vec<u8>,
    /// Every `rtpmap`, `fmtp` and `rtcp-fb` line, with its payload type.
    pub of_payload_types: Vec<(u8, String)>,
    /// `a=extmap`: id and URI.
    pub extensions: Vec<(u8, String)>,
    /// The SSRC under which the server sends.
    pub ssrc: Option<u32>,
    /// The SSRC under which the server sends again.
    pub retransmission_ssrc: Option<u32>,
}

type Parsed<T> = Result<T, MemberError>;

impl Offer {
    /// Reads an offer. Lines that a member does not need are passed over.
    pub fn parse(text: &str) -> Parsed<Self> {
        let mut offer = Self::default();
        for line in text.lines() {
            match line.split_once('=') {
                Some(("m", value)) => {
                    if offer.lines.len() == SECTIONS_MAX {
                        return Err(MemberError::Offer("too many m-lines"));
                    }
                    offer.lines.push(OfferedLine::new(value)?);
                }
                Some(("a", value)) => offer.attribute(value)?,
                _ => {}
            }
        }
        if offer.ufrag.is_empty() || offer.pwd.is_empty() || offer.fingerprint == [0; 32] {
            return Err(MemberError::Offer("no credentials or no fingerprint"));
        }
        Ok(offer)
    }

    fn attribute(&mut self, text: &str) -> Parsed<()> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "ice-ufrag" => value.clone_into(&mut self.ufrag),
            "ice-pwd" => value.clone_into(&mut self.pwd),
            "fingerprint" => {
                if let Some(bytes) = value.strip_prefix("sha-256 ") {
                    self.fingerprint = fingerprint(bytes)?;
                }
            }
            "candidate" if self.candidates.len() < CANDIDATES_MAX => self.candidates.extend(candidate(value)),
            _ => {
                if let Some(line) = self.lines.last_mut() {
                    line.attribute(name, text, value)?;
                }
            }
        }
        Ok(())
    }
}

impl OfferedLine {
    fn new(value: &str) -> Parsed<Self> {
        let mut words = value.split(' ');
        let media = match words.next() {
            Some("audio") => Media::Audio,
            Some("video") => Media::Video,
            _ => return Err(MemberError::Offer("another medium than audio and video")),
        };
        // Port and profile stand between.
        let payload_types: Vec<u8> = words.skip(2).filter_map(|word| word.parse().ok()).collect();
        if payload_types.len() > ATTRIBUTES_MAX {
            return Err(MemberError::Offer("too many payload types"));
        }
        Ok(Self {
            mid: Mid::new("-").map_err(|_| MemberError::Offer("no mid"))?,
            media,
            direction: Direction::Inactive,
            payload_types,
            of_payload_types: Vec::new(),
            extensions: Vec::new(),
            ssrc: None,
            retransmission_ssrc: None,
        })
    }

    fn attribute(&mut self, name: &str, text: &str, value: &str) -> Parsed<()> {
        match name {
            "mid" => self.mid = Mid::new(value).map_err(|_| MemberError::Offer("malformed mid"))?,
            "recvonly" => self.direction = Direction::ReceiveOnly,
            "sendonly" => self.direction = Direction::SendOnly,
            "rtpmap" | "fmtp" | "rtcp-fb" => {
                let payload_type = value.split(' ').next().and_then(|word| word.parse().ok());
                let payload_type = payload_type.ok_or(MemberError::Offer("malformed payload type"))?;
                push(&mut self.of_payload_types, (payload_type, text.to_owned()))?;
            }
            "extmap" => {
                let (id, uri) = value
                    .split_once(' ')
                    .ok_or(MemberError::Offer("malformed extmap"))?;
                let id = id.parse().map_err(|_| MemberError::Offer("malformed extmap"))?;
                push(&mut self.extensions, (id, uri.to_owned()))?;
            }
            "ssrc" if self.ssrc.is_none() => {
                self.ssrc = value.split(' ').next().and_then(|word| word.parse().ok());
            }
            "ssrc-group" => {
                let mut words = value.split(' ');
                if words.next() == Some("FID") {
                    self.ssrc = words.next().and_then(|word| word.parse().ok());
                    self.retransmission_ssrc = words.next().and_then(|word| word.parse().ok());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The payload type of the retransmissions of `payload_type` (RFC 4588 section 8.1), if they are offered.
    pub fn retransmission_of(&self, payload_type: u8) -> Option<u8> {
        let apt = format!(" apt={payload_type}");
        let line = self
            .of_payload_types
            .iter()
            .find(|(_, line)| line.starts_with("fmtp:") && line.ends_with(&apt));
        line.map(|(retransmission, _)| *retransmission)
    }

    /// Whether missing packets of `payload_type` can be asked for.
    pub fn takes_nack(&self, payload_type: u8) -> bool {
        let wanted = format!("rtcp-fb:{payload_type} nack");
        self.of_payload_types.iter().any(|(_, line)| *line == wanted)
    }
}

fn push<T>(list: &mut Vec<T>, entry: T) -> Parsed<()> {
    if list.len() == ATTRIBUTES_MAX {
        return Err(MemberError::Offer("too many attributes"));
    }
    list.push(entry);
    Ok(())
}

/// Source: RFC 8839 section 5.1; of the host candidates over UDP.
fn candidate(value: &str) -> Option<SocketAddr> {
    let words: Vec<&str> = value.split(' ').collect();
    let [_, "1", transport, _, ip, port, "typ", "host", ..] = words.as_slice() else {
        return None;
    };
    let ip: IpAddr = ip.parse().ok()?;
    transport
        .eq_ignore_ascii_case("udp")
        .then_some(SocketAddr::new(ip, port.parse().ok()?))
}

/// Source: RFC 8122 section 5.
fn fingerprint(text: &str) -> Parsed<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut pairs = text.trim_end().split(':');
    for byte in &mut bytes {
        let pair = pairs.next().filter(|pair| pair.len() == 2);
        *byte = pair
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or(MemberError::Offer("malformed fingerprint"))?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFER: &str = include_str!("../../../signaling/core/fixtures/offer.sdp");

    #[test]
    fn the_servers_offer_is_understood() {
        let offer = Offer::parse(OFFER).unwrap();
        assert!(!offer.candidates.is_empty());
        let publishing = offer
            .lines
            .iter()
            .filter(|line| line.direction == Direction::ReceiveOnly);
        assert_eq!(publishing.count(), 2);
        let slots = offer
            .lines
            .iter()
            .filter(|line| line.direction == Direction::SendOnly);
        let ssrcs: std::collections::BTreeSet<u32> = slots.clone().filter_map(|slot| slot.ssrc).collect();
        assert_eq!(ssrcs.len(), slots.count(), "each slot has an SSRC of its own");
    }

    #[test]
    fn retransmission_and_its_ssrc_are_found() {
        let text = "m=video 9 UDP/TLS/RTP/SAVPF 100 103\r\na=rtcp-fb:100 nack pli\r\na=fmtp:103 apt=100\r\n\
                    a=sendonly\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:u\r\n";
        let whole = format!(
            "a=ice-ufrag:a\r\na=ice-pwd:b\r\na=fingerprint:sha-256 {}\r\n{text}",
            "AB:".repeat(32)
        );
        let line = &Offer::parse(&whole).unwrap().lines[0];
        assert_eq!((line.ssrc, line.retransmission_ssrc), (Some(7), Some(8)));
        assert_eq!(line.retransmission_of(100), Some(103));
        assert!(!line.takes_nack(100), "NACK and PLI are asked for apart");
    }

    #[test]
    fn an_offer_without_end_is_refused() {
        let many = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(SECTIONS_MAX + 1);
        assert!(Offer::parse(&many).is_err());
        let deep = format!(
            "m=audio 9 x 111\r\n{}",
            "a=extmap:1 x\r\n".repeat(ATTRIBUTES_MAX + 1)
        );
        assert!(Offer::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(
            cut in 0..OFFER.len(),
            junk in "[ -~]{0,40}",
            at in 0..OFFER.len(),
        ) {
            let mut text = OFFER[..cut].to_owned();
            text.insert_str(at.min(cut), &junk);
            let _ = Offer::parse(&text);
        }
    }
}
