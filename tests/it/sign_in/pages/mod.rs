//! The pages where people sign in, by HTTP.

mod account;
mod authorize;
mod browser;
mod chromium;
mod safety;
mod second_factor;
mod sign_in;

use ssf::{
    client::{AuthMethod, GrantType, NewClient, RedirectUri, Scope, Secret},
    directory::{Actor, Directory, PasswordHash, ResourceId, User},
};
use tests::World;

use browser::{Browser, Page};

pub(super) const PASSWORD: &str = "correct horse battery";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CB: &str = "https://notes.example/cb?tenant=1";

/// A person, Ada, and an application, Notes.
pub(super) struct House {
    pub(super) world: World,
    pub(super) directory: Directory,
    pub(super) ada: ResourceId,
}

impl House {
    async fn new() -> Self {
        let world = World::new();
        let directory = Directory::of(&world.transmitter);
        let cause = directory.cause(Actor::Operator);
        let make = |user: &mut User| {
            "ada".clone_into(&mut user.attributes.user_name);
            user.attributes.display_name = Some("Ada <Lovelace>".to_owned());
            let email = serde_json::json!([{ "value": "ada@example.com" }]);
            user.attributes.emails = serde_json::from_value(email).unwrap();
            user.set_password(Some(PasswordHash::of(&Secret::new(PASSWORD))?));
            Ok(())
        };
        let ada = directory.user_create(&cause, make).await.unwrap().id;
        let house = Self { world, directory, ada };
        house.application("notes", CB, |_| {}).await;
        house
    }

    async fn application(&self, name: &str, uri: &str, change: impl FnOnce(&mut NewClient)) {
        let wish = |wish: &mut NewClient| {
            wish.client_name = format!("{name} & more");
            wish.audience = vec![];
            wish.scope = vec![Scope::OpenId, Scope::Profile, Scope::Email, Scope::OfflineAccess];
            wish.grant_types = Some(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
            wish.application.redirect_uris = vec![RedirectUri::parse(uri).unwrap()];
            change(wish);
        };
        self.world.register(name, wish).await;
    }

    /// An application without a secret.
    async fn public(&self, name: &str, uri: &str) {
        let change = |wish: &mut NewClient| {
            wish.auth_method = Some(AuthMethod::None);
        };
        self.application(name, uri, change).await;
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.world)
    }

    /// A browser at which Ada is signed in.
    async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let page = browser.get("/sign-in").await;
        let done = sign_in(&mut browser, &page, "ada", PASSWORD).await;
        assert_eq!(
            (done.status.as_u16(), done.location().as_str()),
            (303, "/account"),
            "{}",
            done.html
        );
        browser
    }
}

async fn sign_in(browser: &mut Browser, page: &Page, name: &str, password: &str) -> Page {
    browser.submit(page, "/sign-in", &[("name", name), ("password", password)]).await
}

/// A request for authorization.
fn ask(client: &str, uri: &str, more: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", uri),
        ("scope", "openid email"),
        ("state", "a state & more"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    query.extend_pairs(more);
    format!("/oauth/authorize?{}", query.finish())
}

/// A parameter of the address that the browser is sent to.
fn parameter(page: &Page, name: &str) -> Option<String> {
    let url = url::Url::parse(&page.location()).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
