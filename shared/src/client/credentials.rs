//! How a client proves who it is.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Transmitter,
    client::{
        Client, ClientId, ClientKeys, OAuthError, Secret,
        jwks::ALGORITHMS,
        store::{ClientRow, use_assertion},
    },
    clock::add,
    set::jws::{self, Header},
    table::TableError,
    web::paths,
};

/// What a client sends to prove who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Its secret, by HTTP Basic or in the form.
    Secret {
        /// Who it says it is.
        client_id: String,
        /// The secret.
        secret: Secret,
    },
    /// A JWT signed with its key (RFC 7523, 2.2).
    Assertion {
        /// Who it says it is, if it says so beside the assertion.
        client_id: Option<String>,
        /// The JWT.
        assertion: Secret,
    },
    /// Nothing: a public client says who it is, and cannot prove it (RFC 6749, 2.1).
    Public {
        /// Who it says it is.
        client_id: String,
    },
}

/// The longest life of an assertion: the longer it lives, the longer its use must be remembered. An hour
/// is what common libraries give it (Authlib).
const ASSERTION_LIFE: std::time::Duration = std::time::Duration::from_hours(1);

/// The clocks of clients may be this far ahead of ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

/// The claims of RFC 7523, 3.
#[derive(Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Transmitter {
    /// The client whose credentials these are. All that is wrong with them is one answer: who
    /// guesses learns nothing, not even which clients there are.
    pub async fn client_of(&self, credentials: &Credentials) -> Result<Client, OAuthError> {
        let client = match credentials {
            Credentials::Secret { client_id, secret } => {
                let row = self.claimed(client_id).await?;
                let now = self.parts().clock.now();
                let expired = row.client.client_secret_expires_at.is_some_and(|end| end <= now);
                let fits = row.secret.is_some_and(|hash| hash.fits(secret));
                if expired || !fits {
                    return Err(OAuthError::InvalidClient);
                }
                row.client
            }
            Credentials::Assertion { client_id, assertion } => {
                self.asserted(client_id.as_deref(), assertion.expose()).await?
            }
            Credentials::Public { client_id } => {
                let client = self.claimed(client_id).await?.client;
                if !client.is_public() {
                    return Err(OAuthError::InvalidClient);
                }
                client
            }
        };
        if client.disabled { Err(OAuthError::InvalidClient) } else { Ok(client) }
    }

    async fn claimed(&self, id: &str) -> Result<ClientRow, OAuthError> {
        let id = ClientId::parse(id).ok_or(OAuthError::InvalidClient)?;
        self.claims().count(&id.0)?;
        self.read_client(&id).await?.ok_or(OAuthError::InvalidClient)
    }

    async fn asserted(&self, id: Option<&str>, assertion: &str) -> Result<Client, OAuthError> {
        let refuse = OAuthError::InvalidClient;
        let Some(header) = Header::of(assertion) else { return Err(refuse) };
        if !ALGORITHMS.contains(&header.algorithm) {
            return Err(refuse);
        }
        // Says which client's keys to try, and no more.
        let claimed: AssertionClaims = jsonwebtoken::dangerous::insecure_decode_claims(assertion)
            .map_err(|_| OAuthError::InvalidClient)?;
        let client = self.claimed(&claimed.iss).await?.client;
        let key = match &client.keys {
            Some(ClientKeys::Jwks(jwks)) => jwks.find(&header),
            Some(ClientKeys::JwksUri(url)) => self.jwks().find(url, &header).await,
            None => None,
        };
        let claims = key.and_then(|key| jws::verify(assertion, &key, header.algorithm));
        let claims = claims.map(Value::Object).map(serde_json::from_value::<AssertionClaims>);
        let Some(Ok(claims)) = claims else { return Err(refuse) };
        let named = id.is_none_or(|id| id == claims.iss) && claims.iss == claims.sub;
        if !named || !self.is_audience(&claims.aud) {
            return Err(refuse);
        }
        self.use_once(&client.client_id, &claims).await?;
        Ok(client)
    }

    /// RFC 7523, 3: the audience is the token endpoint or the authorization server.
    fn is_audience(&self, audience: &Audience) -> bool {
        let issuer = &self.parts().config.issuer;
        let endpoint = issuer.join(paths::TOKEN);
        let ours = |text: &String| *text == endpoint || *text == issuer.as_str();
        match audience {
            Audience::One(text) => ours(text),
            Audience::Several(texts) => texts.iter().any(ours),
        }
    }

    /// Refuses an assertion that is over, lives too long, or was used before.
    async fn use_once(&self, id: &ClientId, claims: &AssertionClaims) -> Result<(), OAuthError> {
        let now = self.parts().clock.now();
        let latest = add(now, ASSERTION_LIFE + SKEW);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
        let seconds = |time: jiff::Timestamp| time.as_second() as f64;
        let early = claims.nbf.is_some_and(|nbf| nbf > seconds(add(now, SKEW)));
        let life = claims.exp > seconds(now) && claims.exp <= seconds(latest);
        if early || !life || claims.jti.is_empty() {
            return Err(OAuthError::InvalidClient);
        }
        match self.parts().table.write_one(use_assertion(id, &claims.jti, latest)).await {
            Ok(_) => Ok(()),
            Err(TableError::Conflict) => Err(OAuthError::InvalidClient),
            Err(error) => Err(Error::from(error).into()),
        }
    }
}
