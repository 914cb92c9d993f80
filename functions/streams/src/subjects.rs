//! The subjects of streams ([SSF 1.0, 8.1.3]).

use axum::extract::State;
use http::StatusCode;
use serde_json::Value;
use ssf::{
    Transmitter,
    web::{Json, MayManage, Problem},
};

use crate::legacy;

pub(crate) async fn add(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(body): Json<Value>,
) -> Result<StatusCode, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    transmitter.add_subject(&receiver, wish).await?;
    Ok(StatusCode::OK)
}

pub(crate) async fn remove(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(body): Json<Value>,
) -> Result<StatusCode, Problem> {
    let wish = legacy::read(&transmitter, &receiver, body).await?;
    transmitter.remove_subject(&receiver, wish).await?;
    Ok(StatusCode::NO_CONTENT)
}
