//! Whom the streams of an application hear of, where consents decide that.
//!
//! The directory knows who gave which application their consent, and no streams; the transmitter knows
//! which streams an application has. So each consent that comes or goes leaves a word in the outbox,
//! which the transmitter is told in its turn; and streams that were made later are fed here with all
//! who had given their consent before.

use std::time::Duration;

use super::{
    Cause, Directory, ResourceId,
    outbox::message,
    tells::{Told, iss_sub},
};
use crate::{
    Error,
    client::ClientId,
    clock,
    config::Issuer,
    error::chain,
    sign_in::SubjectId,
    stream::{Feeding, Unfed, Word},
    subject::Subject,
};

/// A queue keeps an event for no longer (SQS: 14 days), so that who is no more is told of until then.
const ON_ITS_WAY: Duration = Duration::from_hours(15 * 24);

/// What is to be done for the streams of an application that follow consents.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) client: ClientId,
    /// See [`Feeding::heard`].
    pub(crate) heard: Option<bool>,
    /// What they alone are told.
    pub(crate) own: Option<Told>,
    /// Whether that is noted among the events of the change: there are such streams, or are to be.
    pub(crate) is_noted: bool,
}

impl Feed {
    /// What the transmitter is told. Its streams hear of `events`, too: they are about the person at
    /// this application.
    pub(super) fn feeding(
        self,
        id: ResourceId,
        sequence: u64,
        events: &[Told],
        cause: &Cause,
        issuer: &Issuer,
    ) -> Feeding {
        let words = events.iter().chain(&self.own).enumerate().map(|(n, event)| {
            let (name, message) = message(id, sequence, n, event, cause);
            Word { name, event_type: event.event_type.clone(), message }
        });
        let words = words.collect();
        let Self { client, heard, .. } = self;
        Feeding { client, subject: subject_of(issuer, id), turn: sequence, heard, words }
    }
}

/// By this name a person is fed: it stays the same for ever, and is among those by which events about
/// the person name them.
fn subject_of(issuer: &Issuer, id: ResourceId) -> Subject {
    Subject::parse(iss_sub(issuer, id)).expect("an issuer and an id make a subject")
}

impl Directory {
    fn subject_of(&self, id: ResourceId) -> Subject {
        subject_of(&self.parts().config.issuer, id)
    }

    /// The streams of `client` forget a person who is no more, when all is told.
    pub(super) async fn let_go(&self, id: ResourceId, client: &ClientId) -> Result<(), Error> {
        let expires = clock::add(self.parts().clock.now(), ON_ITS_WAY);
        self.transmitter().let_go(client, &self.subject_of(id), expires).await
    }

    /// Feeds streams that follow consents, and were made later than these, for about so long; with how
    /// many people.
    pub(super) async fn feed_new_streams(&self, time: Duration) -> Result<usize, Error> {
        let until = clock::add(self.parts().clock.now(), time);
        let mut fed = 0;
        for mut unfed in self.transmitter().unfed().await? {
            loop {
                if self.parts().clock.now() >= until {
                    return Ok(fed);
                }
                // One that cannot be fed must not keep the others from it.
                match self.feed_some(&mut unfed).await {
                    Ok(people) => fed += people,
                    Err(error) => {
                        tracing::error!(error = chain(&error), "cannot feed a stream");
                        break;
                    }
                }
                if unfed.row.after.is_none() {
                    break;
                }
            }
        }
        Ok(fed)
    }

    async fn feed_some(&self, unfed: &mut Unfed) -> Result<usize, Error> {
        let after = unfed.row.after.clone();
        let (consents, next) = self.sign_in().consents_to_client(&unfed.row.client, after).await?;
        let live = consents.iter().filter(|consent| consent.is_live());
        let people = live.filter_map(|consent| person(&consent.subject));
        let subjects: Vec<_> = people.map(|id| self.subject_of(id)).collect();
        self.transmitter().feed_before(unfed, &subjects, next).await?;
        Ok(subjects.len())
    }
}

fn person(subject: &SubjectId) -> Option<ResourceId> {
    ResourceId::parse(&subject.0)
}
