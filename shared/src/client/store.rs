//! Where clients and tokens are in the table.
//!
//! | key | what |
//! | --- | --- |
//! | `CLIENTS`, client id | that there is this client |
//! | `CLIENT#`id, `CLIENT` | the client |
//! | `TOKEN#`id, token id | one of its tokens; gone when it is over |
//! | `ASSERTION#`id, hash | that an assertion was used; gone when it is over |

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter,
    client::{Client, ClientId, Token, TokenId, secret::SecretHash},
    table::{Condition, Content, Item, Key, Query, TableError, Version, Write, class},
};

/// How often a change is tried when others change the same.
const ATTEMPTS: usize = 5;

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct ClientRow {
    #[serde(flatten)]
    pub(super) client: Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SecretHash>,
    /// It is being deleted, and will not be there again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
    /// The version of the row, where it was read for a caller.
    #[serde(skip)]
    pub(super) version: Option<Version>,
}

impl ClientRow {
    fn read(item: &Item) -> Result<Self, TableError> {
        Ok(Self { version: Some(item.version), ..item.read()? })
    }
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct TokenRow {
    #[serde(flatten)]
    pub(super) token: Token,
    pub(super) secret: SecretHash,
}

impl TokenRow {
    pub(super) fn put(&self, condition: Condition) -> Write {
        let content = Content { expires: self.token.expires(), ..Content::json(self) };
        Write::put(token_key(&self.token.token_id), condition, content)
    }
}

impl Transmitter {
    pub(super) async fn read_client(&self, id: &ClientId) -> Result<Option<ClientRow>, Error> {
        let item = self.parts().table.get(&client_key(id)).await?;
        Ok(item.as_ref().map(ClientRow::read).transpose()?)
    }

    /// The version of a client that is there and enabled, and whether it may have whole resources.
    pub(crate) async fn enabled_client(&self, id: &ClientId) -> Result<(Version, bool), Error> {
        let row = self.read_client(id).await?.filter(|row| !row.client.disabled);
        let known = row.and_then(|row| Some((row.version?, row.client.scim.full)));
        known.ok_or(Error::Unauthenticated)
    }

    /// The version of a client that is there, and whether it may have whole resources.
    pub(crate) async fn client_scim_full(
        &self,
        id: &ClientId,
    ) -> Result<Option<(Version, bool)>, Error> {
        let row = self.read_client(id).await?;
        Ok(row.and_then(|row| Some((row.version?, row.client.scim.full))))
    }

    /// A client and one of its tokens, by one read.
    pub(super) async fn read_token(
        &self,
        id: &TokenId,
    ) -> Result<Option<(ClientRow, TokenRow)>, Error> {
        let keys = [client_key(&id.client()), token_key(id)];
        match self.parts().table.batch_get(&keys).await?.as_slice() {
            [Some(client), Some(token)] => Ok(Some((ClientRow::read(client)?, token.read()?))),
            _ => Ok(None),
        }
    }

    /// All clients.
    pub(super) async fn read_clients(&self) -> Result<Vec<ClientRow>, Error> {
        let table = &self.parts().table;
        let query = Query::sorted(class::CLIENTS.partition(), "").limit(100);
        let mut pages = table.pages(query);
        let mut clients = Vec::new();
        while let Some(items) = pages.next().await? {
            let keys: Vec<_> =
                items.iter().map(|item| client_key(&ClientId(item.key.sk.clone()))).collect();
            for item in table.batch_get(&keys).await?.into_iter().flatten() {
                clients.push(item.read()?);
            }
        }
        Ok(clients)
    }

    pub(super) async fn insert_client(&self, row: &ClientRow) -> Result<(), Error> {
        let id = &row.client.client_id;
        let writes = vec![
            Write::put(client_key(id), Condition::Absent, Content::json(row)),
            Write::put(listed_key(id), Condition::Any, Content::json(&())),
        ];
        match self.parts().table.transact(writes).await {
            Ok(_) => Ok(()),
            Err(TableError::Conflict) => {
                Err(Error::Refused(format!("there is a client {id} already")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a client, lets `change` change it and writes it, again when somebody else was in the
    /// way: so `change` may run several times.
    pub(super) async fn change_client(
        &self,
        id: &ClientId,
        change: impl Fn(&mut ClientRow) -> Result<(), Error>,
    ) -> Result<Client, Error> {
        let table = &self.parts().table;
        let mut attempts = 1;
        loop {
            let Some(item) = table.get(&client_key(id)).await? else {
                return Err(Error::NotFound { kind: "client", id: id.to_string() });
            };
            let mut row: ClientRow = item.read()?;
            change(&mut row)?;
            row.client.last_modified = self.parts().clock.now();
            let condition = Condition::Version(item.version);
            let write = Write::put(client_key(id), condition, Content::json(&row));
            match table.write_one(write).await {
                Err(TableError::Conflict) if attempts < ATTEMPTS => attempts += 1,
                written => return Ok(written.map(|_| row.client)?),
            }
        }
    }

    /// Changes a token as [`Self::change_client`] changes a client. `None`: there is none.
    pub(super) async fn change_token(
        &self,
        id: &TokenId,
        change: impl Fn(&mut Token),
    ) -> Result<Option<Token>, Error> {
        let table = &self.parts().table;
        let mut attempts = 1;
        loop {
            let Some(item) = table.get(&token_key(id)).await? else { return Ok(None) };
            let mut row: TokenRow = item.read()?;
            change(&mut row.token);
            row.token.last_modified = self.parts().clock.now();
            match table.write_one(row.put(Condition::Version(item.version))).await {
                Err(TableError::Conflict) if attempts < ATTEMPTS => attempts += 1,
                written => return Ok(written.map(|_| Some(row.token))?),
            }
        }
    }

    /// The tokens of a client that are not over.
    pub(super) async fn read_tokens(&self, id: &ClientId) -> Result<Vec<Token>, Error> {
        let items = self.parts().table.query_all(Query::sorted(class::TOKEN.of(id), "")).await?;
        let tokens = items.iter().map(|item| Ok(item.read::<TokenRow>()?.token));
        tokens.collect()
    }

    /// Removes a client and all that is below it; what is below it first, so that an interrupted
    /// removal is seen and can be done again.
    pub(super) async fn remove_client(&self, id: &ClientId) -> Result<(), Error> {
        let table = &self.parts().table;
        for below in [class::TOKEN, class::ASSERTION] {
            loop {
                let page = table.query(Query::sorted(below.of(id), "").limit(100)).await?;
                if page.items.is_empty() {
                    break;
                }
                let items = page.items.into_iter();
                let deletes = items.map(|item| Write::delete(item.key, Condition::Any)).collect();
                for deleted in table.write(deletes).await {
                    deleted?;
                }
            }
        }
        let deletes =
            [client_key(id), listed_key(id)].map(|key| Write::delete(key, Condition::Any));
        table.transact(deletes.to_vec()).await?;
        Ok(())
    }
}

/// Notes that the assertion `jti` was used; fails with [`TableError::Conflict`] when it was before.
pub(super) fn use_assertion(id: &ClientId, jti: &str, expires: jiff::Timestamp) -> Write {
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, jti.as_bytes()));
    let key = Key::new(class::ASSERTION.of(id), hash);
    let content = Content { expires: Some(expires), ..Content::json(&()) };
    Write::put(key, Condition::Absent, content)
}

pub(crate) fn client_key(id: &ClientId) -> Key {
    Key::new(class::CLIENT.of(id), "CLIENT")
}

fn listed_key(id: &ClientId) -> Key {
    Key::new(class::CLIENTS.partition(), id.0.clone())
}

fn token_key(id: &TokenId) -> Key {
    Key::new(class::TOKEN.of(id.client()), id.to_string())
}
