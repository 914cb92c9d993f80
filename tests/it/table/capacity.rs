//! What each operation of the transmitter uses of the table, as `DynamoDB` charges for it.

pub(crate) mod directory;

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};
use ssf::{
    delivery::Door,
    table::{Condition, Version, Write},
};
use tests::{
    Caller, Meter, World,
    world::{caep, poll_stream, push_stream, usual_event},
};

use super::dynamodb::metered;

const STREAMS: &str = "/ssf/streams";

/// A counted world, and what was used in it so far: a line for each operation.
struct Counted {
    meter: Meter,
    world: World,
    lines: String,
}

impl Counted {
    async fn new() -> Self {
        let meter = Meter::default();
        let world = World::on_table(metered(&meter).await);
        world.transmitter.keys().ensure_key().await.unwrap();
        world.transmitter.ensure_door_key().await.unwrap();
        let lines = "                            writes  units   reads  units\n".to_owned();
        Self { meter, world, lines }
    }

    /// Does `work` and notes what it used. It comes a minute after what was before, so that nothing
    /// is known any more but what is kept for as long as a process lives.
    async fn note<T>(&mut self, name: &str, work: impl AsyncFnOnce(&World) -> T) -> T {
        self.world.clock.advance(Duration::from_mins(1));
        self.meter.take();
        let done = work(&self.world).await;
        let used = self.meter.take();
        let (writes, reads) = (used.write_requests(), used.read_requests());
        let (written, read) = (used.writes, used.reads);
        writeln!(self.lines, "{name:26}  {writes:6}  {written:5}  {reads:6}  {read:5}").unwrap();
        done
    }

    /// The same, of a request that ends well.
    async fn ask(
        &mut self,
        name: &str,
        alice: &Caller,
        method: &str,
        path: &str,
        body: Value,
    ) -> Value {
        let answer = self
            .note(name, async |_| match method {
                "DELETE" => alice.delete(path).await,
                "GET" => alice.get(path).await,
                "PATCH" => alice.patch(path, body).await,
                _ => alice.post(path, body).await,
            })
            .await;
        assert!(answer.status.is_success(), "{name}: {answer}");
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// An event comes.
    async fn ingest(&mut self, name: &str, user: usize) {
        self.world.emit(&usual_event(user)).await;
        let taken = self.note(name, async |world| world.ingest(Door::Standard).await).await;
        assert_eq!(taken, 1);
    }
}

/// Whoever changes a figure changes what it costs to run the transmitter. Requests are by a client
/// that is signed in; to look whether its token is good is a part of each.
#[tokio::test]
async fn each_operation_uses_what_it_used_before() {
    let mut counted = Counted::new().await;
    let secret = counted.world.register("alice", |_| {}).await;
    // Reads what a process reads once.
    counted.world.anyone().get("/jwks.json").await;
    let token = counted
        .note("grant a token", async |world| world.token("alice", &secret, "ssf.manage").await)
        .await;
    let alice = counted.world.caller(&token);
    let form = [("client_id", "alice"), ("client_secret", &*secret), ("token", &*token)];
    let anyone = counted.world.anyone();
    let c = &mut counted;
    c.note("introspect it", async |_| anyone.form("/oauth/introspect", &form).await).await;
    c.ask("read the public keys", &anyone, "GET", "/jwks.json", json!({})).await;

    let body = push_stream("alice", &["session-revoked"]);
    let push = c.ask("create a push stream", &alice, "POST", STREAMS, body).await;
    let push = &push["stream_id"];
    let body = poll_stream(&["credential-change"]);
    let poll = c.ask("create a poll stream", &alice, "POST", STREAMS, body).await;
    let poll = &poll["stream_id"];
    let one = format!("{STREAMS}?stream_id={}", push.as_str().unwrap());
    c.ask("read a stream", &alice, "GET", &one, json!({})).await;
    c.ask("list two streams", &alice, "GET", STREAMS, json!({})).await;
    let text = json!({ "stream_id": push, "description": "other" });
    c.ask("update a text", &alice, "PATCH", STREAMS, text).await;
    let types = ["session-revoked", "credential-change"].map(caep);
    let types = json!({ "stream_id": poll, "events_requested": types });
    c.ask("want one more type", &alice, "PATCH", STREAMS, types).await;

    let status = format!("/ssf/status?stream_id={}", push.as_str().unwrap());
    c.ask("read the status", &alice, "GET", &status, json!({})).await;
    for status in ["paused", "enabled"] {
        let body = json!({ "stream_id": push, "status": status });
        c.ask(&format!("change it to {status}"), &alice, "POST", "/ssf/status", body).await;
    }
    let jane = json!({ "format": "email", "email": "jane.smith.1@customer.example.com" });
    let subject = json!({ "stream_id": push, "subject": jane });
    c.ask("remove a subject", &alice, "POST", "/ssf/subjects/remove", subject.clone()).await;
    c.ask("add it again", &alice, "POST", "/ssf/subjects/add", subject).await;
    let body = json!({ "stream_id": push });
    c.ask("ask for a verification", &alice, "POST", "/ssf/verification", body).await;
    c.world.settle().await;

    c.ingest("take an event in for both", 2).await;
    c.note("push its SET", async |world| assert_eq!(world.push().await, 1)).await;
    let path = format!("/ssf/poll/{}", poll.as_str().unwrap());
    let now = json!({ "returnImmediately": true });
    let polled = c.ask("poll its SET", &alice, "POST", &path, now.clone()).await;
    let jtis: Vec<_> = polled["sets"].as_object().unwrap().keys().collect();
    let ack = json!({ "returnImmediately": true, "ack": jtis });
    c.ask("acknowledge it", &alice, "POST", &path, ack).await;
    c.ask("poll in vain", &alice, "POST", &path, now).await;
    c.world.emit(&json!({})).await;
    c.note("refuse an event", async |world| world.ingest(Door::Standard).await).await;
    assert_eq!(c.world.dead_letters().await.len(), 1);

    c.note("sweep two streams", async |world| world.sweep().await).await;
    c.ask("delete a stream", &alice, "DELETE", &one, json!({})).await;
    c.note("revoke the token", async |_| anyone.form("/oauth/revoke", &form).await).await;
    insta::assert_snapshot!(counted.lines, @r"
                            writes  units   reads  units
grant a token                    1      4       2      2
introspect it                    0      0       2      3
read the public keys             0      0       1      1
create a push stream             2      9       3      4
create a poll stream             2      9       3      4
read a stream                    0      0       2      3
list two streams                 0      0       3      5
update a text                    1      1       2      3
want one more type               2      2       2      3
read the status                  0      0       2      3
change it to paused              1      1       3      4
change it to enabled             1      1       3      4
remove a subject                 3      3       3      4
add it again                     2      2       3      5
ask for a verification           2      3       4      5
take an event in for both        2      4       5      6
push its SET                     1      2       2      2
poll its SET                     0      0       3      4
acknowledge it                   1      2       4      5
poll in vain                     0      0       3      4
refuse an event                  0      0       0      0
sweep two streams                1      1      27     27
delete a stream                  3      3       5      6
revoke the token                 1      1       3      4
");
}

/// A check is charged as a put of the item that it looks at: twice a unit for each started kB.
#[tokio::test]
async fn a_check_costs_as_much_as_a_put_in_a_transaction() {
    let meter = Meter::default();
    let clock = super::clock();
    let table = metered(&meter).await(clock);
    let large = super::put("a/large", Condition::Any, &noise(1500));
    let version = table.write_one(large).await.unwrap();
    let is = |version| Write::check(super::key("a/large"), Condition::Version(version));
    let absent = || Write::check(super::key("a/none"), Condition::Absent);
    let put = || super::put("a/1", Condition::Any, "x");
    for (writes, units) in [
        (vec![put()], 2.0),
        (vec![put(), absent()], 4.0),
        (vec![put(), absent(), is(version)], 8.0),
        // In vain: the put that did not come to be is charged, too.
        (vec![put(), is(Version(version.0 + 1))], 6.0),
    ] {
        meter.take();
        let _ = table.transact(writes.clone()).await;
        let used = meter.take();
        assert_eq!((used.requests(), used.writes), (1, units), "{writes:?}");
    }
}

/// Text that no compression makes much smaller.
fn noise(bytes: usize) -> String {
    let mut seed = 1_u64;
    let next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + u8::try_from(seed >> 58).unwrap())
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// The same event a second time finds its SET there: the write in vain is paid for.
#[tokio::test]
async fn a_write_whose_condition_fails_is_paid_for() {
    let mut counted = Counted::new().await;
    let receiver = counted.world.receiver("alice");
    counted.world.create(&receiver, poll_stream(&["session-revoked"])).await;
    // Reads what a process reads once.
    counted.ingest("take a first event in", 0).await;
    let mut event = usual_event(1);
    event["id"] = json!("the same");
    for name in ["take an event in", "take it in again"] {
        counted.world.emit(&event).await;
        counted.note(name, async |world| world.ingest(Door::Standard).await).await;
    }
    insta::assert_snapshot!(counted.lines, @r"
                            writes  units   reads  units
take a first event in            1      2       4      4
take an event in                 1      2       4      4
take it in again                 1      1       5      5
");
}
