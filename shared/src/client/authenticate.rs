//! From an access token to the receiver that sent it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Error, Transmitter,
    client::{
        ClientId, Receiver, Scope, Token, TokenId, TokenType,
        jwks::ALGORITHMS,
        opaque::Opaque,
        store::{ClientRow, TokenRow},
    },
    clock::add,
    config::TrustedIssuer,
    set::jws::{self, Header},
};

/// The type of a JWT that is an access token (RFC 9068, 2.1).
const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The clocks of others may be this far ahead of ours.
const SKEW: std::time::Duration = std::time::Duration::from_mins(1);

impl Transmitter {
    /// The receiver whose access token this is: one of ours, a static one, or one of an issuer that
    /// the operator trusts. Reads the table once, and only for tokens that are whole or whose
    /// signature is good.
    pub async fn authenticate(&self, token: &str) -> Result<Receiver, Error> {
        let (client, scopes) = if let Some(issuer) = self.trusted_issuer(token) {
            self.outside_token(token, issuer).await?
        } else {
            let (client, token) = self.own_token(token).await?;
            if token.r#type == TokenType::Static {
                self.note_use(&token).await?;
            }
            (client, token.scope)
        };
        if client.client.disabled {
            return Err(Error::Unauthenticated);
        }
        self.requests().count(&client.client.client_id.0)?;
        let version = client.version;
        Ok(Receiver { version, ..client.client.receiver(&scopes, &self.parts().config) })
    }

    /// A token that was made here and is good, and whose it is. What is not whole costs no read.
    /// Who has a good one is not made to wait for those who guess; nobody guesses 256 bits.
    pub(super) async fn own_token(&self, token: &str) -> Result<(ClientRow, Token), Error> {
        let refuse = Err(Error::Unauthenticated);
        let Some(parts) = Opaque::parse(token) else { return refuse };
        let Some(id) = TokenId::of(&parts) else { return refuse };
        let now = self.parts().clock.now();
        match self.read_token(&id).await? {
            Some((client, TokenRow { token, secret }))
                if secret.fits(&parts.secret) && token.is_live(now) =>
            {
                Ok((client, token))
            }
            Some(_) | None => refuse,
        }
    }

    /// The outside issuer that `token` says it is from; nothing is verified yet.
    fn trusted_issuer(&self, token: &str) -> Option<&TrustedIssuer> {
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
        }
        if self.parts().config.trusted_issuers.is_empty() {
            return None;
        }
        let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
        self.parts().config.trusted_issuers.iter().find(|issuer| issuer.issuer == claims.iss)
    }

    async fn outside_token(
        &self,
        token: &str,
        issuer: &TrustedIssuer,
    ) -> Result<(ClientRow, Vec<Scope>), Error> {
        let refuse = Err(Error::Unauthenticated);
        let Some(header) = Header::of(token) else { return refuse };
        let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        if !["jwt", ACCESS_TOKEN_TYPE].contains(&typ) || !ALGORITHMS.contains(&header.algorithm) {
            return refuse;
        }
        let Some(key) = self.jwks().find(&issuer.jwks_url, &header).await else { return refuse };
        let Some(claims) = jws::verify(token, &key, header.algorithm) else { return refuse };
        let Some((id, scopes)) = outside_grant(&claims, issuer, self.parts().clock.now()) else {
            return refuse;
        };
        match self.read_client(&id).await? {
            Some(client) => Ok((client, scopes)),
            None => refuse,
        }
    }
}

/// The client and the scopes that verified `claims` of `issuer` stand for at `now`.
fn outside_grant(
    claims: &Map<String, Value>,
    issuer: &TrustedIssuer,
    now: Timestamp,
) -> Option<(ClientId, Vec<Scope>)> {
    let time = |name: &str| claims.get(name).map(|time| time.as_f64().unwrap_or(f64::NAN));
    let now_or_skew = (now.as_second(), add(now, SKEW).as_second());
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    let (now, latest) = (now_or_skew.0 as f64, now_or_skew.1 as f64);
    let live = time("exp").is_some_and(|exp| exp > now)
        && time("nbf").is_none_or(|nbf| nbf <= latest)
        && time("iat").is_none_or(|iat| iat <= latest);
    let audience = strings(claims.get("aud"), None);
    let ours = claims.get("iss").and_then(Value::as_str) == Some(&issuer.issuer)
        && audience.contains(&issuer.audience.as_str());
    if !live || !ours {
        return None;
    }
    let client = claims.get(&issuer.client_claim).and_then(Value::as_str)?;
    let scopes = strings(claims.get("scope").or_else(|| claims.get("scp")), Some(' '));
    let scopes = scopes.into_iter().filter_map(|scope| {
        // Cognito puts the name of the API before each scope: `https://api.example/ssf.read`.
        let own = scope.strip_prefix(&*issuer.audience).and_then(|rest| rest.strip_prefix('/'));
        Scope::parse(own.unwrap_or(scope))
    });
    Some((ClientId::parse(client)?, scopes.collect()))
}

/// A claim that is one string, or several: in an array, or with `separator` in between.
fn strings(claim: Option<&Value>, separator: Option<char>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => match separator {
            Some(separator) => text.split(separator).collect(),
            None => vec![text],
        },
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(_) | None => Vec::new(),
    }
}
