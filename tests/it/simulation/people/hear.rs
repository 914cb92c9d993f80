//! What receivers are told: whether it may be, and in order.

use serde_json::Value;
use ssf::{directory::ResourceId, event::EventType};
use tests::world::claims;

use super::{
    super::house::{Arrival, Entry},
    model::{About, FOLLOWER},
    plan::CLIENTS,
    run::{BY_CONSENT, Expected, Heard, POLLER, Run},
};

/// The types of which the receiver that polls hears.
pub(super) const POLLED: [EventType; 4] = [
    EventType::SESSION_REVOKED,
    EventType::ACCOUNT_DISABLED,
    EventType::SCIM_DEACTIVATE,
    EventType::SCIM_PATCH_NOTICE,
];

impl Expected {
    pub(super) fn new(
        resource: ResourceId,
        (name, followed): (Option<usize>, bool),
        about: About,
        kind: &'static str,
        txn: String,
        rank: (usize, usize),
    ) -> Self {
        let full = kind.ends_with(":full");
        let by_mail = matches!(about, About::Person | About::Address);
        let named = by_mail && name.is_some_and(|name| name < 2);
        let polled = POLLED.iter().any(|polled| polled.short_name() == kind);
        let feed = kind.starts_with("feed:");
        let everybody = !full && !feed;
        // By consent it hears of people alone, and of what ends at the application itself.
        let by_consent = match about {
            About::Person => feed || (followed && !full),
            About::At(client) => client == FOLLOWER,
            About::Group(_) | About::Address => false,
        };
        let wants = [everybody, everybody && named, polled, by_consent];
        let heard = wants.map(|wanted| Heard { wanted, must: wanted, ..Heard::default() });
        Self { resource, about, kind, txn, rank, heard }
    }
}

/// Whether a SET says that its stream stops, or goes on, with its client.
fn is_of_client(claims: &Value) -> bool {
    let uri = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
    let reason = claims["events"][uri]["reason"].as_str().unwrap_or_default();
    reason.starts_with("the client is ")
}

impl Run {
    pub(super) fn hear(&mut self) {
        let entries = std::mem::take(&mut *self.house.journal.lock().expect("nobody panicked"));
        for entry in entries {
            match entry {
                Entry::Arrived(Arrival { endpoint, set, reply, .. }) => {
                    self.hear_one(endpoint, &set, reply.is_success());
                }
                Entry::Polled { stream, sets, .. } => {
                    for (jti, set) in sets {
                        self.hear_one(stream, &set, true);
                        let jti = jti.as_str().to_owned();
                        if !self.given.contains(&jti) {
                            self.given.push(jti);
                        }
                    }
                }
                Entry::Accepted(_) | Entry::Attempted(_) | Entry::Began(_) | Entry::Done(..) => {}
            }
        }
    }

    fn hear_one(&mut self, stream: usize, set: &str, success: bool) {
        let claims = claims(set);
        if is_of_client(&claims) {
            return;
        }
        let at = self.meant(stream, &claims);
        let jti = claims["jti"].as_str().expect("there is a jti").to_owned();
        let elsewhere = self.expected.iter().enumerate().any(|(other, expected)| {
            other != at && expected.heard.iter().any(|heard| heard.jti.as_ref() == Some(&jti))
        });
        assert!(!elsewhere, "{jti} is of two events");
        let expected = &self.expected[at];
        let heard = &expected.heard[stream];
        assert!(heard.wanted, "{expected:?} went to stream {stream}, which does not want it");
        let known = heard.jti.as_ref().is_none_or(|known| *known == jti);
        assert!(known, "{expected:?} has two names");
        if success && heard.successes == 0 {
            self.check_order(stream, at);
        }
        let heard = &mut self.expected[at].heard[stream];
        heard.jti = Some(jti);
        heard.successes += usize::from(success);
    }

    /// Nothing that came later has got through before.
    fn check_order(&self, stream: usize, at: usize) {
        let this = &self.expected[at];
        let overtaken = self.expected.iter().find(|other| {
            let one_line = (other.resource, other.about) == (this.resource, this.about);
            let later = if other.txn == this.txn {
                other.rank.1 > this.rank.1
            } else {
                // What happened side by side has no order.
                other.rank.0 > this.rank.0
            };
            one_line && later && other.heard[stream].successes > 0
        });
        assert!(overtaken.is_none(), "on stream {stream} {this:?} comes behind {overtaken:?}");
    }

    /// Which event a SET tells of.
    fn meant(&self, stream: usize, claims: &Value) -> usize {
        let (name, _) = super::super::plan::RECEIVERS[stream];
        assert_eq!(claims["aud"], format!("https://{name}.example"), "a SET went to a stranger");
        let uri = claims["events"].as_object().and_then(|events| events.keys().next());
        let kind = EventType::new(uri.expect("there is an event").clone());
        let txn = claims["txn"].as_str().expect("there is a txn");
        let subject = &claims["sub_id"];
        let is_it = |expected: &&Expected| {
            expected.txn == txn && expected.kind == kind.short_name() && names(subject, expected)
        };
        let found = self.expected.iter().position(|expected| is_it(&expected));
        found.unwrap_or_else(|| panic!("stream {stream} is told what did not happen: {claims}"))
    }

    /// What was held for the application of somebody who takes the consent back may be dropped, and is
    /// never owed any more.
    pub(super) fn take_back(&mut self, person: ResourceId) {
        let of_person = self.expected.iter_mut().filter(|expected| expected.resource == person);
        for expected in of_person.filter(|expected| expected.about == About::Person) {
            expected.heard[BY_CONSENT].must &= expected.kind.starts_with("feed:");
        }
    }

    /// What is still on its way when a consent comes may be told by it.
    pub(super) fn let_hear(&mut self, person: ResourceId) {
        let of_person = self.expected.iter_mut().filter(|expected| expected.resource == person);
        for expected in of_person.filter(|expected| expected.about == About::Person) {
            expected.heard[BY_CONSENT].wanted |= !expected.kind.ends_with(":full");
        }
    }

    /// All that was to be told has been.
    pub(super) fn check_told(&self) {
        for expected in &self.expected {
            for (stream, heard) in expected.heard.iter().enumerate() {
                assert!(
                    !heard.must || heard.successes > 0,
                    "stream {stream} never heard {expected:?}"
                );
                let twice = self.clean && stream != POLLER && heard.successes > 1;
                assert!(!twice, "{expected:?} was pushed {} times without need", heard.successes);
            }
        }
    }
}

/// Whether a subject is the one that is expected; an address is known by the request alone.
fn names(subject: &Value, expected: &Expected) -> bool {
    let id = expected.resource.to_string();
    match (subject["format"].as_str(), expected.about) {
        (Some("iss_sub"), About::Person) => subject["sub"] == id,
        (Some("scim"), About::Person) => subject["uri"] == format!("/Users/{id}"),
        (Some("scim"), About::Group(_)) => subject["uri"] == format!("/Groups/{id}"),
        (Some("email"), About::Person | About::Address) => true,
        (Some("complex"), About::At(client)) => {
            assert!(client < CLIENTS);
            subject["user"]["sub"] == id && subject["application"]["id"] == format!("app-{client}")
        }
        _ => false,
    }
}
