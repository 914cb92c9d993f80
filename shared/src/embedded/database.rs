//! One SQLite database, on disk or in memory.

use std::{
    collections::HashMap,
    fmt, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
};

use tokio::sync::{Notify, oneshot};

use super::{
    OpenError, PartitionLimits, QueueKind, SqliteQueue, SqliteTable, checkpoint, schema,
    session::{Access, Failed, Job, Session},
};
use crate::clock::Clock;

/// One SQLite database; cheap to clone. It is closed when the last clone and the last table and
/// queue of it are dropped, after what they were asked to do is done.
#[derive(Clone)]
pub struct Database {
    home: Arc<Home>,
    pub(super) clock: Arc<dyn Clock>,
    /// By queue: wakes those who wait for a message.
    bells: Arc<Mutex<HashMap<String, Arc<Notify>>>>,
}

enum Home {
    /// Jobs run where they are called for, so that their futures never pend.
    Memory(Mutex<Session>),
    /// One thread does the jobs: those that come while it is busy share the next transaction.
    File(Worker),
}

struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Database {
    /// The database in `folder`; both are made if they are not there.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let mut connection = schema::open(folder)?;
        let bells = checkpoint::watch(&mut connection)?;
        let copier = schema::open_copier(folder)?;
        let session = Session::new(connection, Arc::clone(&clock))?;
        let (jobs, waiting) = mpsc::channel();
        let mut worker = Worker { jobs: Some(jobs), threads: Vec::new() };
        let failed = |source| OpenError::Folder { path: folder.to_owned(), source };
        worker.spawn("database", move || session.serve(&waiting)).map_err(failed)?;
        worker.spawn("checkpoint", move || checkpoint::serve(&copier, &bells)).map_err(failed)?;
        Ok(Self::at(Home::File(worker), clock))
    }

    /// A new, empty database that lives as long as this value and its clones; for tests.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        let session = schema::in_memory()
            .and_then(|connection| Ok(Session::new(connection, Arc::clone(&clock))?))
            .expect("nothing is in the way of a database in memory");
        Self::of(session, clock)
    }

    /// A database whose jobs run where they are called for.
    pub(super) fn of(session: Session, clock: Arc<dyn Clock>) -> Self {
        Self::at(Home::Memory(Mutex::new(session)), clock)
    }

    fn at(home: Home, clock: Arc<dyn Clock>) -> Self {
        Self { home: Arc::new(home), clock, bells: Arc::default() }
    }

    /// The table in it.
    pub fn table(&self) -> SqliteTable {
        self.table_with(PartitionLimits::default())
    }

    /// The same, with bounds for each of its partitions, which hold among the clones of this value.
    pub fn table_with(&self, limits: PartitionLimits) -> SqliteTable {
        SqliteTable::new(self.clone(), limits)
    }

    /// The queue of this name. It needs no creation; always use one name with the same kind.
    pub fn queue(&self, name: impl Into<String>, kind: QueueKind) -> SqliteQueue {
        let name = name.into();
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = Arc::clone(bells.entry(name.clone()).or_default());
        SqliteQueue::new(self.clone(), name, kind, bell)
    }

    /// Whether other processes can have it open too.
    pub(super) fn is_shared(&self) -> bool {
        match *self.home {
            Home::Memory(_) => false,
            Home::File(_) => true,
        }
    }

    /// Does `work` in a transaction, and answers when that is committed. It may be done even if the
    /// future is dropped.
    pub(super) async fn run<T, E>(
        &self,
        access: Access,
        work: impl FnOnce(&mut Session) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failed> + Send + 'static,
    {
        let (asker, mut answer) = oneshot::channel();
        let job = Job::new(access, work, asker);
        let answer = match &*self.home {
            Home::Memory(session) => {
                let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
                session.run(&mut vec![job]);
                // Not awaited: tokio lets a task that has done much pend here once.
                answer.try_recv().ok()
            }
            Home::File(worker) => {
                // When the thread is gone, so is the asker, and the answer says so.
                let _ = worker.jobs.as_ref().map(|jobs| jobs.send(job));
                answer.await.ok()
            }
        };
        answer.unwrap_or_else(|| Err(Failed::Closed.into()))
    }
}

impl Worker {
    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(work)?);
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without a sender the first thread ends, and with it who rings for the second.
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("shared", &self.is_shared()).finish_non_exhaustive()
    }
}
