//! A person changes their own password.

use super::{Actor, Cause, Claim, Directory, Proof, ResourceId, Weak, password_rules};
use crate::{
    Error,
    client::Secret,
    sign_in::{Session, SessionEnd, SignIn, SubjectId},
};

/// What became of the wish for another password.
#[derive(Debug)]
pub enum OwnPassword {
    /// It is the password from now on.
    Changed,
    /// The new one cannot be chosen.
    Weak(Weak),
    /// The old one was not given; see [`Proof`].
    Unproven(Proof),
}

impl Directory {
    /// Gives the person of `session` another password, if they know the one that they have. All their
    /// other sessions end, unless the operator decided otherwise: before, so that nothing is left of
    /// them however this ends, and again after, for who came in meanwhile.
    pub async fn change_own_password(
        &self,
        sign_in: &SignIn,
        session: &Session,
        (old, new): (Secret, Secret),
        browser: Option<Secret>,
        cause: &Cause,
    ) -> Result<OwnPassword, Error> {
        debug_assert_eq!(cause.actor, Actor::Person);
        let subject = &session.subject;
        let gone = || Error::NotFound { kind: "user", id: subject.to_string() };
        let id = ResourceId::parse(&subject.0).ok_or_else(gone)?;
        let user = self.user(id).await?;
        if let Err(weak) = password_rules::check(&new, &user, false) {
            return Ok(OwnPassword::Weak(weak));
        }
        let name = Secret::new(user.attributes.user_name.as_str());
        match self.authenticate(Claim { name, password: old, browser }).await? {
            Proof::Given { user, .. } if user.id == id => {}
            Proof::Given { .. } => return Err(gone()),
            other => return Ok(OwnPassword::Unproven(other)),
        }
        self.end_others(sign_in, session, cause).await?;
        if let Some(hash) = self.new_password(Some(id), new).await? {
            let change = |user: &mut super::User| {
                user.set_password(Some(hash.clone()));
                Ok(())
            };
            self.user_change(id, None, cause, change).await?;
        }
        self.end_others(sign_in, session, cause).await?;
        self.hand_over_of(subject).await;
        Ok(OwnPassword::Changed)
    }

    async fn end_others(
        &self,
        sign_in: &SignIn,
        session: &Session,
        cause: &Cause,
    ) -> Result<(), Error> {
        let also = self.also(cause);
        let subject: &SubjectId = &session.subject;
        if self.parts().config.directory.end_sessions_on_password_change {
            let (except, end) = (Some(session.sid.as_str()), SessionEnd::PasswordChanged);
            sign_in.sessions_end(subject, except, end, &also).await?;
        }
        Ok(())
    }
}
