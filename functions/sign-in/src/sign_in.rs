//! People sign in.

use std::time::Duration;

use axum::response::Response;
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
};
use ssf::{
    client::Secret,
    directory::{Actor, Claim, Proof, ResourceId},
    sign_in::{Means, NewSession, Refusal},
    web::paths,
};

use crate::{
    code, cookies,
    failure::{Failure, seconds},
    forms::Posted,
    goal::{Goal, goal},
    leave::{go, onward},
    page::Page,
    texts::fill,
    views::{self, SignInView},
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

/// Somebody comes by themselves: to see their account.
pub(crate) async fn ask(visitor: Visitor) -> Answer {
    if visitor.session.is_some() {
        return Ok(go(&visitor, paths::ACCOUNT));
    }
    Ok(visitor.answer(views::sign_in(&visitor, &SignInView::default())))
}

pub(crate) async fn sign_in(posted: Posted) -> Answer {
    let (name, password) = (posted.get("name").to_owned(), posted.secret("password"));
    let query = posted.get("request").to_owned();
    let (visitor, goal) = match goal(posted.visitor, &query, &name).await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let texts = visitor.texts();
    match prove(&visitor, &name, password).await? {
        Proof::Given { user, browser } if user.second_factor().is_some() => {
            code::ask(&visitor, &user, &goal, browser).await
        }
        Proof::Given { user, browser } => {
            welcome(&visitor, user.id, Means::Password, browser, &goal).await
        }
        Proof::Wrong => Ok(visitor.answer(goal.page(&visitor, texts.wrong))),
        Proof::Locked => Ok(visitor.answer(goal.page(&visitor, texts.locked))),
        Proof::Wait(wait) => {
            let page = goal.page(&visitor, &fill(texts.wait, &[&seconds(wait).to_string()]));
            Ok(too_many(&visitor, page, wait))
        }
    }
}

/// The answer to one attempt too many.
pub(crate) fn too_many(visitor: &Visitor, page: Page, wait: Duration) -> Response {
    let mut answer = visitor.answer(page.status(StatusCode::TOO_MANY_REQUESTS));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
    answer
}

/// Whether this is the password of who has this name.
pub(crate) async fn prove(
    visitor: &Visitor,
    name: &str,
    password: Secret,
) -> Result<Proof, Failure> {
    let counted = visitor.network.as_deref().map(|network| visitor.sign_in.count_attempt(network));
    if let Some(Err(ssf::Error::TooSoon { retry_after })) = counted {
        return Ok(Proof::Wait(retry_after));
    }
    let claim = Claim { name: Secret::new(name), password, browser: visitor.browser.clone() };
    match visitor.directory.authenticate(claim).await {
        Err(ssf::Error::TooSoon { retry_after }) => Ok(Proof::Wait(retry_after)),
        proof => proof.map_err(|error| visitor.failure(error)),
    }
}

/// Whoever this is has proved it, by these means: opens the session, and goes on.
pub(crate) async fn welcome(
    visitor: &Visitor,
    id: ResourceId,
    means: Means,
    browser: Option<Secret>,
    goal: &Goal,
) -> Answer {
    let secret = match open(visitor, id, means).await {
        Ok(secret) => secret,
        Err(Refusal::Other(error)) => return Err(visitor.failure(error)),
        // Locked in this very moment.
        Err(_) => return Ok(visitor.answer(goal.page(visitor, visitor.texts().locked))),
    };
    let mut answer = if goal.away {
        onward(visitor, &visitor.path(&goal.path))
    } else {
        go(visitor, &goal.path)
    };
    let given = [
        cookies::set(cookies::SESSION, &secret),
        browser.and_then(|browser| cookies::set(cookies::BROWSER, &browser)),
        cookies::remove(cookies::FORM),
    ];
    for cookie in given.into_iter().flatten() {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// Opens a session, or makes of the one that the browser has one that was opened by these means. Its
/// secret.
pub(crate) async fn open(
    visitor: &Visitor,
    id: ResourceId,
    means: Means,
) -> Result<Secret, Refusal> {
    let new = NewSession { subject: id.into(), means, place: visitor.place.clone() };
    let cause = visitor.directory.cause(Actor::Person);
    let also = visitor.directory.also(&cause);
    let before = visitor.session.as_ref().map(|(_, secret)| secret);
    let (secret, session) = visitor.sign_in.session_open(new, before, &also).await?;
    visitor.directory.hand_over_of(&session.subject).await;
    Ok(secret)
}
