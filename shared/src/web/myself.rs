//! Who is asking for themselves?

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::authorized::bearer;
use crate::{
    Error, Transmitter,
    client::{ClientId, Scope},
    directory::{Directory, ResourceId},
    sign_in::Refusal,
    web::Problem,
};

/// A person, by the access token of an application that may act for them: `scim.me`.
#[derive(Clone, Debug)]
pub struct Myself {
    /// The person.
    pub id: ResourceId,
    /// The application.
    pub client: ClientId,
}

impl FromRequestParts<Transmitter> for Myself {
    type Rejection = Problem;

    /// A client's own token has nobody behind it, so that there is nothing.
    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        match Directory::of(us).sign_in().person_token(token).await {
            Ok(token) => {
                us.requests().count(&token.client.0)?;
                if !token.scope.contains(&Scope::ScimMe) {
                    return Err(Error::Forbidden { scope: Scope::ScimMe.name() }.into());
                }
                let id = ResourceId::parse(&token.subject.0).ok_or(Error::Unauthenticated)?;
                Ok(Self { id, client: token.client })
            }
            Err(Refusal::Unknown) => {
                us.authenticate(token).await?;
                Err(Problem::no_such_path())
            }
            Err(Refusal::Other(error)) => Err(error.into()),
            Err(_) => Err(Error::Unauthenticated.into()),
        }
    }
}
