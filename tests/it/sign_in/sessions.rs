//! Sessions: how long they are good, and what ends with them.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{Actor, Directory, ResourceId},
    sign_in::{Means, NewSession, Place, Session, SessionEnd, SubjectId, nothing},
};

use super::{
    Scene,
    people::{change, told, with_directory},
    why, wish,
};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

fn new(name: &str) -> NewSession {
    let place = Place::new(Some("Browser/1"), Some("192.0.2.7".parse().unwrap()));
    NewSession { subject: SubjectId(name.to_owned()), means: Means::Password, place }
}

impl Scene {
    async fn open(&self, name: &str, before: Option<&Secret>) -> (Secret, Session) {
        self.sign_in.session_open(new(name), before, &nothing).await.unwrap()
    }

    async fn session(&self, secret: &Secret) -> Option<Session> {
        self.sign_in.session(Some(secret)).await.unwrap()
    }

    /// Tokens that come from this session.
    async fn tokens_of(&self, session: &Session, client: &str) -> ssf::sign_in::Tokens {
        let code = self.code_of(session, client).await;
        self.exchange(client, &code).await.unwrap()
    }

    async fn code_of(&self, session: &Session, client: &str) -> Secret {
        let mut wish = wish(&session.subject.0, client);
        wish.signed_in = session.signed_in();
        self.sign_in.code_issue(wish).await.unwrap()
    }
}

#[tokio::test]
async fn a_session_is_good_until_nobody_used_it_for_90_minutes_and_for_12_hours_at_most() {
    let scene = Scene::new().await;
    let (secret, session) = scene.open("jane", None).await;
    assert_eq!(scene.session(&secret).await.unwrap(), session);
    scene.world.clock.advance(Duration::from_mins(89));
    assert!(scene.session(&secret).await.is_some());
    scene.world.clock.advance(Duration::from_mins(89));
    assert!(scene.session(&secret).await.is_some(), "its use was noted");
    scene.world.clock.advance(Duration::from_mins(90));
    assert!(scene.session(&secret).await.is_none());
    assert!(scene.sign_in.sessions_of_person(&session.subject).await.unwrap().is_empty());

    let (secret, _) = scene.open("jane", None).await;
    for _ in 0..12 * 6 - 1 {
        scene.world.clock.advance(Duration::from_mins(10));
        assert!(scene.session(&secret).await.is_some());
    }
    scene.world.clock.advance(Duration::from_secs(599));
    assert!(scene.session(&secret).await.is_some());
    scene.world.clock.advance(Duration::from_secs(1));
    assert!(scene.session(&secret).await.is_none());
}

#[tokio::test]
async fn use_is_written_once_in_five_minutes() {
    let scene = Scene::new().await;
    let (secret, _) = scene.open("jane", None).await;
    scene.world.table.take();
    for _ in 0..10 {
        scene.world.clock.advance(Duration::from_secs(30));
        assert!(scene.session(&secret).await.is_some());
    }
    assert_eq!(scene.world.table.take().changes(), 1);
}

#[tokio::test]
async fn what_no_browser_was_given_is_no_session_and_costs_no_read() {
    let scene = Scene::new().await;
    scene.open("jane", None).await;
    assert!(scene.session(&Secret::fresh()).await.is_none());
    scene.world.table.take();
    for text in ["", "x", "é", &"A".repeat(44), &"x".repeat(5000)] {
        assert!(scene.session(&Secret::new(text)).await.is_none());
    }
    assert!(scene.sign_in.session(None).await.unwrap().is_none());
    assert_eq!(scene.world.table.take().reads(), 0);
}

#[tokio::test]
async fn who_signs_in_again_has_another_secret_and_the_same_session() {
    let scene = Scene::new().await;
    let (first, session) = scene.open("jane", None).await;
    let tokens = scene.tokens_of(&session, "notes").await;
    scene.world.clock.advance(Duration::from_mins(4));
    let (second, again) = scene.open("jane", Some(&first)).await;
    assert_eq!(again.sid, session.sid);
    assert!(again.auth_time > session.auth_time);
    assert!(scene.session(&first).await.is_none(), "the old secret is good for nothing");
    assert!(scene.session(&second).await.is_some());
    assert!(scene.is_good(&tokens).await);
    assert_eq!(scene.rows(&["PERSON_SESSION#jane"]).await, 1);
    // Somebody else at the same browser: the first is signed out.
    let (third, other) = scene.open("john", Some(&second)).await;
    assert_ne!(other.sid, session.sid);
    assert!(scene.session(&second).await.is_none() && scene.session(&third).await.is_some());
    assert!(!scene.is_good(&tokens).await);
    // A secret that was made up is not taken over.
    let made_up = Secret::fresh();
    let (fourth, _) = scene.open("jane", Some(&made_up)).await;
    assert_ne!(fourth, made_up);
    assert!(scene.session(&made_up).await.is_none());
}

#[tokio::test]
async fn with_a_session_ends_what_applications_have_because_of_it() {
    let scene = Scene::new().await;
    let (secret, session) = scene.open("jane", None).await;
    let (_, elsewhere) = scene.open("jane", None).await;
    let tokens = scene.tokens_of(&session, "notes").await;
    let pending = scene.code_of(&session, "maps").await;
    let others = scene.tokens_of(&elsewhere, "notes").await;
    // More than ends in one transaction.
    for _ in 0..60 {
        scene.tokens_of(&session, "maps").await;
    }
    let end =
        scene.sign_in.session_end(&session.subject, &session.sid, SessionEnd::Ended, &nothing);
    assert_eq!(end.await.unwrap().unwrap().sid, session.sid);
    assert!(scene.session(&secret).await.is_none());
    assert!(!scene.is_good(&tokens).await && scene.is_good(&others).await);
    assert_snapshot!(why(scene.exchange("maps", &pending).await), @"there is no such code or token");
    assert_snapshot!(
        why(scene.refresh("notes", &tokens.refresh_token.unwrap()).await),
        @"the code or token is over"
    );
    let left = scene.sign_in.sessions_of_person(&session.subject).await.unwrap();
    assert_eq!(left, [elsewhere]);
    let again =
        scene.sign_in.session_end(&session.subject, &session.sid, SessionEnd::Ended, &nothing);
    assert_eq!(again.await.unwrap(), None);
}

#[tokio::test]
async fn sessions_are_dead_when_the_person_is_locked_or_gone() {
    let (scene, directory, ada) = with_directory().await;
    let name = ada.to_string();
    let (secret, _) = scene.open(&name, None).await;
    let now = || scene.world.transmitter.parts().clock.now();
    let soon = now() + Duration::from_mins(1);
    change(&directory, ada, |user| user.lock_date = Some(soon)).await;
    assert!(scene.session(&secret).await.is_some());
    scene.world.clock.advance(Duration::from_mins(1));
    assert!(scene.session(&secret).await.is_none());
    let refused = scene.sign_in.session_open(new(&name), None, &nothing).await;
    assert_snapshot!(why(refused), @"the person is locked out");
    scene.world.clock.advance(Duration::from_secs(1));
    change(&directory, ada, |user| user.lock_date = None).await;
    assert!(scene.session(&secret).await.is_none(), "it does not come back");
    let (secret, session) = scene.open(&name, None).await;
    directory.user_delete(ada, None, &directory.cause(Actor::Operator)).await.unwrap();
    assert!(scene.session(&secret).await.is_none());
    assert_eq!(scene.rows(&[&format!("PERSON_SESSION#{ada}")]).await, 0);
    assert!(scene.sign_in.sessions_of_person(&session.subject).await.unwrap().is_empty());
}

async fn of_sessions(scene: &Scene, directory: &Directory, ada: ResourceId) -> Vec<Value> {
    directory.hand_over_of(&ada.into()).await;
    let events = told(scene).await.into_iter();
    events.filter(|event| event["sub_id"]["session"].is_object()).collect()
}

#[tokio::test]
async fn the_beginning_and_the_end_of_a_session_are_told_of_this_session() {
    let (scene, directory, ada) = with_directory().await;
    let cause = directory.cause(Actor::Person);
    let also = directory.also(&cause);
    let subject = SubjectId::from(ada);
    let open = || scene.sign_in.session_open(new(&subject.0), None, &also);
    let (secret, session) = open().await.unwrap();
    scene.tokens_of(&session, "notes").await;
    // The same person again, at the same browser: nothing has begun.
    scene.sign_in.session_open(new(&subject.0), Some(&secret), &also).await.unwrap();
    for _ in 0..2 {
        let end = SessionEnd::SignedOut;
        scene.sign_in.session_end(&subject, &session.sid, end, &also).await.unwrap();
    }
    let events = of_sessions(&scene, &directory, ada).await;
    let wanted = json!({
        "format": "complex",
        "user": { "format": "iss_sub", "iss": "https://tocsin.example", "sub": ada },
        "session": { "format": "opaque", "id": session.sid },
    });
    let [began, ended] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&began["sub_id"], &ended["sub_id"]), (&wanted, &wanted));
    let began = &began["events"][format!("{CAEP}session-established")];
    assert_eq!((&began["amr"], &began["initiating_entity"]), (&json!(["pwd"]), &json!("user")));
    let ended = &ended["events"][format!("{CAEP}session-revoked")];
    assert_eq!(ended["reason_admin"]["en"], "signed out");

    let mut sids = Vec::new();
    for _ in 0..3 {
        sids.push(open().await.unwrap().1.sid);
    }
    let except = Some(sids[0].as_str());
    let ended = scene.sign_in.sessions_end(&subject, except, SessionEnd::Ended, &also);
    assert_eq!(ended.await.unwrap(), 2);
    let left = scene.sign_in.sessions_of_person(&subject).await.unwrap();
    assert_eq!(left.iter().map(|session| &session.sid).collect::<Vec<_>>(), [&sids[0]]);
    let events = of_sessions(&scene, &directory, ada).await;
    assert_eq!(events.len(), 5);
    let txns: Vec<_> = events.iter().map(|event| event["txn"].as_str().unwrap()).collect();
    assert!(txns.iter().all(|txn| *txn == cause.txn));
}
