//! `cargo xtask test`: every check and test, one after the other, with one count at the end.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::check;
use crate::paths;
use crate::process::{self, Failure};
use crate::progress::Progress;
use crate::setup::debian;
use crate::setup::node::Node;
use crate::summary::Counts;
use crate::wasm::Care;
use crate::web;

/// `cargo xtask test`.
pub(crate) fn test() -> ExitCode {
    let mut suite = Suite::new(11);
    suite.tools();
    let node = suite.web_client();
    suite.step("Format", || one(&mut process::cargo(check::FORMAT)));
    suite.step("Clippy", || one(&mut process::cargo(check::CLIPPY)));
    suite.step("Documentation", || {
        let mut doc = process::cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
        one(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    });
    suite.step("Rust tests", || {
        let finished = process::run(&mut process::cargo(&["test", "--workspace", "--no-fail-fast"]))?;
        Ok(Counts::of_cargo(&finished.output, finished.success))
    });
    suite.step("Web types and lints", || {
        one(&mut installed(&node)?.npm(&["run", "check"]))
    });
    suite.step("Web tests", || {
        vitest(installed(&node)?.npm(&["run", "test"]), "web-tests.json")
    });
    suite.browser_tests(&node);
    suite.end()
}

/// `cargo xtask browser`.
pub(crate) fn browser() -> ExitCode {
    let mut suite = Suite::new(5);
    suite.tools();
    let node = suite.web_client();
    suite.browser_tests(&node);
    suite.end()
}

/// Steps whose failures do not stop the ones after them.
struct Suite {
    progress: Progress,
    counts: Counts,
    failed_steps: Vec<String>,
}

impl Suite {
    fn new(steps: usize) -> Self {
        Self {
            progress: Progress::new(steps),
            counts: Counts::default(),
            failed_steps: Vec::new(),
        }
    }

    /// Runs a step that counts what it checked.
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts, Failure>) {
        let result = self.progress.step(name, || match work() {
            Ok(counts) if counts.failed == 0 => Ok(counts),
            Ok(counts) => Err((counts, None)),
            Err(failure) => Err((Counts::one(false), Some(failure))),
        });
        let counts = result.unwrap_or_else(|(counts, failure)| {
            self.failed_steps.push(name.to_owned());
            if let Some(failure) = failure {
                eprintln!("{failure}");
            }
            counts
        });
        self.counts = self.counts.plus(counts);
    }

    /// Runs a step that makes what later steps need, and counts as one.
    fn make<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
        let mut made = None;
        self.step(name, || {
            made = Some(work()?);
            Ok(Counts::one(true))
        });
        made
    }

    fn tools(&mut self) {
        self.make("Tools", || {
            debian::install(&[
                debian::COMPILER,
                debian::CHROMIUM,
                debian::FIREFOX,
                debian::NAMESPACE,
                debian::ADDRESSES,
                debian::FIREWALL,
                debian::TCPDUMP,
            ])
        });
    }

    fn web_client(&mut self) -> Option<Node> {
        let node = self.make("Web packages", web::packages);
        self.make("Web client", || web::build(installed(&node)?, Care::Quick));
        node
    }

    fn browser_tests(&mut self, node: &Option<Node>) {
        let server = self.make("Server that can be listened to", server_with_capture);
        self.step("Browser tests", || {
            let server = server.ok_or_else(|| Failure::new("Not run: the server was not built."))?;
            let mut tests = installed(node)?.npm(&["run", "test:browser"]);
            tests.env("UNDERTONE_BINARY", server);
            for (setting, need) in [("CHROMIUM", debian::CHROMIUM), ("FIREFOX", debian::FIREFOX)] {
                if std::env::var_os(setting).is_some() {
                    continue;
                }
                let found = debian::found(&need);
                tests.env(
                    setting,
                    found.ok_or_else(|| Failure::new(format!("Not run: no {}.", need.programs[0])))?,
                );
            }
            vitest(tests, "browser-tests.json")
        });
    }

    fn end(self) -> ExitCode {
        let Counts { passed, failed } = self.counts;
        eprintln!("\nTook {}.", self.progress.elapsed());
        if !self.failed_steps.is_empty() {
            eprintln!("Failed: {}", self.failed_steps.join(", "));
        }
        println!("{passed} passed, {failed} failed");
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// A program that counts as one check.
fn one(command: &mut Command) -> Result<Counts, Failure> {
    process::run(command)?.succeed().map(|_| Counts::one(true))
}

fn installed(node: &Option<Node>) -> Result<&Node, Failure> {
    node.as_ref()
        .ok_or_else(|| Failure::new("Not run: the web packages are not installed."))
}

/// Runs an npm script that ends in Vitest, and reads the report that it is asked for.
fn vitest(mut script: Command, report: &str) -> Result<Counts, Failure> {
    let report = paths::target_directory().join(report);
    // An old report must not speak for a run that wrote none.
    let _ = std::fs::remove_file(&report);
    script.args(["--", "--reporter=default", "--reporter=json"]);
    script.arg(format!("--outputFile.json={}", report.display()));
    let finished = process::run(&mut script)?;
    Ok(Counts::of_vitest(
        &std::fs::read_to_string(&report).unwrap_or_default(),
        finished.success,
    ))
}

/// The server with the tap of the blindness test, under a name of its own: the plain one may be running.
fn server_with_capture() -> Result<PathBuf, Failure> {
    // With it the crowd of the browser tests and members of other builds. The whole workspace, because its tests have
    // built most of it with the same features.
    let features = ["--features", "undertone/capture"];
    let mut build = process::cargo(&["build", "--workspace", "--bins", "--examples"]);
    process::run(build.args(features))?.succeed()?;
    let built = paths::target_directory().join("debug/undertone");
    let kept = paths::target_directory().join("debug/undertone-capture");
    std::fs::copy(&built, &kept)
        .map_err(|error| Failure::new(format!("{} cannot be copied: {error}.", built.display())))?;
    Ok(kept)
}
