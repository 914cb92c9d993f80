//! `tocsin emit --wait`: what became of what was sent.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use anyhow::bail;
use serde::Serialize;
use ssf::{
    Transmitter, clock,
    operator::{Emitted, Fate, IssuedTo},
    set::TokenStatus,
    stream::Status,
};

use super::{Sent, progress::Progress};
use crate::{
    commands::stream::method,
    output::{ASIDE, BAD, Cell, GOOD, Output, Table, WAITING, advise},
};

/// How many messages are asked about at once.
const AT_ONCE: usize = 500;

/// How long to wait when nothing has changed: at first, and at last.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// So many messages are shown one by one; of more, only what is wrong, and not more rows.
const MANY: usize = 50;
const ROWS: usize = 20;

/// What became of one message.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    sent: Sent,
    #[serde(flatten)]
    fate: Fate,
}

/// Waits until it is settled what became of `sent`, at most for `timeout`.
pub(super) async fn wait(
    transmitter: &Transmitter,
    sent: Vec<Sent>,
    timeout: Duration,
    mut progress: Progress,
) -> anyhow::Result<Vec<Told>> {
    let clock = &transmitter.parts().clock;
    let until = clock::add(clock.now(), timeout);
    let mut told = BTreeMap::new();
    let mut open: VecDeque<Sent> = sent.into();
    let mut pause = PAUSE;
    loop {
        let last_look = clock.now() >= until;
        let mut settled = 0;
        for _ in 0..open.len().div_ceil(AT_ONCE) {
            let some: Vec<Sent> = open.drain(..open.len().min(AT_ONCE)).collect();
            let names: Vec<Emitted> = some.iter().map(|sent| sent.emitted.clone()).collect();
            let fates = transmitter.fates(&names).await.map_err(advise)?;
            for (sent, fate) in some.into_iter().zip(fates) {
                if last_look || is_settled(&fate) {
                    settled += 1;
                    told.insert((sent.line, sent.number), Told { sent, fate });
                } else {
                    open.push_back(sent);
                }
            }
        }
        progress.advance(settled, clock.now());
        if open.is_empty() {
            return Ok(told.into_values().collect());
        }
        if settled == 0 {
            let left = clock::since(clock.now(), until);
            clock.sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        } else {
            pause = PAUSE;
        }
    }
}

/// Whether waiting will not change it.
fn is_settled(fate: &Fate) -> bool {
    match fate {
        Fate::Waiting => false,
        Fate::Refused { .. } => true,
        Fate::Issued { streams } => streams.iter().all(|to| match to.status {
            TokenStatus::Dropped | TokenStatus::Failed | TokenStatus::Sent => true,
            TokenStatus::New => to.stream_status != Status::Enabled,
        }),
    }
}

/// How many messages became what: each counts once, as the worst that happened to it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Sums {
    delivered: usize,
    unwanted: usize,
    pending: usize,
    failed: usize,
    refused: usize,
    waiting: usize,
}

impl Sums {
    fn of(told: &[Told]) -> Self {
        let mut sums = Self::default();
        for Told { fate, .. } in told {
            let sum = match fate {
                Fate::Waiting => &mut sums.waiting,
                Fate::Refused { .. } => &mut sums.refused,
                Fate::Issued { streams } => {
                    let any = |status| streams.iter().any(|to| to.status == status);
                    if streams.is_empty() {
                        &mut sums.unwanted
                    } else if any(TokenStatus::Failed) {
                        &mut sums.failed
                    } else if any(TokenStatus::New) {
                        &mut sums.pending
                    } else if any(TokenStatus::Dropped) {
                        // Not any more.
                        &mut sums.unwanted
                    } else {
                        &mut sums.delivered
                    }
                }
            };
            *sum += 1;
        }
        sums
    }
}

/// Shows it to a person.
pub(super) fn show(told: &[Told], output: Output) -> anyhow::Result<()> {
    let few = told.len() <= MANY;
    let mut table = Table::new(["LINE", "FATE", "CLIENT", "DELIVERY", "STREAM", "DETAIL"], "");
    let mut left_out = 0;
    for told in told.iter().filter(|told| few || is_wrong(&told.fate)) {
        if !few && table.len() >= ROWS {
            left_out += 1;
        } else {
            rows(told, &mut table);
        }
    }
    if !table.is_empty() {
        output.line(table)?;
    }
    if left_out > 0 {
        output.note(format_args!("{left_out} more like these are not shown; --json shows all"))?;
    }
    if told.len() > 1 {
        let Sums { delivered, unwanted, pending, failed, refused, waiting } = Sums::of(told);
        let sums = [
            (delivered, "delivered"),
            (unwanted, "wanted by nobody"),
            (pending, "pending"),
            (failed, "failed"),
            (refused, "refused"),
            (waiting, "not taken in yet"),
        ];
        let sums = sums.into_iter().filter(|(count, _)| *count > 0);
        let sums: Vec<_> = sums.map(|(count, what)| format!("{count} {what}")).collect();
        output.line(format_args!("{} events: {}", told.len(), sums.join(", ")))?;
    }
    Ok(())
}

/// An error, when something did not go as its sender meant it.
pub(super) fn judge(told: &[Told]) -> anyhow::Result<()> {
    let Sums { failed, refused, waiting, .. } = Sums::of(told);
    let mut faults = Vec::new();
    if refused > 0 {
        faults.push(format!("{refused} refused (`tocsin dead-letter list` says why)"));
    }
    if failed > 0 {
        faults.push(format!("{failed} failed (`tocsin event list --status failed` says why)"));
    }
    if waiting > 0 {
        faults.push(format!("{waiting} not taken in yet (is `tocsin serve` running?)"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let all = if told.len() == 1 { "1 event".to_owned() } else { format!("{} events", told.len()) };
    bail!("of {all}: {}", faults.join(", "))
}

fn is_wrong(fate: &Fate) -> bool {
    match fate {
        Fate::Issued { streams } => streams.iter().any(|to| to.status == TokenStatus::Failed),
        Fate::Refused { .. } | Fate::Waiting => true,
    }
}

fn rows(Told { sent, fate }: &Told, table: &mut Table) {
    let mut row = |fate: Cell, [client, delivery, stream, detail]: [&str; 4]| {
        let line = sent.line.to_string();
        table.row([
            line.into(),
            fate,
            client.into(),
            delivery.into(),
            stream.into(),
            detail.into(),
        ]);
    };
    match fate {
        Fate::Waiting => {
            row(Cell::new("waiting", WAITING), ["", "", "", "is `tocsin serve` running?"]);
        }
        Fate::Refused { reason } => row(Cell::new("refused", BAD), ["", "", "", reason]),
        Fate::Issued { streams } if streams.is_empty() => {
            row(Cell::new("unwanted", ASIDE), ["", "", "", "no stream wants it"]);
        }
        Fate::Issued { streams } => {
            for to in streams {
                let detail = detail(to);
                row(
                    status(to.status),
                    [&to.client_id.0, method(to.method), to.stream_id.as_str(), &detail],
                );
            }
        }
    }
}

/// What became of a SET, in a word.
pub(in crate::commands) fn status(status: TokenStatus) -> Cell {
    match status {
        TokenStatus::Dropped => Cell::new("dropped", BAD),
        TokenStatus::New => Cell::new("pending", WAITING),
        TokenStatus::Failed => Cell::new("failed", BAD),
        TokenStatus::Sent => Cell::new("delivered", GOOD),
    }
}

/// What else is to be said of it.
pub(in crate::commands) fn detail(to: &IssuedTo) -> String {
    let tried = to
        .error
        .as_ref()
        .map(|error| if error.description.is_empty() { &error.err } else { &error.description });
    match (to.status, tried) {
        (TokenStatus::Failed | TokenStatus::New, Some(error)) => error.clone(),
        (TokenStatus::New, None) if to.stream_status != Status::Enabled => {
            format!("held: the stream is {}", to.stream_status.name())
        }
        (TokenStatus::New, None) if method(to.method) == "poll" => {
            "its receiver has not asked for it, or not acknowledged it".to_owned()
        }
        (TokenStatus::Dropped, _) => "the stream was disabled, or wants it no more".to_owned(),
        (TokenStatus::Sent, _) | (TokenStatus::Failed | TokenStatus::New, None) => String::new(),
    }
}
