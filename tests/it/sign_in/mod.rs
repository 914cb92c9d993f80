//! What people let applications have: codes, tokens and consents.

mod app;
mod back_channel;
mod cascade;
mod codes;
mod consents;
mod factors;
mod families;
mod pages;
mod passwords;
mod people;
mod sessions;
mod tokens;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ssf::{
    Error,
    client::{ClientId, NewClient, RedirectUri, ResponseType, Scope, Secret},
    sign_in::{
        Challenge, CodeWish, Exchange, Owner, Owners, Refusal, SignIn, SignedIn, SubjectId, Tokens,
        nothing,
    },
    table::{Condition, Content, Item, Key, Write},
};
use tests::World;

/// People as this side of the house knows them: rows that somebody else writes.
#[derive(Debug)]
struct People;

#[derive(Default, Deserialize, Serialize)]
struct Person {
    lock_date: Option<Timestamp>,
    ends: u32,
}

impl Owners for People {
    fn key(&self, subject: &SubjectId) -> Key {
        Key::new(format!("USER#{subject}"), "USER")
    }

    fn judge(&self, row: Option<&Item>, now: Timestamp) -> Result<Owner, Error> {
        let Some(row) = row else { return Ok(Owner::Gone) };
        let person: Person = row.read()?;
        let locked = person.lock_date.is_some_and(|date| date <= now);
        Ok(if locked { Owner::Locked } else { Owner::Live { ends: person.ends } })
    }
}

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CB: &str = "https://app.example/cb";
const GRANTED: [Scope; 2] = [Scope::OpenId, Scope::Email];

pub(crate) fn id(name: &str) -> ClientId {
    ClientId(name.to_owned())
}

pub(crate) fn person(name: &str) -> SubjectId {
    SubjectId(name.to_owned())
}

/// A world with two people, jane and john, and two applications, notes and maps, to which jane gave
/// her consent.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) sign_in: SignIn,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let sign_in = SignIn::of(&world.transmitter, Arc::new(People));
        let scene = Self { world, sign_in };
        for name in ["jane", "john"] {
            scene.put(name, &Person::default()).await;
        }
        for name in ["notes", "maps"] {
            scene.register(name, |_| {}).await;
            scene.consent("jane", name).await;
        }
        scene
    }

    async fn register(&self, name: &str, change: impl FnOnce(&mut NewClient)) {
        let wish = |wish: &mut NewClient| {
            wish.audience = vec![];
            wish.scope = GRANTED.to_vec();
            wish.application.redirect_uris = vec![RedirectUri::parse(CB).unwrap()];
            change(wish);
        };
        self.world.register(name, wish).await;
    }

    /// Writes the row of a person.
    async fn put(&self, name: &str, row: &Person) {
        let write = Write::put(People.key(&person(name)), Condition::Any, Content::json(row));
        self.world.transmitter.parts().table.write_one(write).await.unwrap();
    }

    async fn remove(&self, name: &str) {
        let write = Write::delete(People.key(&person(name)), Condition::Any);
        self.world.transmitter.parts().table.write_one(write).await.unwrap();
    }

    pub(crate) async fn consent(&self, name: &str, client: &str) {
        let (name, client) = (person(name), id(client));
        self.sign_in.consent_grant(&name, &client, &GRANTED, &nothing).await.unwrap();
    }

    pub(crate) async fn code(&self, name: &str, client: &str) -> Result<Secret, Refusal> {
        self.sign_in.code_issue(wish(name, client)).await
    }

    pub(crate) async fn exchange(&self, client: &str, code: &Secret) -> Result<Tokens, Refusal> {
        exchange(&self.sign_in, client, code).await
    }

    /// Signs a person in to a client.
    pub(crate) async fn tokens(&self, name: &str, client: &str) -> Tokens {
        let code = self.code(name, client).await.unwrap();
        self.exchange(client, &code).await.unwrap()
    }

    async fn refresh(&self, client: &str, token: &Secret) -> Result<Tokens, Refusal> {
        self.sign_in.refresh(&id(client), token.expose(), None, &nothing).await
    }

    /// Whether an access token is good.
    async fn is_good(&self, tokens: &Tokens) -> bool {
        match self.sign_in.person_token(tokens.access_token.expose()).await {
            Ok(_) => true,
            Err(Refusal::Other(error)) => panic!("{error}"),
            Err(_) => false,
        }
    }

    /// The partitions that have rows of this side of the house, with how many.
    async fn rows(&self, partitions: &[&str]) -> usize {
        let table = &self.world.transmitter.parts().table;
        let mut rows = 0;
        for pk in partitions {
            rows += table.query(ssf::table::Query::sorted(*pk, "")).await.unwrap().items.len();
        }
        rows
    }
}

fn wish(name: &str, client: &str) -> CodeWish {
    CodeWish {
        client: id(client),
        subject: person(name),
        redirect_uri: CB.to_owned(),
        response_type: ResponseType::Code,
        scope: GRANTED.to_vec(),
        nonce: Some("n".to_owned()),
        challenge: Some(Challenge::parse(CHALLENGE, Some("S256")).unwrap()),
        signed_in: SignedIn::default(),
    }
}

async fn exchange(sign_in: &SignIn, client: &str, code: &Secret) -> Result<Tokens, Refusal> {
    let exchange = Exchange { redirect_uri: Some(CB), verifier: Some(VERIFIER) };
    sign_in.code_exchange(&id(client), code.expose(), exchange, &nothing).await
}

/// Why it was refused.
fn why<T>(refused: Result<T, Refusal>) -> String {
    refused.err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

/// The header of a compact JWS.
fn header(jws: &str) -> String {
    let header = jws.split('.').next().unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}
