//! Sessions of people at their browsers, and what they let applications have: consents, authorization
//! codes, and the tokens that follow.
//!
//! Nothing here is good by itself. Each use of a code or a token reads, by one read, the rows of the
//! application, the person and the consent that it was issued under ([`Bond`]): so a person who is
//! locked out or gone, a consent that was revoked, an application that was disabled or deleted, end
//! all that follows from them at that moment, and what removes the rows may take its time.
//!
//! Who tells others of what happens ([`Also`]) does so in the same transaction.

mod applications;
mod assurance;
mod attributes;
mod authorization;
mod back_channel;
mod bond;
mod cascade;
mod code;
mod codes;
mod consent;
mod consents;
mod facade;
mod family;
mod grant;
mod id_token;
mod logout;
mod owner;
mod parameters;
mod people;
mod pkce;
mod session;
mod sessions;
mod store;
mod token_end;
mod tokens;

pub use assurance::{Assurance, Means};
pub use authorization::{
    AuthorizationError, AuthorizationRequest, Decision, NotAuthorized, Prompt, Seen, Shown,
    SignInReason, decide,
};
pub use back_channel::Logout;
pub(crate) use back_channel::logouts_of;
pub use bond::{Bond, Cut, Standing};
pub(crate) use cascade::{consented, forget_client, forget_consents, forget_tokens};
pub use code::{AuthorizationCode, CODE_LIFETIME, CodeFault, Exchange};
pub use codes::CodeWish;
pub use consent::{Consent, ConsentChange};
pub use facade::{Also, Happened, Refusal, SignIn, nothing};
pub use family::{ACCESS_LIFETIME, Family, FamilyId, GRACE, REFRESH_LIFETIME, Revoked, SignedIn};
pub use grant::{PersonGrant, PersonIntrospection};
pub use id_token::{ID_TOKEN_LIFETIME, IdTokenHint};
pub use logout::{LogoutDecision, LogoutRefused, LogoutRequest, LogoutShown, decide_logout};
pub use owner::{Owner, Owners, SubjectId};
pub use pkce::{Challenge, ChallengeMethod};
pub use session::{Place, SESSION_IDLE, SESSION_LIFETIME, Session, SessionEnd, network};
pub use sessions::NewSession;
pub use tokens::{PersonToken, Tokens};
