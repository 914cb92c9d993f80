//! The `discovery` function: what anybody may read before they are anybody.

mod metadata;

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, HeaderName},
    routing::get,
};
use serde::Serialize;
use ssf::{
    Error, Transmitter,
    set::{JWKS_MAX_AGE, Jwk, PublicKey, SignError},
    web::{Json, Problem, app, paths},
};

use metadata::{AuthorizationServerMetadata, ProtectedResourceMetadata, TransmitterMetadata};

/// How long anyone may keep what only a deployment changes.
const METADATA_MAX_AGE: Duration = Duration::from_hours(1);

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    Router::new()
        .route(paths::SSF_CONFIGURATION, get(ssf_configuration))
        .route(paths::SSE_CONFIGURATION, get(ssf_configuration))
        .route(paths::AUTHORIZATION_SERVER, get(authorization_server))
        .route(paths::OPENID_CONFIGURATION, get(authorization_server))
        .route(paths::PROTECTED_RESOURCE, get(protected_resource))
        .route(paths::JWKS, get(jwks))
}

async fn ssf_configuration(State(us): State<Transmitter>) -> Answer<TransmitterMetadata> {
    answer(METADATA_MAX_AGE, TransmitterMetadata::of(&us.parts().config))
}

async fn authorization_server(
    State(us): State<Transmitter>,
) -> Result<Answer<AuthorizationServerMetadata>, Problem> {
    // The key that signs now comes first; the others have signed what may still be on its way.
    let mut algorithms = vec![us.keys().signing_algorithm().await?];
    for key in us.keys().published().await? {
        if !algorithms.contains(&key.algorithm) {
            algorithms.push(key.algorithm);
        }
    }
    let metadata = AuthorizationServerMetadata::of(&us.parts().config, &algorithms);
    Ok(answer(METADATA_MAX_AGE, metadata))
}

async fn protected_resource(State(us): State<Transmitter>) -> Answer<ProtectedResourceMetadata> {
    answer(METADATA_MAX_AGE, ProtectedResourceMetadata::of(&us.parts().config))
}

async fn jwks(State(us): State<Transmitter>) -> Result<Answer<serde_json::Value>, Problem> {
    let keys = us.keys().published().await?;
    if keys.is_empty() {
        // Libraries keep an empty key set for minutes, whatever its headers say; an error they do not.
        return Err(Error::from(SignError::NoKey).into());
    }
    let keys: Vec<Jwk<'_>> = keys.iter().map(|key| PublicKey::jwk(key)).collect();
    Ok(answer(JWKS_MAX_AGE, serde_json::json!({ "keys": keys })))
}

type Answer<T> = ([(HeaderName, String); 1], Json<T>);

fn answer<T: Serialize>(max_age: Duration, body: T) -> Answer<T> {
    ([(CACHE_CONTROL, format!("public, max-age={}", max_age.as_secs()))], Json(body))
}
