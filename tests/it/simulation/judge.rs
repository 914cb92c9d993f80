//! Looks at each SET that reaches a receiver.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use ssf::set::{PublicKey, jws::Header};
use tests::world::claims;

use super::{
    house::{Arrival, Entry, House, at_once},
    model::{Model, Settled, What, kind, payload, tells},
    plan::RECEIVERS,
};

/// What is remembered of the SETs that were seen.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// By `jti`: the bytes, the stream, what it tells.
    sets: HashMap<String, (String, usize, What)>,
    /// By stream, group and subject: the place of the event that got through last.
    last: HashMap<(usize, u8, usize), usize>,
    /// What was acknowledged by poll, and that we heard so.
    pub(super) acknowledged: Settled,
    /// What was refused by poll: the operator may let it be tried again.
    pub(super) refused: Settled,
    /// What polls gave and was not acknowledged yet, in order.
    pub(super) given: BTreeMap<usize, Vec<String>>,
    /// All keys.
    keys: HashMap<String, Arc<PublicKey>>,
    /// Which of them were in the JWKS when.
    published: Vec<(Timestamp, HashSet<String>)>,
    /// When a key was made to sign at once.
    pub(super) emergencies: Vec<Timestamp>,
}

/// A SET as a receiver reads it.
pub(super) struct Seen {
    pub(super) jti: String,
    pub(super) what: What,
}

impl Model {
    /// Notes what is in the JWKS now, and any new keys that signed.
    pub(super) fn publish(&mut self, house: &House, entries: &[Entry]) {
        let now = house.now();
        let mut sets = entries.iter().flat_map(Entry::sets);
        if sets.any(|set| !self.judge.keys.contains_key(&kid(set))) {
            let fresh = house.keys().into_iter().map(|key| (key.kid.clone(), key));
            self.judge.keys = fresh.collect();
        }
        let jwks = at_once(house.plain.keys().published()).expect("there are keys");
        let published = &mut self.judge.published;
        published.push((now, jwks.into_iter().map(|key| key.kid.clone()).collect()));
        // What no receiver can have kept.
        let old = now - 20.minutes();
        let outlived = published.iter().rposition(|(at, _)| *at < old).unwrap_or_default();
        published.drain(..outlived);
    }

    /// Checks a SET that a receiver got on `stream`: who, what, signed how, the same as before.
    pub(super) fn read(&mut self, stream: usize, set: &str) -> Seen {
        let claims = claims(set);
        self.check_signature(set, &claims);
        let (name, _) = RECEIVERS[self.streams[stream].receiver];
        assert_eq!(claims["iss"], "https://tocsin.example");
        assert_eq!(claims["aud"], format!("https://{name}.example"), "a SET went to a stranger");
        assert_eq!((&claims["sub"], &claims["exp"]), (&Value::Null, &Value::Null));
        let what = self.what(stream, &claims);
        let jti = claims["jti"].as_str().expect("there is a jti").to_owned();
        let seen = (set.to_owned(), stream, what.clone());
        let known = self.judge.sets.entry(jti.clone()).or_insert_with(|| seen.clone());
        assert!(known.1 == seen.1 && known.2 == seen.2, "one jti for two SETs: {known:?} {seen:?}");
        assert_eq!(known.0, seen.0, "the bytes of {jti} changed ({what:?} on stream {stream})");
        Seen { jti, what }
    }

    fn what(&mut self, stream: usize, claims: &Value) -> What {
        let events = claims["events"].as_object().expect("there are events");
        assert_eq!(events.len(), 1);
        let (uri, event) = events.iter().next().expect("there is one");
        let txn = claims["txn"].as_str().expect("there is a txn");
        if let Some(own) = uri.strip_prefix("https://schemas.openid.net/secevent/ssf/event-type/") {
            let id = self.streams[stream].id.as_str();
            assert_eq!(claims["sub_id"], json!({"format": "opaque", "id": id}));
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            return match own {
                "verification" => What::Verification(text("state")),
                "stream-updated" => What::Updated(text("reason")),
                other => panic!("{other} was never asked for"),
            };
        }
        let number = event["reason_admin"]["en"].as_str().and_then(|text| text.parse().ok());
        let number: usize = number.expect("the event is one of the plan's");
        let known = &mut self.events[number];
        let told = self.told.get(&(number, stream)).cloned().unwrap_or_default();
        let sub_id = &claims["sub_id"];
        assert!(tells(sub_id, known.subject, &told.known), "{sub_id} tells too much: {told:?}");
        assert_eq!((uri, event), (&kind(known.kind), &payload(number, known.kind)));
        assert_eq!(known.txn.get_or_insert_with(|| txn.to_owned()), txn, "one cause, two txns");
        What::Event(number)
    }

    /// A receiver may have fetched the JWKS up to 5 minutes before the SET was signed, and at any
    /// time since.
    fn check_signature(&self, set: &str, claims: &Value) {
        let kid = kid(set);
        let Judge { keys, published, emergencies, .. } = &self.judge;
        let key = keys.get(&kid).expect("there is such a key");
        assert!(key.verify(set).is_some(), "the signature is wrong");
        let signed = claims["iat"].as_i64().expect("there is an iat");
        let signed = Timestamp::from_second(signed).expect("it is a time");
        if emergencies.iter().any(|at| (*at - 2.minutes()..*at + 6.minutes()).contains(&signed)) {
            return;
        }
        for (at, jwks) in published.iter().filter(|(at, _)| *at >= signed - 5.minutes()) {
            assert!(jwks.contains(&kid), "the JWKS of {at} lacks the key of {signed}");
        }
    }

    /// Checks that an event may be told to `stream`, and notes that it was. `accepted`: the receiver
    /// has it now.
    pub(super) fn hear(&mut self, stream: usize, seen: &Seen, accepted: bool) {
        match &seen.what {
            What::Event(event) => self.hear_event(stream, *event, &seen.jti, accepted),
            What::Updated(reason) => {
                let ours = ["push has failed for too long", "the receiver has not shown"];
                let known = self.news.iter_mut().filter(|news| news.stream == stream);
                let mut known = known.filter(|news| news.what == seen.what).peekable();
                assert!(
                    known.peek().is_some() || ours.iter().any(|known| reason.starts_with(known)),
                    "nobody set the status of stream {stream}: {reason}"
                );
                known.for_each(|news| news.delivered |= accepted);
            }
            What::Verification(state) => {
                let known = self
                    .news
                    .iter_mut()
                    .find(|news| news.stream == stream && news.what == seen.what && news.may);
                let known = known.unwrap_or_else(|| panic!("{state:?} must not come any more"));
                known.delivered |= accepted;
            }
        }
    }

    fn hear_event(&mut self, stream: usize, number: usize, jti: &str, accepted: bool) {
        let told = self.told.entry((number, stream)).or_default();
        assert!(told.may, "stream {stream} does not want event {number}, or not any more");
        let known = told.jti.get_or_insert_with(|| jti.to_owned());
        assert_eq!(known, jti, "event {number} has two names on stream {stream}");
        if !accepted {
            return;
        }
        told.successes += 1;
        let (again, refused) = (told.successes > 1, told.refused);
        let event = &self.events[number];
        // What was refused and tried again comes late.
        if again || refused || event.astray {
            return;
        }
        if let (Some((group, first)), Some((_, last))) = (event.places.first(), event.places.last())
        {
            let key = (stream, *group, event.subject);
            let latest = self.judge.last.entry(key).or_default();
            assert!(
                *latest <= *last,
                "event {number} came to stream {stream} after a later one about the same subject"
            );
            *latest = (*latest).max(*first);
        }
    }

    /// Checks where a SET was posted to.
    pub(super) fn check_endpoint(&self, stream: usize, arrival: &Arrival) {
        let (name, _) = RECEIVERS[self.streams[stream].receiver];
        let header = format!("Bearer {name} {}", arrival.endpoint);
        assert_eq!(arrival.authorization, Some(header));
    }
}

/// The name of the key that signed a SET.
fn kid(set: &str) -> String {
    let header = Header::of(set).expect("there is a header");
    assert_eq!(header.typ.as_deref(), Some("secevent+jwt"));
    header.kid.expect("there is a kid")
}
