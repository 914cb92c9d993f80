//! `tocsin dead-letter`: messages that could not be events.

use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    operator::{DeadLetter, DeadLetters},
};

use crate::{
    args::{Data, OnStack, examples},
    output::{BAD, Cell, Fields, Output, Table, advise, pretty, time, visible_lines},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See them, and why each is there", "tocsin dead-letter list --data ./data"),
    ("Send all through their doors again", "tocsin dead-letter redrive --data ./data --all"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them, the oldest first
    #[command(after_help = examples(&[("Some", "tocsin dead-letter list --data ./data --limit 20")]))]
    List {
        #[command(flatten)]
        data: Data,
        /// At most so many
        #[arg(long, value_name = "N", default_value = "100")]
        limit: u32,
    },
    /// Show one, and what was sent
    #[command(after_help = examples(&[
        ("One", "tocsin dead-letter show --data ./data ID"),
        (
            "Repair one: write it to a file, edit that, send it, drop the old one",
            "tocsin dead-letter show --data ./data ID --json | jq -r .body > event.json",
        ),
    ]))]
    Show {
        #[command(flatten)]
        data: Data,
        /// Which one
        id: String,
    },
    /// Send them through their doors again: what is wrong with them as they are comes back
    #[command(after_help = examples(&[
        ("One", "tocsin dead-letter redrive --data ./data ID"),
        ("All", "tocsin dead-letter redrive --data ./data --all"),
    ]))]
    Redrive {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        which: Which,
    },
    /// Remove them for good
    #[command(after_help = examples(&[
        ("One", "tocsin dead-letter drop --data ./data ID"),
        ("All", "tocsin dead-letter drop --data ./data --all"),
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
    id: Vec<String>,
    /// All there are
    #[arg(long)]
    all: bool,
}

impl Which {
    /// Does `all` or, for each id, `one`; says how many there were.
    async fn each(
        &self,
        transmitter: &Transmitter,
        all: impl AsyncFnOnce(&Transmitter) -> Result<usize, Error>,
        one: impl AsyncFn(&Transmitter, &str) -> Result<(), Error>,
    ) -> anyhow::Result<usize> {
        if self.all {
            return all(transmitter).await.map_err(advise);
        }
        for id in &self.id {
            one(transmitter, id).await.map_err(advise)?;
        }
        Ok(self.id.len())
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data, limit } => {
            let transmitter = data.open(on).await?;
            let letters = transmitter.dead_letter_list(limit.try_into()?).await.map_err(advise)?;
            let DeadLetters { items, total } = letters;
            output.show(&items, |letters| table(letters))?;
            if total > items.len() as u64 {
                output.note(format_args!("there are {total} in all: --limit {total}"))?;
            }
            Ok(())
        }
        Command::Show { data, id } => {
            let letter = data.open(on).await?.dead_letter_show(&id).await.map_err(advise)?;
            Ok(output.show(&letter, text)?)
        }
        Command::Redrive { data, which } => {
            let transmitter = data.open(on).await?;
            let all = async |transmitter: &Transmitter| transmitter.dead_letter_redrive_all().await;
            let one = async |transmitter: &Transmitter, id: &str| {
                transmitter.dead_letter_redrive(id).await
            };
            let count = which.each(&transmitter, all, one).await?;
            let value = json!({ "redriven": count });
            Ok(output.show(&value, |_| format!("{} sent again", letters(count)))?)
        }
        Command::Drop { data, which, yes } => {
            let transmitter = data.open(on).await?;
            if which.all {
                output.confirm("Remove all dead letters for good?", yes)?;
            }
            let all = async |transmitter: &Transmitter| transmitter.dead_letter_drop_all().await;
            let one =
                async |transmitter: &Transmitter, id: &str| transmitter.dead_letter_drop(id).await;
            let count = which.each(&transmitter, all, one).await?;
            let value = json!({ "dropped": count });
            Ok(output.show(&value, |_| format!("{} dropped", letters(count)))?)
        }
    }
}

fn letters(count: usize) -> String {
    if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") }
}

fn table(letters: &[DeadLetter]) -> Table {
    let mut table = Table::new(["ID", "SINCE", "DOOR", "REASON"], "there are no dead letters");
    for letter in letters {
        table.row([
            letter.id.as_str().into(),
            time(letter.since).into(),
            letter.door.clone().unwrap_or_default().into(),
            Cell::new(letter.reason.clone().unwrap_or_default(), BAD),
        ]);
    }
    table
}

fn text(letter: &DeadLetter) -> String {
    let fields = Fields::default()
        .with("id", letter.id.as_str())
        .with_some("reason", letter.reason.as_ref().map(|reason| Cell::new(reason, BAD)))
        .with("since", time(letter.since))
        .with_some("door", letter.door.as_deref())
        .with_some("group", letter.group.as_deref())
        .with_some("message_id", letter.message_id.as_deref());
    let body = match serde_json::from_str::<Value>(&letter.body) {
        Ok(value) => pretty(&value),
        Err(_) => visible_lines(&letter.body),
    };
    format!("{fields}\n\n{body}")
}
