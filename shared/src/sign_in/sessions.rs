//! Opening, using and ending sessions.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Error,
    client::Secret,
    sign_in::{
        Also, AuthorizationCode, Cut, Family, Happened, Means, Owner, Place, Refusal, Revoked,
        Session, SessionEnd, SignIn, SubjectId, back_channel,
        facade::{ATTEMPTS, in_the_way},
        store::{
            Listed, ListedSession, code_key, family_key, person_session_key, put_family,
            put_session, session_key, session_name,
        },
    },
    table::{Condition, Content, Item, Key, Query, Version, Write, class},
};

/// What ends with a session is ended so many at a time: each is a write of the same transaction.
const AT_ONCE: usize = 25;

/// Who signed in, and how.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The person.
    pub subject: SubjectId,
    /// By what means.
    pub means: Means,
    /// Where.
    pub place: Place,
}

impl SignIn {
    /// Opens a session for a person who has just signed in. The secret is for the browser, and nowhere
    /// else; it is another one each time. `before` is what the browser had: if that is a session of
    /// the same person, it is this one, and applications know it by the same name; if it is somebody
    /// else's, it ends.
    ///
    /// # Errors
    ///
    /// [`Refusal::Cut`] when the person may not come in any more.
    pub async fn session_open(
        &self,
        new: NewSession,
        before: Option<&Secret>,
        also: &Also<'_>,
    ) -> Result<(Secret, Session), Refusal> {
        let before = self.session(before).await?;
        if let Some(other) = before.as_ref().filter(|before| before.subject != new.subject) {
            self.session_end(&other.subject, &other.sid, SessionEnd::SignedOut, also).await?;
        }
        let same = before.filter(|before| before.subject == new.subject);
        for _ in 0..ATTEMPTS {
            let now = self.parts().clock.now();
            let owner = self.parts().table.get(&self.owners.key(&new.subject)).await?;
            let ends = match self.owners.judge(owner.as_ref(), now)? {
                Owner::Live { ends } => ends,
                Owner::Locked => return Err(Cut::OwnerLocked.into()),
                Owner::Gone => return Err(Cut::OwnerGone.into()),
            };
            let secret = Secret::fresh();
            let name = session_name(&secret);
            let session = Session {
                sid: same.as_ref().map_or_else(fresh_sid, |same| same.sid.clone()),
                subject: new.subject.clone(),
                ends,
                auth_time: now,
                amr: new.means.amr(),
                acr: Some(new.means.assurance().name().to_owned()),
                last_seen: now,
                place: new.place.clone(),
            };
            let mut writes = vec![put_session(&name, &session, Condition::Absent)];
            let mut listed = ListedSession { session: name, to_tell: Vec::new() };
            let expires = Some(session.expires());
            let place = person_session_key(&session.subject, &session.sid);
            if let Some(same) = &same {
                let Some((item, was)) = self.listed(&place).await? else {
                    // It ended in between, and with it what applications knew by its name.
                    return Err(in_the_way().into());
                };
                debug_assert_eq!(same.sid, session.sid);
                writes.push(Write::delete(session_key(&was.session), Condition::Any));
                listed.to_tell = was.to_tell;
                let content = Content { expires, ..Content::json(&listed) };
                writes.push(Write::put(place, Condition::Version(item.version), content));
                if same.assurance() != session.assurance() {
                    let changed = Happened::SessionChanged { before: same, after: &session };
                    writes.extend(also(&changed, owner.as_ref()));
                }
            } else {
                let content = Content { expires, ..Content::json(&listed) };
                writes.push(Write::put(place, Condition::Absent, content));
                writes.extend(also(&Happened::SessionBegan(&session), owner.as_ref()));
            }
            if self.commit(writes).await? {
                return Ok((secret, session));
            }
        }
        Err(in_the_way().into())
    }

    /// The session of which a browser has the secret, if it is good. It is noted that it is used.
    pub async fn session(&self, secret: Option<&Secret>) -> Result<Option<Session>, Error> {
        let Some(secret) = secret.filter(|secret| is_one(secret)) else { return Ok(None) };
        let name = session_name(secret);
        let Some(item) = self.parts().table.get(&session_key(&name)).await? else {
            return Ok(None);
        };
        let mut session: Session = item.read()?;
        if !self.is_good(&session).await? {
            return Ok(None);
        }
        if session.note(self.parts().clock.now()) {
            // Who is faster has noted the same, or ended it.
            let write = put_session(&name, &session, Condition::Version(item.version));
            self.commit(vec![write]).await?;
        }
        Ok(Some(session))
    }

    async fn is_good(&self, session: &Session) -> Result<bool, Error> {
        let now = self.parts().clock.now();
        if !session.is_live(now) {
            return Ok(false);
        }
        let owner = self.parts().table.get(&self.owners.key(&session.subject)).await?;
        Ok(match self.owners.judge(owner.as_ref(), now)? {
            Owner::Live { ends } => ends == session.ends,
            Owner::Locked | Owner::Gone => false,
        })
    }

    /// The sessions of a person that are good, from the one that was opened last.
    pub async fn sessions_of_person(&self, subject: &SubjectId) -> Result<Vec<Session>, Error> {
        let now = self.parts().clock.now();
        let owner = self.parts().table.get(&self.owners.key(subject)).await?;
        let Owner::Live { ends } = self.owners.judge(owner.as_ref(), now)? else {
            return Ok(Vec::new());
        };
        let query = Query::sorted(class::PERSON_SESSION.of(subject), "");
        let mut sessions = Vec::new();
        let mut pages = self.parts().table.pages(query);
        while let Some(items) = pages.next().await? {
            let names: Vec<ListedSession> =
                items.iter().map(Item::read).collect::<Result<_, _>>()?;
            let keys: Vec<Key> = names.iter().map(|listed| session_key(&listed.session)).collect();
            for item in self.parts().table.batch_get(&keys).await?.iter().flatten() {
                sessions.push(item.read::<Session>()?);
            }
        }
        sessions.retain(|session| session.is_live(now) && session.ends == ends);
        sessions.sort_by_key(|session| std::cmp::Reverse(session.auth_time));
        Ok(sessions)
    }

    /// Ends a session of a person, and with it what applications have because of it: codes and tokens.
    /// The session, if there was one.
    pub async fn session_end(
        &self,
        subject: &SubjectId,
        sid: &str,
        end: SessionEnd,
        also: &Also<'_>,
    ) -> Result<Option<Session>, Error> {
        let place = person_session_key(subject, sid);
        let mut attempts = 0;
        while attempts < ATTEMPTS {
            let Some((listed, of_session)) = self.listed(&place).await? else { return Ok(None) };
            let row = self.parts().table.get(&session_key(&of_session.session)).await?;
            let (mut writes, more) = self.end_of_families(subject, sid, end).await?;
            if more {
                // Nobody begins new ones without end; but others may be in the way.
                attempts += usize::from(!self.commit(writes).await?);
                continue;
            }
            let session: Option<Session> = row.as_ref().map(Item::read).transpose()?;
            let version = Condition::Version(listed.version);
            writes.push(Write::delete(place.clone(), version));
            if let (Some(row), Some(session)) = (&row, &session) {
                // Its use may be noted in between.
                writes.push(Write::delete(row.key.clone(), Condition::Any));
                if self.is_good(session).await? {
                    let owner = self.parts().table.get(&self.owners.key(subject)).await?;
                    let logouts = back_channel::logouts(sid, &of_session);
                    let ended = Happened::SessionEnded(session, end, &logouts);
                    writes.extend(also(&ended, owner.as_ref()));
                }
            }
            if self.commit(writes).await? {
                return Ok(session);
            }
            attempts += 1;
        }
        Err(in_the_way())
    }

    /// Ends all sessions of a person but the one called `except`; how many there were.
    pub async fn sessions_end(
        &self,
        subject: &SubjectId,
        except: Option<&str>,
        end: SessionEnd,
        also: &Also<'_>,
    ) -> Result<usize, Error> {
        let mut ended = 0;
        for session in self.sessions_of_person(subject).await? {
            if Some(session.sid.as_str()) != except {
                let session = self.session_end(subject, &session.sid, end, also).await?;
                ended += usize::from(session.is_some());
            }
        }
        Ok(ended)
    }

    async fn listed(&self, place: &Key) -> Result<Option<(Item, ListedSession)>, Error> {
        match self.parts().table.get(place).await? {
            Some(item) => {
                let listed = item.read()?;
                Ok(Some((item, listed)))
            }
            None => Ok(None),
        }
    }

    /// What ends codes and tokens that came from a session; and whether there are more of them.
    async fn end_of_families(
        &self,
        subject: &SubjectId,
        sid: &str,
        end: SessionEnd,
    ) -> Result<(Vec<Write>, bool), Error> {
        let mut writes = Vec::new();
        let query = Query::sorted(class::PERSON_FAMILY.of(subject), "");
        let mut pages = self.parts().table.pages(query);
        while let Some(items) = pages.next().await? {
            for item in &items {
                let listed: Listed = item.read()?;
                if listed.sid.as_deref() != Some(sid) {
                    continue;
                }
                if writes.len() == AT_ONCE {
                    return Ok((writes, true));
                }
                let keys = [code_key(listed.family), family_key(listed.family)];
                let mut rows = self.parts().table.batch_get(&keys).await?.into_iter();
                let (code, family) = (rows.next().flatten(), rows.next().flatten());
                writes.extend(match (code, family) {
                    (_, Some(family)) => self.end_of_family(&family, end)?,
                    (Some(code), None) => end_of_code(&code)?,
                    (None, None) => None,
                });
            }
        }
        Ok((writes, false))
    }

    fn end_of_family(&self, row: &Item, end: SessionEnd) -> Result<Option<Write>, Error> {
        let mut family: Family = row.read()?;
        if family.is_offline() && !end.ends_offline() {
            return Ok(None);
        }
        let ends = family.revoke(Revoked::SessionEnded, self.parts().clock.now());
        Ok(ends.then(|| put_family(&family, Condition::Version(row.version))))
    }
}

/// A code that nobody has exchanged yet, and now nobody will.
fn end_of_code(row: &Item) -> Result<Option<Write>, Error> {
    let code: AuthorizationCode = row.read()?;
    let version: Version = row.version;
    Ok((!code.is_used()).then(|| Write::delete(row.key.clone(), Condition::Version(version))))
}

/// Whether it can be the secret of a session; what cannot is nobody's, without a look.
fn is_one(secret: &Secret) -> bool {
    URL_SAFE_NO_PAD.decode(secret.expose()).is_ok_and(|bytes| bytes.len() == 32)
}

/// A name that says nothing and that nobody has had before.
fn fresh_sid() -> String {
    let secret = Secret::fresh();
    // 128 bits of it are enough for a name, and it is no secret.
    secret.expose().chars().take(22).collect()
}
