//! `tocsin user create`: makes a person.

use clap::builder::StyledStr;
use jiff::Timestamp;
use serde_json::{Value, json};
use ssf::{
    directory::{Given, User},
    scim::{self, Mode, ResourceType, schema::TOCSIN_USER},
};

use crate::{
    args::{Data, OnStack},
    commands::people::{self, Assignment, Desk, sentence},
    output::{Cell, Output, advise},
};

pub(super) const EXAMPLE: &str =
    "tocsin user create --data ./data jane --email jane@example.com --display-name \"Jane Roe\"";

pub(super) fn examples() -> StyledStr {
    crate::args::examples(&[
        ("One with an address", EXAMPLE),
        (
            "One with more attributes, named as in SCIM, who is locked when a contract ends",
            "tocsin user create --data ./data jane --set title=Nurse --lock-at 2027-01-31",
        ),
        (
            "One with a password, which is read from stdin",
            "tocsin user create --data ./data jane --password-stdin < password.txt",
        ),
    ])
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,

    /// The userName, by which the person signs in
    name: String,

    /// An e-mail address, the preferred one first; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,

    /// The name that others see
    #[arg(long)]
    display_name: Option<String>,

    /// The given name
    #[arg(long)]
    given_name: Option<String>,

    /// The family name
    #[arg(long)]
    family_name: Option<String>,

    /// An attribute, named as in SCIM, and its value: title=Nurse; may be given several times
    #[arg(long, value_name = "ATTR=VALUE", value_parser = Assignment::parse)]
    set: Vec<Assignment>,

    /// When the person is locked: 2027-01-31 (its beginning, in UTC) or 2027-01-31T12:00:00Z
    #[arg(long, value_name = "DATE", value_parser = people::date)]
    lock_at: Option<Timestamp>,

    /// Read a password from stdin
    #[arg(long)]
    password_stdin: bool,
}

impl Args {
    /// What SCIM would be sent.
    fn resource(&self) -> Value {
        let kind = ResourceType::User;
        let emails = self.email.iter().enumerate();
        let emails = emails.map(|(at, value)| json!({ "value": value, "primary": at == 0 }));
        json!({
            "schemas": [kind.core().id],
            "userName": self.name,
            "displayName": self.display_name,
            "name": { "givenName": self.given_name, "familyName": self.family_name },
            "emails": emails.collect::<Vec<_>>(),
            TOCSIN_USER.id: { "lockDate": self.lock_at },
        })
    }
}

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let mut operations = Vec::new();
    for assignment in &args.set {
        operations.push(assignment.operation()?);
    }
    let kind = ResourceType::User;
    let resource = scim::normalize(kind, &args.resource(), Mode::Create)?;
    let more = match operations.as_slice() {
        [] => None,
        operations => Some(people::patch(operations, kind)?),
    };
    let password = args.password_stdin.then(people::read_password).transpose()?;
    let desk = Desk::of(args.data.open_or_make(on).await?);
    let password = match password {
        Some(password) => desk.directory.new_password(None, password).await.map_err(advise)?,
        None => None,
    };
    let at = desk.cause.at;
    let make = |user: &mut User| {
        user.take(resource.clone(), Given::Whole, None, at)?;
        if let Some(more) = &more {
            let patched = more.apply(&user.writable(None, at))?;
            user.take(patched.resource, Given::Changed, None, at)?;
        }
        user.set_password(password.clone());
        Ok(())
    };
    let user = desk.directory.user_create(&desk.cause, make).await.map_err(advise)?;
    let resource = desk.resource(&user).await.map_err(advise)?;
    let txn = &desk.cause.txn;
    let value = json!({ "user": resource, "changed": true, "txn": txn });
    let name = Cell::from(user.attributes.user_name.as_str());
    let words = sentence(&format!("{name} is made\nid: {}", user.id), Some(txn));
    Ok(output.show(&value, |_| words)?)
}
