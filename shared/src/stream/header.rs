//! The header that SETs are posted with: sealed when it comes, opened when it goes.

use crate::{
    Error, Transmitter,
    client::{Receiver, Secret},
    error::chain,
    json::Patch,
    seal::{SealError, Sealed},
    stream::{Delivery, DeliveryWish, Stream, StreamId, UpdateStream},
};

impl Transmitter {
    /// The header that `wish` names for the new stream `id`, sealed.
    pub(super) async fn new_header(
        &self,
        id: &StreamId,
        wish: &DeliveryWish,
    ) -> Result<Option<Sealed>, Error> {
        match wish.header() {
            Some(header) => Ok(Some(self.parts().seal.seal(&header, id.as_str()).await?)),
            None => Ok(None),
        }
    }

    /// The header that `wish` names, sealed. Where it says the same as the one that the stream has,
    /// that one: then the delivery does not change.
    pub(super) async fn updated_header(
        &self,
        receiver: &Receiver,
        wish: &UpdateStream,
    ) -> Result<Option<Sealed>, Error> {
        let Patch::Value(delivery) = &wish.delivery else { return Ok(None) };
        let Some(header) = delivery.header() else { return Ok(None) };
        // For a stranger nothing is sealed.
        let stream = self.stream_of(receiver, &wish.stream_id).await?;
        let (seal, id) = (&self.parts().seal, stream.id.as_str());
        if let Delivery::Push { authorization_header: Some(kept), .. } = &stream.delivery
            && seal.open(kept, id).await.is_ok_and(|kept| kept == header)
        {
            return Ok(Some(kept.clone()));
        }
        Ok(Some(seal.seal(&header, id).await?))
    }

    /// The header that SETs of `stream` are posted with. An error was logged.
    pub(crate) async fn header(&self, stream: &Stream) -> Result<Option<Secret>, SealError> {
        let Delivery::Push { authorization_header: Some(sealed), .. } = &stream.delivery else {
            return Ok(None);
        };
        let header = self.parts().seal.open(sealed, stream.id.as_str()).await;
        header.map(Some).inspect_err(|error| {
            let error = chain(error);
            tracing::error!(stream.id = %stream.id, error, "the authorization header stays sealed");
        })
    }
}
