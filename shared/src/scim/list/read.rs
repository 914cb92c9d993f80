//! Reads what is asked for, from a query or from a body.

use serde_json::Value;

use super::{ListRequest, Page, SEARCH_REQUEST, SortOrder};
use crate::scim::{
    Error, ErrorKind, Filter, ResourceType,
    normalize::{member, names_schema},
    projection::Projection,
    schema::{AttributePath, Kind, Returned},
};

/// The parameters, as texts.
#[derive(Default)]
struct Parameters {
    filter: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    cursor: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

const NAMES: [&str; 8] = [
    "filter",
    "sortBy",
    "sortOrder",
    "startIndex",
    "count",
    "cursor",
    "attributes",
    "excludedAttributes",
];

impl Parameters {
    fn slot(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        let name = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
        let slot = match name {
            "filter" => &mut self.filter,
            "sortBy" => &mut self.sort_by,
            "sortOrder" => &mut self.sort_order,
            "startIndex" => &mut self.start_index,
            "count" => &mut self.count,
            "cursor" => &mut self.cursor,
            "attributes" => &mut self.attributes,
            _ => &mut self.excluded_attributes,
        };
        Some((name, slot))
    }
}

pub(super) fn query<'q>(
    pairs: impl IntoIterator<Item = (&'q str, &'q str)>,
    resource_type: ResourceType,
) -> Result<ListRequest, Error> {
    let mut parameters = Parameters::default();
    for (name, value) in pairs {
        if let Some((name, slot)) = parameters.slot(name)
            && slot.replace(value.to_owned()).is_some()
        {
            return Err(Error::value(format_args!("{name} is there twice")));
        }
    }
    request(parameters, resource_type)
}

pub(super) fn search(message: &Value, resource_type: ResourceType) -> Result<ListRequest, Error> {
    let message = message.as_object().ok_or_else(|| Error::syntax("the body is not an object"))?;
    if !names_schema(member(message, "schemas")?, SEARCH_REQUEST) {
        return Err(Error::syntax(format_args!("schemas does not name {SEARCH_REQUEST}")));
    }
    let mut parameters = Parameters::default();
    for name in NAMES {
        let value = match member(message, name)? {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(names)) if name.ends_with("ttributes") => {
                let names: Option<Vec<_>> = names.iter().map(Value::as_str).collect();
                names.ok_or_else(|| Error::syntax(format_args!("{name} holds no names")))?.join(",")
            }
            Some(_) => return Err(Error::syntax(format_args!("{name} has the wrong type"))),
        };
        if let Some((_, slot)) = parameters.slot(name) {
            *slot = Some(value);
        }
    }
    request(parameters, resource_type)
}

fn request(parameters: Parameters, resource_type: ResourceType) -> Result<ListRequest, Error> {
    let has_cursor = parameters.cursor.is_some();
    let filter_text = parameters.filter.filter(|text| !text.trim().is_empty());
    let filter =
        filter_text.as_deref().map(|text| Filter::parse(text, resource_type)).transpose()?;
    let sort_by = match parameters.sort_by.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(name) => Some(sort_path(name, resource_type)?),
    };
    let count_kind = if has_cursor { ErrorKind::InvalidCount } else { ErrorKind::InvalidValue };
    let count = number(parameters.count.as_deref(), "count", count_kind)?;
    let start = number(parameters.start_index.as_deref(), "startIndex", ErrorKind::InvalidValue)?;
    let page = match (parameters.cursor, start) {
        (Some(_), Some(_)) => {
            return Err(Error::value("startIndex does not go with a cursor"));
        }
        (Some(cursor), None) => Page::Cursor(read_cursor(cursor)?),
        (None, start) => Page::Index(start.unwrap_or(1).max(1)),
    };
    Ok(ListRequest {
        filter,
        filter_text,
        sort_by,
        sort_order: sort_order(parameters.sort_order.as_deref())?,
        page,
        count: count.map(|count| u32::try_from(count).unwrap_or(u32::MAX)),
        projection: Projection::parse(
            parameters.attributes.as_deref(),
            parameters.excluded_attributes.as_deref(),
            resource_type,
        )?,
    })
}

/// The attribute to sort by. A complex one is sorted by its `value`.
pub fn sort_path(name: &str, resource_type: ResourceType) -> Result<AttributePath, Error> {
    let unknown = || Error::value("sortBy names no attribute that can be sorted by");
    let path = AttributePath::resolve(name, resource_type).ok_or_else(unknown)?;
    if path.leaf().returned == Returned::Never {
        return Err(Error::new(ErrorKind::Sensitive, format_args!("{path} cannot be sorted by")));
    }
    match path.leaf() {
        leaf if leaf.kind != Kind::Complex => Ok(path),
        leaf => Ok(path.with(Some(leaf.sub_attribute("value").ok_or_else(unknown)?))),
    }
}

fn sort_order(word: Option<&str>) -> Result<SortOrder, Error> {
    match word.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "ascending" => Ok(SortOrder::Ascending),
        "descending" => Ok(SortOrder::Descending),
        _ => Err(Error::value("sortOrder is neither ascending nor descending")),
    }
}

/// A whole number; below zero it is taken as zero ([RFC 7644, 3.4.2.4]), and an empty one as absent.
fn number(text: Option<&str>, name: &str, kind: ErrorKind) -> Result<Option<u64>, Error> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => {
            let number = text.parse::<i128>();
            let number =
                number.map_err(|_| Error::new(kind, format_args!("{name} is no number")))?;
            Ok(Some(u64::try_from(number.max(0)).unwrap_or(u64::MAX)))
        }
    }
}

/// A cursor has unreserved characters only ([RFC 9865, 2]); an empty one asks for the first page.
fn read_cursor(cursor: String) -> Result<Option<String>, Error> {
    const MAX: usize = 256;
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if cursor.is_empty() {
        return Ok(None);
    }
    if cursor.len() > MAX || !cursor.bytes().all(unreserved) {
        return Err(Error::new(ErrorKind::InvalidCursor, "cursor is not one of ours"));
    }
    Ok(Some(cursor))
}
