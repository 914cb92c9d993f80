//! Applications are told that a session has ended (OpenID Connect Back-Channel Logout 1.0): which, when,
//! and how often.

use std::{sync::Arc, time::Duration};

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::{
    client::{Scope, Secret},
    delivery::PushKind,
    directory::{Actor, Directory, ResourceId},
    sign_in::{
        Exchange, Means, NewSession, Place, Refusal, Session, SessionEnd, SubjectId, Tokens,
        nothing,
    },
};
use tests::{
    Function,
    world::{Pushed, status},
};

use super::{
    CB, Scene, VERIFIER, id,
    people::{change, with_directory},
    why, wish,
};

/// Ada, who signed in to applications at a browser. Of these, notes and maps want to hear when it
/// ends, and mute does not.
struct Ada {
    scene: Scene,
    directory: Directory,
    person: ResourceId,
}

impl Ada {
    async fn new() -> Self {
        let (scene, directory, ada) = with_directory().await;
        for name in ["notes", "maps"] {
            let uri: url::Url = format!("https://{name}.example/logout").parse().unwrap();
            let change = |wish: &mut ssf::client::NewClient| {
                wish.application.backchannel_logout_uri = Some(uri.clone());
            };
            scene.world.transmitter.client_update(&id(name), change).await.unwrap();
        }
        scene.register("mute", |_| {}).await;
        scene.consent(&ada.to_string(), "mute").await;
        Self { scene, directory, person: ada }
    }

    fn subject(&self) -> SubjectId {
        self.person.into()
    }

    async fn open(&self) -> Session {
        let new = NewSession {
            subject: self.subject(),
            means: Means::Password,
            place: Place::new(None, None),
        };
        self.scene.sign_in.session_open(new, None, &nothing).await.unwrap().1
    }

    async fn code(&self, session: &Session, client: &str, scope: &[Scope]) -> Secret {
        let mut wish = wish(&session.subject.0, client);
        wish.signed_in = session.signed_in();
        wish.scope = scope.to_vec();
        self.scene.sign_in.code_issue(wish).await.unwrap()
    }

    /// As the token endpoint does it.
    async fn exchange(&self, client: &str, code: &Secret) -> Result<Tokens, Refusal> {
        let exchange = Exchange { redirect_uri: Some(CB), verifier: Some(VERIFIER) };
        let cause = self.directory.cause(Actor::System);
        let also = self.directory.also(&cause);
        let client = id(client);
        let work = self.scene.sign_in.code_exchange(&client, code.expose(), exchange, &also);
        let exchanged = Function::Authorize.runs(work).await;
        if let Some(subject) = exchanged.as_ref().err().and_then(Refusal::ended) {
            Function::Authorize.runs(self.directory.hand_over_of(subject)).await;
        }
        exchanged
    }

    async fn sign_in_to(&self, session: &Session, client: &str) -> Tokens {
        let code = self.code(session, client, &[Scope::OpenId]).await;
        self.exchange(client, &code).await.unwrap()
    }

    /// As the pages do it.
    async fn end(&self, session: &Session, end: SessionEnd) {
        self.commit_end(session, end).await;
        Function::SignIn.runs(self.directory.hand_over_of(&self.subject())).await;
    }

    /// What a process leaves that dies as soon as the end is written.
    async fn commit_end(&self, session: &Session, end: SessionEnd) {
        let cause = self.directory.cause(Actor::Person);
        let also = self.directory.also(&cause);
        let subject = self.subject();
        let work = self.scene.sign_in.session_end(&subject, &session.sid, end, &also);
        Function::SignIn.runs(work).await.unwrap();
    }

    /// What was posted to applications since the last look, after all that can be done now is done.
    async fn posted(&self) -> Vec<Pushed> {
        while self.scene.world.push().await > 0 {}
        self.scene.world.http.take()
    }

    /// Who was told, and of which session, in the order of names.
    async fn told(&self) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for pushed in self.posted().await {
            let claims = pushed.claims();
            let text = |name: &str| claims[name].as_str().unwrap().to_owned();
            assert_eq!(text("sub"), self.person.to_string());
            told.push((text("aud"), text("sid")));
        }
        told.sort();
        told
    }
}

fn both<'a>(session: &'a Session) -> Vec<(String, String)> {
    let told = |client: &'a str| (client.to_owned(), session.sid.clone());
    ["maps", "notes"].map(told).to_vec()
}

#[tokio::test]
async fn who_got_an_id_token_in_a_session_and_wants_to_is_told_once_that_it_has_ended() {
    let ada = Ada::new().await;
    let (session, other) = (ada.open().await, ada.open().await);
    for client in ["notes", "mute", "notes"] {
        ada.sign_in_to(&session, client).await;
    }
    // No ID token, nothing to end.
    let code = ada.code(&session, "maps", &[Scope::Email]).await;
    ada.exchange("maps", &code).await.unwrap();
    ada.sign_in_to(&other, "maps").await;
    assert!(ada.posted().await.is_empty());
    ada.end(&session, SessionEnd::SignedOut).await;
    ada.end(&session, SessionEnd::SignedOut).await;
    let posted = ada.posted().await;
    let [token] = &posted[..] else { panic!("{posted:?}") };
    assert_eq!(
        (token.endpoint.as_str(), token.kind),
        ("https://notes.example/logout", PushKind::Logout)
    );
    assert_eq!(token.authorization, None);
    let header: Value = serde_json::from_str(&super::header(&token.set)).unwrap();
    assert_eq!(header["typ"], "logout+jwt");
    let mut claims = token.claims();
    assert_eq!(claims["sub"].as_str(), Some(&*ada.person.to_string()));
    assert_eq!(claims["sid"].as_str(), Some(&*session.sid));
    for name in ["sub", "sid", "jti"] {
        claims[name] = json!("…");
    }
    let wanted = json!({
        "iss": "https://tocsin.example", "aud": "notes", "sub": "…", "sid": "…", "jti": "…",
        "iat": 1_767_225_600, "exp": 1_767_225_720,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    assert_eq!(claims, wanted);
}

#[tokio::test]
async fn however_a_session_ends_applications_are_told() {
    type End = for<'a> fn(&'a Ada, &'a Session) -> futures_util::future::BoxFuture<'a, ()>;
    let ends: [(&str, End); 6] = [
        ("it is ended from elsewhere", |ada, session| {
            Box::pin(ada.end(session, SessionEnd::Ended))
        }),
        ("all are ended", |ada, _| {
            Box::pin(async {
                let cause = ada.directory.cause(Actor::Operator);
                let also = ada.directory.also(&cause);
                let (subject, end) = (ada.subject(), SessionEnd::Ended);
                ada.scene.sign_in.sessions_end(&subject, None, end, &also).await.unwrap();
                ada.directory.hand_over_of(&subject).await;
            })
        }),
        ("the person is locked", |ada, _| {
            Box::pin(Function::Directory.runs(async {
                let now = ada.directory.now();
                change(&ada.directory, ada.person, |user| user.lock_date = Some(now)).await;
            }))
        }),
        ("the clock locks the person", |ada, _| {
            Box::pin(async {
                let soon = ada.directory.now() + Duration::from_secs(1);
                change(&ada.directory, ada.person, |user| user.lock_date = Some(soon)).await;
                assert!(ada.posted().await.is_empty());
                ada.scene.world.clock.advance(Duration::from_secs(1));
                ada.scene.world.sweep().await;
            })
        }),
        ("the operator sets a password", |ada, _| {
            Box::pin(Function::Directory.runs(async {
                let hash = ssf::directory::PasswordHash::of(&Secret::new("other")).unwrap();
                let set = |user: &mut ssf::directory::User| user.set_password(Some(hash.clone()));
                change(&ada.directory, ada.person, set).await;
            }))
        }),
        ("the person is deleted", |ada, _| {
            Box::pin(Function::Directory.runs(async {
                let cause = ada.directory.cause(Actor::Operator);
                ada.directory.user_delete(ada.person, None, &cause).await.unwrap();
            }))
        }),
    ];
    for (what, end) in ends {
        let ada = Ada::new().await;
        let session = ada.open().await;
        for client in ["notes", "maps", "mute"] {
            ada.sign_in_to(&session, client).await;
        }
        end(&ada, &session).await;
        assert_eq!(ada.told().await, both(&session), "{what}");
        ada.scene.world.sweep().await;
        assert!(ada.posted().await.is_empty(), "{what}: once");
    }
}

#[tokio::test]
async fn what_ends_at_one_application_is_told_to_it_alone() {
    let ada = Ada::new().await;
    let session = ada.open().await;
    let notes = vec![("notes".to_owned(), session.sid.clone())];
    ada.sign_in_to(&session, "maps").await;
    let code = ada.code(&session, "notes", &[Scope::OpenId]).await;
    ada.exchange("notes", &code).await.unwrap();
    ada.exchange("notes", &code).await.unwrap_err();
    assert_eq!(ada.told().await, notes, "a code that is used twice");
    let tokens = ada.sign_in_to(&session, "notes").await;
    let cause = ada.directory.cause(Actor::Person);
    let also = ada.directory.also(&cause);
    let sign_in = &ada.scene.sign_in;
    // The application gives it back itself: it knows.
    let refresh = tokens.refresh_token.unwrap();
    sign_in.token_give_back(&id("notes"), refresh.expose(), &also).await.unwrap();
    ada.directory.hand_over_of(&ada.subject()).await;
    assert_eq!(ada.told().await, []);
    sign_in.consent_revoke(&ada.subject(), &id("notes"), &also).await.unwrap();
    Function::SignIn.runs(ada.directory.hand_over_of(&ada.subject())).await;
    assert_eq!(ada.told().await, notes, "the consent is taken back");
}

#[tokio::test]
async fn what_a_process_left_that_died_is_told_by_the_sweep_and_once_however_often_it_is_sent() {
    let ada = Ada::new().await;
    let session = ada.open().await;
    for client in ["notes", "maps"] {
        ada.sign_in_to(&session, client).await;
    }
    ada.commit_end(&session, SessionEnd::Ended).await;
    assert!(ada.posted().await.is_empty());
    ada.scene.world.clock.advance(Duration::from_secs(36));
    ada.scene.world.sweep().await;
    assert_eq!(ada.told().await, both(&session));

    // The FIFO door is out of order: all of it waits, and nothing is sent before its events.
    let session = ada.open().await;
    ada.sign_in_to(&session, "notes").await;
    ada.scene.world.fail_fifo(true);
    ada.end(&session, SessionEnd::Ended).await;
    assert!(ada.posted().await.is_empty());
    ada.scene.world.fail_fifo(false);
    ada.scene.world.clock.advance(Duration::from_secs(36));
    for _ in 0..2 {
        ada.scene.world.sweep().await;
        ada.directory.hand_over_of(&ada.subject()).await;
    }
    assert_eq!(ada.told().await.len(), 1);
}

#[tokio::test]
async fn who_does_not_answer_is_asked_nine_times_and_who_refuses_is_not() {
    let ada = Ada::new().await;
    let http = &ada.scene.world.http;
    let session = ada.open().await;
    for client in ["notes", "maps"] {
        ada.sign_in_to(&session, client).await;
    }
    http.always("notes", status(503));
    http.always("maps", status(400));
    ada.end(&session, SessionEnd::Ended).await;
    let mut minutes = Vec::new();
    let mut jtis = std::collections::BTreeSet::new();
    let began = ada.directory.now();
    for _ in 0..(5 * 60 * 60) {
        for pushed in ada.posted().await {
            let claims = pushed.claims();
            assert!(jtis.insert(claims["jti"].as_str().unwrap().to_owned()));
            let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert_eq!((iat, exp - iat), (ada.directory.now().as_second(), 120));
            let since = (ada.directory.now() - began).total(jiff::Unit::Minute).unwrap();
            minutes.push((claims["aud"].as_str().unwrap().to_owned(), since));
        }
        ada.scene.world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(minutes.iter().filter(|(client, _)| client == "maps").count(), 1);
    let of_notes: Vec<f64> =
        minutes.iter().filter(|(client, _)| client == "notes").map(|(_, at)| *at).collect();
    // As `backoff` says: after 1 s, 5 s, 15 s, 1 min, 3 min, 10 min, 30 min and 1 h.
    assert_eq!(of_notes.len(), 9, "{of_notes:?}");
    assert!((83.0..126.0).contains(&of_notes[8]), "{of_notes:?}");
}

#[tokio::test]
async fn it_arrives_when_the_application_is_back_and_never_at_another_one() {
    let ada = Ada::new().await;
    let world = &ada.scene.world;
    let notes = id("notes");
    let session = ada.open().await;
    ada.sign_in_to(&session, "notes").await;
    world.transmitter.client_disable(&notes).await.unwrap();
    ada.end(&session, SessionEnd::Ended).await;
    assert!(ada.posted().await.is_empty());
    world.transmitter.client_enable(&notes).await.unwrap();
    world.http.once("notes", status(429));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(ada.posted().await.len(), 1);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(ada.told().await, [("notes".to_owned(), session.sid.clone())]);

    // Another application has the id by the time that it is sent.
    let session = ada.open().await;
    ada.sign_in_to(&session, "notes").await;
    ada.end(&session, SessionEnd::Ended).await;
    world.transmitter.client_delete(&notes).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let uri = "https://notes.example/logout".parse().unwrap();
    let set = |wish: &mut ssf::client::NewClient| {
        wish.application.backchannel_logout_uri = Some(uri);
    };
    ada.scene.register("notes", set).await;
    assert!(ada.posted().await.is_empty());
}

#[tokio::test]
async fn a_code_of_a_session_that_ends_at_the_same_moment_is_worth_nothing() {
    let ada = Ada::new().await;
    let session = ada.open().await;
    ada.end(&session, SessionEnd::SignedOut).await;
    // Whoever issued it had seen the session before.
    let late = ada.code(&session, "notes", &[Scope::OpenId]).await;
    assert_snapshot!(
        why(ada.exchange("notes", &late).await),
        @"what the person had open was ended"
    );
    assert_eq!(ada.told().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_and_the_end_of_its_session_come_one_after_the_other_in_two_processes() {
    let ada = Arc::new(Ada::new().await);
    let other = Directory::of(&ada.scene.world.another_process());
    for _ in 0..40 {
        let session = ada.open().await;
        let code = ada.code(&session, "notes", &[Scope::OpenId]).await;
        let ends = {
            let (other, session, subject) = (other.clone(), session.clone(), ada.subject());
            tokio::spawn(async move {
                let cause = other.cause(Actor::Person);
                let also = other.also(&cause);
                let (sid, end) = (&session.sid, SessionEnd::Ended);
                other.sign_in().session_end(&subject, sid, end, &also).await.unwrap();
                other.hand_over_of(&subject).await;
            })
        };
        let exchanged = {
            let (ada, code) = (ada.clone(), code.clone());
            tokio::spawn(async move { ada.exchange("notes", &code).await })
        };
        ends.await.unwrap();
        let told = if let Ok(tokens) = exchanged.await.unwrap() {
            assert!(!ada.scene.is_good(&tokens).await);
            let refresh = tokens.refresh_token.unwrap();
            assert!(ada.scene.refresh("notes", &refresh).await.is_err());
            1
        } else {
            0
        };
        assert_eq!(ada.told().await.len(), told, "who has an ID token is told");
        let rows = [format!("PERSON_SESSION#{}", ada.person)];
        assert_eq!(ada.scene.rows(&rows.each_ref().map(String::as_str)).await, 0);
    }
}

#[tokio::test]
async fn the_operator_takes_back_what_an_application_has_and_it_is_told() {
    let ada = Ada::new().await;
    let session = ada.open().await;
    let cause = ada.directory.cause(Actor::Operator);
    let also = ada.directory.also(&cause);
    let sign_in = &ada.scene.sign_in;
    for given in ["access", "refresh", "name"] {
        let tokens = ada.sign_in_to(&session, "notes").await;
        let other = ada.sign_in_to(&session, "notes").await;
        let refresh = tokens.refresh_token.clone().unwrap();
        let name = tokens.family.family_id.to_string();
        let text = match given {
            "access" => tokens.access_token.expose(),
            "refresh" => refresh.expose(),
            _ => &*name,
        };
        let ended = sign_in.token_end(text, &also).await.unwrap().unwrap();
        assert_eq!(ended.family_id, tokens.family.family_id, "{given}");
        assert!(!ada.scene.is_good(&tokens).await, "{given}");
        assert!(ada.scene.refresh("notes", &refresh).await.is_err(), "{given}");
        assert!(ada.scene.is_good(&other).await, "{given}");
        ada.directory.hand_over_of(&ada.subject()).await;
        assert_eq!(ada.told().await, [("notes".to_owned(), session.sid.clone())], "{given}");
    }
    let code = ada.code(&session, "notes", &[Scope::OpenId]).await;
    for nothing_such in ["", "x", code.expose()] {
        assert!(sign_in.token_end(nothing_such, &also).await.unwrap().is_none());
    }
}
