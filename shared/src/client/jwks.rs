//! The keys of others: of outside issuers, and of clients that sign.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;
use url::Url;

use crate::{
    clock::{Clock, since},
    delivery::{ChosenBy, HttpPush},
    json::{self, Invalid},
    set::jws::Header,
};

/// The signatures of others that are taken: never one made with a shared secret.
pub(super) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// Their names.
pub const ALGORITHM_NAMES: [&str; 5] = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];

/// Key sets are read again when they are older than this, so that a key that was taken away ends
/// some time.
const MAX_AGE: Duration = Duration::from_hours(1);

/// A set that cannot be read again is used up to this age.
const MAX_STALE: Duration = Duration::from_hours(24);

/// Whatever tokens say: a set is not asked for more often than this.
const MIN_INTERVAL: Duration = Duration::from_mins(1);

/// A JWK Set (RFC 7517, 5). Keys that we cannot use are left out, and so are private members.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Jwks(Vec<Jwk>);

impl Jwks {
    /// The key that made the signature that `header` announces: the one of that `kid`, or, when
    /// there is none, the only one that can be it.
    pub(super) fn find(&self, header: &Header) -> Option<DecodingKey> {
        let fits = |jwk: &&Jwk| {
            (header.kid.is_none() || jwk.common.key_id == header.kid)
                && jwk.common.key_algorithm.is_none_or(|alg| alg == header.algorithm.into())
                && family(jwk) == Some(header.algorithm.family())
        };
        let mut fitting = self.0.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(jwk), None) => DecodingKey::from_jwk(jwk).ok(),
            (Some(_) | None, Some(_)) | (None, None) => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        if self.0.is_empty() {
            return Err(Invalid::new("keys", "must have a public RSA, EC or Ed25519 key"));
        }
        Ok(())
    }
}

/// The family of a key that can verify; nothing for keys that cannot.
fn family(jwk: &Jwk) -> Option<AlgorithmFamily> {
    if jwk.common.public_key_use.as_ref().is_some_and(|wanted| *wanted != PublicKeyUse::Signature) {
        return None;
    }
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(_) => Some(AlgorithmFamily::Ec),
        AlgorithmParameters::OctetKeyPair(_) => Some(AlgorithmFamily::Ed),
        AlgorithmParameters::RSA(_) => Some(AlgorithmFamily::Rsa),
        // Shared secrets, and what will be invented.
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "JWK Set")]
        struct Wire {
            keys: Vec<Value>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let keys = wire.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Ok(Self(keys.filter(|key| family(key).is_some()).collect()))
    }
}

impl Serialize for Jwks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wire = serializer.serialize_struct("Jwks", 1)?;
        wire.serialize_field("keys", &self.0)?;
        wire.end()
    }
}

/// Key sets read over HTTP, kept for a while.
pub(crate) struct JwksCache {
    http: Arc<dyn HttpPush>,
    clock: Arc<dyn Clock>,
    sources: Mutex<HashMap<Url, Arc<Source>>>,
}

#[derive(Default)]
struct Source {
    state: Mutex<State>,
    // Held while reading, so that a crowd of tokens with a new `kid` asks once.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    jwks: Jwks,
    read_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl JwksCache {
    pub(crate) fn new(http: Arc<dyn HttpPush>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, sources: Mutex::default() }
    }

    /// The key at `url` that made the signature that `header` announces.
    pub(super) async fn find(&self, url: &Url, header: &Header) -> Option<DecodingKey> {
        let source = self.source(url);
        if let Ok(answer) = source.find(header, self.clock.now()) {
            return answer;
        }
        let _reading = source.reading.lock().await;
        if let Ok(answer) = source.find(header, self.clock.now()) {
            return answer;
        }
        self.read(url, &source).await;
        source.state().jwks.find(header)
    }

    fn source(&self, url: &Url) -> Arc<Source> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.entry(url.clone()).or_default().clone()
    }

    async fn read(&self, url: &Url, source: &Source) {
        let now = self.clock.now();
        let read = match self.http.fetch(url, ChosenBy::Operator).await {
            Ok(text) => json::read::<Jwks>(&text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mut state = source.state();
        state.tried_at = Some(now);
        match read {
            Ok(jwks) => (state.jwks, state.read_at) = (jwks, Some(now)),
            Err(error) => {
                tracing::warn!(url = %url, error, "a key set cannot be read");
                if state.read_at.is_some_and(|read_at| since(read_at, now) > MAX_STALE) {
                    state.jwks = Jwks::default();
                }
            }
        }
    }
}

struct MustRead;

impl Source {
    /// What can be said without reading.
    fn find(&self, header: &Header, now: Timestamp) -> Result<Option<DecodingKey>, MustRead> {
        let state = self.state();
        let younger = |time: Option<Timestamp>, age| time.is_some_and(|at| since(at, now) < age);
        let found = state.jwks.find(header);
        let fresh = found.is_some() && younger(state.read_at, MAX_AGE);
        if fresh || younger(state.tried_at, MIN_INTERVAL) { Ok(found) } else { Err(MustRead) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for JwksCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksCache").finish_non_exhaustive()
    }
}
