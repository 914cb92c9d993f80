//! What AWS charges for people who are provisioned over SCIM.

use ssf::delivery::Door;

use super::{Cost, Meters, prices};
use crate::table::capacity::directory::{patch, person, provisioner};

/// So many people are counted.
const PEOPLE: usize = 10;

/// Counts what it costs, by the person, that one is created, changed three times (once locked) and
/// deleted, one request after the other, and that the events that follow are taken in. Nobody wants
/// them: what each SET costs is another bill.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
async fn cost() -> Cost {
    let meters = Meters::default();
    let world = meters.world().await;
    let entra = provisioner(&world).await;
    for meter in [&meters.keys, &meters.table, &meters.standard, &meters.fifo] {
        meter.take();
    }
    let mut invocations = 0;
    for number in 0..PEOPLE {
        let made = entra.post("/scim/v2/Users", person(number)).await.json();
        let place = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
        for change in [
            patch("replace", "title", "Head of Anything"),
            patch("replace", "displayName", "Jane Doe"),
            patch("replace", "active", false),
        ] {
            assert!(entra.patch(&place, change).await.status.is_success());
        }
        assert!(entra.delete(&place).await.status.is_success());
        invocations += 5;
    }
    while world.ingest(Door::Fifo).await > 0 {
        invocations += 1;
    }
    let of_each = |count: u64| count as f64 / PEOPLE as f64;
    let table = meters.table.take();
    Cost {
        keys: of_each(meters.keys.take().requests()),
        write_requests: of_each(table.write_requests()),
        write_units: table.writes / PEOPLE as f64,
        read_requests: of_each(table.read_requests()),
        read_units: table.reads / PEOPLE as f64,
        standard: of_each(meters.standard.take().requests()),
        // Without the one look that found the queue empty.
        fifo: of_each(meters.fifo.take().requests() - 1),
        invocations: of_each(invocations),
    }
}

#[tokio::test]
async fn a_thousand_people_cost_cents() {
    let cost = cost().await;
    let Cost { write_units, read_units, .. } = &cost;
    assert!(cost.keys == 0.0, "nothing is signed");
    let thousand = cost.usd_per_million(&prices()) / 1000.0;
    let bill = format!(
        "of each person: {:.1} writes ({write_units:.1} units), {:.1} reads ({read_units:.1} units), \
         {:.1} requests to SQS, {:.1} invocations\na thousand: {thousand:.3} USD",
        cost.write_requests,
        cost.read_requests,
        cost.sqs(),
        cost.invocations,
    );
    assert!(thousand < 0.25, "{bill}");
    insta::assert_snapshot!(bill, @r"
    of each person: 11.1 writes (74.1 units), 50.1 reads (55.1 units), 18.0 requests to SQS, 6.5 invocations
    a thousand: 0.064 USD
    ");
}
