//! Passwords: who is let in, who has to wait, and which may be chosen.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{Actor, Claim, Directory, OwnPassword, Proof, ResourceId, User, hashing},
    sign_in::{Means, NewSession, Place, Session, SubjectId, nothing},
};

use tests::world::{poll_stream, session_revoked};

use super::{
    Scene, id,
    people::{change, told, with_directory},
};

const RIGHT: &str = "correct horse battery";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

async fn claim(directory: &Directory, name: &str, password: &str) -> Proof {
    claim_at(directory, name, password, None).await
}

async fn claim_at(
    directory: &Directory,
    name: &str,
    password: &str,
    browser: Option<&Secret>,
) -> Proof {
    let (name, password) = (Secret::new(name), Secret::new(password));
    directory.authenticate(Claim { name, password, browser: browser.cloned() }).await.unwrap()
}

fn word(proof: &Proof) -> String {
    match proof {
        Proof::Given { .. } => "given".to_owned(),
        Proof::Wrong => "wrong".to_owned(),
        Proof::Locked => "locked".to_owned(),
        Proof::Wait(wait) => format!("wait {} s", wait.as_secs()),
    }
}

#[tokio::test]
async fn a_name_is_nobody_or_somebody_only_to_who_knows_the_password() {
    let (scene, directory, ada) = with_directory().await;
    let Proof::Given { user, browser } = claim(&directory, "ADA", RIGHT).await else {
        panic!("it is right")
    };
    assert_eq!(user.id, ada);
    assert!(browser.is_some());
    change(&directory, ada, |user| user.lock_date = Some(user.created)).await;
    for (name, password, wanted) in [
        ("ada", "correct horse", "wrong"),
        ("nobody", RIGHT, "wrong"),
        ("", "", "wrong"),
        ("ada", "", "wrong"),
        ("ada", RIGHT, "locked"),
    ] {
        scene.world.table.take();
        assert_eq!(word(&claim(&directory, name, password).await), wanted, "{name}");
        let calls = scene.world.table.take();
        if wanted == "wrong" {
            assert_eq!((calls.reads(), calls.changes()), (3, 1), "the same work for {name:?}");
        }
    }
    // Who has no password cannot give it.
    change(&directory, ada, |user| {
        user.lock_date = None;
        user.set_password(None);
    })
    .await;
    assert_eq!(word(&claim(&directory, "ada", "").await), "wrong");
}

#[tokio::test]
async fn who_fails_waits_for_longer_each_time_and_nobody_can_make_the_person_wait_at_a_known_browser()
 {
    let (scene, directory, _) = with_directory().await;
    let Proof::Given { browser, .. } = claim(&directory, "ada", RIGHT).await else {
        panic!("it is right")
    };
    for name in ["nobody", "ada"] {
        for _ in 0..5 {
            assert_eq!(word(&claim(&directory, name, "wrong").await), "wrong");
        }
        for wait in [2, 4, 8, 16] {
            scene.world.clock.advance(Duration::from_secs(wait - 1));
            assert_eq!(word(&claim(&directory, name, RIGHT).await), "wait 1 s");
            scene.world.clock.advance(Duration::from_secs(1));
            assert_eq!(word(&claim(&directory, name, "wrong").await), "wrong", "{wait} s");
        }
    }
    // Strangers wait; the browser that is known does not.
    assert_eq!(word(&claim(&directory, "ada", RIGHT).await), "wait 32 s");
    let known = claim_at(&directory, "ada", RIGHT, browser.as_ref()).await;
    assert!(matches!(known, Proof::Given { browser: None, .. }), "{known:?}");
    let other = Secret::fresh();
    let unknown = claim_at(&directory, "ada", RIGHT, Some(&other)).await;
    assert_eq!(word(&unknown), "wait 32 s");
    // But it is no way to guess either.
    for _ in 0..5 {
        let wrong = claim_at(&directory, "ada", "wrong", browser.as_ref()).await;
        assert_eq!(word(&wrong), "wrong");
    }
    let known = claim_at(&directory, "ada", RIGHT, browser.as_ref()).await;
    assert_eq!(word(&known), "wait 2 s");
    // The right password ends the counting.
    scene.world.clock.advance(Duration::from_secs(32));
    assert_eq!(word(&claim(&directory, "ada", RIGHT).await), "given");
    for _ in 0..5 {
        assert_eq!(word(&claim(&directory, "ada", "wrong").await), "wrong");
    }
    assert_eq!(word(&claim(&directory, "ada", "wrong").await), "wait 2 s");
}

#[tokio::test]
async fn many_attempts_at_once_are_no_way_around_the_wait() {
    let (_, directory, _) = with_directory().await;
    let attempts = (0..20).map(|_| claim(&directory, "ada", "wrong"));
    let proofs = futures_util::future::join_all(attempts).await;
    let looked_at = proofs.iter().filter(|proof| matches!(proof, Proof::Wrong)).count();
    assert!(looked_at <= 5, "{looked_at}");
}

#[tokio::test]
async fn a_network_has_twenty_attempts_a_minute() {
    let (scene, _, _) = with_directory().await;
    for _ in 0..20 {
        scene.sign_in.count_attempt("192.0.2.7").unwrap();
    }
    scene.sign_in.count_attempt("192.0.2.7").unwrap_err();
    scene.sign_in.count_attempt("192.0.2.8").unwrap();
    scene.world.clock.advance(Duration::from_secs(3));
    scene.sign_in.count_attempt("192.0.2.7").unwrap();
    scene.sign_in.count_attempt("192.0.2.7").unwrap_err();
}

async fn session(scene: &Scene, ada: ResourceId) -> (Secret, Session) {
    let new = NewSession {
        subject: SubjectId::from(ada),
        means: Means::Password,
        place: Place::default(),
    };
    scene.sign_in.session_open(new, None, &nothing).await.unwrap()
}

async fn choose(
    scene: &Scene,
    directory: &Directory,
    of: &Session,
    old: &str,
    new: &str,
) -> String {
    let cause = directory.cause(Actor::Person);
    let words = (Secret::new(old), Secret::new(new));
    let done = directory.change_own_password(&scene.sign_in, of, words, None, &cause).await;
    match done.unwrap() {
        OwnPassword::Changed => "changed".to_owned(),
        OwnPassword::Weak(weak) => weak.to_string(),
        OwnPassword::Unproven(proof) => word(&proof),
    }
}

#[tokio::test]
async fn a_password_is_long_and_nobody_would_try_it_first() {
    let (scene, directory, ada) = with_directory().await;
    change(&directory, ada, |user: &mut User| {
        user.attributes.user_name = "ada.lovelace@example.com".to_owned();
    })
    .await;
    let (_, session) = session(&scene, ada).await;
    let guessed = "the password is easily guessed";
    let name = "the password is the name or the address of the person";
    let long = "x y".repeat(86);
    let cases = [
        ("fourteen chars", "the password has less than 15 characters"),
        (&long[..257], "the password has more than 256 bytes"),
        ("aaaaaaaaaaaaaaaa", guessed),
        ("abcabcabcabcabcabc", guessed),
        ("PasswordPassword", guessed),
        ("123456789012345", guessed),
        ("abcdefghijklmnop", guessed),
        ("qwertyuiopasdfgh", guessed),
        ("987654321098765", guessed),
        ("1qaz2wsx3edc4rfv", guessed),
        ("Ada.Lovelace@Example.com", name),
        ("ada.lovelace@example.comada.lovelace@example.com", name),
    ];
    for (new, wanted) in cases {
        assert_eq!(choose(&scene, &directory, &session, RIGHT, new).await, wanted, "{new}");
    }
    // 64 characters of any script, and no rules about which ones.
    let mut old = RIGHT.to_owned();
    for new in
        ["fifteen letters", &"🐴🔋📎🥁".repeat(16).replacen('🥁', "é", 3), "éèéàéèéàéèéàéèé ü"]
    {
        assert_eq!(choose(&scene, &directory, &session, &old, new).await, "changed", "{new}");
        new.clone_into(&mut old);
    }
}

#[tokio::test]
async fn who_changes_the_password_stays_signed_in_there_and_nowhere_else() {
    let (scene, directory, ada) = with_directory().await;
    let (own, here) = session(&scene, ada).await;
    let (other, there) = session(&scene, ada).await;
    told(&scene).await;
    assert_eq!(choose(&scene, &directory, &here, "wrong", "another horse battery").await, "wrong");
    assert!(scene.sign_in.session(Some(&other)).await.unwrap().is_some());
    scene.world.clock.advance(Duration::from_secs(1));
    let new = "another horse battery";
    assert_eq!(choose(&scene, &directory, &here, RIGHT, new).await, "changed");
    assert!(scene.sign_in.session(Some(&own)).await.unwrap().is_some());
    assert!(scene.sign_in.session(Some(&other)).await.unwrap().is_none());
    assert_eq!(word(&claim(&directory, "ada", RIGHT).await), "wrong");
    assert_eq!(word(&claim(&directory, "ada", new).await), "given");
    let events = told(&scene).await;
    let types = |event: &Value| {
        let events = event["events"].as_object().unwrap();
        events.keys().next().unwrap().clone()
    };
    let revoked = format!("{CAEP}session-revoked");
    let of_sessions: Vec<_> = events.iter().filter(|event| types(event) == revoked).collect();
    let [revoked] = of_sessions[..] else { panic!("{of_sessions:#?}") };
    assert_eq!(revoked["sub_id"]["session"]["id"].as_str(), Some(there.sid.as_str()));
    let change = format!("{CAEP}credential-change");
    let changed = events.iter().find(|event| types(event) == change).unwrap();
    assert_eq!(changed["events"][&change]["change_type"], "update");
    assert_eq!(changed["events"][&change]["initiating_entity"], "user");
    assert_eq!(changed["txn"], revoked["txn"]);
}

/// More than a machine hashes in a second; fewer than may wait for their turn.
const MANY: u64 = 100;

#[tokio::test]
async fn a_hundred_wrong_passwords_keep_no_stream_waiting() {
    let (scene, directory, _) = with_directory().await;
    let world = &scene.world;
    world.register("acme", |_| {}).await;
    let (_, token) = world.transmitter.static_token_create(&id("acme"), None).await.unwrap();
    let acme = world.caller(token.expose());
    // Whoever hashes is held until all have come.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (began, holding) = tokio::sync::oneshot::channel();
    let holder = tokio::spawn(hashing(move || {
        began.send(()).unwrap();
        // It is let go when the test ends, however it ends.
        let _ = held.recv();
    }));
    holding.await.unwrap();
    let attempts: Vec<_> = (0..MANY)
        .map(|number| {
            let directory = directory.clone();
            tokio::spawn(
                async move { word(&claim(&directory, &format!("n{number}"), RIGHT).await) },
            )
        })
        .collect();
    // Each is counted before it is hashed: then all of them wait for that.
    world.table.take();
    let mut counted = 0;
    while counted < MANY {
        tokio::task::yield_now().await;
        counted += world.table.take().changes();
    }
    let wish = poll_stream(&["session-revoked"]);
    let stream = acme.post("/ssf/streams", wish).await.json();
    for _ in 0..20 {
        world.emit(&session_revoked("jane@example.com")).await;
        world.settle().await;
        let url: url::Url = stream["delivery"]["endpoint_url"].as_str().unwrap().parse().unwrap();
        let polled = acme.post(url.path(), json!({ "returnImmediately": true })).await;
        assert_eq!(polled.status, 200, "{polled}");
        tokio::task::yield_now().await;
    }
    let done = attempts.iter().filter(|attempt| attempt.is_finished()).count();
    assert_eq!(done, 0, "one is hashed at a time, and that is held");
    drop(release);
    holder.await.unwrap().unwrap();
    for attempt in attempts {
        assert_eq!(attempt.await.unwrap(), "wrong");
    }
}
