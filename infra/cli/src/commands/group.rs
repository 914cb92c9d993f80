//! `tocsin group`: groups of people.

mod shown;

use serde_json::{Value, json};
use ssf::{
    Error,
    directory::{Changed, Given, Group, MemberRequest, MemberStep, Unknown},
    scim::{self, Mode, ResourceType, schema::TOCSIN_GROUP},
};

use super::people::{self, Desk, Wanted, sentence};
use crate::{
    args::{Data, OnStack, examples},
    output::{Cell, Output, advise},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("Make one", "tocsin group create --data ./data Nurses --member jane"),
    ("Let somebody join", "tocsin group add --data ./data Nurses john"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a group
    #[command(after_help = examples(&[
        ("One with two members", "tocsin group create --data ./data Nurses --member jane --member john"),
    ]))]
    Create {
        #[command(flatten)]
        data: Data,
        /// Its name, unlike that of any other group, whatever the case
        name: String,
        /// Who is in it: the id, or the userName; may be given several times
        #[arg(long, value_name = "USER")]
        member: Vec<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// List groups
    #[command(after_help = examples(&[
        ("All", "tocsin group list --data ./data"),
        ("Some, by their names", "tocsin group list --data ./data --filter 'displayName sw \"N\"'"),
    ]))]
    List {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Show one, with its members, and who changed what
    #[command(after_help = examples(&[("One", "tocsin group show --data ./data Nurses")]))]
    Show {
        #[command(flatten)]
        one: One,
        /// At most so many members
        #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Let people join
    #[command(after_help = examples(&[("Two", "tocsin group add --data ./data Nurses jane john")]))]
    Add(Members),
    /// Let people leave
    #[command(after_help = examples(&[("One", "tocsin group remove --data ./data Nurses john")]))]
    Remove(Members),
    /// Give one another name
    #[command(after_help = examples(&[("Another name", "tocsin group rename --data ./data Nurses Carers")]))]
    Rename {
        #[command(flatten)]
        one: One,
        /// Its new name
        name: String,
    },
    /// Delete one for good; its members stay people
    #[command(after_help = examples(&[("For good", "tocsin group delete --data ./data Nurses")]))]
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
    /// Which one: the id, or the displayName
    group: String,
}

#[derive(Debug, clap::Args)]
struct Members {
    #[command(flatten)]
    one: One,
    /// Who: ids, or userNames
    #[arg(required = true, value_name = "USER")]
    users: Vec<String>,
}

impl One {
    async fn open(&self, on: &OnStack) -> anyhow::Result<(Desk, Group)> {
        let desk = Desk::open(&self.data, on).await?;
        let group = desk.directory.group_named(&self.group).await.map_err(advise)?;
        Ok((desk, group))
    }
}

const KIND: ResourceType = ResourceType::Group;

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::Create { data, name, member, description } => {
            let resource = json!({
                "schemas": [KIND.core().id],
                "displayName": name,
                TOCSIN_GROUP.id: { "description": description },
            });
            let resource = scim::normalize(KIND, &resource, Mode::Create)?;
            let desk = Desk::of(data.open_or_make(on).await?);
            let members = request(vec![MemberStep::Add(ids(&desk, &member).await?)]);
            let make = |group: &mut Group| group.take(resource.clone(), Given::Whole, None);
            let group = desk.directory.group_create(&desk.cause, &members, make).await;
            let changed = Changed { now: group.map_err(advise)?, changed: true };
            tell(&desk, &changed, "is made", output)
        }
        Command::List { data, wanted } => {
            let desk = Desk::open(&data, on).await?;
            let (groups, more) = wanted.find::<Group>(&desk).await?;
            let base = desk.directory.base();
            let resources: Vec<_> =
                groups.iter().map(|group| group.resource(None, &base)).collect();
            output.show(&resources, |_| shown::table(&groups))?;
            if more {
                output.note("there are more: --limit shows them")?;
            }
            Ok(())
        }
        Command::Show { one, limit } => {
            let (desk, group) = one.open(on).await?;
            shown::show(&desk, &group, limit.try_into()?, output).await
        }
        Command::Add(members) => change_members(members, MemberStep::Add, on, output).await,
        Command::Remove(members) => change_members(members, MemberStep::Remove, on, output).await,
        Command::Rename { one, name } => {
            let (desk, group) = one.open(on).await?;
            let operation = json!({ "op": "replace", "path": "displayName", "value": name });
            let changed = change(&desk, &group, &[operation], &MemberRequest::default()).await?;
            tell(&desk, &changed, &format!("was {}", Cell::from(group.display_name)), output)
        }
        Command::Delete { one, yes } => {
            let (desk, group) = one.open(on).await?;
            let (id, name) = (group.id, Cell::from(group.display_name));
            output.confirm(format_args!("Delete the group {name} ({id}) for good?"), yes)?;
            desk.directory.group_delete(id, None, &desk.cause).await.map_err(advise)?;
            let txn = &desk.cause.txn;
            let value = json!({ "id": id, "deleted": true, "txn": txn });
            let words = sentence(&format!("the group {name} ({id}) is deleted"), Some(txn));
            Ok(output.show(&value, |_| words)?)
        }
    }
}

async fn change_members(
    Members { one, users }: Members,
    step: fn(Vec<String>) -> MemberStep,
    on: &OnStack,
    output: Output,
) -> anyhow::Result<()> {
    let (desk, group) = one.open(on).await?;
    let request = request(vec![step(ids(&desk, &users).await?)]);
    let changed = change(&desk, &group, &[], &request).await?;
    let members = changed.now.member_count;
    let plural = if members == 1 { "" } else { "s" };
    tell(&desk, &changed, &format!("has {members} member{plural} now"), output)
}

/// Changes a group as SCIM's PATCH does.
async fn change(
    desk: &Desk,
    group: &Group,
    operations: &[Value],
    members: &MemberRequest,
) -> anyhow::Result<Changed<Group>> {
    let patch = match operations {
        [] => None,
        operations => Some(people::patch(operations, KIND)?),
    };
    let change = |group: &mut Group| match &patch {
        Some(patch) => {
            let patched = patch.apply(&group.writable(None)).map_err(Error::from)?;
            group.take(patched.resource, Given::Changed, None)
        }
        None => Ok(()),
    };
    let changed = desk.directory.group_change(group.id, None, &desk.cause, members, change);
    changed.await.map_err(advise)
}

fn request(steps: Vec<MemberStep>) -> MemberRequest {
    MemberRequest { steps, unknown: Unknown::Reject, ..MemberRequest::default() }
}

/// The ids of people who are named by id or userName.
async fn ids(desk: &Desk, users: &[String]) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for user in users {
        ids.push(desk.directory.user_named(user).await.map_err(advise)?.id.to_string());
    }
    Ok(ids)
}

fn tell(desk: &Desk, changed: &Changed<Group>, what: &str, output: Output) -> anyhow::Result<()> {
    let (group, txn) = (&changed.now, desk.txn(changed));
    let value = json!({
        "group": group.resource(None, &desk.directory.base()),
        "member_count": group.member_count,
        "changed": changed.changed,
        "txn": txn,
    });
    let name = Cell::from(group.display_name.as_str());
    let words = sentence(&format!("the group {name} {what}\nid: {}", group.id), txn);
    Ok(output.show(&value, |_| words)?)
}
