//! Which key signs when, as values.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    clock::add,
    set::{PublicKey, keys::JWKS_MAX_AGE},
};

/// A new key is published for this long before it signs: twice as long as anyone may keep the JWKS,
/// so that whoever meets the first signature has the key.
pub const PUBLISHED_BEFORE: Duration = Duration::from_secs(2 * JWKS_MAX_AGE.as_secs());

/// All published keys, in the order in which they were made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ring {
    /// The keys.
    pub keys: Vec<RingKey>,
}

/// A published key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RingKey {
    /// The key.
    #[serde(flatten)]
    pub key: Arc<PublicKey>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it may sign.
    pub signs_from: Timestamp,
}

/// What a published key is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It will sign.
    Upcoming,
    /// It signs.
    Signing,
    /// It has signed, or was overtaken; it verifies what is still on its way.
    Past,
}

impl Ring {
    /// The key that signs at `now`: the youngest one whose time has come.
    pub fn signing(&self, now: Timestamp) -> Option<&RingKey> {
        self.keys.iter().rev().find(|key| key.signs_from <= now)
    }

    /// The keys and what each is there for at `now`.
    pub fn states(&self, now: Timestamp) -> impl Iterator<Item = (&RingKey, KeyState)> {
        let signing = self.keys.iter().rposition(|key| key.signs_from <= now);
        self.keys.iter().enumerate().map(move |(at, key)| match signing {
            Some(signing) if at < signing => (key, KeyState::Past),
            Some(signing) if at == signing => (key, KeyState::Signing),
            Some(_) | None => (key, KeyState::Upcoming),
        })
    }

    /// Adds a key that signs at once, when it is the first or `at_once` is wished, else when all
    /// can know it. Adding a key again changes nothing: a write that seemed to fail may have been
    /// done.
    pub fn add(&mut self, key: &PublicKey, at_once: bool, now: Timestamp) -> RingKey {
        if let Some(known) = self.keys.iter().find(|known| known.key.kid == key.kid) {
            return known.clone();
        }
        let at_once = at_once || self.keys.is_empty();
        let signs_from = if at_once { now } else { add(now, PUBLISHED_BEFORE) };
        let key = RingKey { key: Arc::new(key.clone()), created: now, signs_from };
        self.keys.push(key.clone());
        key
    }

    /// Lets the key that `kid` names sign at once, if it was to sign later. Returns the key that
    /// signs.
    pub fn promote(&mut self, kid: &str, now: Timestamp) -> Option<RingKey> {
        let upcoming = self.keys.iter_mut().find(|key| key.key.kid == kid);
        if let Some(upcoming) = upcoming.filter(|key| key.signs_from > now) {
            upcoming.signs_from = now;
        }
        self.signing(now).cloned()
    }

    /// Takes a past key away. In words: why it cannot be.
    pub fn remove(&mut self, kid: &str, now: Timestamp) -> Result<Option<RingKey>, String> {
        let state = self.states(now).find(|(key, _)| key.key.kid == kid).map(|(_, state)| state);
        match state {
            None => Ok(None),
            Some(KeyState::Signing) => {
                Err(format!("the key {kid} is signing; rotate first, then retire it"))
            }
            Some(KeyState::Upcoming) => Err(format!("the key {kid} is the next to sign")),
            Some(KeyState::Past) => {
                let at = self.keys.iter().position(|key| key.key.kid == kid);
                Ok(at.map(|at| self.keys.remove(at)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::KeyMaterial;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn key(name: u8) -> PublicKey {
        PublicKey { kid: name.to_string(), ..PublicKey::new(KeyMaterial::rsa(&[name], &[3])) }
    }

    fn at(seconds: u64) -> Timestamp {
        add(NOW, Duration::from_secs(seconds))
    }

    fn states(ring: &Ring, now: Timestamp) -> Vec<(String, KeyState)> {
        ring.states(now).map(|(key, state)| (key.key.kid.clone(), state)).collect()
    }

    #[test]
    fn a_new_key_is_known_to_all_before_it_signs() {
        use KeyState::{Past, Signing, Upcoming};
        let mut ring = Ring::default();
        assert_eq!(ring.signing(NOW), None);
        ring.add(&key(1), false, NOW);
        ring.add(&key(2), false, at(5));
        for (now, wanted) in [(5, [Signing, Upcoming]), (604, [Signing, Upcoming])] {
            assert_eq!(states(&ring, at(now)), [("1".into(), wanted[0]), ("2".into(), wanted[1])]);
        }
        assert_eq!(states(&ring, at(605)), [("1".into(), Past), ("2".into(), Signing)]);
        assert_eq!(ring.signing(at(605)).unwrap().key.kid, "2");
    }

    #[test]
    fn at_once_means_at_once_and_does_not_go_back() {
        let mut ring = Ring::default();
        ring.add(&key(1), false, NOW);
        ring.add(&key(2), false, NOW);
        assert_eq!(ring.promote("2", at(1)).unwrap().key.kid, "2");
        assert_eq!(ring.promote("1", at(2)).unwrap().key.kid, "2");
        ring.add(&key(3), false, at(1));
        ring.add(&key(4), true, at(2));
        assert_eq!(ring.signing(at(2)).unwrap().key.kid, "4");
        assert_eq!(ring.signing(at(9999)).unwrap().key.kid, "4");
    }

    #[test]
    fn only_past_keys_are_taken_away() {
        let mut ring = Ring::default();
        ring.add(&key(1), false, NOW);
        ring.add(&key(2), false, NOW);
        assert!(ring.remove("1", NOW).unwrap_err().contains("is signing"));
        assert!(ring.remove("2", NOW).unwrap_err().contains("next"));
        assert_eq!(ring.remove("3", NOW), Ok(None));
        assert_eq!(ring.remove("1", at(600)).unwrap().unwrap().key.kid, "1");
        assert_eq!(ring.keys.len(), 1);
    }
}
