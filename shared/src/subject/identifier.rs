//! Subject identifiers: one principal, named in one way (RFC 9493).

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use super::{
    complex::ComplexSubject,
    members::{Members, text},
    names::MAX_NAMES,
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
        /// One to [`MAX_NAMES`], none of them aliases themselves.
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
        /// The resource's name at its client, if it has one; makes no difference.
        external_id: ExternalId,
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

/// What its client calls a resource. The resource's URI names it, so that all of these are equal.
#[derive(Clone, Debug, Default)]
pub struct ExternalId(pub Option<String>);

impl PartialEq for ExternalId {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ExternalId {}

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
                external_id: ExternalId(members.optional_text("externalId")?),
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

    /// Whether it is a resource of SCIM.
    pub fn is_scim(&self) -> bool {
        matches!(self, Self::Scim { .. })
    }

    /// The identifier as it is compared: in the canonical form of RFC 8785, with the registered name
    /// of its format, and without what makes no difference.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let registered = Spelled { identifier: self, spelling: Spelling::Compared };
        let canonical = if matches!(self, Self::Aliases { .. } | Self::Other { .. }) {
            serde_json_canonicalizer::to_vec(&registered)
        } else {
            // Faster, and the same: texts only, and their members are in order.
            serde_json::to_vec(&registered)
        };
        canonical.expect("an identifier has only text names, each once, and whole numbers")
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
    let identifiers = members.array(NAME)?;
    if identifiers.len() > MAX_NAMES {
        return Err(Invalid::new(NAME, format!("must not hold more than {MAX_NAMES}")));
    }
    identifiers.into_iter().enumerate().map(read).collect()
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
        Spelled { identifier: self, spelling: Spelling::Sent }.serialize(serializer)
    }
}

/// An identifier, to be written in one of two ways.
struct Spelled<'a> {
    identifier: &'a SubjectIdentifier,
    spelling: Spelling,
}

#[derive(Clone, Copy)]
enum Spelling {
    /// As it is compared.
    Compared,
    /// As it was sent.
    Sent,
}

impl Serialize for Spelled<'_> {
    /// Writes the members in the order of RFC 8785, but for those of private formats.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use SubjectIdentifier as Id;

        let format = match self.spelling {
            Spelling::Compared => self.identifier.format(),
            Spelling::Sent => self.identifier.format_sent(),
        };
        match self.identifier {
            Id::Account { uri } | Id::Uri { uri } => {
                texts(serializer, &[("format", format), ("uri", uri)])
            }
            Id::Email { email } => texts(serializer, &[("email", email), ("format", format)]),
            Id::IssSub { iss, sub } => {
                texts(serializer, &[("format", format), ("iss", iss), ("sub", sub)])
            }
            Id::Opaque { id } => texts(serializer, &[("format", format), ("id", id)]),
            Id::PhoneNumber { phone_number, .. } => {
                texts(serializer, &[("format", format), ("phone_number", phone_number)])
            }
            Id::Did { url } => texts(serializer, &[("format", format), ("url", url)]),
            Id::Aliases { identifiers } => {
                let spelled = |identifier| Self { identifier, spelling: self.spelling };
                let identifiers: Vec<_> = identifiers.iter().map(spelled).collect();
                with_format(serializer, format, [("identifiers", &identifiers)])
            }
            Id::JwtId { iss, jti } => {
                texts(serializer, &[("format", format), ("iss", iss), ("jti", jti)])
            }
            Id::SamlAssertionId { issuer, assertion_id } => texts(
                serializer,
                &[("assertion_id", assertion_id), ("format", format), ("issuer", issuer)],
            ),
            Id::IpAddresses { ip_addresses } => {
                with_format(serializer, format, [("ip-addresses", ip_addresses)])
            }
            Id::Scim { uri, external_id: ExternalId(external_id) } => {
                match (self.spelling, external_id) {
                    (Spelling::Sent, Some(external_id)) => texts(
                        serializer,
                        &[("externalId", external_id), ("format", format), ("uri", uri)],
                    ),
                    (Spelling::Sent, None) | (Spelling::Compared, _) => {
                        texts(serializer, &[("format", format), ("uri", uri)])
                    }
                }
            }
            Id::Other { members, .. } => with_format(serializer, format, members),
        }
    }
}

fn texts<S: Serializer>(serializer: S, members: &[(&str, &str)]) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().copied())
}

fn with_format<S: Serializer, N: Serialize, V: Serialize>(
    serializer: S,
    format: &str,
    members: impl IntoIterator<Item = (N, V)>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("format", format)?;
    members.into_iter().try_for_each(|(name, value)| map.serialize_entry(&name, &value))?;
    map.end()
}

impl fmt::Debug for SubjectIdentifier {
    /// The format only: whom it is about must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.format_sent())
    }
}
