//! Counting what passed and what failed.

use serde_json::Value;

/// Numbers of passed and failed checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    /// A step without counts of its own.
    pub(crate) fn one(success: bool) -> Self {
        Self {
            passed: u64::from(success),
            failed: u64::from(!success),
        }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }

    /// What `cargo test` printed, over all its test programs.
    ///
    /// A run that failed without a failed test (it did not compile, or a program crashed) counts as one failure,
    /// one that tested nothing as well.
    pub(crate) fn of_cargo(output: &str, success: bool) -> Self {
        let counts = output
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("test result: "))
            .map(|line| Self {
                passed: number_before(line, " passed"),
                failed: number_before(line, " failed"),
            })
            .fold(Self::default(), Self::plus);
        counts.held_against(success)
    }

    /// What Vitest's JSON reporter wrote.
    pub(crate) fn of_vitest(report: &str, success: bool) -> Self {
        let report: Value = serde_json::from_str(report).unwrap_or_default();
        let number = |name: &str| report[name].as_u64().unwrap_or_default();
        let counts = Self {
            passed: number("numPassedTests"),
            failed: number("numFailedTests"),
        };
        counts.held_against(success)
    }

    /// A program that ended badly has at least one failure; one that ended well has tested something.
    fn held_against(self, success: bool) -> Self {
        let silent_failure = self.failed == 0 && (!success || self.passed == 0);
        self.plus(Self {
            passed: 0,
            failed: u64::from(silent_failure),
        })
    }
}

/// The number right before `word`.
fn number_before(line: &str, word: &str) -> u64 {
    line.split(word)
        .next()
        .and_then(|before| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_several_test_programs_are_added_up() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; finished in 0.00s\n\
                      test result: FAILED. 12 passed; 2 failed; 1 ignored; finished in 0.10s\n";
        assert_eq!(
            Counts::of_cargo(output, false),
            Counts {
                passed: 15,
                failed: 2
            }
        );
    }

    #[test]
    fn a_run_that_did_not_compile_or_tested_nothing_is_a_failure() {
        assert_eq!(
            Counts::of_cargo("error: could not compile", false),
            Counts { passed: 0, failed: 1 }
        );
        assert_eq!(Counts::of_cargo("", true), Counts { passed: 0, failed: 1 });
        let crashed = "test result: ok. 3 passed; 0 failed;\nerror: signal: 6";
        assert_eq!(Counts::of_cargo(crashed, false), Counts { passed: 3, failed: 1 });
    }

    #[test]
    fn vitest_reports_are_read_and_a_missing_one_is_a_failure() {
        let report = r#"{"numTotalTests":5,"numPassedTests":4,"numFailedTests":1}"#;
        assert_eq!(Counts::of_vitest(report, false), Counts { passed: 4, failed: 1 });
        assert_eq!(Counts::of_vitest("", true), Counts { passed: 0, failed: 1 });
        assert_eq!(
            Counts::of_vitest(r#"{"numPassedTests":4}"#, false),
            Counts { passed: 4, failed: 1 }
        );
    }
}
