//! Making a transmitter when the function starts.

use std::{env, sync::Arc};

use ssf::{Transmitter, delivery::HttpsPush, error::chain};

use super::{Error, log};
use crate::{Clients, Environment, environment::EnvironmentError, transmitter};

/// The transmitter that the environment describes, once for each start of the function. Fails with
/// the name of the variable that is missing or wrong.
pub fn start() -> Result<Transmitter, Error> {
    log::init(
        variable("AWS_LAMBDA_LOG_LEVEL").as_deref(),
        &variable("STACK_NAME").unwrap_or_default(),
    );
    let (environment, push) = read()
        .inspect_err(|error| tracing::error!(error = chain(error), "the function cannot start"))?;
    let Environment { config, resources, aws, .. } = environment;
    Ok(transmitter(config, resources, Clients::new(&aws), Arc::new(push)))
}

/// What the function is told, and how it reaches receivers.
pub fn read() -> Result<(Environment, HttpsPush), EnvironmentError> {
    let environment = Environment::read(variable)?;
    let push = HttpsPush::new(environment.push.clone()).map_err(EnvironmentError::PushCa)?;
    Ok((environment, push))
}

#[expect(clippy::disallowed_methods, reason = "this is where a function reads its configuration")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
