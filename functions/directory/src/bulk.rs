//! Several operations in one request (RFC 7644, 3.7): each succeeds or fails for itself, and has a
//! `txn` of its own.

use std::collections::HashMap;

use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};
use ssf::{
    Error, Transmitter,
    client::Receiver,
    directory::{Directory, Group, ResourceId, User, location, version},
    scim::{
        BulkRequest, Projection, ResourceType,
        bulk::{BULK_RESPONSE, BulkOperation, Method, SentOperation},
    },
    web::{MayProvision, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    handlers::cause,
    resource::{Place, Resource, Writer},
};

pub(crate) async fn bulk(
    State(transmitter): State<Transmitter>,
    MayProvision(receiver): MayProvision,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let request = BulkRequest::parse(&body)?;
    let directory = Directory::of(&transmitter);
    let mut created = HashMap::new();
    let mut answers: Vec<Option<Value>> = vec![None; request.operations.len()];
    let mut failures = 0;
    for position in request.order() {
        if request.fail_on_errors.is_some_and(|most| failures >= most) {
            break;
        }
        let sent = &request.operations[*position];
        let done = match request.resolve(*position, &created) {
            Ok(operation) => run(&directory, &receiver, &operation).await,
            Err(error) => Err(error.into()),
        };
        answers[*position] = Some(match done {
            Ok(done) => {
                if let Some(name) = &sent.bulk_id {
                    created.insert(name.clone(), done.id.to_string());
                }
                succeeded(sent, &done, &directory)
            }
            Err(error) => {
                failures += 1;
                failed(sent, error, &directory)
            }
        });
    }
    let operations: Vec<Value> = answers.into_iter().flatten().collect();
    Ok(Answer::of(json!({ "schemas": [BULK_RESPONSE], "Operations": operations })))
}

/// What came of one operation.
struct Done {
    kind: ResourceType,
    id: ResourceId,
    revision: Option<u64>,
    status: StatusCode,
}

async fn run(
    directory: &Directory,
    receiver: &Receiver,
    operation: &BulkOperation,
) -> Result<Done, Error> {
    let cause = cause(directory, receiver, operation.method == Method::Put);
    let writer = Writer { directory, receiver, cause: &cause };
    match operation.resource_type {
        ResourceType::User => run_on::<User>(&writer, operation).await,
        ResourceType::Group => run_on::<Group>(&writer, operation).await,
    }
}

async fn run_on<T: Resource>(
    writer: &Writer<'_>,
    operation: &BulkOperation,
) -> Result<Done, Error> {
    let nothing = Value::Null;
    let body = operation.data.as_ref().unwrap_or(&nothing);
    let place = || {
        let id = operation.id.as_deref().unwrap_or_default();
        Place::of_operation(id, operation.version.as_deref(), T::KIND)
    };
    let (resource, status) = match operation.method {
        Method::Post => T::create(writer, body).await?,
        Method::Put => {
            let all = Projection::default_of(T::KIND);
            (T::replace(writer, place()?, body, &all).await?, StatusCode::OK)
        }
        Method::Patch => (T::change(writer, place()?, body).await?, StatusCode::OK),
        Method::Delete => {
            let place = place()?;
            T::delete(writer, place).await?;
            return Ok(Done {
                kind: T::KIND,
                id: place.id,
                revision: None,
                status: StatusCode::NO_CONTENT,
            });
        }
    };
    Ok(Done { kind: T::KIND, id: resource.id(), revision: Some(resource.revision()), status })
}

fn succeeded(sent: &SentOperation, done: &Done, directory: &Directory) -> Value {
    let location = location(done.kind, done.id, &directory.base());
    let mut answer = answer(sent, done.status.as_str(), Some(location));
    if let Some(revision) = done.revision {
        answer["version"] = version(revision).into();
    }
    answer
}

fn failed(sent: &SentOperation, error: Error, directory: &Directory) -> Value {
    let place = sent.read.as_ref().ok().and_then(|operation| {
        let endpoint = operation.resource_type.endpoint();
        operation.id.as_ref().map(|id| format!("{}{endpoint}/{id}", directory.base()))
    });
    let problem = Problem::from(error);
    let mut answer = answer(sent, problem.status().as_str(), place);
    answer["response"] = problem.scim();
    answer
}

fn answer(sent: &SentOperation, status: &str, location: Option<String>) -> Value {
    let mut answer = json!({ "status": status });
    if let Some(method) = sent.method {
        answer["method"] = method.name().into();
    }
    if let Some(name) = &sent.bulk_id {
        answer["bulkId"] = name.as_str().into();
    }
    if let Some(location) = location {
        answer["location"] = location.into();
    }
    answer
}
