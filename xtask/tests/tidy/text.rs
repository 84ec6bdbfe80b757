//! What no committed file may say: paths of one machine, and hosts of package registries.

use super::tree::{self, Source};

/// First parts of absolute paths that exist on somebody's machine and nowhere else.
const MACHINE_FOLDERS: &[&str] = &["home", "root", "work", "farm", "tmp", "Users"];

/// Hosts that packages come from: which one to ask is the machine's setting, not ours. Written in two halves,
/// so that this file passes its own rule.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("pypi", ".org"),
];

fn violations(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        if let Some(path) = machine_path(line) {
            found.push(format!("{place} holds the machine path {path}"));
        }
        if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(**host)) {
            found.push(format!("{place} names the registry host {host}"));
        }
        if file.path.ends_with("package-lock.json") && line.contains("\"resolved\": \"http") {
            found.push(format!(
                "{place} holds the address that a package was downloaded from"
            ));
        }
    }
    found
}

/// The first absolute path in `line` that starts at a machine's folder.
fn machine_path(line: &str) -> Option<&str> {
    line.match_indices('/').find_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "._-~/*}>)]$".contains(c)) {
            return None;
        }
        let rest = &line[at + 1..];
        let folder = MACHINE_FOLDERS
            .iter()
            .find(|folder| rest.strip_prefix(**folder).is_some_and(|r| r.starts_with('/')))?;
        let end = rest[folder.len() + 1..].find(|c: char| !(c.is_alphanumeric() || "._-".contains(c)));
        let length = 1 + folder.len() + 1 + end.unwrap_or(rest.len() - folder.len() - 1);
        (length > folder.len() + 2).then(|| &line[at..at + length])
    })
}

#[test]
fn no_file_names_a_machine_path_or_a_registry_host() {
    let found: Vec<String> = tree::files().iter().flat_map(violations).collect();
    super::assert_none(&found);
}

#[test]
fn a_machine_path_is_found_and_a_relative_or_web_one_is_not() {
    for folder in MACHINE_FOLDERS {
        let text = format!("let file = \"/{folder}/somebody/notes\";");
        super::assert_one(&violations(&sample("a.rs", &text)), "machine path");
    }
    for text in [
        "src/work/unit.rs",
        "https://example.org/home/page",
        "~/.cache/undertone",
        "a / work / b",
        "`/root`",
    ] {
        super::assert_none(&violations(&sample("a.md", text)));
    }
}

#[test]
fn a_registry_host_is_found() {
    let host = ["https://registry.npmjs", ".org/preact"].concat();
    super::assert_one(&violations(&sample("a.toml", &host)), "registry host");
    let resolved = "  \"resolved\": \"http://localhost/preact.tgz\",";
    super::assert_one(
        &violations(&sample("web/package-lock.json", resolved)),
        "downloaded from",
    );
}

fn sample(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
