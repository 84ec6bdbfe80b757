//! Runs seeded rooms: `simulation [--seeds N | --seed N] [--members N] [--steps N]`.

use std::process::ExitCode;
use std::time::Instant;

use simulation::run::{Plan, run};

fn main() -> ExitCode {
    let mut seeds = 0..20;
    let mut members_max = 8;
    let mut steps = 60;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|word| word.parse::<u64>().ok());
        match (argument.as_str(), number) {
            ("--seeds", Some(number)) => seeds = 0..number,
            ("--seed", Some(number)) => seeds = number..number + 1,
            ("--members", Some(number)) => members_max = usize::try_from(number).unwrap_or(60).clamp(2, 200),
            ("--steps", Some(number)) => steps = usize::try_from(number).unwrap_or(60),
            _ => {
                eprintln!("Usage: simulation [--seeds N | --seed N] [--members N] [--steps N]");
                return ExitCode::from(2);
            }
        }
    }
    let start = Instant::now();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let plan = Plan {
            seed,
            members_max,
            steps,
        };
        if let Err(broken) = run(plan) {
            eprintln!("Seed {seed}, step {}: {}", broken.step, broken.what);
            eprintln!(
                "Repeat it with: cargo xtask sim --seed {seed} --members {members_max} --steps {steps}"
            );
            return ExitCode::FAILURE;
        }
    }
    println!(
        "{count} rooms of up to {members_max} kept their invariants, in {:.1} s.",
        start.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}
