//! People sign out, by themselves or because an application asks (OpenID Connect RP-Initiated Logout
//! 1.0).

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use http::{StatusCode, header::SET_COOKIE};
use ssf::{
    Transmitter,
    directory::Actor,
    sign_in::{LogoutDecision, LogoutRefused, LogoutRequest, SessionEnd, decide_logout},
    web::{Form, Problem, paths},
};
use url::form_urlencoded;

use crate::{
    authorize::{again_as_link, called, person},
    cookies,
    failure::Failure,
    forms::Posted,
    leave::{go, leave},
    views,
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

pub(crate) async fn ask(visitor: Visitor) -> Answer {
    let Some(user) = person(&visitor).await? else { return Ok(go(&visitor, paths::SIGNED_OUT)) };
    Ok(visitor.answer(views::sign_out(&visitor, &called(&user), None, "")))
}

pub(crate) async fn signed_out(visitor: Visitor) -> Answer {
    Ok(visitor.answer(views::signed_out(&visitor)))
}

/// An application asks.
pub(crate) async fn end_session(visitor: Visitor, RawQuery(query): RawQuery) -> Answer {
    let (visitor, request) = match read(visitor, query.as_deref().unwrap_or_default()).await? {
        Ok(read) => read,
        Err(answer) => return Ok(answer),
    };
    match decide_logout(&request, visitor.seen().as_ref()) {
        LogoutDecision::Nobody => Ok(gone(&visitor, &request)),
        LogoutDecision::End => end(&visitor, &request).await,
        LogoutDecision::Confirm => {
            let user = person(&visitor).await?;
            let name = user.as_ref().map(called).unwrap_or_default();
            let application = request.client_name.as_deref();
            let page = views::sign_out(&visitor, &name, application, &request.to_query());
            Ok(visitor.answer(page))
        }
    }
}

/// The same by a form; see [`crate::authorize::ask_by_form`].
pub(crate) async fn end_session_by_form(
    State(us): State<Transmitter>,
    form: Result<Form, Problem>,
) -> Answer {
    again_as_link(&us, paths::END_SESSION, form)
}

/// A person signs out.
pub(crate) async fn sign_out(posted: Posted) -> Answer {
    let query = posted.get("request").to_owned();
    let (visitor, request) = match read(posted.visitor, &query).await? {
        Ok(read) => read,
        Err(answer) => return Ok(answer),
    };
    end(&visitor, &request).await
}

async fn read(
    visitor: Visitor,
    query: &str,
) -> Result<Result<(Visitor, LogoutRequest), Response>, Failure> {
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    match visitor.sign_in.logout_request(pairs).await {
        Ok(request) => {
            let visitor = visitor.reads(&request.ui_locales);
            Ok(Ok((visitor, request)))
        }
        Err(LogoutRefused::Shown(shown)) => {
            let texts = visitor.texts();
            let why = shown.to_string();
            let page = views::message(&visitor, texts.refused_title, &[texts.logout_refused, &why]);
            Ok(Err(visitor.answer(page.status(StatusCode::BAD_REQUEST))))
        }
        Err(LogoutRefused::Other(error)) => Err(visitor.failure(error)),
    }
}

/// Ends the session at this browser.
async fn end(visitor: &Visitor, request: &LogoutRequest) -> Answer {
    if let Some((session, _)) = &visitor.session {
        let cause = visitor.directory.cause(Actor::Person);
        let also = visitor.directory.also(&cause);
        let (subject, sid) = (&session.subject, &session.sid);
        let ended = visitor.sign_in.session_end(subject, sid, SessionEnd::SignedOut, &also).await;
        ended.map_err(|error| visitor.failure(error))?;
        visitor.directory.hand_over_of(subject).await;
    }
    Ok(gone(visitor, request))
}

/// Sends the browser on, without its session.
fn gone(visitor: &Visitor, request: &LogoutRequest) -> Response {
    let mut answer = match &request.redirect {
        Some(uri) => leave(visitor, uri),
        None => go(visitor, paths::SIGNED_OUT),
    };
    if let Some(cookie) = cookies::remove(cookies::SESSION) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}
