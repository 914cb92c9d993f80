//! Many at the same time, on several threads and in two processes.

use std::sync::Arc;

use serde_json::json;
use ssf::{
    Error, Transmitter,
    client::{ClientId, RedirectUri, ResponseType, Scope},
    directory::{Actor, Directory, Given, MemberRequest, MemberStep, ResourceId, User},
    embedded::Database,
    scim::ErrorKind,
    sign_in::{CodeWish, Exchange, Refusal, SignIn, SignedIn, SubjectId, nothing},
    table::{Query, Table},
};
use tests::World;
use tokio::task::JoinSet;

use super::map;

/// A person of this name, made by one of several.
async fn create(t: Transmitter, name: &'static str) -> Result<ResourceId, Error> {
    let directory = Directory::of(&t);
    let cause = directory.cause(Actor::Operator);
    let attributes = map(&json!({ "userName": name }));
    let make = |user: &mut User| user.take(attributes.clone(), Given::Whole, None, cause.at);
    directory.user_create(&cause, make).await.map(|user| user.id)
}

async fn change_members(t: Transmitter, group: ResourceId, step: MemberStep) -> Result<(), Error> {
    let directory = Directory::of(&t);
    let cause = directory.cause(Actor::Operator);
    let request = MemberRequest { steps: vec![step], ..MemberRequest::default() };
    directory.group_change(group, None, &cause, &request, |_| Ok(())).await.map(drop)
}

/// Two processes that have one file open: they share no thread, and no memory.
fn two_processes(folder: &std::path::Path) -> (World, [Transmitter; 2]) {
    let world = World::on_disk(folder);
    let other = Database::open(folder, world.clock.clone()).unwrap();
    let mut parts = world.transmitter.parts().clone();
    parts.table = Arc::new(other.table()) as Arc<dyn Table>;
    let processes = [world.transmitter.clone(), Transmitter::new(parts)];
    (world, processes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_processes_that_give_one_name_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let (_world, processes) = two_processes(folder.path());
    for name in ["ada", "straße", "éva", "bob", "carol"] {
        let mut all = JoinSet::new();
        for number in 0..8 {
            all.spawn(create(processes[number % 2].clone(), name));
        }
        let results = all.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{name}");
        for refused in results.into_iter().filter_map(Result::err) {
            let Error::Scim(error) = refused else { panic!("{refused:?}") };
            assert_eq!(error.kind, ErrorKind::Uniqueness);
        }
    }
    let kind = ssf::scim::ResourceType::User;
    assert_eq!(Directory::of(&processes[0]).how_many(kind).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_change_of_a_group_is_lost_among_many_threads_of_two_processes() {
    const EACH: usize = 4;
    const WRITERS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let (_world, processes) = two_processes(folder.path());
    let directory = Directory::of(&processes[0]);
    let mut people = Vec::new();
    for number in 0..EACH * WRITERS {
        let name: &'static str = Box::leak(format!("user{number}").into_boxed_str());
        people.push(create(processes[0].clone(), name).await.unwrap());
    }
    let cause = directory.cause(Actor::Operator);
    let resource = map(&json!({ "displayName": "Staff" }));
    let make = |group: &mut ssf::directory::Group| group.take(resource.clone(), Given::Whole, None);
    let group = directory.group_create(&cause, &MemberRequest::default(), make).await.unwrap().id;
    let mut all = JoinSet::new();
    for (number, part) in people.chunks(EACH).enumerate() {
        let (process, part) = (processes[number % 2].clone(), part.to_vec());
        all.spawn(async move {
            for id in &part {
                retried(&process, group, || MemberStep::Add(vec![id.to_string()])).await;
            }
            // And one goes again.
            retried(&process, group, || MemberStep::Remove(vec![part[0].to_string()])).await;
        });
    }
    all.join_all().await;
    let now = directory.group(group).await.unwrap();
    let mut members = directory.members_of(&now, 1_000).await.unwrap();
    members.sort_unstable();
    let mut expected: Vec<_> =
        people.chunks(EACH).flat_map(|part| part[1..].iter().copied()).collect();
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert_eq!(now.member_count, members.len() as u64);
    assert_eq!(now.revision, (1 + WRITERS * (EACH + 1)) as u64, "each change is one");
}

/// Who is refused because too many are in the way asks again, as clients do.
async fn retried(t: &Transmitter, group: ResourceId, step: impl Fn() -> MemberStep) {
    loop {
        match change_members(t.clone(), group, step()).await {
            Ok(()) => return,
            Err(Error::Table(ssf::table::TableError::Conflict)) => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

const CALLBACK: &str = "https://notes.example/cb";
const GRANTED: [Scope; 1] = [Scope::OpenId];

fn sign_in(t: &Transmitter) -> SignIn {
    Directory::of(t).sign_in()
}

/// Signs a person in; the access token.
async fn token(t: &Transmitter, subject: &SubjectId) -> Result<String, Refusal> {
    let client = ClientId("notes".to_owned());
    let wish = CodeWish {
        client: client.clone(),
        subject: subject.clone(),
        redirect_uri: CALLBACK.to_owned(),
        response_type: ResponseType::Code,
        scope: GRANTED.to_vec(),
        nonce: None,
        challenge: None,
        signed_in: SignedIn::default(),
    };
    let code = sign_in(t).code_issue(wish).await?;
    let exchange = Exchange { redirect_uri: Some(CALLBACK), verifier: None };
    let tokens = sign_in(t).code_exchange(&client, code.expose(), exchange, &nothing).await?;
    Ok(tokens.access_token.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_signs_in_while_being_deleted_has_nothing_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let (world, processes) = two_processes(folder.path());
    let register = |wish: &mut ssf::client::NewClient| {
        wish.audience = vec![];
        wish.scope = GRANTED.to_vec();
        wish.application.redirect_uris = vec![RedirectUri::parse(CALLBACK).unwrap()];
    };
    world.register("notes", register).await;
    let mut issued = 0;
    for name in ["ada", "bob", "carol", "dan", "eve"] {
        let id = create(processes[0].clone(), name).await.unwrap();
        let subject = SubjectId::from(id);
        let client = ClientId("notes".to_owned());
        sign_in(&processes[0]).consent_grant(&subject, &client, &GRANTED, &nothing).await.unwrap();
        let mut all = JoinSet::new();
        for process in [&processes[0], &processes[1], &processes[1]] {
            let (process, subject) = (process.clone(), subject.clone());
            all.spawn(async move {
                let mut tokens = Vec::new();
                // Until the person is gone.
                while let Ok(token) = token(&process, &subject).await {
                    tokens.push(token);
                }
                tokens
            });
        }
        let first = token(&processes[1], &subject).await.unwrap();
        let directory = Directory::of(&processes[0]);
        directory.user_delete(id, None, &directory.cause(Actor::Operator)).await.unwrap();
        let mut tokens = all.join_all().await.concat();
        tokens.push(first);
        issued += tokens.len();
        for token in tokens {
            let used = sign_in(&processes[1]).person_token(&token).await;
            assert!(used.is_err(), "a token of somebody who is gone works");
        }
        // And the name is free for somebody else, who has nothing of it.
        let next = create(processes[1].clone(), name).await.unwrap();
        let partition = format!("CONSENT#{next}");
        let left = processes[0].parts().table.query(Query::sorted(partition, "")).await.unwrap();
        assert_eq!(left.items, []);
    }
    assert!(issued >= 5);
}
