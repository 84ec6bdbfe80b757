//! The web client: which folder may import which, and what its packages are licensed as.

use serde_json::Value;

use super::licence;
use super::tree::{self, Source};

/// The folders of `web/src`, from the bottom up: each may import from those below it. `e2ee` stands at the
/// bottom because its worker must be readable on its own.
const ORDER: &[&str] = &["e2ee", "protocol", "media", "room", "ui"];

/// Tools that are used and not shipped may also have this licence (it asks for the source of changed files).
const TOOL_LICENCES: &[&str] = &["MPL-2.0"];

fn import_violations(file: &Source) -> Vec<String> {
    let Some(inner) = file.path.strip_prefix("web/src/") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for imported in imports(&file.text) {
        let place = format!("{} imports {imported}", file.path);
        if imported.contains("testing/") {
            found.push(format!("{place}: tests are never shipped"));
            continue;
        }
        let Some(from) = height(inner) else { continue };
        let Some(target) = resolve(inner, imported) else {
            continue;
        };
        match height(&target) {
            Some(to) if to > from => {
                found.push(format!("{place}: {} stands above {}", ORDER[to], ORDER[from]))
            }
            None if from == 0 => found.push(format!("{place}: nothing outside e2ee may be imported there")),
            _ => {}
        }
    }
    found
}

/// Where a path from `web/src` stands in the order; `None` beside the folders.
fn height(path: &str) -> Option<usize> {
    let (folder, _) = path.split_once('/')?;
    ORDER.iter().position(|name| *name == folder)
}

/// What `imported` means in the file `importer`, as a path from `web/src`; `None` for a package.
fn resolve(importer: &str, imported: &str) -> Option<String> {
    if !imported.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = importer.split('/').collect();
    parts.pop();
    for part in imported.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The quoted word after each `from` or `import`.
fn imports(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for keyword in ["from ", "import ", "import("] {
        for (at, _) in text.match_indices(keyword) {
            let rest = &text[at + keyword.len()..];
            let Some(quote) = rest.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
                continue;
            };
            found.extend(rest[1..].split(quote).next());
        }
    }
    found
}

fn licence_violations(lock: &Value) -> Vec<String> {
    let packages = lock["packages"].as_object().into_iter().flatten();
    packages
        .filter(|(path, _)| !path.is_empty())
        .filter_map(|(path, package)| {
            let expression = package["license"].as_str().unwrap_or("no licence");
            let is_tool = package["dev"].as_bool() == Some(true);
            let allowed = licence::is_allowed(expression) || (is_tool && TOOL_LICENCES.contains(&expression));
            (!allowed).then(|| format!("{path} has the licence {expression}, which is not on the list"))
        })
        .collect()
}

#[test]
fn folders_of_the_web_client_import_downwards() {
    let files = tree::files_ending(&[".ts", ".tsx"]);
    assert!(files.iter().any(|file| file.path.starts_with("web/src/e2ee/")));
    let found: Vec<String> = files.iter().flat_map(import_violations).collect();
    super::assert_none(&found);
}

#[test]
fn packages_of_the_web_client_have_known_licences() {
    let text =
        std::fs::read_to_string(tree::root().join("web/package-lock.json")).expect("there is a lock file");
    let lock: Value = serde_json::from_str(&text).expect("it is JSON");
    assert!(
        lock["packages"]
            .as_object()
            .is_some_and(|packages| packages.len() > 5)
    );
    super::assert_none(&licence_violations(&lock));
}

#[test]
fn an_import_that_points_upwards_or_out_is_found() {
    let one = |path: &str, text: &str| {
        import_violations(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    };
    super::assert_one(
        &one("web/src/room/a.ts", "import { b } from '../ui/b.ts';"),
        "ui stands above room",
    );
    super::assert_one(
        &one("web/src/e2ee/a.ts", "import '../strings.ts';"),
        "nothing outside e2ee",
    );
    super::assert_one(
        &one("web/src/e2ee/a.ts", "await import(\"../media/b.ts\");"),
        "media stands above e2ee",
    );
    super::assert_one(
        &one("web/src/main.tsx", "import { x } from '../testing/x.ts';"),
        "never shipped",
    );
    let fine = "import { a } from './a.ts'; import { c } from '../e2ee/c.ts'; import { sha256 } from '@noble/hashes';";
    super::assert_none(&one("web/src/room/b.ts", fine));
    super::assert_none(&one("web/src/ui/b.tsx", "import { text } from '../strings.ts';"));
}

#[test]
fn a_shipped_package_with_another_licence_is_found() {
    let lock = |licence: &str, dev: bool| {
        let package = serde_json::json!({ "license": licence, "dev": dev });
        serde_json::json!({ "packages": { "": {}, "node_modules/sample": package } })
    };
    super::assert_one(&licence_violations(&lock("MPL-2.0", false)), "MPL-2.0");
    super::assert_one(&licence_violations(&lock("GPL-3.0", true)), "GPL-3.0");
    super::assert_none(&licence_violations(&lock("MPL-2.0", true)));
    super::assert_none(&licence_violations(&lock("MIT", false)));
}
