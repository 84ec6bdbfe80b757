//! What the server writes down about its guests: nothing that names them.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::server::Server;

/// A room id of the right shape.
const ROOM: &str = "c29tZS1yYW5kb20tcm9vbQ";

/// 32 zero bytes, and their SHA-256.
const GATE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const GATE_HASH: &str = "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU";

#[tokio::test]
async fn a_visit_leaves_no_address_room_or_proof_in_logs_and_metrics() {
    let server = Server::start();
    let room = server.get(&format!("/r/{ROOM}"));
    assert_eq!(room.status, 200);
    let (mut socket, _) = connect_async(format!("ws://127.0.0.1:{}/ws", server.port))
        .await
        .expect("the server takes WebSockets");
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
        (
            r#"{"type":"answer","negotiation":1,"sdp":"v=0"}"#.to_owned(),
            "error",
        ),
    ] {
        socket
            .send(Message::text(message))
            .await
            .expect("the message is sent");
        let reply = socket
            .next()
            .await
            .expect("an answer")
            .expect("a frame")
            .into_text()
            .expect("text");
        assert!(reply.contains(&format!(r#""type":"{answer}""#)), "{reply}");
    }
    let metrics = server.metrics().body;
    server.signal("TERM");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0));

    // Something was written, so its silence means something.
    assert!(log.contains("undertone"), "the log is empty");
    assert!(metrics.contains("undertone_signaling_"), "{metrics}");
    for (name, text) in [("log", &log), ("metrics", &metrics)] {
        for secret in [ROOM, GATE, GATE_HASH, "127.0.0.1", "::1", "localhost"] {
            assert!(!text.contains(secret), "the {name} holds {secret}:\n{text}");
        }
    }
}
