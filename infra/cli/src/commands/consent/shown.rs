//! How consents look.

use std::collections::BTreeMap;

use serde_json::json;
use ssf::{
    Error,
    client::{Client, scope_text},
    directory::{ResourceId, User},
    sign_in::{Consent, SubjectId},
};

use crate::{
    commands::people::{Desk, changes},
    output::{BAD, Cell, Fields, GOOD, Output, Table, advise, time},
};

/// Consents in lines.
pub(super) async fn list(desk: &Desk, consents: &[Consent], output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(output.value(&consents)?);
    }
    let mut names = BTreeMap::new();
    for consent in consents {
        if !names.contains_key(&consent.subject) {
            names.insert(&consent.subject, name(desk, &consent.subject).await?);
        }
    }
    let mut table =
        Table::new(["USER", "USERNAME", "CLIENT", "SCOPE", "GIVEN", "STATE"], "there are none");
    for consent in consents {
        table.row([
            consent.subject.to_string().into(),
            names.get(&consent.subject).cloned().unwrap_or_default().into(),
            consent.client.to_string().into(),
            scope_text(&consent.scope).into(),
            time(consent.issue_date).into(),
            state(consent),
        ]);
    }
    Ok(output.line(table)?)
}

/// What people call somebody; nothing, if there is nobody any more.
async fn name(desk: &Desk, subject: &SubjectId) -> anyhow::Result<String> {
    let Some(id) = ResourceId::parse(&subject.0) else { return Ok(String::new()) };
    match desk.directory.user(id).await {
        Ok(user) => Ok(user.attributes.user_name),
        Err(Error::NotFound { .. }) => Ok(String::new()),
        Err(error) => Err(advise(error)),
    }
}

fn state(consent: &Consent) -> Cell {
    match consent.revoked_at {
        Some(at) => Cell::new(format!("taken back {}", time(at)), BAD),
        None => Cell::new("holds", GOOD),
    }
}

/// One consent, and how it came to be so.
pub(super) async fn show(
    desk: &Desk,
    user: &User,
    client: &Client,
    consent: &Consent,
    output: Output,
) -> anyhow::Result<()> {
    let mut history = desk.directory.history(user.id).await.map_err(advise)?;
    history.retain(|change| change.attributes == ["consents"]);
    if output.is_json() {
        return Ok(output.value(&json!({ "consent": consent, "history": history }))?);
    }
    let fields = Fields::default()
        .with("user", user.id.to_string())
        .with("userName", user.attributes.user_name.as_str())
        .with("client_id", client.client_id.to_string())
        .with("client", client.client_name.as_str())
        .with("scope", scope_text(&consent.scope))
        .with("state", state(consent))
        .with("given", time(consent.issue_date))
        .with_some("last taken back", consent.last_revoked.map(time))
        .with("times taken back", consent.revocations.to_string())
        .with("last modified", time(consent.last_modified));
    output.line(fields)?;
    // To whichever application: the audit has no values.
    Ok(output.line(format_args!("\nConsents of this person\n{}", changes(&history)))?)
}
