//! The directory: people and groups, and what their changes tell.
//!
//! Every change, whichever way it comes, is one transaction: the resource, the rows by which it is
//! found, who changed what ([`Change`]), and the events that follow, in the outbox. Then the request
//! puts the events on the queue for senders who need order; what a crash left there, the sweep does.
//!
//! # What is promised
//!
//! * **Every change is told.** What was committed is told, once to each stream that wants it, and in
//!   order for each person and each group. Order holds for one resource, not between a group and its
//!   members; a shared `txn` joins them.
//! * **The same change tells the same**, whichever way it came; what changes nothing tells nothing.
//! * **Off means off.** Who is locked or deleted is so at once: every use reads the person's row.
//! * **Consent decides who hears.** What waits for a person is done in the order in which it was
//!   committed, events and consents alike: so an application never hears what was committed after a
//!   consent was taken back.
//! * **No name twice.** A `userName` and a group's `displayName` are unique without regard to case
//!   and to the Unicode form, also where two come at once.

mod access;
mod addresses;
mod again;
mod attempts;
mod attributes;
mod authenticate;
mod candidates;
mod cause;
mod claims;
mod commit;
mod counts;
mod credentials;
mod facade;
mod factor;
mod feed;
mod fits;
mod group;
mod groups;
mod halfway;
mod history;
mod id;
mod jobs;
mod journal;
mod lists;
mod lookup;
mod member_pages;
mod member_request;
mod members;
mod model;
mod outbox;
mod own_password;
mod password;
mod password_rules;
mod plan;
mod positions;
mod preview;
mod record;
mod resource;
mod second_factors;
mod sign_ins;
mod sorted;
mod store;
mod sweep;
mod tells;
mod text;
mod user;
mod userinfo;
mod users;

pub use access::Access;
pub use attributes::{Address, ENTERPRISE, Enterprise, Labelled, Manager, Name, UserAttributes};
pub use authenticate::{Claim, Proof};
pub use cause::{Actor, Cause};
pub use credentials::hashing;
pub use facade::Directory;
pub use factor::{NewAuthenticator, SecondFactor};
pub use group::Group;
pub use halfway::HALFWAY_LIVES;
pub use id::ResourceId;
pub use lists::{Found, Listed, MAX_PAGE, Search, Start};
pub use member_pages::Membership;
pub use member_request::{MAX_MEMBER_CHANGES, MemberRequest, MemberStep, Unknown};
pub(crate) use model::{is_field, is_writable_field};
pub use own_password::OwnPassword;
pub use password::PasswordHash;
pub use password_rules::{MAX_CHOSEN, MIN_ALONE, MIN_WITH_SECOND, Weak};
pub use positions::CURSOR_LIVES;
pub use preview::Preview;
pub use record::{Change, Deed, Following};
pub use resource::{Given, location};
pub use second_factors::{Second, SecondProof};
pub(crate) use store::user_key;
pub use sweep::Kept;
pub use tells::version;
pub use user::User;
pub use userinfo::UserInfo;
pub use users::Changed;
