//! Asking for SETs, again and again (RFC 8936).

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use ::http::{Method as Verb, StatusCode};
use anyhow::Context;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, json};
use ssf::clock::{Clock, SystemClock};
use tokio::sync::mpsc;

use super::{Arrival, Receiver, Refused, Stream, hand_on};

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
    sets: Sets,
}

/// SETs by name, in the order in which the transmitter wrote them.
#[derive(Debug, Default)]
struct Sets(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Sets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Sets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of SETs")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sets, A::Error> {
                let mut sets = Vec::new();
                while let Some(set) = map.next_entry()? {
                    sets.push(set);
                }
                Ok(Sets(sets))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The wait after a poll that failed; doubled each time, up to the longest.
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

impl PollLoop {
    /// For a poll stream of `receiver`.
    pub fn new(receiver: Arc<Receiver>, stream: Stream) -> Self {
        Self { receiver, stream, ack: Vec::new(), set_errs: BTreeMap::new() }
    }

    /// Polls, and hands on what comes, until nobody takes it any more, or the transmitter says that
    /// it is no use. What was taken is acknowledged with the next poll.
    pub async fn run(mut self, arrivals: mpsc::Sender<Arrival>) -> anyhow::Result<()> {
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
                Err(error) if is_final(&error) => return Err(error),
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
        self.poll(false).await.context("the last SETs are not acknowledged").map(drop)
    }

    /// Says whether there is still somebody who takes them.
    async fn hand_on_all(&mut self, Sets(sets): Sets, arrivals: &mpsc::Sender<Arrival>) -> bool {
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
    async fn poll(&mut self, more: bool) -> anyhow::Result<Sets> {
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

/// Whether the same again cannot succeed: the stream is gone, or we are nobody any more.
fn is_final(error: &anyhow::Error) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let refused = error.downcast_ref::<Refused>().map(|refused| refused.status);
    refused.is_some_and(|status| status.is_client_error() && !later.contains(&status))
}
