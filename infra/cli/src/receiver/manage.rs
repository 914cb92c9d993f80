//! What a receiver asks of its transmitter: a token, streams, subjects, a sign of life.

use std::{fmt, sync::Arc, time::Duration};

use ::http::{
    Method as Verb, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use ssf::{
    client::Secret,
    clock::{Clock, SystemClock, add},
};
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::{
    Http, Refused, Stream, Verifier,
    http::{Answer, authorized},
    metadata::{Metadata, token_endpoint},
};

/// A receiver that has found its transmitter.
pub struct Receiver {
    http: Http,
    metadata: Metadata,
    token_endpoint: String,
    credentials: Credentials,
    token: Mutex<Option<AccessToken>>,
    verifier: Arc<Verifier>,
}

/// Who the receiver is to the transmitter.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The id of the OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

struct AccessToken {
    value: String,
    until: Timestamp,
}

/// A token that has less than this to live is not used any more.
const TO_SPARE: Duration = Duration::from_secs(30);

impl Receiver {
    /// Finds all about the transmitter called `issuer`.
    pub async fn discover(
        http: Http,
        issuer: &str,
        credentials: Credentials,
    ) -> anyhow::Result<Self> {
        let metadata = Metadata::read(&http, issuer).await?;
        let token_endpoint = token_endpoint(&http, issuer).await?;
        let verifier = Verifier::new(http.clone(), &metadata.issuer, &metadata.jwks_uri);
        let (token, verifier) = (Mutex::default(), Arc::new(verifier));
        Ok(Self { http, metadata, token_endpoint, credentials, token, verifier })
    }

    /// Who verifies the SETs.
    pub fn verifier(&self) -> Arc<Verifier> {
        self.verifier.clone()
    }

    /// An access token, by `client_credentials` (RFC 6749, 4.4).
    pub async fn token(&self) -> anyhow::Result<String> {
        #[derive(Deserialize)]
        struct Grant {
            access_token: String,
            #[serde(default)]
            expires_in: u64,
        }
        let mut token = self.token.lock().await;
        let now = SystemClock.now();
        if let Some(token) = token.as_ref().filter(|token| token.until > now) {
            return Ok(token.value.clone());
        }
        let Credentials { client_id, client_secret } = &self.credentials;
        let encode =
            |text| form_urlencoded::byte_serialize(str::as_bytes(text)).collect::<String>();
        let basic = format!("{}:{}", encode(client_id), encode(client_secret.expose()));
        let request = Request::post(&self.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(basic)))
            .body("grant_type=client_credentials".into())?;
        let answer = self.http.send(request).await.context("cannot get an access token")?;
        let grant: Grant = answer.read(&self.token_endpoint)?;
        let until = add(now, Duration::from_secs(grant.expires_in).saturating_sub(TO_SPARE));
        *token = Some(AccessToken { value: grant.access_token.clone(), until });
        Ok(grant.access_token)
    }

    /// All its streams.
    pub async fn streams(&self) -> anyhow::Result<Vec<Stream>> {
        self.ask(Verb::GET, &self.metadata.configuration_endpoint, None).await
    }

    /// A new stream ([SSF 1.0, 8.1.1.1]).
    pub async fn create_stream(&self, wish: &Value) -> anyhow::Result<Stream> {
        self.ask(Verb::POST, &self.metadata.configuration_endpoint, Some(wish)).await
    }

    /// Changes what `wish` has of its stream ([SSF 1.0, 8.1.1.3]).
    pub async fn update_stream(&self, wish: &Value) -> anyhow::Result<Stream> {
        self.ask(Verb::PATCH, &self.metadata.configuration_endpoint, Some(wish)).await
    }

    /// Wants events about `subject` on a stream ([SSF 1.0, 8.1.3.2]).
    pub async fn add_subject(&self, stream: &Stream, subject: &Value) -> anyhow::Result<()> {
        let url = offered(self.metadata.add_subject_endpoint.as_ref(), "subjects to be added")?;
        let wish = json!({ "stream_id": stream.stream_id, "subject": subject });
        self.request(Verb::POST, url, Some(&wish)).await.map(drop)
    }

    /// Wants a verification SET with `state` ([SSF 1.0, 8.1.4.2]).
    pub async fn verify_stream(&self, stream: &Stream, state: &str) -> anyhow::Result<()> {
        let url = offered(self.metadata.verification_endpoint.as_ref(), "streams to be verified")?;
        let wish = json!({ "stream_id": stream.stream_id, "state": state });
        self.request(Verb::POST, url, Some(&wish)).await.map(drop)
    }

    /// Makes sure that a stream is enabled ([SSF 1.0, 8.1.2]); says whether it was not.
    pub async fn enable_stream(&self, stream: &Stream) -> anyhow::Result<bool> {
        #[derive(Deserialize)]
        struct Status {
            status: String,
        }
        let Some(url) = &self.metadata.status_endpoint else { return Ok(false) };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("stream_id", &stream.stream_id)
            .finish();
        let now: Status = self.ask(Verb::GET, &format!("{url}?{query}"), None).await?;
        if now.status == "enabled" {
            return Ok(false);
        }
        let wish = json!({ "stream_id": stream.stream_id, "status": "enabled" });
        self.request(Verb::POST, url, Some(&wish)).await.map(|_| true)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        verb: Verb,
        url: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        self.request(verb, url, body).await?.read(url)
    }

    /// Sends a request with an access token; with a new one if that is not good any more.
    pub(super) async fn request(
        &self,
        verb: Verb,
        url: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let token = self.token().await?;
        let answer = self.http.send(authorized(verb.clone(), url, &token, body)?).await;
        match &answer {
            Err(error) if is_unauthorized(error) => {}
            Ok(_) | Err(_) => return answer,
        }
        *self.token.lock().await = None;
        let token = self.token().await?;
        self.http.send(authorized(verb, url, &token, body)?).await
    }
}

fn offered<'a>(url: Option<&'a String>, what: &str) -> anyhow::Result<&'a str> {
    url.map(String::as_str).with_context(|| format!("the transmitter does not allow {what}"))
}

fn is_unauthorized(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<Refused>();
    refused.is_some_and(|refused| refused.status == StatusCode::UNAUTHORIZED)
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("metadata", &self.metadata)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
