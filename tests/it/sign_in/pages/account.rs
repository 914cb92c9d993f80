//! A person's own account.

use serde_json::json;
use ssf::client::Scope;
use tests::world::caep;

use super::{CB, House, PASSWORD, ask, parameter, sign_in};

/// Lets the application have what it asks for.
async fn allow(browser: &mut super::Browser, client: &str, uri: &str) {
    let page = browser.get(&ask(client, uri, &[])).await;
    let done = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
    assert!(parameter(&done, "code").is_some(), "{}", done.html);
}

#[tokio::test]
async fn what_an_application_may_have_is_shown_and_can_be_taken_back() {
    let house = House::new().await;
    let mut browser = house.signed_in().await;
    allow(&mut browser, "notes", CB).await;
    let page = browser.get("/account").await;
    assert!(page.has("notes & more") && page.has("know that you are you, see your e-mail address"));
    let taken = browser.submit(&page, "/account/revoke", &[]).await;
    assert!(taken.has("notes & more may not have anything of yours any more."));
    assert!(taken.has("No application may have anything of yours."));
    let again = browser.get(&ask("notes", CB, &[("prompt", "none")])).await;
    assert_eq!(parameter(&again, "error").unwrap(), "consent_required");
    // What was never allowed cannot be taken back, and that is no error.
    let other = browser.submit(&page, "/account/revoke", &[("client", "nobody")]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn what_the_operator_allowed_for_everybody_is_shown_once_it_is_used() {
    let house = House::new().await;
    house
        .application("maps", "https://maps.example/cb", |wish| {
            wish.application.preconsent = true;
            wish.scope = vec![Scope::OpenId];
        })
        .await;
    let mut browser = house.signed_in().await;
    assert!(!browser.get("/account").await.has("maps & more"));
    let asked = ask("maps", "https://maps.example/cb", &[]);
    assert!(parameter(&browser.get(&asked).await, "code").is_some(), "nobody is asked");
    let page = browser.get("/account").await;
    assert!(page.has("maps & more") && page.has("allowed for everybody by your organisation"));
    browser.submit(&page, "/account/revoke", &[]).await;
    assert!(browser.get(&asked).await.heading().starts_with("Allow"), "now they are");
}

#[tokio::test]
async fn sessions_are_shown_and_end_one_by_one_or_all_others() {
    let house = House::new().await;
    let mut here = house.signed_in().await;
    let mut there: Vec<_> = Vec::new();
    for _ in 0..3 {
        there.push(house.signed_in().await);
    }
    let page = here.get("/account").await;
    assert_eq!(page.html.matches("Firefox on Linux").count(), 4 + 3, "and on three buttons");
    assert_eq!(page.html.matches("this browser").count(), 1);
    let ends = page.forms("/account/end");
    assert_eq!(ends.len(), 4, "three others, and all of them");
    let headers = [("sec-fetch-site", "same-origin")];
    let one = here.post("/account/end", &headers, &ends[0]).await;
    assert!(one.has("The session has ended."));
    let mut left = 0;
    for browser in &mut there {
        left += usize::from(browser.get("/account").await.status == 200);
    }
    assert_eq!(left, 2);
    let all = here.submit(&page, "/account/end", &[("session", "")]).await;
    assert!(all.has("You are signed out everywhere else."));
    for browser in &mut there {
        assert_eq!(browser.get("/account").await.location(), "/sign-in");
    }
    assert_eq!(here.get("/account").await.status, 200);
}

#[tokio::test]
async fn the_session_of_somebody_else_cannot_be_ended() {
    let house = House::new().await;
    let cause = house.directory.cause(ssf::directory::Actor::Operator);
    let make = |user: &mut ssf::directory::User| {
        "eve".clone_into(&mut user.attributes.user_name);
        let password = ssf::client::Secret::new(PASSWORD);
        user.set_password(Some(ssf::directory::PasswordHash::of(&password)?));
        Ok(())
    };
    house.directory.user_create(&cause, make).await.unwrap();
    let mut ada = house.signed_in().await;
    house.signed_in().await;
    let ends = ada.get("/account").await.forms("/account/end");
    let (_, sid) = ends[0].iter().find(|(name, _)| name == "session").unwrap().clone();
    let mut eve = house.browser();
    let page = eve.get("/sign-in").await;
    sign_in(&mut eve, &page, "eve", PASSWORD).await;
    let page = eve.get("/account").await;
    eve.submit(&page, "/sign-out", &[]).await;
    let page = eve.get("/sign-in").await;
    sign_in(&mut eve, &page, "eve", PASSWORD).await;
    let account = eve.get("/account").await;
    let token = account.forms("/account/password")[0].clone();
    let members: Vec<_> = token.into_iter().chain([("session".to_owned(), sid.clone())]).collect();
    eve.post("/account/end", &[("sec-fetch-site", "same-origin")], &members).await;
    let ends = ada.get("/account").await.forms("/account/end");
    assert!(ends.iter().flatten().any(|(_, value)| *value == sid), "it is there still");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let house = House::new().await;
    let mut here = house.signed_in().await;
    let mut there = house.signed_in().await;
    let page = here.get("/account").await;
    let new = "another horse battery";
    for (old, new, wanted) in [
        (PASSWORD, "short", "It needs at least 15 characters."),
        (PASSWORD, "passwordpassword", "Many people use this password"),
        ("wrong", new, "The current password is not right."),
    ] {
        let members = [("old", old), ("new", new)];
        let page = here.submit(&page, "/account/password", &members).await;
        assert_eq!(page.status, 422);
        assert!(page.has(wanted), "{wanted}: {}", page.html);
        assert!(!page.html.contains(&format!("value=\"{new}\"")), "it is not shown");
    }
    let done = here.submit(&page, "/account/password", &[("old", PASSWORD), ("new", new)]).await;
    assert!(done.has("Your password is changed."), "{}", done.html);
    assert_eq!(here.get("/account").await.status, 200);
    assert_eq!(there.get("/account").await.location(), "/sign-in");
    let mut browser = house.browser();
    let page = browser.get("/sign-in").await;
    assert_eq!(sign_in(&mut browser, &page, "ada", PASSWORD).await.status, 422);
    assert_eq!(sign_in(&mut browser, &page, "ada", new).await.status, 303);
}

#[tokio::test]
async fn a_person_sees_who_was_told_and_when_they_confirmed_it() {
    let house = House::new().await;
    let receiver = house.world.receiver("siem");
    house.world.register("siem", |wish| wish.client_name = "The SIEM".to_owned()).await;
    let stream = json!({
        "events_requested": [caep("session-revoked"), caep("session-established")],
        "delivery": {
            "method": "urn:ietf:rfc:8935",
            "endpoint_url": "https://siem.example/events",
        },
    });
    house.world.create(&receiver, stream).await;
    let mut browser = house.signed_in().await;
    assert!(browser.get("/account").await.has("On its way."));
    house.world.settle().await;
    let page = browser.get("/account").await;
    assert!(page.has("The SIEM was told"), "{}", page.html);
    assert!(page.has("somebody signed in") && page.has("confirmed <time"));
    assert!(page.has("Signed in or out") && page.has("by you") && page.has("by your organisation"));
}
