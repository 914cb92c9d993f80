//! The transmitter whose seams lead to AWS.

use std::sync::Arc;

use ssf::{
    Parts, Transmitter, clock::SystemClock, config::Config, delivery::HttpPush, ids::RandomIds,
};

use crate::{Clients, DynamoDbTable, KmsSeal, KmsSigner, Resources, SqsQueue};

/// The transmitter that keeps its state in `resources` and reaches receivers by `http`.
pub fn transmitter(
    config: Config,
    resources: Resources,
    clients: Clients,
    http: Arc<dyn HttpPush>,
) -> Transmitter {
    let Clients { dynamodb, sqs, kms } = clients;
    let clock = Arc::new(SystemClock);
    let queue = |url| Arc::new(SqsQueue::new(sqs.clone(), url));
    Transmitter::new(Parts {
        config,
        table: Arc::new(DynamoDbTable::new(dynamodb, resources.table, clock.clone())),
        ingest: queue(resources.ingest),
        ingest_fifo: queue(resources.ingest_fifo),
        dead_letters: queue(resources.dead_letters),
        push: queue(resources.push),
        signer: Arc::new(KmsSigner::new(kms.clone(), resources.signing_key, clock.clone())),
        seal: Arc::new(KmsSeal::new(kms, resources.secrets_key)),
        http,
        clock,
        ids: Arc::new(RandomIds),
    })
}
