//! The settings of a server: typed, and valid together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::declared::{
    DRAIN_DEADLINE, HTTP_ADDRESS, LOG, MEDIA_ADDRESS, METRICS_ADDRESS, PORT, STATE_DIRECTORY, Setting,
    TLS_CERTIFICATE, TLS_KEY,
};
use super::error::SettingError;
use super::layers::Layers;
use super::value::Value;

/// Everything that `undertone serve` is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    /// Where page and signaling listen.
    pub(crate) http_addresses: Vec<IpAddr>,
    /// What was asked for; empty means the defaults.
    pub(crate) media_addresses: Vec<IpAddr>,
    pub(crate) metrics_address: SocketAddr,
    pub(crate) log: String,
    /// Where the key lies by which members know the server again.
    pub(crate) state_directory: Option<PathBuf>,
    /// With them the port speaks HTTPS.
    pub(crate) tls: Option<TlsFiles>,
    /// How long calls go on after SIGTERM.
    pub(crate) drain_deadline: Duration,
}

/// The two files of HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Settings {
    /// Takes the settings from their places; fails where they do not go together.
    pub(crate) fn new(layers: &Layers) -> Result<Self, SettingError> {
        let tls = tls(layers)?;
        let http_addresses = match layers.value(&HTTP_ADDRESS) {
            Some((Value::Addresses(addresses), _)) => addresses.clone(),
            _ => default_http_addresses(tls.is_some()),
        };
        if tls.is_none()
            && let Some(address) = http_addresses.iter().find(|address| !address.is_loopback())
        {
            return Err(plain_http(layers, *address));
        }
        Ok(Self {
            port: value(layers, &PORT, |value| match value {
                Value::Port(port) => Some(*port),
                _ => None,
            })?,
            http_addresses,
            media_addresses: match layers.value(&MEDIA_ADDRESS) {
                Some((Value::Addresses(addresses), _)) => addresses.clone(),
                _ => Vec::new(),
            },
            metrics_address: value(layers, &METRICS_ADDRESS, |value| match value {
                Value::Socket(address) => Some(*address),
                _ => None,
            })?,
            log: value(layers, &LOG, |value| match value {
                Value::Filter(filter) => Some(filter.clone()),
                _ => None,
            })?,
            state_directory: match layers.value(&STATE_DIRECTORY) {
                Some((Value::Folder(path), _)) => Some(path.clone()),
                _ => None,
            },
            tls,
            drain_deadline: value(layers, &DRAIN_DEADLINE, |value| match value {
                Value::Seconds(seconds) => Some(Duration::from_secs(*seconds)),
                _ => None,
            })?,
        })
    }
}

/// The value of a setting that has a default. A declaration with another shape is our own mistake, which every
/// start would show.
fn value<T>(
    layers: &Layers,
    setting: &Setting,
    take: impl Fn(&Value) -> Option<T>,
) -> Result<T, SettingError> {
    layers
        .value(setting)
        .and_then(|(value, _)| take(value))
        .ok_or_else(|| {
            SettingError::new(
                setting.name,
                "it has no value",
                "This is a bug of Undertone; please report it.",
            )
        })
}

fn tls(layers: &Layers) -> Result<Option<TlsFiles>, SettingError> {
    let file = |setting| match layers.value(setting) {
        Some((Value::File(path), _)) => Some(path.clone()),
        _ => None,
    };
    let (given, missing) = match (file(&TLS_CERTIFICATE), file(&TLS_KEY)) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => return Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => (&TLS_CERTIFICATE, &TLS_KEY),
        (None, Some(_)) => (&TLS_KEY, &TLS_CERTIFICATE),
    };
    Err(SettingError::new(
        layers.place(given),
        format!("HTTPS needs {} as well", missing.name),
        format!(
            "Set it too (--{}, {} or the file), or leave both out.",
            missing.flag, missing.variable
        ),
    ))
}

fn default_http_addresses(is_tls: bool) -> Vec<IpAddr> {
    if is_tls {
        vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
    } else {
        vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
    }
}

fn plain_http(layers: &Layers, address: IpAddr) -> SettingError {
    SettingError::new(
        layers.place(&HTTP_ADDRESS),
        format!(
            "without TLS the page is not served on {address}, which other machines may reach: browsers give camera \
             and microphone to HTTPS and to localhost only, and on the way the page could be changed and the proof \
             that opens a meeting be read"
        ),
        "Either give the server a certificate (tls.certificate and tls.key; docs/operations.md shows how to make \
         one for a LAN), or leave the setting out and put a proxy that speaks HTTPS on this machine.",
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let flag = |setting: &Setting| {
            let pair = pairs.iter().find(|(name, _)| *name == setting.name);
            pair.map(|(_, words)| (*words).to_owned())
        };
        let nothing = std::iter::empty::<(OsString, OsString)>();
        Layers::read(flag, nothing, None).and_then(|layers| Settings::new(&layers))
    }

    #[test]
    fn nothing_needs_to_be_set_and_plain_http_stays_on_this_machine() {
        let settings = settings(&[]).expect("defaults");
        assert_eq!(settings.port, 8080);
        assert!(settings.http_addresses.iter().all(IpAddr::is_loopback));
        assert!(settings.metrics_address.ip().is_loopback());
        assert_eq!(settings.drain_deadline, Duration::from_secs(30));
    }

    #[test]
    fn plain_http_on_another_address_is_refused_with_the_reason_and_both_remedies() {
        for address in ["192.0.2.7", "0.0.0.0", "::", "::1,2001:db8::7"] {
            let words = settings(&[("http_address", address)])
                .expect_err(address)
                .to_string();
            for part in ["--http-address: ", "camera", "tls.certificate", "proxy"] {
                assert!(words.contains(part), "{words}");
            }
        }
        settings(&[("http_address", "127.0.0.2,::1")]).expect("all of loopback is this machine");
    }

    #[test]
    fn with_tls_every_address_is_served_and_the_chosen_one_may_be_any() {
        let tls = [("tls.certificate", "c.pem"), ("tls.key", "k.pem")];
        let settings_of = |more: &[(&'static str, &'static str)]| settings(&[&tls[..], more].concat());
        let settings = settings_of(&[]).expect("TLS");
        assert!(settings.http_addresses.iter().all(IpAddr::is_unspecified));
        assert_eq!(settings.http_addresses.len(), 2);
        let settings = settings_of(&[("http_address", "192.0.2.7")]).expect("TLS");
        assert_eq!(settings.http_addresses, [IpAddr::from([192, 0, 2, 7])]);
    }

    #[test]
    fn a_certificate_without_a_key_and_a_key_without_a_certificate_are_refused() {
        let words = settings(&[("tls.certificate", "c.pem")])
            .expect_err("no key")
            .to_string();
        assert!(
            words.contains("--tls-certificate: ") && words.contains("--tls-key"),
            "{words}"
        );
        let words = settings(&[("tls.key", "k.pem")])
            .expect_err("no certificate")
            .to_string();
        assert!(
            words.contains("--tls-key: ") && words.contains("--tls-certificate"),
            "{words}"
        );
    }
}
