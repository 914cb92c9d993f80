//! The function `push`, as AWS Lambda runs it.

use ssf_aws::lambda::{self, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let transmitter = lambda::start()?;
    lambda::take_batches(async |batch| push::handle(&transmitter, &batch.messages).await).await
}
