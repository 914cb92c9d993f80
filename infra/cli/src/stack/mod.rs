//! A transmitter that is deployed on AWS, as the operator's commands reach it.

#[cfg(feature = "aws")]
mod deployed;

use ssf::Transmitter;

use crate::args::OnStack;

#[cfg(feature = "aws")]
pub use deployed::Stack;

/// The transmitter of the stack `name`, with the rights of the caller.
#[cfg(feature = "aws")]
pub async fn open(name: &str, on: &OnStack) -> anyhow::Result<Transmitter> {
    Stack::find(name, on).await?.transmitter()
}

/// What a tool without AWS says.
#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "so is the one that speaks to AWS")]
pub async fn open(_: &str, _: &OnStack) -> anyhow::Result<Transmitter> {
    anyhow::bail!(WITHOUT_AWS)
}

/// How to get a tool that can.
#[cfg(not(feature = "aws"))]
pub const WITHOUT_AWS: &str = "this `tocsin` was built without AWS; `cargo install --path infra/cli \
                               --features aws` builds one that knows --stack";
