//! Which applications are told that a session of a person has ended (OpenID Connect Back-Channel Logout
//! 1.0): those that got an ID token in it, and want to hear of it.
//!
//! They are noted in the row that lists the session for its person, when a code is exchanged, in the
//! same transaction. So that row is written then in any case, and with it a session and what follows
//! from it come one after the other: of a session that ends at the same moment no code is exchanged.

use serde::{Deserialize, Serialize};

use crate::{
    Error,
    client::{Client, ClientId, Scope},
    sign_in::{SignIn, SubjectId, store::ListedSession},
    table::{Condition, Content, Item, Query, Table, TableError, Write, class},
};

/// An application that is to be told that a session of a person has ended.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Logout {
    /// The application.
    pub client: ClientId,
    /// The session.
    pub sid: String,
}

/// At most so many are told because of one change: more would not fit into a row.
const AT_MOST: usize = 1_000;

/// What notes at the session `listed` that `client` has tokens from it, for `scope`.
pub(super) fn note(listed: &Item, client: &Client, scope: &[Scope]) -> Result<Write, TableError> {
    let mut session: ListedSession = listed.read()?;
    let id = &client.client_id;
    let hears = client.application.backchannel_logout_uri.is_some();
    if hears && scope.contains(&Scope::OpenId) && !session.to_tell.contains(id) {
        session.to_tell.push(id.clone());
    }
    let content = Content { expires: listed.expires, ..Content::json(&session) };
    Ok(Write::put(listed.key.clone(), Condition::Version(listed.version), content))
}

/// Who is told that the session `sid` has ended.
pub(super) fn logouts(sid: &str, session: &ListedSession) -> Vec<Logout> {
    let logout = |client: &ClientId| Logout { client: client.clone(), sid: sid.to_owned() };
    session.to_tell.iter().map(logout).collect()
}

/// Who is told that all sessions of a person have ended.
pub(crate) async fn logouts_of(
    table: &dyn Table,
    subject: &SubjectId,
) -> Result<Vec<Logout>, TableError> {
    let rows = table.query_all(Query::sorted(class::PERSON_SESSION.of(subject), "")).await?;
    let mut all = Vec::new();
    for row in &rows {
        all.extend(logouts(&row.key.sk, &row.read()?));
    }
    if all.len() > AT_MOST {
        tracing::warn!(all = all.len(), "too many applications are to be told of one change");
        all.truncate(AT_MOST);
    }
    Ok(all)
}

impl SignIn {
    /// The sessions of a person whose end `client` is told of.
    pub(super) async fn sessions_at(
        &self,
        subject: &SubjectId,
        client: &ClientId,
    ) -> Result<Vec<Logout>, Error> {
        let mut all = logouts_of(&*self.parts().table, subject).await?;
        all.retain(|logout| logout.client == *client);
        Ok(all)
    }
}
