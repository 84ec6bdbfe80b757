//! Every fuzz target is registered, so that `cargo xtask fuzz` runs it and `cargo test` replays its corpus.

use super::tree::{self, Source};

/// Longest fuzz target, in lines: what it does belongs into `fuzz/targets`, where stable Rust tests it.
const TARGET_LINES_MAX: usize = 12;

/// `manifest` is `fuzz/Cargo.toml`, `registry` is `fuzz/targets/src/lib.rs`, `targets` are `fuzz/fuzz_targets/*.rs`.
fn violations(manifest: &str, registry: &str, targets: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for target in targets {
        let name = target
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs");
        if !manifest.contains(&format!("name = \"{name}\"")) {
            found.push(format!("{} has no [[bin]] in fuzz/Cargo.toml", target.path));
        }
        if !registry.contains(&format!("\"{name}\"")) {
            found.push(format!(
                "{} is not in TARGETS of fuzz/targets/src/lib.rs",
                target.path
            ));
        }
        let lines = target.text.lines().count();
        if lines > TARGET_LINES_MAX {
            found.push(format!(
                "{} has {lines} lines; a target only calls a function of fuzz-targets",
                target.path
            ));
        }
    }
    for line in manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"))
    {
        let file = line.trim_end_matches('"');
        if targets
            .iter()
            .all(|target| !target.path.ends_with(&format!("/{file}")))
        {
            found.push(format!(
                "fuzz/Cargo.toml names fuzz_targets/{file}, which does not exist"
            ));
        }
    }
    found
}

#[test]
fn every_fuzz_target_is_registered() {
    let read =
        |path: &str| std::fs::read_to_string(tree::root().join(path)).expect("the fuzz package is there");
    let targets: Vec<Source> = tree::files_ending(&[".rs"])
        .into_iter()
        .filter(|file| file.path.starts_with("fuzz/fuzz_targets/"))
        .collect();
    super::assert_none(&violations(
        &read("fuzz/Cargo.toml"),
        &read("fuzz/targets/src/lib.rs"),
        &targets,
    ));
}

#[test]
fn a_target_that_is_not_registered_or_does_too_much_is_found() {
    let manifest = "[[bin]]\nname = \"known\"\npath = \"fuzz_targets/known.rs\"\n";
    let registry = "target(\"known\", known::run)";
    let known = || sample("known", 6);
    super::assert_none(&violations(manifest, registry, &[known()]));
    super::assert_one(&violations(manifest, "", &[known()]), "TARGETS");
    super::assert_one(
        &violations(manifest, registry, &[sample("known", 40)]),
        "40 lines",
    );
    super::assert_one(&violations(manifest, registry, &[]), "does not exist");
    assert_eq!(
        violations(manifest, registry, &[known(), sample("other", 6)]).len(),
        2
    );
}

fn sample(name: &str, lines: usize) -> Source {
    Source {
        path: format!("fuzz/fuzz_targets/{name}.rs"),
        text: "line\n".repeat(lines),
    }
}
