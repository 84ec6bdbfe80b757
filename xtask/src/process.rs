//! Running other programs: their output is shown as it comes and kept for reading, and what went wrong is said
//! with its remedy.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use crate::paths;

/// Why a step failed, and what helps.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    remedy: Option<String>,
}

impl Failure {
    /// A failure that its own words explain.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: None,
        }
    }

    /// Adds what the reader can do about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

/// What a finished program left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// Standard output and standard error, each in its own order, without colours.
    pub(crate) output: String,
    name: String,
}

impl Finished {
    /// Turns an unsuccessful end into a failure.
    pub(crate) fn succeed(self) -> Result<String, Failure> {
        if self.success {
            return Ok(self.output);
        }
        let failure = Failure::new(format!("`{}` failed; its own words are above.", self.name));
        Err(match remedy_for(&self.output) {
            Some(remedy) => failure.remedy(remedy),
            None => failure,
        })
    }
}

/// Runs `command` to its end without standard input, shows its output and keeps it.
pub(crate) fn run(command: &mut Command) -> Result<Finished, Failure> {
    let name = name_of(command);
    // The program writes into a pipe, so it cannot see by itself whether somebody likes colours.
    if io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    } else {
        command
            .env("CARGO_TERM_COLOR", "never")
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(&name, &error))?;
    let errors = child
        .stderr
        .take()
        .map(|stream| thread::spawn(move || copy(stream, io::stderr())));
    let mut output = child
        .stdout
        .take()
        .map(|stream| copy(stream, io::stdout()))
        .unwrap_or_default();
    if let Some(text) = errors.and_then(|thread| thread.join().ok()) {
        output.extend(text);
    }
    let status = child
        .wait()
        .map_err(|error| Failure::new(format!("`{name}` was lost: {error}.")))?;
    let output = without_colours(&String::from_utf8_lossy(&output));
    Ok(Finished {
        success: status.success(),
        output,
        name,
    })
}

/// Runs `command` quietly; its standard output when it succeeds, else nothing.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether `program` is found on the path.
pub(crate) fn exists(program: &str) -> bool {
    which(program).is_some()
}

/// Where `program` lies on the path.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A cargo command at the root of the repository, by the cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(paths::root());
    as_from_a_shell(&mut command);
    command
}

/// Takes away what the cargo that runs us said about this package. Build scripts look at it (that of `ring` at
/// `CARGO_MANIFEST_DIR`), so a build under xtask and one from a shell would each undo the other's work.
pub(crate) fn as_from_a_shell(command: &mut Command) {
    let is_ours = |name: &str| {
        ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_ours)) {
        command.env_remove(name);
    }
}

/// The failure of a program that did not even start.
pub(crate) fn cannot_start(name: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("`{name}` could not be started: {error}."));
    if error.kind() == io::ErrorKind::NotFound {
        return failure.remedy("Install that program, or put it on the PATH, and run this again.");
    }
    failure
}

fn name_of(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words: Vec<String> = std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .map(Into::into)
        .collect();
    words.join(" ")
}

fn copy(mut from: impl Read, mut to: impl Write) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8_192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        // A closed terminal is no reason to stop reading: the program would block.
        let _ = to.write_all(&buffer[..length]).and_then(|()| to.flush());
        kept.extend_from_slice(&buffer[..length]);
    }
    kept
}

/// Leaves out escape sequences of the form `ESC [ … letter`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            let _ = characters.by_ref().skip(1).find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

/// What helps against failures that we know by their words.
fn remedy_for(output: &str) -> Option<&'static str> {
    const NETWORK: &[&str] = &[
        "Could not resolve host",
        "Couldn't resolve host",
        "Temporary failure resolving",
        "failed to download",
        "failed to get `",
        "download of config.json failed",
        "spurious network error",
        "ENOTFOUND",
        "EAI_AGAIN",
        "ETIMEDOUT",
        "ECONNREFUSED",
        "Unable to connect to",
        "Unable to fetch some archives",
    ];
    const COMPILER: &[&str] = &[
        "linker `cc` not found",
        "failed to find tool \"cc\"",
        "failed to find tool \"c++\"",
    ];
    const DISK: &[&str] = &["No space left on device", "ENOSPC"];
    let says = |words: &[&str]| words.iter().any(|word| output.contains(word));
    if says(DISK) {
        return Some("The disk is full: free some space and run this again.");
    }
    if says(COMPILER) {
        return Some("There is no C compiler: install one, on Debian with `apt-get install gcc libc6-dev`.");
    }
    says(NETWORK).then_some(
        "This step needs the network once and did not reach it. Connect (or set the proxy) and run this again: \
         what is already downloaded is kept.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out() {
        assert_eq!(
            without_colours("test result: \u{1b}[32mok\u{1b}[0m. 3 passed"),
            "test result: ok. 3 passed"
        );
    }

    #[test]
    fn a_lost_network_a_missing_compiler_and_a_full_disk_have_their_remedies() {
        let network = remedy_for("npm error code ENOTFOUND").expect("a remedy");
        assert!(network.contains("network"));
        assert!(
            remedy_for("error: linker `cc` not found")
                .expect("a remedy")
                .contains("gcc")
        );
        assert!(
            remedy_for("write: No space left on device")
                .expect("a remedy")
                .contains("disk")
        );
        assert_eq!(remedy_for("error[E0308]: mismatched types"), None);
    }

    #[test]
    fn output_is_kept_and_a_bad_end_is_a_failure() {
        let finished =
            run(Command::new("sh").args(["-c", "echo out; echo ENOTFOUND >&2; exit 3"])).expect("sh runs");
        assert!(!finished.success && finished.output.contains("out\n"));
        let failure = finished.succeed().expect_err("it ended with 3").to_string();
        assert!(
            failure.contains("sh -c") && failure.contains("network"),
            "{failure}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = run(&mut Command::new("no-such-program-here"))
            .expect_err("it cannot start")
            .to_string();
        assert!(
            failure.contains("no-such-program-here") && failure.contains("Install"),
            "{failure}"
        );
    }
}
