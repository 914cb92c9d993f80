//! A request that is as it must be.

use std::collections::BTreeSet;

use super::{AuthorizationError, NotAuthorized, Shown, answer::error_url};
use crate::{
    client::{Client, ClientId, GrantType, ResponseType, Scope, client_key},
    config::Issuer,
    sign_in::{Challenge, SignIn, SubjectId, parameters::Parameters},
    table::Item,
};

/// The parameters that mean something.
pub(super) const PARAMETERS: [&str; 19] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "acr_values",
    "claims",
    "request",
    "request_uri",
    "registration",
];

/// What an application asks for, which has proved nothing yet but that the address is registered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationRequest {
    /// The application.
    pub client: ClientId,
    /// Where the browser is sent back to: an address that the application has registered.
    pub redirect_uri: String,
    /// What it asks for, as far as it may have it, and never nothing. `offline_access` only if it was
    /// asked for by name.
    pub scope: Vec<Scope>,
    /// What the answer repeats.
    pub state: Option<String>,
    /// What the ID token repeats.
    pub nonce: Option<String>,
    /// What the exchange of the code must prove.
    pub challenge: Option<Challenge>,
    /// What the person is to be asked, whatever is known.
    pub prompt: BTreeSet<Prompt>,
    /// How many seconds ago the person may have signed in at most.
    pub max_age: Option<u64>,
    /// Who might want to sign in; to be put into the form, and to be believed in nothing.
    pub login_hint: Option<String>,
    /// The person of the ID token that the application sent along.
    pub hinted: Option<SubjectId>,
    /// The languages that the person reads, in the order of preference (BCP 47).
    pub ui_locales: Vec<String>,
    /// How surely the application wants to know the person; voluntary.
    pub acr_values: Vec<String>,
    /// Whether the person has just consented; never from outside.
    pub(super) consented: bool,
    parameters: Parameters,
}

/// What a person is to be asked (OpenID Connect Core 1.0, 3.1.2.1).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Prompt {
    /// Nothing.
    None,
    /// To sign in, though they have.
    Login,
    /// To consent, though they have.
    Consent,
    /// Who they are.
    SelectAccount,
}

impl Prompt {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.name() == name)
    }
}

impl SignIn {
    /// Reads a request for authorization: `pairs` are the members of the query or of the form. With it
    /// comes its client.
    pub async fn authorization(
        &self,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(AuthorizationRequest, Client), NotAuthorized> {
        let parameters = Parameters::read(&PARAMETERS, pairs);
        let id = ClientId::parse(shown(&parameters, "client_id")?).ok_or(Shown::Client)?;
        let row = self.parts().table.get(&client_key(&id)).await?;
        let client: Option<Client> = row.as_ref().map(Item::read).transpose()?;
        let client = client.filter(|client| !client.disabled).ok_or(Shown::Client)?;
        let redirect_uri = shown(&parameters, "redirect_uri")?.to_owned();
        if !client.redirects_to(&redirect_uri) {
            return Err(Shown::RedirectUri.into());
        }
        let issuer = &self.parts().config.issuer;
        let state = parameters.get("state").map(str::to_owned);
        let refuse = |error: &AuthorizationError| {
            NotAuthorized::Redirect(error_url(&redirect_uri, state.as_deref(), issuer, error))
        };
        let mut request =
            AuthorizationRequest::of(parameters, &client).map_err(|error| refuse(&error))?;
        if let Some(hint) = request.parameters.get("id_token_hint") {
            let Some(hint) = self.id_token_hint(hint).await? else {
                let reason = "id_token_hint: is no ID token from here".to_owned();
                return Err(refuse(&AuthorizationError::InvalidRequest(reason)));
            };
            request.hinted = Some(hint.subject);
        }
        Ok((request, client))
    }
}

impl AuthorizationRequest {
    /// The request of `client` in `parameters`, whose `redirect_uri` was checked.
    pub(super) fn of(parameters: Parameters, client: &Client) -> Result<Self, AuthorizationError> {
        if let Some(fault) = parameters.fault() {
            return Err(AuthorizationError::InvalidRequest(fault.to_string()));
        }
        let owned = |name: &str| parameters.get(name).map(str::to_owned);
        for (name, error) in [
            ("request", AuthorizationError::RequestNotSupported),
            ("request_uri", AuthorizationError::RequestUriNotSupported),
            ("registration", AuthorizationError::RegistrationNotSupported),
        ] {
            if parameters.get(name).is_some() {
                return Err(error);
            }
        }
        match parameters.get("response_type").map(ResponseType::parse) {
            Some(Some(ResponseType::Code)) => {}
            Some(None) => return Err(AuthorizationError::UnsupportedResponseType),
            None => return Err(invalid("response_type", "is missing")),
        }
        if !client.has_grant(GrantType::AuthorizationCode)
            || !client.response_types.contains(&ResponseType::Code)
        {
            return Err(AuthorizationError::UnauthorizedClient);
        }
        if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
            return Err(invalid("response_mode", "must be query"));
        }
        let scope = scope(parameters.get("scope"), client)?;
        let challenge = challenge(&parameters, client)?;
        let prompt = prompt(&parameters)?;
        let max_age = match parameters.get("max_age").map(str::parse::<u64>) {
            Some(Err(_)) => return Err(invalid("max_age", "must be a number of seconds")),
            Some(Ok(seconds)) => Some(seconds),
            None => None,
        };
        let words = |name: &str| parameters.words(name).into_iter().map(str::to_owned).collect();
        Ok(Self {
            client: client.client_id.clone(),
            redirect_uri: owned("redirect_uri").unwrap_or_default(),
            scope,
            state: owned("state"),
            nonce: owned("nonce"),
            challenge,
            prompt,
            max_age,
            login_hint: owned("login_hint"),
            hinted: None,
            ui_locales: words("ui_locales"),
            acr_values: words("acr_values"),
            consented: false,
            parameters,
        })
    }

    /// Its query string, without what means nothing here: whoever reads it reads the same request.
    pub fn to_query(&self) -> String {
        self.parameters.query()
    }

    /// The same, where the person has just signed in: they are not asked to do so again.
    #[must_use]
    pub fn after_sign_in(mut self) -> Self {
        self.prompt.remove(&Prompt::Login);
        self.prompt.remove(&Prompt::SelectAccount);
        self.max_age = None;
        self.parameters.set("max_age", None);
        self.note_prompt()
    }

    /// The same, where the person has just consented.
    #[must_use]
    pub fn after_consent(mut self) -> Self {
        self.prompt.remove(&Prompt::Consent);
        self.consented = true;
        self.note_prompt()
    }

    fn note_prompt(mut self) -> Self {
        let names: Vec<_> = self.prompt.iter().map(|prompt| prompt.name()).collect();
        self.parameters.set("prompt", (!names.is_empty()).then(|| names.join(" ")));
        self
    }

    /// Where the browser is sent to tell the application of `error`.
    pub fn redirect_error(&self, issuer: &Issuer, error: &AuthorizationError) -> String {
        error_url(&self.redirect_uri, self.state.as_deref(), issuer, error)
    }
}

/// A parameter that says where to, and so must be there for the person to be sent anywhere.
pub(super) fn shown<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, Shown> {
    if parameters.is_twice(name) {
        return Err(Shown::Twice(name));
    }
    parameters.get(name).ok_or(Shown::Missing(name))
}

fn invalid(member: &str, reason: &str) -> AuthorizationError {
    AuthorizationError::InvalidRequest(format!("{member}: {reason}"))
}

/// What the application may have of a person, of what it asks for. What is unknown is left out (RFC
/// 6749, 3.3).
fn scope(asked: Option<&str>, client: &Client) -> Result<Vec<Scope>, AuthorizationError> {
    let mut scope = client.allowed(asked);
    // What applications do by themselves they do with tokens of their own.
    scope.retain(|scope| !scope.is_of_clients());
    if asked.is_none() {
        scope.retain(|scope| *scope != Scope::OfflineAccess);
    }
    if scope.is_empty() { Err(AuthorizationError::InvalidScope) } else { Ok(scope) }
}

fn challenge(
    parameters: &Parameters,
    client: &Client,
) -> Result<Option<Challenge>, AuthorizationError> {
    let method = parameters.get("code_challenge_method");
    match parameters.get("code_challenge") {
        Some(challenge) => Challenge::parse(challenge, method)
            .map(Some)
            .map_err(|error| AuthorizationError::InvalidRequest(error.to_string())),
        None if method.is_some() || client.needs_pkce() => {
            Err(invalid("code_challenge", "is missing"))
        }
        None => Ok(None),
    }
}

fn prompt(parameters: &Parameters) -> Result<BTreeSet<Prompt>, AuthorizationError> {
    let words = parameters.words("prompt").into_iter().map(Prompt::parse);
    let prompt: Option<BTreeSet<Prompt>> = words.collect();
    match prompt {
        Some(prompt) if prompt.contains(&Prompt::None) && prompt.len() > 1 => {
            Err(invalid("prompt", "must be none alone"))
        }
        Some(prompt) => Ok(prompt),
        None => Err(invalid("prompt", "must be none, login, consent or select_account")),
    }
}
