//! A receiver of SETs: given the transmitter's name and its own credentials, it finds all else, as
//! any receiver does.
//!
//! It knows nothing of the transmitter but what the standards say, and so is also a test of it.

mod endpoint;
mod http;
mod manage;
mod metadata;
mod poll;
mod set;
mod stream;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::http::authorized;
pub use self::{
    endpoint::PushEndpoint,
    http::{Http, Refused},
    manage::{Credentials, Receiver},
    poll::PollLoop,
    set::{Disbelief, VerifiedSet, Verifier},
    stream::{Audience, Delivery, Method, Stream},
};

/// A SET as it came in. It is answered for, by an acknowledgement or a 202, when it is
/// [taken](Self::take), and comes again when it never is.
#[derive(Debug)]
pub struct Arrival {
    /// What it says, or why that is not believed.
    pub set: Result<VerifiedSet, Disbelief>,
    /// When it came.
    pub at: Timestamp,
    taken: oneshot::Sender<()>,
}

impl Arrival {
    /// Takes responsibility for it.
    pub fn take(self) -> Result<VerifiedSet, Disbelief> {
        // If nobody waits for the word, it comes again.
        let _ = self.taken.send(());
        self.set
    }
}

/// Hands on a SET that came `at` a time. Says whether it was taken.
async fn hand_on(
    arrivals: &mpsc::Sender<Arrival>,
    set: Result<VerifiedSet, Disbelief>,
    at: Timestamp,
) -> bool {
    let (taken, when_taken) = oneshot::channel();
    arrivals.send(Arrival { set, at, taken }).await.is_ok() && when_taken.await.is_ok()
}
