//! Poll-based delivery (RFC 8936).

use axum::{Router, extract::State, routing::post};
use ssf::{
    Transmitter,
    delivery::{PollRequest, PollResponse},
    stream::StreamId,
    web::{Json, MayPoll, Path, Problem, app, paths},
};

/// The route.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The route, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    Router::new().route(paths::POLL, post(poll))
}

async fn poll(
    State(transmitter): State<Transmitter>,
    MayPoll(receiver): MayPoll,
    Path(id): Path<StreamId>,
    Json(request): Json<PollRequest>,
) -> Result<axum::Json<PollResponse>, Problem> {
    Ok(axum::Json(transmitter.poll(&receiver, &id, request).await?))
}
