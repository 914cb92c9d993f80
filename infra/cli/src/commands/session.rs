//! `tocsin session`: where people are signed in.

use serde_json::json;
use ssf::{
    directory::User,
    sign_in::{Session, SessionEnd, SignIn, SubjectId},
};

use super::people::Desk;
use crate::{
    args::{Data, OnStack, examples},
    output::{Cell, Output, Table, advise, time},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("Where one is signed in", "tocsin session list --data ./data jane"),
    ("End all of them", "tocsin session end --data ./data jane --all"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the sessions of a person, from the one that began last
    #[command(after_help = examples(&[("All", "tocsin session list --data ./data jane")]))]
    List {
        #[command(flatten)]
        one: One,
    },
    /// End a session, and with it the codes and tokens that applications have because of it
    #[command(after_help = examples(&[
        ("One", "tocsin session end --data ./data jane SID"),
        ("All", "tocsin session end --data ./data jane --all"),
    ]))]
    End {
        #[command(flatten)]
        one: One,
        /// Which one
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        sid: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// Whose: the id, or the userName
    user: String,
}

impl One {
    async fn open(&self, on: &OnStack) -> anyhow::Result<(Desk, SignIn, User)> {
        let desk = Desk::open(&self.data, on).await?;
        let user = desk.directory.user_named(&self.user).await.map_err(advise)?;
        let sign_in = desk.directory.sign_in();
        Ok((desk, sign_in, user))
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { one } => {
            let (_, sign_in, user) = one.open(on).await?;
            let sessions = sign_in.sessions_of_person(&user.id.into()).await.map_err(advise)?;
            Ok(output.show(&sessions, |sessions| table(sessions))?)
        }
        Command::End { one, sid, .. } => {
            let (desk, sign_in, user) = one.open(on).await?;
            let subject = SubjectId::from(user.id);
            let also = desk.directory.also(&desk.cause);
            let end = SessionEnd::Ended;
            let ended = match &sid {
                Some(sid) => {
                    let ended = sign_in.session_end(&subject, sid, end, &also).await;
                    usize::from(ended.map_err(advise)?.is_some())
                }
                None => sign_in.sessions_end(&subject, None, end, &also).await.map_err(advise)?,
            };
            desk.directory.hand_over_of(&subject).await;
            let txn = (ended > 0).then_some(&desk.cause.txn);
            let name = Cell::from(user.attributes.user_name.as_str());
            let words = match (ended, txn) {
                (_, None) => format!("{name} has no such session"),
                (1, Some(txn)) => format!("the session of {name} is over (txn {txn})"),
                (_, Some(txn)) => format!("{ended} sessions of {name} are over (txn {txn})"),
            };
            let value = json!({ "user": user.id, "ended": ended, "txn": txn });
            Ok(output.show(&value, |_| words)?)
        }
    }
}

fn table(sessions: &[Session]) -> Table {
    let mut table = Table::new(
        ["SID", "SIGNED IN", "LAST SEEN", "UNTIL", "NETWORK", "BROWSER"],
        "signed in nowhere",
    );
    for session in sessions {
        table.row([
            session.sid.as_str().into(),
            time(session.auth_time).into(),
            time(session.last_seen).into(),
            time(session.expires()).into(),
            session.place.network.as_deref().unwrap_or_default().into(),
            session.place.user_agent.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}
