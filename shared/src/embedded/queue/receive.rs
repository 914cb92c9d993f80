//! How messages are found, and how they leave a queue.

use std::collections::BTreeMap;

use rusqlite::{Row, params, types::Type};

use super::{
    super::session::{Failed, Session, timestamp},
    send,
};
use crate::queue::{QueueKind, Received};

/// When the first message becomes visible, or has.
pub(super) fn next_visible_at(
    session: &Session,
    queue: &str,
    kind: QueueKind,
) -> Result<Option<i64>, Failed> {
    let sql = match kind {
        QueueKind::Fifo => {
            "SELECT ready_at FROM message_group WHERE queue = ?1 ORDER BY ready_at LIMIT 1"
        }
        QueueKind::Standard => {
            "SELECT visible_at FROM message WHERE queue = ?1 AND grp IS NULL
             ORDER BY visible_at LIMIT 1"
        }
    };
    Ok(session.first_row(sql, [queue], |row| row.get(0))?)
}

/// Takes messages of a standard queue, those first that have been visible for longest.
pub(super) fn from_all(
    session: &mut Session,
    queue: &str,
    max: usize,
    until: i64,
) -> Result<Vec<Received>, Failed> {
    let sql = "SELECT number FROM message WHERE queue = ?1 AND grp IS NULL AND visible_at <= ?2
               ORDER BY visible_at, number LIMIT ?3";
    let mut numbers = Vec::new();
    session.rows(sql, params![queue, session.now(), rows(max)], |row| {
        numbers.push(row.get(0)?);
        Ok(true)
    })?;
    numbers.into_iter().map(|number| Ok(take(session, number, until)?)).collect()
}

/// Takes messages of a FIFO queue: an equal share of each ready group, those first that have been
/// ready for longest, and then what is left of them.
pub(super) fn from_groups(
    session: &mut Session,
    queue: &str,
    max: usize,
    until: i64,
) -> Result<Vec<Received>, Failed> {
    let mut groups = ready_groups(session, queue, max)?;
    let share = max / groups.len().max(1);
    let mut taken = Vec::new();
    for limit in [share, max] {
        for group in groups.iter_mut().filter(|group| group.more) {
            let limit = limit.min(max - taken.len());
            if limit == 0 {
                break;
            }
            let visible = group.visible(session, queue, limit)?;
            group.more = visible.len() == limit;
            group.next = visible.last().map_or(group.next, |number| number + 1);
            taken.extend(visible);
        }
    }
    for group in &groups {
        session.execute(
            "UPDATE message_group SET ready_at = ?3 WHERE queue = ?1 AND grp = ?2",
            params![queue, group.name, until],
        )?;
    }
    taken.into_iter().map(|number| Ok(take(session, number, until)?)).collect()
}

/// A group that is ready.
struct Group {
    name: String,
    /// From this number on its messages are not taken yet.
    next: i64,
    /// Whether there may be such ones.
    more: bool,
}

fn ready_groups(session: &Session, queue: &str, max: usize) -> rusqlite::Result<Vec<Group>> {
    let sql = "SELECT grp, head FROM message_group WHERE queue = ?1 AND ready_at <= ?2
               ORDER BY ready_at, head LIMIT ?3";
    let mut groups = Vec::new();
    session.rows(sql, params![queue, session.now(), rows(max)], |row| {
        groups.push(Group { name: row.get(0)?, next: row.get(1)?, more: true });
        Ok(true)
    })?;
    Ok(groups)
}

impl Group {
    /// The next messages that no invisible one is before.
    fn visible(&self, session: &Session, queue: &str, limit: usize) -> rusqlite::Result<Vec<i64>> {
        let sql = "SELECT number, visible_at FROM message
                   WHERE queue = ?1 AND grp = ?2 AND number >= ?3 ORDER BY number LIMIT ?4";
        let now = session.now();
        let mut numbers = Vec::new();
        session.rows(sql, params![queue, self.name, self.next, rows(limit)], |row| {
            let visible = row.get::<_, i64>(1)? <= now;
            if visible {
                numbers.push(row.get(0)?);
            }
            Ok(visible)
        })?;
        Ok(numbers)
    }
}

/// Who sends: whoever may write the file, and they are not told apart.
const SENDER: &str = "local";

/// Makes a message invisible and reads it.
fn take(session: &Session, number: i64, until: i64) -> rusqlite::Result<Received> {
    let sql = "UPDATE message SET visible_at = ?2, receives = receives + 1 WHERE number = ?1
               RETURNING body, grp, attributes, sent_at, receives";
    session.one_row(sql, params![number, until], |row| read(session, number, row))
}

fn read(session: &Session, number: i64, row: &Row<'_>) -> rusqlite::Result<Received> {
    let group: Option<String> = row.get(1)?;
    let receives: u32 = row.get(4)?;
    Ok(Received {
        id: send::id(session, number),
        body: row.get(0)?,
        sequence: group.is_some().then(|| format!("{number:020}")),
        group,
        attributes: attributes(row, 2)?,
        sender: Some(SENDER.to_owned()),
        sent_at: timestamp(row.get(3)?),
        receives,
        receipt: format!("{number}.{receives}"),
    })
}

fn attributes(row: &Row<'_>, column: usize) -> rusqlite::Result<BTreeMap<String, String>> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Removes the messages that these receipts are for.
pub(super) fn delete(
    session: &mut Session,
    queue: &str,
    receipts: &[String],
) -> Result<(), Failed> {
    let mut removed = 0_i64;
    for (number, receives) in receipts.iter().filter_map(|receipt| parse(receipt)) {
        let sql = "DELETE FROM message WHERE number = ?1 AND queue = ?2 AND receives = ?3
                   RETURNING grp";
        let params = params![number, queue, receives];
        let Some(group) = session.first_row(sql, params, |row| row.get(0))? else { continue };
        removed += 1;
        let group: Option<String> = group;
        if let Some(group) = group {
            behead(session, queue, &group, number)?;
        }
    }
    session
        .execute("UPDATE queue SET depth = depth - ?2 WHERE name = ?1", params![queue, removed])?;
    Ok(())
}

/// Gives a group that has lost its message `number` its next head, if that was the head.
fn behead(session: &Session, queue: &str, group: &str, number: i64) -> rusqlite::Result<()> {
    let sql = "SELECT number, visible_at FROM message WHERE queue = ?1 AND grp = ?2
               ORDER BY number LIMIT 1";
    let head: Option<(i64, i64)> =
        session.first_row(sql, [queue, group], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match head {
        Some((head, visible_at)) => session.execute(
            "UPDATE message_group SET head = ?4, ready_at = ?5
             WHERE queue = ?1 AND grp = ?2 AND head = ?3",
            params![queue, group, number, head, visible_at],
        ),
        None => session.execute(
            "DELETE FROM message_group WHERE queue = ?1 AND grp = ?2",
            params![queue, group],
        ),
    }?;
    Ok(())
}

/// Makes the message that this receipt is for invisible until then.
pub(super) fn postpone(
    session: &mut Session,
    queue: &str,
    receipt: &str,
    until: i64,
) -> Result<(), Failed> {
    let Some((number, receives)) = parse(receipt) else { return Ok(()) };
    let sql = "UPDATE message SET visible_at = ?4
               WHERE number = ?1 AND queue = ?2 AND receives = ?3 RETURNING grp";
    let params = params![number, queue, receives, until];
    let group: Option<Option<String>> = session.first_row(sql, params, |row| row.get(0))?;
    if let Some(group) = group.flatten() {
        session.execute(
            "UPDATE message_group SET ready_at = ?4 WHERE queue = ?1 AND grp = ?2 AND head = ?3",
            params![queue, group, number, until],
        )?;
    }
    Ok(())
}

/// The message's number, and which of its receivings it was.
fn parse(receipt: &str) -> Option<(i64, u32)> {
    let (number, receives) = receipt.split_once('.')?;
    Some((number.parse().ok()?, receives.parse().ok()?))
}

fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
