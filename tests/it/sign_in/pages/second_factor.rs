//! A second factor at the pages: set up, asked for, taken away.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::app::App,
    CB, House, PASSWORD, ask,
    authorize::exchange,
    browser::{Browser, Page},
    sign_in,
};

/// The key that a page shows.
fn key(page: &Page) -> String {
    let key = page.html.split_once("class=\"key\"").unwrap().1.split_once("</p>").unwrap().0;
    let groups = key.split("<span").skip(1);
    groups.map(|span| span.split_once('>').unwrap().1.split('<').next().unwrap()).collect()
}

/// The recovery codes that a page shows.
fn codes(page: &Page) -> Vec<String> {
    let list = page.html.split_once("class=\"codes\"").unwrap().1.split_once("</ul>").unwrap().0;
    list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap().to_owned()).collect()
}

impl House {
    /// A browser in which ada has given her password, and what it shows.
    async fn after_password(&self) -> (Browser, Page) {
        let mut browser = self.browser();
        let page = browser.get("/sign-in").await;
        let page = sign_in(&mut browser, &page, "ada", PASSWORD).await;
        (browser, page)
    }

    fn now(&self) -> Timestamp {
        self.world.transmitter.parts().clock.now()
    }

    fn next_step(&self) {
        self.world.clock.advance(Duration::from_secs(30));
    }

    /// Sets up an app for Ada; it, her recovery codes, and the browser where she did.
    async fn with_app(&self) -> (App, Vec<String>, Browser) {
        let mut browser = self.signed_in().await;
        let page = browser.get("/account/authenticator").await;
        let app = App::new(&key(&page));
        let code = app.code(self.now());
        let members = [("code", code.as_str()), ("password", PASSWORD)];
        let done = browser.submit(&page, "/account/authenticator", &members).await;
        assert_eq!(done.status, 200, "{}", done.html);
        self.next_step();
        (app, codes(&done), browser)
    }
}

async fn with_code(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, "/sign-in/code", &[("code", code)]).await
}

#[tokio::test]
async fn an_app_counts_once_it_has_shown_a_right_code_to_who_knows_the_password() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    assert!(browser.get("/account").await.has("Set up an authenticator app"));
    let page = browser.get("/account/authenticator").await;
    let shown = key(&page);
    assert_eq!(shown.len(), 32);
    let uri = "otpauth://totp/tocsin.example:ada?secret=";
    assert!(page.has(&format!("href=\"{uri}{shown}&issuer=tocsin.example")), "{}", page.html);
    assert!(page.html.contains("<svg class=\"qr\" role=\"img\" aria-label="));
    let app = App::new(&shown);
    let code = app.code(house.now());
    let other = if code == "000000" { "000001" } else { "000000" };
    for (code, password, wanted) in [
        (other, PASSWORD, "The app shows another code now."),
        (&code, "wrong", "The current password is not right."),
    ] {
        let members = [("code", code), ("password", password)];
        let again = browser.submit(&page, "/account/authenticator", &members).await;
        assert_eq!(again.status, 422);
        assert!(again.has(wanted), "{}", again.html);
        assert_eq!(key(&again), shown, "it is the same key");
        assert!(!again.html.contains("value=\"wrong\""));
    }
    let mut elsewhere = house.browser();
    let page_there = elsewhere.get("/sign-in").await;
    let there = sign_in(&mut elsewhere, &page_there, "ada", PASSWORD).await;
    assert_eq!(there.location(), "/account", "nobody is asked for a code yet");
    let before = browser.cookies["__Host-tocsin"].clone();
    let members = [("code", code.as_str()), ("password", PASSWORD)];
    let done = browser.submit(&page, "/account/authenticator", &members).await;
    assert_eq!((done.status.as_u16(), done.heading().as_str()), (200, "Your recovery codes"));
    assert_eq!(codes(&done).len(), 10);
    assert_ne!(browser.cookies["__Host-tocsin"], before, "the session is more than it was");
    assert_eq!(browser.get("/account/authenticator").await.location(), "/account");
    let account = browser.get("/account").await;
    assert!(account.has("a code of your authenticator app is asked for since"));
    assert!(account.has("Recovery codes that are left: 10."));
    assert!(account.has("Second step changed"));
    for code in codes(&done) {
        assert!(!account.html.contains(&code), "they are shown once");
    }
}

#[tokio::test]
async fn a_key_that_was_not_shown_here_is_not_taken() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let page = browser.get("/account/authenticator").await;
    for key in ["", "local1.AAAA", "MZXW6YTBMZXW6YTBMZXW6YTBMZXW6YTB"] {
        let members = [("key", key), ("code", "000000"), ("password", PASSWORD)];
        let refused = browser.submit(&page, "/account/authenticator", &members).await;
        assert_eq!(refused.status, 403, "{key}");
    }
    let mut nobody = house.browser();
    assert_eq!(nobody.get("/account/authenticator").await.location(), "/sign-in");
}

#[tokio::test]
async fn who_has_an_app_is_asked_for_its_code_after_the_password() {
    let house = House::new().await;
    let (app, _, _) = house.with_app().await;
    let mut browser = house.browser();
    let page = browser.get(&ask("notes", CB, &[])).await;
    let wrong = sign_in(&mut browser, &page, "ada", "wrong").await;
    assert_eq!((wrong.status.as_u16(), wrong.heading().as_str()), (422, "Sign in"));
    let page = sign_in(&mut browser, &page, "ada", PASSWORD).await;
    assert_eq!((page.status.as_u16(), page.heading().as_str()), (200, "Enter your code"));
    assert!(page.has("to continue to notes & more"));
    assert!(page.html.contains("autocomplete=\"one-time-code\""));
    assert!(!browser.cookies.contains_key("__Host-tocsin"), "nobody is signed in");
    let wrong = with_code(&mut browser, &page, "wrong").await;
    assert_eq!((wrong.status.as_u16(), wrong.heading().as_str()), (422, "Enter your code"));
    assert!(wrong.has("The code is not right, or it was used before."));
    assert!(wrong.html.contains("aria-describedby=\"code-lead problem\" aria-invalid=\"true\""));
    let code = app.code(house.now());
    let there = with_code(&mut browser, &wrong, &code).await;
    assert!(there.location().starts_with("/oauth/authorize?"), "{}", there.html);
    let consent = browser.get(&there.location()).await;
    assert_eq!(consent.heading(), "Allow notes & more?");
    // The same once more: neither is good any more.
    let mut thief = house.browser();
    thief.cookies = browser.cookies.clone();
    let again = with_code(&mut thief, &page, &code).await;
    assert_ne!(again.status, 303, "{}", again.html);
    let page = house.browser().get("/sign-in").await;
    assert_eq!(page.heading(), "Sign in");
}

#[tokio::test]
async fn who_takes_too_long_or_makes_the_first_half_up_begins_again() {
    let house = House::new().await;
    let (app, _, _) = house.with_app().await;
    let (mut browser, page) = house.after_password().await;
    let code = app.code(house.now());
    let members = [("halfway", "made-up"), ("code", code.as_str())];
    let made_up = browser.submit(&page, "/sign-in/code", &members).await;
    assert_eq!((made_up.status.as_u16(), made_up.heading().as_str()), (422, "Sign in"));
    house.world.clock.advance(Duration::from_mins(10));
    let late = with_code(&mut browser, &page, &app.code(house.now())).await;
    assert_eq!((late.status.as_u16(), late.heading().as_str()), (422, "Sign in"));
    assert!(late.has("That took too long. Please sign in again."));
    assert!(!browser.cookies.contains_key("__Host-tocsin"));
}

#[tokio::test]
async fn many_wrong_codes_make_one_wait() {
    let house = House::new().await;
    let (app, _, _) = house.with_app().await;
    let (mut browser, page) = house.after_password().await;
    for _ in 0..5 {
        assert_eq!(with_code(&mut browser, &page, "wrong").await.status, 422);
    }
    let wait = with_code(&mut browser, &page, &app.code(house.now())).await;
    assert_eq!((wait.status.as_u16(), wait.header("retry-after")), (429, "2"));
    assert!(wait.has("Please wait 2 s"));
    house.world.clock.advance(Duration::from_secs(2));
    assert_eq!(with_code(&mut browser, &page, &app.code(house.now())).await.status, 303);
}

#[tokio::test]
async fn who_has_lost_the_app_comes_in_by_a_recovery_code_and_removes_it_by_another() {
    let house = House::new().await;
    let (_, codes, _) = house.with_app().await;
    let (mut browser, page) = house.after_password().await;
    assert_eq!(with_code(&mut browser, &page, &codes[0]).await.location(), "/account");
    let account = browser.get("/account").await;
    assert!(account.has("Recovery codes that are left: 9."));
    let change = async |browser: &mut Browser, code: &str, what: &str| {
        let members = [("code", code), ("do", what)];
        browser.submit(&account, "/account/second-factor", &members).await
    };
    let wrong = change(&mut browser, &codes[0], "remove").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.has("it was used before") && wrong.has("Recovery codes that are left: 9."));
    let renewed = change(&mut browser, &codes[1], "renew").await;
    assert_eq!(renewed.heading(), "Your recovery codes");
    let new = self::codes(&renewed);
    assert_eq!(change(&mut browser, &codes[2], "remove").await.status, 422, "it is gone");
    let removed = change(&mut browser, &new[0], "remove").await;
    assert!(removed.has("The authenticator app is removed."), "{}", removed.html);
    assert!(removed.has("Set up an authenticator app"));
    let mut browser = house.browser();
    let page = browser.get("/sign-in").await;
    assert_eq!(sign_in(&mut browser, &page, "ada", PASSWORD).await.location(), "/account");
}

#[tokio::test]
async fn an_application_that_wants_both_gets_both_from_who_has_them() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    let wish =
        |more: &[(&str, &str)]| ask("notes", CB, &[&[("acr_values", "nist-aal2")], more].concat());
    let consent = browser.get(&wish(&[])).await;
    assert_eq!(consent.heading(), "Allow notes & more?", "who has no second factor is not asked");
    browser.submit(&consent, "/consent", &[("decision", "allow")]).await;
    let (app, _, _) = house.with_app().await;
    let silent = browser.get(&wish(&[("prompt", "none")])).await;
    let signed_in = exchange(&house, &silent).await.family.signed_in;
    assert_eq!(signed_in.acr.as_deref(), Some("nist-aal1"), "it sees what it got");
    let page = browser.get(&wish(&[])).await;
    assert!(page.has("notes & more wants you to sign in again, with your password and a code."));
    let page = sign_in(&mut browser, &page, "ada", PASSWORD).await;
    let there = with_code(&mut browser, &page, &app.code(house.now())).await;
    let done = browser.get(&there.location()).await;
    let signed_in_again = exchange(&house, &done).await.family.signed_in;
    assert_eq!(signed_in_again.acr.as_deref(), Some("nist-aal2"));
    assert_eq!(signed_in_again.sid, signed_in.sid, "the session is the same");
    assert_eq!(signed_in_again.auth_time, Some(house.now()));
}

#[tokio::test]
async fn an_application_is_told_how_the_person_signed_in() {
    let house = House::new().await;
    let signed_in = async |browser: &mut Browser| {
        let mut page = browser.get(&ask("notes", CB, &[])).await;
        if page.location().is_empty() {
            page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        }
        exchange(&house, &page).await.family.signed_in
    };
    let before = signed_in(&mut house.signed_in().await).await;
    assert_eq!((before.amr, before.acr.as_deref()), (vec!["pwd".to_owned()], Some("nist-aal1")));
    let (_, _, mut browser) = house.with_app().await;
    let after = signed_in(&mut browser).await;
    assert_eq!(after.amr, ["pwd", "otp", "mfa"]);
    assert_eq!(after.acr.as_deref(), Some("nist-aal2"));
}
