//! Calls of a plan, made out against what is there.

use std::sync::LazyLock;

use futures_util::FutureExt;
use serde_json::json;
use ssf::{
    Error, Transmitter,
    client::ResponseType,
    client::{ClientId, Scope, Secret},
    delivery::{Door, PollRequest},
    directory::{
        Actor, Cause, Directory, Given, MemberRequest, MemberStep, PasswordHash, ResourceId, User,
    },
    set::Jti,
    sign_in::{
        Challenge, CodeWish, Exchange, Refusal, SignIn, SignedIn, SubjectId, Tokens, nothing,
    },
};
use tests::Function;

use super::{
    super::{
        calls::{ingest, push},
        house::{Entry, House, Running, note, receiver},
    },
    model::{Deed, later},
    plan::{Call, Change},
    run::{POLLER, Run},
};

/// The answer to a call.
#[derive(Debug)]
pub(super) enum Answer {
    Made(ResourceId),
    /// How many messages were taken.
    Taken(usize),
    Tokens(Box<Tokens>),
    /// Codes and tokens have reasons of their own to be refused.
    NoTokens,
    Nothing,
}

/// A call under way.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) call: Call,
    /// Whom it is about, and what it does.
    pub(super) deed: Option<(usize, Deed)>,
    /// Who signs in, or which token is renewed: as they were counted when it began.
    pub(super) number: Option<usize>,
    /// What its events are known by.
    pub(super) txn: String,
}

pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(super) const CALLBACK: &str = "https://app.example/cb";
pub(super) const SCOPES: [Scope; 2] = [Scope::OpenId, Scope::Email];

/// Two passwords, hashed once.
pub(super) static PASSWORDS: LazyLock<[PasswordHash; 2]> = LazyLock::new(|| {
    ["correct horse", "battery staple"]
        .map(|text| PasswordHash::of(&Secret::new(text)).expect("it can be hashed"))
});

pub(super) fn client(number: usize) -> ClientId {
    ClientId(format!("app-{number}"))
}

/// What `call` wishes, and the call itself, in the process with this number. `None`: it is about
/// somebody, and there was never anybody.
pub(super) fn begin(run: &Run, process: usize, call: Call) -> Option<(Wish, Running<Answer>)> {
    let house = run.house();
    let t = house.process(process).clone();
    let directory = Directory::of(&t);
    let cause = directory.cause(Actor::Operator);
    let number = |person: usize| run.person(person);
    let deed = match call {
        Call::Change { person, change } => Some((number(person)?, Deed::Change(change))),
        Call::Delete { person } => Some((number(person)?, Deed::Delete)),
        Call::Join { person, group } => Some((number(person)?, Deed::Join(group))),
        Call::Leave { person, group } => Some((number(person)?, Deed::Leave(group))),
        Call::Grant { person, client } => Some((number(person)?, Deed::Grant(client))),
        Call::Revoke { person, client } => Some((number(person)?, Deed::Revoke(client))),
        _ => None,
    };
    // What nobody lets applications have is nobody's affair.
    let gone = deed.is_some_and(|(person, _)| run.people()[person].state.is_none());
    if gone && matches!(call, Call::Grant { .. } | Call::Revoke { .. }) {
        return None;
    }
    let signs_in = match call {
        Call::SignIn { person, .. } => run.person(person),
        Call::Refresh { token } => run.tokens.len().checked_sub(1 + token),
        _ => None,
    };
    let wish = Wish { call, deed, number: signs_in, txn: cause.txn.clone() };
    let id = deed.map(|(person, _)| run.people()[person].id);
    let running = match call {
        Call::Create { name } => {
            in_directory(async move { create(&directory, &cause, name).await })
        }
        Call::Change { change, .. } => {
            let id = id?;
            in_directory(async move {
                let now = cause.at;
                let change = |user: &mut User| {
                    apply(user, change, now);
                    Ok(())
                };
                directory.user_change(id, None, &cause, change).await.map(|_| Answer::Nothing)
            })
        }
        Call::Delete { .. } => {
            let id = id?;
            in_directory(async move {
                directory.user_delete(id, None, &cause).await.map(|()| Answer::Nothing)
            })
        }
        Call::Join { group, .. } => {
            let (group, step) = (run.group(group), MemberStep::Add(vec![id?.to_string()]));
            in_directory(async move { members(&directory, &cause, group, step).await })
        }
        Call::Leave { group, .. } => {
            let (group, step) = (run.group(group), MemberStep::Remove(vec![id?.to_string()]));
            in_directory(async move { members(&directory, &cause, group, step).await })
        }
        Call::Grant { client: number, .. } => {
            let about = (SubjectId::from(id?), client(number));
            async move { consent(&t, &cause, about, true).await }.boxed_local()
        }
        Call::Revoke { client: number, .. } => {
            let about = (SubjectId::from(id?), client(number));
            async move { consent(&t, &cause, about, false).await }.boxed_local()
        }
        Call::SignIn { person, client: number } => {
            let subject = SubjectId::from(run.people()[run.person(person)?].id);
            async move { tokens(signed_in(&sign_in(&t), &subject, &client(number)).await) }
                .boxed_local()
        }
        Call::Refresh { token } => {
            let token = run.token(token)?;
            let (number, refresh) = (client(token.client), token.refresh.clone());
            async move { tokens(sign_in(&t).refresh(&number, &refresh, None, &nothing).await) }
                .boxed_local()
        }
        Call::Client { client: number, disabled } => async move {
            let id = client(number);
            let done =
                if disabled { t.client_disable(&id).await } else { t.client_enable(&id).await };
            done.map(|_| Answer::Nothing)
        }
        .boxed_local(),
        Call::Ingest => {
            let work =
                ingest(t, house.journal.clone(), Door::Fifo).map(|taken| taken.map(Answer::Taken));
            Function::Ingest.runs(work).boxed_local()
        }
        Call::Push => {
            Function::Push.runs(push(t).map(|taken| taken.map(Answer::Taken))).boxed_local()
        }
        Call::Poll => poll(run, house, t, process),
        Call::Sweep => Function::Sweep
            .runs(async move { sweep::handle(&t).await.map(|_| Answer::Nothing) })
            .boxed_local(),
    };
    Some((wish, running))
}

fn in_directory(work: impl Future<Output = Result<Answer, Error>> + 'static) -> Running<Answer> {
    Function::Directory.runs(work).boxed_local()
}

pub(super) fn sign_in(t: &Transmitter) -> SignIn {
    Directory::of(t).sign_in()
}

/// What a person is called, and where the mail goes.
pub(super) fn email(name: usize) -> String {
    format!("{}@example.com", ["ann", "ben", "cat", "dan"][name])
}

async fn create(directory: &Directory, cause: &Cause, name: usize) -> Result<Answer, Error> {
    let email = email(name);
    let resource = json!({ "userName": email, "emails": [{ "value": email, "primary": true }] });
    let resource = resource.as_object().expect("it is an object").clone();
    let make = |user: &mut User| user.take(resource.clone(), Given::Whole, None, cause.at);
    directory.user_create(cause, make).await.map(|user| Answer::Made(user.id))
}

fn apply(user: &mut User, change: Change, now: jiff::Timestamp) {
    match change {
        Change::Title(title) => user.attributes.title = Some(title.to_string()),
        Change::Lock if !user.is_locked(now) => user.lock_date = Some(now),
        Change::Lock => {}
        Change::LockIn(minutes) => user.lock_date = Some(later(now, minutes)),
        Change::Unlock => user.lock_date = None,
        Change::Password(which) => user.set_password(Some(PASSWORDS[which].clone())),
    }
}

async fn members(
    directory: &Directory,
    cause: &Cause,
    group: ResourceId,
    step: MemberStep,
) -> Result<Answer, Error> {
    let request = MemberRequest { steps: vec![step], ..MemberRequest::default() };
    let changed = directory.group_change(group, None, cause, &request, |_| Ok(()));
    changed.await.map(|_| Answer::Nothing)
}

async fn consent(
    t: &Transmitter,
    cause: &Cause,
    (subject, client): (SubjectId, ClientId),
    holds: bool,
) -> Result<Answer, Error> {
    let directory = Directory::of(t);
    let also = directory.also(cause);
    if holds {
        sign_in(t).consent_grant(&subject, &client, &SCOPES, &also).await?;
    } else {
        sign_in(t).consent_revoke(&subject, &client, &also).await?;
    }
    directory.hand_over_of(&subject).await;
    Ok(Answer::Nothing)
}

async fn signed_in(
    sign_in: &SignIn,
    subject: &SubjectId,
    client: &ClientId,
) -> Result<Tokens, Refusal> {
    let wish = CodeWish {
        client: client.clone(),
        subject: subject.clone(),
        redirect_uri: CALLBACK.to_owned(),
        response_type: ResponseType::Code,
        scope: SCOPES.to_vec(),
        nonce: None,
        challenge: Challenge::parse(CHALLENGE, Some("S256")).ok(),
        signed_in: SignedIn::default(),
    };
    let code = sign_in.code_issue(wish).await?;
    let exchange = Exchange { redirect_uri: Some(CALLBACK), verifier: Some(VERIFIER) };
    sign_in.code_exchange(client, code.expose(), exchange, &nothing).await
}

fn tokens(result: Result<Tokens, Refusal>) -> Result<Answer, Error> {
    match result {
        Ok(tokens) => Ok(Answer::Tokens(Box::new(tokens))),
        Err(Refusal::Other(error)) => Err(error),
        Err(_) => Ok(Answer::NoTokens),
    }
}

/// Asks for what is there, and acknowledges what was given before.
fn poll(run: &Run, house: &House, t: Transmitter, process: usize) -> Running<Answer> {
    let (id, journal) = (run.stream(POLLER), house.journal.clone());
    let request = PollRequest {
        max_events: Some(5),
        return_immediately: true,
        ack: run.given().iter().map(Jti::new).collect(),
        set_errs: [].into(),
    };
    let work = async move {
        let response = t.poll(&receiver(POLLER), &id, request).await?;
        let sets = response.sets.keys().cloned().zip(response.sets.values());
        let sets = sets.map(|(jti, set)| (jti, set.as_str().to_owned())).collect();
        note(&journal, Entry::Polled { process, stream: POLLER, sets });
        Ok(Answer::Nothing)
    };
    Function::Poll.runs(work).boxed_local()
}
