//! The configuration of streams ([SSF 1.0, 8.1.1]).

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use ssf::{
    Transmitter,
    stream::{CreateStream, Missing, StreamConfiguration, StreamId},
    web::{Json, MayManage, MayRead, Problem, Query, Raw},
};

use crate::legacy;

/// The query of requests about one stream.
#[derive(Debug, Deserialize)]
pub(crate) struct OneStream {
    pub(crate) stream_id: Option<StreamId>,
}

pub(crate) async fn create(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(wish): Json<CreateStream>,
) -> Result<(StatusCode, axum::Json<StreamConfiguration>), Problem> {
    let configuration = transmitter.create_stream(&receiver, wish).await?;
    Ok((StatusCode::CREATED, axum::Json(configuration)))
}

/// One stream, or, without an id, all of them.
pub(crate) async fn read(
    State(transmitter): State<Transmitter>,
    MayRead(receiver): MayRead,
    Query(query): Query<OneStream>,
) -> Result<Response, Problem> {
    Ok(match query.stream_id {
        Some(id) => axum::Json(transmitter.read_stream(&receiver, &id).await?).into_response(),
        None => axum::Json(transmitter.list_streams(&receiver).await?).into_response(),
    })
}

pub(crate) async fn update(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(body): Json<Value>,
) -> Result<axum::Json<StreamConfiguration>, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    Ok(axum::Json(transmitter.update_stream(&receiver, wish, Missing::Keep).await?))
}

pub(crate) async fn replace(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(body): Json<Value>,
) -> Result<axum::Json<StreamConfiguration>, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    Ok(axum::Json(transmitter.update_stream(&receiver, wish, Missing::Remove).await?))
}

pub(crate) async fn delete(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Query(query): Query<OneStream>,
    Raw(body): Raw,
) -> Result<StatusCode, Problem> {
    let id = match query.stream_id {
        Some(id) => id,
        None => legacy::stream_in_body(&transmitter, &receiver, &body).await?,
    };
    transmitter.delete_stream(&receiver, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
