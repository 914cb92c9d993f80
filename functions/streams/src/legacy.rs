//! What receivers of the older draft leave out: the id of the stream, when they have only one.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    client::{Profile, Receiver},
    json::{Invalid, from_value, parse},
    stream::{Status, StreamId},
};

/// The only stream of `receiver`, if it is of the older draft; else the missing id is refused.
pub(crate) async fn only_stream(
    transmitter: &Transmitter,
    receiver: &Receiver,
) -> Result<StreamId, Error> {
    let missing = || Invalid::new("stream_id", "is missing").into();
    match receiver.profile {
        Profile::Standard => Err(missing()),
        Profile::Legacy => {
            let mut streams = transmitter.streams_of(&receiver.id).await?;
            streams.retain(|stream| stream.status != Status::DisabledDeleted);
            match <[_; 1]>::try_from(streams) {
                Ok([stream]) => Ok(stream.id),
                Err(_) => Err(missing()),
            }
        }
    }
}

/// The stream that the body of a DELETE names; only the older draft has it there.
pub(crate) async fn stream_in_body(
    transmitter: &Transmitter,
    receiver: &Receiver,
    body: &[u8],
) -> Result<StreamId, Error> {
    if receiver.profile == Profile::Standard || body.is_empty() {
        return only_stream(transmitter, receiver).await;
    }
    let named: Named = read(transmitter, receiver, parse(body)?).await?;
    Ok(named.stream_id)
}

#[derive(Deserialize)]
struct Named {
    stream_id: StreamId,
}

/// What `body` asks for. The older draft lets the id of the stream be left out.
pub(crate) async fn read<T: DeserializeOwned>(
    transmitter: &Transmitter,
    receiver: &Receiver,
    mut body: Value,
) -> Result<T, Error> {
    if let (Profile::Legacy, Some(members)) = (receiver.profile, body.as_object_mut())
        && !members.contains_key("stream_id")
    {
        let id = only_stream(transmitter, receiver).await?;
        members.insert("stream_id".to_owned(), json!(id));
    }
    Ok(from_value(body)?)
}
