//! What `DynamoDB` may answer, and what the table makes of it: that which an emulator never answers.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
};

use aws_sdk_dynamodb::{
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::ErrorMetadata,
    operation::{
        batch_get_item::BatchGetItemOutput,
        delete_item::DeleteItemOutput,
        put_item::{PutItemError, PutItemOutput},
        transact_write_items::TransactWriteItemsOutput,
    },
    types::error::ConditionalCheckFailedException,
};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use ssf::table::Condition;

use super::*;
use crate::naps::Naps;

fn table(rules: &[&Rule]) -> DynamoDbTable {
    on(Arc::new(Naps::default()), rules)
}

fn on(clock: Arc<Naps>, rules: &[&Rule]) -> DynamoDbTable {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| config
        .retry_config(RetryConfig::disabled()));
    DynamoDbTable::new(client, "tocsin", clock)
}

fn put(condition: Condition) -> Write {
    Write::put(Key::new("p", "1"), condition, Content { body: "{}".into(), ..Content::default() })
}

async fn write(table: &DynamoDbTable, write: Write) -> Result<Version, TableError> {
    table.write(vec![write]).await.pop().unwrap()
}

fn stored(sk: &str) -> Attributes {
    of_content(Key::new("p", sk), Content::default(), Version(7)).unwrap()
}

fn unread(keys: &[&str]) -> KeysAndAttributes {
    let keys = keys.iter().map(|sk| row::key(Key::new("p", *sk))).collect();
    KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap()
}

#[tokio::test]
async fn keys_that_were_left_unread_are_asked_for_again() {
    let asks_for = |request: &HashMap<String, KeysAndAttributes>, count| {
        request["tocsin"].keys().len() == count && request["tocsin"].consistent_read() == Some(true)
    };
    let first = mock!(Client::batch_get_item)
        .match_requests(move |request| asks_for(request.request_items().unwrap(), 3))
        .then_output(|| {
            let answer = BatchGetItemOutput::builder().responses("tocsin", vec![stored("2")]);
            answer.unprocessed_keys("tocsin", unread(&["1", "3"])).build()
        });
    let second = mock!(Client::batch_get_item)
        .match_requests(move |request| asks_for(request.request_items().unwrap(), 2))
        .then_output(|| {
            BatchGetItemOutput::builder().responses("tocsin", vec![stored("1")]).build()
        });
    let clock = Arc::new(Naps::default());
    let table = on(clock.clone(), &[&first, &second]);
    let keys = ["1", "2", "1", "3"].map(|sk| Key::new("p", sk));
    let found = table.batch_get(&keys).await.unwrap();
    let found: Vec<_> = found.iter().map(|item| item.as_ref().map(|item| &*item.key.sk)).collect();
    assert_eq!(found, [Some("1"), Some("2"), Some("1"), None]);
    let [nap] = clock.taken()[..] else { panic!("{:?}", clock.taken()) };
    assert!((FIRST_WAIT / 2..=FIRST_WAIT).contains(&nap), "{nap:?}");
}

#[tokio::test]
async fn keys_that_are_left_unread_for_ever_are_given_up() {
    let nothing = mock!(Client::batch_get_item).then_output(|| {
        BatchGetItemOutput::builder().unprocessed_keys("tocsin", unread(&["1"])).build()
    });
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&nothing]);
    let clock = Arc::new(Naps::default());
    let table = DynamoDbTable::new(client, "tocsin", clock.clone());
    let answer = table.batch_get(&[Key::new("p", "1")]).await;
    assert!(matches!(answer, Err(TableError::Unavailable(_))), "{answer:?}");
    assert_eq!(nothing.num_calls(), 6);
    let naps = clock.taken();
    for (nap, longest) in naps.iter().zip([50, 100, 200, 400, 800]) {
        let longest = Duration::from_millis(longest);
        assert!((longest / 2..=longest).contains(nap), "{nap:?} of {longest:?}");
    }
    assert_eq!(naps.len(), 5);
}

fn kind<T: std::fmt::Debug>(answer: Result<T, TableError>) -> &'static str {
    match answer.unwrap_err() {
        TableError::Busy(_) => "busy",
        TableError::Conflict => "conflict",
        TableError::Corrupt { .. } => "corrupt",
        TableError::Full => "full",
        TableError::Refused(reason) => reason,
        TableError::Unavailable(_) => "unavailable",
    }
}

const LARGE: &str = "the item, or one of its keys, is larger than DynamoDB allows";

#[tokio::test]
async fn an_error_of_a_write_says_whether_to_decide_again_or_to_try_again() {
    for (status, error, message, expected) in [
        (400, "ConditionalCheckFailedException", "The conditional request failed", "conflict"),
        (400, "TransactionConflictException", "Transaction is ongoing for the item", "unavailable"),
        (400, "ProvisionedThroughputExceededException", "", "unavailable"),
        (400, "ThrottlingException", "", "unavailable"),
        (400, "RequestLimitExceeded", "", "unavailable"),
        (400, "AccessDeniedException", "", "unavailable"),
        (400, "ResourceNotFoundException", "", "unavailable"),
        (500, "InternalServerError", "", "unavailable"),
        (503, "ServiceUnavailable", "", "unavailable"),
        (400, "ItemCollectionSizeLimitExceededException", "", "full"),
        (400, "ValidationException", "Item size has exceeded the maximum allowed size", LARGE),
        (400, "ValidationException", "Invalid ConditionExpression", "unavailable"),
    ] {
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{error}","message":"{message}"}}"#
        );
        let rule = mock!(Client::put_item).sequence().http_status(status, Some(body)).repeatedly();
        let rule = rule.build();
        assert_eq!(
            kind(write(&table(&[&rule]), put(Condition::Absent)).await),
            expected,
            "{error}"
        );
    }
}

/// What one partition cannot do is told from what the whole table cannot.
#[tokio::test]
async fn a_busy_partition_is_told_from_a_busy_table() {
    const ERRORS: [&str; 3] =
        ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"];
    for (reasons, expected) in [
        (&["TableWriteKeyRangeThroughputExceeded"][..], "busy"),
        (&["IndexWriteKeyRangeThroughputExceeded"], "busy"),
        (&["TableReadKeyRangeThroughputExceeded", "IndexReadKeyRangeThroughputExceeded"], "busy"),
        (&["TableWriteAccountLimitExceeded"], "unavailable"),
        (&["TableWriteMaxOnDemandThroughputExceeded"], "unavailable"),
        (
            &["TableWriteKeyRangeThroughputExceeded", "TableWriteAccountLimitExceeded"],
            "unavailable",
        ),
        (&[], "unavailable"),
    ] {
        for error in ERRORS {
            let reasons: Vec<_> = reasons
                .iter()
                .map(|reason| format!(r#"{{"reason":"{reason}","resource":"arn:aws:dynamodb:x"}}"#))
                .collect();
            let body = format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{error}","message":"",
                    "throttlingReasons":[{}],"ThrottlingReasons":[{}]}}"#,
                reasons.join(","),
                reasons.join(",")
            );
            let put_item = mock!(Client::put_item).sequence().http_status(400, Some(body.clone()));
            let put_item = put_item.repeatedly().build();
            let answer = write(&table(&[&put_item]), put(Condition::Absent)).await;
            assert_eq!(kind(answer), expected, "{error} {reasons:?}");
            let query = mock!(Client::query).sequence().http_status(400, Some(body.clone()));
            let query = query.repeatedly().build();
            let answer = table(&[&query]).query(Query::sorted("p", "")).await;
            assert_eq!(kind(answer), expected, "{error} {reasons:?}");
        }
    }
}

#[tokio::test]
async fn a_canceled_transaction_says_why() {
    for (reasons, expected) in [
        (vec!["None", "ConditionalCheckFailed"], "conflict"),
        (vec!["TransactionConflict", "None"], "unavailable"),
        (vec!["TransactionConflict", "ConditionalCheckFailed"], "conflict"),
        (vec!["TransactionConflict", "ThrottlingError"], "unavailable"),
        (vec!["ThrottlingError", "None"], "unavailable"),
        (vec!["ProvisionedThroughputExceeded", "ConditionalCheckFailed"], "unavailable"),
        (vec!["ConditionalCheckFailed", "ThrottlingError"], "unavailable"),
        (vec!["None", "ItemCollectionSizeLimitExceeded"], "full"),
        (vec!["None", "ValidationError"], "unavailable"),
        (vec![], "unavailable"),
    ] {
        let listed: Vec<_> = reasons.iter().map(|code| format!(r#"{{"Code":"{code}"}}"#)).collect();
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "CancellationReasons":[{}]}}"#,
            listed.join(",")
        );
        let rule = mock!(Client::transact_write_items).sequence().http_status(400, Some(body));
        let rule = rule.repeatedly().build();
        let answer = table(&[&rule]).transact(vec![put(Condition::Absent)]).await;
        assert_eq!(kind(answer), expected, "{reasons:?}");
    }
}

#[tokio::test]
async fn a_check_is_sent_with_its_condition_and_changes_nothing() {
    let rule = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let [put, check] = request.transact_items() else { return false };
            let Some(check) = check.condition_check() else { return false };
            put.put().is_some()
                && check.table_name() == "tocsin"
                && *check.key() == row::key(Key::new("p", "2"))
                && check.condition_expression().contains("#version = :version")
                && check.expression_attribute_values().unwrap()[":version"].as_n().unwrap() == "7"
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let check = Write::check(Key::new("p", "2"), Condition::Version(Version(7)));
    let versions = table(&[&rule]).transact(vec![put(Condition::Any), check.clone()]).await;
    assert_eq!(versions.unwrap().len(), 2);
    // By itself `DynamoDB` knows no such thing: no request is made.
    assert_eq!(kind(write(&table(&[]), check).await), "a check is part of a transaction alone");
}

/// No condition was looked at, so that nobody must decide again.
#[tokio::test]
async fn what_meets_a_transaction_waits_for_its_end() {
    let met = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
    let canceled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}"#;
    let put_item = mock!(Client::put_item)
        .sequence()
        .http_status(400, Some(met.to_owned()))
        .http_status(400, Some(met.to_owned()))
        .output(|| PutItemOutput::builder().build())
        .build();
    let delete_item = mock!(Client::delete_item)
        .sequence()
        .http_status(400, Some(met.to_owned()))
        .output(|| DeleteItemOutput::builder().build())
        .build();
    let transact = mock!(Client::transact_write_items)
        .sequence()
        .http_status(400, Some(canceled.to_owned()))
        .output(|| TransactWriteItemsOutput::builder().build())
        .build();
    let clock = Arc::new(Naps::default());
    let table = on(clock.clone(), &[&put_item, &delete_item, &transact]);
    write(&table, put(Condition::Absent)).await.unwrap();
    let delete = Write::delete(Key::new("p", "1"), Condition::Version(Version(7)));
    write(&table, delete).await.unwrap();
    table.transact(vec![put(Condition::Any)]).await.unwrap();
    let calls = [&put_item, &delete_item, &transact].map(Rule::num_calls);
    assert_eq!((calls, clock.taken().len()), ([3, 2, 2], 4));
}

/// `DynamoDB` counts the copy in the index towards the 400 KB that an item may have.
#[tokio::test]
async fn an_item_that_is_too_large_with_its_copy_is_not_sent() {
    let sent = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, &[&sent]);
    let table = DynamoDbTable::new(client, "tocsin", Arc::new(Naps::default()));
    // A random hexadecimal digit takes about half a byte when it is compressed.
    let digits = |kb: usize| -> String {
        let digit = || char::from_digit((random() & 15) as u32, 16).unwrap();
        std::iter::repeat_with(digit).take(kb * 1024).collect()
    };
    for (kb, order, fits) in
        [(350, Some("P#1"), true), (350, None, true), (390, None, true), (390, Some("P#1"), false)]
    {
        let content = Content { body: digits(kb), order: order.map(str::to_owned), expires: None };
        let write = table.write_one(Write::put(Key::new("p", "1"), Condition::Any, content)).await;
        assert_eq!(write.is_ok(), fits, "{kb} {order:?} {write:?}");
        assert!(fits || matches!(write, Err(TableError::Refused(_))), "{write:?}");
    }
    assert_eq!(sent.num_calls(), 3);
}

#[tokio::test]
async fn a_put_that_meets_itself_has_succeeded() {
    let failed = |item| {
        let failed = ConditionalCheckFailedException::builder().set_item(item);
        let code = ErrorMetadata::builder().code("ConditionalCheckFailedException").build();
        let failed = failed.meta(code).build();
        MockResponse::Error(PutItemError::ConditionalCheckFailedException(failed))
    };
    // As when the first try was done and its answer was lost.
    let ours = mock!(Client::put_item).then_compute_response(move |put| {
        assert_eq!(put.return_values_on_condition_check_failure, Some(OnFailure::AllOld));
        failed(put.item.clone())
    });
    let version = write(&table(&[&ours]), put(Condition::Absent)).await.unwrap();
    assert_ne!(version, Version(0));
    for other in [Some(stored("1")), None] {
        let others = mock!(Client::put_item).then_compute_response(move |_| failed(other.clone()));
        assert_eq!(kind(write(&table(&[&others]), put(Condition::Absent)).await), "conflict");
    }
}

#[tokio::test]
async fn what_is_throttled_once_is_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let throttled = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
    let rule = mock!(Client::put_item)
        .sequence()
        .http_status(400, Some(throttled.to_owned()))
        .output({
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
                PutItemOutput::builder().build()
            }
        })
        .build();
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, &[&rule], |config| config
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))));
    let table = DynamoDbTable::new(client, "tocsin", Arc::new(Naps::default()));
    write(&table, put(Condition::Absent)).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_table_that_does_not_answer_in_time_is_not_available() {
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(20)).build();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::for_tests())
        .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
        .timeout_config(timeouts)
        .build();
    let client = Client::from_conf(config);
    let table = DynamoDbTable::new(client, "tocsin", Arc::new(Naps::default()));
    assert_eq!(kind(write(&table, put(Condition::Absent)).await), "unavailable");
    assert_eq!(kind(table.get(&Key::new("p", "1")).await), "unavailable");
    assert_eq!(kind(table.query(Query::sorted("p", "")).await), "unavailable");
    assert_eq!(kind(table.transact(vec![put(Condition::Any)]).await), "unavailable");
}
