//! People: made by many at once, found, listed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use ssf::directory::ResourceId;
use tokio::task::JoinSet;

use super::{
    super::meter::Usage,
    caller::{Caller, escaped, id},
    figures::Requests,
};

/// What came of making people.
pub(super) struct Made {
    pub(super) ids: Vec<ResourceId>,
    pub(super) requests: Requests,
    /// The memory of the process in KiB, after so many people.
    pub(super) memory: Vec<(usize, u64)>,
}

fn name(number: usize) -> String {
    format!("jane.smith.{number}@customer.example.com")
}

/// A person as provisioning clients send one.
pub(super) fn person(number: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name(number),
        "externalId": format!("00u1abcd{number:012}"),
        "displayName": "Jane Smith",
        "name": { "givenName": "Jane", "familyName": "Smith" },
        "emails": [{ "value": name(number), "type": "work", "primary": true }],
        "active": true,
    })
}

/// The memory is looked at so often.
const LOOKS: usize = 10;

/// Has `callers` make so many people, each as fast as it is answered.
pub(super) async fn make(callers: &[Caller], count: usize) -> anyhow::Result<Made> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut working = JoinSet::new();
    for caller in callers {
        working.spawn(make_some(caller.clone(), Arc::clone(&next), count));
    }
    let mut all = Share::default();
    while let Some(done) = working.join_next().await {
        let mut done = done??;
        all.people.append(&mut done.people);
        all.memory.append(&mut done.memory);
    }
    let took = began.elapsed();
    all.memory.push((count, Usage::memory_kib()));
    all.memory.sort_unstable();
    all.people.sort_unstable();
    let times = all.people.iter().map(|(_, _, took)| *took).collect();
    let ids = all.people.into_iter().map(|(_, id, _)| id).collect();
    Ok(Made { ids, requests: Requests::of(times, took), memory: all.memory })
}

/// What one of several callers made.
#[derive(Default)]
struct Share {
    /// By their numbers, and how long each took.
    people: Vec<(usize, ResourceId, Duration)>,
    memory: Vec<(usize, u64)>,
}

async fn make_some(caller: Caller, next: Arc<AtomicUsize>, count: usize) -> anyhow::Result<Share> {
    let mut made = Share::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(made);
        }
        if number.is_multiple_of((count / LOOKS).max(1)) {
            made.memory.push((number, Usage::memory_kib()));
        }
        let answer = caller.post("/Users", &person(number)).await?;
        made.people.push((number, id(&answer.body)?, answer.took));
    }
}

/// Asks for people by id, one after the other.
pub(super) async fn read(
    caller: &Caller,
    ids: &[ResourceId],
    count: usize,
) -> anyhow::Result<Requests> {
    let paths = spread(ids.len(), count).map(|at| format!("/Users/{}", ids[at]));
    ask(caller, paths).await
}

/// Asks for people by name, one after the other.
pub(super) async fn find(caller: &Caller, people: usize, count: usize) -> anyhow::Result<Requests> {
    let path = |at| format!("/Users?filter={}", escaped(&format!("userName eq \"{}\"", name(at))));
    ask(caller, spread(people, count).map(path)).await
}

/// Asks for pages of 100, as a client that walks does.
pub(super) async fn list(caller: &Caller, count: usize) -> anyhow::Result<Requests> {
    let path = |page| format!("/Users?count=100&startIndex={}", page * 100 + 1);
    ask(caller, (0..count).map(path)).await
}

async fn ask(caller: &Caller, paths: impl Iterator<Item = String>) -> anyhow::Result<Requests> {
    let mut times = Vec::new();
    for path in paths {
        let answer = caller.get(&path).await?;
        let found = answer.body["Resources"].as_array().is_none_or(|found| !found.is_empty());
        anyhow::ensure!(found, "{path} finds nobody");
        times.push(answer.took);
    }
    let all = times.iter().sum();
    Ok(Requests::of(times, all))
}

/// So many of `all`, spread over them.
fn spread(all: usize, count: usize) -> impl Iterator<Item = usize> {
    // A prime, so that neighbors are not asked for one after the other.
    (0..count).map(move |number| number * 7_919 % all)
}
