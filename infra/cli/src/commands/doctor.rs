//! `tocsin doctor`: what people get wrong with a deployed transmitter, and how to mend it.

#[cfg(feature = "aws")]
mod checks;
#[cfg(feature = "aws")]
mod finding;

use crate::{args::OnStack, output::Output};

/// Looks at everything, and fails when something is wrong.
#[cfg(feature = "aws")]
pub async fn run(on: &OnStack, output: Output) -> anyhow::Result<()> {
    use anyhow::{Context, bail};

    let name = on.stack.as_deref().context("say which transmitter to look at: --stack NAME")?;
    let stack = crate::stack::Stack::find(name, on).await?;
    let findings = checks::all(&stack).await;
    output.show(&findings, |findings| finding::text(findings))?;
    match findings.iter().filter(|finding| finding.is_wrong()).count() {
        0 => Ok(()),
        1 => bail!("one thing is wrong with the stack {name}"),
        wrong => bail!("{wrong} things are wrong with the stack {name}"),
    }
}

/// What a tool without AWS says.
#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_async, reason = "so is the one that speaks to AWS")]
pub async fn run(_: &OnStack, _: Output) -> anyhow::Result<()> {
    anyhow::bail!(crate::stack::WITHOUT_AWS)
}
