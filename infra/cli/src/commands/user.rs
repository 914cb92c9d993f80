//! `tocsin user`: the people of the directory.

mod create;
mod import;
mod list;
mod shown;

use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::{
    directory::{Changed, PasswordHash, User},
    scim::{ResourceType, schema::TOCSIN_USER},
};

use super::people::{self, Assignment, Desk, sentence};
use crate::{
    args::{Data, OnStack, examples},
    output::{Cell, Output, advise},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("Make one", create::EXAMPLE),
    ("Lock one out, at once", "tocsin user lock --data ./data jane"),
    ("See who is there", "tocsin user list --data ./data"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a person
    #[command(after_help = create::examples())]
    Create(Box<create::Args>),
    /// List people
    #[command(after_help = list::examples())]
    List(list::Args),
    /// Make people and groups, or change those there are, from a file
    #[command(after_help = import::examples())]
    Import(import::Args),
    /// Show one, with the groups, and who changed what
    #[command(after_help = examples(&[("One", "tocsin user show --data ./data jane")]))]
    Show(One),
    /// Change attributes of one, named as in SCIM; what is not named stays as it is
    #[command(after_help = examples(&[
        ("A title", "tocsin user set --data ./data jane title=Nurse"),
        ("An address, and no nick name", "tocsin user set --data ./data jane 'emails[type eq \"work\"].value=jane@example.com' --unset nickName"),
        ("A list, as JSON", "tocsin user set --data ./data jane 'phoneNumbers=[{\"type\":\"mobile\",\"value\":\"+12065550100\"}]'"),
    ]))]
    Set {
        #[command(flatten)]
        one: One,
        /// An attribute and its value: title=Nurse
        #[arg(value_name = "ATTR=VALUE", value_parser = Assignment::parse, required_unless_present = "unset")]
        set: Vec<Assignment>,
        /// An attribute that is to have no value; may be given several times
        #[arg(long, value_name = "ATTR", value_parser = people::attribute)]
        unset: Vec<String>,
    },
    /// Lock one out: every use of an account from now on is refused
    #[command(after_help = examples(&[
        ("At once", "tocsin user lock --data ./data jane"),
        ("At the end of a contract", "tocsin user lock --data ./data jane --at 2027-01-31"),
    ]))]
    Lock {
        #[command(flatten)]
        one: One,
        /// When: 2027-01-31 (its beginning, in UTC) or 2027-01-31T12:00:00Z; else at once
        #[arg(long, value_name = "DATE", value_parser = people::date)]
        at: Option<Timestamp>,
    },
    /// Let one in again, and forget a date from which on one is locked
    #[command(after_help = examples(&[("Let in again", "tocsin user unlock --data ./data jane")]))]
    Unlock(One),
    /// Give one a password, which is read from stdin
    #[command(after_help = examples(&[
        ("From a file", "tocsin user set-password --data ./data jane < password.txt"),
    ]))]
    SetPassword(One),
    /// Take away the second factor of one who has lost it, and the recovery codes with it: from now on
    /// the password is all that is asked for
    #[command(after_help = examples(&[
        ("For who has lost the telephone", "tocsin user reset-second-factor --data ./data jane"),
    ]))]
    ResetSecondFactor {
        #[command(flatten)]
        one: One,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete one for good: nobody any more from now on
    #[command(after_help = examples(&[("For good", "tocsin user delete --data ./data jane")]))]
    Delete {
        #[command(flatten)]
        one: One,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct One {
    #[command(flatten)]
    data: Data,
    /// Which one: the id, or the userName
    user: String,
}

impl One {
    async fn open(&self, on: &OnStack) -> anyhow::Result<(Desk, User)> {
        let desk = Desk::open(&self.data, on).await?;
        let user = desk.directory.user_named(&self.user).await.map_err(advise)?;
        Ok((desk, user))
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::Create(args) => Box::pin(create::run(*args, on, output)).await,
        Command::Import(args) => Box::pin(import::run(args, on, output)).await,
        Command::List(args) => list::run(args, on, output).await,
        Command::Show(one) => {
            let (desk, user) = one.open(on).await?;
            shown::show(&desk, &user, output).await
        }
        Command::Set { one, set, unset } => {
            let mut operations = Vec::new();
            for assignment in &set {
                operations.push(assignment.operation()?);
            }
            operations.extend(unset.iter().map(|path| json!({ "op": "remove", "path": path })));
            change(&one, &operations, on, output, "is changed").await
        }
        Command::Lock { one, at } => {
            let (operation, words) = match at {
                Some(at) => (lock_at(at), format!("will be, or is, locked from {at} on")),
                None => (active(false), "is locked".to_owned()),
            };
            change(&one, &[operation], on, output, &words).await
        }
        Command::Unlock(one) => change(&one, &[active(true)], on, output, "is not locked").await,
        Command::SetPassword(one) => {
            let password = people::read_password()?;
            let (desk, user) = one.open(on).await?;
            let hash =
                desk.directory.new_password(Some(user.id), password).await.map_err(advise)?;
            change_of(&desk, &user, &[], hash.as_ref(), output, "has a new password").await
        }
        Command::ResetSecondFactor { one, yes } => reset(&one, yes, on, output).await,
        Command::Delete { one, yes } => {
            let (desk, user) = one.open(on).await?;
            let (id, name) = (user.id, Cell::from(user.attributes.user_name.as_str()));
            output.confirm(format_args!("Delete {name} ({id}) for good?"), yes)?;
            desk.directory.user_delete(id, None, &desk.cause).await.map_err(advise)?;
            let txn = &desk.cause.txn;
            let value = json!({ "id": id, "deleted": true, "txn": txn });
            let words = sentence(&format!("{name} ({id}) is deleted"), Some(txn));
            Ok(output.show(&value, |_| words)?)
        }
    }
}

async fn reset(one: &One, yes: bool, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let (desk, user) = one.open(on).await?;
    let (id, name) = (user.id, Cell::from(user.attributes.user_name.as_str()));
    output.confirm(format_args!("Let {name} ({id}) in by the password alone?"), yes)?;
    let changed = desk.directory.second_factor_remove(id, &desk.cause).await.map_err(advise)?;
    let txn = changed.then_some(desk.cause.txn.as_str());
    let value = json!({ "id": id, "changed": changed, "txn": txn });
    let words = sentence(&format!("{name} ({id}) has no second factor"), txn);
    Ok(output.show(&value, |_| words)?)
}

fn active(active: bool) -> Value {
    json!({ "op": "replace", "path": "active", "value": active })
}

/// What sets the date from which on a person is locked.
fn lock_at(at: Timestamp) -> Value {
    let path = format!("{}:lockDate", TOCSIN_USER.id);
    json!({ "op": "replace", "path": path, "value": at })
}

async fn change(
    one: &One,
    operations: &[Value],
    on: &OnStack,
    output: Output,
    words: &str,
) -> anyhow::Result<()> {
    let (desk, user) = one.open(on).await?;
    change_of(&desk, &user, operations, None, output, words).await
}

async fn change_of(
    desk: &Desk,
    user: &User,
    operations: &[Value],
    password: Option<&PasswordHash>,
    output: Output,
    words: &str,
) -> anyhow::Result<()> {
    let changed = if operations.is_empty() && password.is_none() {
        Changed { now: user.clone(), changed: false }
    } else if operations.is_empty() {
        desk.give(user, password).await.map_err(advise)?
    } else {
        let patch = people::patch(operations, ResourceType::User)?;
        desk.patch(user, &patch, password).await.map_err(advise)?
    };
    let txn = desk.txn(&changed);
    let resource = desk.resource(&changed.now).await.map_err(advise)?;
    let value = json!({ "user": resource, "changed": changed.changed, "txn": txn });
    let name = Cell::from(changed.now.attributes.user_name.as_str());
    let words = sentence(&format!("{name} ({}) {words}", changed.now.id), txn);
    Ok(output.show(&value, |_| words)?)
}
