//! How messages get into a queue.

use std::time::Duration;

use rusqlite::params;
use uuid::Uuid;

use super::{
    super::session::{Failed, Session},
    microseconds,
};
use crate::queue::{Message, QueueError, QueueKind};

/// How long a deduplication id is known.
const DEDUPLICATION: Duration = Duration::from_mins(5);

/// Adds messages and says their ids.
pub(super) fn send(
    session: &mut Session,
    queue: &str,
    kind: QueueKind,
    messages: Vec<Message>,
) -> Result<Vec<Result<String, QueueError>>, Failed> {
    let now = session.now();
    forget_deduplication(session, queue, kind, now, messages.len())?;
    let sql = "SELECT last_sent_at FROM queue WHERE name = ?1";
    let last = session.first_row(sql, [queue], |row| row.get(0))?.unwrap_or(now);
    // The clock may go back; time in a queue does not.
    let mut sending = Sending { session, queue, now, sent_at: now.max(last), added: 0 };
    let mut answers = Vec::with_capacity(messages.len());
    for message in messages {
        answers.push(match message.check(kind) {
            Ok(()) => Ok(sending.one(&message)?),
            Err(refused) => Err(refused),
        });
    }
    let params = params![queue, sending.added, sending.sent_at];
    session.execute(
        "INSERT INTO queue (name, depth, last_sent_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET depth = depth + ?2, last_sent_at = ?3",
        params,
    )?;
    Ok(answers)
}

struct Sending<'a> {
    session: &'a mut Session,
    queue: &'a str,
    now: i64,
    sent_at: i64,
    added: i64,
}

impl Sending<'_> {
    fn one(&mut self, message: &Message) -> rusqlite::Result<String> {
        let number = self.session.next_number()?;
        if let Some(deduplication) = &message.deduplication
            && let Some(first) = self.twin(deduplication, number)?
        {
            return Ok(id(self.session, first));
        }
        self.insert(number, message)?;
        if let Some(group) = &message.group {
            self.session.execute(
                "INSERT INTO message_group (queue, grp, head, ready_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (queue, grp) DO NOTHING",
                params![self.queue, group, number, self.now],
            )?;
        }
        Ok(id(self.session, number))
    }

    /// The message that came first with this id, if its time is not over; else `number` is the
    /// first.
    fn twin(&self, deduplication: &str, number: i64) -> rusqlite::Result<Option<i64>> {
        let until = self.now.saturating_add(microseconds(DEDUPLICATION));
        let new = self.session.execute(
            "INSERT INTO deduplication (queue, id, number, until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (queue, id) DO UPDATE SET number = ?3, until = ?4 WHERE until <= ?5",
            params![self.queue, deduplication, number, until, self.now],
        )?;
        if new == 1 {
            return Ok(None);
        }
        let sql = "SELECT number FROM deduplication WHERE queue = ?1 AND id = ?2";
        let first = self.session.one_row(sql, [self.queue, deduplication], |row| row.get(0))?;
        Ok(Some(first))
    }

    fn insert(&mut self, number: i64, message: &Message) -> rusqlite::Result<()> {
        let visible_at = self.now.saturating_add(microseconds(message.delay));
        let attributes =
            serde_json::to_string(&message.attributes).expect("a map of texts is JSON");
        self.session.execute(
            "INSERT INTO message
             (number, queue, grp, visible_at, receives, sent_at, attributes, body)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7)",
            params![
                number,
                self.queue,
                message.group,
                visible_at,
                self.sent_at,
                attributes,
                message.body
            ],
        )?;
        self.added += 1;
        Ok(())
    }
}

/// Forgets ids whose time is over; more than come, so that they do not pile up.
fn forget_deduplication(
    session: &Session,
    queue: &str,
    kind: QueueKind,
    now: i64,
    coming: usize,
) -> rusqlite::Result<()> {
    match kind {
        QueueKind::Standard => {}
        QueueKind::Fifo => {
            let limit = i64::try_from(coming).unwrap_or(i64::MAX).saturating_mul(2);
            session.execute(
                "DELETE FROM deduplication WHERE queue = ?1 AND id IN
                 (SELECT id FROM deduplication WHERE queue = ?1 AND until <= ?2 LIMIT ?3)",
                params![queue, now, limit],
            )?;
        }
    }
    Ok(())
}

/// The id of a message: never the same in two files, since upstream systems may make events' ids
/// of it.
pub(super) fn id(session: &Session, number: i64) -> String {
    let pair = Uuid::from_u64_pair(session.salt().cast_unsigned(), number.cast_unsigned());
    Uuid::new_v8(pair.into_bytes()).to_string()
}
