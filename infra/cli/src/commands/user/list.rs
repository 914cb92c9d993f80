//! `tocsin user list`: people, found by a filter.

use clap::builder::StyledStr;
use ssf::directory::User;

use super::shown;
use crate::{
    args::{Data, OnStack},
    commands::people::{Desk, Wanted},
    output::Output,
};

pub(super) fn examples() -> StyledStr {
    crate::args::examples(&[
        ("All", "tocsin user list --data ./data"),
        ("Those who are locked", "tocsin user list --data ./data --filter 'active eq false'"),
        (
            "Those of a domain, by their names",
            "tocsin user list --data ./data --filter 'emails.value ew \"@example.com\"' --sort userName",
        ),
    ])
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let desk = Desk::open(&args.data, on).await?;
    let (users, more) = args.wanted.find::<User>(&desk).await?;
    let (base, now) = (desk.directory.base(), desk.now());
    let resources: Vec<_> = users.iter().map(|user| user.resource(None, &base, now)).collect();
    output.show(&resources, |_| shown::table(&users, now))?;
    if more {
        output.note("there are more: --limit shows them")?;
    }
    Ok(())
}
