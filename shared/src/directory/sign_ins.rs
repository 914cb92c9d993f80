//! What is told, and noted, of what a person lets applications have.

use super::{
    Cause, Directory, ResourceId, User,
    feed::Feed,
    record::{Deed, Noted, Then},
    tells::{Teller, Told},
};
use crate::{
    client::{Client, ClientId, Scope},
    scim::ResourceType,
    sign_in::{ConsentChange, Happened, Logout, Revoked, SubjectId},
    table::{Condition, Content, Item, TableError, Write},
};

impl Directory {
    /// Tells others of what happens because of `cause`, in the transaction in which it happens: for
    /// [`SignIn`](crate::sign_in::SignIn). What is told is put on the queue by
    /// [`Self::hand_over_of`].
    pub fn also<'a>(
        &'a self,
        cause: &'a Cause,
    ) -> impl Fn(&Happened<'_>, Option<&Item>) -> Vec<Write> + Send + Sync + 'a {
        move |happened, row| {
            // Of a person that is no more all has been told.
            let Some(row) = row else { return Vec::new() };
            self.noted(happened, row, cause).unwrap_or_else(|error| {
                tracing::error!(error = crate::error::chain(&error), "a person cannot be read");
                Vec::new()
            })
        }
    }

    /// Puts on the queue what was told of this person.
    pub async fn hand_over_of(&self, subject: &SubjectId) {
        if let Some(id) = ResourceId::parse(&subject.0) {
            self.hand_over(&[id]).await;
        }
    }

    fn noted(
        &self,
        happened: &Happened<'_>,
        row: &Item,
        cause: &Cause,
    ) -> Result<Vec<Write>, TableError> {
        let mut user: User = row.read()?;
        let config = &self.parts().config;
        let attribute = match happened {
            Happened::Began(_) => return Ok(Vec::new()),
            Happened::Ended(_) => "tokens",
            Happened::Consent(..) => "consents",
            Happened::SessionBegan(_)
            | Happened::SessionEnded(..)
            | Happened::SessionChanged { .. } => "sessions",
        };
        let teller = Teller { issuer: &config.issuer, cause };
        let (events, feed) = told(happened, &user, teller);
        user.sequence += 1;
        let noted = Noted {
            kind: ResourceType::User,
            id: user.id,
            sequence: user.sequence,
            deed: Deed::Changed,
            attributes: vec![attribute.to_owned()],
            events: &events,
        };
        let then = Then { feed, logouts: logouts(happened) };
        let mut writes = noted.writes_with(then, cause, config);
        let condition = Condition::Version(row.version);
        writes.push(Write::put(row.key.clone(), condition, Content::json(&user)));
        Ok(writes)
    }
}

/// Which applications are told that a session has ended (OpenID Connect Back-Channel Logout 1.0).
fn logouts(happened: &Happened<'_>) -> Vec<Logout> {
    match happened {
        Happened::SessionEnded(_, _, logouts) | Happened::Consent(_, _, _, logouts) => {
            logouts.to_vec()
        }
        Happened::Ended(family) => match (family.revoked_because, &family.signed_in.sid) {
            (Some(Revoked::CodeReplay | Revoked::RefreshReuse | Revoked::ByOwner), Some(sid))
                if family.scope.contains(&Scope::OpenId) =>
            {
                vec![Logout { client: family.bond.client.clone(), sid: sid.clone() }]
            }
            _ => Vec::new(),
        },
        Happened::Began(_) | Happened::SessionBegan(_) | Happened::SessionChanged { .. } => {
            Vec::new()
        }
    }
}

/// The events that follow, and what is to be done for the streams of an application that follow
/// consents: what ends at the application they hear themselves. An application that gives its own
/// tokens back knows it already, and what is granted ends nothing.
fn told(happened: &Happened<'_>, user: &User, teller: Teller<'_>) -> (Vec<Told>, Option<Feed>) {
    let ended = |client: &ClientId, why| teller.ended(user, client, why);
    match happened {
        Happened::Began(_) => (Vec::new(), None),
        Happened::SessionBegan(session) => (vec![teller.session_began(user, session)], None),
        Happened::SessionEnded(session, end, _) => {
            (vec![teller.session_ended(user, session, *end)], None)
        }
        Happened::SessionChanged { before, after } => {
            (teller.assurance(user, before, after).into_iter().collect(), None)
        }
        Happened::Ended(family) => {
            let client = &family.bond.client;
            let why = match family.revoked_because {
                Some(Revoked::CodeReplay) => "authorization code reuse",
                Some(Revoked::RefreshReuse) => "refresh token reuse",
                Some(Revoked::ByOwner) => "session ended",
                // What ended with its session is told of the session.
                Some(Revoked::ByClient | Revoked::SessionEnded) | None => {
                    return (Vec::new(), None);
                }
            };
            let feed = Feed { client: client.clone(), heard: None, own: None, is_noted: false };
            (vec![ended(client, why)], Some(feed))
        }
        Happened::Consent(change, consent, application, _) => {
            let heard = match change {
                ConsentChange::Granted | ConsentChange::Restored => true,
                ConsentChange::Revoked => false,
                ConsentChange::Widened => return (Vec::new(), None),
            };
            let events =
                if heard { Vec::new() } else { vec![ended(&consent.client, "consent revoked")] };
            let feed = Feed {
                client: consent.client.clone(),
                heard: Some(heard),
                own: Some(teller.fed(user.id, heard)),
                is_noted: application.is_some_and(Client::follows_consents),
            };
            (events, Some(feed))
        }
    }
}
