//! The event stream management API ([SSF 1.0, 8.1]): configuration, status, subjects, verification.

mod configuration;
mod legacy;
mod status;
mod subjects;

use axum::{
    Router,
    routing::{get, post},
};
use ssf::{
    Transmitter,
    web::{app, paths},
};

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    Router::new()
        .route(
            paths::STREAMS,
            get(configuration::read)
                .post(configuration::create)
                .patch(configuration::update)
                .put(configuration::replace)
                .delete(configuration::delete),
        )
        .route(paths::STATUS, get(status::read).post(status::update))
        .route(paths::ADD_SUBJECT, post(subjects::add))
        .route(paths::REMOVE_SUBJECT, post(subjects::remove))
        .route(paths::VERIFICATION, post(status::verify))
}
