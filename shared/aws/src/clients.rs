//! The clients of the AWS services.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

use crate::{Lazy, http};

/// A function's try that takes longer than this has failed. Everything that functions ask for is
/// answered within milliseconds.
pub const TRY: Duration = Duration::from_secs(2);
/// A connection that takes longer than this is not made.
pub const CONNECT: Duration = Duration::from_secs(1);
/// All tries of one call of a function together, and the waits between them: within the functions'
/// own time-outs, which are given in `template.yaml`. A function whose call failed can still say so,
/// and is not killed; `tests/it/template.rs` holds all these times together.
pub const CALL: Duration = Duration::from_secs(4);
/// How often one call is tried.
pub const TRIES: u32 = 4;
/// The longest wait before the second try after a throttle; it doubles with each. All waits and the
/// tries of a call that is refused at once fit into [`CALL`].
pub const FIRST_WAIT: Duration = Duration::from_millis(250);

/// The same for operators, who wait for some things on purpose (a receive at a queue, say), and have
/// nobody who kills them.
const OPERATORS_TRY: Duration = Duration::from_secs(3);
const OPERATORS_CALL: Duration = Duration::from_secs(8);

/// The clients, each made once for each process.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Of the table.
    pub dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    /// Of the queues.
    pub sqs: Lazy<aws_sdk_sqs::Client>,
    /// Of the keys.
    pub kms: Lazy<aws_sdk_kms::Client>,
}

impl Clients {
    /// Of a configuration, as [`Clients::function`], [`Clients::loader`] or a test makes it.
    pub fn new(config: &SdkConfig) -> Self {
        let (dynamodb, sqs, kms) = (config.clone(), config.clone(), config.clone());
        Self {
            dynamodb: Lazy::new(move || aws_sdk_dynamodb::Client::new(&dynamodb)),
            sqs: Lazy::new(move || aws_sdk_sqs::Client::new(&sqs)),
            kms: Lazy::new(move || aws_sdk_kms::Client::new(&kms)),
        }
    }

    /// The configuration of a function, to which Lambda tells its region and its credentials: it
    /// looks for them nowhere else. `endpoint` stands for the services' own, where there is one.
    pub fn function(
        region: String,
        credentials: Credentials,
        endpoint: Option<String>,
    ) -> SdkConfig {
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http::client())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .timeout_config(time_outs(TRY, CALL))
            .retry_config(retries());
        config.set_endpoint_url(endpoint);
        config.build()
    }

    /// The configuration of an operator's command, which looks wherever the tools of AWS look.
    pub fn loader() -> ConfigLoader {
        aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(time_outs(OPERATORS_TRY, OPERATORS_CALL))
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
    }
}

fn time_outs(one_try: Duration, call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(one_try)
        .operation_timeout(call)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(FIRST_WAIT)
}
