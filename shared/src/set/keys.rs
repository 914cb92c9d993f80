//! The key ring: signs, publishes and rotates.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    Error,
    clock::{Clock, since},
    set::{
        Algorithm, KeyState, PublicKey, Ring, RingKey, SignError, Signer,
        jws::{append_signature, signing_input},
    },
    table::{Condition, Content, Key, Table, TableError, Write, class},
};

/// How long anyone may keep the JWKS.
pub const JWKS_MAX_AGE: Duration = Duration::from_mins(5);

/// How long a process keeps the ring. Together with [`JWKS_MAX_AGE`] less than
/// [`PUBLISHED_BEFORE`](crate::set::PUBLISHED_BEFORE), so that no receiver meets an unknown key.
const RING_MAX_AGE: Duration = Duration::from_secs(30);

/// A token with an unknown `kid` makes a process read the ring again, but not more often than this.
const RING_MIN_AGE: Duration = Duration::from_secs(1);

/// How often a change is tried when others change the ring too.
const ATTEMPTS: usize = 5;

/// The keys of one transmitter, kept in the table; their private halves are with the [`Signer`].
#[derive(Debug)]
pub struct KeyRing {
    table: Arc<dyn Table>,
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
    algorithm: Algorithm,
    cached: RwLock<Option<Cached>>,
}

#[derive(Clone, Debug)]
struct Cached {
    ring: Arc<Ring>,
    read_at: Timestamp,
}

impl KeyRing {
    /// The ring in `table`. New keys sign with `algorithm`.
    pub fn new(
        table: Arc<dyn Table>,
        signer: Arc<dyn Signer>,
        clock: Arc<dyn Clock>,
        algorithm: Algorithm,
    ) -> Self {
        Self { table, signer, clock, algorithm, cached: RwLock::default() }
    }

    /// The compact JWS of `claims`, a JSON text, with `typ` in its header.
    pub async fn sign(&self, typ: &str, claims: &[u8]) -> Result<String, Error> {
        match self.sign_once(typ, claims).await {
            // The key may be one that another process has just retired.
            Err(Error::Sign(SignError::KeyUnusable { .. })) => {
                self.invalidate();
                self.sign_once(typ, claims).await
            }
            answer => answer,
        }
    }

    async fn sign_once(&self, typ: &str, claims: &[u8]) -> Result<String, Error> {
        let key = self.signing_key().await?;
        let input = signing_input(&key, typ, claims);
        let signature = self.signer.sign(&key, input.as_bytes()).await?;
        Ok(append_signature(input, &signature))
    }

    /// The key that signs now.
    pub async fn signing_key(&self) -> Result<Arc<PublicKey>, Error> {
        let ring = self.ring().await?;
        self.signs_of(&ring)
    }

    /// The same, and makes the first key if there is none. For those alone who may write the ring:
    /// what answers strangers must not be able to publish a key.
    pub async fn ensure_key(&self) -> Result<Arc<PublicKey>, Error> {
        // A ring that had a key once has one for ever, so that one from long ago will do.
        let ring = match self.cached(Duration::MAX) {
            Some(ring) => ring,
            None => self.ring().await?,
        };
        let ring = if ring.keys.is_empty() { self.make().await? } else { ring };
        self.signs_of(&ring)
    }

    /// How the key signs that signs now; before there is one, how it will.
    pub async fn signing_algorithm(&self) -> Result<Algorithm, Error> {
        match self.signing_key().await {
            Ok(key) => Ok(key.algorithm),
            Err(Error::Sign(SignError::NoKey)) => Ok(self.algorithm),
            Err(error) => Err(error),
        }
    }

    fn signs_of(&self, ring: &Ring) -> Result<Arc<PublicKey>, Error> {
        let key = ring.signing(self.clock.now()).or_else(|| ring.keys.first());
        Ok(key.ok_or(SignError::NoKey)?.key.clone())
    }

    /// All keys that receivers may need; none before the first one was made.
    pub async fn published(&self) -> Result<Vec<Arc<PublicKey>>, Error> {
        Ok(self.ring().await?.keys.iter().map(|key| key.key.clone()).collect())
    }

    /// The published key that `kid` names.
    pub async fn find(&self, kid: &str) -> Result<Option<Arc<PublicKey>>, Error> {
        let find = |ring: &Ring| ring.keys.iter().find(|key| key.key.kid == kid).cloned();
        let mut found = find(&*self.ring().await?);
        if found.is_none() && self.cached(RING_MIN_AGE).is_none() {
            self.invalidate();
            found = find(&*self.ring().await?);
        }
        Ok(found.map(|key| key.key))
    }

    /// The keys and what each is there for.
    pub async fn list(&self) -> Result<Vec<(RingKey, KeyState)>, Error> {
        self.invalidate();
        let ring = self.ring().await?;
        Ok(ring.states(self.clock.now()).map(|(key, state)| (key.clone(), state)).collect())
    }

    /// Does [`Self::rotate_to`] with the algorithm that the first key has.
    pub async fn rotate(&self, at_once: bool) -> Result<RingKey, Error> {
        self.rotate_to(self.algorithm, at_once).await
    }

    /// Makes a new key of `algorithm`, publishes it and lets it sign: when every receiver can know
    /// it or, for an emergency, `at_once`; then receivers that do not look for an unknown `kid`
    /// refuse SETs for up to [`JWKS_MAX_AGE`]. The first key of all is made if there is none, and is
    /// the answer if it is one of `algorithm`.
    pub async fn rotate_to(&self, algorithm: Algorithm, at_once: bool) -> Result<RingKey, Error> {
        let mut keys = self.list().await?;
        if keys.is_empty() {
            self.ensure_key().await?;
            keys = self.list().await?;
            if let Some((first, _)) = keys.first().filter(|(key, _)| key.key.algorithm == algorithm)
            {
                return Ok(first.clone());
            }
        }
        match keys.into_iter().find(|(_, state)| *state == KeyState::Upcoming) {
            Some((upcoming, _)) if at_once => {
                let kid = &upcoming.key.kid;
                let signing = self.change(|ring, now| Ok(ring.promote(kid, now))).await?;
                Ok(signing.expect("the promoted key signs, or a younger one"))
            }
            Some((upcoming, _)) => {
                let (kid, from) = (&upcoming.key.kid, upcoming.signs_from);
                Err(Error::Refused(format!("the key {kid} is to sign from {from} on")))
            }
            None => {
                // When the table fails, the key may be in the ring or not: so it is not destroyed.
                let new = self.signer.generate(algorithm).await?;
                self.change(|ring, now| Ok(ring.add(&new, at_once, now))).await
            }
        }
    }

    /// Takes a key that signs no more out of the JWKS and destroys its private half. What it signed
    /// and a receiver has not verified yet cannot be verified any more.
    pub async fn retire(&self, kid: &str) -> Result<(), Error> {
        let removed =
            self.change(|ring, now| ring.remove(kid, now).map_err(Error::Refused)).await?;
        let Some(removed) = removed else {
            return Err(Error::NotFound { kind: "key", id: kid.to_owned() });
        };
        self.signer.destroy(&removed.key).await?;
        Ok(())
    }

    /// Makes the next call read the ring anew.
    pub fn invalidate(&self) {
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn cached(&self, max_age: Duration) -> Option<Arc<Ring>> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        let cached = cached.as_ref()?;
        (since(cached.read_at, self.clock.now()) < max_age).then(|| cached.ring.clone())
    }

    fn keep(&self, ring: Ring, read_at: Timestamp) -> Arc<Ring> {
        let ring = Arc::new(ring);
        let cached = Cached { ring: ring.clone(), read_at };
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        ring
    }

    /// The ring; it is empty before the first key was made.
    async fn ring(&self) -> Result<Arc<Ring>, Error> {
        if let Some(ring) = self.cached(RING_MAX_AGE) {
            return Ok(ring);
        }
        let read_at = self.clock.now();
        let (ring, _) = self.read().await?;
        // An empty one is not kept: whoever asks next may find the first key.
        Ok(if ring.keys.is_empty() { Arc::new(ring) } else { self.keep(ring, read_at) })
    }

    /// Makes the first key, or finds that another process has made it.
    async fn make(&self) -> Result<Arc<Ring>, Error> {
        let first = self.signer.first(self.algorithm).await?;
        let made = self.change(|ring, now| {
            if ring.keys.is_empty() {
                ring.add(&first, true, now);
            }
            Ok(ring.clone())
        });
        let ring = made.await?;
        if ring.keys.iter().all(|key| key.key.kid != first.kid) {
            // Another process was faster, and with another key.
            self.signer.destroy(&first).await?;
        }
        Ok(Arc::new(ring))
    }

    async fn read(&self) -> Result<(Ring, Condition), TableError> {
        match self.table.get(&key()).await? {
            Some(item) => Ok((item.read()?, Condition::Version(item.version))),
            None => Ok((Ring::default(), Condition::Absent)),
        }
    }

    /// Reads the ring, lets `decide` change it and writes it, again when another process was in the
    /// way: so `decide` may run several times.
    async fn change<T>(
        &self,
        decide: impl Fn(&mut Ring, Timestamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempts = 1;
        loop {
            let now = self.clock.now();
            let (old, condition) = self.read().await?;
            let mut ring = old.clone();
            let answer = decide(&mut ring, now)?;
            if ring != old {
                let write = Write::put(key(), condition, Content::json(&ring));
                match self.table.write_one(write).await {
                    Err(TableError::Conflict) if attempts < ATTEMPTS => {
                        attempts += 1;
                        continue;
                    }
                    written => written?,
                };
            }
            // An empty ring is not kept: whoever asks next may find the first key.
            if !ring.keys.is_empty() {
                self.keep(ring, now);
            }
            return Ok(answer);
        }
    }
}

fn key() -> Key {
    Key::new(class::KEYS.partition(), "RING")
}
