//! Signing in and out.

use std::time::Duration;

use serde_json::Value;
use ssf::client::{AuthMethod, RedirectUri};

use super::{CB, House, PASSWORD, ask, browser::Browser, parameter, sign_in};

#[tokio::test]
async fn who_is_wrong_learns_nothing_and_may_try_again() {
    let house = House::new().await;
    let mut browser = house.browser();
    let mut page = browser.get(&ask("notes", CB, &[])).await;
    let mut said = Vec::new();
    for (name, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("nobody <b>", "")] {
        page = sign_in(&mut browser, &page, name, password).await;
        assert_eq!((page.status.as_u16(), page.heading().as_str()), (422, "Sign in"));
        assert!(page.has(&format!("value=\"{name}\"")) && !page.html.contains("<b>"));
        assert!(!browser.cookies.contains_key("__Host-tocsin"));
        // What went wrong is the first that is heard of, and each field points to it.
        let alert = page.html.split("<div").find(|div| div.contains("role=\"alert\"")).unwrap();
        for attribute in ["id=\"problem\"", "tabindex=\"-1\"", " autofocus"] {
            assert!(alert.contains(attribute), "{alert}");
        }
        assert_eq!(page.html.matches("aria-describedby=\"problem\"").count(), 2);
        let alert = page.html.split_once("role=\"alert\"").unwrap().1;
        said.push(alert.split_once("</div>").unwrap().0.to_owned());
    }
    assert!(said.iter().all(|text| *text == said[0]), "{said:#?}");
    let there = sign_in(&mut browser, &page, "ada", PASSWORD).await;
    assert!(there.location().starts_with("/oauth/authorize?"), "{}", there.html);
}

#[tokio::test]
async fn who_is_locked_out_learns_it_by_the_right_password_alone() {
    let house = House::new().await;
    super::super::people::change(&house.directory, house.ada, |user| {
        user.lock_date = Some(user.created);
    })
    .await;
    let mut browser = house.browser();
    let page = browser.get("/sign-in").await;
    let wrong = sign_in(&mut browser, &page, "ada", "wrong").await;
    assert!(wrong.has("is not right") && !wrong.has("locked"));
    let locked = sign_in(&mut browser, &page, "ada", PASSWORD).await;
    assert!(locked.has("This account is locked."));
    assert!(!browser.cookies.contains_key("__Host-tocsin"));
}

#[tokio::test]
async fn who_fails_often_waits_and_is_told_for_how_long() {
    let house = House::new().await;
    let mut browser = house.browser();
    let page = browser.get("/sign-in").await;
    for _ in 0..5 {
        assert_eq!(sign_in(&mut browser, &page, "ada", "wrong").await.status, 422);
    }
    for (second, wanted) in [(0, 429), (1, 429), (2, 303)] {
        let answer = sign_in(&mut browser, &page, "ada", PASSWORD).await;
        assert_eq!(answer.status.as_u16(), wanted, "{second} s");
        if wanted == 429 {
            let left = (2 - second).to_string();
            assert_eq!(answer.header("retry-after"), left);
            assert!(answer.has(&format!("Please wait {left} s")));
        }
        house.world.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_session_is_over_at_its_instant() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    house.world.clock.advance(Duration::from_secs(90 * 60 - 1));
    assert_eq!(browser.get("/account").await.status, 200);
    house.world.clock.advance(Duration::from_mins(90));
    assert_eq!(browser.get("/account").await.location(), "/sign-in");
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let stolen = browser.cookies.clone();
    let page = browser.get("/sign-out").await;
    assert_eq!(page.heading(), "Sign out?");
    let out = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(out.location(), "/signed-out");
    assert!(!browser.cookies.contains_key("__Host-tocsin"));
    assert_eq!(browser.get("/signed-out").await.heading(), "You are signed out");
    browser.cookies = stolen;
    assert_eq!(browser.get("/account").await.location(), "/sign-in", "the cookie is worth nothing");
}

#[tokio::test]
async fn pages_speak_the_language_that_is_asked_for() {
    let house = House::new().await;
    let mut browser = house.browser();
    browser.headers = vec![("accept-language", "fr;q=0.9, de-AT;q=0.8")];
    let page = browser.get(&ask("notes", CB, &[])).await;
    assert_eq!(page.heading(), "Anmelden");
    assert!(page.html.contains("<html lang=\"de\">"));
    let page = browser.get(&ask("notes", CB, &[("ui_locales", "fr en de")])).await;
    assert_eq!(page.heading(), "Sign in");
    // And go on to do so.
    let page = sign_in(&mut browser, &page, "ada", "wrong").await;
    assert!(page.has("The username or the password is not right."));
}

const AFTER: &str = "https://web.example/goodbye?x=1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// An application that gets an ID token for who is signed in, and may ask that they sign out.
async fn id_token(house: &House, browser: &mut Browser) -> String {
    let uri = "https://web.example/cb";
    house
        .application("web", uri, |wish| {
            wish.auth_method = Some(AuthMethod::None);
            wish.application.post_logout_redirect_uris = vec![RedirectUri::parse(AFTER).unwrap()];
        })
        .await;
    let page = browser.get(&ask("web", uri, &[])).await;
    let done = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    let code = parameter(&done, "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", &code),
        ("redirect_uri", uri),
        ("code_verifier", VERIFIER),
    ];
    let tokens: Value = house.world.anyone().form("/oauth/token", &form).await.json();
    tokens["id_token"].as_str().unwrap().to_owned()
}

fn goodbye(pairs: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("/oauth/end_session?{}", query.extend_pairs(pairs).finish())
}

#[tokio::test]
async fn an_application_that_knows_who_is_signed_in_signs_them_out() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let token = id_token(&house, &mut browser).await;
    let asked = [
        ("id_token_hint", token.as_str()),
        ("post_logout_redirect_uri", AFTER),
        ("state", "a & b"),
    ];
    let evil = [("id_token_hint", token.as_str()), ("post_logout_redirect_uri", CB)];
    let page = browser.get(&goodbye(&evil)).await;
    assert_eq!((page.status.as_u16(), page.location().as_str()), (400, ""));
    assert_eq!(browser.get("/account").await.status, 200, "nothing was done");
    // By a form, too: it comes from another site.
    let members = asked.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = [("sec-fetch-site", "cross-site")];
    let page = browser.post("/oauth/end_session", &headers, &members).await;
    assert_eq!((page.status.as_u16(), page.location()), (303, goodbye(&asked)));
    let page = browser.get(&page.location()).await;
    let wanted = format!("{AFTER}&state=a+%26+b");
    assert_eq!((page.status.as_u16(), page.location()), (303, wanted.clone()));
    assert!(!browser.cookies.contains_key("__Host-tocsin"));
    // Who is signed out already is sent on.
    assert_eq!(browser.get(&goodbye(&asked)).await.location(), wanted);
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_link_of_a_stranger() {
    let house = House::new().await;
    let mut other = house.signed_in().await;
    let token = id_token(&house, &mut other).await;
    for asked in [goodbye(&[]), goodbye(&[("id_token_hint", &token)])] {
        let mut browser = house.signed_in().await;
        let page = browser.get(&asked).await;
        assert_eq!(page.heading(), "Sign out?", "{asked}");
        assert_eq!(browser.get("/account").await.status, 200);
        let out = browser.submit(&page, "/sign-out", &[]).await;
        assert_eq!(out.location(), "/signed-out");
        assert_eq!(browser.get("/account").await.location(), "/sign-in");
    }
}
