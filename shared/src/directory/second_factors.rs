//! The second factor of a person: added, asked for, taken away.

use std::time::Duration;

use super::{
    Actor, Cause, Directory, NewAuthenticator, ResourceId, SecondFactor, User,
    again::{Again, again},
    attempts::Counter,
    factor,
    record::{Deed, Noted},
    store::user_key,
    tells::{FactorChange, Teller},
};
use crate::{
    Error,
    client::Secret,
    scim::ResourceType,
    seal::{SealError, Sealed},
    table::{Condition, Content, TableError, Version, Write},
};

/// What became of the wish for a second factor.
#[derive(Debug)]
pub enum Second {
    /// It counts from now on. These are the recovery codes, which nobody sees again.
    Added(Vec<Secret>),
    /// The app shows another code: it has not the key, or its clock is wrong.
    WrongCode,
    /// There is one already.
    Already,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecondProof {
    /// It is right, and is good no more.
    Given,
    /// It is not right, or was used before, or there is no second factor.
    Wrong,
    /// There were too many that were wrong: not looked at, and to be tried again after this time.
    Wait(Duration),
}

impl Directory {
    /// A key that the authenticator app of this person is to have.
    pub async fn authenticator_new(&self, id: ResourceId) -> Result<NewAuthenticator, Error> {
        let key = factor::fresh_key();
        let sealed = self.parts().seal.seal(&key, &factor::context(id)).await?;
        self.authenticator(id, key, sealed).await
    }

    /// The same once more, of what is kept of its key; `None` if that was not made for this person.
    pub async fn authenticator_again(
        &self,
        id: ResourceId,
        sealed: Sealed,
    ) -> Result<Option<NewAuthenticator>, Error> {
        let Some(key) = self.opened(id, &sealed).await? else { return Ok(None) };
        self.authenticator(id, key, sealed).await.map(Some)
    }

    async fn authenticator(
        &self,
        id: ResourceId,
        key: Secret,
        sealed: Sealed,
    ) -> Result<NewAuthenticator, Error> {
        let user = self.user(id).await?;
        let uri = factor::uri(&self.parts().config, &user.attributes.user_name, &key);
        Ok(NewAuthenticator { key, uri, sealed })
    }

    async fn opened(&self, id: ResourceId, sealed: &Sealed) -> Result<Option<Secret>, Error> {
        match self.parts().seal.open(sealed, &factor::context(id)).await {
            Err(SealError::Unusable(_)) => Ok(None),
            opened => Ok(Some(opened?)),
        }
    }

    /// Makes the app that has this key, and shows `code` now, the second factor of the person; with it
    /// come recovery codes.
    pub async fn second_factor_add(
        &self,
        id: ResourceId,
        new: &NewAuthenticator,
        code: &Secret,
        cause: &Cause,
    ) -> Result<Second, Error> {
        let now = self.parts().clock.now();
        let Some(last_step) = factor::first_step(&new.key, code, now) else {
            return Ok(Second::WrongCode);
        };
        let add = |user: &mut User| {
            if user.second_factor.is_some() {
                return None;
            }
            let (key, recovery) = (new.sealed.clone(), Vec::new());
            let mut factor = SecondFactor { since: cause.at, key, last_step, recovery };
            let codes = factor.renew();
            user.second_factor = Some(factor);
            Some((FactorChange::Added, codes))
        };
        let added = self.second_factor_change(id, cause, add).await?;
        Ok(added.map_or(Second::Already, Second::Added))
    }

    /// Judges a code, of the app or a recovery code, of a person who has given the password. It is good
    /// once. `browser` is what the browser was given when somebody signed in there; if the code is
    /// right, it is known from now on, so that who knows the password alone cannot make the person wait
    /// there.
    pub async fn second_factor_prove(
        &self,
        id: ResourceId,
        code: &Secret,
        browser: Option<&Secret>,
        cause: &Cause,
    ) -> Result<SecondProof, Error> {
        let whose = Counter::of_second_factor(id);
        let counted = match self.count_attempt(&whose, browser).await? {
            Ok(counted) => counted,
            Err(wait) => return Ok(SecondProof::Wait(wait)),
        };
        if !again(|| self.take_code(id, code, cause)).await? {
            return Ok(SecondProof::Wrong);
        }
        self.forget_failures(&whose, counted, browser).await?;
        Ok(SecondProof::Given)
    }

    /// Whether the code is right; then it is so no more.
    async fn take_code(&self, id: ResourceId, code: &Secret, cause: &Cause) -> Result<bool, Again> {
        if !factor::is_of_app(code) {
            let use_up = |user: &mut User| {
                let used = user.second_factor.as_mut()?.use_up(code);
                used.then_some((FactorChange::Recovered, ()))
            };
            return Ok(self.second_factor_change(id, cause, use_up).await?.is_some());
        }
        let (mut user, version) = self.read::<User>(id).await?;
        let Some(factor) = &mut user.second_factor else { return Ok(false) };
        let key = self.parts().seal.open(&factor.key, &factor::context(id)).await;
        if !factor.take(&key.map_err(Error::from)?, code, self.parts().clock.now()) {
            return Ok(false);
        }
        let condition = Condition::Version(version);
        let write = Write::put(user_key(id), condition, Content::json(&user));
        self.parts().table.write_one(write).await?;
        Ok(true)
    }

    /// Makes other recovery codes, in the place of all that the person has; `None` if there is no second
    /// factor.
    pub async fn recovery_codes_renew(
        &self,
        id: ResourceId,
        cause: &Cause,
    ) -> Result<Option<Vec<Secret>>, Error> {
        let renew = |user: &mut User| {
            let codes = user.second_factor.as_mut()?.renew();
            Some((FactorChange::Renewed, codes))
        };
        self.second_factor_change(id, cause, renew).await
    }

    /// Takes the second factor of a person away, and the recovery codes with it. Whether there was one.
    pub async fn second_factor_remove(&self, id: ResourceId, cause: &Cause) -> Result<bool, Error> {
        let change = match cause.actor {
            Actor::Person => FactorChange::Removed,
            Actor::Client(_) | Actor::Operator | Actor::Clock | Actor::System => {
                FactorChange::Reset
            }
        };
        let remove = |user: &mut User| user.second_factor.take().map(|_| (change, ()));
        Ok(self.second_factor_change(id, cause, remove).await?.is_some())
    }

    /// Does `change` to the person, if it does anything, and tells of it. It is no change of the
    /// resource, so that its version stays.
    async fn second_factor_change<T>(
        &self,
        id: ResourceId,
        cause: &Cause,
        change: impl Fn(&mut User) -> Option<(FactorChange, T)>,
    ) -> Result<Option<T>, Error> {
        let done = again(|| async {
            let (mut user, version) = self.read::<User>(id).await?;
            let Some((change, done)) = change(&mut user) else { return Ok(None) };
            self.write_told(user, version, change, cause).await?;
            Ok(Some(done))
        });
        let done = done.await?;
        if done.is_some() {
            self.hand_over(&[id]).await;
        }
        Ok(done)
    }

    async fn write_told(
        &self,
        mut user: User,
        version: Version,
        change: FactorChange,
        cause: &Cause,
    ) -> Result<(), TableError> {
        user.sequence += 1;
        let config = &self.parts().config;
        let events = Teller { issuer: &config.issuer, cause }.second_factor(&user, change);
        let noted = Noted {
            kind: ResourceType::User,
            id: user.id,
            sequence: user.sequence,
            deed: Deed::Changed,
            attributes: vec!["secondFactor".to_owned()],
            events: &events,
        };
        let mut writes = noted.writes(cause, config);
        let condition = Condition::Version(version);
        writes.push(Write::put(user_key(user.id), condition, Content::json(&user)));
        self.parts().table.transact(writes).await.map(drop)
    }
}
