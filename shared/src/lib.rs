//! The domain of Tocsin, a transmitter of the OpenID Shared Signals Framework.
//!
//! # The cast
//!
//! * The [`Transmitter`] is us: everything that can be asked of the product is a method of it.
//! * A [`Receiver`](client::Receiver) is an authenticated caller who owns streams; behind it stands
//!   the [`Client`](client::Client) that an operator registered.
//! * A [`Stream`](stream::Stream) is an agreement with one receiver: which events, about whom,
//!   delivered how.
//! * A [`SecurityEvent`](event::SecurityEvent) is what happened, as an upstream system told it,
//!   before any token.
//! * A [`SecurityEventToken`](set::SecurityEventToken) (SET) is one event made out to one stream:
//!   the claims. Signed, it is a [`SignedToken`](set::SignedToken), and its bytes never change.
//! * A [`PushTask`](delivery::PushTask) is most often a bell rung for one lane of one push stream: "there may
//!   be something to send here". What to send stands in the table.
//!
//! # What is promised
//!
//! * **Nothing is lost.** When [`Transmitter::accept`] reports an event as accepted, it is delivered
//!   at least once to every stream that wants it, or is visible as failed with its reason, or was
//!   dropped by an operator.
//! * **The receiver is judged, not the SET.** We pause a stream because pushes fail only when nothing has
//!   got through for a day. While anything gets through, a SET that is never taken fails after a day,
//!   with its reason, and its subject goes on.
//! * **Same `jti`, same bytes.** A SET is signed once, stored, and sent as stored, however often.
//! * **In order** per stream and subject, in the order in which the queue accepted the events; of a
//!   subject with several names, as long as its sender puts the same name first.
//! * **Held while paused**, without a bound on their number and for as long as the pause lasts, and
//!   delivered in order on enable, if their types are still asked for; **dropped while disabled**.
//! * **Nothing goes to a stranger.** A stream is only ever reached together with its owner. And of a
//!   subject with several names ([RFC 9493, 3.2.8]) a receiver is told by those that it knows, and
//!   whole resources of SCIM go only to clients whom the operator trusts with them.
//! * **Consent decides**, where a client is registered so: its streams hear of people who gave it their
//!   consent. What is committed after somebody took it back never reaches it; what was held for it is
//!   dropped, and at most a push that was begun a second before is still on its way.
//! * **No late surprises.** After a stream's create or update returns, every event accepted later
//!   sees it.
//!
//! # The map
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`stream`] | streams: configuration, status, subjects, verification |
//! | [`subject`] | subject identifiers and when two of them match |
//! | [`event`] | the event types and what each requires |
//! | [`source`] | what AWS and identity providers already tell, as event messages |
//! | [`set`] | SETs, signing, keys |
//! | [`delivery`] | push and poll, back-off, lanes |
//! | [`client`] | OAuth clients, tokens, outside issuers |
//! | [`scim`] | SCIM 2.0 on the wire: schemas, filters, PATCH, lists |
//! | [`directory`] | people and groups, and the events that their changes tell |
//! | [`sign_in`] | what people let applications have: consents, codes, their tokens |
//! | [`model`] | what clients, codes, tokens and consents have in common |
//! | [`operator`] | what an operator sees and does |
//! | [`metrics`] | what is counted and timed |
//! | [`web`] | what the HTTP functions share: problems, extractors, limits |
//! | [`table`], [`queue`], [`seal`], [`clock`], [`ids`] | the seams to what is not ours |
//! | `embedded` | their homes on a laptop (feature `embedded`) |

pub mod client;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod directory;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod error;
pub mod event;
pub mod ids;
pub mod json;
pub mod metrics;
pub mod model;
pub mod operator;
pub mod queue;
pub mod scim;
pub mod seal;
pub mod set;
pub mod sign_in;
pub mod source;
pub mod stream;
pub mod subject;
pub mod table;
mod transmitter;
pub mod web;

pub use error::Error;
pub use transmitter::{Parts, Transmitter};
