//! The function `sign-in`, as AWS Lambda runs it.

use ssf_aws::lambda::{self, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let transmitter = lambda::start()?;
    lambda::serve(sign_in::router(&transmitter)).await
}
