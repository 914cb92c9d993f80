//! Who is in a group: two views of one fact, a row in the group's partition and one in the person's.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Cause, Directory, Group, ResourceId, User,
    journal::Journal,
    outbox::{Outgoing, event_id},
    record::{Following, told_of_members},
    store::{group_key, member_of_partition, member_partition, user_key},
    tells::{Difference, Teller},
};
use crate::{
    Error,
    table::{Condition, Content, Item, Key, Query, Version, Write},
};

/// So many people can join or leave within one transaction, which has at most 100 writes: four for
/// each, one that says what they were told, and what the group itself needs.
pub(crate) const AT_ONCE: usize = 22;

/// Of more members who come or go it is only told that they did: a message has 256 KiB.
const MOST_TOLD: usize = 1_000;

/// Whether somebody is to be in a group.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wanted {
    In,
    Out,
}

/// Who is to be in a group, and who is not; of those who are not named, nothing changes. In the order
/// in which they were named.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MemberChanges {
    order: Vec<ResourceId>,
    wanted: HashMap<ResourceId, Wanted>,
}

impl MemberChanges {
    /// The last word about somebody counts.
    pub(crate) fn set(&mut self, user: ResourceId, wanted: Wanted) {
        if self.wanted.insert(user, wanted).is_none() {
            self.order.push(user);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ResourceId, Wanted)> {
        self.order.iter().map(|user| (*user, self.wanted[user]))
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Those who are to be in it.
    pub(crate) fn joining(&self) -> HashSet<ResourceId> {
        self.named(Wanted::In).collect()
    }

    /// What is told of them besides: of a new group its members, of another who came and who went.
    pub(crate) fn tell(&self, is_new: bool, difference: &mut Difference) {
        if self.is_empty() {
            return;
        }
        difference.paths.push("members".to_owned());
        if self.len() > MOST_TOLD {
            (difference.patch, difference.resource) = (Value::Null, Value::Null);
            return;
        }
        let member = |user: ResourceId| json!({ "value": user });
        let joining: Vec<_> = self.named(Wanted::In).map(member).collect();
        if is_new {
            difference.resource["members"] = joining.into();
            return;
        }
        let leave = |user: ResourceId| json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") });
        let mut operations: Vec<_> = self.named(Wanted::Out).map(leave).collect();
        if !joining.is_empty() {
            operations.push(json!({ "op": "add", "path": "members", "value": joining }));
        }
        if let Some(told) = difference.patch["Operations"].as_array_mut() {
            told.append(&mut operations);
        }
    }

    fn named(&self, wanted: Wanted) -> impl Iterator<Item = ResourceId> {
        self.iter().filter(move |(_, what)| *what == wanted).map(|(user, _)| user)
    }

    /// Leaves out those of whom `keep` says no.
    pub(crate) fn retain(&mut self, keep: impl Fn(ResourceId, Wanted) -> bool) {
        let wanted = &self.wanted;
        self.order.retain(|user| keep(*user, wanted[user]));
        let order: HashSet<_> = self.order.iter().copied().collect();
        self.wanted.retain(|user, _| order.contains(user));
    }
}

/// The body of a member's row.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct MemberRow {
    pub(crate) since: Timestamp,
}

/// Somebody who joins or leaves, as the person stands now.
pub(crate) struct Mover {
    pub(crate) user: User,
    pub(crate) version: Version,
    pub(crate) wanted: Wanted,
}

pub(crate) fn member_key(group: ResourceId, user: ResourceId) -> Key {
    Key::new(member_partition(group), user.to_string())
}

pub(crate) fn member_of_key(user: ResourceId, group: ResourceId) -> Key {
    Key::new(member_of_partition(user), group.to_string())
}

impl Directory {
    /// Which of `users` are in the group, by their rows.
    pub(crate) async fn which_are_in(
        &self,
        group: ResourceId,
        users: &[ResourceId],
    ) -> Result<HashSet<ResourceId>, Error> {
        let mut found = HashSet::new();
        for users in users.chunks(100) {
            let keys: Vec<_> = users.iter().map(|user| member_key(group, *user)).collect();
            let items = self.parts().table.batch_get(&keys).await?;
            let there = users.iter().zip(items).filter(|(_, item)| item.is_some());
            found.extend(there.map(|(user, _)| *user));
        }
        Ok(found)
    }

    /// Those of `users` who are there, as they stand.
    pub(crate) async fn people(
        &self,
        users: &[ResourceId],
    ) -> Result<BTreeMap<ResourceId, (User, Version)>, Error> {
        let mut found = BTreeMap::new();
        for users in users.chunks(100) {
            let keys: Vec<_> = users.iter().map(|user| user_key(*user)).collect();
            let items = self.parts().table.batch_get(&keys).await?;
            for (user, item) in users.iter().zip(items) {
                if let Some(item) = item {
                    found.insert(*user, (item.read()?, item.version));
                }
            }
        }
        Ok(found)
    }

    /// The groups of a person, by their rows: some may be no more.
    pub(crate) async fn group_ids_of(&self, user: ResourceId) -> Result<Vec<ResourceId>, Error> {
        let query = Query::sorted(member_of_partition(user), "");
        let rows = self.parts().table.query_all(query).await?;
        Ok(rows.iter().filter_map(|item| ResourceId::parse(&item.key.sk)).collect())
    }

    /// The groups that a person is in.
    pub async fn groups_of(&self, user: ResourceId) -> Result<Vec<Group>, Error> {
        let keys: Vec<Key> = self.group_ids_of(user).await?.into_iter().map(group_key).collect();
        let mut groups = Vec::new();
        for keys in keys.chunks(100) {
            let items = self.parts().table.batch_get(keys).await?.into_iter().flatten();
            for item in items {
                groups.push(item.read()?);
            }
        }
        Ok(groups)
    }

    /// What is written when these people join or leave the group, and what is told of each. `from` is
    /// the number of the group's change, and the place of the first of them in it: those who join are
    /// listed in this order.
    pub(crate) async fn member_writes(
        &self,
        group: ResourceId,
        (sequence, from): (u64, usize),
        movers: Vec<Mover>,
        cause: &Cause,
    ) -> Result<Vec<Write>, Error> {
        let tells = self.parts().config.directory.group_claims;
        let groups = if tells {
            let ids = movers.iter().map(|mover| self.group_ids_of(mover.user.id));
            try_join_all(ids).await?
        } else {
            vec![Vec::new(); movers.len()]
        };
        let teller = Teller { issuer: &self.parts().config.issuer, cause };
        let mut writes = Vec::new();
        let mut told = Vec::new();
        for (place, (mover, groups)) in movers.into_iter().zip(groups).enumerate() {
            let Mover { mut user, version, wanted } = mover;
            let id = user.id;
            user.sequence += 1;
            let mut now: Vec<_> = groups.into_iter().filter(|other| *other != group).collect();
            let (in_group, in_user) = (member_key(group, id), member_of_key(id, group));
            match wanted {
                Wanted::In => {
                    now.push(group);
                    let row = MemberRow { since: cause.at };
                    let order = Some(format!("{sequence:012}#{:06}#{id}", from + place));
                    let content = Content { order, ..Content::json(&row) };
                    writes.push(Write::put(in_group, Condition::Absent, content));
                    writes.push(Write::put(in_user, Condition::Any, Content::json(&row)));
                }
                Wanted::Out => {
                    writes.push(Write::delete(in_group, Condition::Any));
                    writes.push(Write::delete(in_user, Condition::Any));
                }
            }
            if tells {
                let events = [teller.memberships(&user, &now)];
                told.push(Following {
                    id: event_id(&cause.txn, id, user.sequence, 0),
                    event_type: events[0].event_type.clone(),
                    member: Some(id),
                });
                writes.push(
                    Outgoing::new(id, user.sequence, &events, cause).write(id, user.sequence),
                );
            }
            // The person is there still, and nobody else tells of it at the same time.
            let put = Content::json(&user);
            writes.push(Write::put(user_key(id), Condition::Version(version), put));
        }
        writes.extend(told_of_members(group, sequence, &told, cause, &self.parts().config));
        Ok(writes)
    }

    /// A page of the rows of a group's members, in the order in which they joined.
    pub(crate) async fn member_rows(
        &self,
        group: ResourceId,
        after: Option<String>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<String>), Error> {
        let query = Query::ordered(member_partition(group), "").limit(limit);
        let page = self.parts().table.query(Query { after, ..query }).await?;
        Ok((page.items, page.next))
    }

    /// The members of a group in the order in which they joined, at most `limit`; as the group is
    /// now, also while a change of many is worked off.
    pub async fn members_of(&self, group: &Group, limit: usize) -> Result<Vec<ResourceId>, Error> {
        let journal = self.journal(group).await?;
        let wanted = journal.as_ref().map(Journal::wanted).unwrap_or_default();
        let query = Query::ordered(member_partition(group.id), "").limit(limit.clamp(1, 1000));
        let mut pages = self.parts().table.pages(query);
        let mut members = Vec::new();
        while members.len() < limit
            && let Some(items) = pages.next().await?
        {
            let rows = items.iter().filter_map(|item| ResourceId::parse(&item.key.sk));
            members.extend(rows.filter(|user| wanted.get(user) != Some(&Wanted::Out)));
        }
        if members.len() < limit {
            let there: HashSet<_> = members.iter().copied().collect();
            let joining = journal.iter().flat_map(Journal::joining);
            members.extend(joining.filter(|user| !there.contains(user)));
        }
        members.truncate(limit);
        Ok(members)
    }

    /// Everybody whose row says that they are in the group.
    pub(crate) async fn all_member_rows(
        &self,
        group: ResourceId,
    ) -> Result<Vec<ResourceId>, Error> {
        let mut pages = self.parts().table.pages(Query::ordered(member_partition(group), ""));
        let mut members = Vec::new();
        while let Some(items) = pages.next().await? {
            members.extend(items.iter().filter_map(|item| ResourceId::parse(&item.key.sk)));
        }
        Ok(members)
    }
}
