//! People and groups as SCIM resources, and back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    ENTERPRISE, Group, ResourceId, User, UserAttributes,
    tells::{Difference, version},
};
use crate::{
    Error,
    client::ClientId,
    scim::{
        self, ResourceType, diff,
        patch::PATCH_OP,
        schema::{TOCSIN_GROUP, TOCSIN_USER},
    },
};

/// A person has at most so many addresses: each has a row, and all of a change is one transaction.
const MAX_EMAILS: usize = 20;

/// A resource has at most so many bytes of JSON: it must fit into a message about it.
const MAX_BYTES: usize = 64 * 1024;

const LOCK_DATE: &str = "lockDate";
const DESCRIPTION: &str = "description";

/// How a client gives a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Given {
    /// Whole: what is left out is removed (RFC 7644, 3.5.1); but for the lock, which must not go
    /// because somebody does not know of it.
    Whole,
    /// As it is after a change of some of it.
    Changed,
}

impl User {
    /// What a client may write of this person, as it stands now: what a PATCH works on.
    pub fn writable(&self, client: Option<&ClientId>, now: Timestamp) -> Map<String, Value> {
        let mut resource = self.known(!self.is_locked(now));
        // A PATCH that says `active` means it, also where that would change nothing but a lock date
        // to come.
        if self.lock_date.is_some_and(|date| date > now) {
            resource.remove("active");
        }
        resource.insert("id".to_owned(), self.id.to_string().into());
        add_external_id(&mut resource, client.and_then(|client| self.external_ids.get(client)));
        resource
    }

    /// The resource as `client` sees it; without `groups`, which the caller adds.
    pub fn resource(
        &self,
        client: Option<&ClientId>,
        base: &str,
        now: Timestamp,
    ) -> Map<String, Value> {
        let external_id = client.and_then(|client| self.external_ids.get(client));
        let kind = ResourceType::User;
        let known = self.known(!self.is_locked(now));
        let times = (self.created, self.last_modified, self.revision);
        let mut resource = whole(kind, self.id, known, external_id, times, base);
        let manager =
            resource.get_mut(ENTERPRISE).and_then(|extension| extension.get_mut("manager"));
        if let Some(manager) = manager
            && let Some(id) = manager["value"].as_str().and_then(ResourceId::parse)
        {
            manager["$ref"] = location(kind, id, base).into();
        }
        resource
    }

    /// Its attributes, without those that depend on who asks.
    fn known(&self, active: bool) -> Map<String, Value> {
        let Ok(Value::Object(mut resource)) = serde_json::to_value(&self.attributes) else {
            unreachable!("attributes are an object with text names")
        };
        resource.insert("active".to_owned(), active.into());
        if let Some(date) = self.lock_date {
            resource.insert(TOCSIN_USER.id.to_owned(), json!({ LOCK_DATE: date }));
        }
        resource
    }

    /// Takes over what `client` gave, in the form of [`scim::normalize()`].
    ///
    /// # Errors
    ///
    /// [`scim::Error`] where it is no person: without a name, with too much of something.
    pub fn take(
        &mut self,
        mut resource: Map<String, Value>,
        given: Given,
        client: Option<&ClientId>,
        now: Timestamp,
    ) -> Result<(), Error> {
        check_size(&resource)?;
        // A password is hashed by the caller, who alone knows whether this client may set it.
        for name in ["schemas", "id", "password"] {
            resource.remove(name);
        }
        take_external_id(&mut self.external_ids, resource.remove("externalId"), given, client);
        let lock = resource.remove(TOCSIN_USER.id);
        let lock = lock.as_ref().and_then(|extension| extension.get(LOCK_DATE)).map(read_date);
        let active = resource.remove("active").and_then(|active| active.as_bool());
        self.take_lock(lock.transpose()?, active, given, now);
        let attributes: UserAttributes = crate::json::from_value(Value::Object(resource))?;
        if attributes.user_name.trim().is_empty() {
            return Err(refused("userName is missing"));
        }
        if attributes.emails.len() > MAX_EMAILS {
            return Err(refused(&format!("emails has more than {MAX_EMAILS} values")));
        }
        self.attributes = attributes;
        Ok(())
    }

    /// `active` and `lockDate` are two views of one thing. A date that is given counts before
    /// `active`, which says the same less exactly.
    fn take_lock(
        &mut self,
        date: Option<Timestamp>,
        active: Option<bool>,
        given: Given,
        now: Timestamp,
    ) {
        let date_given = match given {
            Given::Whole => date.is_some(),
            Given::Changed => date != self.lock_date,
        };
        if date_given {
            self.lock_date = date;
            return;
        }
        match active {
            Some(false) if !self.is_locked(now) => self.lock_date = Some(now),
            Some(true) if self.is_locked(now) || given == Given::Changed => self.lock_date = None,
            Some(_) | None => {}
        }
    }
}

impl Group {
    /// What a client may write of this group, without its members: what a PATCH works on.
    pub fn writable(&self, client: Option<&ClientId>) -> Map<String, Value> {
        let mut resource = self.known();
        resource.insert("id".to_owned(), self.id.to_string().into());
        add_external_id(&mut resource, client.and_then(|client| self.external_ids.get(client)));
        resource
    }

    /// The resource as `client` sees it; without `members`, which the caller adds.
    pub fn resource(&self, client: Option<&ClientId>, base: &str) -> Map<String, Value> {
        let external_id = client.and_then(|client| self.external_ids.get(client));
        let times = (self.created, self.last_modified, self.revision);
        whole(ResourceType::Group, self.id, self.known(), external_id, times, base)
    }

    fn known(&self) -> Map<String, Value> {
        let mut resource = Map::new();
        resource.insert("displayName".to_owned(), self.display_name.as_str().into());
        if let Some(description) = &self.description {
            resource.insert(TOCSIN_GROUP.id.to_owned(), json!({ DESCRIPTION: description }));
        }
        resource
    }

    /// Takes over what `client` gave, in the form of [`scim::normalize()`], but for the members.
    ///
    /// # Errors
    ///
    /// [`scim::Error`] where it is no group: without a name, or too large.
    pub fn take(
        &mut self,
        mut resource: Map<String, Value>,
        given: Given,
        client: Option<&ClientId>,
    ) -> Result<(), Error> {
        resource.remove("members");
        check_size(&resource)?;
        take_external_id(&mut self.external_ids, resource.remove("externalId"), given, client);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let name = text(resource.get("displayName")).unwrap_or_default();
        if name.trim().is_empty() {
            return Err(refused("displayName is missing"));
        }
        self.display_name = name;
        let extension = resource.get(TOCSIN_GROUP.id);
        self.description = text(extension.and_then(|extension| extension.get(DESCRIPTION)));
        Ok(())
    }
}

fn whole(
    kind: ResourceType,
    id: ResourceId,
    known: Map<String, Value>,
    external_id: Option<&String>,
    (created, last_modified, revision): (Timestamp, Timestamp, u64),
    base: &str,
) -> Map<String, Value> {
    let mut resource = Map::new();
    resource.insert("schemas".to_owned(), kind.schemas_of(&known));
    resource.insert("id".to_owned(), id.to_string().into());
    add_external_id(&mut resource, external_id);
    resource.extend(known);
    let meta = json!({
        "resourceType": kind.name(),
        "created": created,
        "lastModified": last_modified,
        "location": location(kind, id, base),
        "version": version(revision),
    });
    resource.insert("meta".to_owned(), meta);
    resource
}

/// Where a resource is.
pub fn location(kind: ResourceType, id: ResourceId, base: &str) -> String {
    format!("{base}{}/{id}", kind.endpoint())
}

fn add_external_id(resource: &mut Map<String, Value>, external_id: Option<&String>) {
    if let Some(external_id) = external_id {
        resource.insert("externalId".to_owned(), external_id.as_str().into());
    }
}

/// What a client calls a resource is its own affair (RFC 7643, 3.1).
fn take_external_id(
    external_ids: &mut BTreeMap<ClientId, String>,
    external_id: Option<Value>,
    _: Given,
    client: Option<&ClientId>,
) {
    let Some(client) = client else { return };
    match external_id {
        Some(Value::String(text)) => drop(external_ids.insert(client.clone(), text)),
        Some(_) | None => drop(external_ids.remove(client)),
    }
}

fn read_date(value: &Value) -> Result<Timestamp, Error> {
    let date = value.as_str().and_then(|text| text.parse().ok());
    date.ok_or_else(|| refused("lockDate is not a date and time"))
}

fn check_size(resource: &Map<String, Value>) -> Result<(), Error> {
    let size = serde_json::to_string(resource).map_or(usize::MAX, |text| text.len());
    if size > MAX_BYTES {
        let detail = "the resource has more than 65,536 bytes of JSON";
        return Err(scim::Error::new(scim::ErrorKind::TooLarge, detail).into());
    }
    Ok(())
}

fn refused(detail: &str) -> Error {
    scim::Error::new(scim::ErrorKind::InvalidValue, detail).into()
}

/// How a person is not what it was.
pub(crate) fn user_difference(
    before: Option<&User>,
    after: Option<&User>,
    base: &str,
) -> Difference {
    let known = |user: &User| user.known(user.told_active);
    let mut difference = difference(ResourceType::User, before.map(known), after.map(known));
    if let (Some(before), Some(after)) = (before, after) {
        if before.external_ids != after.external_ids {
            difference.paths.push("externalId".to_owned());
        }
        if before.password != after.password {
            difference.paths.push("password".to_owned());
        }
    }
    if let Some(after) = after {
        difference.resource = Value::Object(after.resource(None, base, after.last_modified));
    }
    difference
}

/// How a group is not what it was, but for its members.
pub(crate) fn group_difference(
    before: Option<&Group>,
    after: Option<&Group>,
    base: &str,
) -> Difference {
    let kind = ResourceType::Group;
    let mut difference = difference(kind, before.map(Group::known), after.map(Group::known));
    if let (Some(before), Some(after)) = (before, after)
        && before.external_ids != after.external_ids
    {
        difference.paths.push("externalId".to_owned());
    }
    if let Some(after) = after {
        difference.resource = Value::Object(after.resource(None, base));
    }
    difference
}

fn difference(
    kind: ResourceType,
    before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
) -> Difference {
    match (before, after) {
        (Some(before), Some(after)) => Difference {
            paths: diff::changed(kind, &before, &after),
            patch: diff::patch(kind, &before, &after).unwrap_or_else(nothing),
            resource: Value::Null,
        },
        (None, Some(after)) => {
            // In one order, whether or not a JSON object keeps the one in which it was made.
            let paths: BTreeSet<&String> = after.keys().collect();
            let paths = paths.into_iter().cloned().collect();
            Difference { paths, ..Difference::default() }
        }
        (_, None) => Difference::default(),
    }
}

/// A request that changes nothing, to which members may be added.
fn nothing() -> Value {
    json!({ "schemas": [PATCH_OP], "Operations": [] })
}
