//! Random operations on a table, compared with a model of it.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    time::Duration,
};

use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::subsequence};
use ssf::{
    clock::{Clock, add},
    table::{
        By, Change, Condition, Content, Item, Key, Page, Query, Table, TableError, Version, Write,
    },
};

use super::{Home, in_dynamodb, in_memory, on_disk};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_table_in_memory_does_what_the_model_does(ops in vec(op(), 1..60)) {
        run(in_memory(), ops)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_table_on_disk_does_what_the_model_does(ops in vec(op(), 1..60)) {
        run(on_disk(), ops)?;
    }
}

proptest! {
    // Hundreds of requests each.
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_table_in_dynamodb_does_what_the_model_does(ops in vec(op(), 1..60)) {
        run(in_dynamodb(), ops)?;
    }
}

#[derive(Clone, Debug)]
enum Op {
    Advance(Duration),
    BatchGet(Vec<Key>),
    Get(Key),
    Query(Query),
    RemoveExpired(usize),
    Transact(Vec<Plan>),
    Write(Vec<Plan>),
}

/// A write whose condition is made out when it is known what is there.
#[derive(Clone, Debug)]
struct Plan {
    key: Key,
    wish: Wish,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Check,
    Delete,
    Put(Wanted),
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Absent,
    Any,
    /// The version that is there.
    Current,
    /// One that was there once.
    Outlived,
}

#[derive(Clone, Debug)]
struct Wanted {
    lane: Option<char>,
    seconds: Option<u64>,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (1..40_u64).prop_map(|seconds| Op::Advance(Duration::from_secs(seconds))),
        1 => vec(key(), 0..9).prop_map(Op::BatchGet),
        1 => key().prop_map(Op::Get),
        4 => query().prop_map(Op::Query),
        1 => (0..4_usize).prop_map(Op::RemoveExpired),
        3 => plans().prop_map(Op::Transact),
        5 => plans().prop_map(Op::Write),
    ]
}

/// Few keys, so that operations meet; some are the beginning of others.
const PLACES: [&str; 12] =
    ["a", "aa", "ab", "a\0", "a\u{10FFFF}", "b", "ba", "bb", "B", "é", "€", "😀"];

fn key() -> impl Strategy<Value = Key> {
    (prop::sample::select(vec!["p", "q"]), prop::sample::select(PLACES.to_vec()))
        .prop_map(|(pk, sk)| Key::new(pk, sk))
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let wish = prop::sample::select(vec![Wish::Absent, Wish::Any, Wish::Current, Wish::Outlived]);
    let wanted =
        (prop::option::of(prop::sample::select(vec!['a', 'b'])), prop::option::of(1..60_u64))
            .prop_map(|(lane, seconds)| Wanted { lane, seconds });
    let act = prop_oneof![
        1 => Just(Act::Check),
        2 => Just(Act::Delete),
        8 => wanted.prop_map(Act::Put),
    ];
    let keys = ["p", "q"].iter().flat_map(|pk| PLACES.iter().map(|sk| Key::new(*pk, *sk)));
    (subsequence(keys.collect::<Vec<_>>(), 1..6), vec((wish, act), 6)).prop_map(|(keys, rest)| {
        let rest = keys.into_iter().zip(rest);
        rest.map(|(key, (wish, act))| Plan { key, wish, act }).collect()
    })
}

fn query() -> impl Strategy<Value = Query> {
    let prefix = prop::sample::select(vec!["", "", "a", "b", "a\u{10FFFF}", "aa", "é", "c"]);
    let after =
        prop::option::of((prop::option::of(Just('a')), prop::sample::select(PLACES.to_vec())));
    (any::<bool>(), prefix, after, any::<bool>(), 1..6_usize).prop_map(
        |(ordered, prefix, after, backwards, limit)| Query {
            pk: "p".to_owned(),
            by: if ordered { By::Order } else { By::Sort },
            prefix: prefix.to_owned(),
            after: after.map(|(lane, sk)| lane.into_iter().collect::<String>() + sk),
            backwards,
            limit,
        },
    )
}

/// What a table is.
#[derive(Default)]
struct Model {
    items: BTreeMap<Key, Item>,
    versions: HashSet<Version>,
    outlived: BTreeMap<Key, Version>,
}

impl Model {
    fn get(&self, key: &Key, now: Timestamp) -> Option<&Item> {
        self.items.get(key).filter(|item| item.expires.is_none_or(|expires| now < expires))
    }

    /// The write as the table gets it.
    fn write(&self, plan: Plan, now: Timestamp) -> Write {
        let Plan { key, wish, act } = plan;
        let current = self.get(&key, now).map(|item| item.version);
        let condition = match wish {
            Wish::Absent => Condition::Absent,
            Wish::Any => Condition::Any,
            Wish::Current => current.map_or(Condition::Absent, Condition::Version),
            Wish::Outlived => {
                let outlived = self.outlived.get(&key).copied().unwrap_or(Version(0));
                Condition::Version(outlived)
            }
        };
        let change = match act {
            Act::Check => Change::Check,
            Act::Delete => Change::Delete,
            Act::Put(Wanted { lane, seconds }) => Change::Put(Content {
                body: format!("{}{}", self.versions.len(), key.sk),
                // Unique in the partition, as the order must be.
                order: lane.map(|lane| format!("{lane}{}", key.sk)),
                expires: seconds.map(|seconds| add(now, Duration::from_secs(seconds))),
            }),
        };
        Write { key, condition, change }
    }

    fn holds(&self, write: &Write, now: Timestamp) -> bool {
        let there = self.get(&write.key, now).map(|item| item.version);
        match write.condition {
            Condition::Any => true,
            Condition::Absent => there.is_none(),
            Condition::Version(version) => there == Some(version),
        }
    }

    fn apply(&mut self, write: Write, version: Version) -> Result<(), TestCaseError> {
        let Write { key, change, .. } = write;
        let before = match change {
            Change::Check => None,
            Change::Delete => self.items.remove(&key),
            Change::Put(Content { body, order, expires }) => {
                prop_assert!(self.versions.insert(version), "{version:?} was there before");
                let item = Item { key: key.clone(), body, version, order, expires };
                self.items.insert(key.clone(), item)
            }
        };
        if let Some(before) = before {
            self.outlived.insert(key, before.version);
        }
        Ok(())
    }

    fn query(&self, query: &Query, now: Timestamp) -> Page {
        let place = |item: &Item| match query.by {
            By::Order => item.order.clone(),
            By::Sort => Some(item.key.sk.clone()),
        };
        let range = match (&query.after, query.backwards) {
            (None, _) => (Bound::Unbounded, Bound::Unbounded),
            (Some(after), false) => (Bound::Excluded(after.clone()), Bound::Unbounded),
            (Some(after), true) => (Bound::Unbounded, Bound::Excluded(after.clone())),
        };
        let partition: BTreeMap<String, &Item> = self
            .items
            .values()
            .filter(|item| item.key.pk == query.pk && self.get(&item.key, now).is_some())
            .filter_map(|item| Some((place(item)?, item)))
            .collect();
        let mut found: Vec<_> = partition
            .range(range)
            .filter(|(place, _)| place.starts_with(&query.prefix))
            .map(|(_, item)| (*item).clone())
            .collect();
        if query.backwards {
            found.reverse();
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        Page { next: if more { found.last().and_then(place) } else { None }, items: found }
    }
}

fn run(home: impl Future<Output = Home>, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let home = home.await;
        let mut model = Model::default();
        for op in ops {
            step(&home, &mut model, op).await?;
        }
        for pk in ["p", "q"] {
            step(&home, &mut model, Op::Query(Query::sorted(pk, ""))).await?;
        }
        Ok(())
    })
}

async fn step(home: &Home, model: &mut Model, op: Op) -> Result<(), TestCaseError> {
    let Home { table, clock, .. } = home;
    let now = clock.now();
    match op {
        Op::Advance(duration) => clock.advance(duration),
        Op::BatchGet(keys) => {
            let expected: Vec<_> = keys.iter().map(|key| model.get(key, now).cloned()).collect();
            prop_assert_eq!(table.batch_get(&keys).await.unwrap(), expected);
        }
        Op::Get(key) => {
            prop_assert_eq!(table.get(&key).await.unwrap(), model.get(&key, now).cloned());
        }
        Op::Query(query) => {
            let expected = model.query(&query, now);
            prop_assert_eq!(table.query(query).await.unwrap(), expected);
        }
        Op::RemoveExpired(limit) => {
            prop_assert!(table.remove_expired(limit).await.unwrap() <= limit);
        }
        Op::Transact(plans) => model.transact(&**table, plans, now).await?,
        Op::Write(plans) => model.writes(&**table, plans, now).await?,
    }
    Ok(())
}

impl Model {
    async fn transact(
        &mut self,
        table: &dyn Table,
        plans: Vec<Plan>,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let writes: Vec<_> = plans.into_iter().map(|plan| self.write(plan, now)).collect();
        let holds = writes.iter().all(|write| self.holds(write, now));
        let asks_nothing =
            |write: &Write| write.change == Change::Check && write.condition == Condition::Any;
        let refused = writes.iter().any(asks_nothing);
        let answers = match table.transact(writes.clone()).await {
            Ok(versions) => versions.into_iter().map(Ok).collect(),
            Err(TableError::Conflict) => vec![],
            Err(TableError::Refused(_)) if refused => return Ok(()),
            Err(error) => panic!("{error:?}"),
        };
        prop_assert!(!refused, "a check of nothing was taken");
        prop_assert_eq!(answers.len(), if holds { writes.len() } else { 0 });
        self.settle(writes, answers, now)
    }

    async fn writes(
        &mut self,
        table: &dyn Table,
        plans: Vec<Plan>,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        let writes: Vec<_> = plans.into_iter().map(|plan| self.write(plan, now)).collect();
        let answers = table.write(writes.clone()).await;
        prop_assert_eq!(answers.len(), writes.len());
        let answered = writes.into_iter().zip(answers);
        let (checks, answered): (Vec<_>, Vec<_>) =
            answered.partition(|(write, _)| write.change == Change::Check);
        let refused = |answer: &Result<_, _>| matches!(answer, Err(TableError::Refused(_)));
        prop_assert!(checks.iter().all(|(_, answer)| refused(answer)), "{checks:?}");
        let (writes, answers) = answered.into_iter().unzip();
        self.settle(writes, answers, now)
    }

    fn settle(
        &mut self,
        writes: Vec<Write>,
        answers: Vec<Result<Version, TableError>>,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        for (write, answer) in writes.into_iter().zip(answers) {
            let holds = self.holds(&write, now);
            match answer {
                Ok(version) => {
                    prop_assert!(holds, "a condition was passed over");
                    self.apply(write, version)?;
                }
                Err(TableError::Conflict) => prop_assert!(!holds, "no condition was broken"),
                Err(error) => panic!("{error:?}"),
            }
        }
        Ok(())
    }
}
