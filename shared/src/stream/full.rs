//! Whole resources of SCIM: a stream has them as long as its client may.

use crate::{
    Error, Transmitter,
    client::{ClientId, client_key},
    config::Config,
    event::EventType,
    stream::{Stream, store::ATTEMPTS},
    table::{Condition, TableError, Write},
};

impl Stream {
    /// Lets it have whole resources ([`EventType::is_full`]), or not any more.
    pub(super) fn set_scim_full(&mut self, scim_full: bool, config: &Config) {
        self.scim_full = scim_full;
        let delivered = config.events_delivered(self.events_requested.as_ref(), scim_full);
        let has_full = self.events_delivered.iter().any(EventType::is_full);
        if delivered.iter().any(EventType::is_full) != has_full {
            self.events_delivered = delivered;
            self.revision += 1;
        }
    }
}

impl Transmitter {
    /// Lets the streams of a client have whole resources if the client may, or not any more. Those that
    /// are not delivered yet are dropped with the right: what is taken away must not arrive afterwards.
    pub(crate) async fn update_scim_full(&self, owner: &ClientId) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let Some((version, scim_full)) = self.client_scim_full(owner).await? else {
                return Ok(());
            };
            // Whoever gave the right before, and is slow, must not give it back when it is taken away.
            let check = Write::check(client_key(owner), Condition::Version(version));
            match self.set_scim_full(owner, scim_full, &check).await {
                Err(Error::Table(TableError::Conflict)) => {}
                done => return done,
            }
        }
        Err(TableError::Conflict.into())
    }

    async fn set_scim_full(
        &self,
        owner: &ClientId,
        scim_full: bool,
        check: &Write,
    ) -> Result<(), Error> {
        for stream in self.streams_of(owner).await? {
            let change = |stream: &mut Stream| {
                stream.set_scim_full(scim_full, &self.parts().config);
                Ok(())
            };
            match self.change_stream_if(&stream.id, Some(check), change).await {
                // It has gone meanwhile.
                Ok(_) | Err(Error::StreamNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
