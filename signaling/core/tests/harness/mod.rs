//! A world around the rooms for tests: virtual time, fixed seed, pages that believe what they are told, and an SFU
//! that remembers its orders.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod answer;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use answer::{Credentials, answer_to, sections, value};
use protocol::bytes::{DeflatedSdp, Gate, GateHash, ResumeToken, Sealed};
use protocol::client::{
    Announce, Answer, ClientMessage, Create, ErrorCode, ErrorMessage, Hello, Joined, Leave, MediaState,
    OfferMessage, OfferedTransport, Participant, Ping, Presence, Resume, Resumed, ServerMessage, SlotBinding,
    Switch, TransportState, VERSION,
};
use protocol::ids::{Mid, PeerId, RoomId, Seat};
use protocol::media::SourceKind;
use protocol::sfu::{PeerClosedReason, SfuCommand, SfuEvent, SfuInfo};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use signaling_core::limits::GROWTH_DELAY;
use signaling_core::{Closing, Config, ConnectionId, Origin, Outgoing, Signaling};

/// A real answer to the offer of the first in a room.
pub(crate) const ANSWER: &str = include_str!("../../fixtures/answers/chromium.sdp");

/// Slots that the SFU takes for one peer.
const SLOTS_MAX: usize = 64;

/// What a page knows of another participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) media: MediaState,
    pub(crate) presence: Presence,
    pub(crate) sealed: Option<Sealed>,
}

impl Known {
    /// What is known of somebody who has just come in.
    pub(crate) const NEW: Self = Self {
        media: MediaState::OFF,
        presence: Presence::Here,
        sealed: None,
    };
}

/// An offer that a page has not answered.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) negotiation: u32,
    pub(crate) transport: OfferedTransport,
    pub(crate) sdp: String,
}

/// A peer connection: what was agreed on, as far as later offers have to respect it.
#[derive(Debug, Clone)]
pub(crate) struct PeerConnection {
    pub(crate) own: Credentials,
    pub(crate) offer: String,
}

/// A page, as far as the server's messages make it. It is one connection; who comes back is a page that knows what
/// the one before knew of itself.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) inbox: Vec<ServerMessage>,
    pub(crate) closed: bool,
    /// When that was.
    pub(crate) closed_at: Duration,
    /// Whether it went by its own will.
    pub(crate) has_left: bool,
    pub(crate) seat: Option<Seat>,
    pub(crate) token: Option<ResumeToken>,
    pub(crate) asked: Option<Asked>,
    /// An offer that was replaced before it was answered.
    pub(crate) replaced: Option<Asked>,
    pub(crate) last_negotiation: u32,
    pub(crate) peer_connection: Option<PeerConnection>,
    pub(crate) roster: BTreeMap<Seat, Known>,
    pub(crate) slots: BTreeMap<Mid, (Seat, SourceKind)>,
    pub(crate) transport: Option<TransportState>,
    pub(crate) stopping: Option<u32>,
    pub(crate) error: Option<ErrorMessage>,
}

/// What the SFU was ordered: for each peer, what lies in its slots.
#[derive(Debug, Default)]
pub(crate) struct Sfu {
    pub(crate) peers: BTreeMap<PeerId, BTreeMap<Mid, (PeerId, SourceKind)>>,
    /// The slots that each peer has.
    pub(crate) slots: BTreeMap<PeerId, BTreeSet<Mid>>,
    pub(crate) last_added: Option<PeerId>,
}

pub(crate) struct World {
    pub(crate) signaling: Signaling,
    pub(crate) now: Duration,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) pages: BTreeMap<ConnectionId, Page>,
    pub(crate) sfu: Sfu,
    next: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let sfu = SfuInfo {
            fingerprint: [0xAB; 32],
            candidates: vec!["127.0.0.1:8080".parse().unwrap()],
            tcp_candidates: vec!["127.0.0.1:8080".parse().unwrap()],
        };
        Self {
            signaling: Signaling::new(Config {
                sfu,
                key: signaling_core::DeliveryKey::new(&[9; 32]),
                started_unix: 1_800_000_000,
            }),
            now: Duration::from_secs(1_000),
            rng: ChaCha12Rng::seed_from_u64(seed),
            pages: BTreeMap::new(),
            sfu: Sfu::default(),
            next: 0,
        }
    }

    /// Opens a connection from an address of its own.
    pub(crate) fn open(&mut self) -> ConnectionId {
        let number = u32::try_from(self.next).unwrap().to_be_bytes();
        self.open_from([10, number[1], number[2], number[3]])
    }

    pub(crate) fn open_from(&mut self, address: [u8; 4]) -> ConnectionId {
        let connection = ConnectionId(self.next);
        self.next += 1;
        self.pages.insert(connection, Page::default());
        self.signaling.handle_opened(
            connection,
            Origin::from(std::net::IpAddr::from(address)),
            self.now,
        );
        self.deliver();
        connection
    }

    pub(crate) fn say(&mut self, connection: ConnectionId, message: &ClientMessage) {
        self.pages.get_mut(&connection).unwrap().has_left |= matches!(message, ClientMessage::Leave(_));
        self.say_text(connection, message.encode().as_bytes());
    }

    pub(crate) fn say_text(&mut self, connection: ConnectionId, json: &[u8]) {
        self.signaling
            .handle_message(connection, json, self.now, &mut self.rng);
        self.deliver();
    }

    /// The page is closed or reloaded.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.lose(connection, Closing::Clean);
    }

    /// The line breaks.
    pub(crate) fn break_line(&mut self, connection: ConnectionId) {
        self.lose(connection, Closing::Broken);
    }

    fn lose(&mut self, connection: ConnectionId, closing: Closing) {
        let page = self.pages.get_mut(&connection).unwrap();
        page.closed = true;
        page.closed_at = self.now;
        page.has_left = closing == Closing::Clean;
        self.signaling.handle_closed(connection, closing, self.now);
        self.deliver();
    }

    /// The page of a connection comes back on a new one, with what it knows of itself.
    pub(crate) fn come_back(&mut self, number: u8, old: ConnectionId) -> ConnectionId {
        let connection = self.open();
        let before = &self.pages[&old];
        let token = before.token.expect("a page that was in");
        let page = Page {
            seat: before.seat,
            token: before.token,
            last_negotiation: before.last_negotiation,
            peer_connection: before.peer_connection.clone(),
            ..Page::default()
        };
        self.pages.insert(connection, page);
        self.say(connection, &resume(number, token));
        connection
    }

    /// The SFU connects a peer.
    pub(crate) fn connect_peer(&mut self, peer: PeerId) {
        let event = SfuEvent::PeerConnected { peer };
        self.signaling.handle_sfu_event(event, self.now, &mut self.rng);
        self.deliver();
    }

    /// The SFU closes a peer by itself, and forgets it.
    pub(crate) fn close_peer(&mut self, peer: PeerId, reason: PeerClosedReason) {
        self.sfu.forget(peer);
        let event = SfuEvent::PeerClosed { peer, reason };
        self.signaling.handle_sfu_event(event, self.now, &mut self.rng);
        self.deliver();
    }

    /// Lets time pass, in the steps that the rooms ask for.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.signaling.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.signaling.handle_timeout(self.now, &mut self.rng);
            self.deliver();
        }
        self.now = end;
    }

    /// Hands everything that waits to the pages and the SFU.
    pub(crate) fn deliver(&mut self) {
        while let Some(outgoing) = self.signaling.poll_outgoing() {
            match outgoing {
                Outgoing::Send(connection, message) => {
                    let page = self
                        .pages
                        .get_mut(&connection)
                        .expect("a message to a known page");
                    assert!(!page.closed, "a message to a page that is gone: {message:?}");
                    page.receive(message);
                }
                // The group has a simulation of its own.
                Outgoing::SendFrame(..) => {}
                Outgoing::Close(connection) => {
                    let page = self.pages.get_mut(&connection).expect("a known page is closed");
                    assert!(!page.closed, "a page is closed once");
                    page.closed = true;
                    page.closed_at = self.now;
                }
            }
        }
        while let Some(command) = self.signaling.poll_sfu_command() {
            self.sfu.obey(command);
        }
    }

    pub(crate) fn page(&self, connection: ConnectionId) -> &Page {
        &self.pages[&connection]
    }

    /// The messages that came since the last look.
    pub(crate) fn news(&mut self, connection: ConnectionId) -> Vec<ServerMessage> {
        std::mem::take(&mut self.pages.get_mut(&connection).unwrap().inbox)
    }

    /// The error that ended a connection.
    pub(crate) fn error(&self, connection: ConnectionId) -> Option<ErrorCode> {
        let page = self.page(connection);
        assert_eq!(
            page.error.is_some(),
            page.closed && page.error.is_some(),
            "an error closes"
        );
        page.error.as_ref().map(|error| error.code)
    }

    /// A room with this many members whose answers are in.
    pub(crate) fn room_with(&mut self, number: u8, members: usize) -> Vec<ConnectionId> {
        (0..members)
            .map(|member| {
                let connection = self.open();
                if member == 0 {
                    self.say(connection, &create(number));
                }
                self.say(connection, &hello(number));
                assert_eq!(self.error(connection), None);
                self.answer(connection);
                connection
            })
            .collect()
    }

    /// Answers the offer that a page was made last, or where there is none an offer that nobody made.
    pub(crate) fn answer(&mut self, connection: ConnectionId) {
        let page = self.pages.get_mut(&connection).unwrap();
        let (negotiation, sdp) = match page.asked.take() {
            Some(asked) => (asked.negotiation, page.answer(&asked, connection.0)),
            None => (page.last_negotiation, ANSWER.to_owned()),
        };
        self.say(connection, &answer(negotiation, &sdp));
    }

    /// Lets time pass and answers every offer that comes, until the room has grown as far as it will.
    pub(crate) fn settle(&mut self, connections: &[ConnectionId]) {
        for _ in 0..8 {
            for connection in connections {
                if !self.page(*connection).closed && self.page(*connection).asked.is_some() {
                    self.answer(*connection);
                }
            }
            self.pass(GROWTH_DELAY);
        }
    }

    /// The peer that the latest answer made.
    pub(crate) fn last_peer(&self) -> PeerId {
        self.sfu.last_added.expect("an answer came in")
    }
}

impl Page {
    fn receive(&mut self, message: ServerMessage) {
        assert!(
            self.error.is_none(),
            "an error is the last message, then came {message:?}"
        );
        match message.clone() {
            ServerMessage::Created(_) | ServerMessage::Pong(_) => {}
            ServerMessage::Joined(joined) => self.join(joined),
            ServerMessage::ParticipantJoined(joined) => {
                assert_eq!(
                    self.roster.insert(joined.seat, Known::NEW),
                    None,
                    "a seat is taken once"
                );
            }
            ServerMessage::ParticipantLeft(left) => {
                assert!(self.roster.remove(&left.seat).is_some(), "who leaves was there");
            }
            ServerMessage::Announced(announced) => {
                self.roster
                    .get_mut(&announced.seat)
                    .expect("of a participant")
                    .sealed = Some(announced.sealed);
            }
            ServerMessage::Media(media) => {
                self.roster.get_mut(&media.seat).expect("of a participant").media = MediaState {
                    microphone: media.microphone,
                    camera: media.camera,
                };
            }
            ServerMessage::Slots(slots) => self.bind(&slots.slots),
            ServerMessage::Transport(transport) => self.transport = Some(transport.state),
            ServerMessage::Resumed(resumed) => self.resume(resumed),
            ServerMessage::Offer(offer) => self.take_offer(offer),
            ServerMessage::Presence(presence) => {
                let known = self.roster.get_mut(&presence.seat).expect("of a participant");
                assert_ne!(
                    known.presence, presence.presence,
                    "presence is told when it changes"
                );
                known.presence = presence.presence;
            }
            ServerMessage::Stopping(stopping) => self.stopping = Some(stopping.deadline_ms),
            ServerMessage::Error(error) => self.error = Some(error),
        }
        self.inbox.push(message);
    }

    fn join(&mut self, joined: Joined) {
        assert_eq!(self.seat, None, "a page joins once");
        self.seat = Some(joined.seat);
        self.token = Some(joined.token);
        assert_eq!(joined.tcp_candidates.len(), 1);
        self.meet(joined.participants);
        self.take_offer(OfferMessage {
            negotiation: joined.negotiation,
            transport: OfferedTransport::New,
            slots: joined.slots,
            offer: joined.offer.expect("an offer for a member with media"),
        });
    }

    fn resume(&mut self, resumed: Resumed) {
        assert_eq!(self.seat, Some(resumed.seat), "a seat stays what it was");
        self.transport = Some(resumed.transport);
        self.meet(resumed.participants);
        self.bind(&resumed.slots);
        if resumed.transport == TransportState::Closed {
            assert!(self.slots.is_empty());
        }
    }

    fn meet(&mut self, participants: Vec<Participant>) {
        for participant in participants {
            let known = Known {
                media: MediaState {
                    microphone: participant.microphone,
                    camera: participant.camera,
                },
                presence: participant.presence,
                sealed: participant.sealed,
            };
            assert_eq!(self.roster.insert(participant.seat, known), None);
        }
    }

    fn bind(&mut self, slots: &[SlotBinding]) {
        for slot in slots {
            assert_eq!(slot.seat.is_some(), slot.source.is_some());
            match slot.seat.zip(slot.source) {
                Some(source) => self.slots.insert(slot.mid, source),
                None => self.slots.remove(&slot.mid),
            };
        }
    }

    fn take_offer(&mut self, offer: OfferMessage) {
        assert!(offer.negotiation > self.last_negotiation, "numbers rise");
        self.last_negotiation = offer.negotiation;
        let sdp = offer.offer.inflate().unwrap().as_str().to_owned();
        let sections = sections(&sdp);
        let mids: Vec<&str> = sections.iter().map(|section| value(section, "a=mid:")).collect();
        let slots: Vec<&str> = offer.slots.iter().map(|slot| slot.mid.as_str()).collect();
        assert_eq!(mids[2..], slots, "the slots are the lines of the offer");
        let before = self.slots.clone();
        self.slots.clear();
        self.bind(&offer.slots);
        match (&self.peer_connection, offer.transport) {
            (None, OfferedTransport::Kept) => panic!("no transport is there to keep"),
            (Some(there), OfferedTransport::Kept) => there.check_next(&sdp),
            (there, OfferedTransport::New) => {
                assert!(self.slots.is_empty(), "nothing is bound on a new transport");
                let ufrag = |sdp| value(sdp, "a=ice-ufrag:").to_owned();
                assert!(
                    there
                        .as_ref()
                        .is_none_or(|there| ufrag(&there.offer) != ufrag(&sdp))
                );
            }
        }
        if offer.transport == OfferedTransport::Kept {
            assert_eq!(self.slots, before, "an offer tells what is known");
        }
        if let Some(asked) = self.asked.take() {
            assert_eq!(
                offer.transport,
                OfferedTransport::New,
                "one offer at a time, but for one whose transport is gone"
            );
            self.replaced = Some(asked);
        }
        self.asked = Some(Asked {
            negotiation: offer.negotiation,
            transport: offer.transport,
            sdp,
        });
    }

    /// What the page answers, on the peer connection that is there or on a new one.
    fn answer(&mut self, asked: &Asked, number: u64) -> String {
        self.replaced = None;
        let own = match (&self.peer_connection, asked.transport) {
            (Some(there), OfferedTransport::Kept) => there.own.clone(),
            _ => Credentials::new(number * 1_000 + u64::from(asked.negotiation)),
        };
        self.peer_connection = Some(PeerConnection {
            own: own.clone(),
            offer: asked.sdp.clone(),
        });
        answer_to(&asked.sdp, &own)
    }
}

impl PeerConnection {
    /// A later offer has everything of the earlier one in its place, and a higher version.
    fn check_next(&self, sdp: &str) {
        for prefix in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
            assert_eq!(value(sdp, prefix), value(&self.offer, prefix));
        }
        let origin = |sdp| -> Vec<u64> {
            let words = value(sdp, "o=- ").split(' ').take(2);
            words.map(|word: &str| word.parse().unwrap()).collect()
        };
        let (before, after) = (origin(&self.offer), origin(sdp));
        assert_eq!(before[0], after[0], "the session stays");
        assert!(before[1] < after[1], "its version rises");
        let (before, after) = (sections(&self.offer), sections(sdp));
        assert_eq!(
            before[..],
            after[..before.len()],
            "earlier lines stay as they were"
        );
    }
}

impl Sfu {
    fn obey(&mut self, command: SfuCommand) {
        match command {
            SfuCommand::AddPeer { peer, connection } => {
                assert_eq!(
                    self.peers.insert(peer, BTreeMap::new()),
                    None,
                    "a peer is added once"
                );
                assert!(self.last_added < Some(peer), "a peer's name is never used again");
                self.last_added = Some(peer);
                let slots = connection.slots.iter().map(|slot| slot.mid).collect();
                self.slots.insert(peer, slots);
            }
            SfuCommand::Bind {
                subscriber,
                slot,
                source,
            } => {
                assert!(
                    self.slots[&subscriber].contains(&slot),
                    "{slot} is one of its slots"
                );
                let source_is_there = source.is_none_or(|(peer, _)| self.peers.contains_key(&peer));
                assert!(source_is_there, "a source that is there");
                let slots = self
                    .peers
                    .get_mut(&subscriber)
                    .expect("a subscriber that is there");
                match source {
                    Some(source) => slots.insert(slot, source),
                    None => slots.remove(&slot),
                };
            }
            SfuCommand::AddSlots { peer, slots } => {
                let known = self.slots.get_mut(&peer).expect("a peer that is there");
                for slot in slots {
                    assert!(known.insert(slot.mid), "{} is added once", slot.mid);
                }
                assert!(known.len() <= SLOTS_MAX);
            }
            SfuCommand::RemovePeer { peer } => {
                assert!(self.peers.contains_key(&peer), "a peer that is there");
                self.forget(peer);
            }
        }
    }

    /// Forgets a peer, and what it fed.
    fn forget(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.slots.remove(&peer);
        for slots in self.peers.values_mut() {
            slots.retain(|_, (source, _)| *source != peer);
        }
    }
}

pub(crate) fn room(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}

pub(crate) fn gate(number: u8) -> Gate {
    Gate::from_bytes([number; 32])
}

pub(crate) fn create(number: u8) -> ClientMessage {
    let gate_hash = GateHash::from_bytes(Sha256::digest(gate(number).as_bytes()).into());
    ClientMessage::Create(Create {
        version: VERSION,
        room: room(number),
        gate_hash,
        owner: protocol::bytes::Owner::from_bytes([0; 16]),
    })
}

pub(crate) fn hello(number: u8) -> ClientMessage {
    hello_with(number, gate(number))
}

pub(crate) fn hello_with(number: u8, gate: Gate) -> ClientMessage {
    ClientMessage::Hello(Hello {
        version: VERSION,
        room: room(number),
        gate,
        media: true,
    })
}

pub(crate) fn resume(number: u8, token: ResumeToken) -> ClientMessage {
    ClientMessage::Resume(Resume {
        version: VERSION,
        room: room(number),
        token,
    })
}

pub(crate) fn answer(negotiation: u32, sdp: &str) -> ClientMessage {
    ClientMessage::Answer(Answer {
        negotiation,
        sdp: DeflatedSdp::deflate(sdp).unwrap(),
    })
}

pub(crate) fn announce(byte: u8) -> ClientMessage {
    ClientMessage::Announce(Announce { sealed: sealed(byte) })
}

pub(crate) fn sealed(byte: u8) -> Sealed {
    Sealed::new(vec![byte; 100]).unwrap()
}

pub(crate) fn media(microphone: bool, camera: bool) -> ClientMessage {
    let switch = |on| if on { Switch::On } else { Switch::Off };
    ClientMessage::Media(MediaState {
        microphone: switch(microphone),
        camera: switch(camera),
    })
}

pub(crate) const PING: ClientMessage = ClientMessage::Ping(Ping {});
pub(crate) const LEAVE: ClientMessage = ClientMessage::Leave(Leave {});
