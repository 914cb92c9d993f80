//! What the functions work with: a table, queues and keys on the local AWS, and a receiver.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use serde_json::{Value, json};
use ssf::{
    Transmitter,
    client::{NewClient, Scope},
    delivery::HttpsPush,
    queue::Received,
};
use ssf_aws::{Clients, Environment, environment::variable};
use tests::{
    Emulator, FaultProxy, TestReceiver,
    emulator::{create_queue, create_table, fresh_account},
};

/// As `template.yaml` has it.
const VISIBILITY: Duration = Duration::from_mins(1);

/// A transmitter's world.
pub(crate) struct Aws {
    pub(crate) receiver: TestReceiver,
    /// Counts the functions' calls.
    pub(crate) proxy: FaultProxy,
    /// Of the functions.
    pub(crate) variables: Vec<(&'static str, String)>,
    transmitter: Transmitter,
}

impl Aws {
    pub(crate) async fn new() -> Self {
        let receiver = TestReceiver::start().await;
        let proxy = FaultProxy::start().await;
        proxy.lead_to(Emulator::shared().endpoint());
        let account = fresh_account();
        let clients = Clients::new(&Emulator::shared().sdk_config(&account));
        create_table(&clients.dynamodb, "table").await;
        let variables = vec![
            ("AWS_ENDPOINT_URL", proxy.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("STACK_NAME", "tocsin".to_owned()),
            (variable::SETTINGS, SETTINGS.to_owned()),
            (variable::TABLE, "table".to_owned()),
            (variable::INGEST, create_queue(&clients.sqs, "ingest").await),
            (variable::INGEST_FIFO, create_queue(&clients.sqs, "ingest.fifo").await),
            (variable::DEAD_LETTERS, create_queue(&clients.sqs, "dead-letters").await),
            (variable::PUSH, create_queue(&clients.sqs, "push.fifo").await),
            (variable::SIGNING_KEY, key(&clients, KeySpec::Rsa2048).await),
            (variable::SECRETS_KEY, key(&clients, KeySpec::SymmetricDefault).await),
            (variable::PUSH_CA, receiver.certificate().to_owned()),
        ];
        let by_name: BTreeMap<_, _> = variables.iter().cloned().collect();
        let Environment { config, resources, push, .. } =
            Environment::read(|name| by_name.get(name).cloned()).expect("all is given");
        let http = HttpsPush::new(push).expect("the receiver has a certificate");
        let transmitter = ssf_aws::transmitter(config, resources, clients, Arc::new(http));
        Self { receiver, proxy, variables, transmitter }
    }

    /// Registers a receiver: the form with which it asks for an access token.
    pub(crate) async fn register(&self) -> String {
        let wish = NewClient::new("receiver", vec!["https://receiver.example".to_owned()]);
        let registered = self.transmitter.client_create(wish).await;
        let (client, secret) = registered.expect("it can be registered");
        let (id, secret) = (client.client_id.0, secret.expect("it has a secret"));
        let secret = secret.expose();
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    }

    /// The token of a client that provisions, and may set passwords.
    pub(crate) async fn provisioner(&self) -> String {
        let mut wish = NewClient::new("provisioner", Vec::new());
        wish.scope.clear();
        wish.scope.extend([Scope::Scim]);
        wish.scim.may_set_passwords = true;
        let (client, _) = self.transmitter.client_create(wish).await.expect("it can be registered");
        let token = self.transmitter.static_token_create(&client.client_id, None).await;
        token.expect("the client is there").1.expose().to_owned()
    }

    /// The next bells, as Lambda brings them to the function `push`.
    pub(crate) async fn bells(&self) -> Value {
        let queue = &self.transmitter.parts().push;
        let bells = queue.receive(10, VISIBILITY).await.expect("the queue can be read");
        let receipts = bells.iter().map(|bell| bell.receipt.clone()).collect();
        // What the function does not finish is to be seen, not to come again.
        queue.delete(receipts).await.expect("bells can be deleted");
        let arn = "arn:aws:sqs:us-east-1:123456789012:push.fifo";
        assert!(!bells.is_empty(), "who has not been told everything is waited for");
        batch(arn, bells.iter().map(record))
    }
}

const SETTINGS: &str = r#"{"issuer":"https://ssf.example","allow_private_push":true}"#;

async fn key(clients: &Clients, spec: KeySpec) -> String {
    let is_symmetric = spec == KeySpec::SymmetricDefault;
    let usage = if is_symmetric { KeyUsageType::EncryptDecrypt } else { KeyUsageType::SignVerify };
    let made = clients.kms.create_key().key_spec(spec).key_usage(usage).send().await;
    let made = made.expect("a key can be created");
    made.key_metadata.and_then(|key| key.arn).expect("it has an ARN")
}

/// Messages of a queue, as Lambda brings them.
pub(crate) fn batch(arn: &str, records: impl Iterator<Item = Value>) -> Value {
    let records: Vec<Value> = records
        .map(|mut record| {
            record["eventSource"] = "aws:sqs".into();
            record["eventSourceARN"] = arn.into();
            record["awsRegion"] = "us-east-1".into();
            record
        })
        .collect();
    json!({ "Records": records })
}

fn record(message: &Received) -> Value {
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.receives.to_string(),
            "SentTimestamp": message.sent_at.as_millisecond().to_string(),
            "MessageGroupId": message.group,
            "SequenceNumber": message.sequence,
        },
        "messageAttributes": {},
    })
}
