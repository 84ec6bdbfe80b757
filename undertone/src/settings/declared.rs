//! Every setting of the server, declared once. Command line, environment, file, `check-config` and their tests
//! read this table; a test holds the documentation and the example file to it.

use super::value::Shape;

/// One setting. Its names follow from each other: `tls.certificate` in the file is `--tls-certificate` as a flag
/// and `UNDERTONE_TLS_CERTIFICATE` in the environment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// In the file: a key, or a section and a key.
    pub(crate) name: &'static str,
    /// The flag, without its dashes.
    pub(crate) flag: &'static str,
    /// The variable of the environment.
    pub(crate) variable: &'static str,
    /// What it looks like.
    pub(crate) shape: Shape,
    /// The default as it would be written on the command line; empty where it depends on other things.
    pub(crate) default: &'static str,
    /// For the operator, in `--help`.
    pub(crate) help: &'static str,
}

impl Setting {
    /// The section of the file, or nothing at the top.
    pub(crate) fn section(&self) -> &'static str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The key within its section.
    pub(crate) fn key(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, key)| key)
    }
}

pub(crate) const PORT: Setting = Setting {
    name: "port",
    flag: "port",
    variable: "UNDERTONE_PORT",
    shape: Shape::Port,
    default: "8080",
    help: "The one number of the server: page, signaling and media over TCP, media over UDP. 0 takes a free one",
};

pub(crate) const HTTP_ADDRESS: Setting = Setting {
    name: "http_address",
    flag: "http-address",
    variable: "UNDERTONE_HTTP_ADDRESS",
    shape: Shape::Addresses,
    default: "",
    help: "An address to serve the page and signaling on; may be repeated. \
           Unless set: this machine only, and with TLS every address",
};

pub(crate) const MEDIA_ADDRESS: Setting = Setting {
    name: "media_address",
    flag: "media-address",
    variable: "UNDERTONE_MEDIA_ADDRESS",
    shape: Shape::Addresses,
    default: "",
    help: "An address to offer for media, over UDP and TCP; may be repeated. \
           Unless set: loopback, and the address of the interface that the default route leaves by",
};

pub(crate) const METRICS_ADDRESS: Setting = Setting {
    name: "metrics_address",
    flag: "metrics-address",
    variable: "UNDERTONE_METRICS_ADDRESS",
    shape: Shape::Socket,
    default: "127.0.0.1:8081",
    help: "Where to serve Prometheus metrics and health, in plain HTTP. Port 0 takes a free one",
};

pub(crate) const LOG: Setting = Setting {
    name: "log",
    flag: "log",
    variable: "UNDERTONE_LOG",
    shape: Shape::Filter,
    default: "info",
    help: "How much of our own code is logged (off, error, warn, info, debug, trace), \
           or a full filter such as info,sfu_core=debug",
};

pub(crate) const STATE_DIRECTORY: Setting = Setting {
    name: "state_directory",
    flag: "state-directory",
    variable: "UNDERTONE_STATE_DIRECTORY",
    shape: Shape::Folder,
    default: "",
    help: "A folder for the one file that the server keeps: the key by which running meetings know it again \
           after a restart",
};

pub(crate) const TLS_CERTIFICATE: Setting = Setting {
    name: "tls.certificate",
    flag: "tls-certificate",
    variable: "UNDERTONE_TLS_CERTIFICATE",
    shape: Shape::File,
    default: "",
    help: "The certificate and its chain (PEM). With it and the key the port speaks HTTPS; \
           new content is taken within seconds",
};

pub(crate) const TLS_KEY: Setting = Setting {
    name: "tls.key",
    flag: "tls-key",
    variable: "UNDERTONE_TLS_KEY",
    shape: Shape::File,
    default: "",
    help: "The private key of the certificate (PEM)",
};

pub(crate) const DRAIN_DEADLINE: Setting = Setting {
    name: "drain.deadline_seconds",
    flag: "drain-deadline-seconds",
    variable: "UNDERTONE_DRAIN_DEADLINE_SECONDS",
    shape: Shape::Seconds,
    default: "30",
    help: "How long calls go on after SIGTERM, in seconds. 0 ends them at once",
};

/// All of them, in the order of the documentation; those of one section together.
pub(crate) const SETTINGS: &[&Setting] = &[
    &PORT,
    &HTTP_ADDRESS,
    &MEDIA_ADDRESS,
    &METRICS_ADDRESS,
    &LOG,
    &STATE_DIRECTORY,
    &TLS_CERTIFICATE,
    &TLS_KEY,
    &DRAIN_DEADLINE,
];

/// The variable that names the file, as `--config` does.
pub(crate) const CONFIG_VARIABLE: &str = "UNDERTONE_CONFIG";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../docs/operations.md");
    const EXAMPLE: &str = include_str!("../../../deploy/undertone.example.toml");

    #[test]
    fn the_names_of_a_setting_follow_from_each_other() {
        for setting in SETTINGS {
            assert_eq!(setting.flag, setting.name.replace(['.', '_'], "-"));
            let variable = format!("UNDERTONE_{}", setting.flag.replace('-', "_").to_uppercase());
            assert_eq!(setting.variable, variable);
        }
    }

    #[test]
    fn the_documentation_lists_every_setting_with_its_names_and_default_and_no_other() {
        let rows: Vec<Vec<&str>> = PAGE
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains("UNDERTONE_"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let listed: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
        let declared: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(listed, declared);
        for (row, setting) in rows.iter().zip(SETTINGS) {
            assert_eq!(row[1], format!("`--{}`", setting.flag));
            assert_eq!(row[2], format!("`{}`", setting.variable));
            assert!(row[3].contains(setting.default), "{row:?}");
        }
    }

    #[test]
    fn the_example_file_shows_every_setting_as_a_comment_with_its_default() {
        assert!(
            super::super::file::parse("example", EXAMPLE)
                .expect("the example can be read")
                .is_empty(),
            "the example sets something"
        );
        // A commented setting is `#key`, prose is `# A sentence`: without the marks only settings remain.
        let uncommented: String = EXAMPLE
            .lines()
            .filter(|line| !line.starts_with("# "))
            .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
            .collect();
        let entries = super::super::file::parse("example", &uncommented)
            .expect("the example can be read without comments");
        let shown: Vec<&str> = entries.iter().map(|entry| entry.setting.name).collect();
        let declared: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(shown, declared);
        for entry in entries.iter().filter(|entry| !entry.setting.default.is_empty()) {
            let default = entry
                .setting
                .shape
                .read(entry.setting.default)
                .expect("a default");
            assert_eq!(entry.value, default, "{}", entry.setting.name);
        }
    }
}
