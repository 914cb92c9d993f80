//! The people of the directory, as codes and tokens know them.

use jiff::Timestamp;

use crate::{
    Error,
    directory::{Directory, ResourceId, User, user_key},
    sign_in::{Owner, Owners, SubjectId},
    table::{Item, Key, class},
};

impl Owners for Directory {
    fn key(&self, subject: &SubjectId) -> Key {
        // Whoever is not named as the directory names people is not there.
        match ResourceId::parse(&subject.0) {
            Some(id) => user_key(id),
            None => Key::new(class::USER.of(subject), "NOBODY"),
        }
    }

    fn judge(&self, row: Option<&Item>, now: Timestamp) -> Result<Owner, Error> {
        let Some(row) = row else { return Ok(Owner::Gone) };
        let user: User = row.read()?;
        Ok(if user.is_locked(now) { Owner::Locked } else { Owner::Live { ends: user.ends } })
    }
}

impl From<ResourceId> for SubjectId {
    fn from(id: ResourceId) -> Self {
        Self(id.to_string())
    }
}
