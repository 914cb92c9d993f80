//! The tokens that follow from one sign-in of a person to an application.
//!
//! A family is one row: access tokens that are good for minutes, and a refresh token that is replaced
//! at each use. Each refresh token follows from the one before it, by a key that only the row has:
//!
//! * Who asks again with the one before, because the answer was lost, is given the same one again, for
//!   ten seconds ([`GRACE`]).
//! * Who comes with an older one, or later, has a token that was stolen, or lost one to a thief. Which
//!   of them it is cannot be told, so the family ends (RFC 9700, 4.14.2). This is seen at any age of
//!   the token, and cannot be brought about by a token that was made up.
//! * Whoever reads the table has no token. Who has both the table and an old token can reckon out the
//!   present one; that is the price of the first point.

use std::{fmt, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    client::{ClientId, Scope, Secret, SecretHash},
    clock::{add, since},
    sign_in::{Bond, SESSION_LIFETIME},
};

/// For how many seconds a person's access token is good.
pub const ACCESS_LIFETIME: u64 = 300;

/// For how many seconds a family can be refreshed, from its beginning, that was granted for the time
/// after the session (`offline_access`). Another one can for as long as the session may last.
pub const REFRESH_LIFETIME: u64 = 30 * 24 * 3600;

/// For so long after a refresh token was used it may be used again, by who did not get the answer.
pub const GRACE: Duration = Duration::from_secs(10);

/// A family has at most so many access tokens that are good; the oldest goes first.
const MAX_ACCESS: usize = 16;

/// Names a family, and the code that it came from.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(transparent)]
pub struct FamilyId(Uuid);

impl FamilyId {
    /// The family of this number.
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// `text`, if it is written as we write it.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text).ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// How a person signed in.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignedIn {
    /// The session at the browser (`sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// By what means (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How surely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// Why a family ended before its time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// Its code came a second time.
    CodeReplay,
    /// A refresh token came a second time.
    RefreshReuse,
    /// The application gave it back (RFC 7009).
    ByClient,
    /// The person or the operator ended it.
    ByOwner,
    /// The session that it came from ended.
    SessionEnded,
}

/// The tokens of one sign-in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Family {
    /// Its name.
    pub family_id: FamilyId,
    /// The application and the person.
    #[serde(flatten)]
    pub bond: Bond,
    /// What the application was granted.
    pub scope: Vec<Scope>,
    /// The clients that its access tokens are for.
    pub audience: Vec<ClientId>,
    /// When it began.
    pub issue_date: Timestamp,
    /// For how many seconds it can be refreshed.
    pub lifetime: u64,
    /// When it ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_because: Option<Revoked>,
    /// How the person signed in.
    #[serde(flatten)]
    pub signed_in: SignedIn,
    /// When it was last changed.
    pub last_modified: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<Refresh>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    access: Vec<Access>,
}

/// The refresh token that is good now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Refresh {
    key: Following,
    /// How many came before it.
    number: u32,
    hash: SecretHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated_at: Option<Timestamp>,
}

/// Makes the next token from one.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
struct Following(String);

impl Following {
    fn next(&self, secret: &Secret) -> Secret {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        Secret::new(URL_SAFE_NO_PAD.encode(hmac::sign(&key, secret.expose().as_bytes())))
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Following(…)")
    }
}

/// An access token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Access {
    hash: SecretHash,
    pub(super) scope: Vec<Scope>,
    pub(super) issue_date: Timestamp,
    pub(super) lifetime: u64,
}

impl Access {
    fn is_live(&self, now: Timestamp) -> bool {
        now < add(self.issue_date, Duration::from_secs(self.lifetime))
    }
}

/// A refresh token: how many came before it, and its secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RefreshToken {
    pub(super) number: u32,
    pub(super) secret: Secret,
}

/// What a refresh token that somebody brings is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Brought {
    /// The one that is good.
    Current,
    /// The one before; the answer with this one was lost.
    Lost(RefreshToken),
    /// An older one, or one that comes too late.
    Reused,
    /// None of this family.
    MadeUp,
}

impl Family {
    /// A family that begins at `now`, and its first refresh token if it has one.
    pub(super) fn begin(
        family_id: FamilyId,
        bond: Bond,
        scope: Vec<Scope>,
        audience: Vec<ClientId>,
        signed_in: SignedIn,
        refreshes: bool,
        now: Timestamp,
    ) -> (Self, Option<RefreshToken>) {
        let first = refreshes.then(|| RefreshToken { number: 0, secret: Secret::fresh() });
        let refresh = first.as_ref().map(|first| Refresh {
            key: Following(Secret::fresh().expose().to_owned()),
            number: 0,
            hash: SecretHash::of(&first.secret),
            rotated_at: None,
        });
        let lifetime = match signed_in.auth_time {
            _ if !refreshes => ACCESS_LIFETIME,
            _ if scope.contains(&Scope::OfflineAccess) => REFRESH_LIFETIME,
            auth_time => {
                let session_ends = add(auth_time.unwrap_or(now), SESSION_LIFETIME);
                // Its first access token is good for as long as it says.
                since(now, session_ends).as_secs().max(ACCESS_LIFETIME)
            }
        };
        let family = Self {
            family_id,
            bond,
            scope,
            audience,
            issue_date: now,
            lifetime,
            revoked_at: None,
            revoked_because: None,
            signed_in,
            last_modified: now,
            refresh,
            access: Vec::new(),
        };
        (family, first)
    }

    /// When it is over.
    pub fn expires(&self) -> Timestamp {
        add(self.issue_date, Duration::from_secs(self.lifetime))
    }

    /// When its row may go: an hour after its code was issued at the earliest, so that a replay of the
    /// code finds it.
    pub(super) fn is_kept_until(&self) -> Timestamp {
        self.expires().max(add(self.issue_date, Duration::from_hours(1)))
    }

    /// Whether it is neither over at `now` nor ended before.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires()
    }

    /// Whether it was granted for the time after the session (OpenID Connect Core 1.0, 11).
    pub fn is_offline(&self) -> bool {
        self.scope.contains(&Scope::OfflineAccess)
    }

    /// Ends it; whether it had not ended before.
    pub(super) fn revoke(&mut self, because: Revoked, now: Timestamp) -> bool {
        if self.revoked_at.is_some() {
            return false;
        }
        (self.revoked_at, self.revoked_because) = (Some(now), Some(because));
        self.access.clear();
        self.last_modified = now;
        true
    }

    /// What `token` is at `now`.
    pub(super) fn brought(&self, token: &RefreshToken, now: Timestamp) -> Brought {
        let Some(refresh) = &self.refresh else { return Brought::MadeUp };
        let Some(steps) = refresh.number.checked_sub(token.number) else { return Brought::MadeUp };
        let mut secret = token.secret.clone();
        for _ in 0..steps {
            secret = refresh.key.next(&secret);
        }
        if !refresh.hash.fits(&secret) {
            return Brought::MadeUp;
        }
        let in_grace = refresh.rotated_at.is_some_and(|rotated| since(rotated, now) < GRACE);
        match steps {
            0 => Brought::Current,
            1 if in_grace => Brought::Lost(RefreshToken { number: refresh.number, secret }),
            _ => Brought::Reused,
        }
    }

    /// Replaces the refresh token `current`, which is [`Brought::Current`]; the next one.
    pub(super) fn rotate(
        &mut self,
        current: &RefreshToken,
        now: Timestamp,
    ) -> Option<RefreshToken> {
        let refresh = self.refresh.as_mut()?;
        let next = RefreshToken {
            number: refresh.number.checked_add(1)?,
            secret: refresh.key.next(&current.secret),
        };
        (refresh.number, refresh.hash) = (next.number, SecretHash::of(&next.secret));
        refresh.rotated_at = Some(now);
        self.last_modified = now;
        Some(next)
    }

    /// A new access token for `scope`, which is part of what was granted. What is over is forgotten.
    pub(super) fn add_access(&mut self, scope: Vec<Scope>, now: Timestamp) -> Secret {
        let secret = Secret::fresh();
        self.access.retain(|access| access.is_live(now));
        if self.access.len() >= MAX_ACCESS {
            self.access.remove(0);
        }
        let hash = SecretHash::of(&secret);
        self.access.push(Access { hash, scope, issue_date: now, lifetime: ACCESS_LIFETIME });
        self.last_modified = now;
        secret
    }

    /// The access token with this secret, if it is good at `now`.
    pub(super) fn access(&self, secret: &Secret, now: Timestamp) -> Option<&Access> {
        let mut live = self.access.iter().filter(|access| access.is_live(now));
        live.find(|access| access.hash.fits(secret)).filter(|_| self.revoked_at.is_none())
    }

    /// Takes the access token with this secret away; whether it was there.
    pub(super) fn remove_access(&mut self, secret: &Secret, now: Timestamp) -> bool {
        let before = self.access.len();
        self.access.retain(|access| !access.hash.fits(secret));
        let removed = self.access.len() < before;
        if removed {
            self.last_modified = now;
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in::SubjectId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn family() -> (Family, RefreshToken) {
        let bond = Bond {
            client: ClientId("notes".into()),
            subject: SubjectId("jane".into()),
            registered: at(0),
            revocations: 0,
            ends: 0,
        };
        let id = FamilyId::new(Uuid::nil());
        let scope = vec![Scope::OpenId, Scope::OfflineAccess];
        let (family, first) =
            Family::begin(id, bond, scope, vec![], SignedIn::default(), true, at(0));
        (family, first.unwrap())
    }

    #[test]
    fn a_refresh_token_is_good_once_and_again_for_ten_seconds_for_who_lost_the_answer() {
        let (mut family, first) = family();
        assert_eq!(family.brought(&first, at(0)), Brought::Current);
        let second = family.rotate(&first, at(100)).unwrap();
        assert_eq!(family.brought(&second, at(100)), Brought::Current);
        for (second_of, wanted) in [
            (100, Brought::Lost(second.clone())),
            (109, Brought::Lost(second.clone())),
            (110, Brought::Reused),
            (111, Brought::Reused),
        ] {
            assert_eq!(family.brought(&first, at(second_of)), wanted, "{second_of} s");
        }
        // Once the answer has come, nobody asks for it again.
        let third = family.rotate(&second, at(101)).unwrap();
        assert_eq!(family.brought(&first, at(101)), Brought::Reused);
        assert_eq!(family.brought(&second, at(101)), Brought::Lost(third));
    }

    #[test]
    fn reuse_is_known_at_any_age_and_what_is_made_up_ends_nothing() {
        let (mut family, first) = family();
        let (_, stranger) = self::family();
        let mut last = first.clone();
        for second in 1..1000 {
            last = family.rotate(&last, at(second)).unwrap();
        }
        assert_eq!(family.brought(&first, at(1000)), Brought::Reused);
        for number in [0, 1, 998, 999, 1000, u32::MAX] {
            for secret in [&stranger.secret, &first.secret, &last.secret] {
                let token = RefreshToken { number, secret: secret.clone() };
                let genuine = (number == 0 && *secret == first.secret)
                    || (number == 999 && *secret == last.secret);
                let made_up = family.brought(&token, at(1000)) == Brought::MadeUp;
                assert_eq!(made_up, !genuine, "{number}");
            }
        }
    }

    #[test]
    fn an_access_token_lives_five_minutes_and_its_family_thirty_days() {
        let (mut family, _) = family();
        let first = family.add_access(vec![Scope::OpenId], at(0));
        assert!(family.access(&first, at(299)).is_some());
        assert!(family.access(&first, at(300)).is_none());
        assert!(family.is_live(at(30 * 24 * 3600 - 1)));
        assert!(!family.is_live(at(30 * 24 * 3600)));
        // The row does not grow without a bound.
        for _ in 0..100 {
            family.add_access(vec![Scope::OpenId], at(1));
        }
        assert!(family.access.len() <= MAX_ACCESS);
        let last = family.add_access(vec![Scope::OpenId], at(1));
        assert!(family.remove_access(&last, at(2)));
        assert!(family.access(&last, at(2)).is_none());
        let last = family.add_access(vec![Scope::OpenId], at(3));
        assert!(family.revoke(Revoked::ByOwner, at(4)));
        assert!(!family.revoke(Revoked::CodeReplay, at(5)), "it has ended once");
        assert_eq!(family.revoked_because, Some(Revoked::ByOwner));
        assert!(family.access(&last, at(4)).is_none() && !family.is_live(at(4)));
    }

    #[test]
    fn what_is_not_for_the_time_after_the_session_can_be_refreshed_while_that_may_last() {
        let (offline, _) = family();
        let begin = |auth_time, refreshes| {
            let signed_in = SignedIn { auth_time, ..SignedIn::default() };
            let (id, bond) = (offline.family_id, offline.bond.clone());
            let now = at(100_000);
            Family::begin(id, bond, vec![Scope::OpenId], vec![], signed_in, refreshes, now).0
        };
        let hours = |hours: i64| Some(at(100_000 - hours * 3600));
        for (auth_time, refreshes, lifetime) in [
            (hours(0), true, 12 * 3600),
            (hours(11), true, 3600),
            (hours(12), true, 300),
            (hours(20), true, 300),
            (None, true, 12 * 3600),
            (hours(0), false, 300),
        ] {
            assert_eq!(begin(auth_time, refreshes).lifetime, lifetime, "{auth_time:?}");
        }
    }

    #[test]
    fn nothing_of_a_family_that_is_printed_or_kept_is_a_token() {
        let (mut family, first) = family();
        let access = family.add_access(vec![Scope::OpenId], at(0));
        let next = family.rotate(&first, at(1)).unwrap();
        let kept = serde_json::to_string(&family).unwrap();
        let shown = format!("{family:?} {first:?}");
        for secret in [&access, &first.secret, &next.secret] {
            assert!(!kept.contains(secret.expose()) && !shown.contains(secret.expose()));
        }
        let read: Family = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, family);
        assert!(!shown.contains(&family.refresh.unwrap().key.0));
    }
}
