//! SIGTERM lets calls go on for a while.

use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::{PATIENCE, Server};

const ROOM: &str = "c29tZS1yYW5kb20tcm9vbQ";

/// 32 zero bytes, and their SHA-256.
const GATE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const GATE_HASH: &str = "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Somebody who is in a room.
async fn join(server: &Server) -> Socket {
    let url = format!("ws://127.0.0.1:{}/ws", server.port);
    let (mut socket, _) = connect_async(url).await.expect("a WebSocket");
    for (message, answer) in [
        (
            format!(
                r#"{{"type":"create","version":1,"room":"{ROOM}","gate_hash":"{GATE_HASH}","owner":"AAAAAAAAAAAAAAAAAAAAAA"}}"#
            ),
            "created",
        ),
        (
            format!(r#"{{"type":"hello","version":1,"room":"{ROOM}","gate":"{GATE}","media":true}}"#),
            "joined",
        ),
    ] {
        socket.send(Message::text(message)).await.expect("sent");
        wait_for(&mut socket, answer).await;
    }
    socket
}

/// Reads until a message of the type comes.
async fn wait_for(socket: &mut Socket, kind: &str) {
    let kind = format!(r#""type":"{kind}""#);
    loop {
        let frame = socket.next().await.expect("it is open").expect("a frame");
        if frame.to_text().is_ok_and(|text| text.contains(&kind)) {
            return;
        }
    }
}

fn start(deadline_seconds: &str) -> Server {
    Server::start_with(&[
        "--media-address",
        "127.0.0.1",
        "--drain-deadline-seconds",
        deadline_seconds,
    ])
}

#[tokio::test]
async fn a_drained_server_is_not_ready_serves_who_is_inside_and_ends_when_they_have_left() {
    let mut server = start("600");
    let mut socket = join(&server).await;
    server.signal("TERM");
    wait_for(&mut socket, "stopping").await;
    assert_eq!(server.get("/readyz").status, 503);
    assert_eq!(server.get("/healthz").status, 200);
    assert!(server.is_running());
    socket
        .send(Message::text(r#"{"type":"leave"}"#))
        .await
        .expect("it still listens");
    socket.close(None).await.expect("it still listens");
    assert_eq!(server.wait().0.code(), Some(0));
}

#[tokio::test]
async fn the_deadline_ends_a_drain() {
    let server = start("1");
    let mut socket = join(&server).await;
    server.signal("TERM");
    wait_for(&mut socket, "stopping").await;
    wait_for(&mut socket, "error").await;
    drop(socket);
    assert_eq!(server.wait().0.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_and_an_interrupt_end_the_server_at_once() {
    for signals in [&["TERM", "TERM"][..], &["TERM", "INT"], &["INT"]] {
        let server = start("600");
        let mut socket = join(&server).await;
        let begin = Instant::now();
        for signal in signals {
            server.signal(signal);
            if *signal == "TERM" {
                while server.get("/readyz").status != 503 {}
            }
        }
        wait_for(&mut socket, "error").await;
        drop(socket);
        assert_eq!(server.wait().0.code(), Some(0));
        assert!(begin.elapsed() < PATIENCE);
    }
}
