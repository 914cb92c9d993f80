//! Who the person is: for the application that has a token of theirs (OpenID Connect Core 1.0, 5.3).

use axum::{
    extract::State,
    http::{HeaderMap, header::AUTHORIZATION},
};
use ssf::{
    Error, Transmitter,
    client::Scope,
    directory::UserInfo,
    json::Invalid,
    sign_in::Refusal,
    web::{Form, Json, Problem, bearer, pairs},
};

use crate::people::both;

/// `GET`, with the token in the header.
pub(crate) async fn get(
    State(us): State<Transmitter>,
    headers: HeaderMap,
) -> Result<Json<UserInfo>, Problem> {
    about(&us, bearer(&headers)?).await
}

/// `POST`, with the token in the header, or in a form (RFC 6750, 2.2); not in both.
pub(crate) async fn post(
    State(us): State<Transmitter>,
    headers: HeaderMap,
    form: Result<Form, Problem>,
) -> Result<Json<UserInfo>, Problem> {
    let in_form = match form {
        Ok(form) => pairs(form.members.into_iter())?.remove("access_token"),
        // Whoever sends the token in the header may send no form at all.
        Err(_) => None,
    };
    match in_form {
        Some(_) if headers.contains_key(AUTHORIZATION) => {
            Err(Invalid::new("access_token", "is there twice").into())
        }
        Some(token) => about(&us, &token).await,
        None => about(&us, bearer(&headers)?).await,
    }
}

async fn about(us: &Transmitter, token: &str) -> Result<Json<UserInfo>, Problem> {
    let (people, sign_in) = both(us);
    let token = match sign_in.person_token(token).await {
        Ok(token) => token,
        Err(Refusal::Other(error)) => return Err(error.into()),
        Err(_) => return Err(Error::Unauthenticated.into()),
    };
    if !token.scope.contains(&Scope::OpenId) {
        return Err(Error::Forbidden { scope: Scope::OpenId.name() }.into());
    }
    Ok(Json(people.userinfo(&token.subject, &token.scope).await?))
}
