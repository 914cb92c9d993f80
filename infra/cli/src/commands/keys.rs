//! `tocsin keys`: the keys that sign.

use serde::Serialize;
use serde_json::json;
use ssf::set::{Algorithm, KeyState, RingKey};

use crate::{
    args::{Data, OnStack, examples},
    output::{ASIDE, Cell, GOOD, Output, Table, WAITING, advise, time},
    values,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See them", "tocsin keys list --data ./data"),
    ("Change the key without a gap", "tocsin keys rotate --data ./data"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List those that receivers may need
    #[command(after_help = examples(&[("All", "tocsin keys list --data ./data")]))]
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Make a new key, publish it, and let it sign when every receiver can know it
    #[command(after_help = examples(&[
        ("Without a gap", "tocsin keys rotate --data ./data"),
        ("In an emergency", "tocsin keys rotate --data ./data --now"),
        ("To another kind of key", "tocsin keys rotate --data ./data --algorithm ES256"),
    ]))]
    Rotate {
        #[command(flatten)]
        data: Data,
        /// Let it sign at once: receivers that keep the old keys refuse SETs for up to five minutes
        #[arg(long)]
        now: bool,
        /// How the new key signs; as the first one does, unless this is said
        #[arg(long, value_name = "ALGORITHM", value_parser = values::algorithm)]
        algorithm: Option<Algorithm>,
    },
    /// Take a key that signs no more out of the JWKS, and destroy it; not while SETs that it signed
    /// are still to be delivered
    #[command(after_help = examples(&[
        ("Once all that it signed was verified", "tocsin keys retire --data ./data KID"),
    ]))]
    Retire {
        #[command(flatten)]
        data: Data,
        /// Which one
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Also when nobody can verify what it signed any more: the key is in wrong hands
        #[arg(long)]
        anyway: bool,
    },
}

/// A key as it is listed.
#[derive(Serialize)]
struct Listed {
    kid: String,
    /// Where the private half is: a name in the folder of keys, or an ARN.
    handle: String,
    alg: &'static str,
    state: KeyState,
    created: jiff::Timestamp,
    signs_from: jiff::Timestamp,
}

impl Listed {
    fn of((key, state): &(RingKey, KeyState)) -> Self {
        Self {
            kid: key.key.kid.clone(),
            handle: key.key.handle.clone(),
            alg: key.key.algorithm.name(),
            state: *state,
            created: key.created,
            signs_from: key.signs_from,
        }
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data } => {
            let keys = data.open(on).await?.keys().list().await.map_err(advise)?;
            let keys: Vec<_> = keys.iter().map(Listed::of).collect();
            Ok(output.show(&keys, |keys| table(keys))?)
        }
        Command::Rotate { data, now, algorithm } => {
            let transmitter = data.open(on).await?;
            let keys = transmitter.keys();
            let algorithm = algorithm.unwrap_or(transmitter.parts().config.algorithm);
            let new = keys.rotate_to(algorithm, now).await.map_err(advise)?;
            let all = keys.list().await.map_err(advise)?;
            let Some(new) = all.iter().find(|(key, _)| key.key.kid == new.key.kid) else {
                anyhow::bail!("the new key was taken away meanwhile; rotate again");
            };
            Ok(output.show(&Listed::of(new), |key| match key.state {
                KeyState::Upcoming => {
                    format!(
                        "the key {} is published, and signs from {} on",
                        key.kid, key.signs_from
                    )
                }
                KeyState::Signing => format!("the key {} signs from now on", key.kid),
                KeyState::Past => format!("the key {} was overtaken by another", key.kid),
            })?)
        }
        Command::Retire { data, kid, anyway } => {
            data.open(on).await?.key_retire(&kid, anyway).await.map_err(advise)?;
            let value = json!({ "kid": kid, "retired": true });
            Ok(output.show(&value, |_| format!("the key {kid} is gone"))?)
        }
    }
}

fn table(keys: &[Listed]) -> Table {
    let titles = ["KID", "ALG", "STATE", "CREATED", "SIGNS FROM", "KEPT AS"];
    let mut table = Table::new(titles, "there are none");
    for key in keys {
        table.row([
            key.kid.as_str().into(),
            key.alg.into(),
            match key.state {
                KeyState::Upcoming => Cell::new("upcoming", WAITING),
                KeyState::Signing => Cell::new("signing", GOOD),
                KeyState::Past => Cell::new("past", ASIDE),
            },
            time(key.created).into(),
            time(key.signs_from).into(),
            key.handle.as_str().into(),
        ]);
    }
    table
}
