//! The applications that may have something of a person.

use crate::{
    Error,
    client::{Client, ClientId, client_key},
    sign_in::{Consent, SignIn, SubjectId, store::Listed},
    table::{Item, Query, class},
};

impl SignIn {
    /// The applications that may have something of a person, by name: those with a consent that holds,
    /// and, without one, those that the operator consented to for all and that were used.
    pub async fn applications_of(
        &self,
        subject: &SubjectId,
    ) -> Result<Vec<(Client, Option<Consent>)>, Error> {
        let consents = self.consents_of_person(subject).await?;
        let mut ids: Vec<ClientId> =
            consents.iter().map(|consent| consent.client.clone()).collect();
        for id in self.clients_with_families(subject).await? {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let keys: Vec<_> = ids.iter().map(client_key).collect();
        let rows = self.parts().table.batch_get(&keys).await?;
        let mut applications = Vec::new();
        for row in rows.iter().flatten() {
            let client: Client = row.read()?;
            let consent = consents.iter().find(|consent| consent.client == client.client_id);
            let may_have = match consent {
                Some(consent) => consent.is_live(),
                None => client.application.preconsent,
            };
            if may_have {
                applications.push((client, consent.cloned()));
            }
        }
        applications.sort_by(|(one, _), (other, _)| one.client_name.cmp(&other.client_name));
        Ok(applications)
    }

    async fn clients_with_families(&self, subject: &SubjectId) -> Result<Vec<ClientId>, Error> {
        let query = Query::sorted(class::PERSON_FAMILY.of(subject), "");
        let items = self.parts().table.query_all(query).await?;
        let listed = items.iter().map(Item::read::<Listed>);
        Ok(listed.map(|listed| listed.map(|listed| listed.client)).collect::<Result<_, _>>()?)
    }
}
