//! The web client: its packages and its build, each only when something changed.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;
use crate::setup::node::Node;
use crate::wasm::{self, Care};

/// Folders of `web/` that the build does not read.
const NOT_READ: &[&str] = &["node_modules", "dist", "testing"];

/// `cargo xtask web`.
pub(crate) fn run() -> Result<(), Failure> {
    let mut progress = Progress::new(2);
    let node = progress.step("Web packages", packages)?;
    progress.step("Web client", || build(&node, Care::Quick))
}

/// Node.js and the packages of `package-lock.json`.
pub(crate) fn packages() -> Result<Node, Failure> {
    let node = Node::ensure()?;
    let lock_path = folder().join("package-lock.json");
    let lock = std::fs::read_to_string(&lock_path)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}.", lock_path.display())))?;
    // Lies among the packages, so that it goes when they go. Some packages hold code for one version of Node.js.
    let stamp_path = folder().join("node_modules/.undertone-installed");
    let stamp = format!("{}\n{lock}", node.version().unwrap_or_default());
    if std::fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) {
        eprintln!("  unchanged");
        return Ok(node);
    }
    process::run(&mut node.npm(&["ci", "--no-audit", "--no-fund"]))?.succeed()?;
    write(&stamp_path, &stamp)?;
    Ok(node)
}

/// Builds the group member for browsers, and `web/dist`, unless both its sources and itself are as the last build left
/// them.
pub(crate) fn build(node: &Node, care: Care) -> Result<(), Failure> {
    wasm::build(care)?;
    let stamp_path = paths::target_directory().join("web-build");
    let dist = folder().join("dist");
    let state = || {
        format!(
            "{:016x} {:016x}",
            fingerprint(&folder(), NOT_READ),
            fingerprint(&dist, &[])
        )
    };
    if dist.join("index.html").is_file()
        && std::fs::read_to_string(&stamp_path).is_ok_and(|old| old == state())
    {
        eprintln!("  unchanged");
        return Ok(());
    }
    process::run(&mut node.npm(&["run", "build"]))?.succeed()?;
    write(&stamp_path, &state())
}

fn folder() -> PathBuf {
    paths::root().join("web")
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("{} cannot be written: {error}.", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    std::fs::write(path, text).map_err(cannot)
}

/// A number that changes with any name or content under `folder`, but for what is in `left_out` of it.
fn fingerprint(folder: &Path, left_out: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_folder(folder, left_out, &mut hasher);
    hasher.finish()
}

fn hash_folder(folder: &Path, left_out: &[&str], hasher: &mut DefaultHasher) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if left_out.contains(&name.as_str()) {
            continue;
        }
        name.hash(hasher);
        if path.is_dir() {
            hash_folder(&path, &[], hasher);
        } else {
            std::fs::read(&path).unwrap_or_default().hash(hasher);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_renamed_or_new_file_changes_the_fingerprint_and_a_left_out_one_does_not() {
        let folder = std::env::temp_dir().join(format!("undertone-fingerprint-{}", std::process::id()));
        let file = |path: &str, text: &str| write(&folder.join(path), text).expect("a temporary file");
        file("src/main.ts", "one");
        let first = fingerprint(&folder, NOT_READ);
        file("dist/index.html", "built");
        assert_eq!(fingerprint(&folder, NOT_READ), first);
        file("src/main.ts", "two");
        let second = fingerprint(&folder, NOT_READ);
        assert_ne!(second, first);
        file("src/dist/new.ts", "");
        assert_ne!(fingerprint(&folder, NOT_READ), second);
        std::fs::remove_dir_all(&folder).expect("the temporary folder goes");
    }
}
