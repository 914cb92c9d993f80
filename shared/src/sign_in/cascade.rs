//! Removing what was a person's or a client's. All of it is dead before: its bond does not hold any
//! more. So it may be done in parts, by whoever has the time, and again after a crash.

use crate::{
    Error,
    client::ClientId,
    sign_in::{
        FamilyId, SignIn, SubjectId,
        store::{
            Listed, ListedSession, client_consent_key, client_family_key, code_key, consent_key,
            family_key, pair_prefix, person_family_key, session_key,
        },
    },
    table::{Condition, Item, Key, Query, Table, Write, class},
};

/// How many families or consents are removed in one part; each of them is up to four rows.
const PART: usize = 25;

impl SignIn {
    /// Removes a part of what a person who is gone had: codes, tokens and consents. Whether there is
    /// more.
    pub async fn person_forget(&self, subject: &SubjectId) -> Result<bool, Error> {
        let table = &*self.parts().table;
        if forget_tokens(table, subject).await? {
            return Ok(true);
        }
        let (clients, more) = consented(table, subject).await?;
        forget_consents(table, subject, &clients).await?;
        Ok(more)
    }

    /// Removes a part of the codes and tokens of one person at one client that were issued before the
    /// consent was last revoked. Whether there is more.
    pub async fn pair_forget(&self, subject: &SubjectId, client: &ClientId) -> Result<bool, Error> {
        let Some(consent) = self.consent_show(subject, client).await? else { return Ok(false) };
        let query = Query::sorted(class::PERSON_FAMILY.of(subject), pair_prefix(client));
        let dead = |listed: &Listed| listed.revocations < consent.revocations;
        forget_families(&*self.parts().table, query, dead).await
    }

    /// Removes a part of the codes, tokens and consents of a client that is disabled or gone. Whether
    /// there is more.
    pub async fn client_forget(&self, client: &ClientId) -> Result<bool, Error> {
        forget_client(&*self.parts().table, client).await
    }
}

/// Removes a part of the sessions, codes and tokens of a person who is gone. Whether there is more.
pub(crate) async fn forget_tokens(table: &dyn Table, subject: &SubjectId) -> Result<bool, Error> {
    if forget_sessions(table, subject).await? {
        return Ok(true);
    }
    forget_families(table, Query::sorted(class::PERSON_FAMILY.of(subject), ""), |_| true).await
}

/// Some of the applications that a person gave a consent, and whether there are more.
pub(crate) async fn consented(
    table: &dyn Table,
    subject: &SubjectId,
) -> Result<(Vec<ClientId>, bool), Error> {
    let page = table.query(Query::sorted(class::CONSENT.of(subject), "").limit(PART)).await?;
    let clients = page.items.into_iter().map(|item| ClientId(item.key.sk)).collect();
    Ok((clients, page.next.is_some()))
}

/// Removes the consents of a person who is gone to these applications.
pub(crate) async fn forget_consents(
    table: &dyn Table,
    subject: &SubjectId,
    clients: &[ClientId],
) -> Result<(), Error> {
    let keys = clients
        .iter()
        .flat_map(|client| [client_consent_key(subject, client), consent_key(subject, client)]);
    delete(table, keys.collect()).await
}

/// Removes the first sessions of a person. Whether there may be more.
async fn forget_sessions(table: &dyn Table, subject: &SubjectId) -> Result<bool, Error> {
    let query = Query::sorted(class::PERSON_SESSION.of(subject), "").limit(PART);
    let page = table.query(query).await?;
    let names = page.items.iter().map(Item::read::<ListedSession>);
    let names = names.collect::<Result<Vec<_>, _>>()?;
    delete(table, names.iter().map(|listed| session_key(&listed.session)).collect()).await?;
    // What lists them comes last, so that what was interrupted is found again.
    delete(table, page.items.iter().map(|item| item.key.clone()).collect()).await?;
    Ok(page.next.is_some())
}

/// See [`SignIn::client_forget`].
pub(crate) async fn forget_client(table: &dyn Table, client: &ClientId) -> Result<bool, Error> {
    let families = Query::sorted(class::CLIENT_FAMILY.of(client), "");
    if forget_families(table, families, |_| true).await? {
        return Ok(true);
    }
    let query = Query::sorted(class::CLIENT_CONSENT.of(client), "").limit(PART);
    let page = table.query(query).await?;
    let people = page.items.iter().map(|item| SubjectId(item.key.sk.clone()));
    // The row that lists it comes last, so that what was interrupted is found again.
    let keys = people
        .flat_map(|subject| [consent_key(&subject, client), client_consent_key(&subject, client)]);
    delete(table, keys.collect()).await?;
    Ok(page.next.is_some())
}

/// Removes the first of those families that `query` lists and that are `dead`. Whether there may be
/// more.
async fn forget_families(
    table: &dyn Table,
    query: Query,
    dead: impl Fn(&Listed) -> bool,
) -> Result<bool, Error> {
    let mut pages = table.pages(query.limit(PART));
    while let Some(items) = pages.next().await? {
        let (mut rows, mut lists) = (Vec::new(), Vec::new());
        for item in &items {
            let listed: Listed = item.read()?;
            if dead(&listed) {
                rows.extend([code_key(listed.family), family_key(listed.family)]);
                rows.extend(other_list(item, listed.family, &listed.client, &listed.subject));
                lists.push(item.key.clone());
            }
        }
        let found = !lists.is_empty();
        delete(table, rows).await?;
        // What lists them comes last, so that what was interrupted is found again.
        delete(table, lists).await?;
        if found {
            return Ok(pages.has_more());
        }
    }
    Ok(false)
}

/// The row that lists a family from its other end than `item`.
fn other_list(
    item: &Item,
    family: FamilyId,
    client: &ClientId,
    subject: &SubjectId,
) -> Option<Key> {
    let both = [client_family_key(client, family), person_family_key(subject, client, family)];
    both.into_iter().find(|key| *key != item.key)
}

async fn delete(table: &dyn Table, keys: Vec<Key>) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let deletes = keys.into_iter().map(|key| Write::delete(key, Condition::Any)).collect();
    for deleted in table.write(deletes).await {
        deleted?;
    }
    Ok(())
}
