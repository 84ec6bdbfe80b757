//! What each package must never reach, through any chain of normal and build dependencies.

use super::graph::Graph;

/// One row of the table. A pattern is a package name, `prefix-*`, or `siblings`: every other package here.
struct Row {
    package: &'static str,
    never_reaches: &'static [&'static str],
    never_names: &'static [&'static str],
}

/// The table of ARCHITECTURE.md. `e2ee`, `sframe` and `openmls` can open media, `opus` can decode it.
const TABLE: &[Row] = &[
    Row {
        package: "rtp",
        never_reaches: &["tokio", "siblings"],
        never_names: &[],
    },
    Row {
        package: "mls",
        never_reaches: &["tokio", "sframe", "siblings"],
        never_names: &[],
    },
    Row {
        package: "e2ee",
        never_reaches: &["tokio", "rtp", "transport", "sfu-*", "signaling-*", "undertone"],
        never_names: &[],
    },
    Row {
        package: "e2ee-wasm",
        never_reaches: &["tokio", "rtp", "transport", "sfu-*", "signaling-*", "undertone"],
        never_names: &[],
    },
    Row {
        package: "transport",
        never_reaches: &["tokio", "protocol", "e2ee", "sframe"],
        never_names: &[],
    },
    Row {
        package: "protocol",
        never_reaches: &["tokio", "rtp", "e2ee", "sframe"],
        never_names: &[],
    },
    Row {
        package: "sfu-core",
        never_reaches: &[
            "tokio", "protocol", "e2ee", "sframe", "openmls", "opus", "audiopus",
        ],
        // `is` brings serde along, so only the core's own list can be held to this.
        never_names: &["serde", "serde_json"],
    },
    Row {
        package: "sfu-server",
        never_reaches: &[
            "tokio",
            "e2ee",
            "sframe",
            "openmls",
            "opus",
            "audiopus",
            "signaling-*",
        ],
        never_names: &[],
    },
    Row {
        package: "signaling-core",
        never_reaches: &[
            "tokio", "axum", "rtp", "e2ee", "sframe", "opus", "audiopus", "sfu-*",
        ],
        never_names: &[],
    },
    Row {
        package: "signaling-server",
        never_reaches: &["rtp", "e2ee", "sframe", "opus", "audiopus", "sfu-*"],
        never_names: &[],
    },
    Row {
        package: "undertone",
        never_reaches: &["e2ee", "sframe", "opus", "audiopus"],
        // Signaling brings the public half of MLS along; the program has no business with it.
        never_names: &["openmls", "mls"],
    },
    // Both ends in one process, and never part of either.
    Row {
        package: "simulation",
        never_reaches: &["tokio", "sfu-*", "signaling-server", "undertone"],
        never_names: &[],
    },
    // It opens media, so it is an endpoint and knows of the server only what a page knows.
    Row {
        package: "loadtest",
        never_reaches: &["sfu-*", "signaling-*", "undertone"],
        never_names: &[],
    },
];

/// Tools and tests that nothing may stand on.
const NEVER_BY_ANYTHING: &[&str] = &[
    "simulation",
    "xtask",
    "xtask-glue",
    "fuzz-targets",
    "loadtest",
    "e2ee-wasm",
];

fn violations(graph: &Graph, table: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    for row in table {
        if !graph.house().contains(row.package) {
            found.push(format!(
                "the table names {}, which is no package here",
                row.package
            ));
        }
        for (reached, way) in graph.ways(row.package) {
            if row
                .never_reaches
                .iter()
                .any(|pattern| matches(pattern, &reached, row.package, graph))
            {
                found.push(format!("{} reaches {reached}: {}", row.package, way.join(" -> ")));
            }
        }
        for name in row
            .never_names
            .iter()
            .filter(|name| graph.names(row.package, name))
        {
            found.push(format!("{} names {name} in its Cargo.toml", row.package));
        }
    }
    for package in graph.house() {
        for (reached, way) in graph.ways(package) {
            if NEVER_BY_ANYTHING.contains(&reached.as_str()) {
                found.push(format!("{package} reaches {reached}: {}", way.join(" -> ")));
            }
        }
    }
    found
}

fn matches(pattern: &str, reached: &str, package: &str, graph: &Graph) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => reached.starts_with(prefix),
        None if pattern == "siblings" => reached != package && graph.house().contains(reached),
        None => pattern == reached,
    }
}

#[test]
fn no_package_reaches_what_it_must_not() {
    super::assert_none(&violations(&Graph::of_workspace(), TABLE));
}

#[test]
fn every_server_package_and_core_has_a_row() {
    let graph = Graph::of_workspace();
    let exempt = ["xtask", "xtask-glue", "fuzz-targets"];
    let without: Vec<String> = graph
        .house()
        .iter()
        .filter(|package| !exempt.contains(&package.as_str()))
        .filter(|package| TABLE.iter().all(|row| row.package != package.as_str()))
        .cloned()
        .collect();
    super::assert_none(&without);
}

#[test]
fn a_server_that_reaches_media_keys_through_another_crate_is_found() {
    let mut graph = sample();
    graph.add("sfu-server", "harmless");
    graph.add("harmless", "sframe");
    super::assert_one(&violations(&graph, TABLE), "sfu-server -> harmless -> sframe");
}

#[test]
fn a_sibling_of_a_wire_format_crate_is_found() {
    let mut graph = sample();
    graph.add("rtp", "transport");
    super::assert_one(&violations(&graph, TABLE), "rtp reaches transport");
}

#[test]
fn a_whole_family_is_matched_by_its_prefix() {
    let mut graph = sample();
    graph.add("signaling-server", "sfu-core");
    super::assert_one(&violations(&graph, TABLE), "signaling-server reaches sfu-core");
}

#[test]
fn a_core_that_names_serde_itself_is_found_and_one_that_inherits_it_is_not() {
    let mut graph = sample();
    graph.add("sfu-core", "is");
    graph.add("is", "serde");
    super::assert_none(&violations(&graph, TABLE));
    graph.add("sfu-core", "serde");
    super::assert_one(&violations(&graph, TABLE), "sfu-core names serde");
}

#[test]
fn a_package_that_stands_on_a_tool_is_found() {
    let mut graph = sample();
    graph.add("undertone", "xtask");
    super::assert_one(&violations(&graph, TABLE), "undertone reaches xtask");
}

#[test]
fn a_load_tester_that_reaches_a_server_is_found_and_so_is_a_server_that_reaches_it() {
    let mut graph = sample();
    graph.add("loadtest", "sfu-server");
    super::assert_one(&violations(&graph, TABLE), "loadtest reaches sfu-server");
    let mut graph = sample();
    graph.add("undertone", "loadtest");
    super::assert_one(&violations(&graph, TABLE), "undertone reaches loadtest");
}

#[test]
fn a_row_for_a_package_that_is_gone_is_found() {
    let table = [Row {
        package: "gone",
        never_reaches: &[],
        never_names: &[],
    }];
    super::assert_one(&violations(&sample(), &table), "gone");
}

/// The packages of the table without a single edge.
fn sample() -> Graph {
    let mut graph = Graph::default();
    for row in TABLE {
        graph.add_house(row.package);
    }
    graph.add_house("xtask");
    graph
}
