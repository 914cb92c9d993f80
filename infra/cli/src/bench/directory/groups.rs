//! A small group and a large one: what a change of their members costs.

use serde::Serialize;
use serde_json::{Value, json};
use ssf::{
    Transmitter,
    directory::{Directory, ResourceId},
    embedded::CountingTable,
};

use super::{
    caller::{Caller, id},
    figures::{Requests, ms},
};

/// What changes of members cost.
#[derive(Clone, Debug, Serialize)]
pub struct Groups {
    /// Members of the large group at the end.
    pub members: u64,
    /// A request that adds [`MANY`] members, one for each until all are in: how long each took.
    pub many_ms: Vec<f64>,
    /// One member of a group of ten comes and goes.
    pub small: OneMember,
    /// One member of the large group comes and goes.
    pub large: OneMember,
    /// So long it takes to be answered what the large group is.
    pub read_ms: f64,
    /// So long it takes to be answered that it is deleted; its members are let go then.
    pub delete_ms: f64,
}

/// One member comes and goes.
#[derive(Clone, Debug, Serialize)]
pub struct OneMember {
    /// How long it took.
    pub requests: Requests,
    /// Calls of the table for one of them, authentication and the handing over of the events
    /// included.
    pub table_calls: f64,
}

/// So many members come by one request.
pub const MANY: usize = 10_000;

/// So often one comes and goes.
const TIMES: usize = 50;

pub(super) async fn measure(
    caller: &Caller,
    transmitter: &Transmitter,
    table: &CountingTable,
    ids: &[ResourceId],
) -> anyhow::Result<Groups> {
    let directory = Directory::of(transmitter);
    let (one, all) = ids.split_last().expect("there are people");
    let small = group(caller, "Small", &all[..10.min(all.len())]).await?;
    let large = group(caller, "Large", &[]).await?;
    let mut many_ms = Vec::new();
    for part in all.chunks(MANY) {
        let add = json!({ "op": "add", "path": "members", "value": members(part) });
        many_ms.push(ms(caller.members(large, add).await?.took));
        settle(&directory, large).await?;
    }
    // What is told of those who joined is taken in by then, and counts for nobody else.
    super::taken_in(transmitter.parts()).await?;
    let (small, changed) = (
        come_and_go(caller, table, small, *one).await?,
        come_and_go(caller, table, large, *one).await?,
    );
    let members = stored(&directory, large).await?.member_count;
    let path = format!("/Groups/{large}");
    let read_ms = ms(caller.get(&path).await?.took);
    let delete_ms = ms(caller.delete(&path).await?.took);
    Ok(Groups { members, many_ms, small, large: changed, read_ms, delete_ms })
}

async fn group(caller: &Caller, name: &str, ids: &[ResourceId]) -> anyhow::Result<ResourceId> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members(ids),
    });
    id(&caller.post("/Groups", &body).await?.body)
}

fn members(ids: &[ResourceId]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

async fn stored(directory: &Directory, group: ResourceId) -> anyhow::Result<ssf::directory::Group> {
    Ok(directory.group(group).await?)
}

/// Works until all rows of the members are there.
async fn settle(directory: &Directory, group: ResourceId) -> anyhow::Result<()> {
    while !stored(directory, group).await?.is_settled() {
        directory.keep().await?;
    }
    Ok(())
}

async fn come_and_go(
    caller: &Caller,
    table: &CountingTable,
    group: ResourceId,
    one: ResourceId,
) -> anyhow::Result<OneMember> {
    let mut times = Vec::new();
    let before = table.counts().calls();
    for _ in 0..TIMES / 2 {
        let add = json!({ "op": "add", "path": "members", "value": [{ "value": one }] });
        times.push(caller.members(group, add).await?.took);
        let remove = json!({ "op": "remove", "path": format!("members[value eq \"{one}\"]") });
        times.push(caller.members(group, remove).await?.took);
    }
    let calls = table.counts().calls() - before;
    let all = times.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are far below 2^52")]
    let table_calls = calls as f64 / TIMES as f64;
    Ok(OneMember { requests: Requests::of(times, all), table_calls })
}
