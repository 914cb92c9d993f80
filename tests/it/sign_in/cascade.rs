//! What is left of a person or a client that is gone: nothing.

use ssf::sign_in::nothing;

use super::{Scene, id, person};

const OF_JANE: [&str; 2] = ["PERSON_FAMILY#jane", "CONSENT#jane"];
const OF_NOTES: [&str; 2] = ["CLIENT_FAMILY#notes", "CLIENT_CONSENT#notes"];

/// A scene in which jane has more at notes than is removed in one part, and a little at maps; john
/// has a little at notes.
async fn crowded() -> Scene {
    let scene = Scene::new().await;
    for _ in 0..60 {
        scene.code("jane", "notes").await.unwrap();
    }
    scene.consent("john", "notes").await;
    for (name, client) in [("jane", "notes"), ("jane", "maps"), ("john", "notes")] {
        scene.tokens(name, client).await;
    }
    scene
}

#[tokio::test]
async fn what_a_person_had_is_dead_at_once_and_removed_in_parts() {
    let scene = crowded().await;
    let (of_jane, of_john) =
        (scene.tokens("jane", "maps").await, scene.tokens("john", "notes").await);
    scene.remove("jane").await;
    assert!(!scene.is_good(&of_jane).await, "nothing is removed yet");
    let mut parts = 1;
    while scene.sign_in.person_forget(&person("jane")).await.unwrap() {
        parts += 1;
    }
    assert!(parts > 2, "each part is bounded");
    assert_eq!(scene.rows(&OF_JANE).await, 0);
    let families = ["CLIENT_FAMILY#notes", "CLIENT_FAMILY#maps"];
    assert_eq!(scene.rows(&families).await, 2, "those of john");
    assert!(scene.is_good(&of_john).await);
    // Doing it again is quiet.
    assert!(!scene.sign_in.person_forget(&person("jane")).await.unwrap());
}

#[tokio::test]
async fn a_deleted_client_takes_along_what_people_let_it_have() {
    let scene = crowded().await;
    let us = &scene.world.transmitter;
    let (at_notes, at_maps) =
        (scene.tokens("jane", "notes").await, scene.tokens("jane", "maps").await);
    us.client_delete(&id("notes")).await.unwrap();
    assert_eq!(scene.rows(&OF_NOTES).await, 0);
    assert_eq!(scene.rows(&["CONSENT#jane", "CONSENT#john"]).await, 1, "jane's to maps");
    assert_eq!(scene.rows(&["PERSON_FAMILY#john"]).await, 0);
    assert!(scene.is_good(&at_maps).await);
    let family = at_notes.family.family_id;
    assert_eq!(scene.rows(&[&format!("FAMILY#{family}")]).await, 0);
}

#[tokio::test]
async fn another_client_of_the_same_name_has_nothing_of_the_old_one() {
    let scene = Scene::new().await;
    let tokens = scene.tokens("jane", "notes").await;
    let table = &scene.world.transmitter.parts().table;
    let key = ssf::table::Key::new(format!("FAMILY#{}", tokens.family.family_id), "FAMILY");
    let left = table.get(&key).await.unwrap().unwrap();
    scene.world.transmitter.client_delete(&id("notes")).await.unwrap();
    scene.world.clock.advance(std::time::Duration::from_secs(1));
    scene.register("notes", |_| {}).await;
    scene.consent("jane", "notes").await;
    // Even if a row was left behind, by a process that was slow.
    let content = ssf::table::Content { body: left.body, ..Default::default() };
    let put = ssf::table::Write::put(key, ssf::table::Condition::Absent, content);
    table.write_one(put).await.unwrap();
    assert!(!scene.is_good(&tokens).await);
    let refresh = tokens.refresh_token.unwrap();
    let refused = scene.sign_in.refresh(&id("notes"), refresh.expose(), None, &nothing).await;
    assert_eq!(refused.unwrap_err().to_string(), "the client is gone");
}
