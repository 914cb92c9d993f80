//! The subjects of streams ([SSF 1.0, 8.1.3]).

use axum::extract::State;
use http::StatusCode;
use ssf::{
    Transmitter,
    stream::{AddSubject, RemoveSubject},
    web::{Json, MayManage, Problem},
};

pub(crate) async fn add(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(wish): Json<AddSubject>,
) -> Result<StatusCode, Problem> {
    transmitter.add_subject(&receiver, wish).await?;
    Ok(StatusCode::OK)
}

pub(crate) async fn remove(
    State(transmitter): State<Transmitter>,
    MayManage(receiver): MayManage,
    Json(wish): Json<RemoveSubject>,
) -> Result<StatusCode, Problem> {
    transmitter.remove_subject(&receiver, wish).await?;
    Ok(StatusCode::NO_CONTENT)
}
