//! The `tocsin` command: a transmitter in one process, the operator's commands, and a receiver.

pub mod args;
pub mod bench;
pub mod commands;
pub mod home;
pub mod output;
pub mod receiver;
pub mod serve;
pub mod server;
pub mod settings;
pub mod show;
pub mod signals;
pub mod stack;
pub mod tls;
pub mod values;

use std::{fmt::Display, io, process::ExitCode};

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use clap::{ArgMatches, CommandFactory, FromArgMatches, parser::ValueSource};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    prelude::*,
};

use args::Cli;
use output::Output;

/// Does what the command line says.
pub async fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if cli.on.stack.is_some() && names_data(&matches) {
        return failure(&"--stack and --data name two transmitters: leave one of them out");
    }
    let command = cli.command.unwrap_or_default();
    log_to_stderr(cli.log.unwrap_or(Targets::new().with_default(command.log())));
    match command.run(&cli.on, Output::new(cli.json)).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has read enough, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failure(&format_args!("{error:#}")),
    }
}

fn failure(what: &impl Display) -> ExitCode {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    eprintln!("{red}error:{red:#} {what}");
    ExitCode::FAILURE
}

/// Whether the command line itself says `--data`; what the environment says is for whoever names no
/// stack.
fn names_data(matches: &ArgMatches) -> bool {
    let here = matches.try_contains_id("data").is_ok()
        && matches.value_source("data") == Some(ValueSource::CommandLine);
    here || matches.subcommand().is_some_and(|(_, matches)| names_data(matches))
}

fn log_to_stderr(filter: Targets) {
    // Figures are for whoever collects them.
    let filter = filter.with_target(ssf::metrics::TARGET, LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| anstream::AutoStream::auto(io::stderr()))
        .with_filter(filter);
    tracing_subscriber::registry().with(lines).init();
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
