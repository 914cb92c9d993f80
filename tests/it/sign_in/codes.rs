//! Authorization codes (RFC 6749, 4.1; RFC 7636).

use std::{fmt::Write as _, sync::Arc, time::Duration};

use insta::assert_snapshot;
use ssf::{
    client::{AuthMethod, Scope, Secret},
    sign_in::{CodeWish, Exchange, Refusal, SignIn, nothing},
};

use super::{CB, People, Person, Scene, VERIFIER, exchange, id, why, wish};

#[tokio::test]
async fn a_code_is_exchanged_once_and_a_replay_ends_what_it_gave() {
    let scene = Scene::new().await;
    let code = scene.code("jane", "notes").await.unwrap();
    assert!(code.expose().starts_with("tocsin_a."));
    let tokens = scene.exchange("notes", &code).await.unwrap();
    assert_eq!((tokens.expires_in, tokens.nonce.as_deref()), (300, Some("n")));
    let about = scene.sign_in.person_token(tokens.access_token.expose()).await.unwrap();
    assert_eq!((about.subject.0.as_str(), &about.client), ("jane", &id("notes")));
    assert_eq!((about.scope, about.audience), (super::GRANTED.to_vec(), vec![id("notes")]));

    // Half a minute later somebody comes with the same code.
    scene.world.clock.advance(Duration::from_secs(30));
    let replayed = scene.exchange("notes", &code).await.unwrap_err();
    let family = tokens.family.family_id;
    assert!(matches!(replayed, Refusal::Replayed { family: of, ended: true, .. } if of == family));
    assert!(!scene.is_good(&tokens).await);
    let refresh = tokens.refresh_token.unwrap();
    assert_snapshot!(why(scene.refresh("notes", &refresh).await), @"the code or token is over");
    let again = scene.exchange("notes", &code).await.unwrap_err();
    assert!(matches!(again, Refusal::Replayed { ended: false, .. }), "it is told once");
}

#[tokio::test]
async fn a_code_is_good_for_300_seconds() {
    for (seconds, wanted) in [(299, ""), (300, "the code is over"), (301, "the code is over")] {
        let scene = Scene::new().await;
        let code = scene.code("jane", "notes").await.unwrap();
        scene.world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(why(scene.exchange("notes", &code).await), wanted, "{seconds} s");
    }
}

#[tokio::test]
async fn a_code_is_its_clients_alone_and_of_no_use_without_the_verifier() {
    let scene = Scene::new().await;
    let code = scene.code("jane", "notes").await.unwrap();
    let sign_in = &scene.sign_in;
    let unknown = "there is no such code or token";
    assert_eq!(why(scene.exchange("maps", &code).await), unknown);
    assert_eq!(why(scene.exchange("notes", &Secret::new("x")).await), unknown);
    for (redirect_uri, verifier) in [
        (Some(CB), None),
        (Some(CB), Some("wrong")),
        (Some("https://app.example/cb/"), Some(VERIFIER)),
    ] {
        let exchange = Exchange { redirect_uri, verifier };
        let refused = sign_in.code_exchange(&id("notes"), code.expose(), exchange, &nothing).await;
        assert!(matches!(refused, Err(Refusal::Code(_))), "{exchange:?}");
    }
    assert_eq!(why(scene.exchange("notes", &code).await), "", "none of that used it up");
    // A code is no token, and a token no code.
    let tokens = scene.tokens("jane", "notes").await;
    assert_eq!(why(scene.exchange("notes", &tokens.access_token).await), unknown);
    assert_eq!(why(sign_in.person_token(code.expose()).await), unknown);
    assert_eq!(why(scene.refresh("notes", &code).await), unknown);
    assert_eq!(why(scene.refresh("notes", &tokens.access_token).await), unknown);
    assert_eq!(why(sign_in.person_token(tokens.refresh_token.unwrap().expose()).await), unknown);
    let client = scene.world.caller(tokens.access_token.expose());
    assert_eq!(client.get("/ssf/streams").await.status, 401, "nor is it a client's own");
}

#[tokio::test]
async fn a_code_is_issued_only_for_what_is_registered_and_consented_to() {
    type Change = fn(&mut CodeWish);
    let scene = Scene::new().await;
    scene
        .register("public", |wish| {
            wish.auth_method = Some(AuthMethod::None);
            wish.application.preconsent = true;
        })
        .await;
    scene.world.register("machine", |_| {}).await;
    scene.consent("jane", "machine").await;
    let cases: [(&str, &str, Change); 9] = [
        ("jane", "notes", |wish| wish.redirect_uri = "https://evil.example/cb".into()),
        ("jane", "notes", |wish| wish.scope = vec![Scope::OpenId, Scope::Phone]),
        ("jane", "notes", |wish| wish.scope = vec![]),
        ("jane", "public", |wish| wish.challenge = None),
        ("john", "notes", |_| {}),
        ("jack", "notes", |_| {}),
        ("jane", "nobody", |_| {}),
        ("jane", "machine", |_| {}),
        // Nobody is asked where the operator consented for all.
        ("john", "public", |_| {}),
    ];
    let mut lines = String::new();
    for (name, client, change) in cases {
        let mut wish = wish(name, client);
        change(&mut wish);
        let refusal = why(scene.sign_in.code_issue(wish).await);
        writeln!(lines, "{name} at {client}: {refusal}").unwrap();
    }
    assert_snapshot!(lines, @"
    jane at notes: redirect_uri is not the one that the code was sent to
    jane at notes: none of the scopes can be had
    jane at notes: none of the scopes can be had
    jane at public: a public client must send a code_challenge
    john at notes: there is no consent
    jack at notes: the person is gone
    jane at nobody: the client is gone
    jane at machine: the client may not use this grant type
    john at public: 
    ");
}

#[tokio::test]
async fn a_code_dies_with_what_it_was_issued_under() {
    let now = |scene: &Scene| scene.world.transmitter.parts().clock.now();
    for what in ["locked", "locked later", "gone", "revoked", "restored", "disabled", "deleted"] {
        let scene = Scene::new().await;
        let us = &scene.world.transmitter;
        let code = scene.code("jane", "notes").await.unwrap();
        let (jane, notes) = (super::person("jane"), id("notes"));
        let lock = |date| Person { lock_date: Some(date), ends: 0 };
        match what {
            "locked" => scene.put("jane", &lock(now(&scene))).await,
            "locked later" => {
                scene.put("jane", &lock(now(&scene) + Duration::from_secs(1))).await;
                scene.world.clock.advance(Duration::from_secs(1));
            }
            "gone" => scene.remove("jane").await,
            "revoked" => drop(scene.sign_in.consent_revoke(&jane, &notes, &nothing).await.unwrap()),
            "restored" => {
                scene.sign_in.consent_revoke(&jane, &notes, &nothing).await.unwrap();
                scene.sign_in.consent_restore(&jane, &notes, &nothing).await.unwrap();
            }
            "disabled" => drop(us.client_disable(&notes).await.unwrap()),
            _ => us.client_delete(&notes).await.unwrap(),
        }
        let refused = scene.exchange("notes", &code).await;
        assert!(refused.is_err(), "{what}");
    }
}

#[tokio::test]
async fn of_two_processes_that_exchange_one_code_one_wins_and_the_other_ends_it() {
    let scene = Scene::new().await;
    let others: Vec<SignIn> =
        (0..2).map(|_| SignIn::of(&scene.world.another_process(), Arc::new(People))).collect();
    for _ in 0..20 {
        let code = scene.code("jane", "notes").await.unwrap();
        let (first, second) = tokio::join!(
            exchange(&others[0], "notes", &code),
            exchange(&others[1], "notes", &code)
        );
        let (won, lost) = match (first, second) {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
            (first, second) => panic!("{first:?} and {second:?}"),
        };
        assert!(matches!(lost, Refusal::Replayed { ended: true, .. }), "{lost}");
        assert!(!scene.is_good(&won).await);
        assert!(scene.refresh("notes", &won.refresh_token.unwrap()).await.is_err());
    }
}
