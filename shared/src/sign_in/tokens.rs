//! Using, refreshing and giving back the tokens of people.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Error,
    client::{
        ClientId, GrantType, Scope, Secret,
        opaque::{Kind, Opaque},
    },
    clock::add,
    sign_in::{
        ACCESS_LIFETIME, Also, Cut, Family, FamilyId, Refusal, Revoked, SignIn, SignedIn,
        SubjectId,
        facade::{ATTEMPTS, in_the_way},
        family::{Brought, RefreshToken},
        store::put_family,
    },
    table::Condition,
};

/// What an application is given for a code or a refresh token. The tokens are here and nowhere else.
#[derive(Debug)]
pub struct Tokens {
    /// The family that they are of.
    pub family: Family,
    /// What the access token allows.
    pub scope: Vec<Scope>,
    /// The access token.
    pub access_token: Secret,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// The refresh token, if the application may have one.
    pub refresh_token: Option<Secret>,
    /// What the ID token is to repeat.
    pub nonce: Option<String>,
}

/// What a person's access token is good for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PersonToken {
    /// The family that it is of.
    pub family: FamilyId,
    /// The application that has it.
    pub client: ClientId,
    /// The person. There is always one: what is a person's is never the application's own.
    pub subject: SubjectId,
    /// What it allows: what was granted, as far as the application may still have it.
    pub scope: Vec<Scope>,
    /// The clients that it is for.
    pub audience: Vec<ClientId>,
    /// When it was issued.
    pub issue_date: Timestamp,
    /// For how many seconds it is good.
    pub lifetime: u64,
    /// Whether it is an access token; else it is a refresh token.
    pub is_access: bool,
    /// How the person signed in.
    pub signed_in: SignedIn,
}

impl PersonToken {
    /// When it is over.
    pub fn expires(&self) -> Timestamp {
        add(self.issue_date, Duration::from_secs(self.lifetime))
    }
}

impl Tokens {
    pub(super) fn new(
        family: Family,
        scope: Vec<Scope>,
        access: &Secret,
        refresh: Option<RefreshToken>,
        nonce: Option<String>,
    ) -> Self {
        let id = family.family_id;
        let token = |kind, name, secret| Opaque { kind, name, secret }.token();
        Self {
            access_token: token(Kind::Access, id.to_string(), access.clone()),
            refresh_token: refresh.map(|refresh| {
                token(Kind::Refresh, format!("{id}.{}", refresh.number), refresh.secret)
            }),
            expires_in: ACCESS_LIFETIME,
            family,
            scope,
            nonce,
        }
    }
}

/// The family that a refresh token says it is of, and the rest of it.
fn refresh_token(parts: Opaque) -> Option<(FamilyId, RefreshToken)> {
    let (family, number) = parts.name.split_once('.')?;
    let token = RefreshToken { number: number.parse().ok()?, secret: parts.secret };
    (parts.kind == Kind::Refresh).then_some(())?;
    Some((FamilyId::parse(family)?, token))
}

impl SignIn {
    /// Exchanges a refresh token of `client`, which proved who it is or is public, for a new access
    /// token and the next refresh token (RFC 6749, 6), by one conditional put. A token that was used
    /// before ends its family, but for who did not get the answer and asks again at once. `asked` is
    /// what the access token is to allow, all that was granted if absent.
    pub async fn refresh(
        &self,
        client: &ClientId,
        token: &str,
        asked: Option<&str>,
        also: &Also<'_>,
    ) -> Result<Tokens, Refusal> {
        let parts = Opaque::parse(token).and_then(refresh_token);
        let (id, brought) = parts.ok_or(Refusal::Unknown)?;
        for _ in 0..ATTEMPTS {
            if let Some(tokens) = self.try_refresh(client, id, &brought, asked, also).await? {
                return Ok(tokens);
            }
        }
        Err(in_the_way().into())
    }

    /// `None`: somebody was in the way.
    async fn try_refresh(
        &self,
        client: &ClientId,
        id: FamilyId,
        token: &RefreshToken,
        asked: Option<&str>,
        also: &Also<'_>,
    ) -> Result<Option<Tokens>, Refusal> {
        let now = self.parts().clock.now();
        let found = self.read_family(id).await?;
        let found = found.filter(|(family, _)| family.bond.client == *client);
        let (mut family, version) = found.ok_or(Refusal::Unknown)?;
        let brought = family.brought(token, now);
        if brought == Brought::MadeUp {
            return Err(Refusal::Unknown);
        }
        if !family.is_live(now) {
            return Err(Refusal::Over);
        }
        let lost = match brought {
            Brought::Lost(next) => Some(next),
            Brought::Reused => {
                family.revoke(Revoked::RefreshReuse, now);
                if !self.end_family(&family, version, also).await? {
                    return Ok(None);
                }
                tracing::warn!(client.id = %client, family = %id, "a refresh token was used twice");
                return Err(Refusal::Reused { family: id, subject: family.bond.subject });
            }
            Brought::Current | Brought::MadeUp => None,
        };
        let rows = self.rows(client, &family.bond.subject).await?;
        family.bond.holds(&rows.standing())?;
        let client = rows.client.ok_or(Cut::ClientGone)?;
        if !client.has_grant(GrantType::RefreshToken) {
            return Err(Refusal::Grant);
        }
        let mut scope = client.allowed(asked);
        scope.retain(|scope| family.scope.contains(scope));
        if scope.is_empty() {
            return Err(Refusal::Scope);
        }
        let next = lost.or_else(|| family.rotate(token, now)).ok_or(Refusal::Over)?;
        let access = family.add_access(scope.clone(), now);
        let done = self.commit(vec![put_family(&family, Condition::Version(version))]).await?;
        Ok(done.then(|| Tokens::new(family, scope, &access, Some(next), None)))
    }

    /// What a person's access token is good for now.
    pub async fn person_token(&self, token: &str) -> Result<PersonToken, Refusal> {
        let parts = Opaque::parse(token).filter(|parts| parts.kind == Kind::Access);
        self.about(parts.ok_or(Refusal::Unknown)?).await
    }

    /// What a person's access or refresh token is good for now.
    pub(super) async fn token_about(&self, token: &str) -> Result<PersonToken, Refusal> {
        self.about(Opaque::parse(token).ok_or(Refusal::Unknown)?).await
    }

    async fn about(&self, parts: Opaque) -> Result<PersonToken, Refusal> {
        let refresh = refresh_token(parts.clone());
        let named = match parts.kind {
            Kind::Access => FamilyId::parse(&parts.name),
            Kind::Refresh => refresh.as_ref().map(|(id, _)| *id),
            Kind::Client | Kind::Code => None,
        };
        let id = named.ok_or(Refusal::Unknown)?;
        let (family, _) = self.read_family(id).await?.ok_or(Refusal::Unknown)?;
        let now = self.parts().clock.now();
        let (scope, issue_date, lifetime) = match refresh {
            None => {
                let access = family.access(&parts.secret, now).ok_or(Refusal::Over)?;
                (access.scope.clone(), access.issue_date, access.lifetime)
            }
            Some((_, token)) if family.brought(&token, now) == Brought::Current => {
                (family.scope.clone(), family.issue_date, family.lifetime)
            }
            Some(_) => return Err(Refusal::Over),
        };
        if !family.is_live(now) {
            return Err(Refusal::Over);
        }
        let rows = self.rows(&family.bond.client, &family.bond.subject).await?;
        family.bond.holds(&rows.standing())?;
        let client = rows.client.ok_or(Cut::ClientGone)?;
        Ok(PersonToken {
            family: id,
            scope: scope.into_iter().filter(|one| client.scope.contains(one)).collect(),
            issue_date,
            lifetime,
            is_access: parts.kind == Kind::Access,
            client: family.bond.client,
            subject: family.bond.subject,
            audience: family.audience,
            signed_in: family.signed_in,
        })
    }

    /// Takes back a token of `client` (RFC 7009): an access token by itself, with a refresh token its
    /// whole family. What is not its own, or none, stays as it is, and nobody learns why.
    pub async fn token_give_back(
        &self,
        client: &ClientId,
        token: &str,
        also: &Also<'_>,
    ) -> Result<(), Error> {
        let Some(parts) = Opaque::parse(token) else { return Ok(()) };
        let now = self.parts().clock.now();
        let refresh = refresh_token(parts.clone());
        let id = refresh.as_ref().map(|(id, _)| *id).or_else(|| FamilyId::parse(&parts.name));
        let Some(id) = id else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let found = self.read_family(id).await?;
            let Some((mut family, version)) =
                found.filter(|(family, _)| family.bond.client == *client)
            else {
                return Ok(());
            };
            let done = match &refresh {
                Some((_, token)) if family.brought(token, now) != Brought::MadeUp => {
                    !family.revoke(Revoked::ByClient, now)
                        || self.end_family(&family, version, also).await?
                }
                None if parts.kind == Kind::Access && family.remove_access(&parts.secret, now) => {
                    self.commit(vec![put_family(&family, Condition::Version(version))]).await?
                }
                Some(_) | None => true,
            };
            if done {
                return Ok(());
            }
        }
        Err(in_the_way())
    }

    /// Ends a family for its person or the operator; the family as it is then, if it is there.
    pub async fn family_end(&self, id: FamilyId, also: &Also<'_>) -> Result<Option<Family>, Error> {
        for _ in 0..ATTEMPTS {
            let Some((mut family, version)) = self.read_family(id).await? else { return Ok(None) };
            let ends = family.revoke(Revoked::ByOwner, self.parts().clock.now());
            if !ends || self.end_family(&family, version, also).await? {
                return Ok(Some(family));
            }
        }
        Err(in_the_way())
    }
}
