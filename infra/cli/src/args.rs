//! What can be said on the command line.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, builder::StyledStr};
use ssf::Transmitter;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::{
    commands::{
        bench, client, consent, dead_letter, demo, doctor, emit, event, group, keys, listen, serve,
        session, source, stream, token, txn, user,
    },
    home::Home,
    output::Output,
    stack,
};

const GLOBAL: &str = "Global options";

/// A transmitter of the OpenID Shared Signals Framework: takes events in, and delivers them as
/// signed Security Event Tokens (SETs) to the receivers that want them.
#[derive(Debug, Parser)]
#[command(
    name = "tocsin",
    version,
    after_help = examples(&[
        ("See it all work, in a temporary folder", "tocsin demo"),
        ("Run a transmitter", "tocsin serve --data ./data --tls"),
        ("Register a receiver", "tocsin client create --data ./data --name Acme --audience acme"),
        ("Tell what happened", "tocsin emit --data ./data event.json"),
    ])
)]
pub struct Cli {
    /// Print JSON instead of text for people
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,

    /// What to log on stderr: a level, or directives such as `info,ssf=debug`
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "RUST_LOG",
        hide_env_values = true,
        help_heading = GLOBAL
    )]
    pub log: Option<Targets>,

    /// A deployed transmitter to work on.
    #[command(flatten)]
    pub on: OnStack,

    /// What to do; without it, the demo
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See it all work: a transmitter, two receivers and a few events
    Demo(demo::Args),
    /// Run a transmitter
    Serve(serve::Args),
    /// Receive SETs in a terminal
    Listen(listen::Args),
    /// Tell what happened: put events on the ingest queue
    Emit(emit::Args),
    /// Register receivers, and look after them
    Client(client::Args),
    /// Look at the streams of receivers, and change their status
    Stream(stream::Args),
    /// Make, change, lock and delete the people of the directory
    User(user::Args),
    /// Make and change groups of people
    Group(group::Args),
    /// Look at what people let applications have, and take it back
    Consent(consent::Args),
    /// Look at what one change of the directory changed, and who was told
    Txn(txn::Args),
    /// Look at what became of events, and send them again
    Event(event::Args),
    /// Look at messages that could not be events, and deal with them
    DeadLetter(dead_letter::Args),
    /// Look at what AWS and identity providers told, and try what would become of it
    Source(source::Args),
    /// Look at the keys that sign, and change them
    Keys(keys::Args),
    /// Look at where people are signed in, and end it
    Session(session::Args),
    /// Look at access tokens, and revoke them
    Token(token::Args),
    /// Look for what is wrong with a deployed transmitter, and say how to mend it
    #[command(after_help = examples(&[("A deployed one", "tocsin doctor --stack tocsin")]))]
    Doctor,
    /// Measure how fast it is on this machine
    Bench(bench::Args),
}

impl Default for Command {
    fn default() -> Self {
        Self::Demo(demo::Args::default())
    }
}

impl Command {
    /// What it logs unless told otherwise.
    pub fn log(&self) -> LevelFilter {
        match self {
            Self::Serve(_) => LevelFilter::INFO,
            Self::Bench(_) | Self::Demo(_) => LevelFilter::ERROR,
            Self::Client(_)
            | Self::Consent(_)
            | Self::DeadLetter(_)
            | Self::Doctor
            | Self::Emit(_)
            | Self::Event(_)
            | Self::Group(_)
            | Self::Keys(_)
            | Self::Listen(_)
            | Self::Session(_)
            | Self::Source(_)
            | Self::Stream(_)
            | Self::Token(_)
            | Self::Txn(_)
            | Self::User(_) => LevelFilter::WARN,
        }
    }

    /// Does it; the operator's commands on the stack, if one is named.
    pub async fn run(self, on: &OnStack, output: Output) -> anyhow::Result<()> {
        on.check()?;
        match self {
            Self::Client(args) => client::run(args, on, output).await,
            Self::Consent(args) => consent::run(args, on, output).await,
            Self::DeadLetter(args) => dead_letter::run(args, on, output).await,
            Self::Doctor => doctor::run(on, output).await,
            Self::Emit(args) => emit::run(args, on, output).await,
            Self::Event(args) => event::run(args, on, output).await,
            Self::Group(args) => group::run(args, on, output).await,
            Self::Keys(args) => keys::run(args, on, output).await,
            Self::Session(args) => session::run(args, on, output).await,
            Self::Source(args) => source::run(args, on, output).await,
            Self::Stream(args) => stream::run(args, on, output).await,
            Self::Token(args) => token::run(args, on, output).await,
            Self::Txn(args) => txn::run(args, on, output).await,
            Self::User(args) => user::run(args, on, output).await,
            Self::Bench(_) | Self::Demo(_) | Self::Listen(_) | Self::Serve(_)
                if on.stack.is_some() =>
            {
                bail!("this command runs on this machine alone: leave out --stack")
            }
            Self::Bench(args) => bench::run(args, output).await,
            Self::Demo(args) => demo::run(args, output).await,
            Self::Listen(args) => listen::run(args, output).await,
            Self::Serve(args) => serve::run(args, output).await,
        }
    }
}

/// The data folder of a transmitter, for the operator's commands.
#[derive(Clone, Debug, clap::Args)]
pub struct Data {
    /// The data folder of the transmitter; not with --stack
    #[arg(long, value_name = "DIR", env = "TOCSIN_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

/// A deployed transmitter, for the operator's commands.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OnStack {
    /// Work on the transmitter deployed as this CloudFormation stack, instead of a data folder
    #[arg(long, global = true, value_name = "NAME", help_heading = GLOBAL)]
    pub stack: Option<String>,

    /// Where the stack is; else as the AWS command line chooses
    #[arg(long, global = true, value_name = "REGION", help_heading = GLOBAL)]
    pub region: Option<String>,

    // Not global: `client create` has a --profile of its own.
    /// Whose rights to use on the stack; else as the AWS command line chooses. Stands before the
    /// command
    #[arg(id = "aws_profile", long = "profile", value_name = "PROFILE", help_heading = GLOBAL)]
    pub profile: Option<String>,
}

impl OnStack {
    /// Clap cannot say it of options that may stand before and behind the command.
    fn check(&self) -> anyhow::Result<()> {
        match (&self.stack, &self.region, &self.profile) {
            (None, Some(_), _) => bail!("--region says where a stack is: name it by --stack NAME"),
            (None, None, Some(_)) => {
                bail!("--profile says how to reach a stack: name it by --stack NAME")
            }
            (Some(_), _, _) | (None, None, None) => Ok(()),
        }
    }
}

impl Data {
    /// The transmitter there, which must have been made already.
    pub async fn open(&self, on: &OnStack) -> anyhow::Result<Transmitter> {
        match &on.stack {
            Some(name) => stack::open(name, on).await,
            None => at_home(Home::existing(self.folder()?)?).await,
        }
    }

    /// The transmitter there; the folder is made if it is not there.
    pub async fn open_or_make(&self, on: &OnStack) -> anyhow::Result<Transmitter> {
        match &on.stack {
            Some(name) => stack::open(name, on).await,
            None => at_home(Home::open_or_make(self.folder()?)?).await,
        }
    }

    /// The transmitter there, if one is named.
    pub async fn open_if_named(&self, on: &OnStack) -> anyhow::Result<Option<Transmitter>> {
        if self.data.is_none() && on.stack.is_none() {
            return Ok(None);
        }
        self.open(on).await.map(Some)
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        let wanted = "say which transmitter: --data DIR for one on this machine, --stack NAME for \
                      one on AWS";
        self.data.as_deref().context(wanted)
    }
}

/// The transmitter of a folder, with what its messages are known by: nobody may have served it yet.
async fn at_home(home: Home) -> anyhow::Result<Transmitter> {
    home.transmitter.ensure_door_key().await?;
    Ok(home.transmitter)
}

/// The end of a help text: command lines to copy, each with what it does.
pub fn examples(examples: &[(&str, &str)]) -> StyledStr {
    let styles = clap::builder::Styles::styled();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let mut text = StyledStr::new();
    let plural = if examples.len() == 1 { "" } else { "s" };
    let _ = writeln!(text, "{header}Example{plural}:{header:#}");
    for (at, (what, line)) in examples.iter().enumerate() {
        let gap = if at == 0 { "" } else { "\n" };
        let _ = write!(text, "{gap}  {what}:\n    {literal}{line}{literal:#}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_can_be_said_and_shows_an_example() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            command.clone().debug_assert();
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} does not say what it does");
            commands.extend(command.get_subcommands().cloned());
            let help = command.get_after_help().map(ToString::to_string);
            assert!(help.is_some_and(|help| help.contains("Example")), "{name} has no example");
        }
    }
}
