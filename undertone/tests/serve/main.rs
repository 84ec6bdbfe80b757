//! The server as an operator and a browser meet it.

mod configuration;
mod documentation;
mod drain;
mod port;
mod privacy;
mod server;
mod tls;
mod unit;

use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use server::{Server, fail_to_start, get};

/// A room id of the right shape, which must show up nowhere.
const ROOM: &str = "c29tZS1yYW5kb20tcm9vbQ";

#[test]
fn the_page_is_served_for_home_and_for_every_room_with_strict_headers() {
    let server = Server::start();
    for path in ["/".to_owned(), format!("/r/{ROOM}")] {
        let answer = server.get(&path);
        assert_eq!(answer.status, 200);
        assert!(
            answer.body.contains("<!doctype html>") || answer.body.contains("<!DOCTYPE html>"),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_strict(&answer);
    }
}

#[test]
fn files_with_a_hash_in_their_name_are_kept_forever() {
    let server = Server::start();
    let page = server.get("/").body;
    let script = page
        .split('"')
        .find(|part| part.starts_with("/assets/") && part.ends_with(".js"));
    let answer = server.get(script.expect("the page loads a script"));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(
        answer.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_strict(&answer);
}

#[test]
fn unknown_paths_are_not_found_and_carry_the_same_headers() {
    let server = Server::start();
    for path in [
        "/nothing",
        "/r/",
        "/r/a/b",
        "/assets/nothing.js",
        "/assets/../index.html",
        "/metrics",
        "/index.html",
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_strict(&answer);
    }
}

#[test]
fn health_and_readiness_answer_and_metrics_have_a_listener_of_their_own() {
    let server = Server::start();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let metrics = server.metrics();
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("# TYPE undertone_"), "{}", metrics.body);
    assert_eq!(get(server.metrics_port, "/").expect("an answer").status, 404);
    for path in ["/healthz", "/readyz"] {
        let answer = get(server.metrics_port, path).expect("an answer");
        assert_eq!(
            answer.status, 200,
            "the operator asks without a certificate: {path}"
        );
    }
}

#[test]
fn the_server_says_whether_its_media_port_answered() {
    let server = Server::start();
    let words = server.greeting.join("\n");
    assert!(words.contains("answered"), "{words}");
}

#[test]
fn a_port_in_use_ends_the_start_with_the_setting_and_a_remedy() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = tcp.local_addr().expect("bound").port().to_string();
    let (status, words) = fail_to_start(&["--port", &port, "--metrics-address", "127.0.0.1:0"]);
    assert_eq!(status.code(), Some(1));
    assert!(
        words.contains(&format!("Port {port} (TCP)")) && words.contains("--port"),
        "{words}"
    );

    let metrics = format!("127.0.0.1:{port}");
    let (_, words) = fail_to_start(&["--port", "0", "--metrics-address", &metrics]);
    assert!(words.contains("--metrics-address"), "{words}");
}

#[test]
fn a_media_port_in_use_is_named_as_udp() {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = udp.local_addr().expect("bound").port().to_string();
    let options = [
        "--port",
        &port,
        "--metrics-address",
        "127.0.0.1:0",
        "--media-address",
        "127.0.0.1",
    ];
    let (status, words) = fail_to_start(&options);
    assert_eq!(status.code(), Some(1));
    assert!(
        words.contains(&format!("UDP port {port}")) && words.contains("--port"),
        "{words}"
    );
}

#[test]
fn a_foreign_media_address_is_refused_with_a_remedy() {
    let options = [
        "--port",
        "0",
        "--metrics-address",
        "127.0.0.1:0",
        "--media-address",
        "192.0.2.77",
    ];
    let (status, words) = fail_to_start(&options);
    assert_eq!(status.code(), Some(1));
    assert!(
        words.contains("--media-address 192.0.2.77") && words.contains("ip address"),
        "{words}"
    );
}

#[test]
fn termination_and_interrupt_end_the_server_well() {
    for signal in ["TERM", "INT"] {
        let server = Server::start();
        server.signal(signal);
        let (status, log) = server.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
    }
}

#[test]
fn a_stopping_server_is_not_ready_before_it_is_gone() {
    let server = Server::start();
    server.signal("TERM");
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut seen = Vec::new();
    while let Some(answer) = get(server.port, "/readyz") {
        seen.push(answer.status);
        assert!(Instant::now() < deadline, "the server did not end");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(seen.contains(&503), "{seen:?}");
    assert_eq!(server.wait().0.code(), Some(0));
}

/// Every header of the page's protection.
#[track_caller]
fn assert_strict(answer: &server::Answer) {
    let policy = answer
        .header("content-security-policy")
        .expect("a content security policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types undertone",
    ] {
        assert!(
            policy.split(';').any(|part| part.trim() == directive),
            "{directive} is not in {policy}"
        );
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(self), microphone=(self)"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}
