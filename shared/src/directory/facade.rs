//! The façade: everything that can be asked of the directory.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Actor, Cause};
use crate::{Parts, Transmitter, delivery::origin::DoorKeys, sign_in::SignIn, web::paths};

/// The directory of people and groups; cheap to clone. Its methods live beside what they are about.
///
/// It is an upstream like any other: what its changes tell goes on the queue for senders who need
/// order, as messages that the transmitter takes in. It knows types of events and no streams; the
/// transmitter knows nothing of people.
#[derive(Clone, Debug)]
pub struct Directory {
    us: Transmitter,
}

impl Directory {
    /// The directory that shares the parts of `transmitter`.
    pub fn of(transmitter: &Transmitter) -> Self {
        Self { us: transmitter.clone() }
    }

    /// What it is made of.
    pub(crate) fn parts(&self) -> &Parts {
        self.us.parts()
    }

    /// Who knows which streams a client has. Of the streams that follow consents the directory tells
    /// it whom they hear of, and of no others.
    pub(super) fn transmitter(&self) -> &Transmitter {
        &self.us
    }

    /// The key by which its messages are known as ours.
    pub(crate) fn door_keys(&self) -> &DoorKeys {
        self.us.door_keys()
    }

    /// What its people let applications have.
    pub fn sign_in(&self) -> SignIn {
        SignIn::of(&self.us, Arc::new(self.clone()))
    }

    /// Where SCIM is served: what all locations begin with.
    pub fn base(&self) -> String {
        self.parts().config.issuer.join(paths::SCIM)
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let now = self.parts().clock.now();
        // To the millisecond, as clients can read it.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// A cause of this moment, with a `txn` of its own.
    pub fn cause(&self, actor: Actor) -> Cause {
        let txn = self.parts().ids.fresh().hyphenated().to_string();
        Cause { actor, txn, at: self.now(), replaces: false }
    }
}
