//! What is written to standard error, and how much of it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Crates of this house. Others stay silent unless they are asked for by name: we cannot promise that the
/// libraries under us keep addresses out of their words.
const HOUSE: &[&str] = &[
    "undertone",
    "signaling_server",
    "signaling_core",
    "sfu_server",
    "sfu_core",
    "transport",
    "protocol",
    "rtp",
];

/// Starts logging.
///
/// `wish` holds one level (`debug`), which then counts for our own crates, or a full filter
/// (`info,sfu_core=trace`), which is taken by its word. It [is a filter](is_filter).
pub(crate) fn start(wish: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives(wish)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Whether `wish` can be understood.
pub(crate) fn is_filter(wish: &str) -> bool {
    EnvFilter::builder().parse(directives(wish)).is_ok()
}

fn directives(wish: &str) -> String {
    const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
    let wish = wish.trim().to_lowercase();
    if !wish.is_empty() && !LEVELS.contains(&wish.as_str()) {
        return wish;
    }
    let level = if wish.is_empty() { "info" } else { &wish };
    HOUSE
        .iter()
        .map(|name| format!("{name}={level}"))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_counts_for_our_own_crates_only() {
        let directives = directives("debug");
        assert!(
            directives.contains("sfu_core=debug") && !directives.contains("is=debug"),
            "{directives}"
        );
        assert!(directives.split(',').all(|directive| directive.contains('=')));
    }

    #[test]
    fn no_wish_is_info_and_a_full_filter_is_taken_by_its_word() {
        assert!(directives("").contains("undertone=info"));
        assert_eq!(directives("warn,dimpl=debug"), "warn,dimpl=debug");
    }
}
