//! What an application asks for at the authorization endpoint (RFC 6749, 4.1.1; OpenID Connect Core
//! 1.0, 3.1.2), what follows from it, and the answer.
//!
//! 1. [`SignIn::authorization`](crate::sign_in::SignIn::authorization) reads the request and its client.
//!    What is wrong is shown to the person, as long as the address to send the browser back to is not
//!    known for sure; else the browser is sent there with the error.
//! 2. [`decide`] says what is next: the person signs in, consents, or is sent back.
//! 3. Pages carry the request through their forms as [`AuthorizationRequest::to_query`], so that nothing
//!    of it is kept here. What has been done leaves it: [`AuthorizationRequest::after_sign_in`],
//!    [`AuthorizationRequest::after_consent`].
//! 4. [`SignIn::authorize_issue`](crate::sign_in::SignIn::authorize_issue) issues the code.

mod answer;
mod decide;
mod error;
mod request;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Seen, SignInReason, decide};
pub use error::{AuthorizationError, NotAuthorized, Shown};
pub use request::{AuthorizationRequest, Prompt};
