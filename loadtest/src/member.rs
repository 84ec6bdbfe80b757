//! One member of a meeting, as a task of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::bytes::DeflatedSdp;
use protocol::client::{
    Answer, ClientMessage, Hello, Leave, OfferMessage, OfferedTransport, Ping, ServerMessage, VERSION,
};
use protocol::limits::PING_INTERVAL_MS;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use transport::{Certificate, CloseReason, IceCredentials};

use crate::description::{Offer, answer};
use crate::error::MemberError;
use crate::keys::{Access, Keys};
use crate::limits::{
    DATAGRAM_MAX, DATAGRAMS_PER_TURN, JOIN_TIMEOUT, LAST_WORD_TIME, LEAVE_TIMEOUT, TELL_INTERVAL,
};
use crate::media::{Local, Session, SessionSettings};
use crate::report::MemberReport;
use crate::signaling::{Heard, Signaling};
use crate::target::Target;

/// What makes a member.
#[derive(Clone)]
pub struct MemberSettings {
    /// The server.
    pub target: Target,
    /// Room, gate and secret.
    pub access: Access,
    /// The name to announce.
    pub name: String,
    /// How it behaves.
    pub session: SessionSettings,
}

/// A member that joins, stays until it is told to leave, and counts. Dropped, it leaves without goodbye.
pub struct Member {
    reports: watch::Receiver<MemberReport>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Member {
    /// Begins to join. Has to be called inside a Tokio runtime.
    pub fn join(settings: MemberSettings) -> Self {
        let report = MemberReport {
            name: settings.name.clone(),
            ..MemberReport::default()
        };
        let (tell, reports) = watch::channel(report.clone());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let begun = Instant::now();
            let mut telling = Telling { tell, report, begun };
            let outcome = live(settings, &mut telling, stopped).await;
            telling.report.ended = outcome.err().map(|error| error.to_string());
            telling.tell();
        });
        Self { reports, stop, task }
    }

    /// What it has counted up to a moment ago.
    pub fn report(&self) -> MemberReport {
        self.reports.borrow().clone()
    }

    /// Waits until something is true of the member; false when it ends before.
    pub async fn wait_for(&mut self, mut is_true: impl FnMut(&MemberReport) -> bool) -> bool {
        self.reports.wait_for(|report| is_true(report)).await.is_ok()
    }

    /// Leaves the meeting, and answers what was counted.
    pub async fn leave(mut self) -> MemberReport {
        // An error means that it has ended already.
        let _ = self.stop.send(true);
        let _ = timeout(LEAVE_TIMEOUT, &mut self.task).await;
        self.report()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The report of a member, and who hears it.
struct Telling {
    tell: watch::Sender<MemberReport>,
    report: MemberReport,
    begun: Instant,
}

impl Telling {
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn tell(&self) {
        self.tell.send_replace(self.report.clone());
    }
}

/// From the connection to the server until the end.
async fn live(
    settings: MemberSettings,
    telling: &mut Telling,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), MemberError> {
    let joining = timeout(JOIN_TIMEOUT, Life::join(settings, telling));
    let mut life = tokio::select! {
        life = joining => life.map_err(|_| MemberError::Timeout("joining"))??,
        () = told_to_stop(&mut stopped) => return Ok(()),
    };
    telling.tell();
    life.run(telling, stopped).await
}

/// A member that is in the room.
struct Life {
    settings: MemberSettings,
    random: ChaCha20Rng,
    signaling: Signaling,
    keys: Keys,
    socket: UdpSocket,
    local: Local,
    session: Session,
    next_ping: Instant,
    next_tell: Instant,
}

impl Life {
    async fn join(settings: MemberSettings, telling: &mut Telling) -> Result<Self, MemberError> {
        let mut random =
            ChaCha20Rng::try_from_os_rng().map_err(|_| MemberError::Encryption("no randomness"))?;
        let mut signaling = Signaling::connect(&settings.target).await?;
        let hello = Hello {
            version: VERSION,
            room: settings.access.room(),
            gate: settings.access.gate(),
            media: true,
        };
        signaling.say(&ClientMessage::Hello(hello)).await?;
        let ServerMessage::Joined(joined) = signaling.hear_message().await? else {
            return Err(MemberError::Protocol("no answer to hello"));
        };
        telling.report.joined_after_ms = Some(telling.elapsed_ms());
        telling.report.seat = Some(joined.seat.number());
        let mut keys = Keys::new(&settings.access, &mut random);
        keys.enter(joined.seat.number(), &settings.name, true);
        let offer = read_offer(
            joined
                .offer
                .as_ref()
                .ok_or(MemberError::Protocol("joined without an offer"))?,
        )?;
        let (socket, local, session) =
            open_session(&settings, &offer, signaling.server(), &mut random).await?;
        let now = Instant::now();
        let mut life = Self {
            settings,
            random,
            signaling,
            keys,
            socket,
            local,
            session,
            next_ping: now,
            next_tell: now,
        };
        life.answer(joined.negotiation, &offer, telling).await?;
        Ok(life)
    }

    async fn answer(
        &mut self,
        negotiation: u32,
        offer: &Offer,
        telling: &mut Telling,
    ) -> Result<(), MemberError> {
        let sdp = DeflatedSdp::deflate(&answer(offer, &self.local.answering()))
            .map_err(|_| MemberError::Offer("the answer is too long"))?;
        telling.report.offers += 1;
        self.signaling
            .say(&ClientMessage::Answer(Answer { negotiation, sdp }))
            .await
    }

    async fn run(
        &mut self,
        telling: &mut Telling,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), MemberError> {
        loop {
            self.flush().await?;
            let is_connected = match self.session.poll_connected() {
                Ok(is_connected) => is_connected,
                Err(reason) => return Err(self.reason_of_end(reason).await),
            };
            if is_connected && telling.report.connected_after_ms.is_none() {
                telling.report.connected_after_ms = Some(telling.elapsed_ms());
            }
            let wake = self
                .session
                .poll_timeout()
                .min(self.next_ping)
                .min(self.next_tell)
                .min(self.keys.poll_timeout().unwrap_or(self.next_tell));
            tokio::select! {
                heard = self.signaling.hear() => match heard? {
                    Heard::Message(message) => self.take(message, telling).await?,
                    Heard::Frame(bytes) => self.keys.handle_message(&bytes),
                },
                ready = self.socket.readable() => { ready?; self.receive()?; }
                () = sleep_until(wake.into()) => {}
                () = told_to_stop(&mut stopped) => return self.leave(telling).await,
            }
            self.keys.handle_timeout();
            while let Some(bytes) = self.keys.poll_message() {
                self.signaling.say_frame(bytes).await?;
            }
            self.session.handle_timeout(&mut self.keys, Instant::now());
            self.keep_up(telling).await?;
        }
    }

    /// Why the transport ended: the server's word for it, where one comes, says more than the transport does.
    async fn reason_of_end(&mut self, reason: CloseReason) -> MemberError {
        let word = async {
            loop {
                match self.signaling.hear().await {
                    Ok(_) => {}
                    Err(error @ MemberError::Refused(..)) => return Some(error),
                    Err(_) => return None,
                }
            }
        };
        let word = timeout(LAST_WORD_TIME, word).await.ok().flatten();
        word.unwrap_or(MemberError::Transport(reason))
    }

    /// What comes round: the sign of life, and the numbers.
    async fn keep_up(&mut self, telling: &mut Telling) -> Result<(), MemberError> {
        let now = Instant::now();
        if self.next_ping <= now {
            self.next_ping = now + Duration::from_millis(u64::from(PING_INTERVAL_MS));
            self.signaling.say(&ClientMessage::Ping(Ping {})).await?;
        }
        let has_opened = self.session.report().frames_opened() > 0;
        let is_first = has_opened && telling.report.first_frame_after_ms.is_none();
        if is_first {
            telling.report.first_frame_after_ms = Some(telling.elapsed_ms());
        }
        if is_first || self.next_tell <= now {
            self.next_tell = now + TELL_INTERVAL;
            self.tell(telling);
        }
        Ok(())
    }

    fn tell(&self, telling: &mut Telling) {
        telling.report.media = self.session.report().clone();
        for (word, count) in self.keys.alarms() {
            telling.report.media.failures.insert(word, count);
        }
        telling.report.names = self.keys.names().map(str::to_owned).collect();
        telling.tell();
    }

    async fn take(&mut self, message: ServerMessage, telling: &mut Telling) -> Result<(), MemberError> {
        match message {
            ServerMessage::Offer(offer) => self.renegotiate(&offer, telling).await,
            ServerMessage::Created(_) | ServerMessage::Joined(_) | ServerMessage::Resumed(_) => {
                Err(MemberError::Protocol("an answer that nobody asked for"))
            }
            _ => Ok(()),
        }
    }

    async fn renegotiate(
        &mut self,
        message: &OfferMessage,
        telling: &mut Telling,
    ) -> Result<(), MemberError> {
        let offer = read_offer(&message.offer)?;
        match message.transport {
            OfferedTransport::Kept => self.session.negotiate(&offer, &self.local.answering()),
            OfferedTransport::New => {
                let server = self.signaling.server();
                let (socket, local, mut session) =
                    open_session(&self.settings, &offer, server, &mut self.random).await?;
                session.continue_report(self.session.report().clone());
                self.session.close();
                self.flush().await?;
                (self.socket, self.local, self.session) = (socket, local, session);
            }
        }
        self.answer(message.negotiation, &offer, telling).await
    }

    fn receive(&mut self) -> Result<(), MemberError> {
        let mut buffer = [0; DATAGRAM_MAX];
        for _ in 0..DATAGRAMS_PER_TURN {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((len, from)) => {
                    let now = Instant::now();
                    self.session
                        .handle_datagram(from, &mut buffer[..len], &mut self.keys, now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), MemberError> {
        while let Some((remote, datagram)) = self.session.poll_transmit() {
            match self.socket.send_to(&datagram, remote).await {
                Err(error) if !is_passing(&error) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn leave(&mut self, telling: &mut Telling) -> Result<(), MemberError> {
        self.tell(telling);
        self.signaling.say(&ClientMessage::Leave(Leave {})).await?;
        self.session.close();
        self.flush().await
    }
}

/// Waits for the word to leave, or until nobody is left who could say it.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn read_offer(offer: &DeflatedSdp) -> Result<Offer, MemberError> {
    let text = offer
        .inflate()
        .map_err(|_| MemberError::Offer("not deflated SDP"))?;
    Offer::parse(text.as_str())
}

/// A socket and a transport for an offer.
async fn open_session(
    settings: &MemberSettings,
    offer: &Offer,
    server: SocketAddr,
    random: &mut ChaCha20Rng,
) -> Result<(UdpSocket, Local, Session), MemberError> {
    let remotes = reachable(&settings.target, offer, server);
    let first = remotes
        .first()
        .ok_or(MemberError::Offer("no candidate that may be loaded"))?;
    let socket = UdpSocket::bind(SocketAddr::new(local_address(*first)?, 0)).await?;
    let certificate = Certificate::generate().map_err(|_| MemberError::Encryption("no certificate"))?;
    let mut text = || format!("{:016x}{:016x}", random.next_u64(), random.next_u64());
    let ice = IceCredentials::new(&text()[..8], &text())?;
    let local = Local {
        address: socket.local_addr()?,
        ice,
        certificate: Arc::new(certificate),
        random: std::array::from_fn(|_| random.next_u64()),
    };
    let session = Session::new(offer, remotes, &local, settings.session, Instant::now())?;
    Ok((socket, local, session))
}

/// The candidates that one socket can reach: those of one family, on this machine or not, preferably where the
/// WebSocket goes.
fn reachable(target: &Target, offer: &Offer, server: SocketAddr) -> Vec<SocketAddr> {
    let allowed = offer
        .candidates
        .iter()
        .copied()
        .filter(|candidate| target.allows(candidate.ip()));
    let kind = |address: &SocketAddr| (address.is_ipv4(), address.ip().to_canonical().is_loopback());
    let mut allowed: Vec<SocketAddr> = allowed.collect();
    allowed.sort_by_key(|candidate| {
        (
            kind(candidate).1 != kind(&server).1,
            kind(candidate).0 != kind(&server).0,
        )
    });
    let Some(best) = allowed.first().map(kind) else {
        return Vec::new();
    };
    allowed.retain(|candidate| kind(candidate) == best);
    allowed
}

/// Which of our addresses a datagram to `remote` leaves by.
fn local_address(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if remote.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let probe = std::net::UdpSocket::bind((any, 0))?;
    probe.connect(remote)?;
    Ok(probe.local_addr()?.ip())
}

/// What ICMP reports of an earlier datagram; ICE notices by itself when a path is gone.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}
