//! Listens to a queue, as AWS Lambda does, and hands what comes to a function.

use std::{collections::HashSet, pin::pin, sync::Arc, time::Duration};

use ssf::{
    Transmitter,
    delivery::Door,
    error::chain,
    queue::{Queue, QueueError, Received},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinError, JoinSet},
};

use super::stopped;

/// What is done with the messages of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Events are taken in.
    Ingest(Door),
    /// Bells are answered.
    Push,
}

/// As many messages as the function gets at once on AWS.
const EVENTS: usize = 10;

/// So many lanes are served at a time. A receiver that is away holds all of its own for as long as
/// an attempt lasts, and then they rest.
const LANES: usize = 256;

/// Bells that are received at once.
const BELLS: usize = 64;

/// A message in hand is out of sight for this long; also what a `kill -9` costs.
const VISIBILITY: Duration = Duration::from_secs(10);

/// What is in hand for longer is kept out of sight this often.
const HOLD_EVERY: Duration = Duration::from_secs(3);

/// A quiet queue is looked at this often, whatever it says.
const QUIET: Duration = Duration::from_secs(20);

/// A queue that does not answer is left alone for this long.
const PAUSE: Duration = Duration::from_secs(1);

impl Work {
    fn queue(self, us: &Transmitter) -> &Arc<dyn Queue> {
        match self {
            Self::Ingest(door) => us.parts().door(door),
            Self::Push => &us.parts().push,
        }
    }

    /// How many messages are received at once, when so many places are free: a batch of events
    /// takes one, bells may take one each.
    fn at_once(self, free: usize) -> usize {
        match self {
            Self::Ingest(_) => EVENTS,
            Self::Push => BELLS.min(free),
        }
    }

    /// How many batches may be in hand at a time.
    fn places(self) -> usize {
        match self {
            // More than one, so that one signs while another reads.
            Self::Ingest(_) => std::thread::available_parallelism().map_or(2, |n| n.get().max(2)),
            Self::Push => LANES,
        }
    }

    /// The batches in `messages`: of bells one for each lane, so that none waits for another.
    fn batches(self, messages: Vec<Received>) -> Vec<Vec<Received>> {
        match self {
            Self::Ingest(_) => vec![messages],
            Self::Push => {
                let mut lanes: Vec<Vec<Received>> = Vec::new();
                for message in messages {
                    match lanes.iter_mut().find(|lane| lane[0].group == message.group) {
                        Some(lane) => lane.push(message),
                        None => lanes.push(vec![message]),
                    }
                }
                lanes
            }
        }
    }

    /// The ids of the messages that must come again.
    async fn handle(self, us: &Transmitter, batch: &[Received]) -> Vec<String> {
        match self {
            Self::Ingest(door) => ingest::handle(us, door, batch).await,
            Self::Push => push::handle(us, batch).await,
        }
    }
}

/// Listens until it is told to stop; then finishes what is in hand.
pub(super) async fn work(work: Work, us: Transmitter, stop: watch::Receiver<bool>) {
    let queue = work.queue(&us);
    let places = Arc::new(Semaphore::new(work.places()));
    let mut in_hand = JoinSet::new();
    let mut stop = pin!(stopped(stop));
    loop {
        let place = tokio::select! {
            biased;
            () = &mut stop => break,
            place = places.clone().acquire_owned() => place.expect("nobody closes it"),
        };
        while let Some(done) = in_hand.try_join_next() {
            report(done);
        }
        // Not given up halfway: what was received would be out of sight with nobody to see to it.
        let max = work.at_once(places.available_permits() + 1);
        let messages = match queue.receive(max, VISIBILITY).await {
            Ok(messages) if !messages.is_empty() => messages,
            nothing => {
                drop(place);
                tokio::select! {
                    biased;
                    () = &mut stop => break,
                    () = rest(work, &us, nothing) => continue,
                }
            }
        };
        let mut place = Some(place);
        for batch in work.batches(messages) {
            // There are at most as many batches as places were free.
            let place = place.take().or_else(|| places.clone().try_acquire_owned().ok());
            in_hand.spawn(attend(work, us.clone(), batch, place));
        }
    }
    while let Some(done) = in_hand.join_next().await {
        report(done);
    }
}

/// Returns when it is time to look again, after `nothing` was received.
async fn rest(work: Work, us: &Transmitter, nothing: Result<Vec<Received>, QueueError>) {
    match nothing {
        Ok(_) => work.queue(us).wait(QUIET).await,
        Err(error) => {
            tracing::error!(
                ?work,
                error = chain(&error),
                "a queue does not answer; it is tried again"
            );
            us.parts().clock.sleep(PAUSE).await;
        }
    }
}

/// Handles a batch, and deletes from the queue what is done.
async fn attend(
    work: Work,
    us: Transmitter,
    batch: Vec<Received>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let queue = work.queue(&us);
    let mut handled = pin!(work.handle(&us, &batch));
    let failed = loop {
        tokio::select! {
            biased;
            failed = &mut handled => break failed,
            () = us.parts().clock.sleep(HOLD_EVERY) => hold(&**queue, &batch).await,
        }
    };
    // When what failed comes again, the function has seen to.
    let done = batch.iter().filter(|message| !failed.contains(&message.id));
    let done = done.map(|message| message.receipt.clone()).collect();
    if let Err(error) = queue.delete(done).await {
        let error = chain(&error);
        tracing::warn!(error, "what is done could not be deleted; it comes again");
    }
}

/// Keeps a batch out of sight that takes long. Of a group, the first message holds back the others.
async fn hold(queue: &dyn Queue, batch: &[Received]) {
    let mut groups = HashSet::new();
    for message in batch {
        if message.group.is_none() || groups.insert(&message.group) {
            postpone(queue, message, VISIBILITY).await;
        }
    }
}

async fn postpone(queue: &dyn Queue, message: &Received, rest: Duration) {
    if let Err(error) = queue.postpone(&message.receipt, rest).await {
        let error = chain(&error);
        tracing::warn!(message.id, error, "a message could not be put off");
    }
}

fn report(done: Result<(), JoinError>) {
    if let Err(error) = done {
        let error = chain(&error);
        tracing::error!(error, "a batch was dropped; its messages come again");
    }
}
