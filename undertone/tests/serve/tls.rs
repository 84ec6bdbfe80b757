//! HTTPS with a real TLS client.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Answer, Folder, PATIENCE, Server, fail_to_start, get};

/// PEM of a certificate for localhost, and of its key.
pub(crate) struct Pair {
    certificate: String,
    pub(crate) key: String,
}

impl Pair {
    pub(crate) fn issue() -> Self {
        Self::issue_for(2020, 2090)
    }

    /// One that counts between two years.
    pub(crate) fn issue_for(from: i32, to: i32) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Writes `certificate.pem` and `key.pem`.
    pub(crate) fn write(&self, folder: &Folder) {
        folder.write("certificate.pem", &self.certificate);
        folder.write("key.pem", &self.key);
    }

    /// A client that trusts this certificate and no other.
    fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("PEM");
        roots.add(certificate).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// Asks over TLS; an error where the handshake fails.
    fn get(&self, port: u16, path: &str) -> Result<Answer, std::io::Error> {
        self.get_as("localhost", port, path)
    }

    /// The same under another name of the server.
    fn get_as(&self, name: &str, port: u16, path: &str) -> Result<Answer, std::io::Error> {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let connection = ClientConnection::new(self.client(), name).expect("a client");
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let mut stream = StreamOwned::new(connection, socket);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        )?;
        stream.flush()?;
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        Answer::read(stream).ok_or_else(|| std::io::Error::other("no answer"))
    }
}

/// A server with the pair of files in the folder.
pub(crate) fn serve(folder: &Folder) -> Server {
    let file = folder.write(
        "undertone.toml",
        "media_address = \"127.0.0.1\"\n[tls]\ncertificate = \"certificate.pem\"\nkey = \"key.pem\"\n",
    );
    Server::start_with(&["--config", file.to_str().expect("a path")])
}

/// Waits until `condition` holds.
#[track_caller]
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_page_is_served_over_https_and_plain_http_gets_a_sentence() {
    let (folder, pair) = (Folder::new(), Pair::issue());
    pair.write(&folder);
    let server = serve(&folder);
    let greeting = server.greeting.join("\n");
    assert!(
        greeting.contains(&format!("ready: https://localhost:{}", server.port)),
        "{greeting}"
    );
    let answer = pair.get(server.port, "/").expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-security-policy").is_some());
    assert_eq!(
        answer.header("strict-transport-security"),
        None,
        "the host is not ours alone"
    );
    let plain = server.get("/");
    assert_eq!(plain.status, 400);
    assert!(
        plain.body.contains("https://") && !plain.body.contains("<"),
        "{}",
        plain.body
    );
    assert_eq!(
        get(server.metrics_port, "/healthz").expect("an answer").status,
        200
    );
}

#[tokio::test]
async fn signaling_works_over_tls() {
    let (folder, pair) = (Folder::new(), Pair::issue());
    pair.write(&folder);
    let server = serve(&folder);
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", server.port))
        .await
        .expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut config = Arc::unwrap_or_clone(pair.client());
    config.alpn_protocols.clear();
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await;
    let url = format!("wss://localhost:{}/ws", server.port);
    let (mut socket, _) = client_async(url, tls.expect("TLS")).await.expect("a WebSocket");
    socket.send(Message::text("{}")).await.expect("sent");
    let reply = socket
        .next()
        .await
        .expect("an answer")
        .expect("a frame")
        .into_text()
        .expect("text");
    assert!(reply.contains("error"), "{reply}");
}

#[test]
fn a_renewed_certificate_is_taken_and_a_broken_one_leaves_the_old_in_use() {
    let (folder, old, new) = (Folder::new(), Pair::issue(), Pair::issue());
    old.write(&folder);
    let server = serve(&folder);
    old.get(server.port, "/healthz").expect("the first one");
    folder.write("key.pem", "this is no key\n");
    let refused = |server: &Server| {
        server
            .metrics()
            .body
            .contains("tls_reloads_total{outcome=\"refused\"} 1")
    };
    eventually("the broken key is refused", || refused(&server));
    old.get(server.port, "/healthz").expect("the old one still");
    new.write(&folder);
    eventually("the new one is served", || {
        new.get(server.port, "/healthz").is_ok()
    });
    old.get(server.port, "/healthz").expect_err("the old one is gone");
    server.signal("INT");
    let log = server.wait().1;
    assert!(log.contains("tls.key: the file holds no private key"), "{log}");
    assert!(log.contains("a new certificate is served"), "{log}");
}

#[test]
fn the_certificate_that_our_script_makes_for_a_lan_is_served_and_trusted_by_its_authority_alone() {
    let folder = Folder::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/lan-certificate.sh");
    let output = Command::new("sh")
        .arg(script)
        .arg(folder.path(""))
        .args(["127.0.0.1", "localhost", "2001:db8::7", "call.lan"])
        .output()
        .expect("sh and openssl are there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let server = serve(&folder);
    let greeting = server.greeting.join("\n");
    assert!(greeting.contains("ready: https://127.0.0.1:"), "{greeting}");
    let certificate = fs::read_to_string(folder.path("ca.pem")).expect("an authority");
    let authority = Pair {
        certificate,
        key: String::new(),
    };
    for name in ["127.0.0.1", "localhost", "2001:db8::7", "call.lan"] {
        let answer = authority.get_as(name, server.port, "/healthz").expect(name);
        assert_eq!(answer.status, 200);
    }
    authority
        .get_as("other.lan", server.port, "/healthz")
        .expect_err("another name");
    Pair::issue()
        .get(server.port, "/healthz")
        .expect_err("another authority");
    let keys: Vec<String> = fs::read_dir(folder.path(""))
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .filter(|name| name.contains("key"))
        .collect();
    assert_eq!(keys, ["key.pem"], "the authority's key is thrown away");
}

#[test]
fn a_certificate_that_cannot_be_served_ends_the_start() {
    let (folder, pair, other) = (Folder::new(), Pair::issue(), Pair::issue());
    let certificate = folder.write("certificate.pem", &pair.certificate);
    let key = folder.write("key.pem", &other.key);
    let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let start = |certificate: &str, key: &str| {
        let options = [
            "--port",
            "0",
            "--metrics-address",
            "127.0.0.1:0",
            "--tls-certificate",
            certificate,
            "--tls-key",
            key,
        ];
        let (status, words) = fail_to_start(&options);
        assert_eq!(status.code(), Some(1), "{words}");
        words
    };
    let words = start(&path(&certificate), &path(&key));
    assert!(
        words.contains("tls.key: the key is not the one of the certificate"),
        "{words}"
    );
    let words = start(&path(&key), &path(&certificate));
    assert!(
        words.contains("tls.certificate: the file holds no certificate"),
        "{words}"
    );
    let words = start(&path(&certificate), &path(&certificate));
    assert!(
        words.contains("tls.key: the file holds no private key"),
        "{words}"
    );
}

#[test]
fn an_expired_certificate_and_an_open_key_are_served_with_warnings() {
    let (folder, pair) = (Folder::new(), Pair::issue_for(2020, 2021));
    pair.write(&folder);
    let server = serve(&folder);
    assert_eq!(server.get("/").status, 400, "it runs");
    pair.get(server.port, "/")
        .expect_err("the client does not take it");
    server.signal("INT");
    let log = server.wait().1;
    assert!(
        log.contains("tls.certificate: the certificate has expired"),
        "{log}"
    );
    assert!(
        log.contains("tls.key: everybody on this machine may read the file"),
        "{log}"
    );
}

#[test]
fn garbage_and_strangers_in_tls_leave_no_address_in_logs_and_metrics() {
    let (folder, pair, other) = (Folder::new(), Pair::issue(), Pair::issue());
    pair.write(&folder);
    let server = serve(&folder);
    other.get(server.port, "/").expect_err("it trusts somebody else");
    for bytes in [
        &b"\x16\x03\x01\x00\x05q4rbl"[..],
        b"\x80\x80\x80",
        b"\x00\x01x",
        b"GET / HTTP/9\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
        stream.write_all(bytes).expect("sent");
        // The server may have hung up on these bytes already.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    }
    pair.get(server.port, "/").expect("others are served");
    let metrics = server.metrics().body;
    assert!(
        metrics.contains("undertone_tcp_refused_total{reason=\"tls_failed\"} 2"),
        "{metrics}"
    );
    server.signal("INT");
    let log = server.wait().1;
    assert!(log.contains("turned away"), "{log}");
    for (name, text) in [("log", &log), ("metrics", &metrics)] {
        for secret in ["127.0.0.1", "::1", "localhost", "q4rbl"] {
            assert!(!text.contains(secret), "the {name} holds {secret}:\n{text}");
        }
    }
}
