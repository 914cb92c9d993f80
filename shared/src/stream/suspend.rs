//! What becomes of the streams of a client that is disabled: their SETs are held, as if they were
//! paused, until the client is enabled again.

use crate::{
    Error, Transmitter,
    client::ClientId,
    set::Passage,
    stream::{Status, Stream, status::news},
};

impl Transmitter {
    /// Suspends the streams of `owner`, or lets them go on; their receivers are told by a
    /// stream-updated SET ([SSF 1.0, 8.1.5]). When this returns, nothing that is accepted later is sent
    /// by a suspended stream. Whoever was interrupted does it again. An error of one stream, such as
    /// that its receiver cannot be told, keeps no other from being suspended.
    pub(crate) async fn suspend_streams_of(
        &self,
        owner: &ClientId,
        suspended: bool,
    ) -> Result<(), Error> {
        let mut failed = None;
        for stream in self.streams_of(owner).await? {
            if stream.suspended == suspended || stream.status == Status::DisabledDeleted {
                continue;
            }
            match self.suspend(&stream, suspended).await {
                // It has gone meanwhile.
                Ok(()) | Err(Error::StreamNotFound(_)) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn suspend(&self, stream: &Stream, suspended: bool) -> Result<(), Error> {
        let id = &stream.id;
        let now = self.parts().clock.now();
        let change = |stream: &mut Stream| {
            if stream.suspended && !suspended && stream.status == Status::Enabled {
                stream.begin_round(now);
            }
            stream.suspended = suspended;
            Ok(())
        };
        // First, whether or not the receiver can be told: what says so passes all the same.
        let stream = self.change_stream(id, change).await?;
        tracing::info!(stream.id = %id, suspended, "stream suspended, or not any more");
        self.wakes().wake(id);
        // Of one that does not go anyway there is nothing to tell.
        if stream.status != Status::Enabled {
            return Ok(());
        }
        let (status, reason) = if suspended {
            (Status::Paused, "the client is disabled")
        } else {
            self.ring_all(&stream).await?;
            (Status::Enabled, "the client is enabled again")
        };
        self.issue_own(&stream, &news(id, status, reason), Passage::Always).await
    }
}
