//! Adding and removing subjects ([SSF 1.0, 8.1.3]).
//!
//! A stream names the subjects that differ from its default: added where the default is NONE,
//! removed where it is ALL. Adding to ALL takes back a removal, and the other way round. Whether a
//! subject is known to us is never said, so that nobody can probe for it ([SSF 1.0, 9.1]).
//! To a stream that follows consents ([`super::feed`]) its receiver adds nobody, and removes nobody.
//!
//! A named subject is found by the subject of an event without a search: it is kept under each
//! set of some of its members and each of their names (1 row for a simple subject with one name), and
//! an event looks up, for each shape in use, the one set of members that it shares with that shape,
//! once for each way to name these, at most eight.

use serde::Deserialize;

use crate::{
    Error, Transmitter,
    client::Receiver,
    clock,
    json::Invalid,
    stream::{
        DefaultSubjects, MAX_SHAPES, Stream, StreamId,
        store::{content, encode},
    },
    subject::{Digest, Subject, SubjectIdentifier},
    table::{Condition, Content, Item, Key, TableError, Write, class},
};

/// The body of a request to add a subject ([SSF 1.0, 8.1.3.2]).
#[derive(Clone, Debug, Deserialize)]
pub struct AddSubject {
    /// To which stream.
    pub stream_id: StreamId,
    /// Whom.
    pub subject: Subject,
    /// Whether the receiver verified that it has to do with this subject; left out, it did. Makes
    /// no difference to us.
    #[serde(default)]
    pub verified: Option<bool>,
}

/// The body of a request to remove a subject ([SSF 1.0, 8.1.3.3]).
#[derive(Clone, Debug, Deserialize)]
pub struct RemoveSubject {
    /// From which stream.
    pub stream_id: StreamId,
    /// Whom.
    pub subject: Subject,
}

/// The partition in which the streams that name a subject are found.
pub(crate) fn subject_partition(digest: &Digest) -> String {
    class::SUBJECT.of(digest)
}

/// The sort keys of the streams with `default_subjects` that name a subject: added or removed.
pub(crate) fn named_prefix(default_subjects: DefaultSubjects) -> &'static str {
    match default_subjects {
        DefaultSubjects::All => "REMOVED#",
        DefaultSubjects::None => "ADDED#",
    }
}

/// Stands before the digest of named aliases. Sorts behind all digests, so that the first row of a
/// stream tells whether it named the subject by this name alone.
pub(super) const AMONG_ALIASES: char = '~';

/// Where `subject` stands in the list of the subjects that `stream` names.
pub(crate) fn listed_subject_key(stream: &StreamId, subject: &Subject) -> Key {
    listed_digest_key(stream, subject.digest().as_str())
}

/// The same, for the subject with this digest.
pub(super) fn listed_digest_key(stream: &StreamId, digest: &str) -> Key {
    Key::new(class::STREAM_SUBJECT.of(stream), digest)
}

/// The rows under which `stream` is found by events about `subject`.
pub(crate) fn subject_rows(stream: &Stream, subject: &Subject) -> Vec<Key> {
    let prefix = named_prefix(stream.default_subjects);
    let digest = subject.digest();
    let sk = match subject.simple() {
        Some(SubjectIdentifier::Aliases { .. }) => {
            format!("{prefix}{}#{AMONG_ALIASES}{digest}", stream.id)
        }
        _ => format!("{prefix}{}#{digest}", stream.id),
    };
    let key = |digest: &Digest| Key::new(subject_partition(digest), sk.clone());
    subject.entry_digests().iter().map(key).collect()
}

impl Transmitter {
    /// Adds a subject to a stream of `receiver` ([SSF 1.0, 8.1.3.2]).
    ///
    /// # Errors
    ///
    /// [`Error::SubjectsByConsent`] where people's consents decide.
    pub async fn add_subject(&self, receiver: &Receiver, wish: AddSubject) -> Result<(), Error> {
        let stream = self.stream_of(receiver, &wish.stream_id).await?;
        self.touch(&stream).await?;
        if stream.by_consent {
            return Err(Error::SubjectsByConsent);
        }
        match stream.default_subjects {
            DefaultSubjects::All => self.unname(&stream, &wish.subject).await,
            DefaultSubjects::None => self.name(&stream, &wish.subject).await,
        }
    }

    /// Removes a subject from a stream of `receiver` ([SSF 1.0, 8.1.3.3]). The stream itself is
    /// always a subject of its own SETs, whatever is removed ([SSF 1.0, 8.1.4.1]).
    ///
    /// # Errors
    ///
    /// [`Error::SubjectsByConsent`] where people's consents decide.
    pub async fn remove_subject(
        &self,
        receiver: &Receiver,
        wish: RemoveSubject,
    ) -> Result<(), Error> {
        let stream = self.stream_of(receiver, &wish.stream_id).await?;
        self.touch(&stream).await?;
        if stream.by_consent {
            return Err(Error::SubjectsByConsent);
        }
        match stream.default_subjects {
            DefaultSubjects::All => self.name(&stream, &wish.subject).await,
            DefaultSubjects::None => self.unname(&stream, &wish.subject).await,
        }
    }

    /// Names `subject`: from when this returns, or after the grace for a removal.
    async fn name(&self, stream: &Stream, subject: &Subject) -> Result<(), Error> {
        let shape = subject.shape();
        if !stream.shapes.contains(&shape) {
            self.change_stream(&stream.id, |stream| {
                if stream.shapes.len() >= MAX_SHAPES && !stream.shapes.contains(&shape) {
                    return Err(Invalid::new(
                        "subject",
                        format!("is of one more kind than the {MAX_SHAPES} that a stream may have"),
                    )
                    .into());
                }
                stream.shapes.insert(shape.clone());
                Ok(())
            })
            .await?;
        }
        let grace = self.parts().config.removal_grace;
        let from = (stream.default_subjects == DefaultSubjects::All && !grace.is_zero())
            .then(|| clock::add(self.parts().clock.now(), grace));
        let row = content(&NamedRow { from });
        let listed = Content { body: encode(subject), ..Content::default() };
        let list = Write::put(listed_subject_key(&stream.id, subject), Condition::Any, listed);
        // Listed first: what is found and not listed would outlive the stream.
        self.write_rows(vec![list]).await?;
        // Asked again, it counts from when it was to count the first time.
        let condition = if from.is_some() { Condition::Absent } else { Condition::Any };
        let rows = subject_rows(stream, subject)
            .into_iter()
            .map(|key| Write::put(key, condition, row.clone()));
        match self.write_rows(rows.collect()).await {
            Err(Error::Table(TableError::Conflict)) if from.is_some() => Ok(()),
            done => done,
        }
    }

    /// Takes back [`Self::name`]: when this returns, or after the grace for a removal. Looks at all
    /// there is, so that also what was named, or taken back, by half is taken back.
    async fn unname(&self, stream: &Stream, subject: &Subject) -> Result<(), Error> {
        let grace = self.parts().config.removal_grace;
        let mut keys = subject_rows(stream, subject);
        keys.push(listed_subject_key(&stream.id, subject));
        let mut items = self.parts().table.batch_get(&keys).await?;
        // Asked again, it goes when it was to go the first time.
        let goes = items.iter().flatten().filter_map(|item| item.expires).min();
        let goes = goes.unwrap_or_else(|| clock::add(self.parts().clock.now(), grace));
        let expires =
            (stream.default_subjects == DefaultSubjects::None && !grace.is_zero()).then_some(goes);
        let listed = items.pop().flatten();
        let change = |item: Item| match expires {
            // It goes on for a while, then goes away by itself.
            Some(_) => {
                let content = Content { body: item.body, order: None, expires };
                Write::put(item.key, Condition::Any, content)
            }
            None => Write::delete(item.key, Condition::Any),
        };
        self.write_rows(items.into_iter().flatten().map(change).collect()).await?;
        self.write_rows(listed.into_iter().map(change).collect()).await
    }
}

/// What a row of a named subject says besides its key.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(crate) struct NamedRow {
    /// From when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<jiff::Timestamp>,
}
