use std::net::IpAddr;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;

/// PEM of a certificate for the names, and of its key.
fn issue(names: &[&str], years: (i32, i32)) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn pair(certificate: &str, key: &str) -> Result<Pair, PairError> {
    Pair::new(&Contents {
        certificate: certificate.as_bytes().to_vec(),
        key: Zeroizing::new(key.as_bytes().to_vec()),
    })
}

fn year(year: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952 + 86_400 * 30)
}

#[test]
fn a_certificate_and_its_key_make_a_pair_with_a_host_and_dates() {
    let (certificate, key) = issue(&["*.example.org", "call.example.org"], (2020, 2040));
    let made = pair(&certificate, &key).expect("a pair");
    assert_eq!(made.host.as_deref(), Some("call.example.org"));
    assert_eq!(made.config.alpn_protocols, [b"http/1.1"]);
    assert_eq!(made.warning(year(2030)), None);
    for (host, in_a_link) in [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "[2001:db8::7]")] {
        assert!(host.parse::<IpAddr>().is_ok());
        let (certificate, key) = issue(&[host], (2020, 2040));
        assert_eq!(
            pair(&certificate, &key).expect("a pair").host.as_deref(),
            Some(in_a_link)
        );
    }
}

#[test]
fn a_certificate_out_of_its_time_is_served_with_a_warning() {
    let (certificate, key) = issue(&["call.example.org"], (2020, 2021));
    let made = pair(&certificate, &key).expect("a pair");
    assert!(made.warning(year(2030)).expect("expired").contains("has expired"));
    assert!(
        made.warning(year(2010))
            .expect("too early")
            .contains("does not count yet")
    );
    let soon = made.not_after - Duration::from_secs(86_400);
    assert!(made.warning(soon).expect("soon").contains("less than a week"));
}

#[test]
fn what_does_not_belong_together_or_cannot_be_read_is_named() {
    let (certificate, key) = issue(&["a.example.org"], (2020, 2040));
    let (_, other_key) = issue(&["a.example.org"], (2020, 2040));
    assert_eq!(pair(&certificate, &other_key).err(), Some(PairError::Mismatch));
    assert_eq!(pair("", &key).err(), Some(PairError::NoCertificate));
    assert_eq!(
        pair(&key, &certificate).err(),
        Some(PairError::NoCertificate),
        "swapped"
    );
    assert_eq!(pair(&certificate, "").err(), Some(PairError::NoKey));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert_eq!(pair(&certificate, &encrypted).err(), Some(PairError::NoKey));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(pair(broken, &key).err(), Some(PairError::NoCertificate));
}

#[test]
fn every_refusal_names_its_setting_and_a_remedy() {
    let unreadable = PairError::Unreadable {
        setting: "tls.key",
        reason: "it is a folder".to_owned(),
    };
    for error in [
        PairError::NoCertificate,
        PairError::NoKey,
        PairError::Mismatch,
        unreadable,
    ] {
        let words = error.to_string();
        assert!(words.starts_with("tls.") && words.contains(".\n  "), "{words}");
    }
}
