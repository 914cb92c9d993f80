//! The clients of the AWS services.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

/// A try that takes longer than this has failed. Everything that we ask for is answered within
/// milliseconds.
const TRY: Duration = Duration::from_secs(3);
/// A connection that takes longer than this is not made.
const CONNECT: Duration = Duration::from_secs(1);
/// All tries of one call together: within the time-outs of the functions, which are given in
/// `template.yaml`, also when a few calls follow each other.
const CALL: Duration = Duration::from_secs(8);
/// How often one call is tried.
const TRIES: u32 = 4;

/// The clients, made once for each process.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Of the table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Of the queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Of the keys.
    pub kms: aws_sdk_kms::Client,
}

impl Clients {
    /// Of a configuration, as [`Clients::function`], [`Clients::loader`] or a test makes it.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
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
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .timeout_config(time_outs())
            .retry_config(retries());
        config.set_endpoint_url(endpoint);
        config.build()
    }

    /// The configuration of an operator's command, which looks wherever the tools of AWS look.
    pub fn loader() -> ConfigLoader {
        aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(time_outs())
            .retry_config(retries())
    }
}

fn time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(TRY)
        .operation_timeout(CALL)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES)
}
