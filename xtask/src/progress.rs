//! Saying which step runs, of how many, and how long it took.

use std::time::{Duration, Instant};

/// Counts the steps of one command.
#[derive(Debug)]
pub(crate) struct Progress {
    step: usize,
    steps: usize,
    started: Instant,
}

impl Progress {
    /// For a command of `steps` steps.
    pub(crate) fn new(steps: usize) -> Self {
        Self {
            step: 0,
            steps,
            started: Instant::now(),
        }
    }

    /// Runs one step between two lines that name it and its time.
    pub(crate) fn step<T, E>(&mut self, name: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.step += 1;
        let label = format!("[{}/{}] {name}", self.step, self.steps);
        eprintln!("{label} ...");
        let started = Instant::now();
        let result = work();
        let end = if result.is_ok() { "done" } else { "FAILED" };
        eprintln!("{label}: {end} in {}", in_words(started.elapsed()));
        result
    }

    /// Time since the command began, in words.
    pub(crate) fn elapsed(&self) -> String {
        in_words(self.started.elapsed())
    }
}

fn in_words(duration: Duration) -> String {
    match duration.as_secs() {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_times() {
        assert_eq!(in_words(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(in_words(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn a_step_hands_on_what_its_work_returned() {
        let mut progress = Progress::new(2);
        assert_eq!(progress.step("first", || Ok::<_, ()>(7)), Ok(7));
        assert!(progress.step("second", || Err::<(), _>("no")).is_err());
    }
}
