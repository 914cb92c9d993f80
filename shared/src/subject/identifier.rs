//! Subject identifiers: one principal, named in one way (RFC 9493).

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::{
    complex::ComplexSubject,
    members::{Members, text},
    syntax::Syntax,
};
use crate::json::Invalid;

/// Names one principal in one way. The comments say which text defines the format.
#[derive(Clone, Eq, PartialEq)]
pub enum SubjectIdentifier {
    /// `account` ([RFC 9493, 3.2.1]).
    Account {
        /// An `acct:` URI.
        uri: String,
    },
    /// `email` ([RFC 9493, 3.2.2]).
    Email {
        /// An address, `local@domain`.
        email: String,
    },
    /// `iss_sub` ([RFC 9493, 3.2.3]).
    IssSub {
        /// Who gave the name.
        iss: String,
        /// The name.
        sub: String,
    },
    /// `opaque` ([RFC 9493, 3.2.4]).
    Opaque {
        /// Any text.
        id: String,
    },
    /// `phone_number` ([RFC 9493, 3.2.5]).
    PhoneNumber {
        /// How the format was spelled.
        format: PhoneFormat,
        /// A number after E.164, with its `+`.
        phone_number: String,
    },
    /// `did` ([RFC 9493, 3.2.6]).
    Did {
        /// A DID URL.
        url: String,
    },
    /// `uri` ([RFC 9493, 3.2.7]).
    Uri {
        /// Any URI.
        uri: String,
    },
    /// `aliases` ([RFC 9493, 3.2.8]): the same principal, in several ways.
    Aliases {
        /// At least one, none of them aliases themselves.
        identifiers: Vec<Self>,
    },
    /// `jwt_id` ([SSF 1.0, 3.5.1]).
    JwtId {
        /// Who issued the token.
        iss: String,
        /// Its id.
        jti: String,
    },
    /// `saml_assertion_id` ([SSF 1.0, 3.5.2]).
    SamlAssertionId {
        /// Who issued the assertion.
        issuer: String,
        /// Its id.
        assertion_id: String,
    },
    /// `ip-addresses` ([SSF 1.0, 3.5.3]).
    IpAddresses {
        /// At least one.
        ip_addresses: Vec<String>,
    },
    /// `scim` ([RFC 9967, 2.1]).
    Scim {
        /// The resource, relative to its service provider's base or absolute.
        uri: String,
        /// The resource's name at its client, if it has one.
        external_id: Option<String>,
    },
    /// A format agreed in private ([SSF 1.0, 3.4]): kept as it is.
    Other {
        /// The name of the format.
        format: String,
        /// Its members, at least one.
        members: Map<String, Value>,
    },
}

/// How the format of a phone number was spelled: two names for one thing, and so equal.
#[derive(Clone, Copy, Debug)]
pub enum PhoneFormat {
    /// `phone`, in the text of RISC ([RISC 1.0, 2.5]) and in an example of SSF.
    Phone,
    /// `phone_number`, as registered.
    PhoneNumber,
}

impl PartialEq for PhoneFormat {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for PhoneFormat {}

impl SubjectIdentifier {
    /// The identifier that `value` is, if each rule of its format is kept.
    pub fn parse(value: Value) -> Result<Self, Invalid> {
        Self::read(Members::of(value)?)
    }

    pub(super) fn read(mut members: Members) -> Result<Self, Invalid> {
        let identifier = match members.format() {
            "account" => Self::Account { uri: members.text("uri", Syntax::ACCT)? },
            "email" => Self::Email { email: members.text("email", Syntax::EMAIL)? },
            "iss_sub" => Self::IssSub {
                iss: members.text("iss", Syntax::ANY)?,
                sub: members.text("sub", Syntax::ANY)?,
            },
            "opaque" => Self::Opaque { id: members.text("id", Syntax::ANY)? },
            "phone" => Self::phone(PhoneFormat::Phone, &mut members)?,
            "phone_number" => Self::phone(PhoneFormat::PhoneNumber, &mut members)?,
            "did" => Self::Did { url: members.text("url", Syntax::DID)? },
            "uri" => Self::Uri { uri: members.text("uri", Syntax::URI)? },
            "aliases" => Self::Aliases { identifiers: aliases(&mut members)? },
            "jwt_id" => Self::JwtId {
                iss: members.text("iss", Syntax::ANY)?,
                jti: members.text("jti", Syntax::ANY)?,
            },
            "saml_assertion_id" => Self::SamlAssertionId {
                issuer: members.text("issuer", Syntax::ANY)?,
                assertion_id: members.text("assertion_id", Syntax::ANY)?,
            },
            "ip-addresses" => Self::IpAddresses { ip_addresses: ip_addresses(&mut members)? },
            "scim" => Self::Scim {
                uri: members.text("uri", Syntax::URI_REFERENCE)?,
                external_id: members.optional_text("externalId")?,
            },
            ComplexSubject::FORMAT => {
                return Err(Invalid::new("format", "must be that of a simple subject"));
            }
            _ => return other(members),
        };
        members.end()?;
        Ok(identifier)
    }

    fn phone(format: PhoneFormat, members: &mut Members) -> Result<Self, Invalid> {
        Ok(Self::PhoneNumber { format, phone_number: members.text("phone_number", Syntax::E164)? })
    }

    /// The name of the format, as registered.
    pub fn format(&self) -> &str {
        match self {
            Self::Account { .. } => "account",
            Self::Email { .. } => "email",
            Self::IssSub { .. } => "iss_sub",
            Self::Opaque { .. } => "opaque",
            Self::PhoneNumber { .. } => "phone_number",
            Self::Did { .. } => "did",
            Self::Uri { .. } => "uri",
            Self::Aliases { .. } => "aliases",
            Self::JwtId { .. } => "jwt_id",
            Self::SamlAssertionId { .. } => "saml_assertion_id",
            Self::IpAddresses { .. } => "ip-addresses",
            Self::Scim { .. } => "scim",
            Self::Other { format, .. } => format,
        }
    }

    /// The name of the format, as it was sent.
    fn format_sent(&self) -> &str {
        match self {
            Self::PhoneNumber { format: PhoneFormat::Phone, .. } => "phone",
            identifier => identifier.format(),
        }
    }
}

/// Takes `identifiers` of the format `aliases`.
fn aliases(members: &mut Members) -> Result<Vec<SubjectIdentifier>, Invalid> {
    const NAME: &str = "identifiers";
    let read = |(index, value)| {
        let at = |invalid: Invalid| invalid.within(&format!("[{index}]")).within(NAME);
        let members = Members::of(value).map_err(at)?;
        if members.format() == "aliases" {
            return Err(at(Invalid::new("format", "must not be aliases within aliases")));
        }
        SubjectIdentifier::read(members).map_err(at)
    };
    members.array(NAME)?.into_iter().enumerate().map(read).collect()
}

/// Takes `ip-addresses` of the format of that name.
fn ip_addresses(members: &mut Members) -> Result<Vec<String>, Invalid> {
    const NAME: &str = "ip-addresses";
    let read = |(index, value)| {
        let address = format!("{NAME}[{index}]");
        let text = text(&address, Some(value))?;
        Syntax::IP.check(&text).map_err(|reason| Invalid::new(address, reason))?;
        Ok(text)
    };
    members.array(NAME)?.into_iter().enumerate().map(read).collect()
}

/// Takes all members of a format that we do not know.
fn other(members: Members) -> Result<SubjectIdentifier, Invalid> {
    let (format, members) = members.into_rest();
    if members.is_empty() {
        return Err(Invalid::new(".", "has no member besides its format"));
    }
    for (name, value) in &members {
        let empty = match value {
            Value::Null => return Err(Invalid::new(name, "must not be null")),
            Value::String(text) => text.is_empty(),
            Value::Array(elements) => elements.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if empty {
            return Err(Invalid::new(name, "must not be empty"));
        }
        exact(value).map_err(|reason| Invalid::new(name, reason))?;
    }
    Ok(SubjectIdentifier::Other { format, members })
}

/// Refuses numbers that RFC 8785 would write like other numbers: then two subjects could be taken
/// for one.
fn exact(value: &Value) -> Result<(), &'static str> {
    const MAX: u64 = (1 << 53) - 1;
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) if whole.unsigned_abs() <= MAX => Ok(()),
            _ => Err("holds a number that is not whole or beyond 2^53; send it as a string"),
        },
        Value::Array(elements) => elements.iter().try_for_each(exact),
        Value::Object(members) => members.values().try_for_each(exact),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

impl Serialize for SubjectIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spelled { identifier: self, format: Self::format_sent }.serialize(serializer)
    }
}

/// An identifier as it is compared: with the registered name of its format.
pub(super) struct Registered<'a>(pub(super) &'a SubjectIdentifier);

impl Serialize for Registered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spelled { identifier: self.0, format: SubjectIdentifier::format }.serialize(serializer)
    }
}

/// An identifier whose format has the name that `format` gives it.
struct Spelled<'a> {
    identifier: &'a SubjectIdentifier,
    format: fn(&SubjectIdentifier) -> &str,
}

impl Serialize for Spelled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", (self.format)(self.identifier))?;
        match self.identifier {
            SubjectIdentifier::Account { uri } | SubjectIdentifier::Uri { uri } => {
                map.serialize_entry("uri", uri)?;
            }
            SubjectIdentifier::Email { email } => map.serialize_entry("email", email)?,
            SubjectIdentifier::IssSub { iss, sub } => {
                map.serialize_entry("iss", iss)?;
                map.serialize_entry("sub", sub)?;
            }
            SubjectIdentifier::Opaque { id } => map.serialize_entry("id", id)?,
            SubjectIdentifier::PhoneNumber { phone_number, .. } => {
                map.serialize_entry("phone_number", phone_number)?;
            }
            SubjectIdentifier::Did { url } => map.serialize_entry("url", url)?,
            SubjectIdentifier::Aliases { identifiers } => {
                let spelled = |identifier| Spelled { identifier, format: self.format };
                let identifiers: Vec<_> = identifiers.iter().map(spelled).collect();
                map.serialize_entry("identifiers", &identifiers)?;
            }
            SubjectIdentifier::JwtId { iss, jti } => {
                map.serialize_entry("iss", iss)?;
                map.serialize_entry("jti", jti)?;
            }
            SubjectIdentifier::SamlAssertionId { issuer, assertion_id } => {
                map.serialize_entry("issuer", issuer)?;
                map.serialize_entry("assertion_id", assertion_id)?;
            }
            SubjectIdentifier::IpAddresses { ip_addresses } => {
                map.serialize_entry("ip-addresses", ip_addresses)?;
            }
            SubjectIdentifier::Scim { uri, external_id } => {
                map.serialize_entry("uri", uri)?;
                if let Some(external_id) = external_id {
                    map.serialize_entry("externalId", external_id)?;
                }
            }
            SubjectIdentifier::Other { members, .. } => {
                members.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
            }
        }
        map.end()
    }
}

impl fmt::Debug for SubjectIdentifier {
    /// The format only: whom it is about must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format_sent())
    }
}
