//! `tocsin user import`: people and groups from a file.

mod rows;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::json;
use ssf::{
    Error,
    client::Secret,
    directory::{
        Actor, Cause, Deed, Given, Group, MemberRequest, MemberStep, Preview, Unknown, User,
    },
    event::EventType,
    scim::{self, Mode, ResourceType, fold},
};

use crate::{
    args::{Data, OnStack},
    commands::{
        emit::progress::Progress,
        people::{self, Desk},
    },
    output::{Output, Table, advise},
};
use rows::{Entry, rows};

/// So many lines are told one by one.
const TOLD: usize = 20;

pub(super) fn examples() -> StyledStr {
    crate::args::examples(&[
        (
            "See first what would change, and what would be told",
            "tocsin user import --data ./data people.csv --dry-run",
        ),
        (
            "People and groups, each a line of JSON as SCIM has them",
            "tocsin user import --data ./data people.jsonl",
        ),
    ])
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,

    /// A file of SCIM Users and Groups, one JSON object a line, people before their groups; or of
    /// CSV, whose header names attributes of people as SCIM does; `-`: stdin. Who is there already,
    /// by userName, becomes what the file says; what it does not say stays
    file: PathBuf,

    /// Change nothing, and say what would change and what would be told
    #[arg(long)]
    dry_run: bool,
}

/// A line that was not taken.
#[derive(Debug, Serialize)]
struct Wrong {
    line: u64,
    reason: String,
}

/// A line that changes something.
#[derive(Debug, Serialize)]
struct Done {
    line: u64,
    name: String,
    deed: Deed,
    attributes: Vec<String>,
}

/// What became of all lines.
#[derive(Debug, Default, Serialize)]
struct Sum {
    dry_run: bool,
    txn: Option<String>,
    created: u64,
    changed: u64,
    unchanged: u64,
    /// Of a dry run: what would change.
    changes: Vec<Done>,
    /// Of a dry run: how many events of which type would be told.
    events: BTreeMap<EventType, u64>,
    wrong: Vec<Wrong>,
}

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let name = args.file.display();
    let cannot_read = || format!("cannot read {name}");
    let (input, size): (Box<dyn BufRead>, _) = if args.file.as_os_str() == "-" {
        (Box::new(BufReader::new(io::stdin())), None)
    } else {
        let file = File::open(&args.file).with_context(cannot_read)?;
        let size = file.metadata().with_context(cannot_read)?.len();
        (Box::new(BufReader::new(file)), Some(size))
    };
    let rows = rows(input).with_context(cannot_read)?;
    let desk = Desk::of(args.data.open_or_make(on).await?);
    let mut progress = Progress::new("importing", size, output, desk.now());
    let mut import = Import::new(desk, args.dry_run);
    for (line, bytes, entry) in rows {
        import.take(line, entry).await?;
        progress.advance(bytes, import.desk.now());
    }
    drop(progress);
    let mut sum = import.sum;
    if sum.created + sum.changed > 0 && !sum.dry_run {
        sum.txn = Some(import.desk.cause.txn);
    }
    output.show(&sum, text)?;
    let wrong: Vec<_> = sum
        .wrong
        .iter()
        .take(TOLD)
        .map(|one| format!("line {}: {}", one.line, one.reason))
        .collect();
    match sum.wrong.len() - wrong.len() {
        _ if wrong.is_empty() => Ok(()),
        0 => bail!("not all of {name} was taken: {}", wrong.join("; ")),
        more => bail!("not all of {name} was taken: {}; and {more} more", wrong.join("; ")),
    }
}

struct Import {
    desk: Desk,
    sum: Sum,
    /// What the file calls people, and who they are.
    ids: HashMap<String, String>,
    /// Of a dry run: the names of those who would be made.
    made: HashSet<String>,
}

impl Import {
    fn new(desk: Desk, dry_run: bool) -> Self {
        let sum = Sum { dry_run, ..Sum::default() };
        Self { desk, sum, ids: HashMap::new(), made: HashSet::new() }
    }

    /// Does what a line says. What is wrong with the line is noted; what is wrong with us ends it.
    async fn take(&mut self, line: u64, entry: Result<Entry, String>) -> anyhow::Result<()> {
        // All of it is one request, however long it takes.
        let cause = self.desk.directory.cause(Actor::Operator);
        self.desk.cause = Cause { txn: self.desk.cause.txn.clone(), ..cause };
        let entry = match entry {
            Ok(entry) => entry,
            Err(reason) => {
                self.sum.wrong.push(Wrong { line, reason });
                return Ok(());
            }
        };
        let name = entry.name.clone();
        let done = match entry.kind {
            ResourceType::User => self.user(entry).await,
            ResourceType::Group => self.group(entry).await,
        };
        let preview = match done {
            Ok(preview) => preview,
            Err(
                error @ (Error::Invalid(_)
                | Error::NotFound { .. }
                | Error::Refused(_)
                | Error::Scim(_)),
            ) => {
                self.sum.wrong.push(Wrong { line, reason: error.to_string() });
                return Ok(());
            }
            Err(error) => return Err(advise(error)).with_context(|| format!("line {line}")),
        };
        match preview.deed {
            None => self.sum.unchanged += 1,
            Some(Deed::Created) => self.sum.created += 1,
            Some(Deed::Changed | Deed::Deleted) => self.sum.changed += 1,
        }
        if let Some(deed) = preview.deed.filter(|_| self.sum.dry_run) {
            for event_type in preview.event_types {
                *self.sum.events.entry(event_type).or_default() += 1;
            }
            let attributes = preview.attributes;
            self.sum.changes.push(Done { line, name, deed, attributes });
        }
        Ok(())
    }

    async fn user(&mut self, entry: Entry) -> Result<Preview, Error> {
        let (kind, directory) = (ResourceType::User, &self.desk.directory);
        let patch = people::request(&entry.operations, kind)?;
        let new = json!({ "schemas": [kind.core().id], "userName": entry.name });
        let new = scim::normalize(kind, &new, Mode::Create)?;
        let there = directory.id_of(kind, &entry.name).await?;
        let password = match entry.password {
            Some(password) => directory.new_password(there, Secret::new(password)).await?,
            None => None,
        };
        let at = self.desk.cause.at;
        let change = |user: &mut User| {
            if there.is_none() {
                user.take(new.clone(), Given::Whole, None, at)?;
            }
            let patched = patch.apply(&user.writable(None, at))?;
            user.take(patched.resource, Given::Changed, None, at)?;
            if let Some(password) = &password {
                user.set_password(Some(password.clone()));
            }
            Ok(())
        };
        let cause = &self.desk.cause;
        let (id, preview) = match there {
            _ if self.sum.dry_run => (there, directory.user_preview(there, cause, change).await?),
            Some(id) => {
                let changed = directory.user_change(id, None, cause, change).await?.changed;
                (there, done(changed.then_some(Deed::Changed)))
            }
            None => {
                (Some(directory.user_create(cause, change).await?.id), done(Some(Deed::Created)))
            }
        };
        match id {
            Some(id) => drop(entry.id.and_then(|own| self.ids.insert(own, id.to_string()))),
            None => self.made.extend([Some(fold(&entry.name)), entry.id].into_iter().flatten()),
        }
        Ok(preview)
    }

    async fn group(&mut self, entry: Entry) -> Result<Preview, Error> {
        let (kind, directory) = (ResourceType::Group, &self.desk.directory);
        let patch = people::request(&entry.operations, kind)?;
        let new = json!({ "schemas": [kind.core().id], "displayName": entry.name });
        let new = scim::normalize(kind, &new, Mode::Create)?;
        let there = directory.id_of(kind, &entry.name).await?;
        let mut members = MemberRequest { unknown: Unknown::Reject, ..MemberRequest::default() };
        let mut to_be_made = 0;
        if let Some(named) = entry.members {
            let mut ids = Vec::new();
            for name in named {
                match self.ids.get(&name) {
                    Some(id) => ids.push(id.clone()),
                    None if self.made.contains(&name) || self.made.contains(&fold(&name)) => {
                        to_be_made += 1;
                    }
                    None => ids.push(directory.user_named(&name).await?.id.to_string()),
                }
            }
            members.steps.push(MemberStep::Replace(ids));
        }
        let change = |group: &mut Group| {
            if there.is_none() {
                group.take(new.clone(), Given::Whole, None)?;
            }
            let patched = patch.apply(&group.writable(None))?;
            group.take(patched.resource, Given::Changed, None)
        };
        let cause = &self.desk.cause;
        match there {
            _ if self.sum.dry_run => {
                let preview = directory.group_preview(there, cause, &members, change).await?;
                Ok(if to_be_made > 0 { joined(preview) } else { preview })
            }
            Some(id) => {
                let changed =
                    directory.group_change(id, None, cause, &members, change).await?.changed;
                Ok(done(changed.then_some(Deed::Changed)))
            }
            None => {
                directory.group_create(cause, &members, change).await?;
                Ok(done(Some(Deed::Created)))
            }
        }
    }
}

/// What is said of a group whom people join who are not there yet.
fn joined(mut preview: Preview) -> Preview {
    if preview.deed.is_none() {
        preview.deed = Some(Deed::Changed);
        preview.event_types = vec![EventType::SCIM_PATCH_NOTICE, EventType::SCIM_PATCH_FULL];
    }
    if !preview.attributes.iter().any(|path| path == "members") {
        preview.attributes.push("members".to_owned());
    }
    preview
}

fn done(deed: Option<Deed>) -> Preview {
    Preview { deed, ..Preview::default() }
}

fn text(sum: &Sum) -> String {
    let mut lines = Vec::new();
    if sum.dry_run && !sum.changes.is_empty() {
        let mut table = Table::new(["LINE", "NAME", "WOULD BE", "ATTRIBUTES"], "");
        for done in sum.changes.iter().take(TOLD) {
            table.row([
                done.line.to_string().into(),
                done.name.as_str().into(),
                people::deed(done.deed).into(),
                done.attributes.join(", ").into(),
            ]);
        }
        lines.push(table.to_string());
        let mut table = Table::new(["WOULD BE TOLD", "TIMES"], "");
        for (event_type, times) in &sum.events {
            table.row([event_type.short_name().into(), times.to_string().into()]);
        }
        lines.push(table.to_string());
    }
    let would = if sum.dry_run { "would be " } else { "" };
    let Sum { created, changed, unchanged, wrong, .. } = sum;
    lines.push(format!(
        "{created} {would}created, {changed} {would}changed, {unchanged} as they are to be already, {} wrong",
        wrong.len()
    ));
    lines.extend(sum.txn.as_ref().map(|txn| format!("txn: {txn}")));
    lines.join("\n")
}
