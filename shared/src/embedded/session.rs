//! One connection and what is done with it: jobs, several in one transaction.

use std::{
    fmt,
    sync::{Arc, mpsc},
};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use tokio::sync::oneshot;

use crate::{clock::Clock, queue::QueueError, table::TableError};

/// At most so many jobs are done in one transaction; other processes wait for its end.
const MAX_JOBS: usize = 256;

/// What a job does with the database.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Access {
    /// It writes, and may find that it should not have: what it wrote is undone when it fails.
    Attempt,
    /// It only reads.
    Read,
    /// It writes, and fails only when the database does. Then the whole transaction is undone,
    /// which spares the others the savepoints.
    Write,
}

/// Something to do, and then to answer.
pub(super) struct Job {
    access: Access,
    work: Box<Work>,
}

/// Works on a session, or hears why there is none.
type Work = dyn FnOnce(Result<&mut Session, Failed>) -> Answer + Send;

/// What came of a job; says so to whom asked, once the transaction has ended.
struct Answer {
    succeeded: bool,
    send: Box<dyn FnOnce(Result<(), Failed>) + Send>,
}

impl Job {
    /// Does `work` and tells `asker`.
    pub(super) fn new<T, E>(
        access: Access,
        work: impl FnOnce(&mut Session) -> Result<T, E> + Send + 'static,
        asker: oneshot::Sender<Result<T, E>>,
    ) -> Self
    where
        T: Send + 'static,
        E: From<Failed> + Send + 'static,
    {
        let work = Box::new(move |session: Result<&mut Session, Failed>| {
            let result = session.map_err(E::from).and_then(work);
            Answer {
                succeeded: result.is_ok(),
                send: Box::new(move |end| {
                    // Who has gone in the meantime wants no answer.
                    let _ = asker.send(result.and_then(|done| Ok(end.map(|()| done)?)));
                }),
            }
        });
        Self { access, work }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("access", &self.access).finish_non_exhaustive()
    }
}

/// A connection.
pub(super) struct Session {
    connection: Connection,
    clock: Arc<dyn Clock>,
    /// See `counter.salt` in the schema.
    salt: i64,
    /// The last number given out, once this transaction has given one.
    number: Option<i64>,
}

impl Session {
    pub(super) fn new(connection: Connection, clock: Arc<dyn Clock>) -> rusqlite::Result<Self> {
        let salt = connection.query_row("SELECT salt FROM counter", [], |row| row.get(0))?;
        Ok(Self { connection, clock, salt, number: None })
    }

    /// Does the jobs that come, those that wait together in one transaction, until nobody is left
    /// to send one.
    pub(super) fn serve(mut self, jobs: &mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(MAX_JOBS);
        while let Ok(job) = jobs.recv() {
            waiting.push(job);
            waiting.extend(jobs.try_iter().take(MAX_JOBS - 1));
            self.run(&mut waiting);
        }
    }

    /// Does `jobs` in one transaction and takes them out. No answer is given before it is
    /// committed: nobody sees what may yet be lost.
    pub(super) fn run(&mut self, jobs: &mut Vec<Job>) {
        let reads = jobs.iter().all(|job| job.access == Access::Read);
        let begin = if reads { "BEGIN" } else { "BEGIN IMMEDIATE" };
        let mut answers = Vec::with_capacity(jobs.len());
        let mut jobs = jobs.drain(..);
        let end = self.transaction(begin, &mut jobs, &mut answers).inspect_err(|_| {
            if !self.connection.is_autocommit() {
                // Where this fails, the connection is gone, and every job to come will say so.
                let _ = self.connection.execute_batch("ROLLBACK");
            }
        });
        self.number = None;
        if let Err(failed) = &end {
            answers.extend(jobs.map(|job| (job.work)(Err(failed.clone()))));
        }
        for answer in answers {
            (answer.send)(end.clone());
        }
    }

    fn transaction(
        &mut self,
        begin: &str,
        jobs: impl Iterator<Item = Job>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), Failed> {
        self.execute(begin, [])?;
        for job in jobs {
            match job.access {
                Access::Attempt => answers.push(self.attempt(job)?),
                Access::Read => answers.push((job.work)(Ok(self))),
                Access::Write => {
                    let answer = (job.work)(Ok(self));
                    let succeeded = answer.succeeded;
                    answers.push(answer);
                    if !succeeded {
                        return Err(Failed::Together);
                    }
                }
            }
        }
        if let Some(number) = self.number {
            self.execute("UPDATE counter SET number = ?1", [number])?;
        }
        self.execute("COMMIT", [])?;
        Ok(())
    }

    fn attempt(&mut self, job: Job) -> rusqlite::Result<Answer> {
        self.execute("SAVEPOINT attempt", [])?;
        let answer = (job.work)(Ok(self));
        if !answer.succeeded {
            self.execute("ROLLBACK TO attempt", [])?;
        }
        self.execute("RELEASE attempt", [])?;
        Ok(answer)
    }

    /// A number that was never there before, greater than all that were.
    pub(super) fn next_number(&mut self) -> rusqlite::Result<i64> {
        let last = match self.number {
            Some(number) => number,
            None => self.one_row("SELECT number FROM counter", [], |row| row.get(0))?,
        };
        self.number = Some(last + 1);
        Ok(last + 1)
    }

    /// The time, as columns hold it.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_microsecond()
    }

    pub(super) fn salt(&self) -> i64 {
        self.salt
    }

    /// Runs a statement that answers nothing, and says how many rows it changed.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    /// The only row of the answer.
    pub(super) fn one_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.connection.prepare_cached(sql)?.query_row(params, read)
    }

    /// The first row of the answer, if there is one.
    pub(super) fn first_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.one_row(sql, params, read).optional()
    }

    /// The rows of the answer, as long as `take` wants more.
    pub(super) fn rows(
        &self,
        sql: &str,
        params: impl Params,
        mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if !take(row)? {
                break;
            }
        }
        Ok(())
    }
}

/// A column's time.
pub(super) fn timestamp(microsecond: i64) -> Timestamp {
    Timestamp::from_microsecond(microsecond).unwrap_or(if microsecond < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Why a job came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("the database has been closed")]
    Closed,
    #[error("the database failed")]
    Sqlite(#[source] Arc<rusqlite::Error>),
    #[error("the database failed at another request of the same transaction")]
    Together,
}

impl From<Failed> for TableError {
    fn from(failed: Failed) -> Self {
        Self::Unavailable(failed.into())
    }
}

impl From<Failed> for QueueError {
    fn from(failed: Failed) -> Self {
        Self::Unavailable(failed.into())
    }
}

impl From<rusqlite::Error> for TableError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
