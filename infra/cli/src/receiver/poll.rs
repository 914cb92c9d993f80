//! Asking for SETs, again and again (RFC 8936).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::http::Method as Verb;
use serde::Deserialize;
use serde_json::{Value, json};
use ssf::clock::{Clock, SystemClock};
use tokio::sync::mpsc;

use super::{Arrival, Receiver, Stream, hand_on};

/// Polls one stream.
#[derive(Debug)]
pub struct PollLoop {
    receiver: Arc<Receiver>,
    stream: Stream,
    ack: Vec<String>,
    set_errs: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
struct PollResponse {
    #[serde(default)]
    sets: BTreeMap<String, String>,
}

/// The wait after a poll that failed; doubled each time, up to the longest.
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

impl PollLoop {
    /// For a poll stream of `receiver`.
    pub fn new(receiver: Arc<Receiver>, stream: Stream) -> Self {
        Self { receiver, stream, ack: Vec::new(), set_errs: BTreeMap::new() }
    }

    /// Polls, and hands on what comes, until nobody takes it any more. What was taken is
    /// acknowledged with the next poll.
    pub async fn run(mut self, arrivals: mpsc::Sender<Arrival>) {
        let mut rest = SHORTEST_REST;
        loop {
            let sets = tokio::select! {
                () = arrivals.closed() => break,
                sets = self.poll(true) => sets,
            };
            match sets {
                Ok(sets) => {
                    rest = SHORTEST_REST;
                    if !self.hand_on_all(sets, &arrivals).await {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "cannot poll; tried again");
                    tokio::select! {
                        () = arrivals.closed() => break,
                        () = SystemClock.sleep(rest) => {}
                    }
                    rest = LONGEST_REST.min(rest * 2);
                }
            }
        }
        // What is not acknowledged would come again.
        if let Err(error) = self.poll(false).await {
            tracing::warn!(error = format!("{error:#}"), "cannot acknowledge the last SETs");
        }
    }

    /// Says whether there is still somebody who takes them.
    async fn hand_on_all(
        &mut self,
        sets: BTreeMap<String, String>,
        arrivals: &mpsc::Sender<Arrival>,
    ) -> bool {
        let verifier = self.receiver.verifier();
        for (jti, set) in sets {
            let at = SystemClock.now();
            let set = verifier.verify(&set, &self.stream.aud).await;
            let error = set.as_ref().err().map(
                |disbelief| json!({ "err": disbelief.err, "description": disbelief.description }),
            );
            if !hand_on(arrivals, set, at).await {
                return false;
            }
            match error {
                Some(error) => _ = self.set_errs.insert(jti, error),
                None => self.ack.push(jti),
            }
        }
        true
    }

    /// One poll: acknowledges what has come, and, if `more`, waits for more.
    async fn poll(&mut self, more: bool) -> anyhow::Result<BTreeMap<String, String>> {
        let mut request = json!({
            "returnImmediately": !more,
            "ack": self.ack,
            "setErrs": self.set_errs,
        });
        if !more {
            request["maxEvents"] = json!(0);
        }
        let url = &self.stream.delivery.endpoint_url;
        let answer = self.receiver.request(Verb::POST, url, Some(&request)).await?;
        let response: PollResponse = answer.read(url)?;
        self.ack.clear();
        self.set_errs.clear();
        Ok(response.sets)
    }
}
