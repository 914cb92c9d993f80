//! How people look.

use jiff::Timestamp;
use serde_json::json;
use ssf::directory::{Group, Labelled, SecondFactor, User};

use crate::{
    commands::people::{Desk, changes},
    output::{BAD, Cell, Fields, GOOD, Output, Table, WAITING, advise, time},
};

/// People in lines.
pub(super) fn table(users: &[User], now: Timestamp) -> Table {
    let mut table = Table::new(
        ["ID", "USERNAME", "NAME", "EMAIL", "STATE", "CREATED"],
        "there is nobody: `tocsin user create` makes somebody",
    );
    for user in users {
        let known = &user.attributes;
        table.row([
            user.id.to_string().into(),
            known.user_name.as_str().into(),
            known.display_name.as_deref().unwrap_or_default().into(),
            known.email().unwrap_or_default().into(),
            state(user, now),
            time(user.created).into(),
        ]);
    }
    table
}

fn state(user: &User, now: Timestamp) -> Cell {
    match user.lock_date {
        Some(date) if date <= now => Cell::new("locked", BAD),
        Some(date) => Cell::new(format!("locked from {} on", time(date)), WAITING),
        None => Cell::new("active", GOOD),
    }
}

/// One person, the groups, and what became of both.
pub(super) async fn show(desk: &Desk, user: &User, output: Output) -> anyhow::Result<()> {
    let history = desk.directory.history(user.id).await.map_err(advise)?;
    if output.is_json() {
        let resource = desk.resource(user).await.map_err(advise)?;
        let value = json!({
            "user": resource,
            "has_password": user.has_password(),
            "second_factor": user.second_factor().map(|factor| {
                json!({ "since": factor.since, "recovery_codes": factor.recovery_codes() })
            }),
            "history": history,
        });
        return Ok(output.value(&value)?);
    }
    let groups = desk.directory.groups_of(user.id).await.map_err(advise)?;
    output.line(fields(user, &groups, desk.now()))?;
    Ok(output.line(format_args!("\n{}", changes(&history)))?)
}

fn second_factor(factor: &SecondFactor) -> String {
    let (since, left) = (time(factor.since), factor.recovery_codes());
    format!("authenticator app since {since}, recovery codes left: {left}")
}

fn fields(user: &User, groups: &[Group], now: Timestamp) -> Fields {
    let known = &user.attributes;
    let name = known.name.as_ref();
    let given = name.and_then(|name| name.given_name.as_deref());
    let family = name.and_then(|name| name.family_name.as_deref());
    let enterprise = known.enterprise.as_ref();
    let of = |values: &[Labelled]| -> Vec<String> {
        let texts = values.iter().filter_map(|one| {
            let value = one.value.as_deref()?;
            let label = one.r#type.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
            Some(format!("{value}{label}"))
        });
        texts.collect()
    };
    Fields::default()
        .with("id", user.id.to_string())
        .with("userName", known.user_name.as_str())
        .with_some("display name", known.display_name.as_deref())
        .with_some("given name", given)
        .with_some("family name", family)
        .with_all("emails", of(&known.emails))
        .with_all("phone numbers", of(&known.phone_numbers))
        .with_some("title", known.title.as_deref())
        .with_some("department", enterprise.and_then(|one| one.department.as_deref()))
        .with("state", state(user, now))
        .with("password", if user.has_password() { "yes" } else { "none" })
        .with("second factor", user.second_factor().map_or("none".to_owned(), second_factor))
        .with_all("groups", groups.iter().map(|group| group.display_name.as_str()))
        .with("created", time(user.created))
        .with("last modified", time(user.last_modified))
}
