//! Seeded lives of rooms; a failure prints the command that repeats it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::atomic::{AtomicU64, Ordering};

use simulation::run::{Plan, run};

/// Runs seeds on all cores.
fn run_all(seeds: std::ops::Range<u64>, members_max: usize, steps: usize) {
    let next = AtomicU64::new(seeds.start);
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let plan = Plan {
                        seed,
                        members_max: if members_max > 8 {
                            members_max
                        } else {
                            2 + usize::try_from(seed % 7).unwrap()
                        },
                        steps,
                    };
                    if let Err(broken) = run(plan) {
                        panic!(
                            "step {}: {}\nRepeat it with: cargo xtask sim --seed {seed} --members {} --steps {steps}",
                            broken.step, broken.what, plan.members_max
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn small_rooms_keep_their_invariants() {
    run_all(0..196, 8, 60);
}

#[test]
fn rooms_of_sixty_keep_their_invariants() {
    run_all(1_000..1_004, 60, 40);
}
