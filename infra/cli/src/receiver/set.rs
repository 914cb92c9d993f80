//! What a receiver checks before it believes a SET ([SSF 1.0, 4 and 12], RFC 8417).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Map, Value};
use ssf::{
    clock::{Clock, SystemClock, since},
    event::EventType,
};

use super::{Audience, Http};

/// A SET that was verified.
#[derive(Clone, Debug)]
pub struct VerifiedSet {
    /// The claims.
    pub claims: Map<String, Value>,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// Which key signed it.
    pub kid: String,
    event_type: EventType,
}

impl VerifiedSet {
    /// Its name.
    pub fn jti(&self) -> &str {
        self.text("jti")
    }

    /// What the SETs of one cause share.
    pub fn txn(&self) -> &str {
        self.text("txn")
    }

    /// Whom it is about.
    pub fn subject(&self) -> &Value {
        self.claims.get("sub_id").unwrap_or(&Value::Null)
    }

    /// What kind of event it has.
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// What it says about the event.
    pub fn payload(&self) -> &Value {
        let events = self.claims.get("events");
        events.and_then(|events| events.get(self.event_type.as_str())).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Why a SET is not believed, with a word of [RFC 8935, 2.4].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{err}: {description}")]
pub struct Disbelief {
    /// The word.
    pub err: &'static str,
    /// For people.
    pub description: String,
}

fn disbelief<T>(err: &'static str, description: impl Into<String>) -> Result<T, Disbelief> {
    Err(Disbelief { err, description: description.into() })
}

/// Verifies the SETs of one transmitter, with the keys that it publishes.
#[derive(Debug)]
pub struct Verifier {
    http: Http,
    issuer: String,
    jwks_uri: String,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    jwks: Option<JwkSet>,
    read_at: Option<Timestamp>,
}

/// An unknown `kid` makes us read the keys again, but not more often than this.
const READ_EVERY: Duration = Duration::from_secs(5);

impl Verifier {
    /// For the SETs of `issuer`, whose keys are at `jwks_uri`.
    pub fn new(http: Http, issuer: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        Self { http, issuer: issuer.into(), jwks_uri: jwks_uri.into(), keys: Mutex::default() }
    }

    /// What `set` says, if it is a SET of the issuer for one of `audience`.
    pub async fn verify(&self, set: &str, audience: &Audience) -> Result<VerifiedSet, Disbelief> {
        let Ok(header) = jsonwebtoken::decode_header(set) else {
            return disbelief("invalid_request", "it is not a JWT");
        };
        // [SSF 1.0, 4.1.1]: what is no SET must not be taken for one.
        if !header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("secevent+jwt")) {
            return disbelief("invalid_request", "its typ is not secevent+jwt");
        }
        if ![Algorithm::RS256, Algorithm::ES256].contains(&header.alg) {
            return disbelief("invalid_key", format!("{:?} is not taken", header.alg));
        }
        let Some(kid) = header.kid else { return disbelief("invalid_key", "it names no key") };
        let Some(key) = self.key(&kid).await else {
            return disbelief("invalid_key", format!("the issuer has no key {kid}"));
        };
        let mut validation = Validation::new(header.alg);
        // A SET does not expire ([SSF 1.0, 4.1.7]); the other claims are checked here.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let Ok(token) = jsonwebtoken::decode::<Map<String, Value>>(set, &key, &validation) else {
            return disbelief("invalid_key", format!("the signature is not of the key {kid}"));
        };
        self.believe(token.claims, audience, header.alg, kid)
    }

    fn believe(
        &self,
        claims: Map<String, Value>,
        audience: &Audience,
        algorithm: Algorithm,
        kid: String,
    ) -> Result<VerifiedSet, Disbelief> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return disbelief("invalid_issuer", format!("it is not of {}", self.issuer));
        }
        let for_us = |aud: &Value| aud.as_str().is_some_and(|aud| audience.contains(aud));
        let aud = claims.get("aud").unwrap_or(&Value::Null);
        if !for_us(aud) && !aud.as_array().is_some_and(|aud| aud.iter().any(for_us)) {
            return disbelief("invalid_audience", "it is for somebody else");
        }
        // [SSF 1.0, 4.1.7]: neither, so that it is not taken for an ID token or an access token.
        if claims.contains_key("sub") || claims.contains_key("exp") {
            return disbelief("invalid_request", "it has a sub or an exp");
        }
        if ["jti", "iat", "sub_id"].iter().any(|name| !claims.contains_key(*name)) {
            return disbelief("invalid_request", "a claim is missing");
        }
        let events = claims.get("events").and_then(Value::as_object);
        let mut types = events.into_iter().flat_map(Map::keys);
        let (Some(event_type), None) = (types.next(), types.next()) else {
            return disbelief("invalid_request", "it does not have exactly one event");
        };
        let event_type = EventType::new(event_type.as_str());
        Ok(VerifiedSet { claims, algorithm, kid, event_type })
    }

    async fn key(&self, kid: &str) -> Option<DecodingKey> {
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        let now = SystemClock.now();
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.jwks.is_some() && keys.read_at.is_some_and(|at| since(at, now) < READ_EVERY) {
                return None;
            }
            keys.read_at = Some(now);
        }
        match self.http.document(&self.jwks_uri).await {
            Ok(jwks) => {
                self.keys.lock().unwrap_or_else(PoisonError::into_inner).jwks = Some(jwks);
            }
            Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot read the keys"),
        }
        self.known(kid)
    }

    fn known(&self, kid: &str) -> Option<DecodingKey> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        DecodingKey::from_jwk(keys.jwks.as_ref()?.find(kid)?).ok()
    }
}
