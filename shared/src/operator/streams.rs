//! Streams, as an operator sees them and sets their status.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Error, Transmitter,
    client::{ClientId, Profile},
    event::EventType,
    operator::Listed,
    set::{FAILED, IssuedToken, PENDING, SetError, issued_partition},
    stream::{
        DefaultSubjects, Delivery, Reason, Status, Stream, StreamId,
        store::{decode, stream_key},
    },
    table::{Item, Query, class},
};

/// SETs are counted up to this; the number itself says "as many, or more".
pub const COUNTED: usize = 1000;

/// How many streams are read at once.
const AT_ONCE: usize = 100;

/// Which streams are listed: those that fit all that is said.
#[derive(Clone, Debug, Default)]
pub struct StreamFilter {
    /// The streams of this client.
    pub owner: Option<ClientId>,
    /// The streams of this status.
    pub status: Option<Status>,
}

/// Why a stream has its status.
fn reason_of(stream: &Stream) -> Option<String> {
    let suspended = stream.suspended && stream.status == Status::Enabled;
    if suspended { Some("the client is disabled".to_owned()) } else { stream.reason.clone() }
}

impl StreamFilter {
    fn fits(&self, stream: &Stream) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == stream.owner)
            && self.status.is_none_or(|status| status == stream.standing())
    }
}

/// A stream in a list.
#[derive(Clone, Debug, Serialize)]
pub struct StreamSummary {
    /// Its name.
    pub stream_id: StreamId,
    /// Whose it is.
    pub client_id: ClientId,
    /// Its status; `disabled_deleted` until the last remains are removed.
    pub status: Status,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How SETs reach the receiver: the URI, as the receiver named it.
    pub method: &'static str,
    /// The host that SETs are pushed to; a poll stream has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_host: Option<String>,
    /// What it delivers.
    pub events_delivered: BTreeSet<EventType>,
    /// About whom.
    pub default_subjects: DefaultSubjects,
    /// Whether consents decide whom it delivers events about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_consent: bool,
    /// How many SETs are still to be delivered, up to [`COUNTED`].
    pub pending: usize,
    /// How many SETs failed, up to [`COUNTED`].
    pub failed: usize,
    /// What keeps some of those that are pending from getting through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_modified: Timestamp,
}

/// Why SETs of a stream were tried in vain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Trouble {
    /// What was wrong the last time.
    pub error: SetError,
    /// Since when, of those that still wait.
    pub since: Timestamp,
    /// How many of those that are pending were tried in vain, among the first [`COUNTED`].
    pub sets: usize,
}

impl Trouble {
    /// The trouble that these pending SETs have.
    fn of(pending: &[IssuedToken]) -> Option<Self> {
        let tried = || pending.iter().filter(|token| token.error.is_some());
        let last = tried().max_by_key(|token| token.last_modified)?;
        Some(Self {
            error: last.error.clone()?,
            since: tried().filter_map(|token| token.first_attempt).min()?,
            sets: tried().count(),
        })
    }
}

/// All that an operator can know of a stream. The value of its authorization header is no part of
/// it.
#[derive(Clone, Debug, Serialize)]
pub struct StreamDetails {
    /// What stands in a list.
    #[serde(flatten)]
    pub summary: StreamSummary,
    /// The `aud` of its SETs.
    pub audience: Vec<String>,
    /// The receiver's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where SETs are pushed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<String>,
    /// Whether they are pushed with an authorization header.
    pub authorization_header: bool,
    /// What the receiver asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_requested: Option<Vec<EventType>>,
    /// Which draft its receiver was built on.
    pub profile: Profile,
    /// Whether the subject is repeated inside the event.
    pub subject_in_event: bool,
    /// Whether the certificate of the endpoint is checked.
    pub verify_certificates: bool,
    /// When its receiver last showed; absent when that is not noted, since nothing depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active: Option<Timestamp>,
}

impl Transmitter {
    /// The streams that fit `filter`, at most `limit` (at least 1), behind `after`.
    pub async fn stream_list(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Listed<StreamSummary>, Error> {
        let mut after = after.map(StreamId::to_string);
        let mut items = Vec::new();
        loop {
            let (streams, next) = self.streams_behind(after).await?;
            for stream in streams.iter().filter(|stream| filter.fits(stream)) {
                if items.len() == limit {
                    return Ok(Listed { items, more: true });
                }
                items.push(self.summarize(stream).await?);
            }
            if next.is_none() {
                return Ok(Listed { items, more: false });
            }
            after = next;
        }
    }

    /// A stream, whoever owns it.
    pub async fn stream_show(&self, id: &StreamId) -> Result<StreamDetails, Error> {
        let Some((stream, _)) = self.stream(id).await? else {
            return Err(Error::StreamNotFound(id.clone()));
        };
        let (endpoint_url, authorization_header) = match &stream.delivery {
            Delivery::Poll { .. } => (None, false),
            Delivery::Push { endpoint_url, authorization_header, .. } => {
                (Some(endpoint_url.as_str().to_owned()), authorization_header.is_some())
            }
        };
        let last_active = match self.parts().config.inactivity_timeout {
            Some(_) => Some(self.last_active(&stream).await?),
            None => None,
        };
        Ok(StreamDetails {
            summary: self.summarize(&stream).await?,
            audience: stream.audience,
            description: stream.description,
            endpoint_url,
            authorization_header,
            events_requested: stream.events_requested,
            profile: stream.profile,
            subject_in_event: stream.subject_in_event,
            verify_certificates: stream.verify_certificates,
            last_active,
        })
    }

    /// Sets the status of a stream, and tells its receiver so. [`Status::DisabledDeleted`] deletes
    /// the stream; one that is deleted stays so.
    pub async fn stream_set_status(
        &self,
        id: &StreamId,
        status: Status,
        reason: Reason,
    ) -> Result<StreamDetails, Error> {
        match self.stream(id).await? {
            Some((stream, _))
                if stream.status != Status::DisabledDeleted
                    || status == Status::DisabledDeleted => {}
            Some(_) | None => return Err(Error::StreamNotFound(id.clone())),
        }
        self.set_status_ourselves(id, status, &reason.0).await?;
        self.stream_show(id).await
    }

    /// Deletes all streams of `owner`.
    pub(crate) async fn delete_streams_of(
        &self,
        owner: &ClientId,
        reason: &str,
    ) -> Result<(), Error> {
        loop {
            let streams = self.streams_of(owner).await?;
            if streams.is_empty() {
                return Ok(());
            }
            for stream in streams {
                if stream.status == Status::DisabledDeleted {
                    // Somebody died before the owner was told.
                    self.retire_stream(&stream, reason).await?;
                } else {
                    let deleted = Status::DisabledDeleted;
                    self.set_status_ourselves(&stream.id, deleted, reason).await?;
                }
            }
        }
    }

    /// A part of all streams, and where the next begins.
    pub(super) async fn streams_behind(
        &self,
        after: Option<String>,
    ) -> Result<(Vec<Stream>, Option<String>), Error> {
        let table = &self.parts().table;
        let page = table
            .query(Query { after, ..Query::sorted(class::STREAMS.partition(), "").limit(AT_ONCE) })
            .await?;
        let ids = page.items.into_iter().filter_map(|item| StreamId::parse(item.key.sk));
        let keys: Vec<_> = ids.map(|id| stream_key(&id)).collect();
        let items = table.batch_get(&keys).await?;
        let streams = items.iter().flatten().map(decode).collect::<Result<_, _>>()?;
        Ok((streams, page.next))
    }

    /// Does `work` for the stream `only`, else for all.
    pub(super) async fn each_stream(
        &self,
        only: Option<&StreamId>,
        mut work: impl AsyncFnMut(&Stream) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(id) = only {
            let Some((stream, _)) = self.stream(id).await? else {
                return Err(Error::StreamNotFound(id.clone()));
            };
            return work(&stream).await;
        }
        let mut after = None;
        loop {
            let (streams, next) = self.streams_behind(after).await?;
            for stream in &streams {
                work(stream).await?;
            }
            if next.is_none() {
                return Ok(());
            }
            after = next;
        }
    }

    async fn summarize(&self, stream: &Stream) -> Result<StreamSummary, Error> {
        let pending = self.first(&stream.id, PENDING).await?;
        let tokens: Vec<IssuedToken> = pending.iter().map(decode).collect::<Result<_, _>>()?;
        let endpoint_host = match &stream.delivery {
            Delivery::Poll { .. } => None,
            Delivery::Push { endpoint_url, .. } => endpoint_url.url().host_str().map(str::to_owned),
        };
        Ok(StreamSummary {
            stream_id: stream.id.clone(),
            client_id: stream.owner.clone(),
            status: stream.standing(),
            reason: reason_of(stream),
            method: stream.delivery.method(),
            endpoint_host,
            events_delivered: stream.events_delivered.clone(),
            default_subjects: stream.default_subjects,
            by_consent: stream.by_consent,
            pending: pending.len(),
            failed: self.first(&stream.id, FAILED).await?.len(),
            trouble: Trouble::of(&tokens),
            created: stream.created,
            last_modified: stream.last_modified,
        })
    }

    /// The SETs whose orders begin with `prefix`, up to [`COUNTED`].
    async fn first(&self, stream: &StreamId, prefix: &str) -> Result<Vec<Item>, Error> {
        let query = Query::ordered(issued_partition(stream), prefix).limit(COUNTED);
        Ok(self.parts().table.pages(query).items(COUNTED).await?)
    }
}
