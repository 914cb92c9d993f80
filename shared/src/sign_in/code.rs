//! Authorization codes: what a browser brings to an application, to be exchanged once.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    client::{ResponseType, Scope, SecretHash},
    clock::add,
    sign_in::{Bond, Challenge, ChallengeMethod, FamilyId, SignedIn},
};

/// For how many seconds a code is good (RFC 6749, 4.1.2, wants at most ten minutes).
pub const CODE_LIFETIME: u64 = 300;

/// For so long it is remembered, so that a replay is known as one.
const REMEMBERED: Duration = Duration::from_hours(1);

/// A code as it is kept (RFC 6749, 4.1.2); of itself there is a hash.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuthorizationCode {
    /// Names it, and the tokens that it is exchanged for.
    pub authorization_code_id: FamilyId,
    pub(super) code: SecretHash,
    /// The application and the person.
    #[serde(flatten)]
    pub bond: Bond,
    /// Where the browser was sent with it.
    pub redirect_uri: String,
    /// What was asked for.
    pub response_type: ResponseType,
    /// What was granted.
    pub scope: Vec<Scope>,
    /// What the ID token is to repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When it was issued.
    pub issue_date: Timestamp,
    /// For how many seconds it is good.
    pub lifetime: u64,
    /// What the exchange must prove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_method: Option<ChallengeMethod>,
    /// When it was exchanged, and so is of no use any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// How the person signed in.
    #[serde(flatten)]
    pub signed_in: SignedIn,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// What an application sends with a code.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// `redirect_uri`: the one that it sent before (RFC 6749, 4.1.3).
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier` (RFC 7636, 4.5).
    pub verifier: Option<&'a str>,
}

/// Why a code that is there is not exchanged. To the application all of them are `invalid_grant`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CodeFault {
    /// Its time is over.
    #[error("the code is over")]
    Over,
    /// It was not sent there.
    #[error("redirect_uri is not the one that the code was sent to")]
    RedirectUri,
    /// Whoever brings it has not asked for it.
    #[error("code_verifier does not fit the code")]
    Verifier,
}

impl AuthorizationCode {
    /// When it is over.
    pub fn expires(&self) -> Timestamp {
        add(self.issue_date, Duration::from_secs(self.lifetime))
    }

    pub(super) fn is_remembered_until(&self) -> Timestamp {
        add(self.issue_date, REMEMBERED)
    }

    /// Whether it was exchanged before.
    pub fn is_used(&self) -> bool {
        self.revoked_at.is_some()
    }

    /// Whether `exchange` may have what it stands for at `now`, as far as the code itself decides.
    pub fn fits(&self, exchange: Exchange<'_>, now: Timestamp) -> Result<(), CodeFault> {
        if self.expires() <= now {
            return Err(CodeFault::Over);
        }
        if exchange.redirect_uri.is_some_and(|uri| uri != self.redirect_uri) {
            return Err(CodeFault::RedirectUri);
        }
        match (&self.challenge, exchange.verifier) {
            (Some(challenge), Some(verifier)) if challenge.is_of(verifier) => {}
            // A verifier for a code without a challenge tells of a challenge that somebody took
            // away (RFC 9700, 4.8.2).
            (Some(_), _) | (None, Some(_)) => return Err(CodeFault::Verifier),
            // Whoever asked without a challenge proves by the address that the code is theirs.
            (None, None) if exchange.redirect_uri.is_none() => return Err(CodeFault::RedirectUri),
            (None, None) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::{ClientId, Secret},
        sign_in::SubjectId,
    };

    // The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const CB: &str = "https://notes.example/cb";

    fn code(challenge: Option<Challenge>) -> AuthorizationCode {
        AuthorizationCode {
            authorization_code_id: FamilyId::new(uuid::Uuid::nil()),
            code: SecretHash::of(&Secret::new("x")),
            bond: Bond {
                client: ClientId("notes".into()),
                subject: SubjectId("jane".into()),
                registered: Timestamp::UNIX_EPOCH,
                revocations: 0,
                ends: 0,
            },
            redirect_uri: CB.into(),
            response_type: ResponseType::Code,
            scope: vec![Scope::OpenId],
            nonce: None,
            issue_date: Timestamp::UNIX_EPOCH,
            lifetime: CODE_LIFETIME,
            challenge_method: challenge.as_ref().map(|_| ChallengeMethod::S256),
            challenge,
            revoked_at: None,
            signed_in: SignedIn::default(),
            last_modified: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_code_is_good_for_five_minutes() {
        let code = code(None);
        let exchange = Exchange { redirect_uri: Some(CB), verifier: None };
        for (second, wanted) in
            [(0, Ok(())), (299, Ok(())), (300, Err(CodeFault::Over)), (301, Err(CodeFault::Over))]
        {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(code.fits(exchange, now), wanted, "{second} s");
        }
    }

    #[test]
    fn who_brings_a_code_must_have_asked_for_it() {
        let challenge = Challenge::parse(CHALLENGE, Some("S256")).unwrap();
        let (with, without) = (code(Some(challenge)), code(None));
        let other = Some("https://notes.example/cb2");
        for (code, redirect_uri, verifier, wanted) in [
            (&with, Some(CB), Some(VERIFIER), Ok(())),
            // OAuth 2.1 has it no more; with PKCE it may be left out.
            (&with, None, Some(VERIFIER), Ok(())),
            (&with, other, Some(VERIFIER), Err(CodeFault::RedirectUri)),
            (&with, Some(CB), Some(CHALLENGE), Err(CodeFault::Verifier)),
            (&with, Some(CB), None, Err(CodeFault::Verifier)),
            (&without, Some(CB), None, Ok(())),
            (&without, None, None, Err(CodeFault::RedirectUri)),
            (&without, other, None, Err(CodeFault::RedirectUri)),
            (&without, Some(CB), Some(VERIFIER), Err(CodeFault::Verifier)),
        ] {
            let exchange = Exchange { redirect_uri, verifier };
            assert_eq!(code.fits(exchange, Timestamp::UNIX_EPOCH), wanted, "{exchange:?}");
        }
    }
}
