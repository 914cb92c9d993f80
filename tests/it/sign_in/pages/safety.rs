//! What keeps the pages from being used against those who use them.

use super::{CB, House, PASSWORD, ask, parameter, sign_in};

#[tokio::test]
async fn a_form_is_taken_from_a_page_of_ours_alone() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let page = browser.get(&ask("notes", CB, &[])).await;
    let mut members = page.forms("/consent")[0].clone();
    members.push(("decision".to_owned(), "allow".to_owned()));
    let ours = ("sec-fetch-site", "same-origin");
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://tocsin.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let refused = browser.post("/consent", headers, &members).await;
        assert_eq!(refused.status, 403, "{headers:?}");
    }
    // Another page of ours would be no help without the token of this browser.
    let mut other = house.signed_in().await;
    let others = other.get(&ask("notes", CB, &[])).await.forms("/consent")[0].clone();
    let mut without = members.clone();
    without.retain(|(name, _)| name != "token");
    let mut twice = members.clone();
    twice.push(members[0].clone());
    for members in [&without, &others, &twice] {
        assert_eq!(browser.post("/consent", &[ours], members).await.status, 403);
    }
    let page = browser.get("/account").await;
    assert!(page.has("No application may have anything of yours."), "nothing was done");
    // A browser that does not know the header says where a form comes from by another.
    let done = browser.post("/consent", &[("origin", "https://tocsin.example")], &members).await;
    assert!(parameter(&done, "code").is_some());
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_form_of_somebody_else() {
    let house = House::new().await;
    let mut attacker = house.browser();
    let page = attacker.get("/sign-in").await;
    let mut members = page.forms("/sign-in")[0].clone();
    members.push(("name".to_owned(), "ada".to_owned()));
    members.push(("password".to_owned(), PASSWORD.to_owned()));
    let ours = [("sec-fetch-site", "same-origin")];
    let mut victim = house.browser();
    assert_eq!(victim.post("/sign-in", &ours, &members).await.status, 403);
    victim.get("/sign-in").await;
    assert_eq!(victim.post("/sign-in", &ours, &members).await.status, 403, "another token");
    victim.cookies.insert("__Host-tocsin-form".to_owned(), "short".to_owned());
    assert_eq!(victim.post("/sign-in", &ours, &members).await.status, 403);
    // A session that somebody else put there is not taken over.
    let planted = house.signed_in().await.cookies["__Host-tocsin"].clone();
    victim.cookies.insert("__Host-tocsin".to_owned(), planted.clone());
    let page = victim.get(&ask("notes", CB, &[("prompt", "login")])).await;
    sign_in(&mut victim, &page, "ada", PASSWORD).await;
    assert_ne!(victim.cookies["__Host-tocsin"], planted);
}

#[tokio::test]
async fn each_page_says_what_a_browser_may_do_with_it() {
    let house = House::new().await;
    let mut browser = house.browser();
    let mut pages = vec![
        browser.get("/sign-in").await,
        browser.get("/signed-out").await,
        browser.get("/oauth/authorize").await,
        browser.post("/sign-in", &[], &[]).await,
    ];
    let mut browser = house.signed_in().await;
    pages.extend([browser.get("/account").await, browser.get("/sign-out").await]);
    for page in pages {
        let policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'";
        for (name, value) in [
            ("content-security-policy", policy),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(page.header(name), value, "{name}: {}", page.html);
        }
        assert!(!page.html.contains("<script") && !page.html.contains("style="));
    }
    let sheet = browser.get("/assets/style.css").await;
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(sheet.header("cache-control").contains("immutable"));
}

/// Chromium and Safari hold `form-action` against each redirect that follows from a form. An application
/// may send people on to hosts that nobody here knows, or be no web page at all.
#[tokio::test]
async fn no_form_is_answered_by_a_redirect_that_leads_away() {
    let house = House::new().await;
    house.public("tool", "http://127.0.0.1/cb").await;
    house.public("six", "http://[::1]/cb").await;
    house.public("phone", "com.example.phone:/cb").await;
    let mut browser = house.browser();
    for (client, uri) in [
        ("notes", CB),
        ("tool", "http://127.0.0.1:4711/cb"),
        ("six", "http://[::1]:4711/cb"),
        ("phone", "com.example.phone:/cb"),
    ] {
        let page = browser.get(&ask(client, uri, &[])).await;
        let page = sign_in(&mut browser, &page, "ada", "wrong").await;
        assert!(page.header("content-security-policy").ends_with("; form-action 'self'"));
        let there = sign_in(&mut browser, &page, "ada", PASSWORD).await;
        assert_eq!(there.status, 200, "it may be sent further");
        let page = browser.get(&there.location()).await;
        for (decision, wanted) in [("deny", "error=access_denied"), ("allow", "code=tocsin_a.")] {
            let done = browser.submit(&page, "/consent", &[("decision", decision)]).await;
            assert_eq!(done.status, 200);
            let separator = if uri == CB { '&' } else { '?' };
            let wanted = format!("{uri}{separator}{wanted}");
            assert!(done.location().starts_with(&wanted), "{}", done.html);
            assert!(done.has(&format!("href=\"{wanted}")), "for who must not be refreshed");
        }
        // Who comes by a link is redirected, unless to what is no web page.
        let again = browser.get(&ask(client, uri, &[])).await;
        assert_eq!(again.status, if client == "notes" { 303 } else { 200 });
        browser.cookies.clear();
    }
}

#[tokio::test]
async fn a_program_without_a_secret_that_is_on_the_same_machine_is_asked_about_each_time() {
    let house = House::new().await;
    house.public("tool", "http://127.0.0.1/cb").await;
    let mut browser = house.signed_in().await;
    for port in [1, 2] {
        let uri = format!("http://127.0.0.1:{port}/cb");
        let page = browser.get(&ask("tool", &uri, &[])).await;
        assert!(page.heading().starts_with("Allow"));
        let done = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        assert!(done.location().starts_with(&uri));
    }
}

#[tokio::test]
async fn a_logo_is_loaded_from_where_the_operator_says() {
    let mut house = House::new().await;
    house.world = tests::World::with(|config| {
        config.branding.name = Some("Example & Sons".to_owned());
        config.branding.logo = Some("https://static.example/logo.svg".parse().unwrap());
    });
    let page = house.browser().get("/sign-in").await;
    assert!(page.has("Example & Sons") && page.has("src=\"https://static.example/logo.svg\""));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("img-src 'self' https://static.example;"), "{policy}");
}
