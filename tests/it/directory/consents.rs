//! Consent decides who hears of a person.

mod fed;
mod withdrawn;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use ssf::{
    client::{ClientSubjects, Receiver, Scope},
    directory::{Actor, Cause, ResourceId, User},
    event::EventType,
    sign_in::{SignIn, SubjectId},
    table::Query,
};
use tests::{
    Caller, Function,
    world::{Pushed, push_stream},
};

use super::{House, client};

/// A directory, and applications whose streams follow consents.
struct Scene {
    house: House,
    sign_in: SignIn,
    ada: User,
}

/// An application, by its name.
struct App {
    caller: Caller,
    receiver: Receiver,
}

impl Scene {
    async fn new() -> Self {
        let house = House::new();
        let sign_in = house.directory.sign_in();
        let ada = house.create(with_email("ada@example.com")).await;
        house.told().await;
        Self { house, sign_in, ada }
    }

    /// Registers an application, which has no stream yet.
    async fn app(&self, name: &str) -> App {
        let world = &self.house.world;
        let wish = |wish: &mut ssf::client::NewClient| {
            wish.default_subjects = Some(ClientSubjects::Consent);
        };
        let secret = world.register(name, wish).await;
        let caller = world.caller(world.token(name, &secret, "ssf.manage").await);
        let receiver = world.transmitter.authenticate(&caller.token).await.unwrap();
        App { caller, receiver }
    }

    /// The same, with a push stream of all types.
    async fn app_with_stream(&self, name: &str) -> (App, String) {
        let app = self.app(name).await;
        let stream = app.stream(name).await;
        (app, stream)
    }

    /// The same of several, to all of which ada gives her consent.
    async fn apps_with_ada(&self, names: [&str; 2]) {
        for name in names {
            self.app_with_stream(name).await;
        }
        for name in names {
            self.change(name, Change::Grant).await;
        }
        self.got().await;
    }

    fn cause(&self) -> Cause {
        self.house.directory.cause(Actor::Person)
    }

    async fn commit(&self, id: ResourceId, name: &str, change: Change) {
        let (subject, client, cause) = (SubjectId::from(id), client(name), self.cause());
        let also = self.house.directory.also(&cause);
        let done = match change {
            Change::Grant => {
                self.sign_in.consent_grant(&subject, &client, &[Scope::OpenId], &also).await
            }
            Change::Revoke => self.sign_in.consent_revoke(&subject, &client, &also).await,
            Change::Restore => self.sign_in.consent_restore(&subject, &client, &also).await,
        };
        done.unwrap();
    }

    /// The same, and what follows from it is handed over, with the rights of the function that does so.
    async fn change(&self, name: &str, change: Change) {
        self.commit(self.ada.id, name, change).await;
        self.hand_over().await;
    }

    async fn hand_over(&self) {
        let subject = SubjectId::from(self.ada.id);
        Function::Directory.runs(self.house.directory.hand_over_of(&subject)).await;
    }

    /// A change of ada that all are told of who hear of her.
    async fn note(&self, title: &str) {
        let mut ada = with_email("ada@example.com");
        ada["title"] = json!(title);
        self.house.replace(self.ada.id, ada).await.unwrap();
    }

    /// What each application got since the last call.
    async fn got(&self) -> BTreeMap<String, Vec<String>> {
        self.house.world.settle().await;
        assert_eq!(self.house.world.dead_letters().await, [""; 0]);
        let mut got = BTreeMap::<_, Vec<_>>::new();
        for pushed in self.house.world.http.take() {
            let host = pushed.endpoint.host_str().unwrap().trim_end_matches(".example");
            got.entry(host.to_owned()).or_default().push(kind(&pushed));
        }
        got
    }

    /// The same of one that is the only one to get something.
    async fn got_by(&self, name: &str) -> Vec<String> {
        let mut got = self.got().await;
        let mine = got.remove(name).unwrap_or_default();
        assert_eq!(got, BTreeMap::new());
        mine
    }

    /// Lets what was left alone be found.
    async fn sweep_later(&self) {
        self.house.world.clock.advance(Duration::from_secs(36));
        self.house.world.sweep().await;
    }

    async fn rows(&self, pk: String) -> usize {
        let table = &self.house.world.transmitter.parts().table;
        table.query(Query::sorted(pk, "")).await.unwrap().items.len()
    }
}

impl App {
    async fn stream(&self, name: &str) -> String {
        let mut body = push_stream(name, &[]);
        body["events_requested"] = json!(EventType::supported());
        self.caller.post("/ssf/streams", body).await.stream_id()
    }
}

#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
    Restore,
}

fn with_email(address: &str) -> Value {
    json!({ "userName": "ada", "emails": [{ "value": address, "primary": true }] })
}

/// The type of a SET.
fn kind(pushed: &Pushed) -> String {
    let claims = pushed.claims();
    let uri = claims["events"].as_object().unwrap().keys().next().unwrap().clone();
    EventType::new(uri).short_name().to_owned()
}

/// What follows from [`Scene::note`].
const NOTED: [&str; 1] = ["prov:patch:notice"];
/// What is told last.
const GONE: [&str; 2] = ["session-revoked", "feed:remove"];
