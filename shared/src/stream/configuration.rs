//! What is said about a stream on the wire: the configuration, and the wishes of receivers.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::{
    client::{Profile, Secret},
    config::Config,
    delivery::check_endpoint,
    event::EventType,
    json::{self, Invalid, Patch},
    seal::Sealed,
    stream::{Delivery, Endpoint, Stream, StreamId, UriFamily},
    web::paths,
};

/// The Stream Configuration object ([SSF 1.0, 8.1.1]).
#[derive(Clone, Debug, Serialize)]
pub struct StreamConfiguration {
    stream_id: StreamId,
    iss: String,
    aud: Value,
    events_supported: BTreeSet<EventType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_requested: Option<Vec<EventType>>,
    // In the order of those requested.
    events_delivered: Vec<EventType>,
    delivery: DeliveryConfiguration,
    min_verification_interval: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    inactivity_timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
}

/// `delivery` in an answer. It never holds the authorization header: who reads a stream need not
/// know the secret, and who set it has it.
#[derive(Clone, Debug, Serialize)]
struct DeliveryConfiguration {
    method: &'static str,
    endpoint_url: String,
}

impl StreamConfiguration {
    /// What `stream` looks like to its owner.
    pub fn of(stream: &Stream, config: &Config) -> Self {
        let endpoint_url = match &stream.delivery {
            Delivery::Poll { .. } => config.issuer.join(&paths::poll(&stream.id)),
            Delivery::Push { endpoint_url, .. } => endpoint_url.as_str().to_owned(),
        };
        let delivered = stream.events_requested.iter().flatten();
        let delivered = delivered.filter(|event| stream.events_delivered.contains(*event));
        Self {
            stream_id: stream.id.clone(),
            iss: config.issuer.as_str().to_owned(),
            aud: audience(&stream.audience),
            events_supported: config.events_supported(),
            events_requested: stream.events_requested.clone(),
            events_delivered: delivered.cloned().collect(),
            delivery: DeliveryConfiguration { method: stream.delivery.method(), endpoint_url },
            min_verification_interval: config.min_verification_interval.as_secs(),
            inactivity_timeout: config.inactivity_timeout.map(|time| time.as_secs()),
            description: stream.description.clone(),
            format: match stream.profile {
                Profile::Legacy => stream.format.clone(),
                Profile::Standard => None,
            },
        }
    }
}

/// One audience is a string, several are an array ([RFC 7519, 4.1.3]).
pub fn audience(audience: &[String]) -> Value {
    match audience {
        [one] => json!(one),
        several => json!(several),
    }
}

impl Config {
    /// The types that streams can ask for.
    pub fn events_supported(&self) -> BTreeSet<EventType> {
        let private = self.private_event_types.iter().cloned();
        EventType::supported().iter().cloned().chain(private).collect()
    }

    /// Of `requested`, the types that are supported; those with whole resources only if the stream
    /// may have them.
    pub(crate) fn events_delivered(
        &self,
        requested: Option<&Vec<EventType>>,
        scim_full: bool,
    ) -> BTreeSet<EventType> {
        let supported = |event_type: &&EventType| {
            EventType::supported().contains(event_type)
                || self.private_event_types.contains(*event_type)
        };
        let allowed = |event_type: &&EventType| scim_full || !event_type.is_full();
        requested.into_iter().flatten().filter(supported).filter(allowed).cloned().collect()
    }
}

/// The body of a create request ([SSF 1.0, 8.1.1.1]). Members that only a transmitter supplies are
/// passed over; receivers of the older draft send `iss` and `aud` too.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CreateStream {
    /// Which events.
    pub events_requested: Option<EventsRequested>,
    /// How; poll when it is left out.
    pub delivery: Option<DeliveryWish>,
    /// The receiver's own words.
    pub description: Option<Description>,
    /// The subject format that the older draft let receivers ask for.
    pub format: Option<Format>,
}

/// The body of an update or of a replace request ([SSF 1.0, 8.1.1.3 and 8.1.1.4]).
#[derive(Clone, Debug, Deserialize)]
pub struct UpdateStream {
    /// Which stream.
    pub stream_id: StreamId,
    /// Which events.
    #[serde(default)]
    pub events_requested: Patch<EventsRequested>,
    /// How.
    #[serde(default)]
    pub delivery: Patch<DeliveryWish>,
    /// The receiver's own words.
    #[serde(default)]
    pub description: Patch<Description>,
    /// See [`CreateStream::format`].
    #[serde(default)]
    pub format: Patch<Format>,
    /// The members that only we supply: allowed when they say what is so.
    #[serde(flatten)]
    pub supplied: SuppliedByTransmitter,
}

/// Members that a receiver may repeat and not change ([SSF 1.0, 8.1.1.3]).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SuppliedByTransmitter {
    #[serde(default)]
    iss: Patch<Value>,
    #[serde(default)]
    aud: Patch<Value>,
    #[serde(default)]
    events_supported: Patch<Value>,
    #[serde(default)]
    events_delivered: Patch<Value>,
    #[serde(default)]
    min_verification_interval: Patch<Value>,
    #[serde(default)]
    inactivity_timeout: Patch<Value>,
}

impl SuppliedByTransmitter {
    /// Refuses a member that differs from what `current`, the stream before the update, has.
    pub fn check(&self, current: &StreamConfiguration) -> Result<(), Invalid> {
        let number = |number: Option<u64>| number.map_or(Value::Null, Value::from);
        let members = [
            ("iss", &self.iss, json!(current.iss)),
            ("aud", &self.aud, current.aud.clone()),
            ("events_supported", &self.events_supported, json!(current.events_supported)),
            ("events_delivered", &self.events_delivered, json!(current.events_delivered)),
            (
                "min_verification_interval",
                &self.min_verification_interval,
                json!(current.min_verification_interval),
            ),
            ("inactivity_timeout", &self.inactivity_timeout, number(current.inactivity_timeout)),
        ];
        for (member, sent, is) in members {
            let same = match sent {
                Patch::Absent => true,
                Patch::Null => is.is_null(),
                Patch::Value(sent) if member == "aud" => {
                    in_any_order(&as_one(sent)) == in_any_order(&as_one(&is))
                }
                Patch::Value(sent) => in_any_order(sent) == in_any_order(&is),
            };
            if !same {
                return Err(Invalid::new(member, DIFFERS));
            }
        }
        Ok(())
    }
}

const DIFFERS: &str = "is supplied by the transmitter and differs from the current value";

/// `audience`; one alone as a text, since it may be written both ways.
fn as_one(audience: &Value) -> Value {
    match audience {
        Value::Array(items) if items.len() == 1 => items[0].clone(),
        several => several.clone(),
    }
}

/// `value`; an array sorted, since the order of a set says nothing.
fn in_any_order(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
            texts.sort_unstable();
            json!(texts)
        }
        other => other.clone(),
    }
}

/// `events_requested`: at most 128 URIs of at most 512 bytes, each once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct EventsRequested(pub Vec<EventType>);

impl TryFrom<Vec<String>> for EventsRequested {
    type Error = &'static str;

    fn try_from(uris: Vec<String>) -> Result<Self, Self::Error> {
        if uris.len() > 128 {
            return Err("has more than 128 elements");
        }
        if uris.iter().any(|uri| uri.is_empty() || uri.len() > 512) {
            return Err("has an element that is empty or longer than 512 bytes");
        }
        let mut seen = BTreeSet::new();
        let types = uris.into_iter().map(EventType::new);
        Ok(Self(types.filter(|event_type| seen.insert(event_type.clone())).collect()))
    }
}

/// `description`: at most 1,024 bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(pub String);

impl TryFrom<String> for Description {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > 1024 { Err("is longer than 1,024 bytes") } else { Ok(Self(text)) }
    }
}

/// `format` of the older draft: the name of a subject identifier format.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Format(pub String);

impl TryFrom<String> for Format {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if matches!(text.len(), 1..=64) { Ok(Self(text)) } else { Err("must have 1 to 64 bytes") }
    }
}

/// `delivery` in a request ([SSF 1.0, 6.1]).
#[derive(Clone, Deserialize)]
#[serde(remote = "Self")]
pub struct DeliveryWish {
    method: String,
    endpoint_url: Option<String>,
    #[serde(default)]
    authorization_header: Patch<String>,
}

impl<'de> Deserialize<'de> for DeliveryWish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(json::Object(deserializer))
    }
}

impl std::fmt::Debug for DeliveryWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveryWish").field("method", &self.method).finish_non_exhaustive()
    }
}

impl DeliveryWish {
    /// Whether SETs are to be posted, and by which name that was said; `None`: by none that we
    /// know.
    fn method(&self) -> Option<(bool, UriFamily)> {
        match self.method.as_str() {
            "urn:ietf:rfc:8935" => Some((true, UriFamily::Rfc)),
            "urn:ietf:rfc:8936" => Some((false, UriFamily::Rfc)),
            "https://schemas.openid.net/secevent/risc/delivery-method/push" => {
                Some((true, UriFamily::Risc))
            }
            "https://schemas.openid.net/secevent/risc/delivery-method/poll" => {
                Some((false, UriFamily::Risc))
            }
            _ => None,
        }
    }

    /// The header that SETs are to be posted with, if it can be one.
    pub(crate) fn header(&self) -> Option<Secret> {
        let Patch::Value(text) = &self.authorization_header else { return None };
        let (push, _) = self.method()?;
        (push && check_header(text).is_ok()).then(|| Secret::new(text))
    }

    /// The delivery that is wished for, with `header` as the sealed form of
    /// [`DeliveryWish::header`]. `current` is the stream's own on an update: a header that an
    /// update leaves out stays as it is, since we never show it for a receiver to repeat; but only
    /// as long as it goes to the same scheme, host and port, or whoever may change the endpoint
    /// could have it sent to himself.
    pub(crate) fn resolve(
        self,
        header: Option<Sealed>,
        current: Option<&Delivery>,
        config: &Config,
    ) -> Result<Delivery, Invalid> {
        let Some((push, family)) = self.method() else {
            return Err(Invalid::new("delivery.method", "is not a supported delivery method"));
        };
        if !push {
            // [SSF 1.0, 6.1.2]: the endpoint is ours to name; one that is sent is not used.
            return Ok(Delivery::Poll { family });
        }
        let Some(text) = self.endpoint_url else {
            return Err(Invalid::new("delivery.endpoint_url", "is missing"));
        };
        check_endpoint(&text, config.allow_private_push)?;
        let endpoint_url = Endpoint::try_from(text)
            .map_err(|_| Invalid::new("delivery.endpoint_url", "is not a URL"))?;
        let authorization_header = match (self.authorization_header, current) {
            (Patch::Value(text), _) => {
                check_header(&text)?;
                header
            }
            (
                Patch::Absent,
                Some(Delivery::Push { endpoint_url: old, authorization_header, .. }),
            ) if old.url().origin() == endpoint_url.url().origin() => authorization_header.clone(),
            (Patch::Absent | Patch::Null, _) => None,
        };
        Ok(Delivery::Push { family, endpoint_url, authorization_header })
    }
}

fn check_header(text: &str) -> Result<(), Invalid> {
    let refuse = |reason: &str| Err(Invalid::new("delivery.authorization_header", reason));
    if text.is_empty() || text.len() > 4096 {
        return refuse("must have 1 to 4,096 bytes");
    }
    if http::HeaderValue::from_str(text).is_err() || text.trim() != text {
        return refuse("cannot be the value of an HTTP header");
    }
    Ok(())
}
