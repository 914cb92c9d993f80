//! What is true of the table in `DynamoDB` beyond the contract.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{config::Credentials, types::AttributeValue};
use ssf::{
    clock::Clock,
    delivery::Door,
    table::{Condition, Content, Key, Query, Table, TableError, Write},
};
use ssf_aws::{
    Clients, DynamoDbTable, clients,
    table::{ORDER_INDEX, ORDER_KEY, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE},
};
use tests::{
    Emulator, Meter, World,
    emulator::{create_table, fresh_account},
    world::{push_stream, usual_event},
};

use super::{clock, key, put};

async fn client() -> aws_sdk_dynamodb::Client {
    let client = Clients::new(&Emulator::shared().sdk_config(&fresh_account())).dynamodb;
    create_table(&client, "tocsin").await;
    (*client).clone()
}

/// An empty table in an account of its own.
pub(super) async fn fresh_table(clock: Arc<dyn Clock>) -> DynamoDbTable {
    DynamoDbTable::new(client().await, "tocsin", clock)
}

/// How to make a table that is counted, for [`World::on_table`].
pub(crate) async fn metered(
    meter: &Meter,
) -> impl FnOnce(Arc<dyn Clock>) -> Arc<dyn Table> + use<> {
    let client = meter.of(&client().await);
    |clock| Arc::new(DynamoDbTable::new(client, "tocsin", clock))
}

#[tokio::test]
async fn a_set_costs_a_unit_for_each_of_its_four_writes() {
    let meter = Meter::default();
    let world = World::on_table(metered(&meter).await);
    world.transmitter.keys().ensure_key().await.unwrap();
    let receiver = world.receiver("receiver");
    world.create(&receiver, push_stream("receiver", &["session-revoked"])).await;
    world.emit(&usual_event(0)).await;
    world.settle().await;
    // What is read once only is known by now: keys, and the stream's own row.
    meter.take();
    world.emit(&usual_event(1)).await;
    world.settle().await;
    // Twice a put, and a row of the index that comes and goes. Whoever changes these figures changes
    // the bill: a million SETs are 4 million write units here.
    let used = meter.take();
    assert_eq!((used.requests(), used.reads, used.writes), (7, 5.0, 4.0), "{used:?}");
    assert_eq!(world.http.take().len(), 2);
    for user in 10..20 {
        world.emit(&usual_event(user)).await;
    }
    world.settle().await;
    let used = meter.take();
    assert_eq!((used.requests(), used.reads, used.writes), (35, 15.0, 40.0), "{used:?}");
}

/// `tests/it/template.rs` holds the time that a call may take against the time that functions have.
#[tokio::test]
async fn a_table_that_says_nothing_is_given_up_in_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let credentials = Credentials::new("id", "secret", None, None, "tests");
    let config = Clients::function("us-east-1".to_owned(), credentials, Some(endpoint));
    let table = DynamoDbTable::new(Clients::new(&config).dynamodb, "tocsin", clock());
    let key = key("a/1");
    let read = tokio::time::timeout(2 * clients::CALL, table.get(&key));
    let answer = read.await.expect("twice its time is over");
    assert!(matches!(answer, Err(TableError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_page_of_which_all_is_over_does_not_end_a_query() {
    let clock = clock();
    let table = fresh_table(clock.clone()).await;
    let over = ssf::clock::add(clock.now(), std::time::Duration::from_secs(1));
    // `DynamoDB` counts these when it counts to the limit.
    let expired = (0..30).map(|n| super::put_until(&format!("a/{n:02}"), Condition::Any, over));
    table.write(expired.collect()).await;
    table.write(vec![put("a/30", Condition::Any, "x"), put("a/31", Condition::Any, "x")]).await;
    clock.advance(std::time::Duration::from_secs(1));
    let page = table.query(Query::sorted("a", "").limit(1)).await.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("30")));
    let page = table.query(Query::sorted("a", "").limit(1).after("30")).await.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, None));
}

#[tokio::test]
async fn what_no_compression_makes_smaller_is_kept_too() {
    let table = fresh_table(clock()).await;
    // Text that looks like noise: as near to the limit as the index lets it come.
    let mut seed = 1_u64;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from(seed >> 58).unwrap())
    });
    let body: String = noise.take(256 * 1024).collect();
    let content = Content { body: body.clone(), order: Some("1".to_owned()), expires: None };
    let write = Write::put(key("a/1"), Condition::Absent, content);
    table.write(vec![write]).await.pop().unwrap().unwrap();
    assert_eq!(table.get(&key("a/1")).await.unwrap().unwrap().body, body);
    let listed = table.query(Query::ordered("a", "")).await.unwrap().items;
    assert_eq!(listed[0].body, body);
}

#[tokio::test]
async fn a_row_that_is_not_ours_is_told_apart_from_one_that_is_missing() {
    let client = client().await;
    let table = DynamoDbTable::new(client.clone(), "tocsin", clock());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("tocsin").item("pk", text("a")).item("sk", text("1"));
    put.send().await.unwrap();
    let found = table.get(&key("a/1")).await;
    assert!(matches!(&found, Err(TableError::Corrupt { pk, sk, .. }) if pk == "a" && sk == "1"));
    assert_eq!(table.get(&Key::new("a", "x".repeat(2000))).await.unwrap(), None);
}

/// `DynamoDB` removes an item when the second that its attribute names is over, and one without it
/// never.
#[tokio::test]
async fn what_may_go_says_when_and_what_must_stay_says_nothing() {
    let client = client().await;
    let table = DynamoDbTable::new(client.clone(), "tocsin", clock());
    let whole = "2026-10-01T00:00:00Z".parse().unwrap();
    let part = "2026-10-01T00:00:00.000001Z".parse().unwrap();
    for (number, (expires, ttl)) in [
        (Some(whole), Some("1790812800")),
        // Never before its time: what is over by a reader's clock may stay for a while.
        (Some(part), Some("1790812801")),
        (None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let content = Content { body: "x".to_owned(), order: None, expires };
        let [alone, together] = ["alone", "together"].map(|sk| {
            Write::put(Key::new(number.to_string(), sk), Condition::Any, content.clone())
        });
        table.write(vec![alone]).await.pop().unwrap().unwrap();
        table.transact(vec![together]).await.unwrap();
        for sk in ["alone", "together"] {
            let row = raw(&client, &number.to_string(), sk).await;
            let found = row.get(TTL_ATTRIBUTE).map(|value| value.as_n().unwrap().as_str());
            assert_eq!(found, ttl, "{sk} {expires:?}");
        }
    }
}

#[tokio::test]
async fn a_set_goes_by_itself_when_it_was_settled_and_nothing_else_does() {
    let client = client().await;
    let rows = client.clone();
    let world = World::on_table(|clock| Arc::new(DynamoDbTable::new(rows, "tocsin", clock)));
    world.transmitter.keys().ensure_key().await.unwrap();
    let receiver = world.receiver("receiver");
    world.create(&receiver, push_stream("receiver", &["session-revoked"])).await;
    world.emit(&usual_event(0)).await;
    world.ingest(Door::Standard).await;
    let going = async || {
        let rows = client.scan().table_name("tocsin").send().await.unwrap().items.unwrap();
        assert!(rows.len() >= 4, "a stream, its row among all, that of its type, a SET");
        let texts = |row: &HashMap<_, AttributeValue>| {
            let goes = row.get(TTL_ATTRIBUTE)?.as_n().unwrap().clone();
            let name = row[PARTITION_KEY].as_s().unwrap().split('#').next().unwrap().to_owned();
            Some((name, goes))
        };
        rows.iter().filter_map(texts).collect::<Vec<_>>()
    };
    assert_eq!(going().await, []);
    world.push().await;
    // Thirty days later.
    assert_eq!(going().await, [("SET".to_owned(), "1769817600".to_owned())]);
}

async fn raw(
    client: &aws_sdk_dynamodb::Client,
    pk: &str,
    sk: &str,
) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let get = client.get_item().table_name("tocsin").consistent_read(true);
    let answer = get.key(PARTITION_KEY, text(pk)).key(SORT_KEY, text(sk)).send().await;
    answer.unwrap().item.unwrap()
}

#[test]
fn the_template_has_the_table_that_is_expected() {
    let template = include_str!("../../../template.yaml");
    let (_, table) = template.split_once("Type: AWS::DynamoDB::Table").unwrap();
    let (table, _) = table.split_once("    Type: AWS::").unwrap();
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    let keys = |range| {
        format!(
            "- {{ AttributeName: {PARTITION_KEY}, KeyType: HASH }} \
             - {{ AttributeName: {range}, KeyType: RANGE }}"
        )
    };
    for expected in [
        "BillingMode: PAY_PER_REQUEST".to_owned(),
        format!("KeySchema: {} #", keys(SORT_KEY)),
        format!("- IndexName: {ORDER_INDEX} KeySchema: {}", keys(ORDER_KEY)),
        "Projection: ProjectionType: ALL".to_owned(),
        format!("TimeToLiveSpecification: AttributeName: {TTL_ATTRIBUTE} Enabled: true"),
    ] {
        assert!(table.contains(&expected), "{expected} is not in {table}");
    }
}
