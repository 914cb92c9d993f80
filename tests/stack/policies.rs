//! Each function may do what it needs and nothing more: whatever is taken from its role, or from the
//! policy of a key, is missed.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};
use ssf::{
    error::chain,
    table::{Condition, Content, Key, Table as _, TableError, Write, class},
};
use ssf_aws::DynamoDbTable;
use tests::{Function, Refusal, Reply};

use crate::{
    deployed::{Call, Deployed, on_the_stack, wait_until},
    operation::signing_keys,
    scene::Scene,
};

/// What is not refused within this time is asked for once more.
const AGAIN: Duration = Duration::from_secs(5);

/// What is not taken away, from whom, and why.
const EXCUSES: [(&str, &str, &str); 11] = [
    ("*", "logs:CreateLogStream", "Lambda itself writes a function's log, as its role"),
    ("*", "logs:PutLogEvents", "Lambda itself writes a function's log, as its role"),
    ("ingest", "sqs:DeleteMessage", "Lambda itself reads the queues of a function, as its role"),
    ("ingest", "sqs:GetQueueAttributes", "Lambda itself reads the queues of a function"),
    ("ingest", "sqs:ReceiveMessage", "Lambda itself reads the queues of a function"),
    ("push", "sqs:DeleteMessage", "Lambda itself reads the queues of a function"),
    ("push", "sqs:GetQueueAttributes", "Lambda itself reads the queues of a function"),
    ("push", "sqs:ReceiveMessage", "Lambda itself reads the queues of a function"),
    ("push", "kms:Sign", "a receiver that is away for a day is told that its stream is paused"),
    ("push", "dynamodb:BatchGetItem", "and several who would tell it see that it is told"),
    ("sweep", "kms:Sign", "an inactive receiver is told that its stream is paused, if that is on"),
];

/// An action, and what it is done to.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Right {
    action: String,
    resource: String,
    /// JSON; `null` if there is none.
    condition: String,
}

impl Right {
    fn new(action: &str, resource: &str, condition: &Value) -> Self {
        // The local AWS takes the batches of SQS for actions of their own.
        let action =
            if action.starts_with("sqs:") { action.trim_end_matches("Batch") } else { action };
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Self { action, resource, condition: condition.to_string() }
    }
}

impl Right {
    /// The statement of a policy that gives this right, or its like with another action.
    fn statement(&self, action: &str) -> Value {
        let mut statement =
            json!({ "Effect": "Allow", "Action": action, "Resource": self.resource });
        let condition: Value = serde_json::from_str(&self.condition).expect("it is JSON");
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    }
}

/// One or several texts.
fn texts(value: &Value) -> Vec<&str> {
    match value.as_array() {
        Some(values) => values.iter().filter_map(Value::as_str).collect(),
        None => value.as_str().into_iter().collect(),
    }
}

/// The role of a function.
struct Role<'a> {
    deployed: &'a Deployed,
    arn: String,
    name: String,
    policy: String,
    document: Value,
    /// The keys whose policies may name it.
    keys: Vec<String>,
}

impl<'a> Role<'a> {
    async fn of(deployed: &'a Deployed, function: &str) -> Self {
        let boto3 = &deployed.boto3;
        let name = json!({ "FunctionName": deployed.function(function) });
        let found = boto3.call("lambda", "get_function_configuration", &name);
        let arn = found["Role"].as_str().unwrap().to_owned();
        let name = arn.rsplit('/').next().unwrap().to_owned();
        let of_role = json!({ "RoleName": name });
        let attached = boto3.call("iam", "list_attached_role_policies", &of_role);
        assert_eq!(attached["AttachedPolicies"], json!([]), "{function}");
        let policies = boto3.call("iam", "list_role_policies", &of_role);
        let policy = texts(&policies["PolicyNames"]).join(", ");
        let of_policy = json!({ "RoleName": name, "PolicyName": policy });
        let mut found = boto3.call("iam", "get_role_policy", &of_policy);
        let document = found["PolicyDocument"].take();
        let mut keys = signing_keys(&aws_sdk_kms::Client::new(&deployed.sdk_config())).await;
        keys.push(deployed.output("SecretsKeyArn").to_owned());
        Self { deployed, arn, name, policy, document, keys }
    }

    /// All that it may do.
    fn rights(&self) -> BTreeSet<Right> {
        let mut rights = BTreeSet::new();
        for statement in self.document["Statement"].as_array().unwrap() {
            for action in texts(&statement["Action"]) {
                let resources = texts(&statement["Resource"]).into_iter();
                let condition = &statement["Condition"];
                rights.extend(resources.map(|resource| Right::new(action, resource, condition)));
            }
        }
        for (output, key) in [("SigningKeyArn", 0), ("SecretsKeyArn", self.keys.len() - 1)] {
            let statements = self.key_policy(&self.keys[key])["Statement"].take();
            let of_us = statements.as_array().unwrap().iter().filter(|one| self.is_named_in(one));
            let actions = of_us.flat_map(|statement| texts(&statement["Action"]));
            let key = self.deployed.output(output);
            rights.extend(actions.map(|action| Right::new(action, key, &Value::Null)));
        }
        rights
    }

    fn is_named_in(&self, statement: &Value) -> bool {
        texts(&statement["Principal"]["AWS"]).contains(&self.arn.as_str())
    }

    fn key_policy(&self, key: &str) -> Value {
        let of_key = json!({ "KeyId": key, "PolicyName": "default" });
        let found = self.deployed.boto3.call("kms", "get_key_policy", &of_key);
        serde_json::from_str(found["Policy"].as_str().unwrap()).unwrap()
    }

    fn put_key_policy(key: &str, policy: &Value) -> Call {
        let put = json!({ "KeyId": key, "PolicyName": "default", "Policy": policy.to_string() });
        ("kms", "put_key_policy", put)
    }

    fn put(&self, document: &Value) -> Call {
        let put = json!({
            "RoleName": self.name,
            "PolicyName": self.policy,
            "PolicyDocument": document.to_string(),
        });
        ("iam", "put_role_policy", put)
    }

    /// Whether `refusal` says that the function misses `right`.
    fn misses(&self, right: &Right, refusal: &Refusal) -> bool {
        let Refusal { message, request } = refusal;
        let name = |member: &str| request[member].as_str().and_then(|text| text.rsplit('/').next());
        let queue = name("QueueUrl").is_none_or(|queue| right.resource.ends_with(queue));
        let index = request.get("IndexName").is_some() == right.resource.contains("/index/");
        let asked = |end: &str| message.contains(&format!("perform: {}{end} ", right.action));
        let by_us = message.contains(&format!("assumed-role/{}/", self.name));
        by_us && queue && index && (asked("") || asked("Batch"))
    }

    /// Does `work` while the function has all rights but this one.
    async fn without(&self, right: &Right, work: impl AsyncFnOnce()) {
        if !right.action.starts_with("kms:") {
            let rest = self.rights().into_iter().filter(|one| one != right).flat_map(|one| {
                let batch = (one.action == "sqs:SendMessage").then_some("sqs:SendMessageBatch");
                let actions = [Some(one.action.as_str()), batch];
                let statement = |action| one.statement(action);
                actions.into_iter().flatten().map(statement).collect::<Vec<_>>()
            });
            let rest = json!({ "Version": "2012-10-17", "Statement": rest.collect::<Vec<_>>() });
            return self.with([(self.put(&rest), self.put(&self.document))], work).await;
        }
        let policies = self.keys.iter().map(|key| {
            let policy = self.key_policy(key);
            let without = self.policy_without(&policy, &right.action);
            (Self::put_key_policy(key, &without), Self::put_key_policy(key, &policy))
        });
        self.with(policies, work).await;
    }

    /// Does `work` between the first and the second of each of these calls.
    async fn with(&self, calls: impl IntoIterator<Item = (Call, Call)>, work: impl AsyncFnOnce()) {
        let (calls, undo): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        let changed = self.deployed.will_undo(undo);
        for (service, operation, arguments) in calls {
            self.deployed.boto3.call(service, operation, &arguments);
        }
        work().await;
        self.deployed.undo_from(changed);
    }

    fn policy_without(&self, policy: &Value, action: &str) -> Value {
        let mut policy = policy.clone();
        let mut kept = Vec::new();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            if self.is_named_in(statement) && texts(&statement["Action"]).contains(&action) {
                let actions = texts(&statement["Action"]).into_iter();
                let rest: Vec<_> = actions.filter(|one| *one != action).collect();
                if !rest.is_empty() {
                    let mut of_us = statement.clone();
                    of_us["Action"] = json!(rest);
                    of_us["Principal"] = json!({ "AWS": self.arn });
                    of_us["Sid"] = json!("Kept");
                    kept.push(of_us);
                }
                let all = texts(&statement["Principal"]["AWS"]).into_iter();
                let others: Vec<_> =
                    all.filter(|arn| *arn != self.arn).map(str::to_owned).collect();
                // A statement must have somebody.
                let nobody = json!({ "Service": "nobody.amazonaws.com" });
                statement["Principal"] =
                    if others.is_empty() { nobody } else { json!({ "AWS": others }) };
            }
        }
        policy["Statement"].as_array_mut().unwrap().extend(kept);
        policy
    }
}

#[test]
fn what_is_taken_from_a_function_is_missed() {
    on_the_stack(async |deployed| {
        let scene = Scene::set(deployed).await;
        let mut excused = BTreeSet::new();
        for function in Function::ALL.map(Function::name) {
            let role = Role::of(deployed, function).await;
            for right in role.rights() {
                let excuse = EXCUSES.iter().position(|(whose, action, _)| {
                    (*whose == "*" || *whose == function) && *action == right.action
                });
                if excuse.is_some() {
                    excused.insert(excuse);
                    continue;
                }
                let what = format!("{function} to miss {right:?}");
                role.without(&right, async || {
                    let mut acted: Option<Instant> = None;
                    wait_until(&what, async || {
                        // What was asked of a process that was just killed may have died with it.
                        if acted.is_none_or(|at| at.elapsed() > AGAIN) {
                            scene.act(function, &right.action, &right.resource).await;
                            acted = Some(Instant::now());
                        }
                        let refusals = deployed.proxy.take_refusals();
                        refusals.iter().any(|refusal| role.misses(&right, refusal))
                    })
                    .await;
                    scene.tidy_up().await;
                })
                .await;
            }
        }
        assert_eq!(excused.len(), EXCUSES.len(), "nobody needs to be excused for nothing");
        all_is_well(deployed, &scene).await;
    });
}

/// Who may read the public keys may not write them, nor read anybody else's rows: in one request with
/// his own neither.
#[test]
fn the_rows_of_others_are_out_of_reach() {
    on_the_stack(async |deployed| {
        let role = Role::of(deployed, "discovery").await;
        let user = json!({ "UserName": "like-discovery" });
        let policy = json!({
            "UserName": "like-discovery",
            "PolicyName": "discovery",
            "PolicyDocument": role.document.to_string(),
        });
        deployed.boto3.call("iam", "create_user", &user);
        deployed.boto3.call("iam", "put_user_policy", &policy);
        let made = deployed.boto3.call("iam", "create_access_key", &user);
        let text = |name: &str| made["AccessKey"][name].as_str().unwrap().to_owned();
        let (id, secret) = (text("AccessKeyId"), text("SecretAccessKey"));
        let credentials = Credentials::new(id, secret, None, None, "tests");
        let config = deployed.sdk_config().into_builder();
        let config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
        let client = aws_sdk_dynamodb::Client::new(&config.build());
        let clock = std::sync::Arc::new(ssf::clock::SystemClock);
        let table = DynamoDbTable::new(client, deployed.output("TableName"), clock);
        let ring = Key::new(class::KEYS.partition(), "RING");
        assert!(table.get(&ring).await.unwrap().is_some());
        let refused = async |key: &Key| {
            let Err(TableError::Unavailable(error)) = table.get(key).await else { return false };
            chain(&*error).contains("AccessDenied")
        };
        assert!(refused(&Key::new(class::CLIENT.of("a"), "CLIENT")).await);
        assert!(refused(&Key::new("KEYS#", "RING")).await);
        let put = Write::put(ring.clone(), Condition::Any, Content::default());
        assert!(matches!(table.write_one(put.clone()).await, Err(TableError::Unavailable(_))));
        assert!(matches!(table.transact(vec![put]).await, Err(TableError::Unavailable(_))));
    });
}

/// With all rights back, all functions do what they are there for, and nothing is refused.
async fn all_is_well(deployed: &Deployed, scene: &Scene<'_>) {
    deployed.receiver.otherwise(Reply::status(202));
    deployed.proxy.take_refusals();
    for function in Function::ALL.map(Function::name) {
        scene.act_well(function).await;
    }
    scene.is_delivered().await;
    let refusals = deployed.proxy.take_refusals();
    assert!(refusals.is_empty(), "{refusals:?}");
}
