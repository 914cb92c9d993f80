//! Which people may do what for themselves, as an operator writes it down.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    directory::{User, is_field, is_writable_field},
    json::Invalid,
    model,
};

/// A rule: to whom it applies, and what it allows them. What several rules allow is allowed; what none
/// allows is not.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessRule {
    /// The people that it is about.
    pub filter: AccessFilter,
    /// What they may do.
    pub permissions: BTreeSet<Permission>,
    /// The attributes that they may read of themselves, such as `emails`.
    pub read: BTreeSet<String>,
    /// The attributes that they may read and write of themselves.
    pub write: BTreeSet<String>,
}

/// What people may be allowed to do for themselves.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Deleting their own account.
    DeleteAccount,
    /// Changing those of their own attributes that they may write.
    EditSelf,
}

/// The people that a rule is about: everybody (`null`); those who have, for each attribute that is
/// named, one of the values beside it (an object); or those who fit one of several such objects (a
/// list). Values are compared whole; of a list of values one must be equal. `groups` are named by id or
/// by name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AccessFilter(Vec<Alternative>);

/// Attributes, each with the values of which it must have one; `None`: any.
pub(crate) type Alternative = BTreeMap<String, Option<Vec<Value>>>;

impl AccessFilter {
    /// Those whom it is about fit one of these.
    pub(crate) fn alternatives(&self) -> &[Alternative] {
        &self.0
    }

    fn check(&self) -> Result<(), Invalid> {
        for (at, alternative) in self.0.iter().enumerate() {
            let pairs: Vec<_> =
                alternative.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
            let judged = model::matches(&User::ATTRIBUTES, &serde_json::Map::new(), Some(&pairs));
            judged.map_err(|invalid| invalid.within(&format!("filter[{at}]")))?;
        }
        Ok(())
    }
}

impl Default for AccessFilter {
    fn default() -> Self {
        Self(vec![Alternative::new()])
    }
}

impl<'de> Deserialize<'de> for AccessFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(BTreeMap<String, Value>),
            Several(Vec<BTreeMap<String, Value>>),
        }
        let alternative = |written: BTreeMap<String, Value>| -> Alternative {
            let values = written.into_iter().map(|(name, value)| match value {
                Value::Null => (name, None),
                Value::Array(values) => (name, Some(values)),
                value => (name, Some(vec![value])),
            });
            values.collect()
        };
        Ok(match Option::<Written>::deserialize(deserializer)? {
            None => Self::default(),
            Some(Written::One(one)) => Self(vec![alternative(one)]),
            Some(Written::Several(several)) => Self(several.into_iter().map(alternative).collect()),
        })
    }
}

impl AccessRule {
    /// What is so where an operator says nothing: people see what is commonly known of them, and change
    /// what only describes them. What names or reaches a person is for whoever provisions people.
    pub fn defaults() -> Vec<Self> {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        vec![Self {
            filter: AccessFilter::default(),
            permissions: BTreeSet::from([Permission::EditSelf]),
            read: names(&[
                "user_name",
                "formatted_name",
                "family_name",
                "given_name",
                "middle_name",
                "title",
                "emails",
                "phone_numbers",
                "formatted_address",
                "street",
                "postal_code",
                "locality",
                "region",
                "country",
                "employee_number",
                "organization",
                "division",
                "department",
                "lock_date",
                "groups",
            ]),
            write: names(&[
                "display_name",
                "nick_name",
                "profile_url",
                "photo",
                "preferred_language",
                "locale",
                "timezone",
            ]),
        }]
    }

    /// Whether all that it names is there.
    fn check(&self) -> Result<(), Invalid> {
        self.filter.check()?;
        for name in &self.read {
            if !is_field(name) {
                return Err(Invalid::new("read", format!("{name} is not an attribute of people")));
            }
        }
        for name in &self.write {
            if !is_writable_field(name) {
                let reason = format!("{name} is not an attribute that people may write");
                return Err(Invalid::new("write", reason));
            }
        }
        Ok(())
    }
}

/// Whether these rules can be meant so; the error names the rule and the member.
pub(super) fn check(rules: &[AccessRule]) -> Result<(), Invalid> {
    for (at, rule) in rules.iter().enumerate() {
        rule.check().map_err(|invalid| invalid.within(&format!("access_rules[{at}]")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Settings;

    #[test]
    fn the_defaults_name_what_is_there_and_no_password() {
        assert_eq!(check(&AccessRule::defaults()), Ok(()));
        let text = serde_json::to_string(&AccessRule::defaults()).unwrap();
        let read: Vec<AccessRule> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, AccessRule::defaults(), "as it is written down");
        assert!(!text.contains("password"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_rule_and_member() {
        let cases = [
            (
                json!({ "read": ["titel"] }),
                "access_rules[1].read titel is not an attribute of people",
            ),
            (
                json!({ "write": ["groups"] }),
                "access_rules[1].write groups is not an attribute that people may write",
            ),
            (
                json!({ "filter": { "titel": "x" } }),
                "access_rules[1].filter[0].titel is not an attribute",
            ),
            (
                json!({ "filter": [{}, { "title": 7 }] }),
                "access_rules[1].filter[1].title is compared with what is no text",
            ),
        ];
        for (rule, wanted) in cases {
            let settings = json!({ "access_rules": [{}, rule] });
            let settings: Settings = serde_json::from_value(settings).unwrap();
            let invalid = settings.config().unwrap_err();
            assert_eq!(format!("{} {}", invalid.member, invalid.reason), wanted);
        }
        let odd = json!([{ "permissions": ["fly"] }]);
        let refused = serde_json::from_value::<Vec<AccessRule>>(odd).unwrap_err();
        assert!(refused.to_string().contains("fly"), "{refused}");
    }
}
