//! `undertone check-config`: the settings that would count, and what is wrong with them.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::addresses;
use crate::settings::declared::{HTTP_ADDRESS, MEDIA_ADDRESS, SETTINGS};
use crate::settings::{Layers, Origin, Settings, TlsFiles, Value};
use crate::tls::{self, Contents, Pair};

/// Checks each file, or the configuration without one; whether all are good.
pub(crate) fn check(files: &[PathBuf], out: &mut impl Write) -> std::io::Result<bool> {
    if files.is_empty() {
        return check_one(None, out);
    }
    let mut is_good = true;
    for file in files {
        is_good &= check_one(Some(file), out)?;
    }
    Ok(is_good)
}

fn check_one(file: Option<&Path>, out: &mut impl Write) -> std::io::Result<bool> {
    let name = file.map_or_else(|| "Configuration".to_owned(), |file| file.display().to_string());
    let read = Layers::read(|_| None, std::env::vars_os(), file)
        .and_then(|layers| Settings::new(&layers).map(|settings| (layers, settings)));
    let (layers, settings) = match read {
        Ok(read) => read,
        Err(error) => {
            writeln!(out, "{error}\n{name}: NOT GOOD.")?;
            return Ok(false);
        }
    };
    write_settings(&layers, &settings, out)?;
    for warning in layers.warnings() {
        writeln!(out, "Warning: {warning}")?;
    }
    let mut problems = missing_addresses(&settings);
    if let Some(files) = &settings.tls {
        problems.extend(check_tls(files, out)?);
    }
    if let Some(folder) = settings
        .state_directory
        .as_ref()
        .filter(|folder| !folder.is_dir())
    {
        problems.push(format!(
            "state_directory {}: it is not there.\n  \
             Make the folder and let the server's user write in it, or leave the setting out.",
            folder.display()
        ));
    }
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    let verdict = if problems.is_empty() { "good" } else { "NOT GOOD" };
    writeln!(out, "{name}: {verdict}.")?;
    Ok(problems.is_empty())
}

/// Every setting that has a value, in the form of the file, with the place that it comes from.
fn write_settings(layers: &Layers, settings: &Settings, out: &mut impl Write) -> std::io::Result<()> {
    let mut section = "";
    for setting in SETTINGS {
        let (value, origin) = match layers.value(setting) {
            Some((value, origin)) => (value.clone(), origin),
            None if **setting == HTTP_ADDRESS => (
                Value::Addresses(settings.http_addresses.clone()),
                &Origin::Default,
            ),
            None if **setting == MEDIA_ADDRESS => (
                Value::Addresses(addresses::media(&settings.media_addresses)),
                &Origin::Default,
            ),
            None => continue,
        };
        if setting.section() != section {
            section = setting.section();
            writeln!(out, "[{section}]")?;
        }
        writeln!(out, "{} = {value} # {origin}", setting.key())?;
    }
    Ok(())
}

/// Says what the certificate is; answers what is wrong with it.
fn check_tls(files: &TlsFiles, out: &mut impl Write) -> std::io::Result<Vec<String>> {
    let pair = match Contents::read(files).and_then(|contents| Pair::new(&contents)) {
        Ok(pair) => pair,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let now = SystemTime::now();
    let days = pair
        .not_after
        .duration_since(now)
        .map_or(0, |left| left.as_secs() / 86_400);
    let host = pair
        .host
        .as_deref()
        .unwrap_or("no name that a browser could be sent to");
    writeln!(
        out,
        "Certificate: for {host}, {days} days left; the key belongs to it."
    )?;
    if tls::is_key_open(files) {
        writeln!(
            out,
            "Warning: everybody on this machine may read tls.key; take that right away (chmod o-rwx)."
        )?;
    }
    Ok(pair
        .warning(now)
        .map(|warning| format!("{warning}."))
        .into_iter()
        .collect())
}

/// Asks for a free port on each address, so that a server that runs already is no reason to complain.
fn missing_addresses(settings: &Settings) -> Vec<String> {
    let missing = |name: &str, address: IpAddr, is_here: bool| {
        (!is_here).then(|| {
            format!(
                "{name} {address}: this machine does not have that address.\n  \
                 Give one that `ip address` lists, or leave the setting out."
            )
        })
    };
    let tcp = |address: IpAddr| TcpListener::bind(SocketAddr::new(address, 0)).is_ok();
    let udp = |address: IpAddr| UdpSocket::bind(SocketAddr::new(address, 0)).is_ok();
    // A machine without IPv6 has no ::1 and no ::, which are no reason to refuse a start either.
    let http = settings
        .http_addresses
        .iter()
        .filter(|address| address.is_ipv4() || !(address.is_loopback() || address.is_unspecified()));
    let http = http.filter_map(|address| missing("http_address", *address, tcp(*address)));
    let media = addresses::media(&settings.media_addresses);
    let media = media
        .iter()
        .filter_map(|address| missing("media_address", *address, udp(*address)));
    let metrics = settings.metrics_address.ip();
    http.chain(media)
        .chain(missing("metrics_address", metrics, tcp(metrics)))
        .collect()
}
