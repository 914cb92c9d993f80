//! Signing out because an application asks for it (OpenID Connect RP-Initiated Logout 1.0).
//!
//! Nobody is signed out by a link of a stranger: without an ID token of this very person, the person is
//! asked. And nobody is sent to an address that the application has not registered.

use url::form_urlencoded;

use crate::{
    Error,
    client::{Client, ClientId, client_key},
    sign_in::{IdTokenHint, Seen, SignIn, parameters::Parameters},
    table::{Item, TableError},
};

/// The parameters that mean something.
const PARAMETERS: [&str; 6] = [
    "id_token_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "logout_hint",
    "ui_locales",
];

/// What an application asks for, or a person without one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutRequest {
    /// The application, if it said who it is.
    pub client: Option<ClientId>,
    /// Its name to people.
    pub client_name: Option<String>,
    /// What the ID token says that it sent along.
    pub hint: Option<IdTokenHint>,
    /// Where the browser is sent then: an address that the application has registered, with its
    /// `state`.
    pub redirect: Option<String>,
    /// The languages that the person reads, in the order of preference (BCP 47).
    pub ui_locales: Vec<String>,
    parameters: Parameters,
}

/// Why a request leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum LogoutRefused {
    /// The person is shown what is wrong, and is sent nowhere.
    #[error(transparent)]
    Shown(#[from] LogoutShown),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<TableError> for LogoutRefused {
    fn from(error: TableError) -> Self {
        Self::Other(error.into())
    }
}

/// What is wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LogoutShown {
    /// A parameter is there twice, or too long.
    #[error("{0}")]
    Parameter(String),
    /// It is no ID token from here.
    #[error("id_token_hint is no ID token from here")]
    IdTokenHint,
    /// There is no such application, or it is not the one of the ID token.
    #[error("client_id names no application, or another than id_token_hint")]
    Client,
    /// The application has not registered this address, or none was named that could have.
    #[error("post_logout_redirect_uri is none that the application has registered")]
    RedirectUri,
}

/// What is next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogoutDecision {
    /// The session ends, then the browser is sent on.
    End,
    /// The person is asked whether they want that.
    Confirm,
    /// Nobody is signed in: the browser is sent on.
    Nobody,
}

impl SignIn {
    /// Reads a request to sign out: `pairs` are the members of the query or of the form.
    pub async fn logout_request(
        &self,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<LogoutRequest, LogoutRefused> {
        let parameters = Parameters::read(&PARAMETERS, pairs);
        if let Some(fault) = parameters.fault() {
            return Err(LogoutShown::Parameter(fault.to_string()).into());
        }
        let hint = match parameters.get("id_token_hint") {
            Some(token) => Some(self.id_token_hint(token).await?.ok_or(LogoutShown::IdTokenHint)?),
            None => None,
        };
        let named = match parameters.get("client_id") {
            Some(id) => Some(ClientId::parse(id).ok_or(LogoutShown::Client)?),
            None => None,
        };
        let client = match (&named, &hint) {
            (Some(named), Some(hint)) if *named != hint.client => {
                return Err(LogoutShown::Client.into());
            }
            (Some(id), _) | (None, Some(IdTokenHint { client: id, .. })) => {
                self.application_of(id).await?
            }
            (None, None) => None,
        };
        if named.is_some() && client.is_none() {
            return Err(LogoutShown::Client.into());
        }
        Ok(LogoutRequest {
            redirect: redirect(&parameters, client.as_ref())?,
            client: client.as_ref().map(|client| client.client_id.clone()),
            client_name: client.map(|client| client.client_name),
            hint,
            ui_locales: parameters.words("ui_locales").into_iter().map(str::to_owned).collect(),
            parameters,
        })
    }

    /// The client of this id that is not disabled.
    async fn application_of(&self, id: &ClientId) -> Result<Option<Client>, Error> {
        let row = self.parts().table.get(&client_key(id)).await?;
        let client: Option<Client> = row.as_ref().map(Item::read).transpose()?;
        Ok(client.filter(|client| !client.disabled))
    }
}

impl LogoutRequest {
    /// Its query string, without what means nothing here: whoever reads it reads the same request.
    pub fn to_query(&self) -> String {
        self.parameters.query()
    }
}

/// What is next for `session`, who is at the browser.
pub fn decide_logout(request: &LogoutRequest, session: Option<&Seen>) -> LogoutDecision {
    let Some(seen) = session else { return LogoutDecision::Nobody };
    let is_theirs = request.hint.as_ref().is_some_and(|hint| {
        hint.subject == seen.subject && (hint.sid.is_none() || hint.sid == seen.signed_in.sid)
    });
    if is_theirs { LogoutDecision::End } else { LogoutDecision::Confirm }
}

/// RP-Initiated Logout 1.0, 3: the address must be registered, character by character, by an
/// application that is known.
fn redirect(
    parameters: &Parameters,
    client: Option<&Client>,
) -> Result<Option<String>, LogoutShown> {
    let Some(uri) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    let registered = client.map(|client| &client.application.post_logout_redirect_uris);
    if !registered.is_some_and(|uris| uris.iter().any(|registered| registered.as_str() == uri)) {
        return Err(LogoutShown::RedirectUri);
    }
    let Some(state) = parameters.get("state") else { return Ok(Some(uri.to_owned())) };
    let state =
        form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let separator = if uri.contains('?') { "&" } else { "?" };
    Ok(Some(format!("{uri}{separator}{state}")))
}
