//! Starts the real program and speaks to it over real sockets.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, killed when the test ends.
pub(crate) struct Server {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<thread::JoinHandle<String>>,
    pub(crate) port: u16,
    pub(crate) metrics_port: u16,
    /// Everything on standard output up to the line that says it is ready.
    pub(crate) greeting: Vec<String>,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Server {
    /// Starts a server on free ports, which logs everything that its own code can say.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--media-address", "127.0.0.1"])
    }

    /// The same with other options.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        Self::start_in(options, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_in(options: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command(&["--port", "0", "--metrics-address", "127.0.0.1:0"])
            .args(options)
            .envs(variables.iter().copied())
            .env("UNDERTONE_LOG", "trace")
            .spawn()
            .expect("the server starts");
        let stdout = lines(child.stdout.take().expect("a pipe"));
        let mut pipe = child.stderr.take().expect("a pipe");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("the log is text");
            text
        });
        let mut server = Self {
            child,
            stdout,
            stderr: Some(stderr),
            port: 0,
            metrics_port: 0,
            greeting: Vec::new(),
        };
        while server.port == 0 {
            let line = server
                .stdout
                .recv_timeout(PATIENCE)
                .expect("the server says that it is ready");
            if let Some(link) = line.strip_prefix("Undertone is ready: ") {
                server.port = link
                    .rsplit(':')
                    .next()
                    .and_then(|port| port.parse().ok())
                    .expect("a port");
            }
            if let Some(rest) = line.strip_prefix("Metrics: http://127.0.0.1:") {
                server.metrics_port = rest.trim_end_matches("/metrics").parse().expect("a port");
            }
            server.greeting.push(line);
        }
        server
    }

    /// Asks for a path of the page's port.
    pub(crate) fn get(&self, path: &str) -> Answer {
        get(self.port, path).expect("the server answers")
    }

    /// What the metrics listener says.
    pub(crate) fn metrics(&self) -> Answer {
        get(self.metrics_port, "/metrics").expect("the metrics listener answers")
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the child can be asked").is_none()
    }

    /// Waits for the end; answers how it ended and what was logged.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        let log = self
            .stderr
            .take()
            .expect("read once")
            .join()
            .expect("the log was read");
        (status, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a server that is expected not to start; answers how it ended and its words.
pub(crate) fn fail_to_start(options: &[&str]) -> (ExitStatus, String) {
    let mut child = command(options).spawn().expect("the program starts");
    let status = wait(&mut child);
    let mut words = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut words)
        .expect("words");
    (status, words)
}

/// Runs `undertone check-config` to its end; answers whether it was content, and its words.
pub(crate) fn check_config(files: &[&Path], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = program();
    command
        .arg("check-config")
        .args(files)
        .envs(variables.iter().copied());
    let output = command.output().expect("the program runs");
    assert_eq!(output.stderr, b"");
    let words = String::from_utf8(output.stdout).expect("text");
    (output.status.success(), words)
}

/// A folder that is gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "undertone-serve-{}-{}",
            std::process::id(),
            FOLDERS.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and answers its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Asks over a connection of its own; nothing when there is no connection.
pub(crate) fn get(port: u16, path: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    Answer::read(stream)
}

impl Answer {
    /// Reads an answer until the other side closes.
    pub(crate) fn read(mut stream: impl Read) -> Option<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
        })
    }
}

fn command(options: &[&str]) -> Command {
    let mut command = program();
    command
        .arg("serve")
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program without the settings of whoever runs the tests.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undertone"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("UNDERTONE_")) {
        command.env_remove(name);
    }
    command
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be asked") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the server did not end in {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}
