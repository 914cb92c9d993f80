//! `tocsin txn`: what one change of the directory changed, and who was told.

use ssf::{
    operator::{Fate, Followed, Txn},
    set::TokenStatus,
};

use super::{
    emit::fates::{detail, status},
    people::changes,
};
use crate::{
    args::{Data, OnStack, examples},
    output::{ASIDE, Cell, Output, Table, WAITING, advise, time},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("What became of a change", "tocsin txn show --data ./data TXN"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what changed, each event that followed, and for each stream what became of its SET
    #[command(after_help = examples(&[
        ("As each command that changes something, and each answer of SCIM, names it", "tocsin txn show --data ./data TXN"),
    ]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        txn: String,
    },
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let Command::Show { data, txn } = args.command;
    let txn = data.open(on).await?.txn_show(&txn).await.map_err(advise)?;
    Ok(output.show(&txn, text)?)
}

fn text(txn: &Txn) -> String {
    let changed = changes(&txn.changes);
    let mut table = Table::new(
        ["EVENT", "CLIENT", "STREAM", "STATUS", "ISSUED", "SETTLED", "JTI", "DETAIL"],
        "it told nothing",
    );
    for event in &txn.events {
        rows(event, &mut table);
    }
    format!("{changed}\n\n{table}")
}

fn rows(Followed { event, fate, .. }: &Followed, table: &mut Table) {
    let name = event.event_type.short_name();
    let mut alone = |word: Cell, detail: &str| {
        let nothing = || Cell::from("");
        let row = [name.into(), nothing(), nothing(), word, nothing(), nothing(), nothing()];
        let [event, client, stream, status, issued, settled, jti] = row;
        table.row([event, client, stream, status, issued, settled, jti, detail.into()]);
    };
    match fate {
        Fate::Waiting => alone(Cell::new("waiting", WAITING), "is `tocsin serve` running?"),
        Fate::Refused { reason } => alone(Cell::new("refused", WAITING), reason),
        Fate::Issued { streams } if streams.is_empty() => {
            alone(Cell::new("unwanted", ASIDE), "no stream wants it");
        }
        Fate::Issued { streams } => {
            for to in streams {
                let settled = match to.status {
                    TokenStatus::New => String::new(),
                    TokenStatus::Dropped | TokenStatus::Failed | TokenStatus::Sent => {
                        time(to.last_modified)
                    }
                };
                table.row([
                    name.into(),
                    to.client_id.to_string().into(),
                    to.stream_id.to_string().into(),
                    status(to.status),
                    time(to.issued).into(),
                    settled.into(),
                    to.jti.to_string().into(),
                    detail(to).into(),
                ]);
            }
        }
    }
}
