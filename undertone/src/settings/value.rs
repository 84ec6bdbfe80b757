//! Reading the words of one setting.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::limits::{ADDRESSES_MAX, DRAIN_SECONDS_MAX};
use crate::logging;

/// What the value of a setting looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A port number.
    Port,
    /// Addresses, separated by commas where they are one text.
    Addresses,
    /// An address and a port.
    Socket,
    /// The path of a file.
    File,
    /// The path of a folder.
    Folder,
    /// A whole number of seconds.
    Seconds,
    /// How much is logged.
    Filter,
}

/// A value that was read. It fits its [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Port(u16),
    Addresses(Vec<IpAddr>),
    Socket(SocketAddr),
    File(PathBuf),
    Folder(PathBuf),
    Seconds(u64),
    Filter(String),
}

/// Why a text is no value: what is wrong, and what would be right.
pub(crate) type Misfit = (String, &'static str);

impl Shape {
    /// What stands for a value in `--help`.
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Port => "PORT",
            Self::Addresses => "IP",
            Self::Socket => "IP:PORT",
            Self::File => "FILE",
            Self::Folder => "FOLDER",
            Self::Seconds => "SECONDS",
            Self::Filter => "FILTER",
        }
    }

    /// Whether the file writes it as a number.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Port | Self::Seconds)
    }

    /// Reads the text of a flag, a variable or a string of the file.
    pub(crate) fn read(self, text: &str) -> Result<Value, Misfit> {
        let misfit = |remedy| (format!("{text:?} is not {}", self.in_words()), remedy);
        match self {
            Self::Port => text
                .parse()
                .map(Value::Port)
                .map_err(|_| misfit("Give a number from 0 to 65535; 0 takes a free port.")),
            Self::Addresses => addresses(text).ok_or_else(|| {
                misfit("Give addresses such as 192.0.2.7 or 2001:db8::7, without a port; names are not looked up.")
            }),
            Self::Socket => text
                .parse()
                .map(Value::Socket)
                .map_err(|_| misfit("Give both, such as 127.0.0.1:8081 or [::1]:8081.")),
            Self::File if text.is_empty() => Err(misfit("Give the path of a PEM file, or leave the setting out.")),
            Self::File => Ok(Value::File(PathBuf::from(text))),
            Self::Folder if text.is_empty() => Err(misfit("Give the path of a folder, or leave the setting out.")),
            Self::Folder => Ok(Value::Folder(PathBuf::from(text))),
            Self::Seconds => text
                .parse()
                .ok()
                .filter(|seconds| *seconds <= DRAIN_SECONDS_MAX)
                .map(Value::Seconds)
                .ok_or_else(|| misfit("Give a whole number of seconds from 0 to 86400 (a day).")),
            Self::Filter if logging::is_filter(text) => Ok(Value::Filter(text.to_owned())),
            Self::Filter => Err(misfit("Give off, error, warn, info, debug or trace.")),
        }
    }

    /// For "this is not …".
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Port => "a port",
            Self::Addresses => "a list of 1 to 16 IP addresses",
            Self::Socket => "an IP address and a port",
            Self::File => "the path of a file",
            Self::Folder => "the path of a folder",
            Self::Seconds => "a time in seconds",
            Self::Filter => "a level or filter for the log",
        }
    }
}

/// Each address once, and in its own family: `::ffff:192.0.2.7` is 192.0.2.7.
fn addresses(text: &str) -> Option<Value> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for part in text.split(',') {
        let address = part.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    (addresses.len() <= ADDRESSES_MAX).then_some(Value::Addresses(addresses))
}

/// As the configuration file writes it.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(formatter, "{port}"),
            Self::Seconds(seconds) => write!(formatter, "{seconds}"),
            Self::Addresses(addresses) => {
                let quoted: Vec<String> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
                write!(formatter, "[{}]", quoted.join(", "))
            }
            Self::Socket(address) => write!(formatter, "\"{address}\""),
            Self::File(path) | Self::Folder(path) => write!(formatter, "{:?}", path.to_string_lossy()),
            Self::Filter(filter) => write!(formatter, "{filter:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_refuses_nonsense_with_a_remedy() {
        let too_many: Vec<String> = (0..17).map(|last| format!("192.0.2.{last}")).collect();
        for (shape, text) in [
            (Shape::Port, "65536"),
            (Shape::Port, "tcp://10.0.0.1:80"),
            (Shape::Addresses, "localhost"),
            (Shape::Addresses, "192.0.2.1:8080"),
            (Shape::Addresses, ""),
            (Shape::Addresses, &too_many.join(",")),
            (Shape::Socket, "127.0.0.1"),
            (Shape::File, ""),
            (Shape::Folder, ""),
            (Shape::Seconds, "-1"),
            (Shape::Seconds, "86401"),
            (Shape::Seconds, "30s"),
            (Shape::Filter, "sfu_core=loudly"),
        ] {
            let (problem, remedy) = shape.read(text).expect_err(text);
            assert!(problem.contains(&format!("{text:?} is not")), "{problem}");
            assert!(remedy.starts_with("Give "), "{remedy}");
        }
    }

    #[test]
    fn addresses_are_taken_once_and_in_their_own_family() {
        let value = Shape::Addresses
            .read("192.0.2.7, ::ffff:192.0.2.7,::1")
            .expect("addresses");
        assert_eq!(value.to_string(), r#"["192.0.2.7", "::1"]"#);
    }
}
