//! What is kept of a person, under SCIM's names (RFC 7643, 4.1 and 4.3).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The URN of SCIM's enterprise extension (RFC 7643, 4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The attributes of a user that a provisioning client may set, without those that have rules of
/// their own: the password, the lock, the client's own `externalId`.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UserAttributes {
    /// By which the person signs in; unique without regard to case.
    pub user_name: String,
    /// The parts of the person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What friends say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick_name: Option<String>,
    /// A page about the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_url: Option<String>,
    /// "Vice President".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// "Employee", "Contractor".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_type: Option<String>,
    /// The languages the person reads, as in HTTP's `Accept-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_language: Option<String>,
    /// How dates and numbers are written, such as `en-US`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A name of the IANA time zone database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// E-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Labelled>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phone_numbers: Vec<Labelled>,
    /// URLs of pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Labelled>,
    /// Postal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The enterprise extension.
    #[serde(rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise: Option<Enterprise>,
}

/// The parts of a name (RFC 7643, 4.1.1).
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Name {
    /// All of it, as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// What stands between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// "Ms."
    #[serde(skip_serializing_if = "Option::is_none")]
    pub honorific_prefix: Option<String>,
    /// "III"
    #[serde(skip_serializing_if = "Option::is_none")]
    pub honorific_suffix: Option<String>,
}

/// One of several values, and what kind of value it is (RFC 7643, 2.4).
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Labelled {
    /// The value, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// "work", "home".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Whether it is the preferred one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

/// A postal address (RFC 7643, 4.1.2).
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Address {
    /// All of it, as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// The street and the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// The state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The country, by ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// "work", "home".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Whether it is the preferred one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
}

/// The enterprise extension (RFC 7643, 4.3).
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Enterprise {
    /// A number or text that the organization gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<String>,
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// The organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The division.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    /// The department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The person's manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<Manager>,
}

/// A reference to the manager: as it was sent, whether we know such a user or not.
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Manager {
    /// The id of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where that user is.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// The preferred of several values: the one that says so, else the first.
pub(super) fn preferred(values: &[Labelled]) -> Option<&str> {
    let primary = values.iter().find(|value| value.primary == Some(true));
    primary.or(values.first())?.value.as_deref()
}

impl UserAttributes {
    /// The preferred e-mail address.
    pub fn email(&self) -> Option<&str> {
        preferred(&self.emails)
    }

    /// The preferred telephone number.
    pub fn phone_number(&self) -> Option<&str> {
        preferred(&self.phone_numbers)
    }

    /// The preferred postal address.
    pub fn address(&self) -> Option<&Address> {
        self.addresses.iter().find(|one| one.primary == Some(true)).or(self.addresses.first())
    }
}

/// No personal value reaches a log.
macro_rules! silent {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(…)"))
            }
        }
    )*};
}

silent!(UserAttributes, Name, Labelled, Address, Enterprise, Manager);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_come_back_as_they_were_sent_and_are_not_printed() {
        let sent = json!({
            "userName": "Ada@Example.com",
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "value": "a@x.example", "type": "home" },
                       { "value": "b@x.example", "primary": true }],
            "phoneNumbers": [{ "value": "+4930123" }],
            "addresses": [{ "type": "work", "streetAddress": "1 Main St" }],
            ENTERPRISE: { "employeeNumber": "7", "manager": { "value": "1", "$ref": "…/1" } },
        });
        let read: UserAttributes = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), sent);
        assert_eq!(read.email(), Some("b@x.example"), "the primary one");
        assert_eq!(read.phone_number(), Some("+4930123"));
        assert_eq!(format!("{read:?}"), "UserAttributes(…)");
    }
}
