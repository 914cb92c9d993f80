//! What is next for a person whom an application sent here.

use std::time::Duration;

use jiff::Timestamp;

use super::{AuthorizationError, AuthorizationRequest, Prompt};
use crate::{
    client::{Client, Scope},
    clock::add,
    sign_in::{Assurance, Consent, SignedIn, SubjectId},
};

/// The person whose browser it is, by their session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Who it is.
    pub subject: SubjectId,
    /// How they signed in.
    pub signed_in: SignedIn,
    /// Whether they have a second factor, with which they could sign in more surely.
    pub second_factor: bool,
}

/// What is next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The person signs in.
    SignIn {
        /// Who it might be.
        login_hint: Option<String>,
        /// Why.
        reason: SignInReason,
    },
    /// The person is asked what the application may have.
    Consent {
        /// What it may not have yet; empty if it is asked again, or to be sure that a person is there.
        new_scopes: Vec<Scope>,
        /// All that it asks for.
        all: Vec<Scope>,
    },
    /// The application gets a code for this.
    Issue {
        /// What it is granted.
        scope: Vec<Scope>,
    },
    /// The application is told why not.
    Refuse(AuthorizationError),
}

/// Why a person is to sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInReason {
    /// Nobody is signed in.
    Nobody,
    /// The application wants it (`prompt=login`).
    Asked,
    /// The application wants the person to choose who they are (`prompt=select_account`).
    Choose,
    /// The person signed in too long ago (`max_age`).
    TooLongAgo,
    /// The person could sign in more surely, as the application wants it (`acr_values`).
    MoreSurely,
}

/// What is next for `session`, who is at the browser at `now`. `consent` is theirs to `client`, if
/// there is one.
pub fn decide(
    request: &AuthorizationRequest,
    client: &Client,
    session: Option<&Seen>,
    consent: Option<&Consent>,
    now: Timestamp,
) -> Decision {
    let silent = request.prompt.contains(&Prompt::None);
    let seen = match must_sign_in(request, session, now) {
        Ok(seen) => seen,
        Err(_) if silent => return Decision::Refuse(AuthorizationError::LoginRequired),
        Err(reason) => {
            return Decision::SignIn { login_hint: request.login_hint.clone(), reason };
        }
    };
    if request.hinted.as_ref().is_some_and(|hinted| *hinted != seen.subject) {
        return Decision::Refuse(AuthorizationError::LoginRequired);
    }
    let all = request.scope.clone();
    let Some(new_scopes) = must_consent(request, client, consent) else {
        return Decision::Issue { scope: all };
    };
    if silent {
        return Decision::Refuse(AuthorizationError::ConsentRequired);
    }
    Decision::Consent { new_scopes, all }
}

/// Who is signed in, or why somebody must do so.
fn must_sign_in<'a>(
    request: &AuthorizationRequest,
    session: Option<&'a Seen>,
    now: Timestamp,
) -> Result<&'a Seen, SignInReason> {
    let seen = session.ok_or(SignInReason::Nobody)?;
    if request.prompt.contains(&Prompt::Login) {
        return Err(SignInReason::Asked);
    }
    if request.prompt.contains(&Prompt::SelectAccount) {
        return Err(SignInReason::Choose);
    }
    if let Some(max_age) = request.max_age {
        let signed_in = seen.signed_in.auth_time.unwrap_or(Timestamp::UNIX_EPOCH);
        if add(signed_in, Duration::from_secs(max_age)) < now {
            return Err(SignInReason::TooLongAgo);
        }
    }
    if could_be_surer(request, seen) {
        return Err(SignInReason::MoreSurely);
    }
    Ok(seen)
}

/// Whether the application wants to know the person more surely than by this session, and can have it.
/// It is a wish (OpenID Connect Core 1.0, 3.1.2.1): where it cannot be, or nobody may be asked, the
/// application gets what there is, and sees by `acr` what that is.
fn could_be_surer(request: &AuthorizationRequest, seen: &Seen) -> bool {
    let wants = |name: &str| request.acr_values.iter().any(|value| value == name);
    let has = seen.signed_in.acr.as_deref().is_some_and(wants);
    let silent = request.prompt.contains(&Prompt::None);
    seen.second_factor && !has && !silent && wants(Assurance::Two.name())
}

/// What the person must be asked for; `None`: nothing.
fn must_consent(
    request: &AuthorizationRequest,
    client: &Client,
    consent: Option<&Consent>,
) -> Option<Vec<Scope>> {
    let live = consent.filter(|consent| consent.is_live());
    // What the operator consented to for all, the person may have taken back.
    let by_operator = client.application.preconsent && (consent.is_none() || live.is_some());
    let has = |scope: &Scope| by_operator || live.is_some_and(|it| it.scope.contains(scope));
    let new: Vec<Scope> = request.scope.iter().copied().filter(|scope| !has(scope)).collect();
    let again = request.prompt.contains(&Prompt::Consent);
    // Another program on the same machine can take the place of one that has no secret, and no host
    // of its own to be sent back to (RFC 8252, 8.6): so the person must see who asks.
    let anybody = client.is_public() && !request.redirect_uri.starts_with("https://");
    let unsure = anybody && !by_operator && !request.consented;
    (!new.is_empty() || again || unsure).then_some(new)
}
