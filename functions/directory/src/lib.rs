//! SCIM 2.0 (RFC 7643, 7644, 9865): the directory for provisioning clients.

mod answer;
mod bulk;
mod discovery;
mod groups;
mod me;
mod preconditions;
mod search;
mod users;

use axum::{
    Router,
    routing::{any, get, post},
};
use ssf::{
    Transmitter,
    web::{Problem, app, paths},
};

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    let at = |path: &str| format!("{}{path}", paths::SCIM);
    Router::new()
        .route(&at("/Users"), get(users::list).post(users::create))
        .route(
            &at("/Users/{id}"),
            get(users::read).put(users::replace).patch(users::change).delete(users::delete),
        )
        .route(&at("/Users/.search"), post(users::search))
        .route(&at("/Groups"), get(groups::list).post(groups::create))
        .route(
            &at("/Groups/{id}"),
            get(groups::read).put(groups::replace).patch(groups::change).delete(groups::delete),
        )
        .route(&at("/Groups/.search"), post(groups::search))
        .route(&at("/.search"), post(search::everything))
        .route(&at("/Me"), get(me::nobody).put(me::nobody).patch(me::nobody).delete(me::nobody))
        .route(&at("/Bulk"), post(bulk::bulk))
        .route(&at("/ServiceProviderConfig"), get(discovery::service_provider_config))
        // As an erratum of RFC 7644 has it (4978), and some clients ask.
        .route(&at("/ServiceProviderConfigs"), get(discovery::service_provider_config))
        .route(&at("/ResourceTypes"), get(discovery::resource_types))
        .route(&at("/ResourceTypes/{name}"), get(discovery::resource_type))
        .route(&at("/Schemas"), get(discovery::schemas))
        .route(&at("/Schemas/{urn}"), get(discovery::schema))
        .route(paths::SCIM, any(nothing))
        .route(paths::BELOW_SCIM, any(nothing))
}

/// There is nothing else, and this function says so: in SCIM's words.
async fn nothing() -> Problem {
    Problem::no_such_path()
}
