//! The authorization endpoint (RFC 6749, 3.1), and what people say there.

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::LOCATION};
use ssf::{
    Transmitter,
    client::{Client, Scope},
    directory::{Actor, ResourceId, User},
    sign_in::{
        AuthorizationError, AuthorizationRequest, Decision, NotAuthorized, Seen, Shown,
        SignInReason, decide,
    },
    web::{Form, Problem, paths},
};
use url::{Url, form_urlencoded};

use crate::{
    failure::Failure,
    forms::Posted,
    leave::leave,
    texts::fill,
    views::{self, ConsentView, SignInView},
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

/// An application sends somebody here.
pub(crate) async fn ask(visitor: Visitor, RawQuery(query): RawQuery) -> Answer {
    authorize(visitor, query.as_deref().unwrap_or_default()).await
}

/// The same by a form. It comes from another site, so that no cookie came with it: asked again as a
/// link, they come.
pub(crate) async fn ask_by_form(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Answer {
    again_as_link(&us, paths::AUTHORIZE, form)
}

/// The same request to `path`, as a link.
pub(crate) fn again_as_link(us: &Transmitter, path: &str, form: Result<Form, Problem>) -> Answer {
    let members = form.map_err(Failure::Problem)?.members;
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let location = format!("{}{path}?{query}", us.parts().config.issuer.path());
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

async fn authorize(visitor: Visitor, query: &str) -> Answer {
    let (visitor, request, client) = match read(visitor, query).await? {
        Ok(read) => read,
        Err(answer) => return Ok(answer),
    };
    go_on(&visitor, request, &client).await
}

/// The request in `query` and its client, and the visitor in the language that it names; or the answer
/// to what cannot be one.
pub(crate) async fn read(
    visitor: Visitor,
    query: &str,
) -> Result<Result<(Visitor, AuthorizationRequest, Client), Response>, Failure> {
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    match visitor.sign_in.authorization(pairs).await {
        Ok((request, client)) => {
            let visitor = visitor.reads(&request.ui_locales);
            Ok(Ok((visitor, request, client)))
        }
        Err(NotAuthorized::Shown(shown)) => Ok(Err(refused(&visitor, &shown))),
        Err(NotAuthorized::Redirect(uri)) => Ok(Err(leave(&visitor, &uri))),
        Err(NotAuthorized::Other(error)) => Err(visitor.failure(error)),
    }
}

/// What is wrong with a request that leads nowhere.
fn refused(visitor: &Visitor, shown: &Shown) -> Response {
    let texts = visitor.texts();
    let why = match shown {
        Shown::Client => texts.refused_client.to_owned(),
        Shown::RedirectUri => texts.refused_redirect.to_owned(),
        Shown::Missing(_) | Shown::Twice(_) => shown.to_string(),
    };
    let page = views::message(visitor, texts.refused_title, &[texts.refused_lead, &why]);
    visitor.answer(page.status(StatusCode::BAD_REQUEST))
}

/// What is next for the request of an application.
async fn go_on(visitor: &Visitor, request: AuthorizationRequest, client: &Client) -> Answer {
    let seen = seen(visitor, &request).await?;
    match next(visitor, &request, client, seen.as_ref()).await? {
        Decision::SignIn { login_hint, reason } => {
            let view = ask_to_sign_in(visitor, &request, client, login_hint, reason).await?;
            Ok(visitor.answer(views::sign_in(visitor, &view)))
        }
        Decision::Consent { new_scopes, all } => {
            ask_for_consent(visitor, &request, client, (&new_scopes, &all)).await
        }
        Decision::Issue { scope } => issue(visitor, &request, seen, scope).await,
        Decision::Refuse(error) => Ok(refuse(visitor, &request, &error)),
    }
}

/// Who is signed in. Whether they could be known more surely is looked up only where it matters.
async fn seen(visitor: &Visitor, request: &AuthorizationRequest) -> Result<Option<Seen>, Failure> {
    let user = if request.acr_values.is_empty() { None } else { person(visitor).await? };
    let second_factor = user.is_some_and(|user| user.second_factor().is_some());
    Ok(visitor.seen().map(|seen| Seen { second_factor, ..seen }))
}

async fn next(
    visitor: &Visitor,
    request: &AuthorizationRequest,
    client: &Client,
    seen: Option<&Seen>,
) -> Result<Decision, Failure> {
    let consent = match seen {
        Some(seen) => visitor.sign_in.consent_show(&seen.subject, &client.client_id).await,
        None => Ok(None),
    };
    let consent = consent.map_err(|error| visitor.failure(error))?;
    let now = visitor.us.parts().clock.now();
    Ok(decide(request, client, seen, consent.as_ref(), now))
}

async fn issue(
    visitor: &Visitor,
    request: &AuthorizationRequest,
    seen: Option<Seen>,
    scope: Vec<Scope>,
) -> Answer {
    let Some(seen) = seen else {
        return Ok(refuse(visitor, request, &AuthorizationError::LoginRequired));
    };
    let issued = visitor.sign_in.authorize_issue(request, seen, scope).await;
    issued.map(|uri| leave(visitor, &uri)).map_err(|error| visitor.failure(error))
}

fn refuse(
    visitor: &Visitor,
    request: &AuthorizationRequest,
    error: &AuthorizationError,
) -> Response {
    leave(visitor, &request.redirect_error(&visitor.us.parts().config.issuer, error))
}

async fn ask_to_sign_in(
    visitor: &Visitor,
    request: &AuthorizationRequest,
    client: &Client,
    login_hint: Option<String>,
    reason: SignInReason,
) -> Result<SignInView, Failure> {
    let texts = visitor.texts();
    let known = match reason {
        SignInReason::Asked | SignInReason::TooLongAgo | SignInReason::MoreSurely => {
            person(visitor).await?
        }
        SignInReason::Nobody | SignInReason::Choose => None,
    };
    let name = login_hint.or(known.map(|user| user.attributes.user_name));
    let note = match reason {
        SignInReason::Asked => Some(fill(texts.again_asked, &[&client.client_name])),
        SignInReason::TooLongAgo => Some(fill(texts.again_too_long_ago, &[&client.client_name])),
        SignInReason::MoreSurely => Some(fill(texts.again_more_surely, &[&client.client_name])),
        SignInReason::Nobody | SignInReason::Choose => None,
    };
    Ok(SignInView {
        application: Some(client.client_name.clone()),
        request: request.to_query(),
        name: name.unwrap_or_default(),
        note,
        problem: None,
    })
}

/// Whoever is signed in.
pub(crate) async fn person(visitor: &Visitor) -> Result<Option<User>, Failure> {
    let subject = visitor.session.as_ref().map(|(session, _)| &session.subject);
    let Some(id) = subject.and_then(|subject| ResourceId::parse(&subject.0)) else {
        return Ok(None);
    };
    visitor.directory.user(id).await.map(Some).map_err(|error| visitor.failure(error))
}

/// What a person is called.
pub(crate) fn called(user: &User) -> String {
    let attributes = &user.attributes;
    attributes.display_name.clone().unwrap_or_else(|| attributes.user_name.clone())
}

async fn ask_for_consent(
    visitor: &Visitor,
    request: &AuthorizationRequest,
    client: &Client,
    (new, all): (&[Scope], &[Scope]),
) -> Answer {
    let Some(user) = person(visitor).await? else {
        return Ok(refuse(visitor, request, &AuthorizationError::LoginRequired));
    };
    let texts = visitor.texts();
    let scopes = all.iter().filter_map(|scope| {
        let words = views::scope_words(texts, *scope)?;
        Some((words, value(visitor, &user, *scope), new.contains(scope)))
    });
    let view = ConsentView {
        client,
        request: request.to_query(),
        other_account: other_account(visitor, request),
        person: called(&user),
        sends_to: destination(&request.redirect_uri),
        scopes: scopes.collect(),
    };
    Ok(visitor.answer(views::consent(visitor, &view)))
}

/// What an application would see with this scope now.
fn value(visitor: &Visitor, user: &User, scope: Scope) -> Option<String> {
    let attributes = &user.attributes;
    let known = match scope {
        Scope::Profile => Some(called(user)),
        Scope::Email => attributes.email().map(str::to_owned),
        Scope::Phone => attributes.phone_number().map(str::to_owned),
        Scope::Address => attributes.address().map(|address| {
            let lines = [&address.street_address, &address.postal_code, &address.locality];
            let lines: Vec<_> = lines.into_iter().flatten().map(String::as_str).collect();
            address.formatted.clone().unwrap_or_else(|| lines.join(", "))
        }),
        Scope::OpenId
        | Scope::ScimMe
        | Scope::Groups
        | Scope::OfflineAccess
        | Scope::Read
        | Scope::Manage
        | Scope::Poll
        | Scope::Scim
        | Scope::ScimRead => return None,
    };
    Some(known.unwrap_or_else(|| visitor.texts().nothing_known.to_owned()))
}

/// Where people go on to, as they know it.
fn destination(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return String::new() };
    match url.host_str() {
        Some(host) if url.scheme().starts_with("http") => host.to_owned(),
        Some(_) | None => format!("{}:", url.scheme()),
    }
}

/// The same request, for somebody else.
fn other_account(visitor: &Visitor, request: &AuthorizationRequest) -> String {
    let query = request.to_query();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let pairs = pairs.filter(|(name, _)| name != "prompt" && name != "login_hint");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .append_pair("prompt", "select_account")
        .finish();
    format!("{}?{query}", visitor.path(paths::AUTHORIZE))
}

/// A person allows what an application asks for, or does not.
pub(crate) async fn consent(posted: Posted) -> Answer {
    let (query, allows) = (posted.get("request").to_owned(), posted.get("decision") == "allow");
    let (visitor, request, client) = match read(posted.visitor, &query).await? {
        Ok(read) => read,
        Err(answer) => return Ok(answer),
    };
    let seen = seen(&visitor, &request).await?;
    let decision = next(&visitor, &request, &client, seen.as_ref()).await?;
    let (Decision::Consent { all, .. }, Some(person)) = (decision, &seen) else {
        // Something has changed since the page was shown.
        return go_on(&visitor, request, &client).await;
    };
    if !allows {
        return Ok(refuse(&visitor, &request, &AuthorizationError::AccessDenied));
    }
    let cause = visitor.directory.cause(Actor::Person);
    let also = visitor.directory.also(&cause);
    let granted = visitor.sign_in.consent_grant(&person.subject, &client.client_id, &all, &also);
    granted.await.map_err(|error| visitor.failure(error))?;
    visitor.directory.hand_over_of(&person.subject).await;
    let request = request.after_consent();
    issue(&visitor, &request, seen, all).await
}
