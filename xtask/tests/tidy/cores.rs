//! Cores read no clock, open no socket and depend on no order of a hash map: clippy refuses it, as long as their
//! own `clippy.toml` asks it to.

use super::tree;

/// The folders of the pure crates.
const CORES: &[&str] = &[
    "rtp",
    "transport",
    "protocol",
    "e2ee",
    "sfu/core",
    "signaling/core",
];

/// What each core's `clippy.toml` bans. That file replaces the one at the root, it does not add to it.
const BANNED: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::collections::HashMap::iter",
];

fn violations(core: &str, clippy_toml: Option<&str>) -> Vec<String> {
    let Some(text) = clippy_toml else {
        return vec![format!("{core}/clippy.toml is missing")];
    };
    // Comments do not ban anything.
    let text: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    BANNED
        .iter()
        .filter(|path| !text.contains(&format!("\"{path}\"")))
        .map(|path| format!("{core}/clippy.toml does not ban {path}"))
        .collect()
}

#[test]
fn every_core_bans_clocks_sockets_and_hash_order() {
    let found: Vec<String> = CORES
        .iter()
        .flat_map(|core| {
            let text = std::fs::read_to_string(tree::root().join(core).join("clippy.toml")).ok();
            violations(core, text.as_deref())
        })
        .collect();
    super::assert_none(&found);
}

#[test]
fn a_core_without_its_bans_is_found() {
    super::assert_one(&violations("sample", None), "sample/clippy.toml is missing");
    let all: String = BANNED
        .iter()
        .map(|path| format!("{{ path = \"{path}\" }},\n"))
        .collect();
    super::assert_none(&violations("sample", Some(&all)));
    let commented = all.replace(
        "{ path = \"std::net::UdpSocket\"",
        "# { path = \"std::net::UdpSocket\"",
    );
    super::assert_one(&violations("sample", Some(&commented)), "std::net::UdpSocket");
}
