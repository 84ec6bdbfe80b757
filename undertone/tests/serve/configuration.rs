//! Settings as an operator writes them, good and bad.

use std::path::Path;

use crate::server::{Folder, Server, check_config, fail_to_start};
use crate::tls::Pair;

#[test]
fn a_file_is_obeyed_and_a_flag_counts_before_it() {
    let folder = Folder::new();
    let file = folder.write(
        "undertone.toml",
        "port = 1\nmetrics_address = \"127.0.0.1:0\"\nmedia_address = \"127.0.0.1\"\nlog = \"off\"\n",
    );
    // The helper gives --port 0, which is why the forbidden port 1 does no harm.
    let server = Server::start_with(&["--config", file.to_str().expect("a path"), "--log", "trace"]);
    assert_eq!(server.get("/healthz").status, 200);
    server.signal("INT");
    assert!(
        server.wait().1.contains("started"),
        "the flag says how much is logged"
    );
}

#[test]
fn a_bad_setting_ends_the_start_with_its_place_and_a_remedy() {
    let folder = Folder::new();
    let file = folder.write(
        "undertone.toml",
        "log = \"info\"\n[tls]\ncertifcate = \"a.pem\"\n",
    );
    for (options, parts) in [
        (
            &["--config", file.to_str().expect("a path")][..],
            &["line 3", "Did you mean tls.certificate?"][..],
        ),
        (
            &["--config", "absent.toml"],
            &["absent.toml", "cannot be read", "--config"],
        ),
        (&["--port", "http"], &["--port: ", "is not a port", "0 to 65535"]),
        (
            &["--media-address", "my-host"],
            &["--media-address: ", "names are not looked up"],
        ),
        (
            &["--http-address", "0.0.0.0"],
            &["--http-address: ", "camera", "tls.certificate", "proxy"],
        ),
        (
            &["--tls-certificate", "absent.pem"],
            &["--tls-certificate: ", "tls.key"],
        ),
        (
            &["--tls-certificate", "absent.pem", "--tls-key", "absent.pem"],
            &["tls.certificate: ", "cannot be read", "PEM"],
        ),
        (
            &["--drain-deadline-seconds", "1h"],
            &["--drain-deadline-seconds: ", "seconds from 0"],
        ),
        (&["--log", "sfu_core=loudly"], &["--log: ", "trace"]),
    ] {
        let (status, words) = fail_to_start(options);
        assert_eq!(status.code(), Some(1), "{words}");
        for part in parts {
            assert!(words.contains(part), "{part:?} is not in {words}");
        }
    }
}

#[test]
fn check_config_prints_the_settings_that_count_and_where_they_come_from() {
    let folder = Folder::new();
    let file = folder.write("undertone.toml", "\nport = 9000\nhttp_address = \"127.0.0.1\"\n");
    let (is_good, words) = check_config(&[&file], &[("UNDERTONE_LOG", "warn")]);
    assert!(is_good, "{words}");
    for line in [
        "port = 9000 # file, line 2",
        "http_address = [\"127.0.0.1\"] # file, line 3",
        "metrics_address = \"127.0.0.1:8081\" # default",
        "log = \"warn\" # environment",
        "deadline_seconds = 30 # default",
    ] {
        assert!(
            words.lines().any(|other| other == line),
            "{line} is not in {words}"
        );
    }
    let printed = folder.write("printed.toml", words.split("\n/").next().expect("settings"));
    let (is_good, again) = check_config(&[&printed], &[]);
    assert!(is_good, "what was printed is a file that says the same: {again}");
    assert!(again.contains("port = 9000"), "{again}");
}

#[test]
fn check_config_checks_that_certificate_and_key_belong_together_and_shows_no_secret() {
    let folder = Folder::new();
    let (pair, other) = (Pair::issue(), Pair::issue());
    pair.write(&folder);
    folder.write("other.pem", &other.key);
    let text = |key| format!("[tls]\ncertificate = \"certificate.pem\"\nkey = \"{key}\"\n");
    let good = folder.write("good.toml", &text("key.pem"));
    let (is_good, words) = check_config(&[&good], &[]);
    assert!(is_good && words.contains("Certificate: for localhost"), "{words}");
    assert!(words.contains("[\"0.0.0.0\", \"::\"] # default"), "{words}");
    assert!(!words.contains("PRIVATE"), "{words}");

    let bad = folder.write("bad.toml", &text("other.pem"));
    let (is_good, words) = check_config(&[&good, &bad], &[]);
    assert!(!is_good, "one of two is bad");
    assert!(
        words.contains("good.toml: good.") && words.contains("bad.toml: NOT GOOD."),
        "{words}"
    );
    assert!(words.contains("tls.key: the key is not the one"), "{words}");

    Pair::issue_for(2020, 2021).write(&folder);
    let (is_good, words) = check_config(&[&good], &[]);
    assert!(!is_good && words.contains("has expired"), "{words}");
}

#[test]
fn check_config_names_what_is_wrong_and_says_no() {
    let folder = Folder::new();
    for (text, part) in [
        ("prot = 1", "Did you mean port?"),
        ("port = \"x\"", "port = 8080"),
        (
            "http_address = \"192.0.2.7\"",
            "line 1: http_address: without TLS",
        ),
        (
            "media_address = \"192.0.2.7\"",
            "media_address 192.0.2.7: this machine does not have",
        ),
        (
            "metrics_address = \"192.0.2.7:1\"",
            "metrics_address 192.0.2.7: this machine does not have",
        ),
        ("port = [", "line 1"),
    ] {
        let file = folder.write("undertone.toml", text);
        let (is_good, words) = check_config(&[&file], &[]);
        assert!(!is_good && words.contains(part), "{part:?} is not in {words}");
        assert!(words.ends_with("undertone.toml: NOT GOOD.\n"), "{words}");
    }
    let (is_good, words) = check_config(&[Path::new("absent.toml")], &[]);
    assert!(!is_good && words.contains("cannot be read"), "{words}");
    let (is_good, words) = check_config(&[], &[("UNDERTONE_CONFIG", "absent.toml")]);
    assert!(!is_good && words.contains("absent.toml"), "{words}");
    let (is_good, words) = check_config(&[], &[("UNDERTONE_PROT", "1")]);
    assert!(
        is_good && words.contains("Did you mean UNDERTONE_PORT?"),
        "{words}"
    );
}
