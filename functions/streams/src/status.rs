//! The status of streams ([SSF 1.0, 8.1.2]) and verification (8.1.4).

use axum::extract::State;
use http::StatusCode;
use ssf::{
    Transmitter,
    stream::StreamStatus,
    web::{JsonOrNothing, MayManage, MayRead, Problem, Query},
};

use crate::{configuration::OneStream, legacy};

pub(crate) async fn read(
    State(transmitter): State<Transmitter>,
    MayRead(receiver): MayRead,
    Query(query): Query<OneStream>,
) -> Result<axum::Json<StreamStatus>, Problem> {
    let id = match query.stream_id {
        Some(id) => id,
        None => legacy::only_stream(&transmitter, &receiver).await?,
    };
    Ok(axum::Json(transmitter.read_status(&receiver, &id).await?))
}

pub(crate) async fn update(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    JsonOrNothing(body): JsonOrNothing,
) -> Result<axum::Json<StreamStatus>, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    Ok(axum::Json(transmitter.update_status(&receiver, wish).await?))
}

pub(crate) async fn verify(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    JsonOrNothing(body): JsonOrNothing,
) -> Result<StatusCode, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    transmitter.verify_stream(&receiver, wish).await?;
    Ok(StatusCode::NO_CONTENT)
}
