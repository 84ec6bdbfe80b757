use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rcgen::generate_simple_self_signed;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::super::listeners::Place;
use super::*;
use crate::limits::{FIRST_BYTE_TIME, FIRST_BYTE_TIME_CROWDED, HANDSHAKE_TIME, HEAD_TIME};

const WIDE: Bounds = Bounds { silent: 8, http: 8 };

/// A port on loopback with a page, and one address more that is for media only.
struct Port {
    pages: SocketAddr,
    media: SocketAddr,
    counters: Counters,
    /// What was handed over as media.
    taken: Arc<Mutex<Vec<std::net::TcpStream>>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Port {
    fn open(bounds: Bounds, tls: Option<Arc<ServerConfig>>) -> Self {
        let (pages, media) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let listeners = Listeners::bind(&Place::of_port(&[pages], &[media]), 0).expect("a free port");
        let port = listeners.port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let counters = Counters::new().expect("counters");
        let doors = Doors {
            routes: Router::new().route("/", get("the page\n")),
            tls: tls.map(|config| watch::channel(config).1),
            media: Some(Arc::new({
                let taken = Arc::clone(&taken);
                move |stream| taken.lock().expect("unharmed").push(stream)
            })),
        };
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(listeners.serve_within(bounds, doors, counters.clone(), stopped));
        Self {
            pages: SocketAddr::new(pages, port),
            media: SocketAddr::new(media, port),
            counters,
            taken,
            stop,
            serving,
        }
    }

    /// Waits until a refusal was counted that often.
    async fn refused(&self, refused: Refused, times: u64) {
        while self.counters.refused(refused) < times {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.counters.refused(refused), times);
    }
}

fn tls() -> Arc<ServerConfig> {
    let pair = generate_simple_self_signed(["localhost".to_owned()]).expect("a pair");
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key);
    Arc::new(config.expect("a configuration"))
}

async fn say(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    stream.write_all(bytes).await.expect("it can be written");
    stream
}

/// Everything until the other side closes, whether orderly or not.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn http_gets_the_page_and_media_goes_to_its_door_with_every_byte() {
    let port = Port::open(WIDE, None);
    assert!(rest(say(port.pages, REQUEST).await).await.ends_with("the page\n"));
    for address in [port.pages, port.media] {
        let _stream = say(address, &[0, 3, 1, 2, 3]).await;
        let taken = loop {
            if let Some(taken) = port.taken.lock().expect("unharmed").pop() {
                break taken;
            }
            tokio::task::yield_now().await;
        };
        taken.set_nonblocking(false).expect("a socket");
        let mut bytes = [0; 5];
        (&taken).read_exact(&mut bytes).expect("five bytes");
        assert_eq!(bytes, [0, 3, 1, 2, 3]);
        assert_eq!(taken.local_addr().expect("bound"), address);
        let socket = socket2::SockRef::from(&taken);
        assert_eq!(
            socket.tcp_user_timeout().expect("an option"),
            Some(UNACKNOWLEDGED_TIME)
        );
    }
}

#[tokio::test]
async fn bytes_that_are_nobodys_and_tls_without_a_certificate_are_closed_and_counted() {
    let port = Port::open(WIDE, None);
    assert_eq!(rest(say(port.pages, b"\x80\x2e\x01").await).await, "");
    port.refused(Refused::UnknownProtocol, 1).await;
    assert_eq!(rest(say(port.pages, b"\x16\x03\x01").await).await, "");
    port.refused(Refused::TlsNotSet, 1).await;
    drop(say(port.pages, b"").await);
    port.refused(Refused::LeftSilent, 1).await;
}

#[tokio::test]
async fn the_page_is_not_on_an_address_of_media_and_not_in_clear_beside_https() {
    let port = Port::open(WIDE, None);
    let words = rest(say(port.media, REQUEST).await).await;
    assert!(
        words.starts_with("HTTP/1.1 400") && words.contains("sound and picture only"),
        "{words}"
    );
    port.refused(Refused::HttpOnMediaAddress, 1).await;
    let port = Port::open(WIDE, Some(tls()));
    for address in [port.pages, port.media] {
        let words = rest(say(address, REQUEST).await).await;
        assert!(
            words.starts_with("HTTP/1.1 400") && words.contains("https://"),
            "{words}"
        );
    }
    port.refused(Refused::PlainHttp, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_is_closed_and_counted() {
    let port = Port::open(WIDE, None);
    let silent = say(port.pages, b"").await;
    let start = tokio::time::Instant::now();
    assert_eq!(rest(silent).await, "");
    assert!(start.elapsed() >= FIRST_BYTE_TIME, "{:?}", start.elapsed());
    port.refused(Refused::Silent, 1).await;
}

#[tokio::test(start_paused = true)]
async fn where_many_are_silent_they_have_less_time() {
    let port = Port::open(Bounds { silent: 2, http: 8 }, None);
    let first = say(port.pages, b"").await;
    let second = say(port.pages, b"").await;
    let start = tokio::time::Instant::now();
    assert_eq!(rest(second).await, "");
    let waited = start.elapsed();
    assert!(
        waited >= FIRST_BYTE_TIME_CROWDED && waited < FIRST_BYTE_TIME,
        "{waited:?}"
    );
    assert_eq!(rest(first).await, "");
}

#[tokio::test]
async fn one_silent_connection_too_many_is_closed_and_the_place_is_free_again_afterwards() {
    let port = Port::open(Bounds { silent: 1, http: 8 }, None);
    let silent = say(port.pages, b"").await;
    while port.counters.silent.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rest(say(port.pages, b"").await).await, "");
    port.refused(Refused::TooManySilent, 1).await;
    drop(silent);
    port.refused(Refused::LeftSilent, 1).await;
    assert!(rest(say(port.pages, REQUEST).await).await.ends_with("the page\n"));
}

#[tokio::test]
async fn one_http_connection_too_many_is_closed_and_counted() {
    let port = Port::open(Bounds { silent: 8, http: 1 }, None);
    let _slow = say(port.pages, b"GET / HTTP/1.1\r\n").await;
    while port.counters.http.get() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rest(say(port.pages, REQUEST).await).await, "");
    port.refused(Refused::TooManyHttp, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_and_a_connection_without_a_next_request_are_closed() {
    let port = Port::open(WIDE, None);
    for bytes in [
        "GET / HTTP/1.1\r\nHost:",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let start = tokio::time::Instant::now();
        let _ = rest(say(port.pages, bytes.as_bytes()).await).await;
        let waited = start.elapsed();
        assert!(
            waited >= HEAD_TIME && waited < 2 * HEAD_TIME,
            "{bytes:?}: {waited:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_stalls_or_is_nonsense_is_ended_and_counted() {
    let port = Port::open(WIDE, Some(tls()));
    let start = tokio::time::Instant::now();
    assert_eq!(rest(say(port.pages, b"\x16\x03\x01\x02").await).await, "");
    assert!(start.elapsed() >= HANDSHAKE_TIME);
    port.refused(Refused::TlsSlow, 1).await;
    let _alert = rest(say(port.pages, b"\x16\x03\x01\x00\x05hello").await).await;
    port.refused(Refused::TlsFailed, 1).await;
}

#[tokio::test]
async fn a_port_that_stops_closes_idle_and_silent_connections_and_ends() {
    let port = Port::open(WIDE, None);
    let silent = say(port.pages, b"").await;
    let mut idle = say(port.pages, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    port.stop.send(true).expect("it serves");
    let ended = timeout(Duration::from_secs(20), port.serving).await;
    ended.expect("in time").expect("no panic");
    assert_eq!(rest(silent).await, "");
    assert!(rest(idle).await.ends_with("the page\n"));
    assert!(
        TcpStream::connect(port.pages).await.is_err(),
        "the sockets are closed"
    );
}
