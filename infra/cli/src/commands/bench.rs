//! `tocsin bench`: from the queue to the receivers, as fast as it goes; and the directory.

mod directory;

use std::time::Duration;

use ssf::set::Algorithm;

use crate::{
    args::examples,
    bench::{Load, Report, run_load},
    output::Output,
    values,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("As fast as it goes", "tocsin bench --events 20000"),
    ("How long an event takes at 500 a second", "tocsin bench --events 5000 --rate 500"),
    ("One dead receiver among 20", "tocsin bench --streams 20 --dead 1 --events 1000"),
    ("The directory", "tocsin bench directory --people 100000 --clients 8"),
]), args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    of: Option<Of>,

    /// How many events
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    events: usize,
    /// Events per second; left out, as many as get through
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// How SETs are signed
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = values::algorithm)]
    algorithm: Algorithm,
    /// How many push streams want every event
    #[arg(long, value_name = "N", default_value_t = 1)]
    streams: usize,
    /// How many of them have a receiver that takes connections and says nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    dead: usize,
    /// How many different subjects the events are about
    #[arg(long, value_name = "N", default_value_t = 1000)]
    subjects: usize,
}

/// What else is measured.
#[derive(Debug, clap::Subcommand)]
enum Of {
    /// People and groups by SCIM over HTTPS: made, found, listed, joined
    Directory(directory::Args),
}

/// Does it.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    if let Some(Of::Directory(args)) = args.of {
        return directory::run(args, output).await;
    }
    anyhow::ensure!(args.dead < args.streams, "--dead must be less than --streams");
    anyhow::ensure!(args.events > 0 && args.subjects > 0, "--events and --subjects must not be 0");
    let load = Load {
        events: args.events,
        every: args.rate.map(|rate| Duration::from_secs(1) / rate.max(1)),
        algorithm: args.algorithm,
        live: args.streams - args.dead,
        dead: args.dead,
        subjects: args.subjects,
    };
    let report = run_load(&load).await?;
    if output.is_json() {
        output.value(&report)?;
    } else {
        print(&report, output)?;
    }
    Ok(())
}

fn print(report: &Report, output: Output) -> std::io::Result<()> {
    let rows = [
        ("events", format!("{}", report.events)),
        ("SETs received", format!("{}", report.received)),
        ("rate", format!("{:.0} SETs/s", report.sets_per_second)),
        ("enqueue to receipt, p50", format!("{:.1} ms", report.p50_ms)),
        ("p95", format!("{:.1} ms", report.p95_ms)),
        ("p99", format!("{:.1} ms", report.p99_ms)),
        ("CPU, receivers included", format!("{:.0} µs/SET", report.cpu_us_per_set)),
        ("signatures", format!("{:.3} /SET", report.signatures_per_set)),
        ("table reads", format!("{:.3} /SET", report.table_reads_per_set)),
        ("table writes", format!("{:.3} /SET", report.table_writes_per_set)),
        ("queue calls", format!("{:.3} /SET", report.queue_calls_per_set)),
    ];
    for (name, value) in rows {
        output.line(format_args!("{name:<26} {value:>16}"))?;
    }
    for (events, kib) in &report.memory {
        output.line(format_args!(
            "{:<26} {:>12.1} MiB",
            format!("memory at {events}"),
            mib(*kib)
        ))?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
