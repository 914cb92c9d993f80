//! What is there, read without faults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ssf::{
    client::Client,
    directory::{Change, Directory, ResourceId},
    sign_in::SubjectId,
    table::{Item, Key, Query},
};

use super::{
    super::house::{House, at_once},
    calls::{PASSWORDS, client, sign_in},
    model::State,
    plan::{CLIENTS, GROUPS},
};

/// What an onlooker sees in the table.
pub(super) struct Look<'a>(pub(super) &'a House);

impl Look<'_> {
    /// A partition, by its sort keys.
    pub(super) fn rows(&self, partition: &str) -> BTreeMap<String, Item> {
        let query = Query::sorted(partition, "");
        let page = at_once(self.0.plain.parts().table.query(query)).expect("the table answers");
        page.items.into_iter().map(|item| (item.key.sk.clone(), item)).collect()
    }

    /// The person with this id as it is kept.
    pub(super) fn state(&self, id: ResourceId, groups: &[ResourceId; GROUPS]) -> Option<State> {
        let key = Key::new(format!("USER#{id}"), "USER");
        let item = at_once(self.0.plain.parts().table.get(&key)).expect("the table answers")?;
        let user: Value = item.read().expect("it is a person");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let password = text(&user["password"]).map(|hash| {
            let all =
                PASSWORDS.iter().map(|known| serde_json::to_value(known).expect("it is text"));
            all.into_iter().position(|known| known == hash.as_str()).expect("it is one of them")
        });
        let subject = SubjectId::from(id);
        let sign_in = sign_in(&self.0.plain);
        let consent = |number| {
            let consent = at_once(sign_in.consent_show(&subject, &client(number)));
            consent.expect("the table answers").map(|consent| consent.is_live())
        };
        Some(State {
            title: text(&user["attributes"]["title"]).and_then(|title| title.parse().ok()),
            lock: text(&user["lock_date"]).map(|date| date.parse().expect("it is a date")),
            told_active: user["told_active"] == true,
            password,
            groups: self.groups_of(id, groups),
            consents: std::array::from_fn::<_, CLIENTS, _>(consent),
        })
    }

    /// The groups of a person, by their numbers.
    pub(super) fn groups_of(
        &self,
        id: ResourceId,
        groups: &[ResourceId; GROUPS],
    ) -> BTreeSet<usize> {
        let rows = self.rows(&format!("MEMBER_OF#{id}"));
        let number = |id: &String| groups.iter().position(|group| group.to_string() == *id);
        rows.keys().map(|id| number(id).expect("it is one of the groups")).collect()
    }

    /// What is noted of a person or a group: the request, and the types of what it told.
    pub(super) fn history(&self, id: ResourceId) -> Vec<(String, Vec<String>)> {
        let history = at_once(Directory::of(&self.0.plain).history(id)).expect("the table answers");
        let kinds = |change: &Change| {
            let kind = |event: &ssf::directory::Following| event.event_type.short_name().to_owned();
            change.events.iter().map(kind).collect()
        };
        history.iter().map(|change| (change.txn.clone(), kinds(change))).collect()
    }

    /// Whether an application is disabled.
    pub(super) fn is_disabled(&self, number: usize) -> bool {
        let found = at_once(self.0.plain.client_show(&client(number)));
        let Client { disabled, .. } = found.expect("the application is there");
        disabled
    }
}
