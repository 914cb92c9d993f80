//! After each step: what is there is held against what may have come of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ssf::{Error, directory::ResourceId, scim::ErrorKind};

use super::{
    super::house::Outcome,
    calls::{Answer, Wish, email},
    look::Look,
    model::{About, CHANGED, Deed, Effect, Refused, State},
    plan::{Call, GROUPS},
    run::{Expected, Person, Run},
};

/// What is known of a call that ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It was answered.
    Must,
    /// Nobody knows.
    May,
    /// It was refused.
    Refused,
}

impl Standing {
    pub(super) fn of(outcome: &Outcome<Answer>) -> Self {
        match outcome {
            Outcome::Done(_) => Self::Must,
            Outcome::Failed { struck: true, .. } | Outcome::Crashed => Self::May,
            Outcome::Failed { struck: false, .. } => Self::Refused,
        }
    }
}

/// What may have been done to one person.
#[derive(Debug)]
struct Item {
    deed: Deed,
    standing: Standing,
    /// `None`: by the clock.
    txn: Option<String>,
    /// When it was asked for.
    at: Timestamp,
    /// When it was done at the latest.
    until: Timestamp,
}

/// One order in which it may have been done.
#[derive(Clone, Debug)]
struct Order {
    state: Option<State>,
    done: Vec<(usize, Effect)>,
}

impl Order {
    /// All orders of these items, each of which is done once or, if nobody knows, not at all.
    fn all(items: &[Item], state: Option<State>) -> Vec<Self> {
        let mut found = Vec::new();
        let left: Vec<_> = (0..items.len()).collect();
        Self { state, done: Vec::new() }.explore(items, &left, &mut found);
        found
    }

    fn explore(self, items: &[Item], left: &[usize], found: &mut Vec<Self>) {
        for at in left {
            let Item { deed, standing, at: now, until, .. } = &items[*at];
            let left: Vec<_> = left.iter().copied().filter(|other| other != at).collect();
            // When it was done in between is not known.
            let until = (until != now).then_some(until);
            for then in std::iter::once(now).chain(until) {
                let mut next = self.clone();
                // Whether the consent of somebody who is gone is there still, depends on who removes it.
                let either = next.state.is_none() && matches!(deed, Deed::Revoke(_));
                match (deed.apply(&mut next.state, *now, *then), standing) {
                    (Ok(effect), Standing::Must | Standing::May) => next.done.push((*at, effect)),
                    (Ok(_), Standing::Refused) | (Err(Refused), Standing::Must) if !either => {
                        continue;
                    }
                    (Err(Refused), _) | (Ok(_), Standing::Refused) => {}
                }
                next.explore(items, &left, found);
            }
        }
        if left.iter().all(|at| items[*at].standing == Standing::May) {
            found.push(self);
        }
    }

    /// Whether it explains by whom the groups changed.
    fn explains_groups(&self, items: &[Item], groups: &[Vec<String>; GROUPS]) -> bool {
        items.iter().enumerate().all(|(at, item)| {
            let (Deed::Join(group) | Deed::Leave(group)) = item.deed else { return true };
            let changed = item.txn.as_ref().is_some_and(|txn| groups[group].contains(txn));
            let effect = self.done.iter().find(|(by, _)| *by == at);
            changed == effect.is_some_and(|(_, effect)| !effect.events.is_empty())
        })
    }

    /// Whether it explains what is noted of the person.
    fn explains(&self, items: &[Item], noted: &[(String, Vec<String>)]) -> bool {
        let effects: Vec<_> = self.done.iter().filter(|(_, effect)| effect.noted).collect();
        effects.len() == noted.len()
            && effects.iter().zip(noted).all(|((at, effect), (txn, kinds))| {
                let by = &items[*at].txn;
                by.as_ref().is_none_or(|by| by == txn)
                    && effect
                        .events
                        .iter()
                        .map(|(_, kind)| *kind)
                        .eq(kinds.iter().map(String::as_str))
            })
    }
}

impl Run {
    /// Takes in what happened in one step. `times`: when it began, and when it ended.
    pub(super) fn reckon(
        &mut self,
        wishes: &[Wish],
        outcomes: &[Outcome<Answer>],
        times: (Timestamp, Timestamp),
        disturbed: bool,
    ) {
        for (wish, outcome) in wishes.iter().zip(outcomes) {
            self.check_refusal(wish, outcome, wishes.len() > 1);
        }
        let known = self.people.len();
        let mut moves: [Vec<String>; GROUPS] = Default::default();
        for number in 0..known {
            self.reckon_person(number, wishes, outcomes, times, disturbed, &mut moves);
        }
        self.meet(wishes, outcomes);
        self.reckon_groups(moves);
        for number in 0..self.disabled.len() {
            let is = Look(&self.house).is_disabled(number);
            let may = wishes.iter().zip(outcomes).any(|(wish, outcome)| {
                wish.call == Call::Client { client: number, disabled: is }
                    && Standing::of(outcome) != Standing::Refused
            });
            let must = wishes.iter().zip(outcomes).any(|(wish, outcome)| {
                wish.call == Call::Client { client: number, disabled: !is }
                    && Standing::of(outcome) == Standing::Must
            });
            assert!(is == self.disabled[number] || may, "an application is what nobody made it");
            assert!(!must || may || wishes.len() > 1, "an application is not what it was made");
            self.disabled[number] = is;
        }
    }

    fn check_refusal(&self, wish: &Wish, outcome: &Outcome<Answer>, beside: bool) {
        let Outcome::Failed { error, struck: false } = outcome else { return };
        let justified = match (wish.call, error) {
            (Call::Create { name }, Error::Scim(error)) => {
                error.kind == ErrorKind::Uniqueness && (self.holder(name).is_some() || beside)
            }
            // Whether there is nobody, or nothing, is seen from all that happened.
            (
                Call::Change { .. } | Call::Delete { .. } | Call::Revoke { .. },
                Error::NotFound { .. },
            ) => true,
            _ => false,
        };
        assert!(justified, "{wish:?} failed without a cause: {error:?}");
    }

    /// Who has this name, as far as is known.
    fn holder(&self, name: usize) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name && person.state.is_some())
    }

    fn reckon_person(
        &mut self,
        number: usize,
        wishes: &[Wish],
        outcomes: &[Outcome<Answer>],
        (began, ended): (Timestamp, Timestamp),
        disturbed: bool,
        moves: &mut [Vec<String>; GROUPS],
    ) {
        let person = &self.people[number];
        let mut items = Vec::new();
        for (wish, outcome) in wishes.iter().zip(outcomes) {
            let standing = Standing::of(outcome);
            match wish.deed {
                Some((about, deed)) if about == number => {
                    items.push(Item {
                        deed,
                        standing,
                        txn: Some(wish.txn.clone()),
                        at: began,
                        until: ended,
                    });
                }
                None if wish.call == Call::Sweep => {
                    // One run goes on behind what it cannot do.
                    let standing = if disturbed { Standing::May } else { standing };
                    items.push(Item {
                        deed: Deed::Tell,
                        standing,
                        txn: None,
                        at: ended,
                        until: ended,
                    });
                }
                Some(_) | None => {}
            }
        }
        let look = Look(&self.house);
        let state = look.state(person.id, &self.groups);
        let noted = look.history(person.id).split_off(person.noted);
        let orders = Order::all(&items, person.state.clone());
        let groups = std::array::from_fn(|group| {
            let new = look.history(self.groups[group]).split_off(self.group_noted[group]);
            new.into_iter().map(|(txn, _)| txn).collect()
        });
        let fits = |order: &&Order| {
            order.state == state
                && order.explains(&items, &noted)
                && order.explains_groups(&items, &groups)
        };
        let Some(order) = orders.iter().find(fits) else {
            panic!(
                "person {number} was {:?}; is {state:?}, with {noted:?} noted, by {items:?}: not {orders:?}",
                person.state
            )
        };
        let mut txns = noted.iter().map(|(txn, _)| txn.clone());
        let id = person.id;
        let mut expected = Vec::new();
        for (at, effect) in &order.done {
            let by = items[*at].txn.clone();
            let noted = effect.noted.then(|| txns.next()).flatten();
            let txn = noted.or(by).unwrap_or_default();
            for (about, _) in &effect.events {
                if let About::Group(group) = about
                    && !moves[*group].contains(&txn)
                {
                    moves[*group].push(txn.clone());
                }
            }
            self.pending.extend(effect.leaves.iter().map(|group| (*group, txn.clone())));
            let of_person =
                effect.events.iter().filter(|(about, _)| !matches!(about, About::Group(_)));
            let followed = effect.followed;
            expected.extend(of_person.map(|(about, kind)| (followed, *about, *kind, txn.clone())));
        }
        for (place, (followed, about, kind, txn)) in expected.into_iter().enumerate() {
            match kind {
                "feed:add" => self.let_hear(id),
                "feed:remove" => self.take_back(id),
                _ => {}
            }
            self.expect(id, (Some(number), followed), about, kind, txn, place);
        }
        let person = &mut self.people[number];
        person.state = state;
        person.noted += noted.len();
    }

    fn expect(
        &mut self,
        resource: ResourceId,
        (person, followed): (Option<usize>, bool),
        about: About,
        kind: &'static str,
        txn: String,
        place: usize,
    ) {
        let name = person.map(|number| self.people[number].name);
        let step = self.step;
        self.expected.push(Expected::new(
            resource,
            (name, followed),
            about,
            kind,
            txn,
            (step, place),
        ));
    }

    /// Whoever is new was made by one of these calls.
    fn meet(&mut self, wishes: &[Wish], outcomes: &[Outcome<Answer>]) {
        let look = Look(&self.house);
        let rows = look.rows("USERS");
        let known = |id: &str| self.people.iter().any(|person| person.id.to_string() == id);
        let fresh: Vec<_> = rows.keys().filter(|id| !known(id)).cloned().collect();
        let (mut made, mut new) = (BTreeMap::new(), Vec::new());
        for id in fresh {
            let id = ResourceId::parse(&id).expect("it is the id of a person");
            let history = look.history(id);
            let (txn, kinds) = history.first().expect("that somebody is made is noted").clone();
            let by = wishes.iter().position(|wish| wish.txn == txn).expect("somebody made it");
            let Call::Create { name } = wishes[by].call else { panic!("{:?}", wishes[by]) };
            // Whoever takes over an address is told of as such, also at the moment at which it is given
            // up: somebody else has the name, and with it the address, until then.
            let recycled = self.people.iter().any(|person| person.name == name);
            assert_eq!(kinds, created(recycled).map(|(_, kind)| kind).collect::<Vec<_>>());
            assert_eq!(look.state(id, &self.groups), Some(State::new()));
            let before = made.insert(by, id);
            assert_eq!(before, None, "one call made two people");
            new.push((id, name, txn, history.len(), recycled));
        }
        for (by, (wish, outcome)) in wishes.iter().zip(outcomes).enumerate() {
            match outcome {
                Outcome::Done(Answer::Made(id)) => assert_eq!(made.get(&by), Some(id)),
                Outcome::Failed { struck: false, .. } => {
                    assert_eq!(made.get(&by), None, "{wish:?} was refused and done");
                }
                Outcome::Done(_) | Outcome::Failed { .. } | Outcome::Crashed => {}
            }
        }
        for (id, name, txn, noted, recycled) in new {
            self.people.push(Person { id, name, state: Some(State::new()), noted });
            let number = self.people.len() - 1;
            for (place, (about, kind)) in created(recycled).enumerate() {
                self.expect(id, (Some(number), false), about, kind, txn.clone(), place);
            }
        }
        // Who is there is listed, and has the name alone.
        let there = self.people.iter().filter(|person| person.state.is_some());
        let mut names: Vec<_> = there.clone().map(|person| email(person.name)).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "two people have one name");
        assert_eq!(there.count(), rows.len(), "somebody is listed who is not there, or not listed");
    }

    /// A group is told of whenever somebody comes or goes, and it has whoever has it.
    fn reckon_groups(&mut self, moves: [Vec<String>; GROUPS]) {
        for (group, mut moves) in moves.into_iter().enumerate() {
            let look = Look(&self.house);
            let id = self.groups[group];
            let noted = look.history(id).split_off(self.group_noted[group]);
            self.group_noted[group] += noted.len();
            let members = look.rows(&format!("MEMBER#{id}"));
            for person in self.people.iter().filter(|person| person.state.is_some()) {
                let has = person.state.as_ref().is_some_and(|state| state.groups.contains(&group));
                let is_in = members.contains_key(&person.id.to_string());
                assert_eq!(has, is_in, "a person and a group do not agree");
            }
            for (place, (txn, kinds)) in noted.into_iter().enumerate() {
                assert_eq!(kinds, CHANGED);
                if let Some(at) = moves.iter().position(|by| *by == txn) {
                    moves.remove(at);
                } else {
                    let by = self.pending.iter().position(|left| *left == (group, txn.clone()));
                    self.pending.remove(by.expect("a group changed, and nobody did it"));
                }
                for kind in CHANGED {
                    self.expect(id, (None, false), About::Group(group), kind, txn.clone(), place);
                }
            }
            assert_eq!(moves, [""; 0], "somebody came or went, and the group did not change");
        }
    }
}

/// What is told of somebody who is new.
fn created(recycled: bool) -> impl Iterator<Item = (About, &'static str)> {
    let told = [
        (About::Person, "prov:create:notice"),
        (About::Person, "prov:create:full"),
        (About::Address, "identifier-recycled"),
    ];
    told.into_iter().take(if recycled { 3 } else { 2 })
}
