//! The same change tells the same, whichever way it came: by PUT, by PATCH in two forms, by Bulk, or by
//! the operator; and a lock, by its date.

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};
use ssf::{
    directory::{Actor, Cause, Directory, Given, ResourceId, User},
    event::EventType,
    scim::{PatchRequest, ResourceType},
};

use super::{PATCH, Provisioning, USER, with_schema};

const LOCK: &str = "urn:tocsin:params:scim:schemas:extension:1.0:User";

/// A way by which a person can be changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Put,
    /// With one operation for each attribute.
    Paths,
    /// With one operation for all that is set.
    NoPath,
    BulkPut,
    BulkPatch,
    Operator,
}

const WAYS: [Way; 6] =
    [Way::Put, Way::Paths, Way::NoPath, Way::BulkPut, Way::BulkPatch, Way::Operator];

impl Way {
    fn replaces(self) -> bool {
        matches!(self, Self::Put | Self::BulkPut)
    }
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec!["a", "b", "ö"]).prop_map(str::to_owned))
}

fn addresses() -> impl Strategy<Value = Vec<Value>> {
    let one = (prop::sample::select(vec!["work", "home"]), 0..3_u8)
        .prop_map(|(kind, number)| json!({ "type": kind, "value": format!("{number}@x.example") }));
    prop::collection::vec(one, 0..3).prop_map(|mut all| {
        all.dedup_by(|one, other| one["value"] == other["value"] || one["type"] == other["type"]);
        all
    })
}

/// A person without a name to sign in by.
fn person() -> impl Strategy<Value = Map<String, Value>> {
    let phone = prop::option::of(0..3_u8);
    (any::<bool>(), text(), text(), (text(), text()), addresses(), phone).prop_map(
        |(active, title, display_name, (given, family), emails, phone)| {
            let mut person = Map::new();
            person.insert("active".to_owned(), active.into());
            let mut name = Map::new();
            let texts = [("title", title), ("displayName", display_name)];
            for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
                person.insert(key.to_owned(), text.into());
            }
            let texts = [("givenName", given), ("familyName", family)];
            for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
                name.insert(key.to_owned(), text.into());
            }
            if !name.is_empty() {
                person.insert("name".to_owned(), name.into());
            }
            if !emails.is_empty() {
                person.insert("emails".to_owned(), emails.into());
            }
            if let Some(phone) = phone {
                let phones = json!([{ "type": "work", "value": format!("+4930123{phone}") }]);
                person.insert("phoneNumbers".to_owned(), phones);
            }
            person
        },
    )
}

/// What makes of `before` the person `after`, each attribute by its path.
fn operations(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Value> {
    let mut operations = removals(before, after);
    for (key, value) in after {
        match value {
            Value::Object(parts) => operations.extend(parts.iter().map(|(part, value)| {
                json!({ "op": "replace", "path": format!("{key}.{part}"), "value": value })
            })),
            value => operations.push(json!({ "op": "replace", "path": key, "value": value })),
        }
    }
    operations
}

/// What takes away the attributes that `after` does not have.
fn removals(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Value> {
    let mut operations = Vec::new();
    for (key, value) in before {
        match (value, after.get(key)) {
            (_, None) => operations.push(json!({ "op": "remove", "path": key })),
            (Value::Object(parts), Some(now)) => {
                let gone = parts.keys().filter(|part| now.get(part.as_str()).is_none());
                operations.extend(
                    gone.map(|part| json!({ "op": "remove", "path": format!("{key}.{part}") })),
                );
            }
            (_, Some(_)) => {}
        }
    }
    operations
}

async fn change(
    p: &Provisioning,
    way: Way,
    id: &str,
    user_name: &str,
    (before, after): (&Map<String, Value>, &Map<String, Value>),
) {
    let mut whole = after.clone();
    whole.insert("userName".to_owned(), user_name.into());
    let whole = with_schema(USER, Value::Object(whole));
    let patch = |operations: Vec<Value>| json!({ "schemas": [PATCH], "Operations": operations });
    let bulk = |method: &str, data: Value| {
        let operation = json!({ "method": method, "path": format!("/Users/{id}"), "data": data });
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        json!({ "schemas": [schema], "Operations": [operation] })
    };
    let place = format!("/scim/v2/Users/{id}");
    let answer = match way {
        Way::Put => p.caller.put(&place, whole).await,
        Way::Paths => p.caller.patch(&place, patch(operations(before, after))).await,
        Way::NoPath => {
            let mut all = removals(before, after);
            all.push(json!({ "op": "replace", "value": after }));
            p.caller.patch(&place, patch(all)).await
        }
        Way::BulkPut => p.caller.post("/scim/v2/Bulk", bulk("PUT", whole)).await,
        Way::BulkPatch => {
            let data = patch(operations(before, after));
            p.caller.post("/scim/v2/Bulk", bulk("PATCH", data)).await
        }
        Way::Operator => {
            let directory = Directory::of(&p.world.transmitter);
            let cause = directory.cause(Actor::Operator);
            let body = patch(operations(before, after));
            by_operator(&directory, &cause, id, &body).await;
            return;
        }
    };
    assert_eq!(answer.status, 200, "{way:?}: {answer}");
    let failed = answer.json()["Operations"][0]["response"].clone();
    assert_eq!(failed, Value::Null, "{way:?}");
}

/// As the operator's commands change somebody.
async fn by_operator(directory: &Directory, cause: &Cause, id: &str, body: &Value) {
    let patch = PatchRequest::parse(body, ResourceType::User).unwrap();
    let change = |user: &mut User| {
        let patched = patch.apply(&user.writable(None, cause.at))?;
        user.take(patched.resource, Given::Changed, None, cause.at)
    };
    directory.user_change(ResourceId::parse(id).unwrap(), None, cause, change).await.unwrap();
}

/// What was told since the last look, without what depends on who did it, when and to whom: the type,
/// the subject and what is said of it.
async fn told(p: &Provisioning, id: &str) -> Vec<(String, Value, Value)> {
    let queue = &p.world.transmitter.parts().ingest_fifo;
    let mut told = Vec::new();
    loop {
        let found = queue.receive(100, Duration::from_secs(30)).await.unwrap();
        if found.is_empty() {
            return told;
        }
        queue.delete(found.iter().map(|one| one.receipt.clone()).collect()).await.unwrap();
        for message in found {
            let message: Value =
                serde_json::from_str(&message.body.replace(id, "the person")).unwrap();
            let (uri, payload) = message["events"].as_object().unwrap().iter().next().unwrap();
            let kind = EventType::new(uri.clone()).short_name().replace("put", "patch");
            let mut payload = payload.clone();
            for name in ["event_timestamp", "initiating_entity", "reason_admin"] {
                payload.as_object_mut().unwrap().remove(name);
            }
            told.push((kind, message["sub_id"].clone(), payload));
        }
    }
}

/// The same, of ways of which some replace what others change: without what only these say.
fn without_data(told: &[(String, Value, Value)]) -> Vec<(String, Value, Value)> {
    let mut told = told.to_vec();
    for (_, _, payload) in &mut told {
        payload.as_object_mut().unwrap().remove("data");
    }
    told
}

#[test]
fn a_change_tells_the_same_whichever_way_it_came() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 100, failure_persistence: None, ..Config::default() };
    let run = |(before, after): (Map<String, Value>, Map<String, Value>)| {
        runtime.block_on(async {
            let p = Provisioning::new().await;
            let mut people = Vec::new();
            for way in WAYS {
                let name = format!("{way:?}");
                let mut person = before.clone();
                person.insert("userName".to_owned(), name.as_str().into());
                let made = p.create(Value::Object(person)).await;
                people.push((way, name, super::id(&made)));
            }
            told(&p, "nobody").await;
            p.world.clock.advance(Duration::from_secs(1));
            let mut all = Vec::new();
            for (way, name, id) in people {
                change(&p, way, &id, &name, (&before, &after)).await;
                all.push((way, told(&p, &id).await));
            }
            let (_, first) = &all[0];
            for (way, told) in &all {
                assert_eq!(without_data(told), without_data(first), "{way:?}");
            }
            let patches: Vec<_> = all.iter().filter(|(way, _)| !way.replaces()).collect();
            for (way, told) in &patches {
                assert_eq!(told, &patches[0].1, "{way:?}");
            }
            assert_eq!(first.is_empty(), before == after, "what changes nothing tells nothing");
        });
        Ok(())
    };
    TestRunner::new(config).run(&(person(), person()), run).unwrap();
}

/// The date is one change, and that it has come is another: what the second tells is what `active`
/// tells, but for the names of what changed.
#[tokio::test]
async fn a_lock_tells_the_same_whether_somebody_or_its_date_locks() {
    let p = Provisioning::new().await;
    let mut all = Vec::new();
    for by_date in [false, true] {
        let id = p.person(if by_date { "ada" } else { "bob" }).await;
        if by_date {
            let now = p.world.transmitter.parts().clock.now();
            let date = now + Duration::from_mins(1);
            let set = json!([{ "op": "add", "path": format!("{LOCK}:lockDate"), "value": date }]);
            assert_eq!(p.patch(&format!("/Users/{id}"), set).await.status, 200);
            told(&p, &id).await;
            p.world.clock.advance(Duration::from_mins(1));
            p.world.sweep().await;
        } else {
            told(&p, &id).await;
            let set = json!([{ "op": "replace", "path": "active", "value": false }]);
            assert_eq!(p.patch(&format!("/Users/{id}"), set).await.status, 200);
        }
        let mut told = without_data(&told(&p, &id).await);
        for (_, _, payload) in &mut told {
            let members = payload.as_object_mut().unwrap();
            members.remove("version");
            let attributes = members.remove("attributes").unwrap_or(json!(["active"]));
            let attributes = attributes.as_array().unwrap();
            assert!(attributes.contains(&json!("active")), "{attributes:?}");
        }
        all.push(told);
    }
    assert_eq!(all[0].len(), 5);
    assert_eq!(all[0], all[1]);
}
