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

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{EncodingKey, Header};
    use rcgen::{KeyPair, PublicKeyData};
    use serde_json::json;
    use ssf::set::{KeyMaterial, PublicKey};

    use super::*;

    const ISSUER: &str = "https://ssf.example";

    /// A key, and a verifier that knows it by the name `1`.
    fn setting() -> (EncodingKey, Verifier) {
        let pair = KeyPair::generate().unwrap();
        let mut key = PublicKey::new(KeyMaterial::p256(pair.der_bytes()).unwrap());
        "1".clone_into(&mut key.kid);
        let jwks = serde_json::from_value(json!({ "keys": [key.jwk()] })).unwrap();
        let verifier = Verifier::new(Http::new(None).unwrap(), ISSUER, "https://ssf.example/jwks");
        let read_at = Some(SystemClock.now());
        *verifier.keys.lock().unwrap() = Keys { jwks: Some(jwks), read_at };
        (EncodingKey::from_ec_der(&pair.serialize_der()), verifier)
    }

    fn header() -> Header {
        Header {
            typ: Some("secevent+jwt".to_owned()),
            kid: Some("1".to_owned()),
            ..Header::new(Algorithm::ES256)
        }
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": ["us", "them"], "jti": "j", "iat": 1, "txn": "t",
            "sub_id": { "format": "opaque", "id": "1" },
            "events": { EventType::SESSION_REVOKED.as_str(): { "a": 1 } },
        })
    }

    async fn judge(
        verifier: &Verifier,
        key: &EncodingKey,
        header: &Header,
        claims: &Value,
    ) -> Result<VerifiedSet, Disbelief> {
        let set = jsonwebtoken::encode(header, claims, key).unwrap();
        verifier.verify(&set, &Audience::One("us".to_owned())).await
    }

    #[tokio::test]
    async fn a_set_as_it_should_be_is_believed() {
        let (key, verifier) = setting();
        let set = judge(&verifier, &key, &header(), &claims()).await.unwrap();
        assert_eq!((set.jti(), set.txn()), ("j", "t"));
        assert_eq!(*set.event_type(), EventType::SESSION_REVOKED);
        assert_eq!(*set.payload(), json!({ "a": 1 }));
        assert_eq!(*set.subject(), claims()["sub_id"]);
    }

    #[tokio::test]
    async fn one_whose_claims_are_wrong_is_not() {
        let (key, verifier) = setting();
        let two = json!({ "https://a.example/1": {}, "https://a.example/2": {} });
        let cases = [
            ("iss", json!("https://other.example"), "invalid_issuer"),
            ("iss", Value::Null, "invalid_issuer"),
            ("aud", json!("them"), "invalid_audience"),
            ("aud", json!([]), "invalid_audience"),
            ("aud", json!([["us"]]), "invalid_audience"),
            ("exp", json!(9_999_999_999_u64), "invalid_request"),
            ("sub", json!("jane"), "invalid_request"),
            ("events", two, "invalid_request"),
            ("events", json!({}), "invalid_request"),
            ("events", json!("none"), "invalid_request"),
        ];
        for (name, value, err) in cases {
            let mut claims = claims();
            claims[name] = value.clone();
            let disbelief = judge(&verifier, &key, &header(), &claims).await.unwrap_err();
            assert_eq!(disbelief.err, err, "{name} {value}");
        }
        for name in ["jti", "iat", "sub_id"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(name);
            let disbelief = judge(&verifier, &key, &header(), &claims).await.unwrap_err();
            assert_eq!(disbelief.err, "invalid_request", "without {name}");
        }
    }

    #[tokio::test]
    async fn one_that_is_not_signed_by_the_issuer_is_not() {
        let (key, verifier) = setting();
        let (stranger, _) = setting();
        let typ = |typ: &str| Header { typ: Some(typ.to_owned()), ..header() };
        let kid = |kid: Option<&str>| Header { kid: kid.map(str::to_owned), ..header() };
        let hmac = Header { alg: Algorithm::HS256, ..header() };
        let cases = [
            (&stranger, header(), "invalid_key"),
            (&key, kid(Some("2")), "invalid_key"),
            (&key, kid(None), "invalid_key"),
            (&EncodingKey::from_secret(b"guess"), hmac, "invalid_key"),
            (&key, typ("JWT"), "invalid_request"),
            (&key, typ("at+jwt"), "invalid_request"),
        ];
        for (key, header, err) in cases {
            let disbelief = judge(&verifier, key, &header, &claims()).await.unwrap_err();
            assert_eq!(disbelief.err, err, "{header:?}");
        }
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"secevent+jwt","kid":"1"}"#),
            URL_SAFE_NO_PAD.encode(claims().to_string()),
        );
        for set in [none.as_str(), "", "a.b.c", "not a JWT"] {
            let judged = verifier.verify(set, &Audience::One("us".to_owned())).await;
            assert_eq!(judged.unwrap_err().err, "invalid_request", "{set}");
        }
    }
}
