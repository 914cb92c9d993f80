//! Second factors: which codes are taken, and what is told of them.

use std::time::Duration;

use serde_json::{Value, json};
use ssf::{
    client::Secret,
    directory::{Actor, Directory, ResourceId, Second, SecondProof},
    sign_in::{Means, NewSession, Place},
    table::Query,
};

use super::{
    Scene,
    app::App,
    people::{change, told, with_directory},
};

/// A scene whose Ada has an authenticator app, and recovery codes.
struct Home {
    scene: Scene,
    directory: Directory,
    ada: ResourceId,
    app: App,
    codes: Vec<Secret>,
}

impl Home {
    async fn new() -> Self {
        let (scene, directory, ada) = with_directory().await;
        told(&scene).await;
        let new = directory.authenticator_new(ada).await.unwrap();
        let app = App::new(new.key.expose());
        let code = Secret::new(app.code(scene.world.transmitter.parts().clock.now()));
        let cause = directory.cause(Actor::Person);
        let added = directory.second_factor_add(ada, &new, &code, &cause).await.unwrap();
        let Second::Added(codes) = added else { panic!("{added:?}") };
        Self { scene, directory, ada, app, codes }
    }

    fn shown(&self) -> String {
        self.app.code(self.scene.world.transmitter.parts().clock.now())
    }

    async fn prove_at(&self, code: &str, browser: Option<&Secret>) -> String {
        let (code, cause) = (Secret::new(code), self.directory.cause(Actor::Person));
        let proof = self.directory.second_factor_prove(self.ada, &code, browser, &cause).await;
        match proof.unwrap() {
            SecondProof::Given => "given".to_owned(),
            SecondProof::Wrong => "wrong".to_owned(),
            SecondProof::Wait(wait) => format!("wait {} s", wait.as_secs()),
        }
    }

    async fn prove(&self, code: &str) -> String {
        self.prove_at(code, None).await
    }

    fn pass(&self, seconds: u64) {
        self.scene.world.clock.advance(Duration::from_secs(seconds));
    }

    /// What was told since the last look: the end of the type, and of CAEP's what says what changed.
    async fn told(&self) -> Vec<Value> {
        let events = told(&self.scene).await;
        let told = events.iter().map(|event| {
            let (name, payload) = event["events"].as_object().unwrap().iter().next().unwrap();
            let name = name.rsplit('/').next().unwrap();
            let subject = &event["sub_id"];
            let of_ada = subject["identifiers"][0]["sub"] == json!(self.ada);
            assert!(of_ada || subject["user"]["sub"] == json!(self.ada), "{event}");
            let by = &payload["initiating_entity"];
            json!([name, payload["credential_type"], payload["change_type"], by])
        });
        told.collect()
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_a_step_more_than_it_is_shown() {
    let home = Home::new().await;
    assert_eq!(home.prove(&home.shown()).await, "wrong", "by it the app was added");
    home.pass(30);
    let code = home.shown();
    assert_eq!(home.prove(&format!(" {} {} ", &code[..3], &code[3..])).await, "given");
    assert_eq!(home.prove(&code).await, "wrong", "it was used");
    home.pass(30);
    let (before, now) = (home.shown(), home.scene.world.transmitter.parts().clock.now());
    home.pass(59 - now.as_second().rem_euclid(30).unsigned_abs());
    assert_eq!(home.prove(&before).await, "given", "the clock of the app is behind");
    home.pass(31);
    let late = home.shown();
    home.pass(60);
    assert_eq!(home.prove(&late).await, "wrong");
    let ahead =
        home.app.code(home.scene.world.transmitter.parts().clock.now() + Duration::from_secs(30));
    assert_eq!(home.prove(&ahead).await, "given", "the clock of the app is ahead");
    assert_eq!(home.prove(&home.shown()).await, "wrong", "it is of a step before");
    // Of two who use the same at once one is let in.
    home.pass(90);
    let code = home.shown();
    let both = futures_util::future::join_all((0..4).map(|_| home.prove(&code))).await;
    assert_eq!(both.iter().filter(|proof| *proof == "given").count(), 1, "{both:?}");
}

#[tokio::test]
async fn who_has_no_second_factor_has_no_code() {
    let home = Home::new().await;
    let cause = home.directory.cause(Actor::Person);
    assert!(home.directory.second_factor_remove(home.ada, &cause).await.unwrap());
    assert!(!home.directory.second_factor_remove(home.ada, &cause).await.unwrap());
    home.pass(30);
    assert_eq!(home.prove(&home.shown()).await, "wrong");
    assert_eq!(home.prove(home.codes[0].expose()).await, "wrong");
    assert_eq!(home.directory.recovery_codes_renew(home.ada, &cause).await.unwrap(), None);
}

#[tokio::test]
async fn wrong_codes_make_one_wait_for_longer_each_time_but_not_at_a_known_browser() {
    let home = Home::new().await;
    home.pass(30);
    let browser = Secret::fresh();
    assert_eq!(home.prove_at(&home.shown(), Some(&browser)).await, "given");
    for n in 0..5 {
        assert_eq!(home.prove(&format!("{n:06}")).await, "wrong");
    }
    assert_eq!(home.prove(home.codes[0].expose()).await, "wait 2 s");
    home.pass(2);
    assert_eq!(home.prove("wrong").await, "wrong");
    home.pass(3);
    assert_eq!(home.prove(home.codes[0].expose()).await, "wait 1 s");
    // Who got a browser known by the password alone waits as well.
    assert_eq!(home.prove_at("000000", Some(&Secret::fresh())).await, "wait 1 s");
    assert_eq!(home.prove_at(home.codes[0].expose(), Some(&browser)).await, "given");
    home.pass(1);
    assert_eq!(home.prove(home.codes[1].expose()).await, "given");
    for _ in 0..5 {
        assert_eq!(home.prove("000000").await, "wrong", "the right one ended the counting");
    }
}

#[tokio::test]
async fn recovery_codes_are_good_once_and_gone_when_there_are_others() {
    let home = Home::new().await;
    assert_eq!(home.codes.len(), 10);
    let one = home.codes[0].expose();
    assert_eq!(home.prove(&one.to_uppercase().replace('-', " ")).await, "given");
    assert_eq!(home.prove(one).await, "wrong");
    let user = home.directory.user(home.ada).await.unwrap();
    assert_eq!(user.second_factor().unwrap().recovery_codes(), 9);
    let cause = home.directory.cause(Actor::Person);
    let new = home.directory.recovery_codes_renew(home.ada, &cause).await.unwrap().unwrap();
    assert_eq!(home.prove(home.codes[1].expose()).await, "wrong");
    assert_eq!(home.prove(new[1].expose()).await, "given");
    home.pass(30);
    assert_eq!(home.prove(&home.shown()).await, "given", "the app is the same");
}

#[tokio::test]
async fn each_change_is_told_and_the_resource_stays_as_it_was() {
    let home = Home::new().await;
    let changed = ["recovery-information-changed", "credential-change"];
    let told = |app: &[&str], codes: &str, by: &str| {
        let app = app.iter().map(|change| json!([changed[1], "app", change, by]));
        let codes = json!([changed[1], "recovery-code", codes, by]);
        let first = json!([changed[0], null, null, null]);
        std::iter::once(first).chain(app).chain([codes]).collect::<Vec<_>>()
    };
    assert_eq!(home.told().await, told(&["create"], "create", "user"));
    let revision = home.directory.user(home.ada).await.unwrap().revision;
    let person = home.directory.cause(Actor::Person);
    home.directory.recovery_codes_renew(home.ada, &person).await.unwrap();
    assert_eq!(home.told().await, told(&[], "update", "user"));
    assert_eq!(home.prove("wrong-code").await, "wrong");
    home.pass(30);
    assert_eq!(home.prove(&home.shown()).await, "given");
    assert_eq!(home.told().await, Vec::<Value>::new(), "a sign-in is told of as such");
    home.directory.second_factor_remove(home.ada, &person).await.unwrap();
    assert_eq!(home.told().await, told(&["delete"], "delete", "user"));
    assert_eq!(home.directory.user(home.ada).await.unwrap().revision, revision);
    let history = home.directory.history(home.ada).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(last.attributes, ["secondFactor"]);
    assert_eq!(last.txn, person.txn);

    let home = Home::new().await;
    home.told().await;
    assert_eq!(home.prove(home.codes[0].expose()).await, "given");
    let used = json!(["credential-change", "recovery-code", "update", "user"]);
    assert_eq!(home.told().await, [json!(["recovery-activated", null, null, null]), used]);
    let operator = home.directory.cause(Actor::Operator);
    home.directory.second_factor_remove(home.ada, &operator).await.unwrap();
    assert_eq!(home.told().await, told(&["revoke"], "revoke", "admin"));
}

#[tokio::test]
async fn who_signs_in_again_more_or_less_surely_is_told_of_in_the_session() {
    let home = Home::new().await;
    home.told().await;
    let cause = home.directory.cause(Actor::Person);
    let also = home.directory.also(&cause);
    let new = |means| NewSession { subject: home.ada.into(), means, place: Place::default() };
    let mut secret = None;
    let mut sid = None;
    for means in [Means::Password, Means::PasswordAndCode, Means::PasswordAndCode, Means::Password]
    {
        let opened = home.scene.sign_in.session_open(new(means), secret.as_ref(), &also);
        let (next, session) = opened.await.unwrap();
        assert_eq!(
            (&session.amr, session.acr.as_deref()),
            (&means.amr(), Some(means.assurance().name()))
        );
        assert_eq!(*sid.get_or_insert(session.sid.clone()), session.sid);
        secret = Some(next);
    }
    home.directory.hand_over_of(&home.ada.into()).await;
    let events = told(&home.scene).await;
    let level = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change";
    let changes = events.iter().filter(|event| event["events"][level].is_object());
    let changes: Vec<_> = changes
        .map(|event| {
            assert_eq!(event["sub_id"]["session"]["id"].as_str(), sid.as_deref());
            let payload = &event["events"][level];
            assert_eq!(payload["namespace"], "NIST-AAL");
            ["previous_level", "current_level", "change_direction"]
                .map(|member| payload[member].as_str().unwrap())
        })
        .collect();
    let wanted = [["nist-aal1", "nist-aal2", "increase"], ["nist-aal2", "nist-aal1", "decrease"]];
    assert_eq!(changes, wanted);
    assert_eq!(events.len(), 3, "and that it began: {events:#?}");
}

#[tokio::test]
async fn half_a_sign_in_is_good_for_ten_minutes_and_for_this_password() {
    let home = Home::new().await;
    let begin = || home.directory.halfway_begin(home.ada);
    let of =
        async |secret: &Secret| home.directory.halfway(secret).await.unwrap().map(|user| user.id);
    let secret = begin().await.unwrap();
    assert_eq!(of(&Secret::fresh()).await, None);
    home.pass(599);
    assert_eq!(of(&secret).await, Some(home.ada));
    home.pass(1);
    assert_eq!(of(&secret).await, None);
    let secret = begin().await.unwrap();
    home.directory.halfway_end(&secret).await.unwrap();
    assert_eq!(of(&secret).await, None);
    let secret = begin().await.unwrap();
    let new = home.directory.new_password(None, Secret::new("another horse battery")).await;
    let new = new.unwrap();
    change(&home.directory, home.ada, |user| user.set_password(new.clone())).await;
    assert_eq!(of(&secret).await, None, "it was another password");
    let secret = begin().await.unwrap();
    home.directory
        .user_delete(home.ada, None, &home.directory.cause(Actor::Operator))
        .await
        .unwrap();
    assert_eq!(of(&secret).await, None);
}

#[tokio::test]
async fn what_is_kept_tells_no_secret_and_goes_with_the_person() {
    let home = Home::new().await;
    let new = home.directory.authenticator_new(home.ada).await.unwrap();
    let row = async || {
        let query = Query::sorted(format!("USER#{}", home.ada), "");
        home.scene.world.transmitter.parts().table.query(query).await.unwrap().items
    };
    let kept = format!("{:?}", row().await);
    assert!(kept.contains("second_factor"), "{kept}");
    for code in &home.codes {
        assert!(!kept.contains(code.expose()) && !kept.contains(&code.expose().replace('-', "")));
    }
    let shown =
        format!("{new:?} {:?}", home.directory.user(home.ada).await.unwrap().second_factor());
    assert!(!shown.contains(new.key.expose()) && !shown.contains("otpauth"), "{shown}");
    assert!(!shown.contains(new.sealed.as_str()), "{shown}");
    // What was sealed for one person is nobody else's.
    let other = ssf::directory::ResourceId::parse("01941f29-7c00-7000-8000-000000000000").unwrap();
    let again = home.directory.authenticator_again(other, new.sealed.clone()).await.unwrap();
    assert!(again.is_none());
    home.directory
        .user_delete(home.ada, None, &home.directory.cause(Actor::Operator))
        .await
        .unwrap();
    assert!(row().await.is_empty());
}
