//! The graph of packages, as `cargo metadata` knows it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::OnceLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Which package depends on which, by name, over normal and build edges.
#[derive(Default)]
pub(crate) struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
    house: BTreeSet<String>,
}

impl Graph {
    /// Adds a package of this house.
    pub(crate) fn add_house(&mut self, package: &str) {
        self.house.insert(package.to_owned());
        self.edges.entry(package.to_owned()).or_default();
    }

    /// Adds an edge.
    pub(crate) fn add(&mut self, from: &str, to: &str) {
        self.edges
            .entry(from.to_owned())
            .or_default()
            .insert(to.to_owned());
    }

    /// The packages of this house.
    pub(crate) fn house(&self) -> &BTreeSet<String> {
        &self.house
    }

    /// Whether `package` itself names `dependency`.
    pub(crate) fn names(&self, package: &str, dependency: &str) -> bool {
        self.edges
            .get(package)
            .is_some_and(|edges| edges.contains(dependency))
    }

    /// The shortest way from `package` to each package that it reaches, both ends included.
    pub(crate) fn ways(&self, package: &str) -> BTreeMap<String, Vec<String>> {
        let mut ways = BTreeMap::new();
        let mut queue = VecDeque::from([vec![package.to_owned()]]);
        while let Some(way) = queue.pop_front() {
            let last = way.last().expect("a way has its start");
            for next in self.edges.get(last).into_iter().flatten() {
                if next != package && !ways.contains_key(next) {
                    let longer: Vec<String> = way.iter().cloned().chain([next.clone()]).collect();
                    ways.insert(next.clone(), longer.clone());
                    queue.push_back(longer);
                }
            }
        }
        ways
    }

    /// The graph of this workspace.
    pub(crate) fn of_workspace() -> Self {
        let metadata = metadata();
        let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
        let name = |id| metadata[id].name.as_str();
        let mut graph = Self::default();
        for id in &metadata.workspace_members {
            graph.add_house(name(id));
        }
        for node in &resolve.nodes {
            for dependency in &node.deps {
                let ships = dependency
                    .dep_kinds
                    .iter()
                    .any(|kind| kind.kind != DependencyKind::Development);
                if ships {
                    graph.add(name(&node.id), name(&dependency.pkg));
                }
            }
        }
        graph
    }
}

/// What `cargo metadata` says, asked once.
pub(crate) fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        MetadataCommand::new()
            .current_dir(super::tree::root())
            .exec()
            .expect("cargo metadata answers; without a network run `cargo fetch` once with one")
    })
}
