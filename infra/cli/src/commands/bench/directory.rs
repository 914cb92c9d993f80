//! `tocsin bench directory`: people and groups, as fast as it goes.

use crate::{
    args::examples,
    bench::{DirectoryLoad, DirectoryReport, MANY, OneMember, Requests, Walk, run_directory_load},
    output::Output,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("As large as the figures in the README", "tocsin bench directory --people 100000"),
    ("One client alone", "tocsin bench directory --people 5000 --clients 1"),
]))]
pub(super) struct Args {
    /// How many people
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    people: usize,
    /// How many clients make them at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    clients: usize,
    /// How many requests each question is measured by
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    questions: usize,
}

pub(super) async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let Args { people, clients, questions } = args;
    anyhow::ensure!(people >= 200, "--people must be 200 or more");
    anyhow::ensure!(clients > 0 && questions > 0, "--clients and --questions must not be 0");
    let report = run_directory_load(DirectoryLoad { people, clients, questions }).await?;
    if output.is_json() {
        return Ok(output.value(&report)?);
    }
    for (name, value) in lines(&report) {
        output.line(format_args!("{name:<32} {value}"))?;
    }
    Ok(())
}

fn lines(report: &DirectoryReport) -> Vec<(String, String)> {
    let groups = &report.groups;
    let mut lines: Vec<(String, String)> = [
        ("people made", requests(&report.create)),
        ("CPU, clients included", format!("{:.0} µs/person", report.cpu_us_per_person)),
        ("events taken in", format!("{:.1} s after the last", report.taken_in_after_s)),
        ("by id", requests(&report.read)),
        ("by userName eq", requests(&report.find)),
        ("a page of 100", requests(&report.list)),
        ("a walk by number", walk(&report.walk_by_index)),
        ("a walk by cursor", walk(&report.walk_by_cursor)),
        ("one member of a group of 10", member(&groups.small)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    lines.push((format!("one member of {}", groups.members), member(&groups.large)));
    let each: Vec<_> = groups.many_ms.iter().map(|ms| format!("{ms:.0}")).collect();
    lines.push((format!("{MANY} members at once"), format!("{} ms", each.join(", "))));
    lines.push(("that group read".to_owned(), format!("{:.1} ms", groups.read_ms)));
    lines.push(("deleted".to_owned(), format!("{:.0} ms", groups.delete_ms)));
    for (people, kib) in &report.memory {
        lines.push((format!("memory at {people}"), format!("{} MiB", kib / 1024)));
    }
    let end = format!("{} MiB", report.memory_at_end / 1024);
    lines.push(("memory at the end".to_owned(), end));
    lines
}

fn requests(requests: &Requests) -> String {
    let Requests { count, per_second, p50_ms, p99_ms } = requests;
    format!("{per_second:.0}/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms, of {count}")
}

fn member(member: &OneMember) -> String {
    format!("{}, {:.1} table calls", requests(&member.requests), member.table_calls)
}

fn walk(walk: &Walk) -> String {
    let Walk { stayed, missed, repeated, went, came } = walk;
    format!("of {stayed} who stayed {missed} missed, {repeated} repeated; {went} went, {came} came")
}
