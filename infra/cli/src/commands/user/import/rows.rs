//! What a file of people and groups says, line by line.

use std::io::{BufRead, Read};

use serde_json::{Map, Value, json};
use ssf::scim::{Path, ResourceType};

use crate::commands::people;

/// Somebody, or a group, as the file says.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) kind: ResourceType,
    /// The userName, or the displayName.
    pub(super) name: String,
    /// What the file itself calls it, by which it names members of groups.
    pub(super) id: Option<String>,
    /// What makes it what the file says.
    pub(super) operations: Vec<Value>,
    pub(super) password: Option<String>,
    /// Who is in a group; `None`: the file does not say.
    pub(super) members: Option<Vec<String>>,
}

/// A line, how many bytes it has, and what it says or why it says nothing.
pub(super) type Row = (u64, u64, Result<Entry, String>);

/// Reads JSON lines where the file begins like an object, and CSV else.
pub(super) fn rows(mut input: Box<dyn BufRead>) -> anyhow::Result<Box<dyn Iterator<Item = Row>>> {
    let begin = input.fill_buf()?;
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin);
    let first = begin.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none_or(|first| *first == b'{') {
        Ok(Box::new(json_rows(input)))
    } else {
        csv_rows(input)
    }
}

fn json_rows(input: Box<dyn BufRead>) -> impl Iterator<Item = Row> {
    let lines = input.lines().zip(1..);
    lines.filter_map(|(text, line)| match text {
        Ok(text) => {
            let trimmed = text.trim_start_matches('\u{feff}').trim();
            let entry = (!trimmed.is_empty()).then(|| json_entry(trimmed))?;
            Some((line, text.len() as u64 + 1, entry))
        }
        Err(error) => Some((line, 0, Err(error.to_string()))),
    })
}

fn json_entry(text: &str) -> Result<Entry, String> {
    let Ok(mut resource) = serde_json::from_str::<Map<String, Value>>(text) else {
        return Err("the line is not a JSON object".to_owned());
    };
    let group = ResourceType::Group;
    let says_group = resource
        .get("schemas")
        .is_some_and(|schemas| schemas.to_string().contains(group.core().id));
    let kind = if says_group { group } else { ResourceType::User };
    let named = match kind {
        ResourceType::User => "userName",
        ResourceType::Group => "displayName",
    };
    let name = member(&resource, named).and_then(Value::as_str);
    let name = name.ok_or_else(|| format!("{named} is missing"))?.to_owned();
    let id = take(&mut resource, "id").and_then(|id| id.as_str().map(str::to_owned));
    let members = match (kind, take(&mut resource, "members")) {
        (ResourceType::Group, Some(members)) => Some(names(&members)?),
        (ResourceType::Group, None) | (ResourceType::User, _) => None,
    };
    let password = take(&mut resource, "password").and_then(|one| one.as_str().map(str::to_owned));
    // Not the person's own to say: these are told of, or follow from, the rest.
    for name in ["schemas", "meta", "groups", "externalId"] {
        take(&mut resource, name);
    }
    let operations = vec![json!({ "op": "replace", "value": resource })];
    Ok(Entry { kind, name, id, operations, password, members })
}

/// Who is named: by `value`, or without an object.
fn names(members: &Value) -> Result<Vec<String>, String> {
    let members = members.as_array().ok_or("members is not a list")?;
    let name = |member: &Value| member.get("value").unwrap_or(member).as_str().map(str::to_owned);
    let names: Option<_> = members.iter().map(name).collect();
    names.ok_or_else(|| "members.value is missing".to_owned())
}

fn member<'r>(resource: &'r Map<String, Value>, name: &str) -> Option<&'r Value> {
    resource.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn take(resource: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let sent = resource.keys().find(|sent| sent.eq_ignore_ascii_case(name))?.clone();
    resource.remove(&sent)
}

fn csv_rows(input: impl Read + 'static) -> anyhow::Result<Box<dyn Iterator<Item = Row>>> {
    let mut reader = csv::Reader::from_reader(input);
    let header: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    for name in &header {
        if let Err(error) = Path::parse(name, ResourceType::User) {
            anyhow::bail!("line 1: the column {name:?}: {error}");
        }
    }
    if !header.iter().any(|name| name.eq_ignore_ascii_case("userName")) {
        anyhow::bail!("line 1: there is no column userName");
    }
    let mut before = 0;
    let rows = reader.into_records().map(move |record| match record {
        Ok(record) => {
            let (line, at) = record.position().map_or((0, 0), |place| (place.line(), place.byte()));
            let bytes = at - before;
            before = at;
            (line, bytes, csv_entry(&header, &record))
        }
        Err(error) => {
            let line = error.position().map_or(0, csv::Position::line);
            (line, 0, Err(csv_problem(&error).to_owned()))
        }
    });
    Ok(Box::new(rows))
}

/// Without the values, which may be anybody's.
fn csv_problem(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { .. } => {
            "the line has not as many values as the first has columns"
        }
        csv::ErrorKind::Utf8 { .. } => "the line is not UTF-8",
        _ => "the line cannot be read",
    }
}

/// What is empty says nothing.
fn csv_entry(header: &[String], record: &csv::StringRecord) -> Result<Entry, String> {
    let (mut name, mut password, mut operations) = (None, None, Vec::new());
    for (path, text) in header.iter().zip(record).filter(|(_, text)| !text.trim().is_empty()) {
        if path.eq_ignore_ascii_case("password") {
            password = Some(text.to_owned());
            continue;
        }
        if path.eq_ignore_ascii_case("userName") {
            name = Some(text.to_owned());
        }
        let value = people::value(path, text).map_err(|error| error.to_string())?;
        operations.push(json!({ "op": "replace", "path": path, "value": value }));
    }
    let name = name.ok_or("userName is missing")?;
    let kind = ResourceType::User;
    Ok(Entry { kind, name, id: None, operations, password, members: None })
}
