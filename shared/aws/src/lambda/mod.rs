//! What the functions' binaries start with.

mod batch;
mod log;
mod metrics;
mod start;

use axum::Router;
use lambda_http::{RequestExt, request::RequestContext};
use lambda_runtime::{LambdaEvent, service_fn};
use ssf::{Error as TransmitterError, web::Peer};
use tower::ServiceExt;

pub use batch::Batch;
pub use lambda_runtime::Error;
pub use start::{read, start};

/// Answers requests of API Gateway (payload format 2.0) by `router`, one after the other, for as
/// long as Lambda asks.
pub async fn serve(router: Router) -> Result<(), Error> {
    let router = &router;
    lambda_http::run(service_fn(async move |mut request: lambda_http::Request| {
        if let Some(peer) = peer(&request) {
            request.extensions_mut().insert(peer);
        }
        let response = router.clone().oneshot(request).await;
        metrics::flush();
        response
    }))
    .await
}

/// The address that API Gateway saw.
fn peer(request: &lambda_http::Request) -> Option<Peer> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.http.source_ip.as_ref()?.parse().ok().map(Peer)
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
