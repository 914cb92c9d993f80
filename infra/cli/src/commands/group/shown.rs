//! How groups look.

use serde_json::json;
use ssf::directory::Group;

use crate::{
    commands::people::{Desk, changes},
    output::{Fields, Output, Table, advise, time},
};

/// Groups in lines.
pub(super) fn table(groups: &[Group]) -> Table {
    let mut table = Table::new(
        ["ID", "NAME", "MEMBERS", "DESCRIPTION", "CREATED"],
        "there are none: `tocsin group create` makes one",
    );
    for group in groups {
        table.row([
            group.id.to_string().into(),
            group.display_name.as_str().into(),
            group.member_count.to_string().into(),
            group.description.as_deref().unwrap_or_default().into(),
            time(group.created).into(),
        ]);
    }
    table
}

/// One group, who is in it, and what became of both.
pub(super) async fn show(
    desk: &Desk,
    group: &Group,
    most: usize,
    output: Output,
) -> anyhow::Result<()> {
    let ids = desk.directory.members_of(group, most).await.map_err(advise)?;
    let mut members = Vec::new();
    for user in desk.directory.users(&ids).await.map_err(advise)? {
        members.push((user.id, user.attributes.user_name));
    }
    let history = desk.directory.history(group.id).await.map_err(advise)?;
    if output.is_json() {
        let mut resource = group.resource(None, &desk.directory.base());
        let listed = members.iter();
        let listed =
            listed.map(|(id, name)| json!({ "value": id, "display": name, "type": "User" }));
        resource.insert("members".to_owned(), listed.collect());
        let value = json!({
            "group": resource,
            "member_count": group.member_count,
            "history": history,
        });
        return Ok(output.value(&value)?);
    }
    let fields = Fields::default()
        .with("id", group.id.to_string())
        .with("displayName", group.display_name.as_str())
        .with_some("description", group.description.as_deref())
        .with("member count", group.member_count.to_string())
        .with_all("members", members.into_iter().map(|(id, name)| format!("{name} ({id})")))
        .with("created", time(group.created))
        .with("last modified", time(group.last_modified));
    output.line(fields)?;
    output.line(format_args!("\n{}", changes(&history)))?;
    if group.member_count > most as u64 {
        output.note("there are more members: --limit shows them")?;
    }
    Ok(())
}
