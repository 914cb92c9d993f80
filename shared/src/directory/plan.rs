//! How a filter is answered: from an index where there is one for it, else by a walk.

use crate::scim::{
    Filter, ResourceType,
    filter::{Literal, Operator},
    schema::AttributePath,
};

/// Where the resources that a filter selects are looked for; there may be others among them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The one with this id.
    Id(String),
    /// The one with this name.
    Name(String),
    /// Those that the client calls so.
    ExternalId(String),
    /// People with this address.
    Email(String),
    /// The members of the group with this id.
    MembersOf(String),
    /// The groups of the person with this id.
    GroupsOf(String),
    /// Those whose name begins so.
    NamePrefix(String),
    /// Those of each of these.
    Union(Vec<Self>),
    /// All.
    All,
}

impl Source {
    /// The best place to look for what `filter` selects.
    pub(crate) fn of(filter: Option<&Filter>, kind: ResourceType) -> Self {
        let Some(filter) = filter else { return Self::All };
        let sources = filter.conjuncts().iter().filter_map(|part| indexed(part, kind));
        // Few are better than many.
        sources.min_by_key(Self::rank).unwrap_or(Self::All)
    }

    fn rank(&self) -> usize {
        match self {
            Self::Id(_) => 0,
            Self::Name(_) => 1,
            Self::ExternalId(_) => 2,
            Self::Email(_) => 3,
            Self::GroupsOf(_) => 4,
            Self::MembersOf(_) => 5,
            Self::NamePrefix(_) => 6,
            Self::Union(_) => 7,
            Self::All => 8,
        }
    }
}

/// Where to look for what one part of a filter selects, if there is an index for it.
fn indexed(filter: &Filter, kind: ResourceType) -> Option<Source> {
    match filter {
        Filter::Compare { path, operator: Operator::Equal, value: Literal::Text(text) } => {
            equality(*path, text, kind)
        }
        Filter::Compare { path, operator: Operator::StartsWith, value: Literal::Text(text) }
            if path.is(name_of(kind)) && !text.is_empty() =>
        {
            Some(Source::NamePrefix(text.clone()))
        }
        Filter::ValuePath { filter, .. } => {
            let parts = filter.conjuncts().iter();
            parts.filter_map(|part| indexed(part, kind)).min_by_key(Source::rank)
        }
        Filter::Or(parts) => {
            let sources = parts.iter().map(|part| match Source::of(Some(part), kind) {
                Source::All => None,
                source => Some(source),
            });
            Some(Source::Union(sources.collect::<Option<_>>()?))
        }
        Filter::And(_) => match Source::of(Some(filter), kind) {
            Source::All => None,
            source => Some(source),
        },
        Filter::Compare { .. } | Filter::Not(_) | Filter::Present(_) => None,
    }
}

fn equality(path: AttributePath, text: &str, kind: ResourceType) -> Option<Source> {
    let text = text.to_owned();
    Some(match (kind, path.to_string().as_str()) {
        (_, "id") => Source::Id(text),
        (_, "externalId") => Source::ExternalId(text),
        (ResourceType::User, "userName") | (ResourceType::Group, "displayName") => {
            Source::Name(text)
        }
        (ResourceType::User, "emails.value") => Source::Email(text),
        (ResourceType::User, "groups.value") => Source::MembersOf(text),
        (ResourceType::Group, "members.value") => Source::GroupsOf(text),
        _ => return None,
    })
}

/// The attribute that names a resource to people.
pub(crate) fn name_of(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::User => "userName",
        ResourceType::Group => "displayName",
    }
}

/// Whether `filter` speaks of this attribute.
pub(crate) fn mentions(filter: &Filter, attribute: &str) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().any(|part| mentions(part, attribute))
        }
        Filter::Not(part) => mentions(part, attribute),
        Filter::Compare { path, .. } | Filter::Present(path) => path.attribute.name == attribute,
        Filter::ValuePath { path, filter } => {
            path.attribute.name == attribute || mentions(filter, attribute)
        }
    }
}

/// The ids that `filter` compares members with; an error where it asks for anything but equality,
/// which no row can answer.
pub(crate) fn compared_members(filter: &Filter) -> Result<Vec<String>, ()> {
    let mut found = Vec::new();
    collect(filter, &mut found)?;
    Ok(found)
}

fn collect(filter: &Filter, found: &mut Vec<String>) -> Result<(), ()> {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| collect(part, found))
        }
        Filter::Not(part) | Filter::ValuePath { filter: part, .. } => collect(part, found),
        Filter::Compare { path, operator, value } if path.attribute.name == "members" => {
            match (path.to_string().as_str(), operator, value) {
                ("members.value", Operator::Equal, Literal::Text(text)) => found.push(text.clone()),
                _ => return Err(()),
            }
            Ok(())
        }
        Filter::Compare { .. } | Filter::Present(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn source(kind: ResourceType, filter: &str) -> Source {
        Source::of(Some(&Filter::parse(filter, kind).unwrap()), kind)
    }

    #[test]
    fn what_clients_ask_every_day_has_an_index() {
        use ResourceType::{Group, User};
        let text = || "x".to_owned();
        let cases = [
            (User, r#"userName eq "x""#, Source::Name(text())),
            (User, r#"id eq "x""#, Source::Id(text())),
            (User, r#"externalId eq "x""#, Source::ExternalId(text())),
            (User, r#"emails eq "x""#, Source::Email(text())),
            (User, r#"emails.value eq "x""#, Source::Email(text())),
            (User, r#"emails[type eq "work"].value eq "x""#, Source::Email(text())),
            (User, r#"emails[type eq "work" and value eq "x"]"#, Source::Email(text())),
            (User, r#"active eq true and userName eq "x""#, Source::Name(text())),
            (User, r#"groups.value eq "x""#, Source::MembersOf(text())),
            (User, r#"userName sw "x""#, Source::NamePrefix(text())),
            (Group, r#"displayName eq "x""#, Source::Name(text())),
            (Group, r#"members.value eq "x""#, Source::GroupsOf(text())),
            (Group, r#"members[value eq "x"]"#, Source::GroupsOf(text())),
            (Group, r#"members eq "x" and id eq "x""#, Source::Id(text())),
            (
                User,
                r#"userName eq "x" or emails eq "x""#,
                Source::Union(vec![Source::Name(text()), Source::Email(text())]),
            ),
        ];
        for (kind, filter, wanted) in cases {
            assert_eq!(source(kind, filter), wanted, "{filter}");
        }
    }

    #[test]
    fn what_has_no_index_is_looked_for_among_all() {
        for filter in [
            "active eq false",
            r#"userName ne "x""#,
            r#"not (userName eq "x")"#,
            r#"userName eq "x" or active eq true"#,
            r#"userName sw """#,
            r#"name.familyName co "x""#,
        ] {
            assert_eq!(source(ResourceType::User, filter), Source::All, "{filter}");
        }
    }

    #[test]
    fn members_are_only_compared_for_equality() {
        let compared =
            |filter: &str| compared_members(&Filter::parse(filter, ResourceType::Group).unwrap());
        let filter = r#"members eq "a" or not (members[value eq "b"]) or displayName co "c""#;
        assert_eq!(compared(filter), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(compared("members pr"), Ok(vec![]));
        assert_eq!(compared(r#"members.value co "a""#), Err(()));
        assert_eq!(compared(r#"members.type eq "User""#), Err(()));
    }
}
