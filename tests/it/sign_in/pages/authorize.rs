//! Applications send people here, and get them back.

use ssf::{
    client::ClientId,
    sign_in::{Exchange, SignIn, nothing},
};

use super::{CB, House, PASSWORD, ask, browser::Page, parameter, sign_in};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// What the code in the answer to `notes` is good for.
pub(super) async fn exchange(house: &House, page: &Page) -> ssf::sign_in::Tokens {
    let code = parameter(page, "code").unwrap();
    let owners = std::sync::Arc::new(house.directory.clone());
    let sign_in = SignIn::of(&house.world.transmitter, owners);
    let exchange = Exchange { redirect_uri: Some(CB), verifier: Some(VERIFIER) };
    let notes = ClientId("notes".to_owned());
    sign_in.code_exchange(&notes, &code, exchange, &nothing).await.unwrap()
}

#[tokio::test]
async fn who_signs_in_and_allows_it_comes_back_to_the_application_with_a_code() {
    let house = House::new().await;
    let mut browser = house.browser();
    let page = browser.get(&ask("notes", CB, &[("nonce", "n")])).await;
    assert_eq!((page.status.as_u16(), page.heading().as_str()), (200, "Sign in"));
    assert!(page.has("notes & more") && page.html.contains("notes &amp; more"));
    let there = sign_in(&mut browser, &page, "ADA", PASSWORD).await;
    assert_eq!(there.status, 200);
    let page = browser.get(&there.location()).await;
    assert_eq!(page.heading(), "Allow notes & more?");
    assert!(page.html.contains("Ada &lt;Lovelace&gt;") && page.has("ada@example.com"));
    assert!(page.has("You will go on to notes.example."));
    let done = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(done.location().starts_with("https://notes.example/cb?tenant=1&"), "{done:?}");
    assert_eq!(parameter(&done, "state").unwrap(), "a state & more");
    assert_eq!(parameter(&done, "iss").unwrap(), "https://tocsin.example");
    let tokens = exchange(&house, &done).await;
    assert_eq!(tokens.nonce.as_deref(), Some("n"));
    let signed_in = tokens.family.signed_in;
    assert_eq!(signed_in.amr, ["pwd"]);
    assert!(signed_in.sid.is_some() && signed_in.auth_time.is_some());

    // From now on nobody is asked anything.
    let again = browser.get(&ask("notes", CB, &[])).await;
    assert!(parameter(&again, "code").is_some());
    let silent = browser.get(&ask("notes", CB, &[("prompt", "none")])).await;
    assert!(parameter(&silent, "code").is_some());
    // But for more, what is new is marked.
    let more = ask("notes", CB, &[]).replace("openid+email", "openid+profile");
    let more = browser.get(&more).await;
    assert!(
        more.heading().starts_with("Allow") && more.has(">new<") && more.has(">allowed before<")
    );
}

#[tokio::test]
async fn who_does_not_allow_it_comes_back_without() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let page = browser.get(&ask("notes", CB, &[])).await;
    let denied = browser.submit(&page, "/consent", &[("decision", "deny")]).await;
    assert_eq!(parameter(&denied, "error").unwrap(), "access_denied");
    assert_eq!(parameter(&denied, "state").unwrap(), "a state & more");
    assert!(browser.get("/account").await.has("No application may have anything"));
}

#[tokio::test]
async fn who_must_not_be_asked_is_not() {
    let house = House::new().await;
    let silent = ask("notes", CB, &[("prompt", "none")]);
    let nobody = house.browser().get(&silent).await;
    assert_eq!(parameter(&nobody, "error").unwrap(), "login_required");
    let mut browser = house.signed_in().await;
    let page = browser.get(&silent).await;
    assert_eq!(parameter(&page, "error").unwrap(), "consent_required");
}

#[tokio::test]
async fn who_is_to_sign_in_again_does_so_once() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let before = browser.cookies["__Host-tocsin"].clone();
    house.world.clock.advance(std::time::Duration::from_secs(100));
    for (name, value) in [("prompt", "login"), ("max_age", "60"), ("prompt", "select_account")] {
        let page = browser.get(&ask("notes", CB, &[(name, value)])).await;
        assert_eq!(page.heading(), "Sign in", "{name}={value}");
        assert_eq!(page.has("value=\"ada\""), value != "select_account");
        let there = sign_in(&mut browser, &page, "ada", PASSWORD).await;
        let page = browser.get(&there.location()).await;
        assert!(page.heading().starts_with("Allow"), "{name}={value}: {}", page.html);
        house.world.clock.advance(std::time::Duration::from_secs(100));
    }
    assert_ne!(browser.cookies["__Host-tocsin"], before, "another secret each time");
    let page = browser.get("/account").await;
    assert_eq!(page.html.matches("Firefox on Linux").count(), 1, "and the same session");
}

#[tokio::test]
async fn what_leads_nowhere_is_shown_and_what_leads_somewhere_is_told_there() {
    let house = House::new().await;
    let mut browser = house.browser();
    for (query, wanted) in [
        ("", "client_id is missing"),
        ("?client_id=notes", "redirect_uri is missing"),
        ("?client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example", "not known here"),
        ("?client_id=notes&redirect_uri=https%3A%2F%2Fevil.example", "is not registered"),
        ("?client_id=notes&client_id=notes", "client_id is there twice"),
    ] {
        let page = browser.get(&format!("/oauth/authorize{query}")).await;
        assert_eq!(page.status, 400, "{query}");
        assert!(page.has(wanted) && page.location().is_empty(), "{query}: {}", page.html);
    }
    for (name, value, wanted) in [
        ("request", "x", "request_not_supported"),
        ("request_uri", "https://x.example", "request_uri_not_supported"),
        ("prompt", "none login", "invalid_request"),
        ("response_mode", "form_post", "invalid_request"),
    ] {
        let page = browser.get(&ask("notes", CB, &[(name, value)])).await;
        assert_eq!(parameter(&page, "error").as_deref(), Some(wanted), "{name}={value}");
    }
}

#[tokio::test]
async fn a_request_by_a_form_of_another_site_is_asked_again_as_a_link() {
    let house = House::new().await;
    let mut browser = house.browser();
    let query = ask("notes", CB, &[]);
    let query = query.split_once('?').unwrap().1;
    let members: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let page =
        browser.post("/oauth/authorize", &[("sec-fetch-site", "cross-site")], &members).await;
    assert_eq!((page.status.as_u16(), page.location()), (303, ask("notes", CB, &[])));
}
