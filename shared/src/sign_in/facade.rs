//! The façade: everything that can be asked of what people let applications have.

use std::sync::Arc;

use crate::{
    Error, Parts, Transmitter,
    client::Client,
    sign_in::{
        CodeFault, Consent, ConsentChange, Cut, Family, FamilyId, Logout, Owners, Session,
        SessionEnd, SubjectId,
    },
    table::{Item, TableError, Write},
};

/// What people let applications have; cheap to clone. Its methods live beside what they are about.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub(super) us: Transmitter,
    pub(super) owners: Arc<dyn Owners>,
}

/// What happened, for whoever tells others.
#[derive(Clone, Copy, Debug)]
pub enum Happened<'a> {
    /// A person signed in to an application, which has tokens now.
    Began(&'a Family),
    /// The tokens of a sign-in ended before their time; the family says why.
    Ended(&'a Family),
    /// A person signed in at a browser.
    SessionBegan(&'a Session),
    /// A person signed in again at a browser, in the same session.
    SessionChanged {
        /// The session as it was.
        before: &'a Session,
        /// As it is now.
        after: &'a Session,
    },
    /// A session ended before its time, why, and which applications are told so.
    SessionEnded(&'a Session, SessionEnd, &'a [Logout]),
    /// A consent changed; with it the application, if it is there, and of which sessions it is told
    /// that they have ended there.
    Consent(ConsentChange, &'a Consent, Option<&'a Client>, &'a [Logout]),
}

/// The writes that tell of what happens, done in the same transaction; at most 50. With it comes the
/// row of the person, as it was read, so that a write can hold on to its version. It may be asked
/// several times for what happens once, because somebody else was faster.
pub type Also<'a> = dyn Fn(&Happened<'_>, Option<&Item>) -> Vec<Write> + Send + Sync + 'a;

/// Tells nobody.
pub fn nothing(_: &Happened<'_>, _: Option<&Item>) -> Vec<Write> {
    Vec::new()
}

/// Why a code or a token is not good, or not issued. Those who bring one learn `invalid_grant` and no
/// more (RFC 6749, 5.2).
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none like this, or it is another application's.
    #[error("there is no such code or token")]
    Unknown,
    /// Its time is over, or it was ended before.
    #[error("the code or token is over")]
    Over,
    /// It does not fit what was sent with it.
    #[error(transparent)]
    Code(#[from] CodeFault),
    /// The person, the consent or the application does not allow it.
    #[error(transparent)]
    Cut(#[from] Cut),
    /// The code was exchanged before. What it was exchanged for has ended: by this, or before.
    #[error("the code was used before")]
    Replayed {
        /// What it was exchanged for.
        family: FamilyId,
        /// The person.
        subject: SubjectId,
        /// Whether that ended by this.
        ended: bool,
    },
    /// The refresh token was used before. Its family has ended.
    #[error("the refresh token was used before")]
    Reused {
        /// Its family.
        family: FamilyId,
        /// The person.
        subject: SubjectId,
    },
    /// The application was not registered for this way of getting tokens.
    #[error("the client may not use this grant type")]
    Grant,
    /// A public client must use PKCE (OAuth 2.1, 7.5.1).
    #[error("a public client must send a code_challenge")]
    ChallengeMissing,
    /// None of the scopes asked for can be had.
    #[error("none of the scopes can be had")]
    Scope,
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<TableError> for Refusal {
    fn from(error: TableError) -> Self {
        Self::Other(error.into())
    }
}

/// How often something is tried when others are in the way.
pub(super) const ATTEMPTS: usize = 8;

/// What is said when all attempts were in vain; the same again may succeed.
pub(super) fn in_the_way() -> Error {
    TableError::Conflict.into()
}

impl SignIn {
    /// Of the people whom `owners` knows, and the clients of `us`.
    pub fn of(us: &Transmitter, owners: Arc<dyn Owners>) -> Self {
        Self { us: us.clone(), owners }
    }

    pub(super) fn parts(&self) -> &Parts {
        self.us.parts()
    }

    /// Counts an attempt to sign in from this [network](crate::sign_in::network): by itself in each
    /// process, so that on AWS the bound is one for each running function.
    ///
    /// # Errors
    ///
    /// [`Error::TooSoon`] when it is one too many: there may be 20 a minute.
    pub fn count_attempt(&self, network: &str) -> Result<(), Error> {
        self.us.attempts().count(network)
    }

    /// Does all of `writes` or none; whether they were done, or somebody was in the way.
    pub(super) async fn commit(&self, mut writes: Vec<Write>) -> Result<bool, Error> {
        let table = &self.parts().table;
        let done = match writes.len() {
            // A transaction of one costs twice as much as the write.
            1 => table.write_one(writes.remove(0)).await.map(drop),
            _ => table.transact(writes).await.map(drop),
        };
        match done {
            Ok(()) => Ok(true),
            Err(TableError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
