//! The function `sweep`, as AWS Lambda runs it.

use ssf_aws::lambda::{self, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let transmitter = lambda::start()?;
    lambda::run_scheduled(async || sweep::handle(&transmitter).await.map(drop)).await
}
