//! What an operator sees and does.

mod dead_letters;
mod events;
mod streams;

use serde_json::Value;
use ssf::{client::Receiver, delivery::PushAnswer, stream::StreamId};
use tests::{
    World,
    world::{poll_stream, push_stream},
};

async fn create(world: &World, receiver: &Receiver, body: Value) -> StreamId {
    let stream = world.create(receiver, body).await;
    StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap()
}

/// A push stream of the receiver `name`, for revoked sessions.
async fn pushed_to(world: &World, name: &str) -> StreamId {
    create(world, &world.receiver(name), push_stream(name, &["session-revoked"])).await
}

/// A poll stream of the receiver `name`, for revoked sessions.
async fn polled_by(world: &World, name: &str) -> StreamId {
    create(world, &world.receiver(name), poll_stream(&["session-revoked"])).await
}

/// A receiver's word that a SET is no good ([RFC 8935, 2.3]).
fn rejected() -> PushAnswer {
    let body = br#"{"err":"invalid_request","description":"no such user"}"#.to_vec();
    let content_type = Some("application/json".to_owned());
    PushAnswer { status: 400, retry_after: None, content_type, body }
}
