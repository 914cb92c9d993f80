//! `tocsin stream`: the streams of all receivers.

use std::collections::BTreeSet;

use ssf::{
    client::{ClientId, Profile},
    event::EventType,
    operator::{COUNTED, StreamDetails, StreamFilter, StreamSummary, Trouble},
    stream::{DefaultSubjects, Reason, Status, StreamId},
};

use super::event::error_text;
use crate::{
    args::{Data, OnStack, examples},
    output::{ASIDE, BAD, Cell, Fields, GOOD, Output, Table, WAITING, advise, time},
    values::{self, status_name},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See which there are", "tocsin stream list --data ./data"),
    (
        "Hold one for a while",
        "tocsin stream pause --data ./data STREAM_ID --reason \"maintenance until noon\"",
    ),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them
    #[command(after_help = examples(&[
        ("All", "tocsin stream list --data ./data"),
        ("Those that do not go", "tocsin stream list --data ./data --status paused"),
    ]))]
    List {
        #[command(flatten)]
        data: Data,
        /// Only those of this client
        #[arg(long, value_name = "CLIENT_ID", value_parser = values::client_id)]
        client: Option<ClientId>,
        /// Only those of this status: enabled, paused, disabled, `disabled_deleted`
        #[arg(long, value_name = "STATUS", value_parser = values::stream_status)]
        status: Option<Status>,
        /// At most so many
        #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only those behind this one in the list
        #[arg(long, value_name = "STREAM_ID", value_parser = values::stream_id)]
        after: Option<StreamId>,
    },
    /// Show one
    #[command(after_help = examples(&[("One", "tocsin stream show --data ./data STREAM_ID")]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        #[arg(value_parser = values::stream_id)]
        stream_id: StreamId,
    },
    /// Hold its events until it is enabled; its receiver is told first
    #[command(after_help = examples(&[
        ("Hold it", "tocsin stream pause --data ./data STREAM_ID --reason maintenance"),
    ]))]
    Pause(Change),
    /// Deliver its events, first those that were held; its receiver is told
    #[command(after_help = examples(&[("Let it go on", "tocsin stream enable --data ./data STREAM_ID")]))]
    Enable(Change),
    /// Deliver nothing and hold nothing; its receiver is told first
    #[command(after_help = examples(&[
        ("Stop it", "tocsin stream disable --data ./data STREAM_ID --reason \"contract ended\""),
    ]))]
    Disable(Change),
    /// Remove it with all that is pending; its receiver is told first
    #[command(after_help = examples(&[("For good", "tocsin stream delete --data ./data STREAM_ID")]))]
    Delete {
        #[command(flatten)]
        change: Change,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    data: Data,
    /// Which one
    #[arg(value_parser = values::stream_id)]
    stream_id: StreamId,
    /// Why; its receiver reads it
    #[arg(long, value_name = "TEXT", default_value = "by the operator", value_parser = values::reason)]
    reason: Reason,
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data, client, status, limit, after } => {
            let transmitter = data.open(on).await?;
            let filter = StreamFilter { owner: client, status };
            let limit = limit.try_into()?;
            let list = transmitter.stream_list(&filter, after.as_ref(), limit);
            let list = list.await.map_err(advise)?;
            output.show(&list.items, |streams| table(streams))?;
            if let Some(last) = list.items.last().filter(|_| list.more) {
                output.note(format_args!("there are more: --after {}", last.stream_id))?;
            }
            Ok(())
        }
        Command::Show { data, stream_id } => {
            let stream = data.open(on).await?.stream_show(&stream_id).await.map_err(advise)?;
            Ok(output.show(&stream, fields)?)
        }
        Command::Pause(change) => set(change, Status::Paused, on, output).await,
        Command::Enable(change) => set(change, Status::Enabled, on, output).await,
        Command::Disable(change) => set(change, Status::Disabled, on, output).await,
        Command::Delete { change, yes } => {
            let id = &change.stream_id;
            output.confirm(format_args!("Delete the stream {id} with all its events?"), yes)?;
            set(change, Status::DisabledDeleted, on, output).await
        }
    }
}

async fn set(change: Change, status: Status, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let Change { data, stream_id, reason } = change;
    let transmitter = data.open(on).await?;
    let set = transmitter.stream_set_status(&stream_id, status, reason);
    let stream = set.await.map_err(advise)?;
    let is = match status {
        Status::Enabled => "enabled",
        Status::Paused => "paused: its events are held",
        Status::Disabled => "disabled: its events are dropped",
        Status::DisabledDeleted => "deleted",
    };
    Ok(output.show(&stream, |_| format!("the stream {stream_id} is {is}"))?)
}

pub(super) fn status(status: Status) -> Cell {
    let style = match status {
        Status::Enabled => GOOD,
        Status::Paused => WAITING,
        Status::Disabled | Status::DisabledDeleted => BAD,
    };
    Cell::new(status_name(status), style)
}

/// What people call a delivery method.
pub(super) fn method(uri: &str) -> &'static str {
    if uri.ends_with("8935") || uri.ends_with("push") { "push" } else { "poll" }
}

fn counted(count: usize, style: anstyle::Style) -> Cell {
    match count {
        0 => Cell::new("0", ASIDE),
        COUNTED.. => Cell::new(format!("{COUNTED}+"), style),
        count => Cell::new(count.to_string(), style),
    }
}

/// Their names, if they are few.
fn types(types: &BTreeSet<EventType>) -> String {
    match types.len() {
        0 => "none".to_owned(),
        1..=2 => types.iter().map(EventType::short_name).collect::<Vec<_>>().join(", "),
        count => format!("{count} types"),
    }
}

fn table(streams: &[StreamSummary]) -> Table {
    let mut table = Table::new(
        ["STREAM", "CLIENT", "STATUS", "DELIVERY", "EVENTS", "PENDING", "FAILED", "REASON"],
        "there are no such streams; receivers create them",
    );
    for stream in streams {
        let host = stream.endpoint_host.as_deref().unwrap_or_default();
        table.row([
            stream.stream_id.to_string().into(),
            stream.client_id.to_string().into(),
            status(stream.status),
            format!("{} {host}", method(stream.method)).trim_end().into(),
            types(&stream.events_delivered).into(),
            counted(stream.pending, WAITING),
            counted(stream.failed, BAD),
            stream.reason.clone().or_else(|| trouble(stream)).unwrap_or_default().into(),
        ]);
    }
    table
}

/// What keeps its SETs from getting through.
fn trouble(stream: &StreamSummary) -> Option<String> {
    let Trouble { error, since, sets } = stream.trouble.as_ref()?;
    let words = error_text(error);
    let sets = if *sets == 1 { "1 SET waits".to_owned() } else { format!("{sets} SETs wait") };
    Some(format!("{sets} since {}: {words}", time(*since)))
}

fn fields(stream: &StreamDetails) -> Fields {
    let summary = &stream.summary;
    let yes = |yes| if yes { "yes" } else { "no" };
    Fields::default()
        .with("stream_id", summary.stream_id.to_string())
        .with("client_id", summary.client_id.to_string())
        .with("status", status(summary.status))
        .with_some("reason", summary.reason.as_deref())
        .with("delivery", method(summary.method))
        .with_some("endpoint", stream.endpoint_url.as_deref())
        .with("authorization header", yes(stream.authorization_header))
        .with_all("audience", stream.audience.iter().map(String::as_str))
        .with_all("events", summary.events_delivered.iter().map(EventType::short_name))
        .with(
            "subjects",
            match summary.default_subjects {
                DefaultSubjects::All => "all but those removed",
                DefaultSubjects::None if summary.by_consent => "those who gave their consent",
                DefaultSubjects::None => "those added",
            },
        )
        .with_some("description", stream.description.as_deref())
        .with(
            "profile",
            match stream.profile {
                Profile::Standard => "standard",
                Profile::Legacy => "legacy",
            },
        )
        .with("subject in event", yes(stream.subject_in_event))
        .with("pending", counted(summary.pending, WAITING))
        .with("failed", counted(summary.failed, BAD))
        .with_some("trouble", trouble(summary))
        .with_some("last active", stream.last_active.map(time))
        .with("created", time(summary.created))
        .with("last modified", time(summary.last_modified))
}
