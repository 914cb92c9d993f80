//! Issuing authorization codes, and exchanging them for tokens.

use crate::{
    Error,
    client::{
        Client, ClientId, GrantType, ResponseType, Scope, Secret, SecretHash,
        opaque::{Kind, Opaque},
    },
    sign_in::{
        Also, AuthorizationCode, CODE_LIFETIME, Challenge, ChallengeMethod, CodeFault, Cut,
        Exchange, Family, FamilyId, Happened, Refusal, Revoked, SignIn, SignedIn, SubjectId,
        Tokens, back_channel,
        facade::{ATTEMPTS, in_the_way},
        store::{code_key, family_key, list_family, person_session_key, put_code, put_family},
    },
    table::{Condition, Version},
};

/// The wish for a code: what an application asked for, and a person granted.
#[derive(Clone, Debug)]
pub struct CodeWish {
    /// The application.
    pub client: ClientId,
    /// The person.
    pub subject: SubjectId,
    /// Where the browser is sent with it.
    pub redirect_uri: String,
    /// What was asked for.
    pub response_type: ResponseType,
    /// What was granted.
    pub scope: Vec<Scope>,
    /// What the ID token is to repeat.
    pub nonce: Option<String>,
    /// What the exchange must prove.
    pub challenge: Option<Challenge>,
    /// How the person signed in.
    pub signed_in: SignedIn,
}

/// A code that was read, and the family that it may have become.
struct Found {
    code: (AuthorizationCode, Version),
    family: Option<(Family, Version)>,
}

impl SignIn {
    /// Issues a code: to an application that is registered for it and for the address, for what it
    /// is registered for and the person consented to. The code is in the answer and nowhere else.
    pub async fn code_issue(&self, wish: CodeWish) -> Result<Secret, Refusal> {
        let rows = self.rows(&wish.client, &wish.subject).await?;
        let bond = rows.standing().bond(&wish.subject)?;
        let client = rows.client.as_ref().ok_or(Cut::ClientGone)?;
        if !client.has_grant(GrantType::AuthorizationCode)
            || !client.response_types.contains(&wish.response_type)
        {
            return Err(Refusal::Grant);
        }
        if !client.redirects_to(&wish.redirect_uri) {
            return Err(CodeFault::RedirectUri.into());
        }
        if client.is_public() && wish.challenge.is_none() {
            return Err(Refusal::ChallengeMissing);
        }
        if wish.scope.is_empty() || wish.scope.iter().any(|scope| !client.scope.contains(scope)) {
            return Err(Refusal::Scope);
        }
        let covers =
            |(consent, _): &(crate::sign_in::Consent, Version)| consent.covers(&wish.scope);
        if !client.application.preconsent && !rows.consent.as_ref().is_some_and(covers) {
            return Err(Cut::ConsentMissing.into());
        }
        let now = self.parts().clock.now();
        let id = FamilyId::new(self.parts().ids.fresh());
        let parts = Opaque::fresh(Kind::Code, id.to_string());
        let code = AuthorizationCode {
            authorization_code_id: id,
            code: SecretHash::of(&parts.secret),
            bond,
            redirect_uri: wish.redirect_uri,
            response_type: wish.response_type,
            scope: wish.scope,
            nonce: wish.nonce,
            issue_date: now,
            lifetime: CODE_LIFETIME,
            challenge_method: wish.challenge.as_ref().map(|_| ChallengeMethod::S256),
            challenge: wish.challenge,
            revoked_at: None,
            signed_in: wish.signed_in,
            last_modified: now,
        };
        let mut writes = vec![put_code(&code, Condition::Absent)];
        let until = code.is_remembered_until();
        writes.extend(list_family(&code.bond, &code.signed_in, id, until));
        self.parts().table.transact(writes).await?;
        Ok(parts.token())
    }

    /// Exchanges a code of `client`, which proved who it is or is public, for tokens (RFC 6749,
    /// 4.1.3). It does so once: whoever comes second ends what the first was given.
    pub async fn code_exchange(
        &self,
        client: &ClientId,
        code: &str,
        exchange: Exchange<'_>,
        also: &Also<'_>,
    ) -> Result<Tokens, Refusal> {
        let parts = Opaque::parse(code).filter(|parts| parts.kind == Kind::Code);
        let parts = parts.ok_or(Refusal::Unknown)?;
        let id = FamilyId::parse(&parts.name).ok_or(Refusal::Unknown)?;
        for _ in 0..ATTEMPTS {
            let found = self.find_code(id, client, &parts.secret).await?;
            let done = if found.code.0.is_used() {
                self.replay(found, also).await?
            } else {
                self.first_use(found.code, exchange, also).await?
            };
            if let Some(tokens) = done {
                return Ok(tokens);
            }
        }
        Err(in_the_way().into())
    }

    /// The code of this name, if it is of `client` and has this secret.
    async fn find_code(
        &self,
        id: FamilyId,
        client: &ClientId,
        secret: &Secret,
    ) -> Result<Found, Refusal> {
        let keys = [code_key(id), family_key(id)];
        let mut items = self.parts().table.batch_get(&keys).await?.into_iter();
        let item = items.next().flatten().ok_or(Refusal::Unknown)?;
        let code: AuthorizationCode = item.read()?;
        if code.bond.client != *client || !code.code.fits(secret) {
            return Err(Refusal::Unknown);
        }
        let family = match items.next().flatten() {
            Some(item) => Some((item.read()?, item.version)),
            None => None,
        };
        Ok(Found { code: (code, item.version), family })
    }

    /// Ends what the code was exchanged for. `None`: somebody was in the way.
    async fn replay(&self, found: Found, also: &Also<'_>) -> Result<Option<Tokens>, Refusal> {
        let (code, _) = found.code;
        let (id, subject) = (code.authorization_code_id, code.bond.subject);
        let (mut family, version) = match found.family {
            Some(family) if family.0.revoked_at.is_none() => family,
            Some(_) | None => return Err(Refusal::Replayed { family: id, subject, ended: false }),
        };
        family.revoke(Revoked::CodeReplay, self.parts().clock.now());
        if self.end_family(&family, version, also).await? {
            tracing::warn!(client.id = %code.bond.client, family = %id, "a code was used twice");
            return Err(Refusal::Replayed { family: id, subject, ended: true });
        }
        Ok(None)
    }

    /// Writes a family that has just been revoked; whether nobody was in the way.
    pub(super) async fn end_family(
        &self,
        family: &Family,
        version: Version,
        also: &Also<'_>,
    ) -> Result<bool, Error> {
        let owner = self.parts().table.get(&self.owners.key(&family.bond.subject)).await?;
        let mut writes = vec![put_family(family, Condition::Version(version))];
        writes.extend(also(&Happened::Ended(family), owner.as_ref()));
        self.commit(writes).await
    }

    async fn first_use(
        &self,
        (mut code, version): (AuthorizationCode, Version),
        exchange: Exchange<'_>,
        also: &Also<'_>,
    ) -> Result<Option<Tokens>, Refusal> {
        let now = self.parts().clock.now();
        code.fits(exchange, now)?;
        let (client, subject) = (&code.bond.client, &code.bond.subject);
        let session = code.signed_in.sid.as_ref().map(|sid| person_session_key(subject, sid));
        let from_session = session.is_some();
        let (rows, session) = self.rows_and(client, subject, session).await?;
        if from_session && session.is_none() {
            // It ended since the code was issued, or at the same moment.
            return Err(Cut::Ended.into());
        }
        code.bond.holds(&rows.standing())?;
        let client = rows.client.as_ref().ok_or(Cut::ClientGone)?;
        if !client.has_grant(GrantType::AuthorizationCode) {
            return Err(Refusal::Grant);
        }
        if client.is_public() && code.challenge.is_none() {
            return Err(Refusal::ChallengeMissing);
        }
        let (mut family, refresh) = begin(&code, client, now);
        let scope = code.scope.clone();
        let access = family.add_access(scope.clone(), now);
        (code.revoked_at, code.last_modified) = (Some(now), now);
        let mut writes = vec![
            put_code(&code, Condition::Version(version)),
            put_family(&family, Condition::Absent),
        ];
        if let Some(session) = &session {
            writes.push(back_channel::note(session, client, &code.scope)?);
        }
        let (id, until) = (family.family_id, family.is_kept_until());
        writes.extend(list_family(&family.bond, &family.signed_in, id, until));
        writes.extend(also(&Happened::Began(&family), rows.owner_row.as_ref()));
        let done = self.commit(writes).await?;
        Ok(done.then(|| Tokens::new(family, scope, &access, refresh, code.nonce)))
    }
}

fn begin(
    code: &AuthorizationCode,
    client: &Client,
    now: jiff::Timestamp,
) -> (Family, Option<crate::sign_in::family::RefreshToken>) {
    Family::begin(
        code.authorization_code_id,
        code.bond.clone(),
        code.scope.clone(),
        client.token_audience().to_vec(),
        code.signed_in.clone(),
        client.has_grant(GrantType::RefreshToken),
        now,
    )
}
