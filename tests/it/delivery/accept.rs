//! What becomes of a batch of messages when something fails on our side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;
use ssf::{
    Parts, Transmitter,
    client::Receiver,
    clock::{Clock, ManualClock},
    delivery::{Accepted, Door, MAX_RECEIVES},
    error::chain,
    queue::Received,
    set::{Algorithm, PublicKey, SignError, Signer},
    table::{Item, Key, Page, Query, Table, TableError, Version, Write},
};
use tests::{
    World,
    world::{claims, poll_stream, push_stream, session_revoked},
};

/// A signer that has its moods.
#[derive(Debug)]
struct Moody {
    inner: Arc<dyn Signer>,
    clock: Arc<ManualClock>,
    /// It does not sign what is about this one.
    dislikes: &'static str,
    /// So long a signature takes, one after the other.
    takes: Duration,
    /// Signatures under way, and the most that there were at once.
    now: AtomicUsize,
    most: AtomicUsize,
    signed: AtomicUsize,
}

#[async_trait]
impl Signer for Moody {
    async fn first(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.first(algorithm).await
    }

    async fn generate(&self, algorithm: Algorithm) -> Result<PublicKey, SignError> {
        self.inner.generate(algorithm).await
    }

    async fn sign(&self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        // Whoever else may begin does.
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        self.clock.advance(self.takes);
        let text = format!("{}.", std::str::from_utf8(message).unwrap());
        if !self.dislikes.is_empty() && claims(&text).to_string().contains(self.dislikes) {
            return Err(SignError::Unavailable("it does not like it".into()));
        }
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.inner.sign(key, message).await
    }

    async fn destroy(&self, key: &PublicKey) -> Result<(), SignError> {
        self.inner.destroy(key).await
    }
}

/// `world`'s transmitter with such a signer.
fn moody(world: &World, dislikes: &'static str, takes: Duration) -> (Transmitter, Arc<Moody>) {
    let signer = Arc::new(Moody {
        inner: world.signer.clone(),
        clock: world.clock.clone(),
        dislikes,
        takes,
        now: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        signed: AtomicUsize::new(0),
    });
    let parts = Parts { signer: signer.clone(), ..world.transmitter.parts().clone() };
    (Transmitter::new(parts), signer)
}

/// A table that fails in its own ways.
#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn Table>,
    /// It answers no query.
    is_away: AtomicBool,
    /// It does not take what holds this.
    refuses: &'static str,
}

#[async_trait]
impl Table for Faulty {
    async fn get(&self, key: &Key) -> Result<Option<Item>, TableError> {
        self.inner.get(key).await
    }

    async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, TableError> {
        self.inner.batch_get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(TableError::Unavailable("nobody answers".into()));
        }
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Vec<Result<Version, TableError>> {
        let mut answers = Vec::new();
        for write in writes {
            let body = write.content().map_or("", |content| &content.body);
            if !self.refuses.is_empty() && body.contains(self.refuses) {
                answers.push(Err(TableError::Refused("the item is too large")));
            } else {
                answers.push(self.inner.write_one(write).await);
            }
        }
        answers
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Version>, TableError> {
        self.inner.transact(writes).await
    }

    async fn remove_expired(&self, limit: usize) -> Result<usize, TableError> {
        self.inner.remove_expired(limit).await
    }
}

/// `world`'s transmitter with such a table.
fn faulty(world: &World, is_away: bool, refuses: &'static str) -> Transmitter {
    let table = Faulty { inner: world.table.clone(), is_away: AtomicBool::new(is_away), refuses };
    Transmitter::new(Parts { table: Arc::new(table), ..world.transmitter.parts().clone() })
}

/// The `number`th message of `group`, which is about `user` and has come so often.
fn message(world: &World, group: &str, number: usize, user: &str, receives: u32) -> Received {
    Received {
        id: format!("{group}-{number}"),
        body: session_revoked(&format!("{user}@example.com")).to_string(),
        group: (!group.is_empty()).then(|| group.to_owned()),
        attributes: [].into(),
        sender: None,
        sent_at: world.clock.now(),
        sequence: Some(format!("{number:020}")),
        receives,
        receipt: format!("receipt {group}-{number}"),
    }
}

/// Messages about these, in order.
fn messages(world: &World, group: &str, users: &[&str], receives: u32) -> Vec<Received> {
    let message = |(number, user): (usize, &&str)| message(world, group, number, user, receives);
    users.iter().enumerate().map(message).collect()
}

/// What became of them, in short.
fn short(answers: &[Accepted]) -> Vec<String> {
    let short = |answer: &Accepted| match answer {
        Accepted::Behind => "behind".to_owned(),
        Accepted::Dropped => "dropped".to_owned(),
        Accepted::Failed(failure) => format!("failed: {}", chain(failure)),
        Accepted::Issued(count) => format!("issued to {count}"),
        Accepted::Refused(invalid) => format!("refused: {}", invalid.reason),
    };
    answers.iter().map(short).collect()
}

const DISLIKED: &str = "signing failed: the signer is not available: it does not like it";

#[tokio::test]
async fn those_behind_one_that_fails_for_good_come_again_in_order() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    let (transmitter, _) = moody(&world, "jane@", Duration::ZERO);
    let batch = |receives| {
        let mut batch = messages(&world, "one", &["jane", "john", "joe"], receives);
        batch.extend(messages(&world, "two", &["jack"], receives));
        batch
    };
    let failed = format!("failed: {DISLIKED}");
    for receives in [1, MAX_RECEIVES - 1] {
        let answers = transmitter.accept(Door::Fifo, &batch(receives)).await;
        assert_eq!(short(&answers), [&failed, "behind", "behind", "issued to 1"], "{receives}");
    }
    // They came as often as the first one, and have not been tried at all.
    let answers = transmitter.accept(Door::Fifo, &batch(MAX_RECEIVES)).await;
    let refused = format!("refused: failed for good: {DISLIKED}");
    assert_eq!(short(&answers), [&refused, "behind", "behind", "issued to 1"]);
    assert_eq!(world.dead_letters().await, [format!(".: failed for good: {DISLIKED}")]);
    let rest = &batch(MAX_RECEIVES + 1)[1..];
    let answers = transmitter.accept(Door::Fifo, rest).await;
    assert_eq!(short(&answers), ["issued to 1", "issued to 1", "issued to 1"]);

    // One that followed has as many tries of its own.
    let (transmitter, _) = moody(&world, "@", Duration::ZERO);
    let answers = transmitter.accept(Door::Fifo, rest).await;
    assert_eq!(short(&answers), ["issued to 1", "issued to 1", "issued to 1"], "as before");
    for (receives, given_up) in
        [(1, false), (2 * MAX_RECEIVES - 1, false), (2 * MAX_RECEIVES, true)]
    {
        let batch = messages(&world, "three", &["mary"], MAX_RECEIVES + receives);
        let answers = transmitter.accept(Door::Fifo, &batch).await;
        let is_refused = matches!(answers[0], Accepted::Refused(_));
        assert_eq!(is_refused, given_up, "{receives} {}", short(&answers)[0]);
    }
}

#[tokio::test]
async fn a_message_without_a_group_is_given_up_by_itself() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    let (transmitter, _) = moody(&world, "jane@", Duration::ZERO);
    let batch = [
        message(&world, "", 1, "jane", MAX_RECEIVES - 1),
        message(&world, "", 2, "jane", MAX_RECEIVES),
        message(&world, "", 3, "jane", MAX_RECEIVES + 1),
        message(&world, "", 4, "john", MAX_RECEIVES),
    ];
    let answers = short(&transmitter.accept(Door::Standard, &batch).await);
    let refused = format!("refused: failed for good: {DISLIKED}");
    assert_eq!(answers, [&format!("failed: {DISLIKED}"), &refused, &refused, "issued to 1"]);
}

/// Whoever reads the log of one message must not have to look for another one's.
#[tokio::test]
async fn each_message_is_told_what_failed_for_all() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    let transmitter = faulty(&world, true, "");
    let failed = "failed: the table failed: the table is not available: nobody answers";
    let batch = messages(&world, "", &["jane", "john", "joe"], 1);
    let answers = short(&transmitter.accept(Door::Standard, &batch).await);
    assert_eq!(answers, [failed; 3]);
    let mut batch = messages(&world, "one", &["jane", "john", "joe"], MAX_RECEIVES);
    batch.extend(messages(&world, "two", &["jack"], 1));
    let answers = short(&transmitter.accept(Door::Fifo, &batch).await);
    let refused = failed.replacen("failed:", "refused: failed for good:", 1);
    assert_eq!(answers, [&refused, "behind", "behind", failed]);
}

/// It would fail the same way for a day, and hold up its group.
#[tokio::test]
async fn what_the_table_never_takes_is_given_up_at_once() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    let transmitter = faulty(&world, false, "jane@");
    let batch = messages(&world, "one", &["jane", "john"], 1);
    let answers = short(&transmitter.accept(Door::Fifo, &batch).await);
    let reason = "failed for good: the table failed: the table refuses the write: \
                  the item is too large";
    assert_eq!(answers, [&format!("refused: {reason}"), "issued to 1"]);
    assert_eq!(world.dead_letters().await, [format!(".: {reason}")]);
}

#[tokio::test]
async fn a_group_rests_as_long_as_its_first_message() {
    let world = World::new();
    world.create(&world.receiver("alice"), poll_stream(&["session-revoked"])).await;
    let (transmitter, _) = moody(&world, "jane@", Duration::ZERO);
    for user in ["jane", "john"] {
        world.emit_fifo("one", &session_revoked(&format!("{user}@example.com"))).await;
    }
    let queue = &transmitter.parts().ingest_fifo;
    let mut batch = queue.receive(10, Duration::from_mins(6)).await.unwrap();
    // It has come often, behind others.
    batch[1].receives = 9;
    let ids: Vec<_> = batch.iter().map(|message| message.id.clone()).collect();
    assert_eq!(ingest::handle(&transmitter, Door::Fifo, &batch).await, ids);
    world.clock.advance(Duration::from_secs(1));
    let again = queue.receive(10, Duration::from_mins(6)).await.unwrap();
    assert_eq!(again.into_iter().map(|message| message.id).collect::<Vec<_>>(), ids);
}

/// The attributes of a message are its sender's, but for those that are ours by name.
#[tokio::test]
async fn a_senders_own_attributes_do_not_make_two_events_one() {
    let world = World::new();
    world.create(&world.receiver("alice"), push_stream("alice", &["session-revoked"])).await;
    let mut batch = messages(&world, "", &["jane", "john"], 1);
    for message in &mut batch {
        message.attributes.insert("message_id".to_owned(), "7".to_owned());
    }
    let answers = world.transmitter.accept(Door::Standard, &batch).await;
    assert_eq!(short(&answers), ["issued to 1", "issued to 1"]);
    world.settle().await;
    assert_eq!(world.http.take().len(), 2);
}

/// Two systems that both count 1, 2, 3.
#[tokio::test]
async fn an_event_is_called_by_its_sender_and_its_id() {
    let world = World::new();
    world.create(&world.receiver("alice"), push_stream("alice", &["session-revoked"])).await;
    let named = |sender: &str, source: Option<&str>, user: &str| {
        let mut event = session_revoked(&format!("{user}@example.com"));
        event["id"] = json!("1");
        let source = source.map(|source| ("source".to_owned(), source.to_owned()));
        Received {
            body: event.to_string(),
            sender: Some(sender.to_owned()),
            attributes: source.into_iter().collect(),
            ..message(&world, "", 1, user, 1)
        }
    };
    let accept = async |message: Received| {
        let answers = world.transmitter.accept(Door::Standard, &[message]).await;
        world.settle().await;
        (short(&answers).remove(0), world.http.take().len())
    };
    let issued = |sets| ("issued to 1".to_owned(), sets);
    assert_eq!(accept(named("AROA1", None, "jane")).await, issued(1));
    assert_eq!(accept(named("AROA1", None, "jane")).await, issued(0), "it is the same event");
    assert_eq!(accept(named("AROA2", None, "john")).await, issued(1));
    assert_eq!(accept(named("AROA1", Some("hr"), "john")).await, issued(1));
    // Its members in another order, and other spaces.
    let mut spaced = named("AROA1", None, "jane");
    spaced.body = spaced.body.replacen('{', "{ ", 1);
    assert_eq!(accept(spaced).await, issued(0));
    let other = accept(named("AROA1", None, "john")).await;
    assert_eq!(other, ("refused: was used for another event".to_owned(), 0));
    let again = Received { receives: 2, ..named("AROA1", None, "mary") };
    assert_eq!(accept(again).await, other);
    assert_eq!(world.dead_letters().await, ["id: was used for another event"; 2]);
}

/// Who sends a message cannot say that another sent it, or that it is another message.
#[tokio::test]
async fn what_a_message_says_of_its_origin_counts_only_with_proof() {
    let world = World::new();
    world.create(&world.receiver("alice"), push_stream("alice", &["session-revoked"])).await;
    let mut batch = messages(&world, "", &["jane", "john"], 1);
    for message in &mut batch {
        for name in ["tocsin_message_id", "tocsin_sender", "tocsin_proof"] {
            message.attributes.insert(name.to_owned(), "7".to_owned());
        }
    }
    let answers = world.transmitter.accept(Door::Standard, &batch).await;
    assert_eq!(short(&answers), ["issued to 1", "issued to 1"]);
    world.settle().await;
    assert_eq!(world.http.take().len(), 2);
}

#[tokio::test]
async fn a_reason_is_such_that_a_queue_takes_it() {
    let world = World::new();
    for name in [r"\u0000", r"\u001b", r"\ufffe", &"é".repeat(3000)] {
        let mut message = message(&world, "", 1, "jane", 1);
        message.body = format!(r#"{{"{name}":1,"{name}":2}}"#);
        let answers = world.transmitter.accept(Door::Standard, &[message]).await;
        assert_eq!(short(&answers), ["refused: is there twice"], "{name}");
    }
    let reasons = world.dead_letters().await;
    assert_eq!(reasons[..3], ["\u{FFFD}: is there twice"; 3]);
    assert_eq!(reasons[3], format!("{}…: is there twice", "é".repeat(256)));
}

/// A receiver who may have many streams.
fn many(world: &World, name: &str) -> Receiver {
    Receiver { max_streams: 1000, ..world.receiver(name) }
}

#[tokio::test]
async fn what_cannot_be_done_in_one_try_is_done_in_several() {
    const STREAMS: usize = 250;
    let world = World::new();
    let alice = many(&world, "alice");
    for _ in 0..STREAMS {
        world.create(&alice, push_stream("alice", &["session-revoked"])).await;
    }
    // All of them take a minute and a half.
    let (transmitter, signer) = moody(&world, "", Duration::from_millis(360));
    let mut tries = Vec::new();
    for receives in 1..10 {
        let batch = [message(&world, "one", 1, "jane", receives)];
        let began = world.clock.now();
        let answers = short(&transmitter.accept(Door::Fifo, &batch).await);
        let took = world.clock.now().duration_since(began).as_secs();
        assert!(took < 45, "{took} s: AWS Lambda ends the function after 60");
        tries.push(signer.signed.swap(0, Ordering::SeqCst));
        match answers[0].as_str() {
            "failed: there was no time left for it" => {}
            answer => {
                assert_eq!(answer, format!("issued to {STREAMS}"));
                break;
            }
        }
    }
    assert!(tries.len() == 3 && tries.iter().all(|signed| *signed > 40), "{tries:?}");
    assert_eq!(tries.iter().sum::<usize>(), STREAMS, "nothing is signed twice");
    while world.push().await > 0 {}
    assert_eq!(world.http.take().len(), STREAMS);
}

#[tokio::test]
async fn signatures_are_asked_for_side_by_side_and_not_all_at_once() {
    let world = World::new();
    let alice = many(&world, "alice");
    for _ in 0..40 {
        world.create(&alice, poll_stream(&["session-revoked"])).await;
    }
    let (transmitter, signer) = moody(&world, "", Duration::ZERO);
    let batch = [message(&world, "", 1, "jane", 1)];
    let answers = transmitter.accept(Door::Standard, &batch).await;
    assert_eq!(short(&answers), ["issued to 40"]);
    assert_eq!(signer.most.load(Ordering::SeqCst), 16);
}

/// A signature costs more than anything else.
#[tokio::test]
async fn an_event_that_comes_again_is_looked_up_and_not_signed_again() {
    let world = World::new();
    for name in ["alice", "bob"] {
        world.create(&world.receiver(name), push_stream(name, &["session-revoked"])).await;
    }
    world.transmitter.keys().signing_key().await.unwrap();
    let accept = async |receives| {
        let batch = [message(&world, "", 1, "jane", receives)];
        world.table.take();
        let answers = world.transmitter.accept(Door::Standard, &batch).await;
        assert_eq!(short(&answers), ["issued to 2"]);
        (world.signer.take(), world.table.take().write_items, world.push.take().sent)
    };
    assert_eq!(accept(1).await, (2, 2, 2));
    // Whoever stored them may have died before it rang.
    assert_eq!(accept(2).await, (0, 0, 2));
    world.settle().await;
    assert_eq!(world.http.take().len(), 2);
    world.push.take();
    assert_eq!(accept(3).await, (0, 0, 0), "both have what they are to have");
}
