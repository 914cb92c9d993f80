//! Values as they stand on the command line.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use ssf::{
    client::{ClientId, GrantType, Profile, RedirectUri, ResponseType, Scope, Share},
    config::span,
    event::EventType,
    set::{Algorithm, TokenStatus},
    stream::{Reason, Status, StreamId},
};
use url::Url;

/// An https URL.
pub fn https_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if url.scheme() == "https" { Ok(url) } else { Err("it must be an https URL".to_owned()) }
}

/// The id of a client.
pub fn client_id(text: &str) -> Result<ClientId, String> {
    ClientId::parse(text).ok_or_else(|| "is not the id of a client".to_owned())
}

/// Where people are sent back to.
pub fn redirect_uri(text: &str) -> Result<RedirectUri, String> {
    RedirectUri::parse(text).map_err(str::to_owned)
}

/// How a client comes to tokens.
pub fn grant_type(text: &str) -> Result<GrantType, String> {
    GrantType::parse(text).ok_or_else(|| {
        let names = GrantType::ALL.map(GrantType::name).join(", ");
        format!("is not one of {names}")
    })
}

/// What the authorization endpoint may answer.
pub fn response_type(text: &str) -> Result<ResponseType, String> {
    ResponseType::parse(text).ok_or_else(|| "is not code".to_owned())
}

/// A part of a whole.
pub fn share(text: &str) -> Result<Share, String> {
    let number: Option<f64> = text.parse().ok();
    number.and_then(Share::new).ok_or_else(|| "is not between 0 and 1, such as 0.5".to_owned())
}

/// One of several, by the name that it has in JSON.
pub fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let text: value::StrDeserializer<'_, value::Error> = text.into_deserializer();
    T::deserialize(text).map_err(|error| error.to_string())
}

/// How SETs are signed.
pub fn algorithm(text: &str) -> Result<Algorithm, String> {
    [Algorithm::RS256, Algorithm::ES256]
        .into_iter()
        .find(|algorithm| algorithm.name() == text)
        .ok_or_else(|| "is neither RS256 nor ES256".to_owned())
}

/// The id of a stream.
pub fn stream_id(text: &str) -> Result<StreamId, String> {
    StreamId::parse(text).ok_or_else(|| "is not the id of a stream".to_owned())
}

/// Why a status is set.
pub fn reason(text: &str) -> Result<Reason, String> {
    Reason::try_from(text.to_owned()).map_err(str::to_owned)
}

/// Scopes, with blanks between them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scopes(pub Vec<Scope>);

/// The scopes that `text` names.
pub fn scopes(text: &str) -> Result<Scopes, String> {
    let mut scopes = Vec::new();
    for name in text.split_whitespace() {
        let scope = Scope::parse(name).ok_or_else(|| {
            let names = Scope::ALL.map(Scope::name).join(", ");
            format!("{name:?} is not one of {names}")
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() { Err("names no scope".to_owned()) } else { Ok(Scopes(scopes)) }
}

/// The draft that a receiver was built on.
pub fn profile(text: &str) -> Result<Profile, String> {
    match text {
        "standard" => Ok(Profile::Standard),
        "legacy" => Ok(Profile::Legacy),
        _ => Err("is neither standard nor legacy".to_owned()),
    }
}

/// The status of a stream.
pub fn stream_status(text: &str) -> Result<Status, String> {
    [Status::Enabled, Status::Paused, Status::Disabled, Status::DisabledDeleted]
        .into_iter()
        .find(|status| status_name(*status) == text)
        .ok_or_else(|| "is none of enabled, paused, disabled and disabled_deleted".to_owned())
}

/// The name of the status of a stream, for an operator.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Enabled | Status::Paused | Status::Disabled => status.name(),
        Status::DisabledDeleted => "disabled_deleted",
    }
}

/// The status of a SET.
pub fn token_status(text: &str) -> Result<TokenStatus, String> {
    match text {
        "dropped" => Ok(TokenStatus::Dropped),
        "pending_new" | "pending" => Ok(TokenStatus::New),
        "pending_failed" | "failed" => Ok(TokenStatus::Failed),
        "sent" => Ok(TokenStatus::Sent),
        _ => Err("is none of pending_new, pending_failed, sent and dropped".to_owned()),
    }
}

/// The status of a SET that is not delivered.
pub fn undelivered(text: &str) -> Result<TokenStatus, String> {
    match token_status(text) {
        Ok(status @ (TokenStatus::New | TokenStatus::Failed)) => Ok(status),
        _ => Err("is neither pending_failed nor pending_new".to_owned()),
    }
}

/// The name of the status of a SET.
pub fn token_status_name(status: TokenStatus) -> &'static str {
    match status {
        TokenStatus::Dropped => "dropped",
        TokenStatus::New => "pending_new",
        TokenStatus::Failed => "pending_failed",
        TokenStatus::Sent => "sent",
    }
}

/// An event type by its URI or, if it is of a standard, by its short name.
pub fn event_type(text: &str) -> Result<EventType, String> {
    let own = [EventType::VERIFICATION, EventType::STREAM_UPDATED];
    let mut standard = EventType::supported().iter().chain(&own);
    match standard.find(|event_type| event_type.short_name() == text) {
        Some(event_type) => Ok(event_type.clone()),
        // After the short names, as those of SCIM have colons, too.
        None if text.contains(':') => Ok(EventType::new(text)),
        None => Err("is neither a URI nor like session-revoked".to_owned()),
    }
}

/// A time, or how long ago it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// Then.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl Moment {
    /// The time.
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
        }
    }
}

/// A time, as in RFC 3339, or a span, as in `days=1`, for so long ago.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(time) = text.parse() {
        return Ok(Moment::At(time));
    }
    span::parse(text).map(Moment::Ago).map_err(|_| {
        "is neither like 2026-08-01T12:00:00Z nor, for so long ago, like days=1".into()
    })
}

#[cfg(test)]
mod tests {
    use ssf::client::GroupPatch;

    use super::*;

    #[test]
    fn scopes_are_read_in_order_and_once() {
        use Scope::{Manage, Read};
        assert_eq!(scopes("ssf.manage  ssf.read ssf.manage"), Ok(Scopes(vec![Manage, Read])));
        assert_eq!(scopes(" "), Err("names no scope".to_owned()));
        let refused = scopes("ssf.read ssf.write").unwrap_err();
        assert!(refused.starts_with(r#""ssf.write" is not one of ssf.read, ssf.manage, "#));
    }

    #[test]
    fn what_is_one_of_several_is_named_as_in_json() {
        assert_eq!(named::<GroupPatch>("204"), Ok(GroupPatch::NoContent));
        assert_eq!(named::<GroupPatch>("auto"), Ok(GroupPatch::Auto));
        assert!(named::<GroupPatch>("200").unwrap_err().contains("`auto` or `204`"));
        assert!(share("0.5").is_ok());
        assert!(share("50").is_err());
    }

    #[test]
    fn a_type_may_be_called_by_its_short_name() {
        assert_eq!(event_type("session-revoked"), Ok(EventType::SESSION_REVOKED));
        assert_eq!(event_type("verification"), Ok(EventType::VERIFICATION));
        assert_eq!(event_type("prov:create:full"), Ok(EventType::SCIM_CREATE_FULL));
        assert_eq!(event_type("urn:x:y"), Ok(EventType::new("urn:x:y")));
        assert!(event_type("session-revokd").is_err());
    }

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let now = Timestamp::from_second(100_000).unwrap();
        let at = |text| moment(text).map(|moment| moment.before(now).as_second());
        assert_eq!(at("hours=1"), Ok(96_400));
        assert_eq!(at("1970-01-02T00:00:00Z"), Ok(86_400));
        assert!(at("yesterday").is_err());
    }

    #[test]
    fn statuses_are_called_as_they_are_printed() {
        for name in ["enabled", "paused", "disabled", "disabled_deleted"] {
            assert_eq!(stream_status(name).map(status_name), Ok(name));
        }
        for name in ["pending_new", "pending_failed", "sent", "dropped"] {
            assert_eq!(token_status(name).map(token_status_name), Ok(name));
        }
    }
}
