//! The rules of the house that a compiler does not know, as tests.
//!
//! Each rule is a function from text or a graph to a list of violations. Beside the test that holds the tree
//! to it stands one that shows it a sample which breaks it, so that a rule cannot go blind unnoticed.

mod cores;
mod cycles;
mod dependencies;
mod fuzzing;
mod graph;
mod licence;
mod reaches;
mod sizes;
mod text;
mod tree;
mod web;

/// Fails the test with every violation on a line of its own.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{} found:\n  {}",
        violations.len(),
        violations.join("\n  ")
    );
}

/// Fails the test unless exactly one violation was found and it says `part`.
#[track_caller]
fn assert_one(violations: &[String], part: &str) {
    assert_eq!(
        violations.len(),
        1,
        "expected one violation, found {violations:?}"
    );
    assert!(
        violations[0].contains(part),
        "{:?} does not say {part:?}",
        violations[0]
    );
}
