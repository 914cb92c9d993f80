//! What the commands about people and groups share: they change things as SCIM does, so that the same
//! change tells the same.

use std::io::{self, IsTerminal};

use anyhow::{Context, bail};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::{Map, Value, json};
use ssf::{
    Error, Transmitter,
    client::Secret,
    directory::{
        Actor, Cause, Change, Changed, Deed, Directory, Given, Listed, MAX_PAGE, PasswordHash,
        Search, Start, User,
    },
    scim::{
        self, Filter, PatchRequest, Path, ResourceType,
        list::{
            SortOrder::{Ascending, Descending},
            sort_path,
        },
        patch::{MAX_OPERATIONS, PATCH_OP},
    },
};

use crate::{
    args::{Data, OnStack},
    output::{Table, advise, time},
};

/// The directory, and why it is changed.
pub(super) struct Desk {
    pub(super) transmitter: Transmitter,
    pub(super) directory: Directory,
    pub(super) cause: Cause,
}

impl Desk {
    /// The one of the transmitter there.
    pub(super) async fn open(data: &Data, on: &OnStack) -> anyhow::Result<Self> {
        Ok(Self::of(data.open(on).await?))
    }

    pub(super) fn of(transmitter: Transmitter) -> Self {
        let directory = Directory::of(&transmitter);
        let cause = directory.cause(Actor::Operator);
        Self { transmitter, directory, cause }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.transmitter.parts().clock.now()
    }

    /// The person as a SCIM resource, with the groups.
    pub(super) async fn resource(&self, user: &User) -> Result<Map<String, Value>, Error> {
        let mut resource = user.resource(None, &self.directory.base(), self.now());
        let groups = self.directory.groups_of(user.id).await?;
        if !groups.is_empty() {
            let groups = groups.iter().map(|group| {
                json!({ "value": group.id, "display": group.display_name, "type": "direct" })
            });
            resource.insert("groups".to_owned(), groups.collect());
        }
        Ok(resource)
    }

    /// Changes a person as SCIM's PATCH does.
    pub(super) async fn patch(
        &self,
        user: &User,
        patch: &PatchRequest,
        password: Option<&PasswordHash>,
    ) -> Result<Changed<User>, Error> {
        let at = self.cause.at;
        let change = |user: &mut User| {
            let patched = patch.apply(&user.writable(None, at))?;
            user.take(patched.resource, Given::Changed, None, at)?;
            if let Some(password) = password {
                user.set_password(Some(password.clone()));
            }
            Ok(())
        };
        self.directory.user_change(user.id, None, &self.cause, change).await
    }

    /// Gives a person this password.
    pub(super) async fn give(
        &self,
        user: &User,
        password: Option<&PasswordHash>,
    ) -> Result<Changed<User>, Error> {
        let change = |user: &mut User| {
            user.set_password(password.cloned());
            Ok(())
        };
        self.directory.user_change(user.id, None, &self.cause, change).await
    }

    /// The name of the request, if it changed anything.
    pub(super) fn txn<T>(&self, changed: &Changed<T>) -> Option<&str> {
        changed.changed.then_some(self.cause.txn.as_str())
    }
}

/// Which resources are listed.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// Only those that fit this filter of SCIM: 'userName sw "j" and active eq true'
    #[arg(long, value_name = "SCIM_FILTER")]
    filter: Option<String>,
    /// By which attribute to sort, such as userName or meta.created; else by the time of creation
    #[arg(long, value_name = "ATTR")]
    sort: Option<String>,
    /// The last ones first
    #[arg(long, requires = "sort")]
    descending: bool,
    /// At most so many; else all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl Wanted {
    /// Those, page by page to the end, and whether there are more.
    pub(super) async fn find<T: Listed>(&self, desk: &Desk) -> anyhow::Result<(Vec<T>, bool)> {
        let filter = self.filter.as_deref().map(|text| Filter::parse(text, T::KIND));
        let filter = filter.transpose().context("--filter")?;
        let sort = match &self.sort {
            Some(name) => {
                let path = sort_path(name, T::KIND).ok();
                let path = path.with_context(|| format!("--sort: there is no {name}"))?;
                Some((path, if self.descending { Descending } else { Ascending }))
            }
            None => None,
        };
        let most = self.limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
        let (client, filter) = (None, filter.as_ref());
        let mut start = Start::FirstByCursor;
        let mut found = Vec::new();
        loop {
            let search = Search { client, filter, start, count: MAX_PAGE, sort };
            let mut page = desk.directory.list::<T>(&search).await.map_err(advise)?;
            found.append(&mut page.resources);
            let more = found.len() > most;
            if more || page.next_cursor.is_none() {
                found.truncate(most);
                return Ok((found, more));
            }
            start = page.next_cursor.map_or(Start::FirstByCursor, Start::Cursor);
        }
    }
}

/// A PATCH request of these operations.
pub(super) fn patch(operations: &[Value], kind: ResourceType) -> anyhow::Result<PatchRequest> {
    if operations.len() > MAX_OPERATIONS {
        bail!("more than {MAX_OPERATIONS} attributes are named");
    }
    Ok(request(operations, kind)?)
}

/// The same. An error names the attribute, and not a place in a message that nobody sees.
pub(super) fn request(
    operations: &[Value],
    kind: ResourceType,
) -> Result<PatchRequest, scim::Error> {
    let message = json!({ "schemas": [PATCH_OP], "Operations": operations });
    PatchRequest::parse(&message, kind).map_err(|mut error| {
        let place =
            error.detail.strip_prefix("Operations[").and_then(|rest| rest.split_once("]: "));
        if let Some((_, reason)) = place {
            error.detail = reason.to_owned();
        }
        error
    })
}

/// What a person says is to be another way: `title=Nurse`.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    path: String,
    value: String,
}

impl Assignment {
    /// Reads one from the command line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match equals_sign(text) {
            Some(at) if at > 0 => {
                let path = attribute(&text[..at])?;
                Ok(Self { path, value: text[at + 1..].to_owned() })
            }
            _ => Err("is not like title=Nurse".to_owned()),
        }
    }

    /// The operation that says so.
    pub(super) fn operation(&self) -> anyhow::Result<Value> {
        Ok(json!({ "op": "replace", "path": self.path, "value": value(&self.path, &self.value)? }))
    }
}

/// The first equals sign that is not within a filter.
fn equals_sign(text: &str) -> Option<usize> {
    let mut within = false;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '[' => within = true,
            ']' => within = false,
            '=' if !within => return Some(at),
            _ => {}
        }
        None
    })
}

/// The path of an attribute of a person that may be set by a command.
pub(super) fn attribute(text: &str) -> Result<String, String> {
    let path = Path::parse(text, ResourceType::User).map_err(|error| error.to_string())?;
    if let Path::Attribute(path) = path
        && path.is("password")
    {
        return Err("names the password, which must not stand on a command line: \
                    `tocsin user set-password` reads it from stdin"
            .to_owned());
    }
    Ok(text.to_owned())
}

/// A value as it stands in a command or a table: a list or an object as JSON, all else as it is.
pub(super) fn value(path: &str, text: &str) -> anyhow::Result<Value> {
    if text.starts_with(['[', '{']) {
        return serde_json::from_str(text).with_context(|| format!("{path}: is not JSON"));
    }
    Ok(text.into())
}

/// A date, such as 2027-01-31, or a time, such as 2027-01-31T12:00:00Z.
pub(super) fn date(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date: Option<civil::Date> = text.parse().ok();
    let start = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    start
        .map(|start| start.timestamp())
        .ok_or_else(|| "is neither like 2027-01-31 nor like 2027-01-31T12:00:00Z".to_owned())
}

/// A password, from stdin; the end of its line is no part of it.
pub(super) fn read_password() -> anyhow::Result<Secret> {
    if io::stdin().is_terminal() {
        bail!(
            "a password is read from a file or another program, so that no screen shows it: \
             put `< FILE` behind the command"
        );
    }
    let text = io::read_to_string(io::stdin()).context("cannot read the password from stdin")?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

/// Changes, for people.
pub(super) fn changes(changes: &[Change]) -> Table {
    let mut table = Table::new(
        ["WHEN", "WHAT", "ID", "CHANGE", "ATTRIBUTES", "BY", "TXN"],
        "nothing is remembered",
    );
    for change in changes {
        table.row([
            time(change.at).into(),
            change.kind.name().into(),
            change.id.to_string().into(),
            deed(change.deed).into(),
            change.attributes.join(", ").into(),
            change.actor.to_string().into(),
            change.txn.as_str().into(),
        ]);
    }
    table
}

/// What was done, in a word.
pub(super) fn deed(deed: Deed) -> &'static str {
    match deed {
        Deed::Created => "created",
        Deed::Changed => "changed",
        Deed::Deleted => "deleted",
    }
}

/// A sentence about a change, and how to see what follows.
pub(super) fn sentence(what: &str, txn: Option<&str>) -> String {
    match txn {
        Some(txn) => format!("{what}\ntxn: {txn}"),
        None => "nothing changed: it was so already".to_owned(),
    }
}
