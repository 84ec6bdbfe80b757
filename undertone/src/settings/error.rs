//! What is wrong with a setting, for the operator.

use std::fmt;

/// A setting that cannot be used: where it was written, what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettingError {
    place: String,
    problem: String,
    remedy: String,
}

impl SettingError {
    pub(crate) fn new(
        place: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}.\n  {}", self.place, self.problem, self.remedy)
    }
}

impl std::error::Error for SettingError {}

/// The one of `known` that looks most like `word`, where one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this similarity (0 to 1) a guess confuses more than it helps. Two letters swapped in a word of three
    /// are above it.
    const SIMILAR: f64 = 0.6;
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(word, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}
