//! What a SET says (RFC 8417), and its signed form.

use std::{borrow::Cow, fmt};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, ser::SerializeMap};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    client::Profile,
    config::Config,
    event::{EventType, Family, SecurityEvent},
    set::{PublicKey, SignError, Signer},
    stream::{Stream, StreamId, audience},
    subject::Subject,
};

/// Names a SET within its stream ([RFC 8417, 2.2]).
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Jti(String);

impl Jti {
    /// The name of the SET that tells `stream` of the event `event`. The same for the same two, so
    /// that an event that comes twice makes one SET.
    pub fn of(event: &EventId, stream: &StreamId) -> Self {
        Self(derived(&["jti", &event.0, stream.as_str()]))
    }

    /// A name that came from outside.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Jti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names what happened, once for all streams: by the sender's own id, or by the queue's.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EventId(String);

impl EventId {
    /// The event that `sender` calls `id`.
    pub fn of_sender(sender: &str, id: &str) -> Self {
        Self(format!("sender {} {sender} {id}", sender.len()))
    }

    /// The event in the message that the queue calls `id`.
    pub fn of_message(id: &str) -> Self {
        Self(format!("message {id}"))
    }

    /// An event of our own.
    pub fn own(id: Uuid) -> Self {
        Self(format!("own {id}"))
    }

    /// That we pause `stream` in this round of its delivery: it is told once, whoever says so.
    pub(crate) fn of_round(stream: &StreamId, round: u32) -> Self {
        Self(format!("pause {stream} {round}"))
    }

    /// The `txn` of an event whose sender gave none: shared by all SETs about it.
    pub fn txn(&self) -> String {
        derived(&["txn", &self.0])
    }
}

/// A UUID (version 8) that these parts, and no others, lead to.
fn derived(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    let hash = context.finish();
    let first = hash.as_ref().first_chunk().expect("SHA-256 has 32 bytes");
    Uuid::new_v8(*first).to_string()
}

/// The claims of a SET ([RFC 8417, 2.2] as profiled by [SSF 1.0, 4.1]): no `sub` and no `exp`, one
/// event, the subject on top.
#[derive(Clone, Serialize)]
pub struct SecurityEventToken<'a> {
    iss: &'a str,
    jti: &'a Jti,
    iat: i64,
    aud: Value,
    txn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    toe: Option<i64>,
    sub_id: Cow<'a, Subject>,
    events: Events<'a>,
}

impl fmt::Debug for SecurityEventToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityEventToken").field("jti", &self.jti).finish_non_exhaustive()
    }
}

/// `events`: one member, the payload under its type.
#[derive(Clone)]
struct Events<'a> {
    event_type: &'a EventType,
    payload: &'a Map<String, Value>,
    /// The subject, when it is to stand inside the event too.
    subject: Option<Cow<'a, Subject>>,
}

impl Serialize for Events<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.event_type, Payload(self))])
    }
}

/// The value of that member: the subject, if it is wished for, then all others.
struct Payload<'a>(&'a Events<'a>);

impl Serialize for Payload<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Events { payload, subject, .. } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(subject) = subject {
            map.serialize_entry(SUBJECT, subject)?;
        }
        let others = payload.iter().filter(|(name, _)| subject.is_none() || *name != SUBJECT);
        others.into_iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
    }
}

/// The member of an event that names its subject, in the texts before [SSF 1.0, 3.1.1].
const SUBJECT: &str = "subject";

/// How `stream` is told whom `event` is about, where there is a choice: by the format that its
/// receiver asked for, else by the one that the event's family uses, else by the first name. Of people
/// who gave their consent it learns no address by asking for it.
fn subject_for<'a>(stream: &Stream, event: &'a SecurityEvent) -> Cow<'a, Subject> {
    let usual: &[&str] = match event.event_type.family() {
        Family::Scim => &["scim"],
        Family::Caep | Family::Private | Family::Risc | Family::Ssf => &["iss_sub", "email"],
    };
    let wish = stream.format.as_deref().filter(|_| !stream.by_consent);
    let formats: Vec<_> = wish.into_iter().chain(usual.iter().copied()).collect();
    event.subject.told_by(&formats)
}

impl<'a> SecurityEventToken<'a> {
    /// What `stream` is told of `event`: about its subject by the names that the receiver is `known`
    /// to know, if it named any. Others, it does not learn from us.
    pub fn new(
        event: &'a SecurityEvent,
        names: (&'a Jti, &'a str),
        stream: &Stream,
        known: Option<&'a Subject>,
        config: &'a Config,
        issued_at: Timestamp,
    ) -> Self {
        let (jti, txn) = names;
        let sub_id = known.map_or_else(|| subject_for(stream, event), Cow::Borrowed);
        // One that the sender put there is the same, see `SecurityEvent::parse`.
        let wants_subject = stream.subject_in_event
            || stream.profile == Profile::Legacy
            || event.payload.contains_key(SUBJECT);
        // [SSF 1.0, 3.1.2]: events of other families have no `subject` of their own.
        let may_have_subject = match event.event_type.family() {
            Family::Caep | Family::Risc => true,
            Family::Scim | Family::Ssf | Family::Private => false,
        };
        Self {
            iss: config.issuer.as_str(),
            jti,
            iat: issued_at.as_second(),
            aud: audience(&stream.audience),
            txn,
            toe: event.toe,
            events: Events {
                event_type: &event.event_type,
                payload: &event.payload,
                subject: (wants_subject && may_have_subject).then(|| sub_id.clone()),
            },
            sub_id,
        }
    }

    /// Signs it with `key`.
    pub async fn sign(
        &self,
        key: &PublicKey,
        signer: &dyn Signer,
    ) -> Result<SignedToken, SignError> {
        let header = json!({
            "alg": key.algorithm.name(), "kid": key.kid, "typ": "secevent+jwt",
        });
        let claims = serde_json::to_vec(self).expect("claims have only string keys");
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = signer.sign(key, token.as_bytes()).await?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(SignedToken(token))
    }
}

/// A SET as it is sent: a compact JWS. Its bytes never change.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SignedToken(pub(super) String);

impl SignedToken {
    /// The compact JWS.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its claims, for an operator to read.
    pub fn claims(&self) -> Option<Value> {
        let claims = self.0.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedToken")
    }
}
