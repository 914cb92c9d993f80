//! The `authorize` function: the OAuth side, where clients get and give back access tokens.

mod error;
mod request;

use axum::{Router, extract::State, http::StatusCode, routing::post};
use ssf::{
    Transmitter,
    client::{Grant, Introspection, OAuthError},
    web::{Form, Json, Problem, app, paths},
};

use error::Refusal;
use request::Request;

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    Router::new()
        .route(paths::TOKEN, post(token))
        .route(paths::REVOKE, post(revoke))
        .route(paths::INTROSPECT, post(introspect))
}

/// RFC 6749, 4.4: `client_credentials`, the grant of machines.
async fn token(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Result<Json<Grant>, Refusal> {
    let request = Request::read(form?)?;
    let client = request.client(&us).await?;
    if request.required("grant_type")? != "client_credentials" {
        return Err(OAuthError::UnsupportedGrantType.into());
    }
    Ok(Json(us.grant(&client, request.optional("scope")).await?))
}

/// RFC 7009.
async fn revoke(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Result<StatusCode, Refusal> {
    let request = Request::read(form?)?;
    let client = request.client(&us).await?;
    us.revoke(&client, request.required("token")?).await?;
    Ok(StatusCode::OK)
}

/// RFC 7662.
async fn introspect(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Result<Json<Introspection>, Refusal> {
    let request = Request::read(form?)?;
    let client = request.client(&us).await?;
    Ok(Json(us.introspect(&client, request.required("token")?).await?))
}
