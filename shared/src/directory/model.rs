//! People and groups as models with attributes: by which access rules choose, and which they name.

use serde_json::{Map, Value};

use super::{ENTERPRISE, Group, ResourceId, User};
use crate::{
    model::{Attribute, Type},
    scim::schema::TOCSIN_USER,
};

/// An attribute of a person, and where SCIM has it: in which schema, and under which name there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) attribute: Attribute,
    schema: Option<&'static str>,
    path: &'static str,
}

impl Field {
    const fn one(name: &'static str, path: &'static str) -> Self {
        Self { attribute: Attribute::one(name, Type::Text), schema: None, path }
    }

    const fn list(name: &'static str, path: &'static str) -> Self {
        Self { attribute: Attribute::list(name, Type::Text), schema: None, path }
    }

    const fn time(name: &'static str, path: &'static str) -> Self {
        Self { attribute: Attribute::one(name, Type::Time), schema: None, path }
    }

    const fn of(self, schema: &'static str) -> Self {
        Self { schema: Some(schema), ..self }
    }

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        fields().find(|field| field.attribute.name == name)
    }

    /// As SCIM names it.
    pub(crate) fn path(&self) -> String {
        let schema = self.schema.map(|schema| format!("{schema}:"));
        format!("{}{}", schema.unwrap_or_default(), self.path)
    }

    /// Whether it may be left to a person to write it.
    pub(crate) fn is_writable(&self) -> bool {
        !matches!(self.attribute.name, "id" | "created" | "last_modified" | "groups")
    }

    /// The value of the field in a resource: of several, where it has one, the preferred.
    fn value(&self, resource: &Map<String, Value>) -> Option<Value> {
        let resource = match self.schema {
            Some(schema) => resource.get(schema)?.as_object()?,
            None => resource,
        };
        let (name, sub) = self.path.split_once('.').unwrap_or((self.path, "value"));
        let part = |value: &Value| match value {
            Value::Object(parts) => parts.get(sub).cloned(),
            value => Some(value.clone()),
        };
        match resource.get(name)? {
            Value::Array(all) if self.attribute.is_list => {
                Some(all.iter().filter_map(part).collect())
            }
            Value::Array(all) => {
                let primary = all.iter().find(|one| one["primary"] == true);
                part(primary.or(all.first())?)
            }
            value => part(value),
        }
    }
}

/// The attributes of a person; `id` names one, and so does `user_name`.
const FIELDS: [Field; 33] = [
    Field::one("id", "id"),
    Field::time("created", "meta.created"),
    Field::time("last_modified", "meta.lastModified"),
    Field::one("user_name", "userName"),
    Field::one("formatted_name", "name.formatted"),
    Field::one("family_name", "name.familyName"),
    Field::one("given_name", "name.givenName"),
    Field::one("middle_name", "name.middleName"),
    Field::one("display_name", "displayName"),
    Field::one("nick_name", "nickName"),
    Field::one("profile_url", "profileUrl"),
    Field::one("title", "title"),
    Field::one("user_type", "userType"),
    Field::one("preferred_language", "preferredLanguage"),
    Field::one("locale", "locale"),
    Field::one("timezone", "timezone"),
    Field::list("emails", "emails"),
    Field::list("phone_numbers", "phoneNumbers"),
    Field::one("photo", "photos"),
    Field::one("formatted_address", "addresses.formatted"),
    Field::one("street", "addresses.streetAddress"),
    Field::one("postal_code", "addresses.postalCode"),
    Field::one("locality", "addresses.locality"),
    Field::one("region", "addresses.region"),
    Field::one("country", "addresses.country"),
    Field::one("employee_number", "employeeNumber").of(ENTERPRISE),
    Field::one("cost_center", "costCenter").of(ENTERPRISE),
    Field::one("organization", "organization").of(ENTERPRISE),
    Field::one("division", "division").of(ENTERPRISE),
    Field::one("department", "department").of(ENTERPRISE),
    Field::one("manager", "manager").of(ENTERPRISE),
    Field::time("lock_date", "lockDate").of(TOCSIN_USER.id),
    Field::list("groups", "groups"),
];

/// All fields.
pub(crate) fn fields() -> impl Iterator<Item = &'static Field> {
    const ALL: &[Field] = &FIELDS;
    ALL.iter()
}

/// Whether people have an attribute of this name.
pub(crate) fn is_field(name: &str) -> bool {
    Field::named(name).is_some()
}

/// Whether people have an attribute of this name that may be left to them to write.
pub(crate) fn is_writable_field(name: &str) -> bool {
    Field::named(name).is_some_and(Field::is_writable)
}

impl User {
    /// The attributes of a person; `id` names one, and so does `user_name`.
    pub const ATTRIBUTES: [Attribute; 33] = {
        let mut attributes = [Attribute::one("id", Type::Text); 33];
        let mut at = 0;
        while at < attributes.len() {
            attributes[at] = FIELDS[at].attribute;
            at += 1;
        }
        attributes
    };

    /// The attributes that the person has, who is in these groups.
    pub fn as_model(&self, groups: &[ResourceId]) -> Map<String, Value> {
        let resource = self.resource(None, "", self.last_modified);
        let fields = fields().filter_map(|field| {
            let value = field.value(&resource).filter(|value| !value.is_null())?;
            Some((field.attribute.name.to_owned(), value))
        });
        let mut view: Map<_, _> = fields.collect();
        if !groups.is_empty() {
            let groups = groups.iter().map(ToString::to_string);
            view.insert("groups".to_owned(), groups.collect());
        }
        view
    }
}

impl Group {
    /// The attributes of a group; `id` names one, and so does `display_name`.
    pub const ATTRIBUTES: [Attribute; 6] = [
        Attribute::one("id", Type::Text),
        Attribute::one("created", Type::Time),
        Attribute::one("last_modified", Type::Time),
        Attribute::one("display_name", Type::Text),
        Attribute::one("description", Type::Text),
        Attribute::list("members", Type::Text),
    ];

    /// The attributes that the group has, whose members are these, in the order in which they joined.
    pub fn as_model(&self, members: &[ResourceId]) -> Map<String, Value> {
        let mut view = crate::model::view(&Self::ATTRIBUTES, self);
        if !members.is_empty() {
            let members = members.iter().map(ToString::to_string);
            view.insert("members".to_owned(), members.collect());
        }
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::{ResourceType, schema::AttributePath};

    #[test]
    fn each_field_of_a_person_is_where_scim_has_it() {
        for field in fields() {
            let path = AttributePath::resolve(&field.path(), ResourceType::User);
            let path = path.unwrap_or_else(|| panic!("{}", field.path()));
            assert_eq!(path.to_string(), field.path());
            assert!(path.attribute.multi_valued || !field.attribute.is_list, "{path}");
        }
    }
}
