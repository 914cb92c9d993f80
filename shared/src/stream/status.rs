//! Reading and setting the status of a stream ([SSF 1.0, 8.1.2]), and saying so (8.1.5).

use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter,
    client::Receiver,
    event::{SecurityEvent, StreamUpdated},
    set::{EventId, Passage},
    stream::{Status, Stream, StreamId},
};

/// The status object ([SSF 1.0, 8.1.2.1]).
#[derive(Clone, Debug, Serialize)]
pub struct StreamStatus {
    /// Which stream.
    pub stream_id: StreamId,
    /// Its status.
    pub status: Status,
    /// Why, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The body of a request to set the status ([SSF 1.0, 8.1.2.2]).
#[derive(Clone, Debug, Deserialize)]
pub struct UpdateStatus {
    /// Which stream.
    pub stream_id: StreamId,
    /// Its new status.
    pub status: StatusWish,
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// The statuses that a receiver can set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum StatusWish {
    /// See [`Status::Enabled`].
    Enabled,
    /// See [`Status::Paused`].
    Paused,
    /// See [`Status::Disabled`].
    Disabled,
}

impl TryFrom<String> for StatusWish {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match name.as_str() {
            "enabled" => Ok(Self::Enabled),
            "paused" => Ok(Self::Paused),
            "disabled" => Ok(Self::Disabled),
            _ => Err("must be enabled, paused or disabled"),
        }
    }
}

impl From<StatusWish> for Status {
    fn from(wish: StatusWish) -> Self {
        match wish {
            StatusWish::Enabled => Self::Enabled,
            StatusWish::Paused => Self::Paused,
            StatusWish::Disabled => Self::Disabled,
        }
    }
}

/// `reason`: at most 1,024 bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Reason(pub String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() > 1024 { Err("is longer than 1,024 bytes") } else { Ok(Self(text)) }
    }
}

impl StreamStatus {
    fn of(stream: &Stream) -> Self {
        Self { stream_id: stream.id.clone(), status: stream.status, reason: stream.reason.clone() }
    }
}

impl Transmitter {
    /// The status of a stream of `receiver` ([SSF 1.0, 8.1.2.1]).
    pub async fn read_status(
        &self,
        receiver: &Receiver,
        id: &StreamId,
    ) -> Result<StreamStatus, Error> {
        let stream = self.stream_of(receiver, id).await?;
        self.touch(&stream).await?;
        Ok(StreamStatus::of(&stream))
    }

    /// Sets the status of a stream of `receiver` ([SSF 1.0, 8.1.2.2]). The receiver asked for it,
    /// so that it is not told by a SET.
    pub async fn update_status(
        &self,
        receiver: &Receiver,
        wish: UpdateStatus,
    ) -> Result<StreamStatus, Error> {
        self.stream_of(receiver, &wish.stream_id).await?;
        let reason = wish.reason.map(|reason| reason.0);
        let stream = self.set_status(&wish.stream_id, wish.status.into(), reason).await?;
        self.touch(&stream).await?;
        Ok(StreamStatus::of(&stream))
    }

    /// Sets the status of a stream on our own account, and tells the receiver by a stream-updated
    /// SET ([SSF 1.0, 8.1.5]): before stopping, and upon enabling again.
    pub async fn set_status_ourselves(
        &self,
        id: &StreamId,
        status: Status,
        reason: &str,
    ) -> Result<Stream, Error> {
        let Some((stream, _)) = self.stream(id).await? else {
            return Err(Error::StreamNotFound(id.clone()));
        };
        if stream.status == status || stream.status == Status::DisabledDeleted {
            return Ok(stream);
        }
        let event = news(id, status, reason);
        if status == Status::Enabled {
            let stream = self.set_status(id, status, Some(reason.to_owned())).await?;
            self.issue_own(&stream, &event, Passage::Always).await?;
            return Ok(stream);
        }
        self.issue_own(&stream, &event, Passage::Always).await?;
        if status == Status::DisabledDeleted {
            self.retire_stream(&stream, reason).await?;
            return Ok(stream);
        }
        self.set_status(id, status, Some(reason.to_owned())).await
    }

    /// Pauses `stream` on our own account, for a reason that holds as long as it is what it was
    /// when it was read: its receiver may have decided otherwise meanwhile. Says whether it was
    /// paused.
    pub(crate) async fn pause_ourselves(
        &self,
        stream: &Stream,
        reason: &str,
    ) -> Result<bool, Error> {
        let is_same = |now: &Stream| {
            now.standing() == Status::Enabled
                && now.round == stream.round
                && now.nothing_since == stream.nothing_since
        };
        let id = &stream.id;
        match self.stream(id).await? {
            Some((now, _)) if is_same(&now) => {}
            Some(_) | None => return Ok(false),
        }
        // Several lanes may come to the same at once: it is told once a round.
        let name = EventId::of_round(id, stream.round);
        let event = news(id, Status::Paused, reason);
        self.issue_own_as(&name, stream, &event, Passage::Always).await?;
        let paused = self.change_stream(id, |now| {
            if is_same(now) {
                now.status = Status::Paused;
                now.reason = Some(reason.to_owned());
            }
            Ok(())
        });
        let paused = paused.await?.status == Status::Paused;
        tracing::info!(stream.id = %id, paused, reason, "stream to be paused");
        self.wakes().wake(id);
        Ok(paused)
    }

    async fn set_status(
        &self,
        id: &StreamId,
        status: Status,
        reason: Option<String>,
    ) -> Result<Stream, Error> {
        let now = self.parts().clock.now();
        let stream = self
            .change_stream(id, |stream| {
                if stream.status == Status::DisabledDeleted {
                    return Err(Error::StreamNotFound(stream.id.clone()));
                }
                if status == Status::Enabled && stream.status != Status::Enabled {
                    stream.begin_round(now);
                }
                if status == Status::Disabled && stream.status != Status::Disabled {
                    // [SSF 1.0, 8.1.2.1]: nothing is held for a disabled stream.
                    stream.revision += 1;
                    stream.void_before = stream.revision;
                }
                stream.status = status;
                stream.reason.clone_from(&reason);
                Ok(())
            })
            .await?;
        tracing::info!(stream.id = %id, status = status.name(), "stream status set");
        if status == Status::Enabled {
            // What was held is released: each lane is told to look at what stands there.
            self.ring_all(&stream).await?;
        }
        self.wakes().wake(id);
        Ok(stream)
    }
}

/// What the receiver of a stream is told of its new status.
pub(super) fn news(id: &StreamId, status: Status, reason: &str) -> SecurityEvent {
    StreamUpdated { status: status.name().to_owned(), reason: Some(reason.to_owned()) }.on(id)
}
