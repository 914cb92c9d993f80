//! SCIM 2.0 (RFC 7643, 7644, 9865): the directory for provisioning clients.

mod answer;
mod bulk;
mod discovery;
mod group_members;
mod groups;
mod handlers;
mod me;
mod preconditions;
mod resource;
mod search;
mod users;

use axum::{
    Router,
    routing::{any, get, post},
};
use ssf::{
    Transmitter,
    directory::{Group, User},
    web::{Problem, app, paths},
};

use crate::resource::Resource;

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    let at = |path: &str| format!("{}{path}", paths::SCIM);
    Router::new()
        .merge(routes_of::<User>())
        .merge(routes_of::<Group>())
        .route(&at("/.search"), post(search::everything))
        .route(&at("/Me"), get(me::read).put(me::replace).patch(me::change).delete(me::delete))
        .route(&at("/GroupMembers"), get(group_members::list))
        .route(&at("/GroupMembers/{id}"), get(group_members::read))
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

/// The routes of one kind of resource.
fn routes_of<T: Resource>() -> Router<Transmitter> {
    let all = format!("{}{}", paths::SCIM, T::KIND.endpoint());
    let one = get(handlers::read::<T>).put(handlers::replace::<T>).patch(handlers::change::<T>);
    Router::new()
        .route(&all, get(handlers::list::<T>).post(handlers::create::<T>))
        .route(&format!("{all}/{{id}}"), one.delete(handlers::delete::<T>))
        .route(&format!("{all}/.search"), post(handlers::search::<T>))
}

/// There is nothing else, and this function says so: in SCIM's words.
async fn nothing() -> Problem {
    Problem::no_such_path()
}
