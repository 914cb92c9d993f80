//! What the functions' binaries start with.

mod batch;
mod gateway;
mod log;
mod metrics;
mod start;

use std::convert::Infallible;

use axum::Router;
use lambda_http::{Adapter, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, Service, service_fn};
use ssf::Error as TransmitterError;

pub use batch::Batch;
pub use lambda_runtime::Error;
pub use start::{read, start};

/// Answers requests of API Gateway (payload format 2.0) by `router`, one after the other, for as
/// long as Lambda asks.
pub async fn serve(router: Router) -> Result<(), Error> {
    let router = &router;
    let mut answers = Adapter::from(service_fn(async move |request| {
        let response = gateway::answer(router.clone(), request).await;
        metrics::flush();
        Ok::<_, Infallible>(response)
    }));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<LambdaRequest>| {
        let LambdaEvent { payload, context, .. } = event;
        answers.call(LambdaEvent::new(gateway::harmless(payload), context))
    }))
    .await
}

/// Gives each batch of messages of SQS to `handle`, which says the ids of those that must come
/// again. Lambda deletes the others.
pub async fn take_batches(handle: impl AsyncFn(Batch) -> Vec<String>) -> Result<(), Error> {
    let handle = &handle;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<_>| {
        let again = handle(Batch::of(event.payload)).await;
        metrics::flush();
        Ok::<_, Error>(batch::response(again))
    }))
    .await
}

/// Runs `work` each time the schedule says so.
pub async fn run_scheduled(
    work: impl AsyncFn() -> Result<(), TransmitterError>,
) -> Result<(), Error> {
    let work = &work;
    lambda_runtime::run(service_fn(async move |_: LambdaEvent<serde_json::Value>| {
        let done = work().await;
        metrics::flush();
        done.map_err(Error::from)
    }))
    .await
}
