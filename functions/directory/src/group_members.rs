//! Members of groups as resources of their own, for groups that have more than an answer holds
//! (draft-zollner-scim-group-members): read by `group.value eq`, page by page, by cursor. Who is in a group
//! is changed at the group.

use axum::extract::{Path, State};
use http::Uri;
use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    directory::{Directory, MAX_PAGE, Membership, ResourceId, location},
    scim::{self, ErrorKind, ListResponse, ResourceType},
    web::{MayReadDirectory, Problem},
};

use crate::{
    answer::Answer,
    resource::parse,
    search::{DEFAULT_PAGE, pairs},
};

const GROUP_MEMBER: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMember";
const ENDPOINT: &str = "/GroupMembers";

/// Where the members of a group are.
pub(crate) fn members_location(group: ResourceId, base: &str) -> String {
    format!("{base}{ENDPOINT}?filter=group.value%20eq%20%22{group}%22")
}

pub(crate) async fn list(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    uri: Uri,
) -> Result<Answer, Problem> {
    let asked = Asked::read(&uri)?;
    let directory = Directory::of(&transmitter);
    let base = directory.base();
    if let Some(member) = asked.member {
        let found = directory.membership(asked.group, member).await?;
        let resources: Vec<_> = found.iter().map(|one| resource(*one, &base)).collect();
        let total_results = Some(resources.len() as u64);
        let response = ListResponse { total_results, resources, ..ListResponse::default() };
        return Ok(Answer::of(response.into_json()));
    }
    let page =
        directory.members_page(&receiver.id, asked.group, asked.cursor.as_deref(), asked.count);
    let (group, members, next_cursor) = page.await?;
    let response = ListResponse {
        total_results: Some(group.member_count),
        resources: members.into_iter().map(|member| resource(member, &base)).collect(),
        next_cursor,
        ..ListResponse::default()
    };
    Ok(Answer::of(response.into_json()))
}

pub(crate) async fn read(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(_): MayReadDirectory,
    Path(id): Path<String>,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let no_such = || Error::NotFound { kind: "group member", id: id.clone() };
    let (group, member) = id.split_once('.').ok_or_else(no_such)?;
    let parsed = ResourceId::parse(group).zip(ResourceId::parse(member));
    let (group, member) = parsed.ok_or_else(no_such)?;
    let found = directory.membership(group, member).await?.ok_or_else(no_such)?;
    Ok(Answer::of(resource(found, &directory.base())))
}

fn resource(Membership { group, member, since }: Membership, base: &str) -> Value {
    let id = format!("{group}.{member}");
    json!({
        "schemas": [GROUP_MEMBER],
        "id": id,
        "group": { "value": group, "$ref": location(ResourceType::Group, group, base) },
        "member": {
            "value": member,
            "$ref": location(ResourceType::User, member, base),
            "type": "User",
        },
        "meta": {
            "resourceType": "GroupMember",
            "created": since,
            "lastModified": since,
            "location": format!("{base}{ENDPOINT}/{id}"),
        },
    })
}

/// Whose members are asked for.
#[derive(Debug, Eq, PartialEq)]
struct Asked {
    group: ResourceId,
    member: Option<ResourceId>,
    cursor: Option<String>,
    count: usize,
}

impl Asked {
    fn read(uri: &Uri) -> Result<Self, Error> {
        let refuse = |kind, detail: &str| Error::from(scim::Error::new(kind, detail));
        let (mut filter, mut cursor, mut count) = (String::new(), None, DEFAULT_PAGE);
        for (name, value) in pairs(uri) {
            match name.to_ascii_lowercase().as_str() {
                "filter" => filter = value,
                "cursor" => cursor = Some(value).filter(|cursor| !cursor.is_empty()),
                "count" => {
                    count = value
                        .parse()
                        .map_err(|_| refuse(ErrorKind::InvalidCount, "count is no number"))?;
                }
                "startindex" if value != "1" => {
                    let detail = "the members of a group have pages by cursor alone";
                    return Err(refuse(ErrorKind::InvalidValue, detail));
                }
                _ => {}
            }
        }
        let (mut group, mut member) = (None, None);
        for part in terms(&filter) {
            match part {
                Some((name, id)) if name.eq_ignore_ascii_case("group.value") => {
                    group = Some(parse(id, ResourceType::Group)?);
                }
                Some((name, id)) if name.eq_ignore_ascii_case("member.value") => {
                    member = Some(parse(id, ResourceType::User)?);
                }
                _ => {
                    let detail = "only group.value and member.value are compared, by eq and and";
                    return Err(refuse(ErrorKind::InvalidFilter, detail));
                }
            }
        }
        let detail = "the filter must name a group: group.value eq";
        let group = group.ok_or_else(|| refuse(ErrorKind::TooMany, detail))?;
        Ok(Self { group, member, cursor, count: count.min(MAX_PAGE) })
    }
}

/// The comparisons of a filter that joins them by `and`: the name and the text of each, or nothing for
/// what is no comparison of a text by `eq`.
fn terms(filter: &str) -> Vec<Option<(&str, &str)>> {
    let mut words = filter.split_ascii_whitespace();
    let mut terms = Vec::new();
    while let Some(name) = words.next() {
        let is_eq = words.next().is_some_and(|word| word.eq_ignore_ascii_case("eq"));
        let text = words.next().and_then(|word| word.strip_prefix('"')?.strip_suffix('"'));
        terms.push(text.filter(|_| is_eq).map(|text| (name, text)));
        if words.next().is_some_and(|word| !word.eq_ignore_ascii_case("and")) {
            terms.push(None);
        }
    }
    terms
}
