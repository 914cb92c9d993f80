//! People at applications, as applications see it: codes, tokens, ID tokens, who the person is, and
//! signing out (RFC 6749, RFC 7636, OpenID Connect Core 1.0).

mod authlib;
mod authorization;
mod grants;
mod id_tokens;
mod logout;
mod openid_client;
mod userinfo;

use ssf::{
    client::{NewClient, RedirectUri, Scope},
    directory::{Actor, Directory, User},
    sign_in::{AuthorizationRequest, Decision, Seen, SignIn, SignedIn, SubjectId, decide},
    table::{Condition, Content, Key, Write},
};
use tests::{Answer, World};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CB: &str = "https://notes.example/cb";

/// A world with a person, ada, and an application, notes, to which the operator consented for all.
struct Scene {
    world: World,
    directory: Directory,
    sign_in: SignIn,
    ada: SubjectId,
    secret: String,
}

impl Scene {
    async fn new() -> Self {
        Self::on(World::new()).await
    }

    async fn on(world: World) -> Self {
        let directory = Directory::of(&world.transmitter);
        let sign_in = directory.sign_in();
        let make = |user: &mut User| {
            "ada".clone_into(&mut user.attributes.user_name);
            Ok(())
        };
        let cause = directory.cause(Actor::Operator);
        let ada = directory.user_create(&cause, make).await.unwrap().id;
        let mut scene = Self { world, directory, sign_in, ada: ada.into(), secret: String::new() };
        scene.secret = scene.register("notes", |_| {}).await;
        let key = Key::new(format!("PERSON_SESSION#{}", scene.ada), "the-session");
        let session = Content::json(&serde_json::json!({ "session": "of ada" }));
        let write = Write::put(key, Condition::Any, session);
        scene.world.transmitter.parts().table.write_one(write).await.unwrap();
        scene
    }

    /// Registers an application; its secret.
    async fn register(&self, name: &str, change: impl FnOnce(&mut NewClient)) -> String {
        let wish = |wish: &mut NewClient| {
            wish.audience = vec![];
            wish.scope = Scope::ALL.into_iter().filter(|scope| !scope.is_of_clients()).collect();
            wish.application.redirect_uris = vec![RedirectUri::parse(CB).unwrap()];
            wish.application.preconsent = true;
            change(wish);
        };
        self.world.register(name, wish).await
    }

    /// A request of `client` for these scopes.
    async fn request(&self, client: &str, scope: &str) -> AuthorizationRequest {
        let pairs = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CB),
            ("scope", scope),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.sign_in.authorization(pairs).await.unwrap().0
    }

    /// Ada, who signed in a minute ago.
    fn seen(&self) -> Seen {
        let signed_in = SignedIn {
            sid: Some("the-session".to_owned()),
            auth_time: Some("2025-12-31T23:59:00Z".parse().unwrap()),
            amr: vec!["pwd".to_owned()],
            acr: None,
        };
        Seen { subject: self.ada.clone(), signed_in, second_factor: false }
    }

    /// A code for ada at `client`.
    async fn code(&self, client: &str, scope: &str) -> String {
        let request = self.request(client, scope).await;
        let id = request.client.clone();
        let client = self.world.transmitter.client_show(&id).await.unwrap();
        let (seen, now) = (self.seen(), self.world.transmitter.parts().clock.now());
        let consent = self.sign_in.consent_show(&self.ada, &id).await.unwrap();
        let decision = decide(&request, &client, Some(&seen), consent.as_ref(), now);
        let Decision::Issue { scope } = decision else { panic!("{decision:?}") };
        let url = self.sign_in.authorize_issue(&request, seen, scope).await.unwrap();
        parameter(&url, "code").unwrap()
    }

    /// Asks the token endpoint, as notes unless `more` says otherwise.
    async fn ask(&self, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("client_id", "notes"), ("client_secret", &*self.secret)];
        form.extend(more);
        self.world.anyone().form("/oauth/token", &form).await
    }

    async fn exchange(&self, code: &str) -> Answer {
        let grant = ("grant_type", "authorization_code");
        self.ask(&[grant, ("code", code), ("redirect_uri", CB), ("code_verifier", VERIFIER)]).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Signs ada in to notes; what the token endpoint answers.
    async fn signed_in(&self, scope: &str) -> serde_json::Value {
        let answer = self.exchange(&self.code("notes", scope).await).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()
    }

    /// Whether an access token is good.
    async fn is_good(&self, token: &str) -> bool {
        self.world.caller(token).get("/oauth/userinfo").await.status == 200
    }
}

/// A parameter in the query of an address.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url: url::Url = url.parse().unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// An error answer of OAuth in one line.
fn line(answer: &Answer) -> String {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}: {}", answer.status.as_u16(), text("error"), text("error_description"))
}

/// A member of a JSON object that is a text.
fn text<'a>(value: &'a serde_json::Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}
