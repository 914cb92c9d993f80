//! Who may do what: the token endpoint, access tokens, and the operators' part.

mod access;
mod assertion;
mod clients;
mod outside;
mod registration;
mod token;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use ssf::{
    embedded::LocalSigner,
    set::{Algorithm, PublicKey, Signer},
};
use tests::Answer;

/// Somebody else who signs: a client with a key, or another authorization server.
#[derive(Debug)]
struct Outsider {
    signer: LocalSigner,
    key: PublicKey,
}

impl Outsider {
    async fn new() -> Self {
        let signer = LocalSigner::in_memory(&[]).unwrap();
        let key = signer.generate(Algorithm::ES256).await.unwrap();
        Self { signer, key }
    }

    /// Its key set.
    fn jwks(&self) -> Value {
        json!({ "keys": [self.key.jwk()] })
    }

    /// A header that fits its key.
    fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.key.kid, "typ": "JWT" })
    }

    async fn token(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signer.sign(&self.key, input.as_bytes()).await.unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `value` with `change` merged into it; a null takes a member away.
fn but(value: &Value, change: &Value) -> Value {
    let mut value = value.clone();
    for (name, new) in change.as_object().unwrap() {
        match new {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            new => value[name] = new.clone(),
        }
    }
    value
}

/// An error answer in one line: its status, its word and its reason.
fn line(answer: &Answer) -> String {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}: {}", answer.status.as_u16(), text("error"), text("error_description"))
}
