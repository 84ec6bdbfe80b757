//! A Node.js that is new enough: the machine's own, or one of ours in a cache folder.

use std::path::PathBuf;
use std::process::Command;

use super::debian;
use crate::paths;
use crate::process::{self, Failure};

/// The oldest Node.js that the web client's tools run on, as (major, minor).
const NODE_MIN: (u32, u32) = (22, 12);

/// What we install where that is missing. Debian's npm finds its parts only under Debian's Node.js, so a newer
/// npm comes along.
const PACKAGES: &[&str] = &["node@22", "npm@11"];

/// How to run Node's programs.
#[derive(Debug)]
pub(crate) struct Node {
    /// The folder that goes first on the path; none when the machine's own Node.js will do.
    folder: Option<PathBuf>,
}

impl Node {
    /// Finds a new enough Node.js or installs one.
    pub(crate) fn ensure() -> Result<Self, Failure> {
        let own = Self { folder: None };
        if own.is_new_enough() && process::exists("npm") {
            return Ok(own);
        }
        let cache = cache()?;
        let ours = Self {
            folder: Some(cache.join("node_modules/.bin")),
        };
        if ours.is_new_enough() {
            return Ok(ours);
        }
        debian::install(&[debian::NODE])?;
        eprintln!("  installing Node.js 22 into {}", cache.display());
        let cannot = |error| Failure::new(format!("{} cannot be created: {error}.", cache.display()));
        std::fs::create_dir_all(&cache).map_err(cannot)?;
        let mut install = own.npm(&[
            "install",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--prefix",
        ]);
        process::run(install.arg(&cache).args(PACKAGES).current_dir(&cache))?.succeed()?;
        if ours.is_new_enough() {
            return Ok(ours);
        }
        Err(Failure::new(format!(
            "npm installed node@22 into {}, but it does not run.",
            cache.display()
        ))
        .remedy("Install Node.js 22.12 or newer by hand and run this again."))
    }

    /// An npm command in the folder of the web client.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("npm");
        command
            .args(arguments)
            .current_dir(paths::root().join("web"))
            .env("PATH", self.path());
        command
    }

    /// The version, as Node.js prints it.
    pub(crate) fn version(&self) -> Option<String> {
        // The program of a command is looked up on the path of the command.
        process::ask(Command::new("node").arg("--version").env("PATH", self.path()))
    }

    fn is_new_enough(&self) -> bool {
        self.version()
            .as_deref()
            .and_then(parse)
            .is_some_and(|version| version >= NODE_MIN)
    }

    fn path(&self) -> std::ffi::OsString {
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.folder.iter().cloned().chain(std::env::split_paths(&rest));
        std::env::join_paths(folders).unwrap_or(rest.clone())
    }
}

fn cache() -> Result<PathBuf, Failure> {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(home);
    base.map(|base| base.join("undertone/node"))
        .ok_or_else(|| Failure::new("There is no place for a cache.").remedy("Set HOME or XDG_CACHE_HOME."))
}

/// Reads `v22.12.0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(parse("v22.12.0").expect("a version") >= NODE_MIN);
        assert!(parse("v24.1.0").expect("a version") >= NODE_MIN);
        assert!(parse("v22.9.0").expect("a version") < NODE_MIN);
        assert!(parse("v18.20.4").expect("a version") < NODE_MIN);
        assert_eq!(parse("not a version"), None);
    }
}
