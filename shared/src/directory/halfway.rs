//! Half of a sign-in: somebody has given the right password, and is asked for the second factor.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Directory, ResourceId, User, text::hash};
use crate::{
    Error,
    client::Secret,
    clock::add,
    table::{Condition, Content, Key, Write, class},
};

/// Who has given the password may take so long for the second factor.
pub const HALFWAY_LIVES: Duration = Duration::from_mins(10);

/// What is known of who is asked for the second factor.
#[derive(Deserialize, Serialize)]
struct Halfway {
    user: ResourceId,
    /// A hash of what is kept of the password that was given.
    password: String,
    at: Timestamp,
}

fn key(secret: &Secret) -> Key {
    Key::new(class::SESSION.of(hash(secret.expose())), "PASSWORD")
}

fn password(user: &User) -> Option<String> {
    user.password.as_ref().map(|password| hash(password.as_kept()))
}

impl Directory {
    /// Notes that this person has just given the right password. The secret is for the form that asks
    /// for the second factor, and nowhere else.
    pub async fn halfway_begin(&self, id: ResourceId) -> Result<Secret, Error> {
        let user = self.user(id).await?;
        let secret = Secret::fresh();
        let at = self.parts().clock.now();
        let halfway = Halfway { user: id, password: password(&user).unwrap_or_default(), at };
        let expires = Some(add(at, HALFWAY_LIVES));
        let content = Content { expires, ..Content::json(&halfway) };
        let write = Write::put(key(&secret), Condition::Absent, content);
        self.parts().table.write_one(write).await?;
        Ok(secret)
    }

    /// Who has given the password, if that is not too long ago and it is still the password.
    pub async fn halfway(&self, secret: &Secret) -> Result<Option<User>, Error> {
        let Some(item) = self.parts().table.get(&key(secret)).await? else { return Ok(None) };
        let halfway: Halfway = item.read()?;
        if self.parts().clock.now() >= add(halfway.at, HALFWAY_LIVES) {
            return Ok(None);
        }
        let user = match self.user(halfway.user).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            user => user?,
        };
        Ok((password(&user) == Some(halfway.password)).then_some(user))
    }

    /// Forgets it: the second factor was given, too.
    pub async fn halfway_end(&self, secret: &Secret) -> Result<(), Error> {
        let write = Write::delete(key(secret), Condition::Any);
        self.parts().table.write_one(write).await?;
        Ok(())
    }
}
