//! The one TCP port of the real server.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::server::{Answer, PATIENCE, Server};

#[test]
fn media_is_told_from_http_and_both_are_counted() {
    let server = Server::start();
    assert_eq!(server.get("/healthz").status, 200);
    let mut media = TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    // The frame of a STUN request that nobody invited.
    media
        .write_all(&[0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42])
        .expect("sent");
    let line = "undertone_tcp_taken_total{protocol=\"media\"} 1";
    while !server.metrics().body.contains(line) {
        std::thread::yield_now();
    }
    let mut nonsense = TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
    nonsense.write_all(b"SSH-2.0-\r\n").expect("sent");
    nonsense.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut answer = String::new();
    nonsense.read_to_string(&mut answer).expect("an end");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[test]
fn an_address_that_is_for_media_only_has_no_page_and_says_why() {
    let server = Server::start_with(&["--media-address", "127.0.0.2"]);
    let mut stream = TcpStream::connect(("127.0.0.2", server.port)).expect("it listens");
    write!(stream, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("sent");
    let answer = Answer::read(stream).expect("an answer");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("sound and picture only"), "{}", answer.body);
}
