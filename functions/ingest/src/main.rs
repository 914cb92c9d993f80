//! The function `ingest`, as AWS Lambda runs it.

use ssf_aws::lambda::{self, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let transmitter = lambda::start()?;
    lambda::take_batches(async |batch| {
        ingest::handle(&transmitter, batch.door(), &batch.messages).await
    })
    .await
}
