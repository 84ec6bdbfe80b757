//! Replays the committed corpora.

use std::path::{Path, PathBuf};

use fuzz_targets::TARGETS;

#[test]
fn every_committed_input_passes_its_target() {
    for target in TARGETS {
        for file in files(&corpora().join(target.name)) {
            let input = std::fs::read(&file).expect("a corpus file can be read");
            // Printed only when the target panics: it names the input.
            println!("{}: {}", target.name, file.display());
            (target.run)(&input);
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    assert_eq!(
        unmatched(
            &corpora(),
            &TARGETS.iter().map(|target| target.name).collect::<Vec<_>>()
        ),
        [""; 0]
    );
}

#[test]
fn a_target_without_a_corpus_and_a_corpus_without_a_target_are_found() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpora");
    std::fs::create_dir_all(folder.join("known")).expect("a folder");
    std::fs::write(folder.join("known/one"), b"input").expect("a file");
    std::fs::create_dir_all(folder.join("stray")).expect("a folder");
    assert_eq!(
        unmatched(&folder, &["known", "missing"]),
        ["missing has no corpus", "corpus stray has no target in TARGETS"]
    );
}

/// Targets without a single input and corpora without a target, in words.
fn unmatched(corpora: &Path, targets: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = targets
        .iter()
        .filter(|target| files(&corpora.join(target)).is_empty())
        .map(|target| format!("{target} has no corpus"))
        .collect();
    for folder in entries(corpora) {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !targets.contains(&name.as_str()) {
            found.push(format!("corpus {name} has no target in TARGETS"));
        }
    }
    found
}

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .filter(|path| path.is_file())
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
