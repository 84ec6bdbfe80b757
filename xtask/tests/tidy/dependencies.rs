//! Licences and sources of everything that we build with.

use super::{graph, licence};

/// The one registry that a dependency may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What the rule reads of one package.
struct Package {
    name: String,
    licence: Option<String>,
    /// `None` for a folder on this disk.
    source: Option<String>,
    ours: bool,
}

fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let name = &package.name;
        match &package.source {
            None if package.ours => {}
            None => found.push(format!("{name} is a folder outside the workspace")),
            Some(source) if source == REGISTRY => {}
            Some(source) => found.push(format!("{name} comes from {source}, not from crates.io")),
        }
        match &package.licence {
            Some(expression) if licence::is_allowed(expression) => {}
            Some(expression) => found.push(format!(
                "{name} has the licence {expression}, which is not on the list"
            )),
            None => found.push(format!("{name} does not name its licence")),
        }
    }
    found
}

#[test]
fn dependencies_have_known_licences_and_come_from_crates_io() {
    let metadata = graph::metadata();
    let packages: Vec<Package> = metadata
        .packages
        .iter()
        .map(|package| Package {
            name: package.name.to_string(),
            licence: package.license.clone(),
            source: package.source.as_ref().map(|source| source.repr.clone()),
            ours: metadata.workspace_members.contains(&package.id),
        })
        .collect();
    assert!(
        packages.len() > 50,
        "only {} packages: is this the whole tree?",
        packages.len()
    );
    super::assert_none(&violations(&packages));
}

#[test]
fn a_dependency_with_another_licence_or_none_is_found() {
    super::assert_one(
        &violations(&[sample(Some("GPL-3.0-only"), Some(REGISTRY))]),
        "GPL-3.0-only",
    );
    super::assert_one(
        &violations(&[sample(None, Some(REGISTRY))]),
        "does not name its licence",
    );
}

#[test]
fn a_dependency_from_a_repository_or_a_stray_folder_is_found() {
    super::assert_one(
        &violations(&[sample(Some("MIT"), Some("git+https://example.org/fork"))]),
        "example.org",
    );
    super::assert_one(&violations(&[sample(Some("MIT"), None)]), "outside the workspace");
}

fn sample(licence: Option<&str>, source: Option<&str>) -> Package {
    let licence = licence.map(str::to_owned);
    Package {
        name: "sample".to_owned(),
        licence,
        source: source.map(str::to_owned),
        ours: false,
    }
}
