//! Granting, revoking and restoring consents.

use crate::{
    Error,
    client::{ClientId, Scope},
    sign_in::{
        Also, Consent, ConsentChange, Happened, SignIn, SubjectId,
        facade::{ATTEMPTS, in_the_way},
        store::{client_consent_key, consent_key, put_consent},
    },
    table::{Condition, Content, Item, Query, Write, class},
};

impl SignIn {
    /// Grants `scope` to `client`: joined with what it has, if the consent holds. The consent, and
    /// what was changed, if anything.
    pub async fn consent_grant(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        scope: &[Scope],
        also: &Also<'_>,
    ) -> Result<(Consent, Option<ConsentChange>), Error> {
        let now = self.parts().clock.now();
        let grant = |consent: &mut Consent| consent.grant(scope, now);
        self.change_consent(subject, client, Some(scope), grant, also).await
    }

    /// Takes the consent back, and with it all tokens and codes of this pair: they are dead when this
    /// returns. Their rows are removed by [`Self::pair_forget`]. What the operator consented to for
    /// all people can be taken back, too.
    pub async fn consent_revoke(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        also: &Also<'_>,
    ) -> Result<(Consent, Option<ConsentChange>), Error> {
        let now = self.parts().clock.now();
        self.change_consent(subject, client, None, |consent| consent.revoke(now), also).await
    }

    /// Lets a consent that was revoked hold again, as it was. No token and no code comes back.
    pub async fn consent_restore(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        also: &Also<'_>,
    ) -> Result<(Consent, Option<ConsentChange>), Error> {
        let now = self.parts().clock.now();
        self.change_consent(subject, client, None, |consent| consent.restore(now), also).await
    }

    /// Changes the one consent of this pair, or makes it. What changes nothing is written nowhere.
    async fn change_consent(
        &self,
        subject: &SubjectId,
        client: &ClientId,
        granted: Option<&[Scope]>,
        change: impl Fn(&mut Consent) -> Option<ConsentChange>,
        also: &Also<'_>,
    ) -> Result<(Consent, Option<ConsentChange>), Error> {
        for _ in 0..ATTEMPTS {
            let rows = self.rows(client, subject).await?;
            let client_row = rows.client.as_ref();
            let by_operator = client_row.filter(|client| client.application.preconsent);
            let (consent, done, condition) = match (rows.consent, granted, by_operator) {
                (Some((mut consent, version)), _, _) => {
                    let done = change(&mut consent);
                    (consent, done, Condition::Version(version))
                }
                (None, Some(scope), _) => {
                    let first = self.first_consent(subject, client, scope);
                    (first, Some(ConsentChange::Granted), Condition::Absent)
                }
                (None, None, Some(by_operator)) => {
                    let mut first = self.first_consent(subject, client, &by_operator.scope);
                    let done = change(&mut first);
                    (first, done, Condition::Absent)
                }
                (None, None, None) => {
                    let id = format!("of {subject} to {client}");
                    return Err(Error::NotFound { kind: "consent", id });
                }
            };
            let Some(done) = done else { return Ok((consent, None)) };
            let mut writes = vec![put_consent(&consent, condition)];
            if condition == Condition::Absent {
                let key = client_consent_key(subject, client);
                writes.push(Write::put(key, Condition::Any, Content::json(&())));
            }
            let logouts = if done == ConsentChange::Revoked {
                self.sessions_at(subject, client).await?
            } else {
                Vec::new()
            };
            let happened = Happened::Consent(done, &consent, client_row, &logouts);
            writes.extend(also(&happened, rows.owner_row.as_ref()));
            if self.commit(writes).await? {
                return Ok((consent, Some(done)));
            }
        }
        Err(in_the_way())
    }

    fn first_consent(&self, subject: &SubjectId, client: &ClientId, scope: &[Scope]) -> Consent {
        let now = self.parts().clock.now();
        Consent {
            consent_id: self.parts().ids.fresh().simple().to_string(),
            client: client.clone(),
            subject: subject.clone(),
            scope: scope.to_vec(),
            issue_date: now,
            revoked_at: None,
            last_revoked: None,
            revocations: 0,
            created: now,
            last_modified: now,
        }
    }

    /// The consent of this pair.
    pub async fn consent_show(
        &self,
        subject: &SubjectId,
        client: &ClientId,
    ) -> Result<Option<Consent>, Error> {
        let item = self.parts().table.get(&consent_key(subject, client)).await?;
        Ok(item.as_ref().map(Item::read).transpose()?)
    }

    /// All consents of a person, by client.
    pub async fn consents_of_person(&self, subject: &SubjectId) -> Result<Vec<Consent>, Error> {
        let query = Query::sorted(class::CONSENT.of(subject), "");
        let items = self.parts().table.query_all(query).await?;
        Ok(items.iter().map(Item::read).collect::<Result<_, _>>()?)
    }

    /// A page of at most 100 consents to a client, by person, behind `after`; and where the next page
    /// begins, if there is one.
    pub async fn consents_to_client(
        &self,
        client: &ClientId,
        after: Option<String>,
    ) -> Result<(Vec<Consent>, Option<String>), Error> {
        let query = Query::sorted(class::CLIENT_CONSENT.of(client), "").limit(100);
        let page = self.parts().table.query(Query { after, ..query }).await?;
        let people = page.items.iter().map(|item| SubjectId(item.key.sk.clone()));
        let keys: Vec<_> = people.map(|subject| consent_key(&subject, client)).collect();
        let items = self.parts().table.batch_get(&keys).await?;
        let consents = items.iter().flatten().map(Item::read).collect::<Result<_, _>>()?;
        Ok((consents, page.next))
    }
}
