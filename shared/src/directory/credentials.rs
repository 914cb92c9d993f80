//! Where passwords are hashed, and the one way to a new one, whoever sets it.

use std::{
    sync::{LazyLock, mpsc},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Directory, PasswordHash, ResourceId};
use crate::{Error, client::Secret, table::TableError};

/// Something to hash.
type Work = Box<dyn FnOnce() + Send>;

/// So many wait for their turn; more are sent away. Each takes some tens of milliseconds.
const WAITING: usize = 128;

/// Who is sent away may come again after this time.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// To the one thread that hashes: each hash takes a core and 19 MiB, and threads that come and go would
/// each keep that memory.
static HASHING: LazyLock<mpsc::SyncSender<Work>> = LazyLock::new(|| {
    let (sender, waiting) = mpsc::sync_channel::<Work>(WAITING);
    let work = move || {
        for work in waiting {
            work();
        }
    };
    // Where there is no thread to be had nobody listens, and whoever asks is told so.
    let _ = thread::Builder::new().name("hashing".to_owned()).spawn(work);
    sender
});

/// Does `work` on the thread that hashes, of which there is one: so neither many attempts to sign in nor
/// many new passwords keep those from their turn who wait for something else.
///
/// # Errors
///
/// [`Error::TooSoon`] when too many wait for their turn.
pub async fn hashing<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (answer, done) = oneshot::channel();
    let work = Box::new(move || {
        // Who has gone in the meantime wants no answer.
        let _ = answer.send(work());
    });
    let nobody = || TableError::Unavailable("nobody hashes passwords".into());
    HASHING.try_send(work).map_err(|error| match error {
        mpsc::TrySendError::Full(_) => Error::TooSoon { retry_after: AGAIN_AFTER },
        mpsc::TrySendError::Disconnected(_) => nobody().into(),
    })?;
    Ok(done.await.map_err(|_| nobody())?)
}

impl Directory {
    /// What is to be kept of a new password of the person `id`, or of one who is about to be made;
    /// `None`: it is the person's password already, and nothing is to change.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where it can be nobody's password.
    pub async fn new_password(
        &self,
        id: Option<ResourceId>,
        password: Secret,
    ) -> Result<Option<PasswordHash>, Error> {
        let before = match id {
            Some(id) => self.user(id).await?.password,
            None => None,
        };
        let hash = hashing(move || {
            let is_same = before.is_some_and(|before| before.fits(&password));
            if is_same { Ok(None) } else { PasswordHash::of(&password).map(Some) }
        });
        Ok(hash.await??)
    }
}
