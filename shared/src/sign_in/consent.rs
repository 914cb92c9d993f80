//! What a person lets an application have.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    client::{ClientId, Scope},
    sign_in::SubjectId,
};

/// The consent of one person to one application; there is one at most, by the key that it has.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Consent {
    /// Names it: given when the person first consents, never used again.
    pub consent_id: String,
    /// The application.
    pub client: ClientId,
    /// The person.
    pub subject: SubjectId,
    /// What the application may have, in the order in which it was granted.
    pub scope: Vec<Scope>,
    /// When the person first consented, or did so again after it was revoked.
    pub issue_date: Timestamp,
    /// Since when it is revoked; absent while it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// When it was last revoked, also if it holds again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_revoked: Option<Timestamp>,
    /// How often it was revoked. What was issued under an earlier count is dead for good.
    pub revocations: u32,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// What a change of a consent did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConsentChange {
    /// There was none that held, and there is one now.
    Granted,
    /// The application may have more than before.
    Widened,
    /// It was taken back.
    Revoked,
    /// It holds again, as it was; what was issued before stays dead.
    Restored,
}

impl Consent {
    /// Whether it holds.
    pub fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }

    /// Whether it holds for all of `scope`.
    pub fn covers(&self, scope: &[Scope]) -> bool {
        self.is_live() && scope.iter().all(|scope| self.scope.contains(scope))
    }

    /// Grants `scope`. While it holds it is joined with what was granted before; after it was
    /// revoked only what is granted now counts, for the person took the rest back.
    pub(super) fn grant(&mut self, scope: &[Scope], now: Timestamp) -> Option<ConsentChange> {
        let granted = if self.is_live() {
            ConsentChange::Widened
        } else {
            self.scope.clear();
            self.issue_date = now;
            ConsentChange::Granted
        };
        let before = self.scope.len();
        for scope in scope {
            if !self.scope.contains(scope) {
                self.scope.push(*scope);
            }
        }
        let changed = granted == ConsentChange::Granted || self.scope.len() > before;
        self.revoked_at = None;
        self.note(changed.then_some(granted), now)
    }

    /// Takes it back.
    pub(super) fn revoke(&mut self, now: Timestamp) -> Option<ConsentChange> {
        let revoked = self.is_live().then_some(ConsentChange::Revoked);
        if revoked.is_some() {
            (self.revoked_at, self.last_revoked) = (Some(now), Some(now));
            self.revocations += 1;
        }
        self.note(revoked, now)
    }

    /// Lets it hold again.
    pub(super) fn restore(&mut self, now: Timestamp) -> Option<ConsentChange> {
        let restored = self.revoked_at.take().map(|_| ConsentChange::Restored);
        self.note(restored, now)
    }

    fn note(&mut self, change: Option<ConsentChange>, now: Timestamp) -> Option<ConsentChange> {
        if change.is_some() {
            self.last_modified = now;
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn consent() -> Consent {
        Consent {
            consent_id: "1".into(),
            client: ClientId("notes".into()),
            subject: SubjectId("jane".into()),
            scope: vec![Scope::OpenId],
            issue_date: at(0),
            revoked_at: None,
            last_revoked: None,
            revocations: 0,
            created: at(0),
            last_modified: at(0),
        }
    }

    #[test]
    fn granting_again_joins_the_scopes_and_says_so_once() {
        let mut consent = consent();
        assert_eq!(consent.grant(&[Scope::OpenId], at(1)), None);
        assert_eq!(consent.last_modified, at(0), "nothing was changed");
        let more = [Scope::Email, Scope::OpenId];
        assert_eq!(consent.grant(&more, at(2)), Some(ConsentChange::Widened));
        assert_eq!(consent.scope, [Scope::OpenId, Scope::Email]);
        assert_eq!((consent.issue_date, consent.last_modified), (at(0), at(2)));
        assert!(consent.covers(&more));
        assert!(!consent.covers(&[Scope::Phone]));
    }

    #[test]
    fn what_is_revoked_holds_for_nothing_until_it_is_restored_or_granted_anew() {
        let mut consent = consent();
        consent.grant(&[Scope::Email], at(1));
        assert_eq!(consent.revoke(at(2)), Some(ConsentChange::Revoked));
        assert_eq!(consent.revoke(at(3)), None);
        assert_eq!((consent.revoked_at, consent.revocations), (Some(at(2)), 1));
        assert!(!consent.covers(&[]));
        assert_eq!(consent.restore(at(4)), Some(ConsentChange::Restored));
        assert_eq!(consent.restore(at(5)), None);
        assert_eq!((consent.last_revoked, consent.last_modified), (Some(at(2)), at(4)));
        assert_eq!(consent.scope, [Scope::OpenId, Scope::Email]);
        consent.revoke(at(6));
        assert_eq!(consent.grant(&[Scope::Phone], at(7)), Some(ConsentChange::Granted));
        assert_eq!(consent.scope, [Scope::Phone], "the person took the rest back");
        assert_eq!((consent.issue_date, consent.revocations), (at(7), 2));
    }
}
