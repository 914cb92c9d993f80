//! Whether somebody is who they say they are, by their password.

use super::{
    Directory, PasswordHash, User,
    attempts::Counter,
    credentials::hashing,
    store::{Named, name_key, user_key},
};
use crate::{
    Error,
    client::Secret,
    scim::ResourceType,
    table::{Condition, Content, Key, Version, Write, class},
};

/// Somebody who says who they are.
#[derive(Debug)]
pub struct Claim {
    /// The `userName`, without regard to case. Its `Debug` is that of a secret, for people mistake the
    /// field and type their password.
    pub name: Secret,
    /// The password.
    pub password: Secret,
    /// What the browser was given when somebody signed in there before; see [`Proof::Given`].
    pub browser: Option<Secret>,
}

/// What became of a claim.
#[derive(Debug)]
pub enum Proof {
    /// It is true.
    Given {
        /// Who it is.
        user: Box<User>,
        /// By what the browser is known from now on, if it was not before: kept there, it keeps
        /// strangers from making this person wait.
        browser: Option<Secret>,
    },
    /// There is nobody of this name, or they have another password, or none. Which of these it is takes
    /// the same time and is not said.
    Wrong,
    /// It is true, and the person is locked out.
    Locked,
    /// There were too many that were wrong: not looked at, and to be tried again after this time.
    Wait(std::time::Duration),
}

impl Directory {
    /// Judges a claim. A password that is right is hashed anew if it was hashed in another way than new
    /// ones are.
    ///
    /// # Errors
    ///
    /// [`Error::TooSoon`] when too many passwords are to be hashed at the same time.
    pub async fn authenticate(&self, claim: Claim) -> Result<Proof, Error> {
        let name = claim.name.expose();
        let whose = Counter::of_name(name);
        let counted = match self.count_attempt(&whose, claim.browser.as_ref()).await? {
            Ok(counted) => counted,
            Err(wait) => return Ok(Proof::Wait(wait)),
        };
        let found = self.by_name(name).await?;
        let kept = found.as_ref().and_then(|(user, _)| user.password.clone());
        let (fits, anew) = hashing(move || judge(kept, &claim.password)).await?;
        let Some((user, version)) = found.filter(|_| fits) else { return Ok(Proof::Wrong) };
        let browser = self.forget_failures(&whose, counted, None).await?;
        if user.is_locked(self.now()) {
            return Ok(Proof::Locked);
        }
        if let Some(anew) = anew {
            self.keep_anew(user.clone(), version, anew).await?;
        }
        Ok(Proof::Given { user: Box::new(user), browser })
    }

    /// The person of this name; as many reads whether there is one or not.
    async fn by_name(&self, name: &str) -> Result<Option<(User, Version)>, Error> {
        let table = &self.parts().table;
        let named = match table.get(&name_key(ResourceType::User, name)).await? {
            Some(item) => Some(item.read::<Named>()?.id),
            None => None,
        };
        let nobody = || Key::new(class::USER.of("nobody"), "USER");
        let item = table.get(&named.map_or_else(nobody, user_key)).await?;
        Ok(match item {
            Some(item) => Some((item.read()?, item.version)),
            None => None,
        })
    }

    /// The same password, hashed in another way: nothing that anybody is told, and not urgent.
    async fn keep_anew(
        &self,
        user: User,
        version: Version,
        hash: PasswordHash,
    ) -> Result<(), Error> {
        let user = User { password: Some(hash), ..user };
        let condition = Condition::Version(version);
        let write = Write::put(user_key(user.id), condition, Content::json(&user));
        match self.parts().table.write_one(write).await {
            Ok(_) | Err(crate::table::TableError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether this is the password of which `kept` was kept, and what is to be kept of it instead. Where
/// nothing was kept it takes as long.
fn judge(kept: Option<PasswordHash>, password: &Secret) -> (bool, Option<PasswordHash>) {
    let Some(kept) = kept else { return (PasswordHash::of_nobody().fits(password), None) };
    let fits = kept.fits(password);
    let anew = (fits && kept.is_outdated()).then(|| PasswordHash::of(password).ok()).flatten();
    (fits, anew)
}
