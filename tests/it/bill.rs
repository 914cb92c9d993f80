//! What AWS charges for an event: what is counted, times the prices in `infra/prices.json`.

use std::fmt::Write as _;

use serde::Deserialize;
use tests::{
    Meter, World,
    world::{push_stream, usual_event},
};

use crate::table::dynamodb::metered;

/// Events that come together: what an ingest queue gives a function at once.
const BATCH: usize = 10;

#[derive(Deserialize)]
struct Prices {
    usd_per_million: UsdPerMillion,
}

#[derive(Deserialize)]
struct UsdPerMillion {
    kms_signatures_rsa_2048: f64,
    dynamodb_write_units: f64,
    dynamodb_read_units: f64,
    sqs_standard_requests: f64,
    sqs_fifo_requests: f64,
    lambda_invocations: f64,
}

/// What one event costs, in the parts of which there is a price.
struct Cost {
    signatures: f64,
    writes: f64,
    reads: f64,
    standard: f64,
    fifo: f64,
    invocations: f64,
}

impl Cost {
    fn usd_per_million(&self, prices: &UsdPerMillion) -> f64 {
        self.signatures * prices.kms_signatures_rsa_2048
            + self.writes * prices.dynamodb_write_units
            + self.reads * prices.dynamodb_read_units
            + self.standard * prices.sqs_standard_requests
            + self.fifo * prices.sqs_fifo_requests
            + self.invocations * prices.lambda_invocations
    }
}

/// Counts what a batch of events costs that `streams` push streams want, by the event.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
async fn cost(streams: usize) -> Cost {
    let meter = Meter::default();
    let world = World::on_table(metered(&meter).await);
    for number in 0..streams {
        let name = format!("receiver-{number}");
        world.create(&world.receiver(&name), push_stream(&name, &["session-revoked"])).await;
    }
    // What is read once only is known by then.
    world.emit(&usual_event(0)).await;
    world.settle().await;
    meter.take();
    world.push.take();
    world.signer.take();
    for number in 1..=BATCH {
        world.emit(&usual_event(number)).await;
    }
    world.settle().await;
    let (usage, bells) = (meter.take(), world.push.take());
    let of_each = |count: f64| count / BATCH as f64;
    // Lambda receives and deletes ten at a time, and so are bells sent.
    let tens = |count: u64| count.div_ceil(10) as f64;
    Cost {
        signatures: of_each(world.signer.take() as f64),
        writes: of_each(usage.writes),
        reads: of_each(usage.reads),
        standard: of_each(2.0),
        fifo: of_each(tens(bells.sent) + 2.0 * tens(bells.deleted)),
        invocations: of_each(1.0 + tens(bells.deleted)),
    }
}

/// Without the sender's own request to the queue, and without the functions' running time, which
/// depends on how fast receivers answer.
#[tokio::test]
async fn a_million_events_cost_at_most_six_dollars() {
    let prices: Prices =
        serde_json::from_str(include_str!("../../infra/prices.json")).expect("prices");
    let mut bill =
        "streams  signatures  writes  reads  SQS requests  USD per million events\n".to_owned();
    for streams in [1, 10, 100] {
        let cost = cost(streams).await;
        let usd = cost.usd_per_million(&prices.usd_per_million);
        let Cost { signatures, writes, reads, standard, fifo, .. } = cost;
        let sqs = standard + fifo;
        writeln!(
            bill,
            "{streams:7}  {signatures:10.1}  {writes:6.1}  {reads:5.1}  {sqs:12.1}  {usd:8.2}"
        )
        .unwrap();
        if streams == 1 {
            assert!(usd <= 6.0 && sqs <= 0.6, "{bill}");
        }
    }
    insta::assert_snapshot!(bill, @r"
    streams  signatures  writes  reads  SQS requests  USD per million events
          1         1.0     4.0    1.5           0.5      5.96
         10        10.0    40.0   13.2           2.0     57.77
        100       100.0   400.0  130.5          18.2    576.61
    ");
}
