//! Where the directory is in the table.
//!
//! | pk | sk | order | what |
//! | --- | --- | --- | --- |
//! | `USER#<id>` | `USER` | | a person |
//! | `USERS` | `<id>` | `<folded userName>#<id>` | that there is this person |
//! | `USERNAME#<hash>` | `USERNAME` | | whose name it is |
//! | `EMAIL#<hash>` | `<id>` | | that this person has the address |
//! | `EMAIL#<hash>` | `WAS` | | who gave it up last; gone after 90 days |
//! | `EXTERNAL_ID#<client>#<hash>` | `User#<id>`, `Group#<id>` | | what the client calls so |
//! | `GROUP#<id>` | `GROUP` | | a group |
//! | `GROUPS` | `<id>` | `<folded displayName>#<id>` | that there is this group |
//! | `GROUP_NAME#<hash>` | `GROUP_NAME` | | whose name it is |
//! | `MEMBER#<group>` | `<user>` | `<change of the group>#<place>` | a member |
//! | `MEMBER_OF#<user>` | `<group>` | | the other view of the same |
//! | `JOURNAL#<group>` | `<sequence>#<place>` | | a change of many members that is worked off |
//! | `COUNT#USERS`, `COUNT#GROUPS` | `00` … `15` | | how many, in parts |
//! | `DUE` | `<lock date>#<user>` | | when a lock date comes |
//! | `OUTBOX#<00 … 15>` | `<id>#<sequence>` | | what follows from a change and is still to be done |
//! | `AUDIT#<id>` | `<sequence>` | | who changed what |
//! | `TXN#<txn>` | `<id>#<sequence>` | | the events of one request |
//! | `JOB#<00 … 03>` | `<id>` | | what a deletion leaves to do |
//! | `PAGE#<hash>` | `PAGE` | | where a page of a list begins |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Group, ResourceId, User,
    text::{fold, hash, sortable},
};
use crate::{
    client::ClientId,
    scim::ResourceType,
    table::{Condition, Content, Key, Write, class},
};

/// How many parts a count has, so that writers are seldom in each other's way.
pub(crate) const COUNT_PARTS: u8 = 16;
/// How many parts the outbox has.
pub(crate) const OUTBOX_PARTS: u8 = 16;
/// How many parts the jobs have.
pub(crate) const JOB_PARTS: u8 = 4;

/// The partition of the list of all resources of this kind.
pub(crate) fn list(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::User => class::USERS.partition(),
        ResourceType::Group => class::GROUPS.partition(),
    }
}

pub(crate) fn user_key(id: ResourceId) -> Key {
    Key::new(class::USER.of(id), "USER")
}

pub(crate) fn group_key(id: ResourceId) -> Key {
    Key::new(class::GROUP.of(id), "GROUP")
}

pub(crate) fn resource_key(kind: ResourceType, id: ResourceId) -> Key {
    match kind {
        ResourceType::User => user_key(id),
        ResourceType::Group => group_key(id),
    }
}

/// Who has this name.
pub(crate) fn name_key(kind: ResourceType, name: &str) -> Key {
    let (class, sk) = match kind {
        ResourceType::User => (class::USERNAME, "USERNAME"),
        ResourceType::Group => (class::GROUP_NAME, "GROUP_NAME"),
    };
    Key::new(class.of(hash(&fold(name))), sk)
}

pub(crate) fn email_partition(address: &str) -> String {
    class::EMAIL.of(hash(&fold(address)))
}

pub(crate) fn email_was_key(address: &str) -> Key {
    Key::new(email_partition(address), "WAS")
}

pub(crate) fn external_id_partition(client: &ClientId, external_id: &str) -> String {
    class::EXTERNAL_ID.of(format_args!("{client}#{}", hash(external_id)))
}

pub(crate) fn external_id_prefix(kind: ResourceType) -> String {
    format!("{}#", kind.name())
}

pub(crate) fn member_partition(group: ResourceId) -> String {
    class::MEMBER.of(group)
}

pub(crate) fn journal_partition(group: ResourceId) -> String {
    class::JOURNAL.of(group)
}

pub(crate) fn member_of_partition(user: ResourceId) -> String {
    class::MEMBER_OF.of(user)
}

pub(crate) fn count_key(kind: ResourceType, part: u8) -> Key {
    Key::new(class::COUNT.of(list(kind)), format!("{part:02}"))
}

pub(crate) fn due_key(date: Timestamp, id: ResourceId) -> Key {
    Key::new(class::DUE.partition(), format!("{}#{id}", due_until(date)))
}

/// Sorts behind all that is due at `date` or before.
pub(crate) fn due_until(date: Timestamp) -> String {
    // Positive, so that the texts sort as the numbers do; nobody is locked before 1970 any more.
    format!("{:020}", date.as_microsecond().max(0))
}

pub(crate) fn outbox_partition(part: u8) -> String {
    class::OUTBOX.of(format_args!("{part:02}"))
}

pub(crate) fn outbox_key(id: ResourceId, sequence: u64) -> Key {
    Key::new(outbox_partition(id.part(OUTBOX_PARTS)), format!("{id}#{sequence:012}"))
}

pub(crate) fn audit_partition(id: ResourceId) -> String {
    class::AUDIT.of(id)
}

pub(crate) fn txn_partition(txn: &str) -> String {
    class::TXN.of(txn)
}

pub(crate) fn job_partition(part: u8) -> String {
    class::JOB.of(format_args!("{part:02}"))
}

/// A row whose key says everything, or almost.
fn small(key: Key, condition: Condition, value: &impl Serialize) -> Write {
    Write::put(key, condition, Content::json(value))
}

/// The rows by which a resource is found, with what they hold: to be put when it comes, to be deleted
/// when it goes.
#[derive(Debug, Default)]
pub(crate) struct Rows(pub(crate) Vec<(Key, Content)>);

/// Who stands behind a name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Named {
    pub(crate) id: ResourceId,
}

/// Who had an address last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Holder {
    pub(crate) id: ResourceId,
}

impl Rows {
    /// Those of a person, but for the person and its name, which is unique.
    pub(crate) fn of_user(user: &User) -> Self {
        let id = user.id.to_string();
        let order = format!("{}#{id}", sortable(&user.attributes.user_name));
        let listed = Content { order: Some(order), ..Content::json(&()) };
        let mut rows = vec![(Key::new(list(ResourceType::User), id.as_str()), listed)];
        for address in addresses(user) {
            rows.push((Key::new(email_partition(address), id.as_str()), Content::json(&())));
        }
        rows.extend(external_ids(ResourceType::User, user.id, &user.external_ids));
        if let Some(date) = user.lock_date.filter(|_| user.told_active) {
            rows.push((due_key(date, user.id), Content::json(&())));
        }
        Self::distinct(rows)
    }

    /// Those of a group, but for the group and its name.
    pub(crate) fn of_group(group: &Group) -> Self {
        let id = group.id.to_string();
        let order = format!("{}#{id}", sortable(&group.display_name));
        let listed = Content { order: Some(order), ..Content::json(&()) };
        let mut rows = vec![(Key::new(list(ResourceType::Group), id.as_str()), listed)];
        rows.extend(external_ids(ResourceType::Group, group.id, &group.external_ids));
        Self::distinct(rows)
    }

    /// Two addresses that are one have one row.
    fn distinct(mut rows: Vec<(Key, Content)>) -> Self {
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        rows.dedup_by(|(one, _), (other, _)| one == other);
        Self(rows)
    }

    /// What makes of the rows `before` these.
    pub(crate) fn writes(self, before: &Self) -> Vec<Write> {
        let gone = before.0.iter().filter(|(key, _)| self.0.iter().all(|(kept, _)| kept != key));
        let gone: Vec<_> =
            gone.map(|(key, _)| Write::delete(key.clone(), Condition::Any)).collect();
        let new = self.0.into_iter().filter(|row| !before.0.contains(row));
        new.map(|(key, content)| Write::put(key, Condition::Any, content)).chain(gone).collect()
    }
}

fn external_ids<'a>(
    kind: ResourceType,
    id: ResourceId,
    external_ids: impl IntoIterator<Item = (&'a ClientId, &'a String)>,
) -> impl Iterator<Item = (Key, Content)> {
    external_ids.into_iter().map(move |(client, external_id)| {
        let sk = format!("{}{id}", external_id_prefix(kind));
        (Key::new(external_id_partition(client, external_id), sk), Content::json(&()))
    })
}

/// The addresses of a person.
pub(crate) fn addresses(user: &User) -> impl Iterator<Item = &str> {
    user.attributes.emails.iter().filter_map(|email| email.value.as_deref())
}

/// What moves a name from `before` to `after`, for who has neither if they are one name.
pub(crate) fn rename(
    kind: ResourceType,
    id: ResourceId,
    before: Option<&str>,
    after: Option<&str>,
) -> Vec<Write> {
    let (before, after) =
        (before.map(|name| name_key(kind, name)), after.map(|name| name_key(kind, name)));
    if before == after {
        return Vec::new();
    }
    let gone = before.map(|key| Write::delete(key, Condition::Any));
    let new = after.map(|key| small(key, Condition::Absent, &Named { id }));
    gone.into_iter().chain(new).collect()
}
