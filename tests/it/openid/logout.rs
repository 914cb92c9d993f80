//! Signing out because an application asks for it (OpenID Connect RP-Initiated Logout 1.0).

use std::fmt::Write as _;

use insta::assert_snapshot;
use ssf::{
    client::RedirectUri,
    sign_in::{LogoutDecision, LogoutRefused, LogoutRequest, Seen, SubjectId, decide_logout},
};

use super::{Scene, text};

const AFTER: &str = "https://notes.example/bye";

async fn scene() -> (Scene, String) {
    let scene = Scene::new().await;
    for name in ["notes2", "other"] {
        let uris = vec![RedirectUri::parse(AFTER).unwrap()];
        scene.register(name, |wish| wish.application.post_logout_redirect_uris = uris).await;
    }
    let tokens = scene.signed_in("openid").await;
    let hint = text(&tokens, "id_token").to_owned();
    (scene, hint)
}

async fn read(scene: &Scene, pairs: &[(&str, &str)]) -> Result<LogoutRequest, LogoutRefused> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    scene.sign_in.logout_request(pairs.collect::<Vec<_>>()).await
}

#[tokio::test]
async fn a_browser_is_sent_only_where_a_known_application_wants_it() {
    let (scene, hint) = scene().await;
    let (hint, after) = (("id_token_hint", &*hint), ("post_logout_redirect_uri", AFTER));
    let (notes2, state) = (("client_id", "notes2"), ("state", "a&b"));
    let cases: [(&str, &[(&str, &str)]); 12] = [
        ("nothing", &[]),
        ("a hint", &[hint]),
        ("a client", &[notes2, after]),
        ("a client and a state", &[notes2, after, state]),
        ("an address without a client", &[after]),
        ("an address that the client of the hint has not", &[hint, after]),
        ("another address", &[notes2, ("post_logout_redirect_uri", "https://notes.example/bye/")]),
        ("a client that is not the hint's", &[notes2, hint]),
        ("no client", &[("client_id", "nobody")]),
        ("no hint", &[("id_token_hint", "a.b.c")]),
        ("twice", &[state, state]),
        ("languages", &[("ui_locales", "de en"), ("unknown", "x")]),
    ];
    let mut lines = String::new();
    for (what, pairs) in cases {
        match read(&scene, pairs).await {
            Ok(request) => {
                let client = request.client.as_ref().map_or("nobody", |id| &id.0);
                let redirect = request.redirect.as_deref().unwrap_or("nowhere");
                writeln!(lines, "{what}: {client}, then {redirect}").unwrap();
                let query = request.to_query();
                let again: Vec<_> =
                    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
                assert_eq!(scene.sign_in.logout_request(again).await.unwrap(), request, "{what}");
            }
            Err(refused) => writeln!(lines, "{what}: {refused}").unwrap(),
        }
    }
    assert_snapshot!(lines, @"
    nothing: nobody, then nowhere
    a hint: notes, then nowhere
    a client: notes2, then https://notes.example/bye
    a client and a state: notes2, then https://notes.example/bye?state=a%26b
    an address without a client: post_logout_redirect_uri is none that the application has registered
    an address that the client of the hint has not: post_logout_redirect_uri is none that the application has registered
    another address: post_logout_redirect_uri is none that the application has registered
    a client that is not the hint's: client_id names no application, or another than id_token_hint
    no client: client_id names no application, or another than id_token_hint
    no hint: id_token_hint is no ID token from here
    twice: state: is there twice
    languages: nobody, then nowhere
    ");
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_link_of_a_stranger() {
    let (scene, hint) = scene().await;
    // Also when the ID token is over.
    scene.world.clock.advance(std::time::Duration::from_hours(1));
    let hinted = read(&scene, &[("id_token_hint", &hint)]).await.unwrap();
    let bare = read(&scene, &[("client_id", "notes2")]).await.unwrap();
    let ada = scene.seen();
    let mut other_session = ada.clone();
    other_session.signed_in.sid = Some("another".to_owned());
    let john = Seen { subject: SubjectId("john".to_owned()), ..ada.clone() };
    for (request, session, wanted) in [
        (&hinted, Some(&ada), LogoutDecision::End),
        (&hinted, Some(&other_session), LogoutDecision::Confirm),
        (&hinted, Some(&john), LogoutDecision::Confirm),
        (&hinted, None, LogoutDecision::Nobody),
        (&bare, Some(&ada), LogoutDecision::Confirm),
        (&bare, None, LogoutDecision::Nobody),
    ] {
        assert_eq!(decide_logout(request, session), wanted, "{request:?} {session:?}");
    }
}
