//! The grants of people: by a code that their browser brought, and by a refresh token.

use ssf::{
    Transmitter,
    client::{Client, OAuthError},
    directory::{Actor, Directory},
    sign_in::{Exchange, PersonGrant, SignIn},
};

use crate::request::Request;

/// RFC 6749, 4.1.3.
pub(crate) async fn by_code(
    us: &Transmitter,
    client: &Client,
    request: &Request,
) -> Result<PersonGrant, OAuthError> {
    let code = request.required("code")?;
    let exchange = Exchange {
        redirect_uri: request.optional("redirect_uri"),
        verifier: request.optional("code_verifier"),
    };
    let (people, sign_in) = both(us);
    // Who notices that a code came twice is we.
    let cause = people.cause(Actor::System);
    let also = people.also(&cause);
    match sign_in.grant_by_code(client, code, exchange, &also).await {
        Ok(grant) => Ok(grant),
        Err(refusal) => Err(told(&people, refusal).await),
    }
}

/// RFC 6749, 6.
pub(crate) async fn by_refresh(
    us: &Transmitter,
    client: &Client,
    request: &Request,
) -> Result<PersonGrant, OAuthError> {
    let token = request.required("refresh_token")?;
    let (people, sign_in) = both(us);
    let cause = people.cause(Actor::System);
    let also = people.also(&cause);
    match sign_in.grant_by_refresh(client, token, request.optional("scope"), &also).await {
        Ok(grant) => Ok(grant),
        Err(refusal) => Err(told(&people, refusal).await),
    }
}

/// Puts on the queue what has been told of a code or a token that came twice.
async fn told(people: &Directory, refusal: ssf::sign_in::Refusal) -> OAuthError {
    if let Some(subject) = refusal.ended() {
        people.hand_over_of(subject).await;
    }
    refusal.into()
}

/// The people, and what they let applications have.
pub(crate) fn both(us: &Transmitter) -> (Directory, SignIn) {
    let people = Directory::of(us);
    let sign_in = people.sign_in();
    (people, sign_in)
}
