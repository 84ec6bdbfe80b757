//! Debian packages: installed when we may, otherwise named by the exact command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Failure};

/// A program, and the packages that bring it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// Any one of these names on the path will do.
    pub(crate) programs: &'static [&'static str],
    pub(crate) packages: &'static [&'static str],
}

/// The linker, and what `ring` compiles its C and assembly with.
pub(crate) const COMPILER: Need = Need {
    programs: &["cc"],
    packages: &["gcc", "libc6-dev"],
};

/// The browser of the browser tests.
pub(crate) const CHROMIUM: Need = Need {
    programs: &["chromium", "chromium-browser", "google-chrome"],
    packages: &["chromium"],
};

/// The other browser of the browser tests.
pub(crate) const FIREFOX: Need = Need {
    programs: &["firefox-esr", "firefox"],
    packages: &["firefox-esr"],
};

/// The network of its own that the browser tests run in.
pub(crate) const NAMESPACE: Need = Need {
    programs: &["unshare"],
    packages: &["util-linux"],
};

/// Addresses and routes of that network.
pub(crate) const ADDRESSES: Need = Need {
    programs: &["ip"],
    packages: &["iproute2"],
};

/// Packets that the tests lose on purpose.
pub(crate) const FIREWALL: Need = Need {
    programs: &["nft"],
    packages: &["nftables"],
};

/// What the tests listen to the network with.
pub(crate) const TCPDUMP: Need = Need {
    programs: &["tcpdump"],
    packages: &["tcpdump"],
};

/// Node as Debian has it: old, but its npm brings a newer one.
pub(crate) const NODE: Need = Need {
    programs: &["npm"],
    packages: &["nodejs", "npm"],
};

/// Installs what is missing of `needs`, or says how.
pub(crate) fn install(needs: &[Need]) -> Result<(), Failure> {
    let missing: Vec<&Need> = needs.iter().filter(|need| found(need).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = missing.iter().map(|need| need.programs[0]).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages).copied().collect();
    let programs = programs.join(" and ");
    match Right::of_this_user() {
        Right::None => Err(
            Failure::new(format!("{programs}: not on this machine.")).remedy(format!(
                "Install it by hand (Debian calls it {}) and run this again.",
                packages.join(" ")
            )),
        ),
        Right::Ask => Err(Failure::new(format!(
            "{programs}: not on this machine, and installing needs your password."
        ))
        .remedy(format!(
            "Run this, then the same command again:\n  {}",
            by_hand(&packages)
        ))),
        Right::Root => apt(&["apt-get"], &packages),
        Right::Sudo => apt(&["sudo", "-n", "apt-get"], &packages),
    }
}

/// Where `need` lies, if it is installed.
pub(crate) fn found(need: &Need) -> Option<PathBuf> {
    // Users other than root rarely have the second folder on their path.
    let system = ["/usr/bin", "/usr/sbin"].map(Path::new);
    need.programs.iter().find_map(|program| {
        let in_system = || {
            system
                .iter()
                .map(|folder| folder.join(program))
                .find(|path| path.is_file())
        };
        process::which(program).or_else(in_system)
    })
}

fn apt(apt_get: &[&str], packages: &[&str]) -> Result<(), Failure> {
    let command = |arguments: &[&str]| {
        let mut command = Command::new(apt_get[0]);
        command
            .args(&apt_get[1..])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    eprintln!("  installing the Debian packages {}", packages.join(" "));
    process::run(&mut command(&["update", "-q"]))?.succeed()?;
    let mut install = command(&["install", "-y", "-q", "--no-install-recommends"]);
    process::run(install.args(packages))?.succeed()?;
    Ok(())
}

fn by_hand(packages: &[&str]) -> String {
    format!(
        "sudo apt-get update && sudo apt-get install -y {}",
        packages.join(" ")
    )
}

/// Who may install packages.
enum Right {
    Root,
    /// `sudo` without a password.
    Sudo,
    /// Only after a password, which we do not ask for.
    Ask,
    /// There is no apt here.
    None,
}

impl Right {
    fn of_this_user() -> Self {
        if !process::exists("apt-get") {
            return Self::None;
        }
        if process::ask(Command::new("id").arg("-u")).as_deref() == Some("0") {
            return Self::Root;
        }
        if process::ask(Command::new("sudo").args(["-n", "true"])).is_some() {
            Self::Sudo
        } else {
            Self::Ask
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed() {
        let need = Need {
            programs: &["no-such-program-here", "sh"],
            packages: &["no-such-package"],
        };
        assert!(found(&need).is_some_and(|path| path.ends_with("sh")));
        assert!(install(&[need]).is_ok());
    }

    #[test]
    fn the_command_by_hand_is_exact() {
        assert_eq!(
            by_hand(&["chromium", "tcpdump"]),
            "sudo apt-get update && sudo apt-get install -y chromium tcpdump"
        );
    }
}
