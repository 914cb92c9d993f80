//! What an operator does with clients and their tokens.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    Error, Transmitter,
    client::{
        Client, ClientId, NewClient, Scope, Secret, Token, TokenId, TokenType,
        opaque::Opaque,
        secret::SecretHash,
        store::{ClientRow, TokenRow, client_key},
    },
    clock::since,
    sign_in::forget_client,
    table::{Condition, TableError, Version, Write},
};

/// The last use of a static token is noted when the one before is older than this.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// How often a grant is tried while the client is changed.
const GRANT_ATTEMPTS: usize = 5;

impl Transmitter {
    /// Registers a client. Its secret, if it has one, is in the answer and nowhere else.
    pub async fn client_create(&self, wish: NewClient) -> Result<(Client, Option<Secret>), Error> {
        let now = self.parts().clock.now();
        let fresh = || ClientId(self.parts().ids.fresh().simple().to_string());
        let client_id = wish.client_id.clone().unwrap_or_else(fresh);
        let client = wish.client(client_id, now)?;
        let secret = client.token_endpoint_auth_method.has_secret().then(Secret::fresh);
        let secret_hash = secret.as_ref().map(SecretHash::of);
        let row = ClientRow { client, secret: secret_hash, gone: false, version: None };
        self.insert_client(&row).await?;
        Ok((row.client, secret))
    }

    /// Changes what was wished for a client; its id stays. A client that has no secret and now needs
    /// one gets it, in the answer and nowhere else; one that needs none any more loses it. Tokens
    /// stay good for what they may still have, and its streams have whole resources from now on if
    /// it may have them, or not any more; whoever was interrupted says it again.
    pub async fn client_update(
        &self,
        id: &ClientId,
        change: impl Fn(&mut NewClient),
    ) -> Result<(Client, Option<Secret>), Error> {
        let secret = Secret::fresh();
        let hash = SecretHash::of(&secret);
        let given = AtomicBool::new(false);
        let client = self
            .change_client(id, |row| {
                let mut wish = NewClient::of(&row.client);
                change(&mut wish);
                let changed = wish.client(row.client.client_id.clone(), row.client.created)?;
                row.client = Client { disabled: row.client.disabled, ..changed };
                let needs_one = row.client.token_endpoint_auth_method.has_secret();
                given.store(needs_one && row.secret.is_none(), Ordering::Relaxed);
                row.secret = match row.secret.take() {
                    Some(kept) if needs_one => Some(kept),
                    Some(_) | None => needs_one.then(|| hash.clone()),
                };
                Ok(())
            })
            .await?;
        self.update_scim_full(id).await?;
        Ok((client, given.into_inner().then_some(secret)))
    }

    /// A client.
    pub async fn client_show(&self, id: &ClientId) -> Result<Client, Error> {
        match self.read_client(id).await? {
            Some(row) => Ok(row.client),
            None => Err(Error::NotFound { kind: "client", id: id.to_string() }),
        }
    }

    /// All clients, by id.
    pub async fn client_list(&self) -> Result<Vec<Client>, Error> {
        let rows = self.read_clients().await?;
        Ok(rows.into_iter().map(|row| row.client).collect())
    }

    /// Makes a client nobody: its tokens are refused from now on. Its streams hold their SETs until it
    /// is enabled again, and say so.
    pub async fn client_disable(&self, id: &ClientId) -> Result<Client, Error> {
        self.set_disabled(id, true, false).await
    }

    /// Takes [`Self::client_disable`] back; tokens that are not over are good again, and its streams
    /// go on.
    pub async fn client_enable(&self, id: &ClientId) -> Result<Client, Error> {
        self.set_disabled(id, false, false).await
    }

    async fn set_disabled(
        &self,
        id: &ClientId,
        disabled: bool,
        gone: bool,
    ) -> Result<Client, Error> {
        let change = |row: &mut ClientRow| {
            if row.gone && !disabled {
                return Err(Error::Refused(format!("the client {id} is being deleted")));
            }
            row.client.disabled = disabled;
            row.gone |= gone;
            Ok(())
        };
        let client = self.change_client(id, change).await?;
        // What is deleted is told so by its streams.
        if !gone {
            self.suspend_streams_of(id, disabled).await?;
        }
        Ok(client)
    }

    /// Gives a client a new secret. The old one is of no use any more; tokens stay good.
    pub async fn client_rotate_secret(&self, id: &ClientId) -> Result<Secret, Error> {
        let secret = Secret::fresh();
        let hash = SecretHash::of(&secret);
        let change = |row: &mut ClientRow| {
            if !row.client.token_endpoint_auth_method.has_secret() {
                let without = if row.client.is_public() { "is public" } else { "has keys" };
                return Err(Error::Refused(format!("the client {id} {without} and has no secret")));
            }
            row.secret = Some(hash.clone());
            row.client.client_secret_expires_at = None;
            Ok(())
        };
        self.change_client(id, change).await?;
        Ok(secret)
    }

    /// Deletes a client, its tokens and its streams, and what people let it have.
    pub async fn client_delete(&self, id: &ClientId) -> Result<(), Error> {
        // From here on it is nobody and can make nothing new, so that what follows may be
        // interrupted, and done again.
        self.set_disabled(id, true, true).await?;
        self.delete_streams_of(id, "the client was deleted").await?;
        while forget_client(&*self.parts().table, id).await? {}
        self.remove_client(id).await
    }

    /// Makes a token for a receiver that cannot do OAuth: for `scope`, else for all that is
    /// registered. The secret is the whole token; it is in the answer and nowhere else.
    pub async fn static_token_create(
        &self,
        id: &ClientId,
        scope: Option<Vec<Scope>>,
    ) -> Result<(Token, Secret), Error> {
        let client = self.client_show(id).await?;
        let scope = scope.unwrap_or_else(|| client.allowed_by_itself(None));
        self.new_token(id, TokenType::Static, scope, None).await
    }

    /// A new token of a client, kept; and the token itself, which is not. The client must be there
    /// when it is written: one that is deleted at the same time leaves no token behind.
    pub(super) async fn new_token(
        &self,
        id: &ClientId,
        r#type: TokenType,
        scope: Vec<Scope>,
        lifetime: Option<u64>,
    ) -> Result<(Token, Secret), Error> {
        let now = self.parts().clock.now();
        let token = Token {
            token_id: TokenId::fresh(id, &*self.parts().ids),
            r#type,
            scope,
            issue_date: now,
            lifetime,
            revoked_at: None,
            last_used: None,
            last_modified: now,
        };
        let parts = token.token_id.token();
        let row = TokenRow { token, secret: SecretHash::of(&parts.secret) };
        for _ in 0..GRANT_ATTEMPTS {
            let version = self.holder(id, r#type).await?;
            let check = Write::check(client_key(id), Condition::Version(version));
            match self.parts().table.transact(vec![row.put(Condition::Absent), check]).await {
                // It was changed meanwhile.
                Err(TableError::Conflict) => {}
                written => return Ok(written.map(|_| (row.token, parts.token()))?),
            }
        }
        Err(TableError::Conflict.into())
    }

    /// The version of a client that may get a token of this type: one that it asked for itself only
    /// if it is enabled.
    async fn holder(&self, id: &ClientId, r#type: TokenType) -> Result<Version, Error> {
        match r#type {
            TokenType::Access => Ok(self.enabled_client(id).await?.0),
            TokenType::Static => {
                let version = self.read_client(id).await?.and_then(|row| row.version);
                version.ok_or_else(|| Error::NotFound { kind: "client", id: id.to_string() })
            }
        }
    }

    /// The tokens of a client that are not over.
    pub async fn token_list(&self, id: &ClientId) -> Result<Vec<Token>, Error> {
        self.client_show(id).await?;
        self.read_tokens(id).await
    }

    /// Revokes a token, given as itself or by its id.
    pub async fn token_revoke(&self, token: &str) -> Result<Token, Error> {
        let named = || TokenId::of(&Opaque::parse(token)?);
        let id = TokenId::parse(token).or_else(named);
        let revoked = match &id {
            Some(id) => self.revoke_token(id).await?,
            None => None,
        };
        revoked.ok_or_else(|| {
            // What was given may be the token itself, so it is not repeated.
            let id = id.map_or_else(|| "like this that is still good".into(), |id| id.to_string());
            Error::NotFound { kind: "token", id }
        })
    }

    pub(super) async fn revoke_token(&self, id: &TokenId) -> Result<Option<Token>, Error> {
        let now = self.parts().clock.now();
        self.change_token(id, |token| {
            token.revoked_at.get_or_insert(now);
        })
        .await
    }

    /// Notes that a static token was used.
    pub(super) async fn note_use(&self, token: &Token) -> Result<(), Error> {
        let now = self.parts().clock.now();
        if token.last_used.is_some_and(|last| since(last, now) < NOTED_EVERY) {
            return Ok(());
        }
        match self.change_token(&token.token_id, |token| token.last_used = Some(now)).await {
            // Whoever was faster noted the same.
            Ok(_) | Err(Error::Table(TableError::Conflict)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
