//! `tocsin source`: what AWS and identity providers told.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;
use ssf::{
    clock::{Clock, SystemClock},
    config::{Config, Settings},
    event::{EventRules, EventType, MAX_EVENT_BYTES, SecurityEvent},
    source::{self, Opened, Source, SourceState},
};

use crate::{
    args::{Data, OnStack, examples},
    output::{ASIDE, Cell, GOOD, Output, Table, advise, time},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See what comes", "tocsin source list --data ./data"),
    ("What would become of an envelope", "tocsin source try envelope.json"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the sources: which are on, how much came, what was dropped and why
    #[command(after_help = examples(&[
        ("All", "tocsin source list --data ./data"),
        ("On AWS", "tocsin source list --stack tocsin"),
    ]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Show what would become of an envelope, without sending it
    #[command(after_help = examples(&[
        ("By the defaults", "tocsin source try envelope.json"),
        ("By the settings of a transmitter", "tocsin source try --stack tocsin envelope.json"),
        ("As it comes from a bus", "aws sqs receive-message … | jq -r '.Messages[0].Body' |
      tocsin source try -"),
    ]))]
    Try {
        #[command(flatten)]
        data: Data,
        /// A file with one envelope; `-`: stdin
        file: PathBuf,
    },
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data } => {
            let states = data.open(on).await?.source_list().await.map_err(advise)?;
            Ok(output.show(&states, |states| table(states))?)
        }
        Command::Try { data, file } => {
            let named = data.open_if_named(on).await?;
            let config = match &named {
                Some(transmitter) => transmitter.parts().config.clone(),
                None => Settings::default().config()?,
            };
            let tried = attempt(&read(&file)?, &config);
            if output.is_json() || tried.refused.is_none() {
                output.show(&tried, |tried| shown(tried, named.is_some()))?;
            }
            match tried.refused {
                Some(reason) => bail!("it would be with the dead letters: {reason}"),
                None => Ok(()),
            }
        }
    }
}

fn table(states: &[SourceState]) -> Table {
    let titles = ["SOURCE", "STATE", "ENVELOPES", "EVENTS", "DROPPED", "LAST"];
    let mut table = Table::new(titles, "there are none");
    for SourceState { source, on, count } in states {
        let dropped = count.dropped.iter().map(|(reason, number)| format!("{number} {reason}"));
        table.row([
            source.name().into(),
            if *on { Cell::new("on", GOOD) } else { Cell::new("off", ASIDE) },
            count.envelopes.to_string().as_str().into(),
            count.events.to_string().as_str().into(),
            dropped.collect::<Vec<_>>().join(", ").as_str().into(),
            count.last.map(time).unwrap_or_default().as_str().into(),
        ]);
    }
    table
}

/// What would become of an envelope.
#[derive(Debug, Default, Serialize)]
struct Tried {
    /// Whose it is; none: it is an event message of an upstream system.
    source: Option<Source>,
    /// Whether that source is on.
    on: bool,
    /// The event messages.
    events: Vec<Value>,
    /// Why nothing is told of a record.
    dropped: Vec<&'static str>,
    /// Why it would be a dead letter.
    refused: Option<String>,
}

fn attempt(text: &[u8], config: &Config) -> Tried {
    let mut tried = Tried::default();
    match source::open(text, &config.sources.all_on()) {
        Ok(Opened::Message { message, .. }) => tried.events = vec![message],
        Ok(Opened::Told { source, messages, dropped }) => {
            tried.source = Some(source);
            tried.on = config.sources.get(source).is_some();
            tried.events = messages;
            tried.dropped = dropped.iter().map(|reason| reason.name()).collect();
        }
        Err(invalid) => tried.refused = Some(invalid.to_string()),
    }
    let rules = EventRules { private_types: &config.private_event_types, now: SystemClock.now() };
    let read = |event: &Value| SecurityEvent::read(event.clone(), &rules);
    if let Some(invalid) = tried.events.iter().find_map(|event| read(event).err()) {
        tried.refused = Some(invalid.to_string());
    }
    tried
}

fn shown(tried: &Tried, named: bool) -> String {
    let mut lines = Vec::new();
    if let Some(source) = tried.source {
        lines.push(format!("it is of {}", source.title()));
        if named && !tried.on {
            lines.push(format!("{source} is off here: it would be with the dead letters"));
        }
    }
    for reason in &tried.dropped {
        let known = source::Reason::ALL.into_iter().find(|known| known.name() == *reason);
        let why = known.map_or("", source::Reason::describe);
        lines.push(format!("nothing is told ({reason}): {why}"));
    }
    let mut table = Table::new(["EVENT", "ABOUT", "SAYS"], "");
    for event in &tried.events {
        let events = event["events"].as_object();
        for (uri, says) in events.into_iter().flatten() {
            let short = EventType::new(uri.as_str());
            table.row([
                short.short_name().into(),
                event["sub_id"].to_string().as_str().into(),
                says.to_string().as_str().into(),
            ]);
        }
    }
    if !table.is_empty() {
        lines.push(table.to_string());
    }
    lines.join("\n")
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read {}", file.display());
    let input: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(file).with_context(cannot)?)
    };
    let mut text = Vec::new();
    let most = u64::try_from(MAX_EVENT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    input.take(most).read_to_end(&mut text).with_context(cannot)?;
    Ok(text)
}
