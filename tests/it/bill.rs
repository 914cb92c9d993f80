//! What AWS charges for an event: what is counted, times the prices in `infra/prices.json`.
//!
//! A whole transmitter on the local AWS is counted where its SDKs send their requests. The test
//! stands for Lambda, which receives messages ten at a time and deletes those that are done in one
//! request, and does exactly that: these requests are in the bill. Not in it are the sender's own
//! request, the looks into empty queues (Lambda makes them day and night, whether there are events
//! or not: some 650,000 a month and queue), and the functions' running time, which depends on how
//! fast receivers answer.

mod directory;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use aws_sdk_kms::types::KeySpec;
use futures_util::future::join_all;
use serde::Deserialize;
use ssf::{Parts, Transmitter, clock::Clock, delivery::Door};
use ssf_aws::{Clients, DynamoDbTable, KmsSeal, KmsSigner, SqsQueue};
use tests::{
    Emulator, Meter, World,
    emulator::{create_queue, create_table, fresh_account},
    guarded,
    world::{push_stream, usual_event},
};

use crate::kms;

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

fn prices() -> UsdPerMillion {
    let prices: Prices =
        serde_json::from_str(include_str!("../../infra/prices.json")).expect("prices");
    prices.usd_per_million
}

/// What one event costs.
#[derive(Default)]
struct Cost {
    /// Requests to KMS. The symmetric ones cost as much as signatures.
    keys: f64,
    write_requests: f64,
    write_units: f64,
    read_requests: f64,
    read_units: f64,
    standard: f64,
    fifo: f64,
    invocations: f64,
}

impl Cost {
    fn sqs(&self) -> f64 {
        self.standard + self.fifo
    }

    fn usd_per_million(&self, prices: &UsdPerMillion) -> f64 {
        self.keys * prices.kms_signatures_rsa_2048
            + self.write_units * prices.dynamodb_write_units
            + self.read_units * prices.dynamodb_read_units
            + self.standard * prices.sqs_standard_requests
            + self.fifo * prices.sqs_fifo_requests
            + self.invocations * prices.lambda_invocations
    }
}

/// A meter for each price.
#[derive(Default)]
struct Meters {
    keys: Meter,
    table: Meter,
    standard: Meter,
    fifo: Meter,
}

impl Meters {
    /// A transmitter in an AWS account of its own, counted.
    async fn world(&self) -> World {
        let account = Clients::new(&Emulator::shared().sdk_config(&fresh_account()));
        create_table(&account.dynamodb, "tocsin").await;
        let table = self.table.of(&account.dynamodb);
        let mut world =
            World::on_table(|clock| Arc::new(DynamoDbTable::new(table, "tocsin", clock)));
        let standard = self.standard.of_queues(&account.sqs);
        let fifo = self.fifo.of_queues(&account.sqs);
        let queue = async |client: &aws_sdk_sqs::Client, name| {
            Arc::new(SqsQueue::new(client.clone(), create_queue(&account.sqs, name).await))
        };
        let signing = kms::first(&account.kms, KeySpec::Rsa2048).await;
        let secrets = kms::first(&account.kms, KeySpec::SymmetricDefault).await;
        let keys = self.keys.of_keys(&account.kms);
        let clock: Arc<dyn Clock> = world.clock.clone();
        world.transmitter = Transmitter::new(guarded(Parts {
            ingest: queue(&standard, "ingest").await,
            ingest_fifo: queue(&fifo, "ingest.fifo").await,
            dead_letters: queue(&standard, "dead-letters").await,
            push: queue(&fifo, "push.fifo").await,
            signer: Arc::new(KmsSigner::new(keys.clone(), signing, clock)),
            seal: Arc::new(KmsSeal::new(keys, secrets)),
            ..world.transmitter.parts().clone()
        }));
        world.transmitter.keys().ensure_key().await.unwrap();
        world.transmitter.ensure_door_key().await.unwrap();
        world
    }
}

/// Does what Lambda does when events came; says how often a function ran. Each time a second later,
/// so that nobody lives on what he read before.
async fn work(world: &World) -> u64 {
    let mut batches = 0;
    while world.ingest(Door::Standard).await > 0 {
        world.clock.advance(Duration::from_secs(1));
        batches += 1;
    }
    while world.push().await > 0 {
        world.clock.advance(Duration::from_secs(1));
        batches += 1;
    }
    batches
}

/// Counts what a batch of events costs that `streams` push streams want, by the event. It comes a
/// minute after the one before: of what may be known by then, only what is kept for as long as a
/// process lives.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
async fn cost(streams: usize) -> Cost {
    let meters = Meters::default();
    let world = meters.world().await;
    for number in 0..streams {
        let name = format!("receiver-{number}");
        world.create(&world.receiver(&name), push_stream(&name, &["session-revoked"])).await;
    }
    world.emit(&usual_event(0)).await;
    work(&world).await;
    assert_eq!(world.http.take().len(), streams);
    world.clock.advance(Duration::from_mins(1));
    for number in 1..=BATCH {
        world.emit(&usual_event(number)).await;
    }
    // What was before does not count, nor what the sender did.
    for meter in [&meters.keys, &meters.table, &meters.standard, &meters.fifo] {
        meter.take();
    }
    let invocations = work(&world).await;
    assert_eq!(world.http.take().len(), BATCH * streams);
    let of_each = |count: u64| count as f64 / BATCH as f64;
    let table = meters.table.take();
    // Without the one look that found each queue empty.
    let requests = |meter: &Meter| meter.take().requests() - 1;
    Cost {
        keys: of_each(meters.keys.take().requests()),
        write_requests: of_each(table.write_requests()),
        write_units: table.writes / BATCH as f64,
        read_requests: of_each(table.read_requests()),
        read_units: table.reads / BATCH as f64,
        standard: of_each(requests(&meters.standard)),
        fifo: of_each(requests(&meters.fifo)),
        invocations: of_each(invocations),
    }
}

#[tokio::test]
async fn a_million_events_cost_at_most_six_dollars() {
    let prices = prices();
    let costs = join_all([1, 10, 100].map(async |streams| (streams, cost(streams).await))).await;
    let mut bill = "        KMS       writes              reads               SQS\n\
                    streams requests  requests    units   requests    units   requests  \
                    USD per million events\n"
        .to_owned();
    for (streams, cost) in &costs {
        let Cost { keys, write_requests, write_units, read_requests, read_units, .. } = cost;
        let (sqs, usd) = (cost.sqs(), cost.usd_per_million(&prices));
        writeln!(
            bill,
            "{streams:7} {keys:8.1}  {write_requests:8.1} {write_units:8.1}   {read_requests:8.1} \
             {read_units:8.1}   {sqs:8.1}  {usd:8.2}"
        )
        .unwrap();
    }
    // What issue 3 allows for one stream.
    let one = &costs[0].1;
    assert!(one.keys <= 1.0, "one signature:\n{bill}");
    assert!(one.write_requests <= 2.0, "two writes:\n{bill}");
    assert!(one.read_requests <= 3.0, "three reads:\n{bill}");
    assert!(one.sqs() <= 0.6, "0.6 requests to SQS:\n{bill}");
    assert!(one.usd_per_million(&prices) <= 6.0, "six dollars:\n{bill}");
    insta::assert_snapshot!(bill, @r"
        KMS       writes              reads               SQS
streams requests  requests    units   requests    units   requests  USD per million events
      1      1.0       2.0      4.0        1.6      1.6        0.5      5.97
     10     10.0      20.0     40.0       12.4     13.3        2.0     57.78
    100    100.0     200.0    400.0      120.4    130.6       18.2    576.63
");
}
