//! The one task that owns the rooms: it takes what came in, and hands out what follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes};
use protocol::client::{ErrorCode, ServerMessage};
use protocol::sfu::{SfuCommand, SfuEvent};
use rand_chacha::ChaCha20Rng;
use signaling_core::{Closing, ConnectionId, Fault, Origin, Outgoing, Signaling};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::limits::{OUTBOX_BYTES_MAX, SFU_RETRY};
use crate::link::SfuLink;
use crate::metrics::Metrics;

/// What a connection or the server's owner tells the rooms.
#[derive(Debug)]
pub(crate) enum Input {
    /// A WebSocket was opened.
    Opened(ConnectionId, Origin, Outbox),
    /// A text message came in.
    Text(ConnectionId, Utf8Bytes),
    /// A binary message came in.
    Binary(ConnectionId, Bytes),
    /// A control frame came in.
    Alive(ConnectionId),
    /// The connection has to be given up.
    Fault(ConnectionId, Fault),
    /// The connection is gone.
    Closed(ConnectionId, Closing),
    /// Nobody new comes in, and this is told when the time is over or nobody is left.
    Drain(Duration, oneshot::Sender<()>),
    /// The server is being stopped.
    Stop,
}

/// The way to one page. Dropping it lets the page read what waits, and then closes the connection.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) messages: mpsc::Sender<Message>,
    /// Bytes that wait in the queue.
    pub(crate) bytes: Arc<AtomicUsize>,
    /// Cuts the queue short: this is said at once, and nothing of what waits. It is said once.
    pub(crate) give_up: mpsc::Sender<String>,
}

/// The rooms, with everything that a core does without.
pub(crate) struct Actor {
    signaling: Signaling,
    rng: ChaCha20Rng,
    link: Arc<dyn SfuLink>,
    metrics: Arc<Metrics>,
    start: Instant,
    outboxes: BTreeMap<ConnectionId, Outbox>,
    /// A command that the SFU did not take yet.
    refused_command: Option<SfuCommand>,
    /// Who waits for the end of a drain.
    drained: Option<oneshot::Sender<()>>,
}

impl Actor {
    pub(crate) fn new(
        signaling: Signaling,
        rng: ChaCha20Rng,
        link: Arc<dyn SfuLink>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            signaling,
            rng,
            link,
            metrics,
            start: Instant::now(),
            outboxes: BTreeMap::new(),
            refused_command: None,
            drained: None,
        }
    }

    /// Runs until it is stopped, or until nobody can reach it any more.
    pub(crate) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Input>,
        mut sfu_events: mpsc::Receiver<SfuEvent>,
    ) {
        loop {
            let timeout = self.signaling.poll_timeout().map(|timeout| self.start + timeout);
            let retry = self.refused_command.is_some().then(|| Instant::now() + SFU_RETRY);
            tokio::select! {
                input = inbox.recv() => match input {
                    Some(Input::Stop) | None => break,
                    Some(input) => self.take(input),
                },
                Some(event) = sfu_events.recv() => {
                    let now = self.now();
                    self.signaling.handle_sfu_event(event, now, &mut self.rng);
                }
                () = until(timeout) => {
                    let now = self.now();
                    self.signaling.handle_timeout(now, &mut self.rng);
                }
                () = until(retry) => {}
            }
            self.hand_out();
        }
        self.signaling.handle_stop(self.now());
        self.hand_out();
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn take(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Opened(connection, origin, outbox) => {
                self.outboxes.insert(connection, outbox);
                self.signaling.handle_opened(connection, origin, now);
            }
            Input::Text(connection, text) => {
                self.signaling
                    .handle_message(connection, text.as_bytes(), now, &mut self.rng);
            }
            Input::Binary(connection, bytes) => {
                self.signaling.handle_binary(connection, &bytes, now);
            }
            Input::Alive(connection) => self.signaling.handle_alive(connection, now),
            Input::Fault(connection, fault) => self.signaling.handle_fault(connection, fault, now),
            Input::Closed(connection, closing) => {
                self.outboxes.remove(&connection);
                self.signaling.handle_closed(connection, closing, now);
            }
            Input::Drain(time, drained) => {
                self.signaling.handle_drain(now.saturating_add(time), now);
                self.drained = Some(drained);
            }
            Input::Stop => {}
        }
    }

    fn hand_out(&mut self) {
        while let Some(outgoing) = self.signaling.poll_outgoing() {
            match outgoing {
                Outgoing::Send(connection, message) => self.send(connection, &message),
                Outgoing::SendFrame(connection, frame) => {
                    self.queue(connection, Message::from(frame.encode()), None);
                }
                Outgoing::Close(connection) => {
                    self.outboxes.remove(&connection);
                }
            }
        }
        self.send_commands();
        self.metrics.update(&self.signaling);
        if self.signaling.is_drained()
            && let Some(drained) = self.drained.take()
        {
            // Whoever asked may have stopped waiting.
            let _ = drained.send(());
        }
    }

    fn send(&mut self, connection: ConnectionId, message: &ServerMessage) {
        let is_too_slow = matches!(message, ServerMessage::Error(error) if error.code == ErrorCode::TooSlow);
        let text = message.encode();
        let last_words = is_too_slow.then(|| text.clone());
        self.queue(connection, Message::from(text), last_words);
    }

    /// Hands a message to a page. Where the queue is full the page does not read: it gets the last words, and where
    /// there are none the rooms are told first.
    fn queue(&mut self, connection: ConnectionId, message: Message, last_words: Option<String>) {
        let Some(outbox) = self.outboxes.get(&connection) else {
            return;
        };
        let length = length(&message);
        let waiting = outbox.bytes.fetch_add(length, Ordering::Relaxed);
        let full = waiting > 0 && waiting.saturating_add(length) > OUTBOX_BYTES_MAX;
        let full = full
            || match outbox.messages.try_send(message) {
                Ok(()) => false,
                Err(TrySendError::Full(_)) => true,
                // Its task has ended, and tells so itself.
                Err(TrySendError::Closed(_)) => return,
            };
        if !full {
            return;
        }
        if last_words.is_none() {
            self.signaling
                .handle_fault(connection, Fault::TooSlow, self.now());
        }
        // The rooms have forgotten it: nothing but the reason is still to be said.
        let reason = last_words.unwrap_or_else(too_slow);
        if let Some(outbox) = self.outboxes.remove(&connection) {
            // The task may have ended meanwhile; then nobody is left to tell.
            let _ = outbox.give_up.try_send(reason);
        }
    }

    /// Hands commands to the SFU, in their order; one that it does not take waits, and all behind it.
    fn send_commands(&mut self) {
        while let Some(command) = self
            .refused_command
            .take()
            .or_else(|| self.signaling.poll_sfu_command())
        {
            if self.link.send(command.clone()).is_err() {
                self.metrics.sfu_busy.inc();
                self.refused_command = Some(command);
                return;
            }
        }
    }
}

/// Bytes of a message that may wait in a queue.
pub(crate) fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
    }
}

/// What is said to a page that does not read.
pub(crate) fn too_slow() -> String {
    ServerMessage::error(ErrorCode::TooSlow, "messages are not read").encode()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
