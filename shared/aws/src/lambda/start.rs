//! Making a transmitter when the function starts.

use std::{env, sync::Arc};

use ssf::{
    Parts, Transmitter,
    clock::SystemClock,
    delivery::{HttpsPush, HttpsPushSettings},
    error::chain,
    ids::RandomIds,
};

use super::{Error, log};
use crate::{Clients, DynamoDbTable, Environment, KmsSeal, KmsSigner, SqsQueue};

/// The transmitter that the environment describes, once for each start of the function. Fails with
/// the name of the variable that is missing or wrong.
#[expect(clippy::disallowed_methods, reason = "this is where a function reads its configuration")]
pub async fn start() -> Result<Transmitter, Error> {
    let variable = |name: &str| env::var(name).ok();
    log::init(
        variable("AWS_LAMBDA_LOG_LEVEL").as_deref(),
        &variable("STACK_NAME").unwrap_or_default(),
    );
    let environment = Environment::read(variable)
        .inspect_err(|error| tracing::error!(error = chain(error), "the function cannot start"))?;
    let clients = Clients::new(&Clients::configured().await);
    Ok(Transmitter::new(parts(environment, clients)?))
}

fn parts(environment: Environment, clients: Clients) -> Result<Parts, Error> {
    let Environment { config, resources, push_ca } = environment;
    let Clients { dynamodb, sqs, kms } = clients;
    let clock = Arc::new(SystemClock);
    let mut push =
        HttpsPushSettings { allow_private: config.allow_private_push, ..Default::default() };
    if let Some(pem) = push_ca {
        push = push.trust(pem.as_bytes())?;
    }
    let queue = |url| Arc::new(SqsQueue::new(sqs.clone(), url));
    Ok(Parts {
        config,
        table: Arc::new(DynamoDbTable::new(dynamodb, resources.table, clock.clone())),
        ingest: queue(resources.ingest),
        ingest_fifo: queue(resources.ingest_fifo),
        dead_letters: queue(resources.dead_letters),
        push: queue(resources.push),
        signer: Arc::new(KmsSigner::new(kms.clone(), resources.signing_key)),
        seal: Arc::new(KmsSeal::new(kms, resources.secrets_key)),
        http: Arc::new(HttpsPush::new(push)?),
        clock,
        ids: Arc::new(RandomIds),
    })
}
