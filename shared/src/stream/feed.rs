//! Streams that follow consents: whom they hear of is decided by those who keep the consents, and
//! told here. Their receivers add nobody, and remove nobody.
//!
//! A subject is fed under one simple name; an event with several names finds it by any of them. Each
//! decision about a subject has a turn, which grows: one that comes late, or twice, changes nothing. So
//! a row stays also where a subject is not heard of any more. What was issued before and is not
//! delivered yet is held against that row ([`Transmitter::let_pass`]): it is dropped.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error, Transmitter,
    client::ClientId,
    delivery::sift,
    event::{EventType, SecurityEvent},
    set::Held,
    stream::{
        Status, Stream, StreamId,
        store::{content, decode},
        subjects::{listed_digest_key, listed_subject_key, subject_rows},
    },
    subject::{Subject, SubjectIdentifier},
    table::{Condition, Content, Item, Key, Query, TableError, Version, Write, class},
};

/// What is decided about a subject, for the streams of one client that follow consents.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Feeding {
    /// Whose streams.
    pub(crate) client: ClientId,
    /// Of whom: a simple subject with one name, always the same one.
    pub(crate) subject: Subject,
    /// Grows with each decision about the subject; at least 1.
    pub(crate) turn: u64,
    /// Whether they hear of the subject from now on; `None`: as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) heard: Option<bool>,
    /// What these streams alone are told then; those that hear of the subject, or just did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<Word>,
}

/// An event for the streams of one client.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Word {
    /// The name of the event, the same however often it is sent.
    pub(crate) name: String,
    /// Its type.
    pub(crate) event_type: EventType,
    /// The message, which names no stream.
    pub(crate) message: Map<String, Value>,
}

/// What the list of a stream's subjects says of one that was fed to it.
#[derive(Debug, Deserialize, Serialize)]
struct Fed {
    subject: Subject,
    /// See [`Feeding::turn`]; 0: the subject was there before the stream.
    turn: u64,
    heard: bool,
}

/// A stream that is still to be fed with the subjects that were there before it.
#[derive(Debug)]
pub(crate) struct Unfed {
    pub(crate) stream: StreamId,
    pub(crate) row: UnfedRow,
    version: Version,
}

/// What its row says.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct UnfedRow {
    pub(crate) client: ClientId,
    /// How far it has come, in the words of who feeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
}

/// How often somebody else may be faster.
const ATTEMPTS: usize = 8;

/// How many subjects are read, or fed, at once.
const AT_ONCE: usize = 16;

fn unfed_key(stream: &StreamId) -> Key {
    Key::new(class::FEEDS.partition(), stream.as_str())
}

/// What remembers that a new stream is to be fed, if it follows consents.
pub(super) fn unfed(stream: &Stream) -> Option<Write> {
    let row = UnfedRow { client: stream.owner.clone(), after: None };
    let put = || Write::put(unfed_key(&stream.id), Condition::Any, content(&row));
    stream.by_consent.then(put)
}

/// The subject that a row of the list of a stream's subjects is about, whoever named it.
pub(crate) fn listed_subject(item: &Item) -> Result<Subject, TableError> {
    match decode::<Fed>(item) {
        Ok(fed) => Ok(fed.subject),
        Err(_) => decode(item),
    }
}

impl Stream {
    /// Whether `event` is for this stream, though it may not hear of the subject: one that follows
    /// consents is told that somebody comes or goes, and what ends for somebody at its own client,
    /// by a sender who names the stream.
    pub(super) fn is_told_itself(&self, event: &SecurityEvent) -> bool {
        self.by_consent
            && event.stream_id.as_ref() == Some(&self.id)
            && (is_of_feed(&event.event_type) || is_at(&event.subject, &self.owner))
    }

    fn is_fed(&self) -> bool {
        self.by_consent && self.status != Status::DisabledDeleted
    }
}

fn is_of_feed(event_type: &EventType) -> bool {
    [EventType::SCIM_FEED_ADD, EventType::SCIM_FEED_REMOVE].contains(event_type)
}

/// Whether this is about somebody at the application `client`.
fn is_at(subject: &Subject, client: &ClientId) -> bool {
    let Subject::Complex(complex) = subject else { return false };
    let application = SubjectIdentifier::Opaque { id: client.0.clone() };
    complex.members().get("application") == Some(&application)
}

impl Transmitter {
    /// Does what was decided, on all streams of the client that follow consents; the same again, or
    /// an earlier decision that comes late, changes nothing. What they are told goes through the FIFO
    /// door, in `group`.
    pub(crate) async fn feed(&self, feeding: &Feeding, group: &str) -> Result<(), Error> {
        let mut told = Vec::new();
        for stream in &self.fed_streams(&feeding.client).await? {
            let hears = match feeding.heard {
                Some(heard) => {
                    self.set_heard(stream, &feeding.subject, feeding.turn, heard).await?
                }
                None => self
                    .fed(&stream.id, feeding.subject.digest().as_str())
                    .await?
                    .is_some_and(|fed| fed.heard),
            };
            if hears && stream.takes_events() {
                let wanted = |word: &&Word| stream.events_delivered.contains(&word.event_type);
                let words = feeding.words.iter().filter(wanted);
                told.extend(words.map(|word| word.to(&stream.id)));
            }
        }
        self.send_of_directory(group, told).await
    }

    /// The streams of `client` that follow consents.
    async fn fed_streams(&self, client: &ClientId) -> Result<Vec<Stream>, Error> {
        let mut streams = self.streams_of(client).await?;
        streams.retain(Stream::is_fed);
        Ok(streams)
    }

    /// Whether that is the last decision so far.
    async fn set_heard(
        &self,
        stream: &Stream,
        subject: &Subject,
        turn: u64,
        heard: bool,
    ) -> Result<bool, Error> {
        let key = listed_subject_key(&stream.id, subject);
        let fed = Content::json(&Fed { subject: subject.clone(), turn, heard });
        for _ in 0..ATTEMPTS {
            let before = self.parts().table.get(&key).await?;
            let condition = match &before {
                Some(item) => {
                    let last = decode::<Fed>(item)?.turn;
                    if last >= turn {
                        return Ok(last == turn);
                    }
                    Condition::Version(item.version)
                }
                None => Condition::Absent,
            };
            let rows = subject_rows(stream, subject).into_iter().map(|key| {
                if heard {
                    Write::put(key, Condition::Any, Content::json(&Map::new()))
                } else {
                    Write::delete(key, Condition::Any)
                }
            });
            let listed = Write::put(key.clone(), condition, fed.clone());
            match self.parts().table.transact(rows.chain([listed]).collect()).await {
                Err(TableError::Conflict) => {}
                done => return Ok(done.map(|_| true)?),
            }
        }
        Err(TableError::Conflict.into())
    }

    async fn fed(&self, stream: &StreamId, digest: &str) -> Result<Option<Fed>, Error> {
        let item = self.parts().table.get(&listed_digest_key(stream, digest)).await?;
        Ok(item.as_ref().map(decode).transpose()?)
    }

    /// Of `subject`, who is no more, there is nothing to tell after what is on its way: until
    /// `expires` the streams of `client` hear of it, if they did; then it is forgotten.
    pub(crate) async fn let_go(
        &self,
        client: &ClientId,
        subject: &Subject,
        expires: Timestamp,
    ) -> Result<(), Error> {
        let mut writes = Vec::new();
        for stream in &self.fed_streams(client).await? {
            let mut keys = subject_rows(stream, subject);
            keys.push(listed_subject_key(&stream.id, subject));
            let items = self.parts().table.batch_get(&keys).await?;
            if let Some(listed) = items.last().and_then(Option::as_ref)
                && !decode::<Fed>(listed)?.heard
            {
                continue;
            }
            writes.extend(items.into_iter().flatten().map(|item| {
                let content = Content { body: item.body, order: None, expires: Some(expires) };
                Write::put(item.key, Condition::Version(item.version), content)
            }));
        }
        match self.write_rows(writes).await {
            // Somebody who was late has decided something; that stays.
            Err(Error::Table(TableError::Conflict)) => Ok(()),
            done => done,
        }
    }

    /// The streams that are still to be fed.
    pub(crate) async fn unfed(&self) -> Result<Vec<Unfed>, Error> {
        let page = self.parts().table.query(Query::sorted(class::FEEDS.partition(), "")).await?;
        let unfed = page.items.iter().filter_map(|item| {
            let stream = StreamId::parse(item.key.sk.as_str())?;
            Some(decode(item).map(|row| Unfed { stream, row, version: item.version }))
        });
        Ok(unfed.collect::<Result<_, _>>()?)
    }

    /// Feeds a stream with subjects that were there before it, and notes how far it has come; `None`:
    /// to the end. What was decided about one of them since stays.
    pub(crate) async fn feed_before(
        &self,
        unfed: &mut Unfed,
        subjects: &[Subject],
        after: Option<String>,
    ) -> Result<(), Error> {
        let is_fed = |(stream, _): &(Stream, Version)| stream.is_fed();
        let stream = self.stream(&unfed.stream).await?.filter(is_fed);
        let key = unfed_key(&unfed.stream);
        let Some((stream, _)) = stream else {
            unfed.row.after = None;
            return self.remove_rows([key]).await;
        };
        let feeding = subjects.iter().map(|subject| self.set_heard(&stream, subject, 0, true));
        let feeding: Vec<_> = feeding.collect();
        stream::iter(feeding).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
        unfed.row.after = after;
        let condition = Condition::Version(unfed.version);
        unfed.version = match unfed.row.after {
            Some(_) => {
                let put = Write::put(key, condition, content(&unfed.row));
                self.parts().table.write_one(put).await?
            }
            None => self.parts().table.write_one(Write::delete(key, condition)).await?,
        };
        Ok(())
    }

    /// Those of `held` that `stream` lets pass now, and those that are void: also because the stream
    /// is not to hear of their subject any more, but for that this is so.
    pub(crate) async fn let_pass(
        &self,
        stream: &Stream,
        held: Vec<Held>,
    ) -> Result<(Vec<Held>, Vec<Held>), Error> {
        let (passing, mut void) = sift(stream, held);
        if !stream.by_consent {
            return Ok((passing, void));
        }
        let subjects: BTreeSet<&str> =
            passing.iter().map(|held| held.token.subject.as_str()).collect();
        let looks = subjects.into_iter().map(async |digest| {
            let fed = self.fed(&stream.id, digest).await?;
            Ok::<_, Error>(fed.filter(|fed| !fed.heard).map(|_| digest.to_owned()))
        });
        let looks: Vec<_> = looks.collect();
        let silent: Vec<Option<String>> =
            stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
        let silent: BTreeSet<String> = silent.into_iter().flatten().collect();
        let (unheard, passing) = passing.into_iter().partition(|held| {
            silent.contains(&held.token.subject) && !is_of_feed(&held.token.event_type)
        });
        void.extend::<Vec<Held>>(unheard);
        Ok((passing, void))
    }
}

impl Word {
    /// The name and the body of the message for one stream.
    fn to(&self, stream: &StreamId) -> (String, String) {
        let mut message = self.message.clone();
        message.insert("stream_id".to_owned(), stream.as_str().into());
        (format!("{}.{stream}", self.name), Value::Object(message).to_string())
    }
}
