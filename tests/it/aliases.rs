//! One person, several names ([RFC 9493, 3.2.8]): who hears of them, by which name, at what cost.

use serde_json::{Value, json};
use ssf::{
    client::{Profile, Receiver},
    delivery::Door,
    stream::{AddSubject, DefaultSubjects, RemoveSubject, StreamId},
    subject::Subject,
};
use tests::{
    World,
    world::{caep, push_stream},
};

fn email(name: &str) -> Value {
    json!({ "format": "email", "email": format!("{name}@example.com") })
}

fn iss_sub(name: &str) -> Value {
    json!({ "format": "iss_sub", "iss": "https://idp.example", "sub": name })
}

fn scim(name: &str) -> Value {
    json!({ "format": "scim", "uri": format!("/Users/{name}") })
}

fn opaque(id: &str) -> Value {
    json!({ "format": "opaque", "id": id })
}

fn aliases(identifiers: &[Value]) -> Value {
    json!({ "format": "aliases", "identifiers": identifiers })
}

/// A person as a directory tells of one.
fn jane() -> Value {
    aliases(&[opaque("j"), email("jane"), iss_sub("jane"), scim("jane")])
}

const DELETED: &str = "urn:ietf:params:scim:event:prov:delete";
const DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";

struct Alice {
    world: World,
    receiver: Receiver,
    stream: StreamId,
}

impl Alice {
    async fn new(default_subjects: DefaultSubjects) -> Self {
        Self::with(default_subjects, |_| {}, json!({})).await
    }

    async fn with(
        default_subjects: DefaultSubjects,
        change: impl FnOnce(&mut Receiver),
        members: Value,
    ) -> Self {
        let world = World::with(|config| config.removal_grace = std::time::Duration::ZERO);
        let mut receiver = Receiver { default_subjects, ..world.receiver("alice") };
        change(&mut receiver);
        let mut body = push_stream("alice", &["session-revoked"]);
        body["events_requested"].as_array_mut().unwrap().extend([json!(DELETED), json!(DISABLED)]);
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let stream = world.create(&receiver, body).await;
        let stream = StreamId::parse(stream["stream_id"].as_str().unwrap()).unwrap();
        Self { world, receiver, stream }
    }

    async fn add(&self, subject: &Value) {
        let subject = Subject::parse(subject.clone()).unwrap();
        let wish = AddSubject { stream_id: self.stream.clone(), subject, verified: None };
        self.world.transmitter.add_subject(&self.receiver, wish).await.unwrap();
    }

    async fn remove(&self, subject: &Value) {
        let subject = Subject::parse(subject.clone()).unwrap();
        let wish = RemoveSubject { stream_id: self.stream.clone(), subject };
        self.world.transmitter.remove_subject(&self.receiver, wish).await.unwrap();
    }

    /// Of whom is told when an event of this type is about `subject`, if the stream hears of it.
    async fn told_of(&self, uri: &str, subject: &Value) -> Option<Value> {
        self.world.emit(&json!({ "sub_id": subject, "events": { uri: {} } })).await;
        self.world.settle().await;
        let mut pushed = self.world.http.take();
        assert!(pushed.len() <= 1, "one event is one SET");
        pushed.pop().map(|pushed| pushed.claims()["sub_id"].clone())
    }

    async fn told(&self, subject: &Value) -> Option<Value> {
        self.told_of(&caep("session-revoked"), subject).await
    }

    /// How often the table is read to take in an event about `subject`.
    async fn reads(&self, subject: &Value) -> u64 {
        let event = json!({ "sub_id": subject, "events": { caep("session-revoked"): {} } });
        self.world.emit(&event).await;
        self.world.table.take();
        assert_eq!(self.world.ingest(Door::Standard).await, 1);
        self.world.table.take().reads()
    }
}

/// Whoever named one of the names hears of the person, by this name and no other.
#[tokio::test]
async fn a_receiver_is_told_by_the_name_that_it_knows() {
    for name in [opaque("j"), email("jane"), iss_sub("jane"), scim("jane")] {
        let alice = Alice::new(DefaultSubjects::None).await;
        alice.add(&name).await;
        assert_eq!(alice.told(&jane()).await, Some(name.clone()));
        assert_eq!(alice.told_of(DELETED, &jane()).await, Some(name.clone()));
        assert_eq!(alice.told(&aliases(&[email("john"), iss_sub("john")])).await, None);
        alice.remove(&name).await;
        assert_eq!(alice.told(&jane()).await, None);
    }
    // Two names that were added one by one: one of them is enough, the first of the event.
    let alice = Alice::new(DefaultSubjects::None).await;
    alice.add(&scim("jane")).await;
    alice.add(&email("jane")).await;
    assert_eq!(alice.told(&jane()).await, Some(email("jane")));
    alice.remove(&email("jane")).await;
    assert_eq!(alice.told(&jane()).await, Some(scim("jane")));
}

/// A stream that named aliases hears by those of them that the event has.
#[tokio::test]
async fn who_named_aliases_is_told_by_those_in_common() {
    let alice = Alice::new(DefaultSubjects::None).await;
    let named = aliases(&[scim("jane"), email("jane"), email("jane-2")]);
    alice.add(&named).await;
    assert_eq!(alice.told(&jane()).await, Some(aliases(&[email("jane"), scim("jane")])));
    assert_eq!(alice.told(&email("jane-2")).await, Some(email("jane-2")));
    let other = aliases(&[iss_sub("jane"), email("jane")]);
    assert_eq!(alice.told(&other).await, Some(email("jane")));
    assert_eq!(alice.told(&iss_sub("jane")).await, None);
    // Of other aliases one name is the same: their rows are theirs.
    alice.add(&aliases(&[email("jane"), email("jack")])).await;
    alice.remove(&named).await;
    assert_eq!(alice.told(&jane()).await, Some(email("jane")));
    assert_eq!(alice.told(&scim("jane")).await, None);
    // Whoever named a name by itself, too, is told by that one.
    alice.add(&named).await;
    alice.add(&scim("jane")).await;
    assert_eq!(alice.told(&jane()).await, Some(scim("jane")));
}

/// By default: the stream's own format, else the usual one of the events' family, else the first.
#[tokio::test]
async fn who_named_nobody_is_told_by_one_name() {
    let alice = Alice::new(DefaultSubjects::All).await;
    assert_eq!(alice.told(&jane()).await, Some(iss_sub("jane")));
    assert_eq!(alice.told_of(DISABLED, &jane()).await, Some(iss_sub("jane")));
    assert_eq!(alice.told_of(DELETED, &jane()).await, Some(scim("jane")));
    let two = aliases(&[opaque("j"), email("jane")]);
    assert_eq!(alice.told(&two).await, Some(email("jane")));
    assert_eq!(alice.told(&aliases(&[scim("j"), opaque("j")])).await, Some(scim("j")));
    assert_eq!(alice.told(&email("jane")).await, Some(email("jane")));
    let user = json!({ "format": "complex", "user": jane(), "tenant": opaque("acme") });
    let told = json!({ "format": "complex", "user": iss_sub("jane"), "tenant": opaque("acme") });
    assert_eq!(alice.told(&user).await, Some(told));
    let legacy = |receiver: &mut Receiver| receiver.profile = Profile::Legacy;
    let alice = Alice::with(DefaultSubjects::All, legacy, json!({ "format": "email" })).await;
    assert_eq!(alice.told(&jane()).await, Some(email("jane")));
    assert_eq!(alice.told_of(DELETED, &jane()).await, Some(email("jane")));
    assert_eq!(alice.told(&aliases(&[scim("j"), iss_sub("j")])).await, Some(iss_sub("j")));
}

/// Whoever removed one of the names does not hear of the person, nor who removed aliases with it.
#[tokio::test]
async fn who_removed_one_of_the_names_does_not_hear() {
    for removed in [scim("jane"), aliases(&[email("jack"), scim("jane")])] {
        let alice = Alice::new(DefaultSubjects::All).await;
        alice.remove(&removed).await;
        assert_eq!(alice.told(&jane()).await, None);
        assert_eq!(alice.told(&scim("jane")).await, None);
        assert_eq!(alice.told(&email("jane")).await, Some(email("jane")));
        alice.add(&removed).await;
        assert!(alice.told(&jane()).await.is_some());
    }
}

/// A SCIM resource is its URI, whatever else it is called.
#[tokio::test]
async fn a_scim_resource_is_found_by_its_uri() {
    let with = |external_id: &str| json!({ "format": "scim", "uri": "/Users/jane", "externalId": external_id });
    let alice = Alice::new(DefaultSubjects::None).await;
    alice.add(&scim("jane")).await;
    assert_eq!(alice.told_of(DELETED, &with("jd")).await, Some(with("jd")));
    alice.remove(&with("other")).await;
    assert_eq!(alice.told_of(DELETED, &scim("jane")).await, None);
    alice.add(&with("jd")).await;
    assert_eq!(alice.told_of(DELETED, &scim("jane")).await, Some(scim("jane")));
    assert_eq!(alice.told_of(DELETED, &scim("john")).await, None);
}

#[tokio::test]
async fn a_member_of_a_complex_subject_may_have_several_names() {
    let at = |user: &Value, tenant: &str| json!({ "format": "complex", "user": user, "tenant": opaque(tenant) });
    let alice = Alice::new(DefaultSubjects::None).await;
    alice.add(&at(&email("jane"), "acme")).await;
    assert_eq!(alice.told(&at(&jane(), "acme")).await, Some(at(&email("jane"), "acme")));
    assert_eq!(alice.told(&at(&jane(), "other")).await, None);
    assert_eq!(alice.told(&at(&aliases(&[scim("jane")]), "acme")).await, None);
    let alone = |user: &Value| json!({ "format": "complex", "user": user });
    assert_eq!(alice.told(&alone(&jane())).await, Some(alone(&email("jane"))));
    alice.remove(&at(&email("jane"), "acme")).await;
    alice.add(&at(&aliases(&[scim("jane"), email("jane")]), "acme")).await;
    assert_eq!(alice.told(&at(&scim("jane"), "acme")).await, Some(at(&scim("jane"), "acme")));
    assert_eq!(alice.told(&at(&jane(), "acme")).await, Some(at(&email("jane"), "acme")));
}

/// Each further name costs one read; those of them that nobody named no more than that, and a
/// subject with one name nothing.
#[tokio::test]
async fn each_name_costs_one_look_up() {
    let alice = Alice::new(DefaultSubjects::None).await;
    alice.add(&email("nobody")).await;
    // The first of all makes the key that signs.
    alice.add(&email("jane")).await;
    alice.reads(&email("jane")).await;
    let (one, none) = (alice.reads(&email("jane")).await, alice.reads(&email("john")).await);
    for count in 1..=8_u64 {
        let mut names: Vec<_> = (1..count).map(|n| email(&format!("other-{n}"))).collect();
        let unknown = aliases(&[&names[..], &[email("john")]].concat());
        assert_eq!(alice.reads(&unknown).await, none + count - 1);
        names.push(email("jane"));
        assert_eq!(alice.reads(&aliases(&names)).await, one + count - 1);
        // The same name twice is one.
        if let [first, ..] = &names[..7.min(names.len())] {
            let twice =
                aliases(&[&names[..7.min(names.len())], std::slice::from_ref(first)].concat());
            assert_eq!(
                alice.reads(&twice).await,
                alice.reads(&aliases(&names[..7.min(names.len())])).await
            );
        }
    }
    let before = alice.reads(&jane()).await;
    for number in 0..50 {
        alice.add(&aliases(&[email(&format!("a-{number}")), email(&format!("b-{number}"))])).await;
    }
    assert_eq!(alice.reads(&jane()).await, before, "nothing grows with what does not match");
}

/// What is told of one person stays in order, whichever name the receiver knows and whatever else
/// changes, as long as the sender begins with the same one.
#[tokio::test]
async fn a_person_keeps_one_lane() {
    let alice = Alice::new(DefaultSubjects::All).await;
    let first = Subject::parse(iss_sub("jane")).unwrap();
    let mut lanes = std::collections::BTreeSet::new();
    for number in 0..20 {
        let person = aliases(&[iss_sub("jane"), email(&format!("jane-{number}"))]);
        let person = Subject::parse(person).unwrap();
        assert_eq!(person.order_digest(), first.order_digest());
        let stream = alice.world.transmitter.streams_of(&alice.receiver.id).await.unwrap();
        lanes.insert(stream[0].lane(&person));
    }
    assert_eq!(lanes.len(), 1);
}

/// An account that opted out under one of its names is not told of under any other beside it.
#[tokio::test]
async fn an_opt_out_holds_for_each_name() {
    let risc = |name: &str| format!("https://schemas.openid.net/secevent/risc/event-type/{name}");
    let alice = Alice::new(DefaultSubjects::All).await;
    alice.told_of(&risc("opt-out-effective"), &email("jane")).await;
    assert_eq!(alice.told_of(DISABLED, &jane()).await, None);
    assert_eq!(alice.told_of(DISABLED, &iss_sub("jane")).await, Some(iss_sub("jane")));
    let user = json!({ "format": "complex", "user": jane() });
    assert!(alice.told_of(DISABLED, &user).await.is_some(), "another account");
    // Whoever has several names opts out under each, and in again.
    alice.world.clock.advance(std::time::Duration::from_secs(1));
    alice.told_of(&risc("opt-in"), &jane()).await;
    assert_eq!(alice.told_of(DISABLED, &jane()).await, Some(iss_sub("jane")));
    alice.world.clock.advance(std::time::Duration::from_secs(1));
    alice.told_of(&risc("opt-out-effective"), &jane()).await;
    for name in [opaque("j"), email("jane"), iss_sub("jane"), scim("jane"), jane()] {
        assert_eq!(alice.told_of(DISABLED, &name).await, None, "{name}");
    }
    assert!(alice.told(&jane()).await.is_some(), "other families go on");
}

/// [RISC 1.0, 2.5 and 2.6]: it is the one name that changed.
#[tokio::test]
async fn what_is_told_of_a_name_has_but_this_one() {
    let alice = Alice::new(DefaultSubjects::All).await;
    let changed = DISABLED.replace("account-disabled", "identifier-changed");
    assert_eq!(alice.told_of(&changed, &aliases(&[email("jane")])).await, None);
    assert_eq!(alice.world.dead_letters().await.len(), 1);
}
