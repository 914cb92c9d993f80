//! `tocsin event`: what became of events.

use jiff::Timestamp;
use serde_json::json;
use ssf::{
    Transmitter,
    event::EventType,
    operator::{EventFilter, EventRecord, EventSummary},
    set::{Jti, SetError, TokenStatus},
    stream::StreamId,
};

use crate::{
    args::{Data, OnStack, examples},
    output::{BAD, Cell, Fields, GOOD, Output, Table, WAITING, advise, pretty, time},
    values::{self, Moment, token_status_name},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("What failed, the newest first", "tocsin event list --data ./data --status pending_failed"),
    ("Send it again", "tocsin event retry --data ./data --all"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List SETs, the newest first
    #[command(after_help = examples(&[
        ("What is pending for one stream", "tocsin event list --data ./data --stream STREAM_ID --status pending_new"),
        ("Of one type, of the last hour", "tocsin event list --data ./data --type session-revoked --since hours=1"),
    ]))]
    List {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        filter: Filter,
        /// Only those that are still pending, failed, or were sent
        #[arg(long, value_name = "pending_new|pending_failed|sent|dropped", value_parser = values::token_status)]
        status: Option<TokenStatus>,
        /// At most so many
        #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only those behind this one in the list
        #[arg(long, value_name = "JTI")]
        after: Option<String>,
    },
    /// Show one, and what it says
    #[command(after_help = examples(&[("One", "tocsin event show --data ./data JTI")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        jti: String,
        /// Its stream; without it, all are searched
        #[arg(long, value_name = "STREAM_ID", value_parser = values::stream_id)]
        stream: Option<StreamId>,
    },
    /// Let events that failed, or wait, be tried again at once
    #[command(after_help = examples(&[
        ("One", "tocsin event retry --data ./data JTI"),
        ("All of one stream that failed", "tocsin event retry --data ./data --all --stream STREAM_ID"),
        ("All that wait for their next try", "tocsin event retry --data ./data --all --status pending_new"),
    ]))]
    Retry {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        which: Which,
    },
    /// Remove events that failed, or wait: their receivers will never have them
    #[command(after_help = examples(&[
        ("One", "tocsin event drop --data ./data JTI"),
        ("What failed more than a week ago", "tocsin event drop --data ./data --all --until days=7"),
    ]))]
    Drop {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Which ones
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    jti: Vec<String>,
    /// All that failed, or that have this --status
    #[arg(long)]
    all: bool,
    /// With --all: those that failed (the default), or those that wait
    #[arg(long, value_name = "pending_failed|pending_new", value_parser = values::undelivered, conflicts_with = "jti")]
    status: Option<TokenStatus>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Debug, clap::Args)]
struct Filter {
    /// Only those of this stream
    #[arg(long, value_name = "STREAM_ID", value_parser = values::stream_id)]
    stream: Option<StreamId>,
    /// Only those that tell of this: session-revoked, or a URI
    #[arg(long = "type", value_name = "TYPE", value_parser = values::event_type)]
    event_type: Option<EventType>,
    /// Only those issued then or later: 2026-08-01T12:00:00Z, or, for so long ago, hours=1
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    since: Option<Moment>,
    /// Only those issued before
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    until: Option<Moment>,
}

impl Filter {
    fn at(self, now: Timestamp) -> EventFilter {
        EventFilter {
            stream: self.stream,
            status: None,
            event_type: self.event_type,
            since: self.since.map(|moment| moment.before(now)),
            until: self.until.map(|moment| moment.before(now)),
        }
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data, filter, status, limit, after } => {
            let transmitter = data.open(on).await?;
            let now = transmitter.parts().clock.now();
            let filter = EventFilter { status, ..filter.at(now) };
            let after = after.map(Jti::new);
            let list = transmitter.event_list(&filter, after.as_ref(), limit.try_into()?);
            let list = list.await.map_err(advise)?;
            output.show(&list.items, |events| table(events))?;
            if let Some(last) = list.items.last().filter(|_| list.more) {
                output.note(format_args!("there are more: --after {}", last.jti))?;
            }
            Ok(())
        }
        Command::Show { data, jti, stream } => {
            let transmitter = data.open(on).await?;
            let record = transmitter.event_show(&Jti::new(jti), stream.as_ref()).await;
            Ok(output.show(&record.map_err(advise)?, text)?)
        }
        Command::Retry { data, which } => retry(&data.open(on).await?, which, output).await,
        Command::Drop { data, which, yes } => {
            if which.all {
                let which = match which.status {
                    Some(TokenStatus::New) => "wait",
                    _ => "failed",
                };
                let question = format!("Remove all events that {which}, and fit, for good?");
                output.confirm(&question, yes)?;
            }
            remove(&data.open(on).await?, which, output).await
        }
    }
}

async fn retry(transmitter: &Transmitter, which: Which, output: Output) -> anyhow::Result<()> {
    let filter = which.filter.at(transmitter.parts().clock.now());
    let filter = EventFilter { status: which.status, ..filter };
    if which.all {
        let retried = transmitter.event_retry_all(&filter).await.map_err(advise)?;
        output
            .show(&retried, |retried| format!("{} will be tried again", events(retried.retried)))?;
        if retried.passed_over > 0 {
            let passed_over = events(retried.passed_over);
            output
                .note(format_args!("{passed_over} will not: their streams are or were disabled"))?;
        }
        return Ok(());
    }
    let mut retried = Vec::new();
    for jti in which.jti {
        let event = transmitter.event_retry(&Jti::new(jti), filter.stream.as_ref()).await;
        retried.push(event.map_err(advise)?);
    }
    let count = retried.len();
    let value = json!({ "retried": count, "passed_over": 0 });
    Ok(output.show(&value, |_| format!("{} will be tried again", events(count)))?)
}

async fn remove(transmitter: &Transmitter, which: Which, output: Output) -> anyhow::Result<()> {
    let filter = which.filter.at(transmitter.parts().clock.now());
    let filter = EventFilter { status: which.status, ..filter };
    let mut count = which.jti.len();
    if which.all {
        count = transmitter.event_drop_all(&filter).await.map_err(advise)?;
    }
    for jti in which.jti {
        transmitter.event_drop(&Jti::new(jti), filter.stream.as_ref()).await.map_err(advise)?;
    }
    Ok(output.show(&json!({ "dropped": count }), |_| format!("{} dropped", events(count)))?)
}

fn events(count: usize) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

pub(super) fn status(status: TokenStatus) -> Cell {
    let style = match status {
        TokenStatus::New => WAITING,
        TokenStatus::Dropped | TokenStatus::Failed => BAD,
        TokenStatus::Sent => GOOD,
    };
    Cell::new(token_status_name(status), style)
}

fn table(events: &[EventSummary]) -> Table {
    let mut table = Table::new(
        ["ISSUED", "JTI", "STREAM", "TYPE", "STATUS", "TRIED", "ERROR"],
        "there are no such events",
    );
    for event in events {
        table.row([
            time(event.created).into(),
            event.jti.to_string().into(),
            event.stream_id.to_string().into(),
            event.event_type.short_name().into(),
            status(event.status),
            if event.attempts == 0 { "".into() } else { event.attempts.to_string().into() },
            error(event).unwrap_or_default().into(),
        ]);
    }
    table
}

fn error(event: &EventSummary) -> Option<String> {
    event.error.as_ref().map(error_text)
}

/// An error on one line.
pub(super) fn error_text(error: &SetError) -> String {
    let SetError { err, description } = error;
    if description.is_empty() { err.clone() } else { format!("{err}: {description}") }
}

fn text(record: &EventRecord) -> String {
    let event = &record.summary;
    let fields = Fields::default()
        .with("jti", event.jti.to_string())
        .with("stream_id", event.stream_id.to_string())
        .with("type", event.event_type.as_str())
        .with("status", status(event.status))
        .with("txn", event.txn.as_str())
        .with("issued", time(event.created))
        .with("last modified", time(event.last_modified))
        .with("tried in vain", event.attempts.to_string())
        .with_some("tried first", record.first_attempt.map(time))
        .with_some("tried again", event.next_attempt.map(time))
        .with_some("error", error(event));
    let claims = match &record.claims {
        Some(claims) => pretty(claims),
        None => "its claims cannot be read".to_owned(),
    };
    format!("{fields}\n\n{claims}")
}
