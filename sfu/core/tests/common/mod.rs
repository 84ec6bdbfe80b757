//! A core with browsers around it, in virtual time: every browser has given SRTP keys and opens what it gets.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use rtp::{
    Codec, Extension, ExtensionMap, Extensions, Mid, PayloadType, Rid, RtcpWriter, RtpHeader, RtpPacket,
    Ssrc, write_header,
};
use sfu_core::{
    Command, Config, Event, Format, Media, MediaProfile, PeerConnection, PeerId, Publication, Repair, Sfu,
    Slot, SourceKind,
};
use transport::{
    Certificate, IceCredentials, Path, Received, SrtpKeys, SrtpProfile, Transport, TransportError,
};

pub(crate) const OPUS: u8 = 111;
pub(crate) const VP8: u8 = 100;
pub(crate) const VP9: u8 = 101;
pub(crate) const VP8_AGAIN: u8 = 103;
pub(crate) const VP9_AGAIN: u8 = 104;
pub(crate) const LAYERS: [&str; 3] = ["l", "m", "h"];

/// The video slots lie behind these.
pub(crate) const AUDIO_SLOTS: u8 = 4;

/// Bytes of the VP8 descriptor that [`Vp8Frame`] writes.
pub(crate) const VP8_DESCRIPTOR_LEN: usize = 6;

const EXTENSIONS: [(u8, Extension); 5] = [
    (1, Extension::Mid),
    (2, Extension::Rid),
    (3, Extension::RepairedRid),
    (4, Extension::AudioLevel),
    (5, Extension::TransportSequence),
];

/// The moment at which virtual time begins.
pub(crate) fn start() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant cannot be made in another way; time never moves on"
    )]
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START
}

/// Our address.
pub(crate) fn server() -> SocketAddr {
    ([10, 0, 0, 1], 8_080).into()
}

/// One certificate for all, because making one takes milliseconds.
pub(crate) fn certificate() -> Arc<Certificate> {
    static CERTIFICATE: LazyLock<Arc<Certificate>> =
        LazyLock::new(|| Arc::new(Certificate::generate().unwrap()));
    CERTIFICATE.clone()
}

/// A core and the time.
pub(crate) struct Lab {
    pub(crate) sfu: Sfu,
    pub(crate) now: Instant,
    pub(crate) browsers: Vec<Browser>,
}

/// One participant's end.
pub(crate) struct Browser {
    pub(crate) id: PeerId,
    pub(crate) address: SocketAddr,
    /// As the server sees it.
    pub(crate) path: Path,
    transport: Transport,
    transport_sequence: u16,
    /// What it received and nobody took yet.
    pub(crate) inbox: Vec<Packet>,
}

/// A decrypted packet that a browser received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    Rtp(Forwarded),
    Rtcp(Vec<u8>),
}

/// A decrypted RTP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forwarded {
    pub(crate) header: RtpHeader,
    pub(crate) transport_sequence: Option<u16>,
    pub(crate) audio_level: Option<rtp::AudioLevel>,
    pub(crate) payload: Vec<u8>,
}

/// What a browser puts into one packet.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) payload_type: u8,
    pub(crate) ssrc: u32,
    pub(crate) sequence_number: u16,
    pub(crate) rtp_timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) mid: Option<&'static str>,
    pub(crate) rid: Option<&'static str>,
    pub(crate) repaired_rid: Option<&'static str>,
    pub(crate) payload: Vec<u8>,
    pub(crate) padding: u8,
}

impl Lab {
    pub(crate) fn new(seed: u64) -> Self {
        let format = |codec, clock_rate_hz, retransmission| Format {
            codec,
            clock_rate_hz,
            retransmission: PayloadType::new(retransmission).filter(|it| it.value() > 0),
        };
        let sfu = Sfu::new(Config {
            certificate: certificate(),
            media_addresses: vec![server()],
            tcp_addresses: vec![server()],
            media: MediaProfile::new([
                (PayloadType::new(OPUS).unwrap(), format(Codec::Opus, 48_000, 0)),
                (
                    PayloadType::new(VP8).unwrap(),
                    format(Codec::Vp8, 90_000, VP8_AGAIN),
                ),
                (
                    PayloadType::new(VP9).unwrap(),
                    format(Codec::Vp9, 90_000, VP9_AGAIN),
                ),
            ]),
            seed,
        });
        Self {
            sfu,
            now: start(),
            browsers: Vec::new(),
        }
    }

    /// Adds a connected browser with this number, and returns its place.
    pub(crate) fn join(&mut self, number: u64) -> usize {
        self.join_with(number, &connection(number))
    }

    /// The same, with another answer.
    pub(crate) fn join_with(&mut self, number: u64, connection: &PeerConnection) -> usize {
        self.join_over(number, connection, Path::udp)
    }

    /// The same, over a TCP connection.
    pub(crate) fn join_over_tcp(&mut self, number: u64) -> usize {
        self.join_over(number, &connection(number), Path::tcp)
    }

    fn join_over(
        &mut self,
        number: u64,
        connection: &PeerConnection,
        path: fn(SocketAddr, SocketAddr) -> Path,
    ) -> usize {
        let address = SocketAddr::from(([10, 0, 1, 1], 1_000 + u16::try_from(number).unwrap()));
        let path = path(server(), address);
        let keys = keys(number);
        let peer = PeerId(number);
        let added = self
            .sfu
            .add_connected_peer(peer, connection, &keys, path, self.now);
        assert!(added);
        self.browsers.push(Browser {
            id: PeerId(number),
            address,
            path,
            transport: Transport::from_srtp_keys(&keys.reversed(), path.reversed()),
            transport_sequence: 65_500,
            inbox: Vec::new(),
        });
        while self.sfu.poll_event().is_some() {}
        self.browsers.len() - 1
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.sfu.handle_command(command, self.now);
        self.deliver();
    }

    /// Feeds a slot of one browser from a source of another.
    pub(crate) fn bind(&mut self, subscriber: usize, slot: &str, source: Option<(usize, SourceKind)>) {
        let source = source.map(|(publisher, kind)| (self.browsers[publisher].id, kind));
        let subscriber = self.browsers[subscriber].id;
        self.command(Command::Bind {
            subscriber,
            slot: Mid::new(slot).unwrap(),
            source,
        });
    }

    /// Lets a browser send one packet.
    pub(crate) fn send(&mut self, browser: usize, outgoing: &Outgoing) {
        let mut datagram = self.browsers[browser].seal(outgoing);
        self.hand_in(self.browsers[browser].address, &mut datagram);
    }

    /// Lets a browser send RTCP.
    pub(crate) fn send_rtcp(&mut self, browser: usize, write: impl FnOnce(&mut RtcpWriter<'_>)) {
        let mut datagram = self.browsers[browser].seal_rtcp(write);
        self.hand_in(self.browsers[browser].address, &mut datagram);
    }

    /// Hands a datagram to the core.
    pub(crate) fn hand_in(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        let browser = self.browsers.iter().find(|browser| browser.address == from);
        let path = browser.map_or(Path::udp(server(), from), |browser| browser.path);
        self.sfu.handle_datagram(path, datagram, self.now);
        self.deliver();
    }

    /// Lets time pass, and serves every deadline on the way.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(at) = self.sfu.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.sfu.handle_timeout(self.now);
            self.deliver();
            if self.sfu.poll_timeout().is_some_and(|next| next <= self.now) {
                // Deadlines of now were served; what is due again at once waits a little.
                self.now += Duration::from_millis(1);
            }
        }
        self.now = self.now.max(until);
    }

    /// Gives every queued datagram to the browser that it is for. One for nobody is a failure.
    pub(crate) fn deliver(&mut self) {
        while let Some(transmit) = self.sfu.poll_transmit() {
            let browser = self
                .browsers
                .iter_mut()
                .find(|browser| browser.path == transmit.path);
            let browser = browser.expect("every datagram is for somebody who is here");
            browser.open(transmit.bytes, self.now);
        }
    }

    /// The RTP packets that came to a browser since the last call.
    pub(crate) fn media(&mut self, browser: usize) -> Vec<Forwarded> {
        let mut media = Vec::new();
        self.browsers[browser].inbox.retain(|packet| match packet {
            Packet::Rtp(packet) => {
                media.push(packet.clone());
                false
            }
            Packet::Rtcp(_) => true,
        });
        media
    }

    /// The RTCP datagrams that came to a browser since the last call.
    pub(crate) fn rtcp(&mut self, browser: usize) -> Vec<Vec<u8>> {
        let mut rtcp = Vec::new();
        self.browsers[browser].inbox.retain(|packet| match packet {
            Packet::Rtcp(packet) => {
                rtcp.push(packet.clone());
                false
            }
            Packet::Rtp(_) => true,
        });
        rtcp
    }

    /// The SSRCs for which a browser was asked for a key frame since the last call.
    pub(crate) fn key_frame_requests(&mut self, browser: usize) -> Vec<u32> {
        let mut requests = Vec::new();
        for datagram in self.rtcp(browser) {
            for packet in rtp::rtcp::packets(&datagram) {
                if let rtp::RtcpPacket::Pli(pli) = packet.unwrap() {
                    requests.push(pli.media_ssrc.0);
                }
            }
        }
        requests
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.sfu.poll_event()).collect()
    }
}

impl Browser {
    /// The sealed datagram of a packet.
    pub(crate) fn seal(&mut self, outgoing: &Outgoing) -> Vec<u8> {
        self.seal_with(outgoing, &extension_map())
    }

    /// The same, without any header extension.
    pub(crate) fn seal_plain(&mut self, outgoing: &Outgoing) -> Vec<u8> {
        self.seal_with(outgoing, &ExtensionMap::new())
    }

    fn seal_with(&mut self, outgoing: &Outgoing, map: &ExtensionMap) -> Vec<u8> {
        let mut buffer = vec![0; 1_500];
        let header = RtpHeader {
            marker: outgoing.marker,
            payload_type: PayloadType::new(outgoing.payload_type).unwrap(),
            sequence_number: outgoing.sequence_number,
            rtp_timestamp: outgoing.rtp_timestamp,
            ssrc: Ssrc(outgoing.ssrc),
        };
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let extensions = Extensions {
            mid: outgoing.mid.map(|mid| Mid::new(mid).unwrap()),
            rid: outgoing.rid.map(|rid| Rid::new(rid).unwrap()),
            repaired_rid: outgoing.repaired_rid.map(|rid| Rid::new(rid).unwrap()),
            transport_sequence: Some(self.transport_sequence),
            audio_level: (outgoing.payload_type == OPUS).then_some(rtp::AudioLevel {
                voice: true,
                below_overload_db: 30,
            }),
        };
        let mut len = write_header(&mut buffer, &header, &extensions, map).unwrap();
        buffer[len..len + outgoing.payload.len()].copy_from_slice(&outgoing.payload);
        len += outgoing.payload.len();
        if outgoing.padding > 0 {
            buffer[0] |= 0x20;
            len += usize::from(outgoing.padding);
            buffer[len - 1] = outgoing.padding;
        }
        let len = self.transport.protect_rtp(&mut buffer, len).unwrap();
        buffer.truncate(len);
        buffer
    }

    /// The sealed datagram of RTCP packets.
    pub(crate) fn seal_rtcp(&mut self, write: impl FnOnce(&mut RtcpWriter<'_>)) -> Vec<u8> {
        let mut buffer = vec![0; 1_500];
        let mut writer = RtcpWriter::new(&mut buffer[..1_400]);
        write(&mut writer);
        let len = writer.len();
        let len = self.transport.protect_rtcp(&mut buffer, len).unwrap();
        buffer.truncate(len);
        buffer
    }

    /// The transport-wide sequence number of the last packet.
    pub(crate) fn last_transport_sequence(&self) -> u16 {
        self.transport_sequence
    }

    fn open(&mut self, datagram: &[u8], now: Instant) {
        let opened = self.try_open(datagram, now);
        self.inbox
            .extend(opened.expect("what the core sends is authentic and new"));
    }

    /// What a datagram from the network holds; an error for one that came before.
    pub(crate) fn try_open(
        &mut self,
        datagram: &[u8],
        now: Instant,
    ) -> Result<Option<Packet>, TransportError> {
        let mut datagram = datagram.to_vec();
        let received = self
            .transport
            .handle_datagram(self.path.reversed(), &mut datagram, now)?;
        Ok(match received {
            Received::Rtp { len } => {
                let packet = RtpPacket::parse(&datagram[..len], &extension_map()).unwrap();
                Some(Packet::Rtp(Forwarded {
                    header: packet.header,
                    transport_sequence: packet.extensions.transport_sequence,
                    audio_level: packet.extensions.audio_level,
                    payload: datagram[packet.header_len..len].to_vec(),
                }))
            }
            Received::Rtcp { len } => Some(Packet::Rtcp(datagram[..len].to_vec())),
            Received::Nothing => None,
        })
    }
}

impl Outgoing {
    /// An Opus packet on the microphone's line, 20 ms after the one before it.
    pub(crate) fn audio(ssrc: u32, sequence_number: u16, payload: &[u8]) -> Self {
        Self {
            payload_type: OPUS,
            ssrc,
            sequence_number,
            rtp_timestamp: u32::from(sequence_number) * 960,
            marker: false,
            mid: Some("m"),
            rid: None,
            repaired_rid: None,
            payload: payload.to_vec(),
            padding: 0,
        }
    }

    /// A VP8 packet on the camera's line.
    pub(crate) fn video(
        layer: usize,
        ssrc: u32,
        sequence_number: u16,
        rtp_timestamp: u32,
        frame: &Vp8Frame,
    ) -> Self {
        Self {
            payload_type: VP8,
            ssrc,
            sequence_number,
            rtp_timestamp,
            marker: true,
            mid: Some("c"),
            rid: Some(LAYERS[layer]),
            repaired_rid: None,
            payload: frame.payload(),
            padding: 0,
        }
    }

    /// A VP8 packet of a layer sent again, as RFC 4588 says, under this SSRC and sequence number.
    pub(crate) fn again(layer: usize, ssrc: u32, sequence_number: u16, first: &Self) -> Self {
        let mut payload = first.sequence_number.to_be_bytes().to_vec();
        payload.extend_from_slice(&first.payload);
        Self {
            payload_type: VP8_AGAIN,
            ssrc,
            sequence_number,
            rid: None,
            repaired_rid: Some(LAYERS[layer]),
            payload,
            ..first.clone()
        }
    }

    /// Padding without media.
    pub(crate) fn padding(layer: usize, ssrc: u32, sequence_number: u16, rtp_timestamp: u32) -> Self {
        Self {
            payload_type: VP8,
            ssrc,
            sequence_number,
            rtp_timestamp,
            marker: false,
            mid: Some("c"),
            rid: Some(LAYERS[layer]),
            repaired_rid: None,
            payload: Vec::new(),
            padding: 200,
        }
    }
}

/// The first packet of a VP8 frame, or a later one.
#[derive(Debug, Clone)]
pub(crate) struct Vp8Frame {
    pub(crate) is_key: bool,
    pub(crate) is_start: bool,
    pub(crate) picture_id: u16,
    pub(crate) tl0_picture_index: u8,
    pub(crate) body: Vec<u8>,
}

impl Vp8Frame {
    pub(crate) fn key(picture_id: u16, body: &[u8]) -> Self {
        Self {
            is_key: true,
            is_start: true,
            picture_id,
            tl0_picture_index: picture_id as u8,
            body: body.to_vec(),
        }
    }

    pub(crate) fn delta(picture_id: u16, body: &[u8]) -> Self {
        Self {
            is_key: false,
            ..Self::key(picture_id, body)
        }
    }

    /// RFC 7741 section 4.2: X and S, then I, L and T, a picture id of 15 bits, TL0PICIDX, TID; then the
    /// synthetic prefix, whose lowest bit says that the frame is no key frame.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let first = if self.is_start { 0x90 } else { 0x80 };
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        let mut payload = vec![first, 0xE0, high, low, self.tl0_picture_index, 0x20];
        if self.is_start {
            payload.push(if self.is_key { 0x10 } else { 0x11 });
        }
        payload.extend_from_slice(&self.body);
        payload
    }
}

/// The picture id that a forwarded VP8 packet carries.
pub(crate) fn picture_id(payload: &[u8]) -> u16 {
    u16::from_be_bytes([payload[2], payload[3]]) & 0x7FFF
}

/// What a forwarded VP8 packet carries behind its descriptor.
pub(crate) fn vp8_body(payload: &[u8]) -> &[u8] {
    &payload[VP8_DESCRIPTOR_LEN..]
}

pub(crate) fn extension_map() -> ExtensionMap {
    EXTENSIONS.into_iter().collect()
}

/// The SSRC of a slot.
pub(crate) fn slot_ssrc(browser: u64, slot: &str) -> u32 {
    let kind = if slot.starts_with('a') { 0x100 } else { 0x200 };
    0xAB00_0000 + u32::try_from(browser).unwrap() * 0x1000 + kind + slot[1..].parse::<u32>().unwrap()
}

/// The SSRC of a slot's retransmissions.
pub(crate) fn slot_ssrc_again(browser: u64, slot: &str) -> u32 {
    slot_ssrc(browser, slot) + 0x800
}

/// A connection on which lost packets are sent again: audio as it was, video as retransmission.
pub(crate) fn repaired_connection(number: u64) -> PeerConnection {
    let mut connection = connection(number);
    for publication in &mut connection.publications {
        publication.repair = match publication.kind {
            SourceKind::Microphone => Repair::Repeat,
            SourceKind::Camera => Repair::Retransmit(Vec::new()),
        };
    }
    for slot in &mut connection.slots {
        slot.repair = match slot.media {
            Media::Audio => Repair::Repeat,
            Media::Video => Repair::Retransmit(Ssrc(slot_ssrc_again(number, slot.mid.as_str()))),
        };
    }
    connection
}

/// A connection as the canonical offer makes it: microphone, camera with three layers, 4 + 9 slots.
pub(crate) fn connection(number: u64) -> PeerConnection {
    let payload_types = |numbers: &[u8]| {
        numbers
            .iter()
            .map(|number| PayloadType::new(*number).unwrap())
            .collect()
    };
    let slot = |name: String, media| Slot {
        mid: Mid::new(&name).unwrap(),
        media,
        ssrc: Ssrc(slot_ssrc(number, &name)),
        payload_types: payload_types(if media == Media::Audio {
            &[OPUS]
        } else {
            &[VP8, VP9]
        }),
        repair: Repair::None,
    };
    let audio_slots = (0..AUDIO_SLOTS).map(|index| slot(format!("a{index}"), Media::Audio));
    let video_slots = (0..9).map(|index| slot(format!("v{index}"), Media::Video));
    PeerConnection {
        local_ice: IceCredentials::new(&format!("server{number}"), "passwordpasswordpassword").unwrap(),
        remote_ice: IceCredentials::new(&format!("client{number}"), "passwordpasswordpassword").unwrap(),
        remote_fingerprint: [7; 32],
        publications: vec![
            Publication {
                mid: Mid::new("m").unwrap(),
                kind: SourceKind::Microphone,
                payload_types: payload_types(&[OPUS]),
                rids: Vec::new(),
                ssrcs: Vec::new(),
                repair: Repair::None,
            },
            Publication {
                mid: Mid::new("c").unwrap(),
                kind: SourceKind::Camera,
                payload_types: payload_types(&[VP8, VP9]),
                rids: LAYERS.map(|rid| Rid::new(rid).unwrap()).to_vec(),
                ssrcs: Vec::new(),
                repair: Repair::None,
            },
        ],
        extensions: EXTENSIONS.to_vec(),
        slots: audio_slots.chain(video_slots).collect(),
    }
}

fn keys(number: u64) -> SrtpKeys {
    let profile = SrtpProfile::AeadAes128Gcm;
    let len = profile.key_len() + profile.salt_len();
    let bytes = |salt: u8| vec![salt ^ u8::try_from(number % 251).unwrap(); len];
    SrtpKeys::new(profile, &bytes(0x55), &bytes(0xAA)).unwrap()
}
