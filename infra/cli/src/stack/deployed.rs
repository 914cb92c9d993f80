//! Finds what belongs to a stack by the stack's outputs.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, anyhow, bail};
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use ssf::{
    Transmitter,
    config::{Config, Settings},
    error::chain,
    json,
};
use ssf_aws::{Clients, Resources};

use crate::{args::OnStack, home::NoPush};

/// A stack, as it was deployed.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// CloudFormation's word for its state.
    pub status: String,
    /// The clients, with the rights of the caller.
    pub clients: Clients,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// The stack `name`.
    pub async fn find(name: &str, on: &OnStack) -> anyhow::Result<Self> {
        let config = sdk_config(on).await;
        let region = config.region().map(ToString::to_string).with_context(
            || "no AWS region is known: say --region, or set AWS_REGION or one in ~/.aws/config",
        )?;
        let client = aws_sdk_cloudformation::Client::new(&config);
        let found = client.describe_stacks().stack_name(name).send().await;
        let found = found.map_err(|error| {
            // Its code says no more than that the request is not valid.
            if error.message().is_some_and(|message| message.contains("does not exist")) {
                anyhow!("there is no stack {name:?} in {region}")
            } else {
                let reason = chain(&error);
                anyhow!("the stack {name:?} in {region} cannot be read: {reason}")
            }
        })?;
        let stack = found
            .stacks
            .and_then(|stacks| stacks.into_iter().next())
            .with_context(|| format!("there is no stack {name:?} in {region}"))?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        Ok(Self {
            name: name.to_owned(),
            status: stack.stack_status.map(|status| status.to_string()).unwrap_or_default(),
            clients: Clients::new(&config),
            outputs: outputs
                .filter_map(|output| Some((output.output_key?, output.output_value?)))
                .collect(),
            parameters: parameters
                .filter_map(|one| Some((one.parameter_key?, one.parameter_value?)))
                .collect(),
        })
    }

    /// One of its outputs.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.outputs.get(name).filter(|value| !value.is_empty());
        found.map(String::as_str).with_context(|| {
            let stack = &self.name;
            format!("the stack {stack} has no output {name}: is it one of Tocsin's template?")
        })
    }

    /// One of its parameters; `None` when it is empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What it was deployed with.
    pub fn config(&self) -> anyhow::Result<Config> {
        let unusable = || format!("the settings of the stack {} cannot be used", self.name);
        let settings: Settings =
            json::read(self.output("Settings")?.as_bytes()).with_context(unusable)?;
        settings.config().with_context(unusable)
    }

    /// The transmitter that it is.
    pub fn transmitter(&self) -> anyhow::Result<Transmitter> {
        // What is halfway is not to be trusted; an update that runs does no harm.
        if self.status.starts_with("DELETE") || self.status == "ROLLBACK_COMPLETE" {
            bail!("the stack {} is {}: there is no transmitter in it", self.name, self.status);
        }
        let output = |name| self.output(name).map(str::to_owned);
        let resources = Resources {
            table: output("TableName")?,
            ingest: output("IngestQueueUrl")?,
            ingest_fifo: output("IngestFifoQueueUrl")?,
            dead_letters: output("DeadLetterQueueUrl")?,
            push: output("PushQueueUrl")?,
            signing_key: output("SigningKeyArn")?,
            secrets_key: output("SecretsKeyArn")?,
        };
        let clients = self.clients.clone();
        Ok(ssf_aws::transmitter(self.config()?, resources, clients, Arc::new(NoPush)))
    }
}

async fn sdk_config(on: &OnStack) -> SdkConfig {
    let mut loader = Clients::loader();
    if let Some(region) = &on.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &on.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}
