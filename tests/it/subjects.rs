//! The subjects of streams ([SSF 1.0, 8.1.3]) and which events are about them; the numbers are those
//! of the requirements.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use ssf::stream::DefaultSubjects;
use tests::{
    Caller, World,
    world::{caep, push_stream, session_revoked},
};

const ADD: &str = "/ssf/subjects/add";
const REMOVE: &str = "/ssf/subjects/remove";

/// A receiver with one push stream.
struct Alice {
    world: World,
    caller: Caller,
    stream_id: String,
}

impl Alice {
    async fn new(default_subjects: DefaultSubjects) -> Self {
        Self::with(default_subjects, Duration::ZERO).await
    }

    async fn with(default_subjects: DefaultSubjects, removal_grace: Duration) -> Self {
        let world = World::with(|config| {
            config.removal_grace = removal_grace;
            config.requests_per_second = 0;
            config.min_verification_interval = Duration::ZERO;
        });
        let choose = |wish: &mut ssf::client::NewClient| {
            wish.default_subjects = Some(default_subjects.into());
        };
        let secret = world.register("alice", choose).await;
        let caller = world.caller(world.token("alice", &secret, "ssf.manage").await);
        let stream = push_stream("alice", &["session-revoked"]);
        let stream_id = caller.post("/ssf/streams", stream).await.stream_id();
        Self { world, caller, stream_id }
    }

    fn body(&self, subject: &Value) -> Value {
        json!({ "stream_id": self.stream_id, "subject": subject })
    }

    async fn add(&self, subject: &Value) {
        let answer = self.caller.post(ADD, self.body(subject)).await;
        assert_eq!(answer.status, 200, "{answer}");
    }

    async fn remove(&self, subject: &Value) {
        let answer = self.caller.post(REMOVE, self.body(subject)).await;
        assert_eq!(answer.status, 204, "{answer}");
    }

    /// Whether an event about `subject` is delivered.
    async fn hears(&self, subject: &Value) -> bool {
        let event = json!({ "sub_id": subject, "events": { caep("session-revoked"): {} } });
        self.world.emit(&event).await;
        self.world.settle().await;
        match &self.world.http.take()[..] {
            [] => false,
            [pushed] => {
                let sub_id = &pushed.claims()["sub_id"];
                if subject["format"] != "aliases" {
                    assert_eq!(sub_id, subject, "112: as it was sent");
                }
                true
            }
            more => panic!("{} SETs of one event", more.len()),
        }
    }
}

fn email(email: &str) -> Value {
    json!({ "format": "email", "email": email })
}

fn opaque(id: &str) -> Value {
    json!({ "format": "opaque", "id": id })
}

/// `{ "format": "complex", <name>: <opaque id>, … }`.
fn complex(members: &[(&str, &str)]) -> Value {
    let mut subject = json!({ "format": "complex" });
    for (name, id) in members {
        subject[*name] = opaque(id);
    }
    subject
}

/// 90, 94, 96: the same for subjects that nobody knows.
#[tokio::test]
async fn adding_and_removing_say_nothing_of_the_subject() {
    let alice = Alice::new(DefaultSubjects::None).await;
    let jane = alice.body(&email("jane@example.com"));
    assert_snapshot!(alice.caller.post(ADD, jane.clone()).await, @r"
    200 OK
    cache-control: no-store
    ");
    let nobody = alice.caller.post(REMOVE, alice.body(&email("nobody@example.com"))).await;
    assert_snapshot!(nobody, @r"
    204 No Content
    cache-control: no-store
    ");
    for body in [&jane, &jane, &alice.body(&email("nobody@example.com"))] {
        assert_eq!(alice.caller.post(REMOVE, body.clone()).await.to_string(), nobody.to_string());
    }
}

/// 91, 95, 112–117: the same for both.
#[tokio::test]
async fn what_is_no_subject_is_refused_by_member() {
    let alice = Alice::new(DefaultSubjects::All).await;
    let mut bodies = vec![
        json!({ "subject": email("jane@example.com") }),
        json!({ "stream_id": alice.stream_id }),
        json!({ "stream_id": 1, "subject": email("jane@example.com") }),
        json!([]),
    ];
    let subjects = [
        json!("jane@example.com"),
        json!({}),
        json!({ "format": 1 }),
        json!({ "email": "jane@example.com" }),
        json!({ "subject_type": "email", "email": "jane@example.com" }),
        json!({ "format": "email" }),
        json!({ "format": "email", "email": "" }),
        json!({ "format": "email", "email": null }),
        json!({ "format": "email", "email": "jane" }),
        json!({ "format": "email", "email": "jane@example.com", "name": "Jane" }),
        json!({ "format": "iss_sub", "iss": "https://idp.example" }),
        json!({ "format": "phone_number", "phone_number": "12" }),
        json!({ "format": "account", "uri": "https://example.com" }),
        json!({ "format": "did", "url": "example" }),
        json!({ "format": "ip-addresses", "ip-addresses": ["10.0.0.256"] }),
        json!({ "format": "ip-addresses", "ip-addresses": [] }),
        json!({ "format": "aliases", "identifiers": [] }),
        json!({ "format": "aliases", "identifiers": [{ "format": "aliases", "identifiers": [] }] }),
        json!({ "format": "complex" }),
        json!({ "format": "complex", "user": "jane" }),
        json!({ "format": "complex", "user": { "format": "email", "email": "jane" } }),
        json!({ "format": "complex", "user": { "format": "complex", "user": email("a@b.example") } }),
        json!({ "format": "private" }),
        json!({ "format": "opaque", "id": "a".repeat(4096) }),
    ];
    bodies.extend(subjects.iter().map(|subject| alice.body(subject)));
    let mut answers = Vec::new();
    for body in bodies {
        let added = alice.caller.post(ADD, body.clone()).await.brief();
        assert_eq!(alice.caller.post(REMOVE, body.clone()).await.brief(), added);
        answers.push(added);
    }
    assert_snapshot!(answers.join("\n"), @r"
    400 stream_id is missing
    400 subject is missing
    400 stream_id is integer, expected a string
    400 the body must be an object
    400 subject must be a JSON object
    400 subject.format is missing
    400 subject.format must be a string
    400 subject.format is missing
    400 subject.subject_type is the name of an old draft; use format
    400 subject.email is missing
    400 subject.email must not be empty
    400 subject.email must be a string
    400 subject.email is not an e-mail address, local@domain
    400 subject.name is not a member of the format email
    400 subject.sub is missing
    400 subject.phone_number is not an E.164 number: +, the country code and the rest, at most 15 digits
    400 subject.uri is not an acct: URI, such as acct:ann@example.com
    400 subject.url is not a DID URL, such as did:example:123456
    400 subject.ip-addresses[0] is not an IP address
    400 subject.ip-addresses must not be empty
    400 subject.identifiers must not be empty
    400 subject.identifiers[0].format must not be aliases within aliases
    400 subject is complex and has no member besides its format
    400 subject.user must be a JSON object
    400 subject.user.email is not an e-mail address, local@domain
    400 subject.user.format must be that of a simple subject
    400 subject has no member besides its format
    400 subject must not be longer than 4096 bytes
    ");
}

/// 93.
#[tokio::test]
async fn whether_a_subject_is_verified_makes_no_difference() {
    let alice = Alice::new(DefaultSubjects::None).await;
    for (number, verified) in [json!(true), json!(false), json!(null)].into_iter().enumerate() {
        let subject = email(&format!("user-{number}@example.com"));
        let mut body = alice.body(&subject);
        body["verified"] = verified;
        assert_eq!(alice.caller.post(ADD, body).await.status, 200);
        assert!(alice.hears(&subject).await);
    }
    let mut body = alice.body(&email("jane@example.com"));
    body["verified"] = json!("yes");
    assert_snapshot!(alice.caller.post(ADD, body).await.brief(), @"400 verified is string, expected a boolean");
}

/// 7, 97.
#[tokio::test]
async fn with_none_only_subjects_that_were_added_are_delivered() {
    let alice = Alice::new(DefaultSubjects::None).await;
    let (jane, john) = (email("jane@example.com"), email("john@example.com"));
    assert!(!alice.hears(&jane).await);
    alice.add(&jane).await;
    alice.add(&jane).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (true, false));
    alice.add(&john).await;
    alice.remove(&jane).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (false, true));
    alice.add(&jane).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (true, true));
}

/// 7.
#[tokio::test]
async fn with_all_only_subjects_that_were_removed_are_not_delivered() {
    let alice = Alice::new(DefaultSubjects::All).await;
    let (jane, john) = (email("jane@example.com"), email("john@example.com"));
    assert!(alice.hears(&jane).await);
    alice.remove(&jane).await;
    alice.remove(&jane).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (false, true));
    alice.add(&john).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (false, true));
    alice.add(&jane).await;
    assert_eq!((alice.hears(&jane).await, alice.hears(&john).await), (true, true));
}

/// 97: what is the same and what is not, for each format.
#[tokio::test]
async fn simple_subjects_match_when_they_are_identical() {
    let one = "https://one.example";
    let pairs = [
        (email("jane@example.com"), email("Jane@example.com")),
        (opaque("1"), opaque("01")),
        (
            json!({ "format": "iss_sub", "iss": one, "sub": "1" }),
            json!({ "format": "iss_sub", "iss": "https://two.example", "sub": "1" }),
        ),
        (
            json!({ "format": "phone_number", "phone_number": "+12065550100" }),
            json!({ "format": "phone_number", "phone_number": "+12065550101" }),
        ),
        (
            json!({ "format": "account", "uri": "acct:jane@example.com" }),
            json!({ "format": "account", "uri": "acct:john@example.com" }),
        ),
        (
            json!({ "format": "did", "url": "did:example:1" }),
            json!({ "format": "did", "url": "did:example:1#key" }),
        ),
        (
            json!({ "format": "uri", "uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f" }),
            json!({ "format": "uri", "uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042e" }),
        ),
        (
            json!({ "format": "jwt_id", "iss": one, "jti": "1" }),
            json!({ "format": "jwt_id", "iss": one, "jti": "2" }),
        ),
        (
            json!({ "format": "saml_assertion_id", "issuer": one, "assertion_id": "_1" }),
            json!({ "format": "saml_assertion_id", "issuer": one, "assertion_id": "_2" }),
        ),
        (
            json!({ "format": "ip-addresses", "ip-addresses": ["10.29.37.75", "2001:db8::1"] }),
            json!({ "format": "ip-addresses", "ip-addresses": ["10.29.37.75"] }),
        ),
        (
            json!({ "format": "scim", "uri": "/Users/1" }),
            json!({ "format": "scim", "uri": "/Users/2", "externalId": "jane" }),
        ),
        (
            json!({ "format": "aliases", "identifiers": [email("a@b.example"), opaque("7")] }),
            json!({ "format": "aliases", "identifiers": [email("b@b.example"), opaque("8")] }),
        ),
        (
            json!({ "format": "private", "any": { "member": [1, "2", null] } }),
            json!({ "format": "private", "any": { "member": [1, 2, null] } }),
        ),
    ];
    let (none, all) =
        (Alice::new(DefaultSubjects::None).await, Alice::new(DefaultSubjects::All).await);
    for (same, other) in &pairs {
        none.add(same).await;
        all.remove(same).await;
        assert_eq!((none.hears(same).await, none.hears(other).await), (true, false), "{same}");
        assert_eq!((all.hears(same).await, all.hears(other).await), (false, true), "{same}");
    }
    // The URI names the resource, whatever its client calls it.
    let known = json!({ "format": "scim", "uri": "/Users/1", "externalId": "jane" });
    assert_eq!((none.hears(&known).await, all.hears(&known).await), (true, false));
    // RISC's name for the format of phone numbers stands for the same thing.
    let phone = json!({ "format": "phone", "phone_number": "+12065550100" });
    assert_eq!((none.hears(&phone).await, all.hears(&phone).await), (true, false));
}

/// 97, 98: a member that one side lacks may be anything.
#[tokio::test]
async fn complex_subjects_match_when_no_member_differs() {
    let jane_at_acme = [("user", "jane"), ("tenant", "acme")];
    for (named, event, matches) in [
        (&jane_at_acme[..], &jane_at_acme[..], true),
        (&jane_at_acme, &[("user", "jane")], true),
        (&jane_at_acme, &[("tenant", "acme")], true),
        (&jane_at_acme, &[("user", "john")], false),
        (&jane_at_acme, &[("user", "john"), ("tenant", "acme")], false),
        (&jane_at_acme, &[("user", "jane"), ("tenant", "other")], false),
        (&jane_at_acme, &[("user", "jane"), ("device", "phone")], true),
        (&jane_at_acme, &[("user", "john"), ("device", "phone")], false),
        // Nothing in common: strangers.
        (&jane_at_acme, &[("device", "phone")], false),
        (&[("user", "jane")], &jane_at_acme, true),
        (&[("user", "john")], &jane_at_acme, false),
        (&[("tenant", "acme")], &jane_at_acme, true),
        (&[("user", "acme")], &[("tenant", "jane")], false),
        (&[("anything", "jane")], &[("anything", "jane")], true),
        (&[("anything", "jane")], &[("anything", "john")], false),
        (
            &[
                ("user", "1"),
                ("device", "2"),
                ("session", "3"),
                ("application", "4"),
                ("tenant", "5"),
                ("org_unit", "6"),
                ("group", "7"),
            ],
            &[("session", "3"), ("group", "7")],
            true,
        ),
    ] {
        let (named, event) = (complex(named), complex(event));
        let none = Alice::new(DefaultSubjects::None).await;
        none.add(&named).await;
        assert_eq!(none.hears(&event).await, matches, "{named} was added, {event} came");
        none.remove(&named).await;
        assert!(!none.hears(&event).await, "{named} was removed, {event} came");
        let all = Alice::new(DefaultSubjects::All).await;
        all.remove(&named).await;
        assert_eq!(all.hears(&event).await, !matches, "{named} was removed, {event} came");
        all.add(&named).await;
        assert!(all.hears(&event).await, "{named} was added again, {event} came");
    }
}

/// 97: one is not a part of the other.
#[tokio::test]
async fn simple_and_complex_subjects_do_not_match() {
    let alice = Alice::new(DefaultSubjects::None).await;
    alice.add(&opaque("jane")).await;
    assert!(!alice.hears(&complex(&[("user", "jane")])).await);
    alice.remove(&opaque("jane")).await;
    alice.add(&complex(&[("user", "jane")])).await;
    assert!(!alice.hears(&opaque("jane")).await);
    assert!(alice.hears(&complex(&[("user", "jane")])).await);
}

/// An event that several of the named subjects match is one SET, as `hears` sees to.
#[tokio::test]
async fn subjects_that_overlap_make_one_set() {
    let alice = Alice::new(DefaultSubjects::None).await;
    let devices: Vec<_> = (0..20)
        .map(|number| complex(&[("user", "jane"), ("device", &number.to_string())]))
        .collect();
    for device in &devices {
        alice.add(device).await;
    }
    alice.add(&complex(&[("user", "jane")])).await;
    assert!(alice.hears(&complex(&[("user", "jane")])).await);
    alice.remove(&complex(&[("user", "jane")])).await;
    for device in &devices[1..] {
        alice.remove(device).await;
    }
    assert!(alice.hears(&complex(&[("user", "jane")])).await);
    alice.remove(&devices[0]).await;
    assert!(!alice.hears(&complex(&[("user", "jane")])).await);
}

/// 99: whatever is removed, and although nobody added it.
#[tokio::test]
async fn a_stream_is_always_a_subject_of_its_own() {
    for default_subjects in [DefaultSubjects::All, DefaultSubjects::None] {
        let alice = Alice::new(default_subjects).await;
        alice.remove(&opaque(&alice.stream_id)).await;
        let body = json!({ "stream_id": alice.stream_id, "state": "still here" });
        assert_eq!(alice.caller.post("/ssf/verification", body).await.status, 204);
        alice.world.settle().await;
        assert_eq!(alice.world.http.take().len(), 1);
    }
}

/// 100: whoever made a receiver remove a subject does not blind it at once.
#[tokio::test]
async fn a_removed_subject_goes_on_for_the_grace_time() {
    let jane = email("jane@example.com");
    for default_subjects in [DefaultSubjects::All, DefaultSubjects::None] {
        let alice = Alice::with(default_subjects, Duration::from_mins(20)).await;
        alice.add(&jane).await;
        alice.remove(&jane).await;
        assert!(alice.hears(&jane).await);
        alice.world.clock.advance(Duration::from_mins(19));
        assert!(alice.hears(&jane).await);
        // To ask again does not make it longer.
        alice.remove(&jane).await;
        alice.world.clock.advance(Duration::from_mins(1));
        assert!(!alice.hears(&jane).await, "{default_subjects:?}");
        alice.add(&jane).await;
        assert!(alice.hears(&jane).await);
        // Added again within the time, it stays.
        alice.remove(&jane).await;
        alice.add(&jane).await;
        alice.world.clock.advance(Duration::from_mins(30));
        assert!(alice.hears(&jane).await);
    }
}

/// Each kind costs every event of the stream's types a look-up.
#[tokio::test]
async fn a_stream_names_subjects_of_so_many_kinds_and_no_more() {
    let alice = Alice::new(DefaultSubjects::None).await;
    for number in 0..16 {
        alice.add(&complex(&[(&format!("kind-{number}"), "1")])).await;
    }
    let one_more = alice.body(&complex(&[("kind-16", "1")]));
    assert_snapshot!(alice.caller.post(ADD, one_more).await, @r#"
    400 Bad Request
    cache-control: no-store
    content-type: application/problem+json

    {
      "detail": "subject is of one more kind than the 16 that a stream may have",
      "member": "subject",
      "status": 400,
      "title": "The request cannot be used as it is",
      "type": "urn:tocsin:problem:invalid"
    }
    "#);
    alice.add(&complex(&[("kind-15", "2")])).await;
    assert!(alice.hears(&complex(&[("kind-15", "2")])).await);
}

/// A sender may choose one of the streams; that one must want it all the same.
#[tokio::test]
async fn an_event_for_one_stream_goes_to_no_other() {
    let alice = Alice::new(DefaultSubjects::None).await;
    let bob = alice.world.signed_in("bob", "ssf.manage").await;
    let bobs = bob.post("/ssf/streams", push_stream("bob", &["session-revoked"])).await.stream_id();
    let hosts = async |stream_id: &str| {
        let mut event = session_revoked("jane@example.com");
        event["stream_id"] = json!(stream_id);
        alice.world.emit(&event).await;
        alice.world.settle().await;
        let pushed = alice.world.http.take();
        pushed
            .iter()
            .map(|pushed| pushed.endpoint.host_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(hosts(&bobs).await, ["bob.example"]);
    assert_eq!(hosts(&alice.stream_id).await, [""; 0]);
    alice.add(&email("jane@example.com")).await;
    assert_eq!(hosts(&alice.stream_id).await, ["alice.example"]);
    assert_eq!(hosts("nobody").await, [""; 0]);
}
