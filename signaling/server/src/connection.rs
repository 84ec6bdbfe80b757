//! One task for each WebSocket: it reads for the rooms and writes what they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::ws::{CloseCode, Message, Utf8Bytes, WebSocket, close_code};
use protocol::client::{ErrorCode, ServerMessage};
use signaling_core::{Closing, ConnectionId, Fault, Origin};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite;

use crate::actor::{Input, Outbox, length, too_slow};
use crate::limits::{CLOSE_TIMEOUT, OUTBOX_MAX, PING_INTERVAL, WRITE_TIMEOUT};

/// How a connection ended.
enum End {
    /// The rooms have closed it: everything was said, now it may close.
    Told,
    /// The rooms have given it up, and this is the last word.
    GivenUp(String),
    /// The page closed it, or the line broke.
    Gone(Closing),
    /// The page does what it must not.
    Fault(Fault),
}

/// Serves a WebSocket until it ends.
pub(crate) async fn serve(
    mut socket: WebSocket,
    connection: ConnectionId,
    origin: Origin,
    rooms: mpsc::Sender<Input>,
) {
    let (messages, outbox) = mpsc::channel(OUTBOX_MAX);
    let (give_up, given_up) = mpsc::channel(1);
    let bytes = Arc::new(AtomicUsize::new(0));
    let way = Outbox {
        messages,
        bytes: Arc::clone(&bytes),
        give_up,
    };
    let opened = Input::Opened(connection, origin, way);
    if rooms.send(opened).await.is_err() {
        let reason = ServerMessage::error(ErrorCode::ServerStopping, "the server is being stopped");
        let _ = timeout(CLOSE_TIMEOUT, close(socket, Some(reason.encode()))).await;
        return;
    }
    let mut lines = Lines {
        outbox,
        bytes,
        given_up,
    };
    let mut end = lines.converse(&mut socket, connection, &rooms).await;
    if let End::Fault(fault) = end {
        // The rooms know the words for it, and say them through the outbox, unless that is what does not work.
        let _ = rooms.send(Input::Fault(connection, fault)).await;
        end = match fault {
            Fault::TooSlow => End::GivenUp(too_slow()),
            Fault::TooLarge | Fault::NotText => lines.last_words(&mut socket).await,
        };
    }
    let closing = match end {
        End::Gone(closing) => closing,
        // The rooms have closed it themselves, and pass over this.
        End::Told | End::GivenUp(_) | End::Fault(_) => Closing::Broken,
    };
    // Nobody listens any more only where the server has stopped.
    let _ = rooms.send(Input::Closed(connection, closing)).await;
    drop(lines);
    let farewell = match end {
        End::Gone(_) | End::Fault(_) => return,
        End::Told => None,
        End::GivenUp(reason) => Some(reason),
    };
    // A page that does not read its farewell in time is left without one.
    let _ = timeout(CLOSE_TIMEOUT, close(socket, farewell)).await;
}

/// What comes from the rooms.
struct Lines {
    outbox: mpsc::Receiver<Message>,
    bytes: Arc<AtomicUsize>,
    given_up: mpsc::Receiver<String>,
}

impl Lines {
    async fn converse(
        &mut self,
        socket: &mut WebSocket,
        connection: ConnectionId,
        rooms: &mpsc::Sender<Input>,
    ) -> End {
        let mut pings = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.outbox.recv() => {
                    let Some(message) = message else { return self.end_of_outbox() };
                    self.bytes.fetch_sub(length(&message), Ordering::Relaxed);
                    if let Some(end) = self.write(socket, message).await {
                        return end;
                    }
                }
                _ = pings.tick() => {
                    if let Some(end) = self.write(socket, Message::Ping(Default::default())).await {
                        return end;
                    }
                }
                message = socket.recv() => {
                    let input = match read(message) {
                        Ok(Read::Text(text)) => Input::Text(connection, text),
                        Ok(Read::Binary(bytes)) => Input::Binary(connection, bytes),
                        Ok(Read::Control) => Input::Alive(connection),
                        Err(end) => return end,
                    };
                    if rooms.send(input).await.is_err() {
                        return self.last_words(socket).await;
                    }
                }
            }
        }
    }

    /// Writes one message; an end where that fails, takes too long, or the rooms give up meanwhile.
    async fn write(&mut self, socket: &mut WebSocket, message: Message) -> Option<End> {
        tokio::select! {
            sent = timeout(WRITE_TIMEOUT, socket.send(message)) => match sent {
                Ok(Ok(())) => None,
                Ok(Err(_)) => Some(End::Gone(Closing::Broken)),
                Err(_) => Some(End::Fault(Fault::TooSlow)),
            },
            Some(reason) = self.given_up.recv() => Some(End::GivenUp(reason)),
        }
    }

    /// The rooms have dropped the outbox: because everything was said, or because they gave up.
    fn end_of_outbox(&mut self) -> End {
        self.given_up.try_recv().map_or(End::Told, End::GivenUp)
    }

    /// After a fault that the rooms were told of: writes what they still say.
    async fn last_words(&mut self, socket: &mut WebSocket) -> End {
        while let Some(message) = self.outbox.recv().await {
            if let Some(end) = self.write(socket, message).await {
                return end;
            }
        }
        self.end_of_outbox()
    }
}

/// A frame that does not end the connection.
enum Read {
    Text(Utf8Bytes),
    Binary(Bytes),
    Control,
}

fn read(message: Option<Result<Message, axum::Error>>) -> Result<Read, End> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Read::Text(text)),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(Read::Control),
        Some(Ok(Message::Binary(bytes))) => Ok(Read::Binary(bytes)),
        Some(Ok(Message::Close(frame))) => Err(End::Gone(closing(frame.map(|frame| frame.code)))),
        None => Err(End::Gone(Closing::Broken)),
        Some(Err(error)) => match error.into_inner().downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => Err(End::Fault(Fault::TooLarge)),
            Some(tungstenite::Error::Utf8(_)) => Err(End::Fault(Fault::NotText)),
            _ => Err(End::Gone(Closing::Broken)),
        },
    }
}

/// What a close frame means: a page that is closed or reloaded, or calls `close()`, does not come back.
///
/// Any other code is written by a browser or a proxy for which the line has failed, and the page did not ask for it.
/// Source: RFC 6455 section 7.4; pages can give 1000 and 3000 to 4999 only.
fn closing(code: Option<CloseCode>) -> Closing {
    match code {
        None | Some(close_code::NORMAL | close_code::AWAY | close_code::STATUS | 3_000..=4_999) => {
            Closing::Clean
        }
        Some(_) => Closing::Broken,
    }
}

/// Says the last word, closes, and reads on until the page has closed too: a socket that is dropped with unread
/// bytes resets the line, and the page might never see why.
async fn close(mut socket: WebSocket, farewell: Option<String>) {
    if let Some(farewell) = farewell
        && socket.send(Message::from(farewell)).await.is_err()
    {
        return;
    }
    if socket.send(Message::Close(None)).await.is_err() {
        return;
    }
    while let Some(Ok(_)) = socket.recv().await {}
}
