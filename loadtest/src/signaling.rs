//! The WebSocket of one member.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use protocol::client::{ClientMessage, Create, ErrorCode, ServerMessage, VERSION};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::error::MemberError;
use crate::keys::Access;
use crate::limits::MESSAGE_BYTES_READ_MAX;
use crate::target::Target;

/// What the server says.
#[derive(Debug)]
pub enum Heard {
    /// A text message.
    Message(ServerMessage),
    /// A binary message: a frame of the delivery service.
    Frame(Vec<u8>),
}

/// A connection to signaling.
pub struct Signaling {
    socket: WebSocketStream<TcpStream>,
    server: SocketAddr,
}

impl Signaling {
    /// Connects to the first address of the server that answers.
    pub async fn connect(target: &Target) -> Result<Self, MemberError> {
        let addresses = target.resolve().await?;
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        let server = stream.peer_addr()?;
        let url = format!("ws://{}/ws", target.authority());
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_READ_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_READ_MAX));
        let (socket, _) = client_async_with_config(url, stream, Some(config))
            .await
            .map_err(Box::new)?;
        Ok(Self { socket, server })
    }

    /// Makes a room, on a connection of its own. One that is there already is as good.
    pub async fn create(target: &Target, access: &Access) -> Result<(), MemberError> {
        let mut signaling = Self::connect(target).await?;
        let create = ClientMessage::Create(Create {
            version: VERSION,
            room: access.room(),
            gate_hash: access.gate_hash(),
            owner: access.owner(),
        });
        signaling.say(&create).await?;
        match signaling.hear_message().await {
            Ok(ServerMessage::Created(_)) | Err(MemberError::Refused(ErrorCode::RoomExists, _)) => Ok(()),
            Ok(_) => Err(MemberError::Protocol("no answer to create")),
            Err(error) => Err(error),
        }
    }

    /// The server's address.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Says one message.
    pub async fn say(&mut self, message: &ClientMessage) -> Result<(), MemberError> {
        let sent = self.socket.send(Message::text(message.encode())).await;
        Ok(sent.map_err(Box::new)?)
    }

    /// Says one binary message.
    pub async fn say_frame(&mut self, bytes: Vec<u8>) -> Result<(), MemberError> {
        let sent = self.socket.send(Message::binary(bytes)).await;
        Ok(sent.map_err(Box::new)?)
    }

    /// The next text message; binary ones before it are passed over.
    pub async fn hear_message(&mut self) -> Result<ServerMessage, MemberError> {
        loop {
            if let Heard::Message(message) = self.hear().await? {
                return Ok(message);
            }
        }
    }

    /// The next message; an error of the server is ours. It may be cancelled.
    pub async fn hear(&mut self) -> Result<Heard, MemberError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return match ServerMessage::decode(text.as_bytes()) {
                        Ok(ServerMessage::Error(error)) => {
                            Err(MemberError::Refused(error.code, error.detail))
                        }
                        Ok(message) => Ok(Heard::Message(message)),
                        Err(_) => Err(MemberError::Protocol("not a message")),
                    };
                }
                Some(Ok(Message::Binary(bytes))) => return Ok(Heard::Frame(bytes.to_vec())),
                Some(Ok(Message::Close(_))) | None => return Err(MemberError::Closed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Box::new(error).into()),
            }
        }
    }
}
