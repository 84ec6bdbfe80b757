//! `docs/metrics.md` and the server speak of the same metrics.

use std::collections::BTreeSet;

use crate::server::Folder;
use crate::tls::{self, Pair};

const PAGE: &str = include_str!("../../../docs/metrics.md");

#[test]
fn every_metric_and_every_reason_of_a_drop_is_on_its_page_and_none_that_is_gone() {
    let folder = Folder::new();
    Pair::issue().write(&folder);
    // With TLS, so that there is every metric that can be.
    let metrics = tls::serve(&folder).metrics().body;
    let served: BTreeSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let listed: BTreeSet<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `undertone_")?.split('`').next())
        .collect();
    let listed: BTreeSet<String> = listed.iter().map(|name| format!("undertone_{name}")).collect();
    assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<_>>(), served);

    for line in metrics.lines().filter(|line| {
        line.starts_with("undertone_sfu_drops_total{") || line.starts_with("undertone_tcp_refused_total{")
    }) {
        let reason = line.split('"').nth(1).expect("a reason");
        assert!(
            PAGE.contains(&format!("`{reason}`")),
            "{reason} is not on the page"
        );
    }
}
