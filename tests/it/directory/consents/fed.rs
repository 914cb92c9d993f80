//! Whom streams are fed with.

use super::{Change::*, *};

#[tokio::test]
async fn an_application_hears_of_those_who_gave_it_their_consent() {
    let scene = Scene::new().await;
    let (notes, _) = scene.app_with_stream("notes").await;
    scene.app_with_stream("maps").await;
    scene.note("Countess").await;
    assert_eq!(scene.got().await, BTreeMap::new());

    scene.change("notes", Grant).await;
    assert_eq!(scene.got_by("notes").await, ["feed:add"]);
    scene.note("Lady").await;
    assert_eq!(scene.got_by("notes").await, NOTED);
    scene.change("maps", Grant).await;
    assert_eq!(scene.got_by("maps").await, ["feed:add"]);
    scene.note("Countess").await;
    let both = scene.got().await;
    assert_eq!(
        both,
        BTreeMap::from(
            ["maps", "notes"].map(|name| (name.into(), NOTED.map(str::to_owned).into()))
        )
    );

    // A consent that is widened changes nothing, nor does one that was given before.
    scene.change("notes", Grant).await;
    assert_eq!(scene.got().await, BTreeMap::new());
    // The application decides nothing of it.
    for path in ["add", "remove"] {
        let stream = scene.house.world.transmitter.list_streams(&notes.receiver).await.unwrap();
        let stream = serde_json::to_value(&stream[0]).unwrap();
        let subject = json!({ "format": "email", "email": "joe@example.com" });
        let body = json!({ "stream_id": stream["stream_id"], "subject": subject });
        let answer = notes.caller.post(&format!("/ssf/subjects/{path}"), body).await;
        assert_eq!(
            answer.brief(),
            "403 whom the stream hears of is decided by people's consents alone"
        );
    }
}

#[tokio::test]
async fn who_hears_of_somebody_does_so_whatever_the_address() {
    let scene = Scene::new().await;
    scene.app_with_stream("notes").await;
    scene.change("notes", Grant).await;
    scene.got().await;
    for address in ["ada@example.org", "ada@example.net"] {
        scene.house.replace(scene.ada.id, with_email(address)).await.unwrap();
        scene.house.world.settle().await;
        let pushed = scene.house.world.http.take();
        assert_eq!(
            pushed.iter().map(kind).collect::<Vec<_>>(),
            ["prov:patch:notice", "token-claims-change"]
        );
        // By the names that stay, as SCIM and as tokens have them; and no address is told.
        let names: Vec<_> = pushed.iter().map(|pushed| pushed.claims()["sub_id"].clone()).collect();
        let scim = json!({ "format": "scim", "uri": format!("/Users/{}", scene.ada.id) });
        let token = json!({
            "format": "iss_sub", "iss": "https://tocsin.example", "sub": scene.ada.id,
        });
        assert_eq!(names, [scim, token]);
    }
    // It belongs to somebody else now.
    let joe = json!({ "userName": "joe", "emails": [{ "value": "ada@example.com" }] });
    scene.house.create(joe).await;
    assert_eq!(scene.got().await, BTreeMap::new());
}

#[tokio::test]
async fn a_stream_that_is_made_later_hears_of_all_who_consented_before() {
    let scene = Scene::new().await;
    let notes = scene.app("notes").await;
    let mut people = Vec::new();
    // More than one page.
    for number in 0..120 {
        let person = scene.house.person(&format!("person-{number}")).await;
        scene.commit(person.id, "notes", Grant).await;
        people.push(person.id);
    }
    for revoked in &people[..3] {
        scene.commit(*revoked, "notes", Revoke).await;
    }
    scene.commit(people[0], "notes", Restore).await;
    scene.sweep_later().await;
    scene.got().await;
    let stream = notes.stream("notes").await;
    // Between its making and its feeding somebody goes, and somebody comes.
    scene.commit(people[3], "notes", Revoke).await;
    scene.commit(people[1], "notes", Grant).await;
    scene.sweep_later().await;
    scene.sweep_later().await;
    assert_eq!(scene.rows("FEEDS".into()).await, 0, "all are fed");
    let mut told = scene.got_by("notes").await;
    told.sort_unstable();
    assert_eq!(told, ["feed:add", "feed:remove", "session-revoked"]);
    for id in &people {
        let cause = scene.cause();
        let change = |user: &mut User| {
            user.attributes.title = Some("Countess".to_owned());
            Ok(())
        };
        scene.house.directory.user_change(*id, None, &cause, change).await.unwrap();
    }
    scene.house.world.settle().await;
    let told = scene.house.world.http.take();
    let told: Vec<_> = told.iter().map(|pushed| pushed.claims()["sub_id"]["uri"].clone()).collect();
    let silent = [people[2], people[3]];
    let wanted: Vec<_> = people
        .iter()
        .filter(|id| !silent.contains(id))
        .map(|id| json!(format!("/Users/{id}")))
        .collect();
    assert_eq!(told.len(), wanted.len());
    assert!(wanted.iter().all(|id| told.contains(id)));

    // With the stream goes all that is known of them.
    assert_eq!(notes.caller.delete(&format!("/ssf/streams?stream_id={stream}")).await.status, 204);
    scene.sweep_later().await;
    scene.sweep_later().await;
    assert_eq!(scene.rows(format!("STREAM_SUBJECT#{stream}")).await, 0);
}

#[tokio::test]
async fn who_is_deleted_is_told_of_and_then_forgotten() {
    let scene = Scene::new().await;
    let (_, stream) = scene.app_with_stream("notes").await;
    scene.change("notes", Grant).await;
    scene.got().await;
    let delete = scene.house.delete(scene.ada.id);
    Function::Directory.runs(delete).await;
    let told = scene.got_by("notes").await;
    assert_eq!(told, ["session-revoked", "prov:delete", "account-purged"]);
    scene.house.world.clock.advance(Duration::from_hours(16 * 24));
    assert_eq!(scene.rows(format!("STREAM_SUBJECT#{stream}")).await, 0);
}

#[tokio::test]
async fn what_ends_at_an_application_it_hears_itself() {
    let scene = Scene::new().await;
    scene.apps_with_ada(["notes", "maps"]).await;
    // Whoever puts an event on the queue says which stream, and what it is about.
    let (notes, maps) = ("notes", "maps");
    let about = |application: &str| {
        json!({
            "format": "complex",
            "user": { "format": "iss_sub", "iss": "https://tocsin.example", "sub": scene.ada.id },
            "application": { "format": "opaque", "id": application },
        })
    };
    let transmitter = &scene.house.world.transmitter;
    let stream = transmitter.streams_of(&client(notes)).await.unwrap().remove(0).id;
    let stranger = json!({ "format": "email", "email": "joe@example.com" });
    for (subject, heard) in [(about(notes), true), (about(maps), false), (stranger, false)] {
        let events = json!({ tests::world::caep("session-revoked"): {} });
        let event = json!({ "sub_id": subject, "events": events, "stream_id": stream });
        scene.house.world.emit(&event).await;
        assert_eq!(!scene.got_by(notes).await.is_empty(), heard, "{event}");
    }
}
