//! The service unit holds what it promises, and the server speaks with the service manager that runs it.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;

use crate::server::{Folder, PATIENCE, Server};

const UNIT: &str = include_str!("../../../deploy/undertone.service");
const CONTAINER: &str = include_str!("../../../deploy/Containerfile");

/// The lines of a unit: all values of each key of each section.
fn parse(unit: &str) -> BTreeMap<(&str, &str), Vec<&str>> {
    let mut section = "";
    let mut lines: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for line in unit.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if !line.is_empty() && !line.starts_with('#') {
            let (key, value) = line
                .split_once('=')
                .unwrap_or_else(|| panic!("{line}: no key and value"));
            lines.entry((section, key)).or_default().push(value);
        }
    }
    lines
}

#[test]
fn the_service_runs_without_root_and_is_shut_in() {
    let unit = parse(UNIT);
    for (key, value) in [
        ("Type", "notify"),
        (
            "ExecStart",
            "/usr/local/bin/undertone serve --config /etc/undertone/undertone.toml",
        ),
        ("User", "undertone"),
        ("UMask", "0077"),
        ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
        ("NoNewPrivileges", "true"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "true"),
        ("PrivateTmp", "true"),
        ("PrivateDevices", "true"),
        ("ProtectKernelTunables", "true"),
        ("ProtectProc", "invisible"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("RestrictNamespaces", "true"),
        ("MemoryDenyWriteExecute", "true"),
        ("SystemCallArchitectures", "native"),
        ("LimitCORE", "0"),
    ] {
        assert_eq!(unit.get(&("Service", key)), Some(&vec![value]), "{key}");
    }
    assert_eq!(
        unit.get(&("Service", "SystemCallFilter")),
        Some(&vec!["@system-service", "~@privileged @resources @memlock"])
    );
    assert!(
        unit.keys()
            .all(|(section, key)| *section != "Service" || !key.starts_with("ReadWritePaths"))
    );
}

#[test]
fn the_container_holds_the_program_alone_and_runs_without_root() {
    let last = CONTAINER.rsplit("\nFROM ").next().expect("a stage");
    assert!(last.starts_with("scratch\n"), "{last}");
    assert_eq!(last.matches("\nCOPY ").count(), 1);
    assert!(
        last.contains("\nUSER 65532:65532\n") && last.contains("\nSTOPSIGNAL SIGTERM\n"),
        "{last}"
    );
}

#[test]
fn the_service_manager_hears_when_the_server_is_ready_lives_and_stops() {
    let folder = Folder::new();
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let hear = || {
        let mut words = [0; 1_024];
        let length = socket.recv(&mut words).expect("a word of the server");
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    let wait_for = |part: &str| {
        loop {
            let words = hear();
            if words.lines().any(|line| line.starts_with(part)) {
                return words;
            }
        }
    };
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().expect("a path")),
        ("WATCHDOG_USEC", "200000"),
    ];
    let server = Server::start_in(
        &["--media-address", "127.0.0.1", "--drain-deadline-seconds", "7200"],
        &variables,
    );
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    wait_for("WATCHDOG=1");
    server.signal("TERM");
    let words = wait_for("STOPPING=1");
    assert!(words.contains("EXTEND_TIMEOUT_USEC=7215000000"), "{words}");
    assert_eq!(server.wait().0.code(), Some(0));
}
