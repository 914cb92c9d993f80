//! Why nothing comes of a request, and who is told.

use crate::{
    Error,
    sign_in::{CodeFault, Cut, Refusal},
    table::TableError,
};

/// Why a request leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum NotAuthorized {
    /// The person is shown what is wrong, and is sent nowhere: where to is not known for sure.
    #[error(transparent)]
    Shown(#[from] Shown),
    /// The browser is sent to this address, which says to the application what is wrong.
    #[error("the application is told what is wrong")]
    Redirect(String),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<TableError> for NotAuthorized {
    fn from(error: TableError) -> Self {
        Self::Other(error.into())
    }
}

/// What is wrong with a request before it is known that its address is the application's own (RFC
/// 6749, 4.1.2.1).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Shown {
    /// A parameter that says where to is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A parameter that says where to is there twice.
    #[error("{0} is there twice")]
    Twice(&'static str),
    /// There is no such client, or the operator disabled it.
    #[error("client_id names no application")]
    Client,
    /// The application has not registered this address.
    #[error("redirect_uri is none that the application has registered")]
    RedirectUri,
}

/// What an application is told (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuthorizationError {
    /// A parameter is missing, there twice, or not as it must be.
    #[error("{0}")]
    InvalidRequest(String),
    /// The application is not registered for codes.
    #[error("the client may not use this response type")]
    UnauthorizedClient,
    /// The person, or the operator, does not want it.
    #[error("it was not allowed")]
    AccessDenied,
    /// There is only `code`.
    #[error("response_type must be code")]
    UnsupportedResponseType,
    /// None of the scopes can be had.
    #[error("the client may have none of these scopes")]
    InvalidScope,
    /// Something is wrong here.
    #[error("something went wrong here")]
    ServerError,
    /// The same again may succeed soon.
    #[error("there is too much to do; try again soon")]
    TemporarilyUnavailable,
    /// `prompt=none`, but the person must sign in; or it is another person.
    #[error("the person must sign in")]
    LoginRequired,
    /// `prompt=none`, but the person must be asked for consent.
    #[error("the person must be asked for consent")]
    ConsentRequired,
    /// `prompt=none`, but the person must do something else.
    #[error("the person must do something")]
    InteractionRequired,
    /// Request objects are not read (OpenID Connect Core 1.0, 6.1).
    #[error("request is not supported")]
    RequestNotSupported,
    /// Nor are those at addresses (OpenID Connect Core 1.0, 6.2).
    #[error("request_uri is not supported")]
    RequestUriNotSupported,
    /// Nor do clients register themselves on the way (OpenID Connect Core 1.0, 7.2.1).
    #[error("registration is not supported")]
    RegistrationNotSupported,
}

impl AuthorizationError {
    /// The word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }

    /// What an application is told when no code is issued.
    pub(super) fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Grant | Refusal::Cut(Cut::ClientGone | Cut::ClientDisabled) => {
                Self::UnauthorizedClient
            }
            Refusal::Cut(Cut::OwnerGone | Cut::Ended) => Self::LoginRequired,
            Refusal::Cut(Cut::ConsentMissing | Cut::ConsentRevoked) => Self::ConsentRequired,
            Refusal::Cut(Cut::OwnerLocked) => Self::AccessDenied,
            Refusal::Scope => Self::InvalidScope,
            Refusal::ChallengeMissing => {
                Self::InvalidRequest("code_challenge: is missing".to_owned())
            }
            Refusal::Code(CodeFault::RedirectUri | CodeFault::Verifier | CodeFault::Over)
            | Refusal::Unknown
            | Refusal::Over
            | Refusal::Replayed { .. }
            | Refusal::Reused { .. }
            | Refusal::Other(_) => Self::ServerError,
        }
    }
}
