//! The one way to a new password, whoever sets it.

use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{Directory, PasswordHash, ResourceId};
use crate::{Error, client::Secret, table::TableError};

/// So many hashes are made at a time: each takes a core and 19 MiB.
static HASHING: Semaphore = Semaphore::const_new(2);

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
        let _turn = HASHING.acquire().await.expect("nobody closes it");
        let hashed = spawn_blocking(move || {
            if before.is_some_and(|before| before.fits(&password)) {
                return Ok(None);
            }
            PasswordHash::of(&password).map(Some)
        });
        let hashed =
            hashed.await.map_err(|_| TableError::Unavailable("hashing broke off".into()))?;
        Ok(hashed?)
    }
}
