//! Consents, and who is told of their changes.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ssf::{
    client::Scope,
    sign_in::{Also, ConsentChange, Happened, Owners, SignIn, nothing},
    table::{Condition, Content, Item, Key, Query, Write},
};

use super::{People, Person, Scene, id, person};

#[tokio::test]
async fn there_is_one_consent_for_a_pair_however_many_grant_it_at_once() {
    let scene = Scene::new().await;
    let (john, notes) = (person("john"), id("notes"));
    let processes: Vec<SignIn> =
        (0..3).map(|_| SignIn::of(&scene.world.another_process(), Arc::new(People))).collect();
    let scopes = [[Scope::OpenId], [Scope::Email], [Scope::Groups]];
    let grant = |at: usize| processes[at].consent_grant(&john, &notes, &scopes[at], &nothing);
    let all = tokio::join!(grant(0), grant(1), grant(2));
    let changes = [all.0.unwrap().1, all.1.unwrap().1, all.2.unwrap().1];
    let granted = changes.iter().filter(|change| **change == Some(ConsentChange::Granted)).count();
    assert_eq!(granted, 1, "{changes:?}");
    let consents = scene.sign_in.consents_of_person(&john).await.unwrap();
    assert_eq!(consents.len(), 1);
    assert!(consents[0].covers(&scopes.concat()), "{consents:?}");
    let to_notes = scene.sign_in.consents_to_client(&notes, None).await.unwrap();
    let people: Vec<_> = to_notes.0.iter().map(|consent| consent.subject.0.as_str()).collect();
    assert_eq!((people, to_notes.1), (vec!["jane", "john"], None));
}

#[tokio::test]
async fn revoking_ends_exactly_what_that_pair_has_and_restoring_brings_none_back() {
    let scene = Scene::new().await;
    scene.consent("john", "notes").await;
    let (jane, notes) = (person("jane"), id("notes"));
    let mine = scene.tokens("jane", "notes").await;
    let others = [scene.tokens("jane", "maps").await, scene.tokens("john", "notes").await];
    let pending = scene.code("jane", "notes").await.unwrap();

    let (consent, change) = scene.sign_in.consent_revoke(&jane, &notes, &nothing).await.unwrap();
    assert_eq!(change, Some(ConsentChange::Revoked));
    assert_eq!(consent.revoked_at, Some(scene.world.transmitter.parts().clock.now()));
    let again = scene.sign_in.consent_revoke(&jane, &notes, &nothing).await.unwrap();
    assert_eq!(again.1, None);
    assert!(!scene.is_good(&mine).await);
    let refresh = mine.refresh_token.as_ref().unwrap();
    assert!(scene.refresh("notes", refresh).await.is_err());
    assert!(scene.exchange("notes", &pending).await.is_err());
    for other in &others {
        assert!(scene.is_good(other).await);
    }

    let restored = scene.sign_in.consent_restore(&jane, &notes, &nothing).await.unwrap();
    assert_eq!(restored.1, Some(ConsentChange::Restored));
    assert_eq!(restored.0.scope, super::GRANTED);
    // All of this happens at one and the same moment.
    assert!(!scene.is_good(&mine).await);
    assert!(scene.refresh("notes", refresh).await.is_err());
    assert!(scene.exchange("notes", &pending).await.is_err());
    let later = scene.tokens("jane", "notes").await;
    assert!(scene.is_good(&later).await);

    // What is dead is removed, and nothing else, however late.
    while scene.sign_in.pair_forget(&jane, &notes).await.unwrap() {}
    assert!(scene.is_good(&later).await);
    assert_eq!(scene.rows(&["PERSON_FAMILY#jane"]).await, 2, "one at notes, one at maps");
    assert!(scene.refresh("notes", &later.refresh_token.unwrap()).await.is_ok());
}

#[tokio::test]
async fn what_the_operator_consented_to_can_be_taken_back_by_a_person() {
    let scene = Scene::new().await;
    scene.register("intranet", |wish| wish.application.preconsent = true).await;
    let (jane, intranet) = (person("jane"), id("intranet"));
    let tokens = scene.tokens("jane", "intranet").await;
    let (_, change) = scene.sign_in.consent_revoke(&jane, &intranet, &nothing).await.unwrap();
    assert_eq!(change, Some(ConsentChange::Revoked));
    assert!(!scene.is_good(&tokens).await);
    assert!(scene.code("jane", "intranet").await.is_err());
    let unknown = scene.sign_in.consent_revoke(&person("john"), &id("maps"), &nothing).await;
    assert_eq!(unknown.unwrap_err().to_string(), "there is no consent of john to maps");
}

/// Tells of what happens by rows, in the same transaction, and holds on to the row of the person.
fn teller(
    noted: &Mutex<usize>,
) -> impl Fn(&Happened<'_>, Option<&Item>) -> Vec<Write> + Send + Sync {
    move |happened, owner| {
        *noted.lock().unwrap() += 1;
        let what = match happened {
            Happened::Began(_) => "began".to_owned(),
            Happened::Ended(family) => format!("ended: {:?}", family.revoked_because.unwrap()),
            Happened::SessionBegan(_) => "session began".to_owned(),
            Happened::SessionChanged { .. } => "session changed".to_owned(),
            Happened::SessionEnded(..) => "session ended".to_owned(),
            Happened::Consent(change, ..) => format!("{change:?}"),
        };
        let owner = owner.unwrap();
        let text = Content { body: format!("{what:?}"), ..Content::default() };
        let row = Content { body: owner.body.clone(), ..Content::default() };
        vec![
            Write::put(Key::new("TOLD", what), Condition::Absent, text),
            Write::put(owner.key.clone(), Condition::Version(owner.version), row),
        ]
    }
}

#[tokio::test]
async fn what_happens_is_told_in_the_same_transaction_once() {
    let scene = Scene::new().await;
    let (jane, notes) = (person("jane"), id("notes"));
    let asked = Mutex::new(0);
    let also: &Also<'_> = &teller(&asked);
    let sign_in = &scene.sign_in;
    let code = scene.code("jane", "notes").await.unwrap();
    let exchange =
        ssf::sign_in::Exchange { redirect_uri: Some(super::CB), verifier: Some(super::VERIFIER) };
    let tokens = sign_in.code_exchange(&notes, code.expose(), exchange, also).await.unwrap();
    let first = tokens.refresh_token.unwrap();
    sign_in.refresh(&notes, first.expose(), None, also).await.unwrap();
    scene.world.clock.advance(Duration::from_secs(10));
    for _ in 0..2 {
        sign_in.refresh(&notes, first.expose(), None, also).await.unwrap_err();
        sign_in.code_exchange(&notes, code.expose(), exchange, also).await.unwrap_err();
        sign_in.consent_grant(&jane, &notes, &super::GRANTED, also).await.unwrap();
        sign_in.consent_grant(&jane, &notes, &[Scope::Groups], also).await.unwrap();
    }
    for _ in 0..2 {
        sign_in.consent_revoke(&jane, &notes, also).await.unwrap();
    }
    for _ in 0..2 {
        sign_in.consent_restore(&jane, &notes, also).await.unwrap();
    }
    let table = &scene.world.transmitter.parts().table;
    let told = table.query(Query::sorted("TOLD", "")).await.unwrap();
    let told: Vec<_> = told.items.iter().map(|item| item.key.sk.as_str()).collect();
    assert_eq!(told, ["Restored", "Revoked", "Widened", "began", "ended: RefreshReuse"]);
    assert_eq!(*asked.lock().unwrap(), 5);
}

#[tokio::test]
async fn who_tells_and_was_too_slow_decides_again() {
    let scene = Scene::new().await;
    let (jane, notes) = (person("jane"), id("notes"));
    let asked = Mutex::new(0);
    let tell = teller(&asked);
    let stale = scene.world.transmitter.parts().table.get(&People.key(&jane)).await.unwrap();
    scene.put("jane", &Person::default()).await;
    // The first time it holds on to a row that somebody else has changed since.
    let also = |happened: &Happened<'_>, owner: Option<&Item>| {
        let first = *asked.lock().unwrap() == 0;
        tell(happened, if first { stale.as_ref() } else { owner })
    };
    let (consent, change) = scene.sign_in.consent_revoke(&jane, &notes, &also).await.unwrap();
    assert_eq!((change, consent.revocations), (Some(ConsentChange::Revoked), 1));
    assert_eq!(*asked.lock().unwrap(), 2);
}
