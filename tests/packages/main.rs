//! What `sam build` makes of the functions: how large they are, how fast they start, what memory
//! and processor time they need. Prints a table, and fails if one is too large, needs too much
//! memory, or takes too long to start beside a function that does nothing; other times depend on
//! the machine.
//!
//! `cargo test -p tests --test packages`; not among the other tests, since it builds everything
//! again as it is deployed.

mod aws;
mod built;
mod lambda;
mod work;

use std::{process::ExitCode, time::Duration};

use aws::Aws;
use built::Built;
use lambda::Function;
use work::{ForEach, Need};

/// How often each function is started, in turns.
const STARTS: usize = 21;

const MEGABYTE: u64 = 1_000_000;
/// A package is at most this large, so that it is quickly there. Those that know people are the largest:
/// they hash passwords, and hold those that most people use.
const LARGEST: u64 = 5_500_000;
/// A function starts within so many times of what one takes that does nothing, on a quiet machine.
const SLOWEST: f64 = 1.5;
/// On any machine.
const NOISE: f64 = 1.4;
/// A function needs less memory than this: half of the least that Lambda gives.
const MEMORY: u64 = 64 * MEGABYTE;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() -> ExitCode {
    let built = Built::now();
    let aws = Aws::new().await;
    let (empty, inits) = inits(&built, &aws).await;
    let needs = work::needs(&built, &aws).await;
    println!("function    zipped MB  init ms  × empty   peak MB  processor µs an event  ours");
    println!("empty      {:10}  {:7.2}", "", 1000.0 * empty.as_secs_f64());
    let mut kept = true;
    for (Need { function, peak_memory, for_each }, init) in needs.into_iter().zip(inits) {
        let zipped = built.zipped(function);
        let slower = init.as_secs_f64() / empty.as_secs_f64();
        println!(
            "{function:9}  {:10.2}  {:7.2}  {slower:7.2}  {:8.1}  {}",
            megabytes(zipped),
            1000.0 * init.as_secs_f64(),
            megabytes(peak_memory),
            for_each.map_or_else(String::new, |ForEach { all, calls }| {
                let ours = all.saturating_sub(calls);
                format!("{:21}  {:5}", all.as_micros(), ours.as_micros())
            }),
        );
        kept &= zipped <= LARGEST && peak_memory < MEMORY && slower <= SLOWEST * NOISE;
    }
    let (largest, memory) = (megabytes(LARGEST), megabytes(MEMORY));
    println!("promised   {largest:10}  {:7}  {SLOWEST:7}  {memory:8}", "");
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long the empty function takes to start, and each of ours: medians of starts in turns, so
/// that whatever else the machine does slows all of them.
async fn inits(built: &Built, aws: &Aws) -> (Duration, Vec<Duration>) {
    let mut empty = Vec::new();
    let mut ours = vec![Vec::new(); built::functions().len()];
    for _ in 0..STARTS {
        empty.push(Function::start(&built.empty, &aws.variables).await.init);
        for (function, inits) in built::functions().into_iter().zip(&mut ours) {
            inits.push(Function::start(&built.program(function), &aws.variables).await.init);
        }
    }
    (median(empty), ours.into_iter().map(median).collect())
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEGABYTE as f64
}
