//! The base semantics of the identity side, as one contract over its models.

mod directory;

use std::{cell::RefCell, collections::HashMap, fmt::Debug, time::Duration};

use serde_json::{Map, Value, json};
use ssf::{
    client::{Client, ClientId, NewClient, Secret, Token, TokenId},
    model::{Attribute, Filter, Type, matches, view},
    sign_in::{AuthorizationCode, Consent, Family, FamilyId, nothing},
    table::Key,
};

use crate::sign_in::{Scene, id, person};

/// A model, as the contract needs it.
trait Kept {
    /// What names one.
    type Id: Debug + Eq;
    /// What may be asked for.
    fn attributes(&self) -> &'static [Attribute];
    /// The attributes that are its id and the time of its creation.
    fn base(&self) -> [&'static str; 2];
    /// What is kept beside the attributes, and is for nobody to see.
    fn hidden(&self) -> &'static [&'static str];
    async fn make(&self) -> Self::Id;
    /// All that is kept of it.
    async fn get(&self, id: &Self::Id) -> Option<Value>;
    async fn change(&self, id: &Self::Id);
    /// Takes it away; quiet when it is not there.
    async fn delete(&self, id: &Self::Id);
}

async fn row(scene: &Scene, pk: String, sk: &str) -> Option<Value> {
    let item = scene.world.transmitter.parts().table.get(&Key::new(pk, sk)).await.unwrap();
    item.map(|item| item.read().unwrap())
}

struct Clients<'a>(&'a Scene);

impl Kept for Clients<'_> {
    type Id = ClientId;

    fn attributes(&self) -> &'static [Attribute] {
        &Client::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["client_id", "created"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["secret"]
    }

    async fn make(&self) -> ClientId {
        let mut wish = NewClient::new("Acme", vec!["acme".into()]);
        wish.information.contacts = vec!["ops@acme.example".into(), "help@acme.example".into()];
        wish.scim.full = true;
        self.0.world.transmitter.client_create(wish).await.unwrap().0.client_id
    }

    async fn get(&self, id: &ClientId) -> Option<Value> {
        row(self.0, format!("CLIENT#{id}"), "CLIENT").await
    }

    async fn change(&self, id: &ClientId) {
        self.0.world.transmitter.client_disable(id).await.unwrap();
    }

    async fn delete(&self, id: &ClientId) {
        match self.0.world.transmitter.client_delete(id).await {
            // An operator who names a client that is not there is told so, and nothing happens.
            Ok(()) | Err(ssf::Error::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The tokens that clients have for themselves.
struct ClientTokens<'a>(&'a Scene);

impl Kept for ClientTokens<'_> {
    type Id = TokenId;

    fn attributes(&self) -> &'static [Attribute] {
        &Token::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["token_id", "issue_date"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["secret"]
    }

    async fn make(&self) -> TokenId {
        let us = &self.0.world.transmitter;
        if us.client_show(&id("acme")).await.is_err() {
            self.0.world.register("acme", |_| {}).await;
        }
        us.static_token_create(&id("acme"), None).await.unwrap().0.token_id
    }

    async fn get(&self, id: &TokenId) -> Option<Value> {
        row(self.0, format!("TOKEN#{}", id.client()), &id.to_string()).await
    }

    async fn change(&self, id: &TokenId) {
        self.0.world.transmitter.token_revoke(&id.to_string()).await.unwrap();
    }

    async fn delete(&self, id: &TokenId) {
        Clients(self.0).delete(&id.client()).await;
    }
}

/// Authorization codes of jane's at notes, with their texts by their ids.
struct Codes<'a>(&'a Scene, RefCell<HashMap<String, Secret>>);

impl Kept for Codes<'_> {
    type Id = String;

    fn attributes(&self) -> &'static [Attribute] {
        &AuthorizationCode::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["authorization_code_id", "issue_date"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["code"]
    }

    async fn make(&self) -> String {
        let code = self.0.code("jane", "notes").await.unwrap();
        let id = code.expose().split('.').nth(1).unwrap().to_owned();
        self.1.borrow_mut().insert(id.clone(), code);
        id
    }

    async fn get(&self, id: &String) -> Option<Value> {
        row(self.0, format!("FAMILY#{id}"), "CODE").await
    }

    async fn change(&self, id: &String) {
        let code = self.1.borrow()[id].clone();
        self.0.exchange("notes", &code).await.unwrap();
    }

    async fn delete(&self, _: &String) {
        forget_notes(self.0).await;
    }
}

/// Takes away all that people let notes have, but that jane may let it have more.
async fn forget_notes(scene: &Scene) {
    while scene.sign_in.client_forget(&id("notes")).await.unwrap() {}
    scene.consent("jane", "notes").await;
}

/// The tokens that people have at applications.
struct PersonTokens<'a>(&'a Scene);

impl Kept for PersonTokens<'_> {
    type Id = FamilyId;

    fn attributes(&self) -> &'static [Attribute] {
        &Family::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["family_id", "issue_date"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["access", "refresh"]
    }

    async fn make(&self) -> FamilyId {
        self.0.tokens("jane", "notes").await.family.family_id
    }

    async fn get(&self, id: &FamilyId) -> Option<Value> {
        row(self.0, format!("FAMILY#{id}"), "FAMILY").await
    }

    async fn change(&self, id: &FamilyId) {
        self.0.sign_in.family_end(*id, &nothing).await.unwrap();
    }

    async fn delete(&self, _: &FamilyId) {
        forget_notes(self.0).await;
    }
}

/// Consents of jane's, each to a client of its own.
struct Consents<'a>(&'a Scene);

impl Kept for Consents<'_> {
    type Id = ClientId;

    fn attributes(&self) -> &'static [Attribute] {
        &Consent::ATTRIBUTES
    }

    fn base(&self) -> [&'static str; 2] {
        ["consent_id", "created"]
    }

    fn hidden(&self) -> &'static [&'static str] {
        &[]
    }

    async fn make(&self) -> ClientId {
        let name = self.0.world.transmitter.parts().ids.fresh().simple().to_string();
        self.0.consent("jane", &name).await;
        id(&name)
    }

    async fn get(&self, id: &ClientId) -> Option<Value> {
        row(self.0, "CONSENT#jane".into(), &id.0).await
    }

    async fn change(&self, id: &ClientId) {
        self.0.sign_in.consent_revoke(&person("jane"), id, &nothing).await.unwrap();
    }

    async fn delete(&self, id: &ClientId) {
        while self.0.sign_in.client_forget(id).await.unwrap() {}
    }
}

/// Holds a model to all that every model does.
async fn contract(scene: &Scene, model: impl Kept) {
    let [id, created] = model.base();
    let seen = |row: &Value| view(model.attributes(), row);

    // An id is given once; both times are equal at first.
    let (first, second) = (model.make().await, model.make().await);
    let (one, other) = (model.get(&first).await.unwrap(), model.get(&second).await.unwrap());
    assert_ne!(one[id], other[id]);
    assert!(one[id].is_string() && one[created] == one["last_modified"], "{one}");

    // All that is kept is an attribute of its type, or hidden.
    for (name, value) in one.as_object().unwrap() {
        let attribute = model.attributes().iter().find(|attribute| attribute.name == name);
        match (attribute, value) {
            (Some(attribute), Value::Array(values)) => {
                assert!(
                    attribute.is_list && values.iter().all(|value| attribute.takes(value)),
                    "{name}"
                );
            }
            (Some(attribute), value) => {
                assert!(!attribute.is_list && attribute.takes(value), "{name}");
            }
            (None, _) => assert!(model.hidden().contains(&name.as_str()), "{name}"),
        }
    }
    for hidden in model.hidden() {
        assert!(!seen(&one).contains_key(*hidden), "{hidden}");
    }
    choose(model.attributes(), &seen(&one), &seen(&other), id);

    // A change moves one time and not the other, nor the id; another one is untouched.
    scene.world.clock.advance(Duration::from_secs(1));
    model.change(&first).await;
    let changed = model.get(&first).await.unwrap();
    assert_eq!((&changed[id], &changed[created]), (&one[id], &one[created]));
    assert!(changed["last_modified"].as_str() > one["last_modified"].as_str(), "{changed}");
    assert_eq!(model.get(&second).await.unwrap(), other);

    // Deleting twice is quiet, and what is made later is another one.
    for _ in 0..2 {
        model.delete(&first).await;
        assert_eq!(model.get(&first).await, None);
    }
    let later = model.make().await;
    let later = model.get(&later).await.unwrap();
    assert!(later[id] != one[id] && later[id] != other[id]);
}

/// Queries: attributes are joined by AND, values by OR, and lists match by what is in them.
fn choose(
    attributes: &[Attribute],
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    id: &str,
) {
    let wants = |filter: Option<&Filter<'_>>| {
        [one, other].map(|view| matches(attributes, view, filter).unwrap())
    };
    let (my, theirs) = (one[id].clone(), other[id].clone());
    assert_eq!(wants(None), [true, true]);
    assert_eq!(wants(Some(&[])), [true, true]);
    assert_eq!(wants(Some(&[(id, None)])), [true, true]);
    assert_eq!(wants(Some(&[(id, Some(vec![]))])), [false, false]);
    assert_eq!(wants(Some(&[(id, Some(vec![my.clone()]))])), [true, false]);
    assert_eq!(wants(Some(&[(id, Some(vec![my.clone(), theirs]))])), [true, true]);
    for attribute in attributes.iter().filter(|attribute| attribute.r#type != Type::Object) {
        let Some(value) = one.get(attribute.name) else { continue };
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let named = Some(vec![value]);
            let both: [(&str, _); 2] =
                [(attribute.name, named.clone()), (id, Some(vec![my.clone()]))];
            assert_eq!(wants(Some(&both)), [true, false], "{}", attribute.name);
        }
        let odd = [(attribute.name, Some(vec![json!({})]))];
        assert!(matches(attributes, one, Some(&odd)).is_err(), "{}", attribute.name);
    }
    assert!(matches(attributes, one, Some(&[("no such", None)])).is_err());
}

#[tokio::test]
async fn clients_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, Clients(&scene)).await;
}

#[tokio::test]
async fn tokens_of_clients_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, ClientTokens(&scene)).await;
}

#[tokio::test]
async fn authorization_codes_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, Codes(&scene, RefCell::default())).await;
}

#[tokio::test]
async fn tokens_of_people_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, PersonTokens(&scene)).await;
}

#[tokio::test]
async fn consents_keep_the_contract() {
    let scene = Scene::new().await;
    contract(&scene, Consents(&scene)).await;
}
