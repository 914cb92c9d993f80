//! Who is asking, and may they?

use axum::extract::FromRequestParts;
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

use crate::{
    Error, Transmitter,
    client::{Receiver, Scope},
    web::Problem,
};

/// A receiver that may read: `ssf.read` or more (IOP 2.7.2).
#[derive(Clone, Debug)]
pub struct MayRead(pub Receiver);

/// A receiver that may do everything: `ssf.manage`.
#[derive(Clone, Debug)]
pub struct MayManage(pub Receiver);

/// A receiver that may poll: `ssf.manage.poll` or more.
#[derive(Clone, Debug)]
pub struct MayPoll(pub Receiver);

/// A client that may read and write the directory: `scim`.
#[derive(Clone, Debug)]
pub struct MayProvision(pub Receiver);

/// A client that may read the directory: `scim.read` or more.
#[derive(Clone, Debug)]
pub struct MayReadDirectory(pub Receiver);

impl FromRequestParts<Transmitter> for MayProvision {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        authorized(parts, us, Scope::Scim).await.map(Self)
    }
}

impl FromRequestParts<Transmitter> for MayReadDirectory {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        authorized(parts, us, Scope::ScimRead).await.map(Self)
    }
}

impl FromRequestParts<Transmitter> for MayRead {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        authorized(parts, us, Scope::Read).await.map(Self)
    }
}

impl FromRequestParts<Transmitter> for MayManage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        authorized(parts, us, Scope::Manage).await.map(Self)
    }
}

impl FromRequestParts<Transmitter> for MayPoll {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        authorized(parts, us, Scope::Poll).await.map(Self)
    }
}

async fn authorized(parts: &Parts, us: &Transmitter, scope: Scope) -> Result<Receiver, Problem> {
    let receiver = us.authenticate(bearer(&parts.headers)?).await?;
    receiver.require(scope)?;
    Ok(receiver)
}

/// The access token in the header `Authorization` (RFC 6750, 2.1). One in the query or in a form
/// is not looked at ([IOP 2.7.3], RFC 6750, 2.3: it would stand in logs).
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::without_credentials());
    };
    let (scheme, token) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Problem::without_credentials());
    }
    match token.trim_matches(' ') {
        "" => Err(Error::Unauthenticated.into()),
        token => Ok(token),
    }
}
