//! What people may do for themselves, by the rules of the operator.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Directory, Group, User,
    model::{Field, fields as all_fields},
};
use crate::{
    Error,
    config::access::{AccessRule, Permission},
    model::{self, Filter},
    scim::{Projection, ResourceType, diff, schema::AttributePath},
};

/// What a person may do for themselves: what all rules together allow that are about the person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Access {
    permissions: BTreeSet<Permission>,
    readable: BTreeSet<&'static str>,
    writable: BTreeSet<&'static str>,
}

/// What anybody may read of themselves: without it nobody could tell what the rest is about.
const ALWAYS: [&str; 3] = ["id", "created", "last_modified"];

impl User {
    /// What the person may do, who is in these groups.
    pub fn access(&self, rules: &[AccessRule], groups: &[Group]) -> Access {
        let ids: Vec<_> = groups.iter().map(|group| group.id).collect();
        let mut view = self.as_model(&ids);
        // A rule names a group by its id or by its name.
        if let Some(Value::Array(named)) = view.get_mut("groups") {
            named.extend(groups.iter().map(|group| group.display_name.as_str().into()));
        }
        let mut access = Access::default();
        access.readable.extend(ALWAYS);
        for rule in rules.iter().filter(|rule| is_about(rule, &view)) {
            access.permissions.extend(&rule.permissions);
            let fields = |names: &BTreeSet<String>| -> Vec<&'static str> {
                let fields = names.iter().filter_map(|name| Field::named(name));
                fields.map(|field| field.attribute.name).collect()
            };
            access.writable.extend(fields(&rule.write));
            // Who may write something may see what there is.
            access.readable.extend(fields(&rule.read).into_iter().chain(fields(&rule.write)));
        }
        access
    }
}

/// Whether a rule is about a person with these attributes.
fn is_about(rule: &AccessRule, view: &Map<String, Value>) -> bool {
    rule.filter.alternatives().iter().any(|alternative| {
        let pairs: Vec<_> =
            alternative.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
        let filter: &Filter<'_> = &pairs;
        // What names no attribute was refused at the start, and is about nobody.
        model::matches(&User::ATTRIBUTES, view, Some(filter)).unwrap_or(false)
    })
}

impl Access {
    /// Whether the person may do this.
    pub fn can(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The attributes that the person may read.
    pub fn readable_fields(&self) -> impl Iterator<Item = &'static str> {
        self.readable.iter().copied()
    }

    /// The attributes that the person may write.
    pub fn writable_fields(&self) -> impl Iterator<Item = &'static str> {
        self.writable.iter().copied()
    }

    /// What of the person's resource the person sees.
    pub fn projection(&self) -> Projection {
        let mut paths: Vec<_> = fields(&self.readable).map(Field::path).collect();
        paths.push("meta".to_owned());
        // A lock is told in two ways, of which one is for those who know no extension.
        if self.readable.contains("lock_date") {
            paths.push("active".to_owned());
        }
        Projection::parse(Some(&paths.join(",")), None, ResourceType::User)
            .expect("one of two is given")
    }

    /// The first attribute that is not what it was and that the person may not write.
    pub fn forbidden_change(
        &self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Option<String> {
        let changed = diff::changed(ResourceType::User, before, after);
        changed.into_iter().find(|path| !self.may_write(path))
    }

    /// `before` with what the person may write as it is in `wish`: what a client that has seen a part
    /// makes of it when it gives that part back.
    pub fn merged(
        &self,
        before: &Map<String, Value>,
        wish: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut after = before.clone();
        for field in fields(&self.writable) {
            let path = AttributePath::resolve(&field.path(), ResourceType::User);
            let path = path.expect("each field has a path");
            // A list of values with parts is written whole, or not at all.
            let path = if path.attribute.multi_valued { path.with(None) } else { path };
            if !self.may_write(&path.to_string()) {
                continue;
            }
            let (from, to) = match path.extension {
                None => (Some(wish), &mut after),
                Some(schema) => {
                    let extension = after.entry(schema.id).or_insert_with(|| Map::new().into());
                    let Value::Object(extension) = extension else { continue };
                    (wish.get(schema.id).and_then(Value::as_object), extension)
                }
            };
            let given = from.and_then(|from| from.get(path.attribute.name));
            match path.sub_attribute {
                None => set(to, path.attribute.name, given),
                Some(sub) => {
                    let whole = to.entry(path.attribute.name).or_insert_with(|| Map::new().into());
                    let Value::Object(whole) = whole else { continue };
                    set(whole, sub.name, given.and_then(|given| given.get(sub.name)));
                }
            }
        }
        after.retain(|_, value| value.as_object().is_none_or(|parts| !parts.is_empty()));
        after
    }

    /// Whether the person may write what SCIM calls so, or a part of it. A list of values with parts is
    /// written by who may write each of its fields.
    fn may_write(&self, path: &str) -> bool {
        // Which of several values it is does not matter.
        let path = path.split('[').next().unwrap_or_default();
        let is_part_of = |path: &str, whole: &str| {
            path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut parts = all_fields().filter(|field| is_part_of(&field.path(), path)).peekable();
        let each = parts.peek().is_some()
            && parts.all(|field| self.writable.contains(field.attribute.name));
        each || fields(&self.writable).any(|field| is_part_of(path, &field.path()))
    }
}

fn set(to: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(to.insert(name.to_owned(), value.clone())),
        None => drop(to.remove(name)),
    }
}

fn fields<'a>(names: &'a BTreeSet<&'static str>) -> impl Iterator<Item = &'static Field> + 'a {
    names.iter().filter_map(|name| Field::named(name))
}

impl Directory {
    /// The rules of the operator.
    pub fn access_rules(&self) -> &[AccessRule] {
        &self.parts().config.access_rules
    }

    /// What this person may do, and the groups that the person is in.
    pub async fn access(&self, user: &User) -> Result<(Access, Vec<Group>), Error> {
        let groups = self.groups_of(user.id).await?;
        Ok((user.access(self.access_rules(), &groups), groups))
    }
}

#[cfg(test)]
mod tests;
