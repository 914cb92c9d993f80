//! The `authorize` function: the OAuth side, where clients get and give back access tokens, and are told
//! who a person is.

mod error;
mod people;
mod request;
mod userinfo;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, StatusCode, header::PRAGMA},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ssf::{
    Transmitter,
    client::{GrantType, OAuthError},
    directory::Actor,
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
        .route_layer(from_fn(error::challenge))
        .route(paths::USERINFO, get(userinfo::get).post(userinfo::post))
}

/// RFC 6749, 3.2. Whether it is an answer or a refusal, nobody keeps it (RFC 6749, 5.1).
async fn token(State(us): State<Transmitter>, form: Result<Form, Problem>) -> Response {
    let mut response = match granted(&us, form).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

async fn granted(us: &Transmitter, form: Result<Form, Problem>) -> Result<Response, Refusal> {
    let request = Request::read(form?)?;
    let granted = grant(us, &request).await;
    if let Err(Refusal::OAuth { error, description, .. }) = &granted {
        let client_id = request.claimed().map(|id| id.0);
        tracing::info!(client.id = client_id, error, description, "no token was given");
    }
    granted
}

async fn grant(us: &Transmitter, request: &Request) -> Result<Response, Refusal> {
    let client = request.client(us).await?;
    let grant_type = GrantType::parse(request.required("grant_type")?);
    Ok(match grant_type.ok_or(OAuthError::UnsupportedGrantType)? {
        GrantType::AuthorizationCode => {
            Json(people::by_code(us, &client, request).await?).into_response()
        }
        GrantType::RefreshToken => {
            Json(people::by_refresh(us, &client, request).await?).into_response()
        }
        GrantType::ClientCredentials => {
            Json(us.grant(&client, request.optional("scope")).await?).into_response()
        }
    })
}

/// RFC 7009: a token of the client itself, or of a person who signed in to it.
async fn revoke(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Result<StatusCode, Refusal> {
    let request = Request::read(form?)?;
    let client = request.client(&us).await?;
    let token = request.required("token")?;
    us.revoke(&client, token).await?;
    let (people, sign_in) = people::both(&us);
    let cause = people.cause(Actor::Client(client.client_id.clone()));
    sign_in.token_give_back(&client.client_id, token, &people.also(&cause)).await?;
    Ok(StatusCode::OK)
}

/// RFC 7662. Who cannot prove who it is learns nothing (2.1).
async fn introspect(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Result<Response, Refusal> {
    let request = Request::read(form?)?;
    let client = request.client(&us).await?;
    if client.is_public() {
        return Err(OAuthError::InvalidClient.into());
    }
    let token = request.required("token")?;
    let (_, sign_in) = people::both(&us);
    Ok(match sign_in.person_introspect(&client, token).await? {
        Some(about) => Json(about).into_response(),
        None => Json(us.introspect(&client, token).await?).into_response(),
    })
}
