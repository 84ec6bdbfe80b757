//! The files that the rules read.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One file of the tree: its path from the root with forward slashes, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the root")
        .to_path_buf()
}

/// Every text file that is committed or would be by `git add`, but for deleted and binary ones.
pub(crate) fn files() -> Vec<Source> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .expect("git lists the files of the tree");
    assert!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files: Vec<Source> = String::from_utf8_lossy(&output.stdout)
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| {
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            Some(Source {
                path: path.to_owned(),
                text,
            })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The files whose name ends with one of `endings`.
pub(crate) fn files_ending(endings: &[&str]) -> Vec<Source> {
    files()
        .into_iter()
        .filter(|file| endings.iter().any(|ending| file.path.ends_with(ending)))
        .collect()
}

#[test]
fn the_tree_is_not_empty() {
    let rust = files_ending(&[".rs"]);
    assert!(rust.iter().any(|file| file.path == "xtask/tests/tidy/tree.rs"));
    assert!(rust.iter().any(|file| file.path == "rtp/src/lib.rs"));
}
