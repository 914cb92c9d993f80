//! Random operations on a queue, compared with a model of it.
//!
//! On SQS time is real: there nothing waits for time to pass, what it promises of nobody is not
//! asked for, and a dozen queues of each kind are driven at once, since each look into an empty one
//! takes a second.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::future::{try_join, try_join_all};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*, sample::Index};
use ssf::{
    clock::{Clock, ManualClock, add},
    queue::{Message, Queue, Received},
};

use super::{HOLD, Timed, in_memory, on_disk};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn queues_in_memory_do_what_the_model_does(ops in vec(op(), 1..80)) {
        run(&in_memory(), &ops)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    #[test]
    fn queues_on_disk_do_what_the_model_does(ops in vec(op(), 1..80)) {
        run(&on_disk(), &ops)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn queues_in_sqs_do_what_the_model_does(many in vec(vec(timeless_op(), 1..24), 16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = super::clock();
        runtime.block_on(try_join_all(many.iter().map(async |ops| {
            let home = super::sqs::home().await;
            let standard = compare(&*home.standard, Model::timeless(false), &clock, ops);
            let fifo = compare(&*home.fifo, Model::timeless(true), &clock, ops);
            try_join(standard, fifo).await
        })))?;
    }
}

#[derive(Clone, Debug)]
enum Op {
    Advance(Duration),
    /// Of a receipt that was given at any time.
    Delete(Vec<Index>),
    Postpone(Index, Duration),
    Receive(usize, Duration),
    Send(Vec<Sent>),
}

#[derive(Clone, Debug)]
struct Sent {
    group: &'static str,
    deduplication: Option<&'static str>,
    delay: Duration,
}

fn op() -> impl Strategy<Value = Op> {
    let seconds = |most| (0..most).prop_map(Duration::from_secs);
    let sent = (
        prop::sample::select(vec!["a", "b", "c", "d"]),
        prop::option::weighted(0.3, prop::sample::select(vec!["x", "y", "z"])),
        seconds(20_u64),
    )
        .prop_map(|(group, deduplication, delay)| Sent { group, deduplication, delay });
    prop_oneof![
        2 => (1..50_u64).prop_map(|seconds| Op::Advance(Duration::from_secs(seconds))),
        2 => vec(any::<Index>(), 1..4).prop_map(Op::Delete),
        2 => (any::<Index>(), seconds(60)).prop_map(|(at, hide)| Op::Postpone(at, hide)),
        3 => (0..8_usize, seconds(60)).prop_map(|(max, hide)| Op::Receive(max, hide)),
        3 => vec(sent, 0..6).prop_map(Op::Send),
    ]
}

/// What needs no time to pass.
fn timeless_op() -> impl Strategy<Value = Op> {
    let now = || Just(Duration::ZERO);
    let sent = (
        prop::sample::select(vec!["a", "b", "c", "d"]),
        prop::option::weighted(0.3, prop::sample::select(vec!["x", "y", "z"])),
    )
        .prop_map(|(group, deduplication)| Sent {
            group,
            deduplication,
            delay: Duration::ZERO,
        });
    prop_oneof![
        2 => vec(any::<Index>(), 1..4).prop_map(Op::Delete),
        2 => (any::<Index>(), prop_oneof![3 => now(), 1 => Just(HOLD)])
            .prop_map(|(at, hide)| Op::Postpone(at, hide)),
        2 => (1..8_usize).prop_map(|max| Op::Receive(max, HOLD)),
        4 => vec(sent, 0..6).prop_map(Op::Send),
    ]
}

/// What a queue is.
#[derive(Default)]
struct Model {
    fifo: bool,
    /// Time is real: SQS's own, of which the model knows nothing.
    timeless: bool,
    /// The receipts of messages that have left the hand that held them, in whatever way.
    outlived: HashSet<String>,
    /// In the order in which they were sent.
    messages: Vec<Kept>,
    /// By deduplication id: until when it is known, and the message's id.
    known: BTreeMap<&'static str, (Timestamp, String)>,
    receipts: Vec<String>,
    bodies: u32,
}

struct Kept {
    message: Message,
    id: String,
    sent_at: Timestamp,
    visible_at: Timestamp,
    receives: u32,
    receipt: Option<String>,
    sequence: Option<String>,
}

fn run(Timed { home, clock }: &Timed, ops: &[Op]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for (queue, fifo) in [(&home.standard, false), (&home.fifo, true)] {
            compare(&**queue, Model { fifo, ..Model::default() }, clock, ops).await?;
        }
        Ok(())
    })
}

async fn compare(
    queue: &dyn Queue,
    mut model: Model,
    clock: &ManualClock,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    for op in ops {
        model.step(queue, clock, op).await?;
        prop_assert_eq!(queue.depth().await.unwrap(), model.messages.len() as u64);
    }
    Ok(())
}

impl Model {
    fn timeless(fifo: bool) -> Self {
        Self { fifo, timeless: true, ..Self::default() }
    }

    async fn step(
        &mut self,
        queue: &dyn Queue,
        clock: &ManualClock,
        op: &Op,
    ) -> Result<(), TestCaseError> {
        let now = clock.now();
        match op {
            Op::Advance(duration) => clock.advance(*duration),
            Op::Delete(which) => {
                let receipts = which.iter().filter_map(|at| self.receipt(*at)).collect::<Vec<_>>();
                queue.delete(receipts.clone()).await.unwrap();
                let done =
                    |kept: &Kept| kept.receipt.as_ref().is_some_and(|r| receipts.contains(r));
                self.messages.retain(|kept| !done(kept));
            }
            Op::Postpone(at, hide) => {
                let Some(receipt) = self.receipt(*at) else { return Ok(()) };
                queue.postpone(&receipt, *hide).await.unwrap();
                for kept in &mut self.messages {
                    if kept.receipt.as_ref() == Some(&receipt) {
                        kept.visible_at = add(now, *hide);
                    }
                }
                if hide.is_zero() {
                    self.outlived.insert(receipt);
                }
            }
            Op::Receive(max, hide) => {
                let received = queue.receive(*max, *hide).await.unwrap();
                self.receive(received, *max, now, add(now, *hide))?;
            }
            Op::Send(sent) => {
                let messages: Vec<_> = sent.iter().map(|sent| self.message(sent)).collect();
                let ids = queue.send(messages.clone()).await;
                prop_assert_eq!(ids.len(), sent.len());
                for ((sent, message), id) in sent.iter().zip(messages).zip(ids) {
                    self.send(sent, message, id.unwrap(), now)?;
                }
            }
        }
        Ok(())
    }

    fn receipt(&self, at: Index) -> Option<String> {
        // SQS promises nothing of what an outlived receipt does.
        let usable = |receipt: &&String| !self.timeless || !self.outlived.contains(*receipt);
        let receipts: Vec<&String> = self.receipts.iter().filter(usable).collect();
        (!receipts.is_empty()).then(|| (*at.get(&receipts)).clone())
    }

    fn message(&mut self, sent: &Sent) -> Message {
        self.bodies += 1;
        let body = self.bodies.to_string();
        let attributes = BTreeMap::from([("body".to_owned(), body.clone())]);
        let message = Message { body, attributes, ..Message::default() };
        if self.fifo {
            Message {
                group: Some(sent.group.to_owned()),
                deduplication: sent.deduplication.map(str::to_owned),
                ..message
            }
        } else {
            Message { delay: sent.delay, ..message }
        }
    }

    fn send(
        &mut self,
        sent: &Sent,
        message: Message,
        id: String,
        now: Timestamp,
    ) -> Result<(), TestCaseError> {
        if let Some(deduplication) = sent.deduplication.filter(|_| self.fifo) {
            if let Some((until, first)) = self.known.get(deduplication)
                && now < *until
            {
                prop_assert_eq!(&id, first);
                return Ok(());
            }
            let until = add(now, Duration::from_mins(5));
            self.known.insert(deduplication, (until, id.clone()));
        }
        prop_assert!(self.messages.iter().all(|kept| kept.id != id), "{id} is there twice");
        self.messages.push(Kept {
            visible_at: add(now, message.delay),
            message,
            id,
            sent_at: now,
            receives: 0,
            receipt: None,
            sequence: None,
        });
        Ok(())
    }

    /// The ids of what may come: by group on FIFO queues, each alone on others.
    fn visible(&self, now: Timestamp) -> BTreeMap<String, Vec<String>> {
        let mut visible: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let group = |kept: &Kept| kept.message.group.clone().unwrap_or_else(|| kept.id.clone());
        let mut blocked = HashSet::new();
        if self.timeless {
            // SQS holds back what comes before one in hand, too, and not only what is behind it.
            let in_hand = self.messages.iter().filter(|kept| now < kept.visible_at);
            blocked.extend(in_hand.map(group));
        }
        for kept in &self.messages {
            let group = group(kept);
            if now < kept.visible_at {
                blocked.insert(group);
            } else if !blocked.contains(&group) {
                visible.entry(group).or_default().push(kept.id.clone());
            }
        }
        visible
    }

    fn receive(
        &mut self,
        received: Vec<Received>,
        max: usize,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), TestCaseError> {
        let visible = self.visible(now);
        let waiting: usize = visible.values().map(Vec::len).sum();
        prop_assert_eq!(received.len(), waiting.min(max));
        let mut came: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for message in received {
            let group = message.group.clone().unwrap_or_else(|| message.id.clone());
            came.entry(group).or_default().push(message.id.clone());
            self.hold(message, until)?;
        }
        // SQS may give as many of one group as it can.
        let fair = self.timeless || came.len() == visible.len().min(max);
        prop_assert!(fair, "a group was passed over");
        for (group, came) in came {
            prop_assert!(visible[&group].starts_with(&came), "{came:?} of {visible:?}");
        }
        Ok(())
    }

    fn hold(&mut self, received: Received, until: Timestamp) -> Result<(), TestCaseError> {
        prop_assert!(!self.receipts.contains(&received.receipt));
        self.receipts.push(received.receipt.clone());
        let last = self.messages.iter().filter(|kept| kept.message.group == received.group);
        let last = last.take_while(|kept| kept.id != received.id);
        let last = last.filter_map(|kept| kept.sequence.clone()).last();
        let kept = self.messages.iter_mut().find(|kept| kept.id == received.id).unwrap();
        prop_assert_eq!(&received.body, &kept.message.body);
        prop_assert_eq!(&received.attributes, &kept.message.attributes);
        prop_assert_eq!(&received.group, &kept.message.group);
        if self.timeless && kept.receives == 0 {
            kept.sent_at = received.sent_at;
        }
        prop_assert_eq!(received.sent_at, kept.sent_at);
        prop_assert_eq!(received.receives, kept.receives + 1);
        prop_assert_eq!(received.sequence.is_some(), self.fifo);
        prop_assert!(kept.receives == 0 || received.sequence == kept.sequence);
        prop_assert!(last <= received.sequence);
        kept.receives += 1;
        kept.receipt = Some(received.receipt);
        kept.sequence = received.sequence;
        kept.visible_at = until;
        Ok(())
    }
}
