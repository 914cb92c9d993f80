//! Calls of a plan, made out against what is there, and what each wishes to change.

use futures_util::FutureExt;
use serde_json::json;
use ssf::{
    Error, Transmitter,
    delivery::{Door, PollRequest},
    operator::EventFilter,
    queue::{Queue, Received},
    set::{Jti, SetError},
    stream::{CreateStream, Missing, Status},
};
use tests::{Function, world::VISIBILITY};

use super::{
    house::{Entry, House, Journal, Running, endpoint, note, receiver},
    model::{Model, kinds, subject},
    plan::{Call, RECEIVERS},
};

/// What a call wishes.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Add { stream: usize, subject: usize },
    Create { receiver: usize, endpoint: Option<usize>, types: u8 },
    Delete { stream: usize },
    Deliver { stream: usize, endpoint: Option<usize> },
    Ingest,
    Poll { stream: usize, ack: Vec<String>, set_errs: Vec<String>, of_us: bool },
    Push,
    Read { stream: usize },
    Retry,
    Remove { stream: usize, subject: usize },
    Rotate { at_once: bool },
    SetStatus { stream: usize, status: Status, ours: Option<String> },
    Sweep,
    Verify { stream: usize, state: String },
    Want { stream: usize, types: u8 },
}

impl Wish {
    /// The stream whose receiver wishes it, on that stream.
    pub(super) fn by_receiver_of(&self) -> Option<usize> {
        match self {
            Self::Add { stream, .. }
            | Self::Deliver { stream, .. }
            | Self::Poll { stream, .. }
            | Self::Read { stream }
            | Self::Remove { stream, .. }
            | Self::SetStatus { stream, ours: None, .. }
            | Self::Verify { stream, .. }
            | Self::Want { stream, .. } => Some(*stream),
            Self::Create { .. }
            | Self::Delete { .. }
            | Self::Ingest
            | Self::Push
            | Self::Retry
            | Self::Rotate { .. }
            | Self::SetStatus { ours: Some(_), .. }
            | Self::Sweep => None,
        }
    }
}

/// How many messages a call took; 0 for those that take none.
pub(super) type Taken = usize;

/// What `call` wishes, and the call itself, in the process with this number. `None`: it is about a
/// stream, and there is none.
pub(super) fn begin(
    house: &House,
    model: &mut Model,
    process: usize,
    call: Call,
) -> Option<(Wish, Running<Taken>)> {
    let (wish, running) = wished(house, model, process, call)?;
    let running = match function(call) {
        Some(function) => function.runs(running).boxed_local(),
        None => running,
    };
    Some((wish, running))
}

/// Where the call is made; `None`: by an operator.
fn function(call: Call) -> Option<Function> {
    match call {
        Call::Ingest(_) => Some(Function::Ingest),
        Call::Push => Some(Function::Push),
        Call::Sweep => Some(Function::Sweep),
        Call::Poll { .. } => Some(Function::Poll),
        Call::Retry | Call::Rotate { .. } | Call::SetStatus { ours: true, .. } => None,
        Call::Add { .. }
        | Call::Create { .. }
        | Call::Delete { .. }
        | Call::Deliver { .. }
        | Call::Read { .. }
        | Call::Remove { .. }
        | Call::SetStatus { ours: false, .. }
        | Call::Verify { .. }
        | Call::Want { .. } => Some(Function::Streams),
    }
}

fn wished(
    house: &House,
    model: &mut Model,
    process: usize,
    call: Call,
) -> Option<(Wish, Running<Taken>)> {
    let t = house.process(process).clone();
    let journal = house.journal.clone();
    Some(match call {
        Call::Ingest(door) => (Wish::Ingest, ingest(t, journal, door).boxed_local()),
        Call::Push => (Wish::Push, push(t).boxed_local()),
        Call::Sweep => {
            (Wish::Sweep, async move { sweep::handle(&t).await.map(|_| 0) }.boxed_local())
        }
        Call::Retry => (
            Wish::Retry,
            async move { t.event_retry_all(&EventFilter::default()).await.map(|_| 0) }
                .boxed_local(),
        ),
        Call::Rotate { at_once } => (
            Wish::Rotate { at_once },
            async move { t.keys().rotate(at_once).await.map(|_| 0) }.boxed_local(),
        ),
        Call::Create { receiver: owner, push, types } => {
            let endpoint = push.then(|| model.new_endpoint(None));
            let mut body = json!({"events_requested": kinds(types)});
            if let Some(number) = endpoint {
                body["delivery"] = delivery(owner, number);
            }
            let wish: CreateStream = serde_json::from_value(body).expect("this is a wish");
            let owner_wish = Wish::Create { receiver: owner, endpoint, types };
            let running = async move { t.create_stream(&receiver(owner), wish).await.map(|_| 0) };
            (owner_wish, running.boxed_local())
        }
        Call::Add { stream, .. }
        | Call::Delete { stream }
        | Call::Deliver { stream, .. }
        | Call::Poll { stream, .. }
        | Call::Read { stream }
        | Call::Remove { stream, .. }
        | Call::SetStatus { stream, .. }
        | Call::Verify { stream }
        | Call::Want { stream, .. } => {
            on_stream(t, journal, model, process, model.stream(stream)?, call)
        }
    })
}

fn delivery(receiver: usize, number: usize) -> serde_json::Value {
    json!({
        "method": "urn:ietf:rfc:8935",
        "endpoint_url": endpoint(receiver, number),
        "authorization_header": format!("Bearer {} {number}", RECEIVERS[receiver].0),
    })
}

/// The same, for calls about the stream `number`.
fn on_stream(
    t: Transmitter,
    journal: Journal,
    model: &mut Model,
    process: usize,
    number: usize,
    call: Call,
) -> (Wish, Running<Taken>) {
    let stream = &model.streams[number];
    let (id, owner) = (stream.id.clone(), stream.receiver);
    let me = receiver(owner);
    let body = |members: serde_json::Value| {
        let mut body = members;
        body["stream_id"] = json!(id);
        body
    };
    macro_rules! ask {
        ($method:ident, $members:expr) => {{
            let wish = serde_json::from_value(body($members)).expect("this is a wish");
            async move { t.$method(&me, wish).await.map(|_| 0) }.boxed_local()
        }};
    }
    macro_rules! update {
        ($members:expr) => {{
            let wish = serde_json::from_value(body($members)).expect("this is a wish");
            async move { t.update_stream(&me, wish, Missing::Keep).await.map(|_| 0) }.boxed_local()
        }};
    }
    match call {
        Call::Add { subject: about, .. } => (
            Wish::Add { stream: number, subject: about },
            ask!(add_subject, json!({"subject": subject(about)})),
        ),
        Call::Remove { subject: about, .. } => (
            Wish::Remove { stream: number, subject: about },
            ask!(remove_subject, json!({"subject": subject(about)})),
        ),
        Call::Delete { .. } => (
            Wish::Delete { stream: number },
            async move { t.delete_stream(&me, &id).await.map(|()| 0) }.boxed_local(),
        ),
        Call::Read { .. } => (
            Wish::Read { stream: number },
            async move { t.read_stream(&me, &id).await.map(|_| 0) }.boxed_local(),
        ),
        Call::Deliver { push, .. } => {
            let endpoint = push.then(|| model.new_endpoint(Some(number)));
            let delivery = endpoint.map_or_else(
                || json!({"method": "urn:ietf:rfc:8936"}),
                |endpoint| delivery(owner, endpoint),
            );
            (Wish::Deliver { stream: number, endpoint }, update!(json!({"delivery": delivery})))
        }
        Call::Want { types, .. } => (
            Wish::Want { stream: number, types },
            update!(json!({"events_requested": kinds(types)})),
        ),
        Call::SetStatus { status, ours: false, .. } => (
            Wish::SetStatus { stream: number, status, ours: None },
            ask!(update_status, json!({"status": status.name(), "reason": "because"})),
        ),
        Call::SetStatus { status, ours: true, .. } => {
            let reason = format!("reason {}", model.news.len());
            let wish = Wish::SetStatus { stream: number, status, ours: Some(reason.clone()) };
            let running =
                async move { t.set_status_ourselves(&id, status, &reason).await.map(|_| 0) };
            (wish, running.boxed_local())
        }
        Call::Verify { .. } => {
            // Of two that run side by side each has its own.
            let state = format!("state {} of {process}", model.news.len());
            (
                Wish::Verify { stream: number, state: state.clone() },
                ask!(verify_stream, json!({"state": state})),
            )
        }
        Call::Poll { max, ack, set_errs, of_us, .. } => {
            let given = model.judge.given.get(&number).cloned().unwrap_or_default();
            let chosen = |bits: u8| -> Vec<String> {
                let given = given.iter().enumerate().take(8);
                given.filter(|(at, _)| bits >> at & 1 == 1).map(|(_, jti)| jti.clone()).collect()
            };
            let (ack, set_errs) = (chosen(ack), chosen(set_errs));
            let error = error(of_us);
            let request = PollRequest {
                max_events: Some(max.into()),
                return_immediately: true,
                ack: ack.iter().map(Jti::new).collect(),
                set_errs: set_errs.iter().map(|jti| (Jti::new(jti), error.clone())).collect(),
            };
            let wish = Wish::Poll { stream: number, ack, set_errs, of_us };
            let running = async move {
                let response = t.poll(&me, &id, request).await?;
                let sets = response.sets.keys().cloned().zip(response.sets.values());
                let sets = sets.map(|(jti, set)| (jti, set.as_str().to_owned())).collect();
                note(&journal, Entry::Polled { process, stream: number, sets });
                Ok(0)
            };
            (wish, running.boxed_local())
        }
        Call::Create { .. }
        | Call::Ingest(_)
        | Call::Push
        | Call::Retry
        | Call::Rotate { .. }
        | Call::Sweep => {
            unreachable!("it is about no stream")
        }
    }
}

/// What a receiver says of a SET, or of us.
fn error(of_us: bool) -> SetError {
    let err = if of_us { "authentication_failed" } else { "invalid_request" };
    SetError { err: err.into(), description: "no".into() }
}

pub(super) async fn ingest(t: Transmitter, journal: Journal, door: Door) -> Result<Taken, Error> {
    let queue = t.parts().door(door);
    let batch = queue.receive(10, VISIBILITY).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let ids = |batch: &[Received], failed: &[String]| {
        let done = batch.iter().filter(|message| !failed.contains(&message.id));
        done.map(|message| message.id.clone()).collect()
    };
    note(&journal, Entry::Attempted(ids(&batch, &[])));
    let failed = ingest::handle(&t, door, &batch).await;
    note(&journal, Entry::Accepted(ids(&batch, &failed)));
    done(queue.as_ref(), &batch, &failed).await
}

pub(super) async fn push(t: Transmitter) -> Result<Taken, Error> {
    let queue = &t.parts().push;
    let batch = queue.receive(10, VISIBILITY).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let again = push::handle(&t, &batch).await;
    done(queue.as_ref(), &batch, &again).await
}

async fn done(queue: &dyn Queue, batch: &[Received], failed: &[String]) -> Result<Taken, Error> {
    let done = batch.iter().filter(|message| !failed.contains(&message.id));
    queue.delete(done.map(|message| message.receipt.clone()).collect()).await?;
    Ok(batch.len())
}
