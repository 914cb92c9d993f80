//! What is noted of a change besides the change itself: who changed what, and which events follow.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Cause, ResourceId,
    feed::Feed,
    outbox::{Outgoing, event_id},
    store::{audit_partition, txn_partition},
    tells::Told,
};
use crate::{
    clock,
    config::Config,
    delivery::origin::DIRECTORY,
    event::EventType,
    scim::ResourceType,
    set::EventId,
    sign_in::Logout,
    table::{Condition, Content, Item, Key, TableError, Write},
};

/// What was done to a resource.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It was made.
    Created,
    /// Some of it is not what it was.
    Changed,
    /// It is no more.
    Deleted,
}

/// Who changed what of one resource; never the values.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Change {
    /// The kind of resource.
    pub kind: ResourceType,
    /// Which one.
    pub id: ResourceId,
    /// What was done to it.
    pub deed: Deed,
    /// The paths of the attributes that are not what they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    /// Who did it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The name of the request, which its events share.
    pub txn: String,
    /// The events that follow, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Following>,
}

/// An event that follows from a change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Following {
    /// Its name at the door.
    pub id: String,
    /// Its type.
    pub event_type: EventType,
    /// The member of the group whom it is about, where a group changed and it is not about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<ResourceId>,
}

impl Following {
    /// What the transmitter calls it, and what names its SETs.
    pub(crate) fn event_id(&self) -> EventId {
        EventId::of_sender(DIRECTORY, &self.id)
    }
}

/// What notes, beside the change `sequence` of a group, what some of its members are told: nothing if
/// they are told nothing.
pub(crate) fn told_of_members(
    group: ResourceId,
    sequence: u64,
    told: &[Following],
    cause: &Cause,
    config: &Config,
) -> Option<Write> {
    let first = told.first()?.member?;
    let expires = Some(clock::add(cause.at, config.event_retention));
    // Behind the change itself, and once for each part of a change of many.
    let sk = format!("{group}#{sequence:012}#{first}");
    let content = Content { expires, ..Content::json(&told) };
    Some(Write::put(Key::new(txn_partition(&cause.txn), sk), Condition::Any, content))
}

/// The changes that the rows of one `txn` tell of, with what the members of groups are told among the
/// events of their group.
pub(crate) fn changes_of_txn(rows: &[Item]) -> Result<Vec<Change>, TableError> {
    let (members, own): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row.key.sk.split('#').count() > 2);
    let mut changes: Vec<Change> = own.into_iter().map(Item::read).collect::<Result<_, _>>()?;
    for row in members {
        let group = row.key.sk.split('#').next().and_then(ResourceId::parse);
        // A journal is of the change that wrote it; a deletion lets members go in no change of its own.
        if let Some(change) = changes.iter_mut().find(|change| Some(change.id) == group) {
            change.events.extend(row.read::<Vec<Following>>()?);
        }
    }
    Ok(changes)
}

/// What is to be done besides telling events.
#[derive(Debug, Default)]
pub(crate) struct Then {
    /// For streams that follow consents.
    pub(crate) feed: Option<Feed>,
    /// For applications in which a session has ended.
    pub(crate) logouts: Vec<Logout>,
}

/// One change of a resource, about to be written.
#[derive(Debug)]
pub(crate) struct Noted<'a> {
    pub(crate) kind: ResourceType,
    pub(crate) id: ResourceId,
    /// Its number among the changes of the resource.
    pub(crate) sequence: u64,
    pub(crate) deed: Deed,
    pub(crate) attributes: Vec<String>,
    pub(crate) events: &'a [Told],
}

impl Noted<'_> {
    /// What is written together with the change.
    pub(crate) fn writes(self, cause: &Cause, config: &Config) -> Vec<Write> {
        self.writes_with(Then::default(), cause, config)
    }

    /// The same, with what is to be done besides.
    pub(crate) fn writes_with(self, then: Then, cause: &Cause, config: &Config) -> Vec<Write> {
        let Then { feed, logouts } = then;
        let Self { kind, id, sequence, deed, attributes, events } = self;
        let following = |(n, event): (usize, &Told)| Following {
            id: event_id(&cause.txn, id, sequence, n),
            event_type: event.event_type.clone(),
            member: None,
        };
        let noted = feed.as_ref().filter(|feed| feed.is_noted).and_then(|feed| feed.own.as_ref());
        let change = Change {
            kind,
            id,
            deed,
            attributes,
            actor: cause.actor.clone(),
            at: cause.at,
            txn: cause.txn.clone(),
            events: events.iter().chain(noted).enumerate().map(following).collect(),
        };
        let until = |retention| Some(clock::add(cause.at, retention));
        let content = Content::json(&change);
        let audit = Content { expires: until(config.audit_retention), ..content.clone() };
        let txn = Content { expires: until(config.event_retention), ..content };
        let number = format!("{sequence:012}");
        let txn_key = Key::new(txn_partition(&cause.txn), format!("{id}#{number}"));
        let mut writes = vec![
            Write::put(Key::new(audit_partition(id), number), Condition::Any, audit),
            Write::put(txn_key, Condition::Any, txn),
        ];
        if !events.is_empty() || feed.is_some() || !logouts.is_empty() {
            let mut outgoing = Outgoing::new(id, sequence, events, cause);
            outgoing.feeding =
                feed.map(|feed| feed.feeding(id, sequence, events, cause, &config.issuer));
            outgoing.logouts = logouts;
            writes.push(outgoing.write(id, sequence));
        }
        writes
    }
}
