//! The one way to a new password, whoever sets it.

use std::{
    sync::{LazyLock, mpsc},
    thread,
};

use tokio::sync::oneshot;

use super::{Directory, PasswordHash, ResourceId};
use crate::{Error, client::Secret, json::Invalid, table::TableError};

/// A hash that is asked for.
struct Wanted {
    before: Option<PasswordHash>,
    password: Secret,
    answer: oneshot::Sender<Result<Option<PasswordHash>, Invalid>>,
}

/// To the one thread that hashes: each hash takes a core and 19 MiB, and threads that come and go would
/// each keep that memory.
static HASHING: LazyLock<mpsc::Sender<Wanted>> = LazyLock::new(|| {
    let (sender, wanted) = mpsc::channel::<Wanted>();
    let work = move || {
        for Wanted { before, password, answer } in wanted {
            let is_same = before.is_some_and(|before| before.fits(&password));
            let hash = if is_same { Ok(None) } else { PasswordHash::of(&password).map(Some) };
            // Who has gone in the meantime wants no answer.
            let _ = answer.send(hash);
        }
    };
    // Where there is no thread to be had nobody listens, and whoever asks is told so.
    let _ = thread::Builder::new().name("hashing".to_owned()).spawn(work);
    sender
});

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
        let (answer, hash) = oneshot::channel();
        let nobody = || TableError::Unavailable("nobody hashes passwords".into());
        HASHING.send(Wanted { before, password, answer }).map_err(|_| nobody())?;
        Ok(hash.await.map_err(|_| nobody())??)
    }
}
