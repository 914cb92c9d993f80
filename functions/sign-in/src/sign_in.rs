//! People sign in.

use axum::response::Response;
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, SET_COOKIE},
};
use ssf::{
    client::Secret,
    directory::{Actor, Claim, Proof, User},
    sign_in::{NewSession, Refusal},
    web::paths,
};

use crate::{
    authorize::read,
    cookies,
    failure::{Failure, seconds},
    forms::Posted,
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

/// Where somebody who signs in goes on to.
struct Goal {
    path: String,
    view: SignInView,
    /// Whether it is on the way to an application.
    away: bool,
}

impl Goal {
    fn page(&self, visitor: &Visitor, problem: Option<String>) -> Page {
        let view = SignInView { problem, ..self.view.clone() };
        views::sign_in(visitor, &view)
    }
}

pub(crate) async fn sign_in(posted: Posted) -> Answer {
    let query = posted.get("request").to_owned();
    let (name, password) = (posted.get("name").to_owned(), posted.secret("password"));
    let view = SignInView { name: name.clone(), request: query.clone(), ..SignInView::default() };
    let (visitor, goal) = if query.is_empty() {
        let path = paths::ACCOUNT.to_owned();
        (posted.visitor, Goal { path, view, away: false })
    } else {
        let (visitor, request, client) = match read(posted.visitor, &query).await? {
            Ok(read) => read,
            Err(answer) => return Ok(answer),
        };
        let view = SignInView { application: Some(client.client_name), ..view };
        let path = format!("{}?{}", paths::AUTHORIZE, request.after_sign_in().to_query());
        (visitor, Goal { path, view, away: true })
    };
    let texts = visitor.texts();
    let problem = match prove(&visitor, &name, password).await? {
        Proof::Given { user, browser } => return welcome(&visitor, &user, browser, &goal).await,
        Proof::Wrong => texts.wrong.to_owned(),
        Proof::Locked => texts.locked.to_owned(),
        Proof::Wait(wait) => {
            let text = fill(texts.wait, &[&seconds(wait).to_string()]);
            let page = goal.page(&visitor, Some(text)).status(StatusCode::TOO_MANY_REQUESTS);
            let mut answer = visitor.answer(page);
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds(wait)));
            return Ok(answer);
        }
    };
    let page = goal.page(&visitor, Some(problem));
    Ok(visitor.answer(page.status(StatusCode::UNPROCESSABLE_ENTITY)))
}

async fn prove(visitor: &Visitor, name: &str, password: Secret) -> Result<Proof, Failure> {
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

async fn welcome(visitor: &Visitor, user: &User, browser: Option<Secret>, goal: &Goal) -> Answer {
    let new = NewSession {
        subject: user.id.into(),
        amr: vec!["pwd".to_owned()],
        acr: None,
        place: visitor.place.clone(),
    };
    let cause = visitor.directory.cause(Actor::Person);
    let also = visitor.directory.also(&cause);
    let before = visitor.session.as_ref().map(|(_, secret)| secret);
    let opened = visitor.sign_in.session_open(new, before, &also).await;
    let (secret, session) = match opened {
        Ok(opened) => opened,
        Err(Refusal::Other(error)) => return Err(visitor.failure(error)),
        // Locked in this very moment.
        Err(_) => {
            let page = goal.page(visitor, Some(visitor.texts().locked.to_owned()));
            return Ok(visitor.answer(page.status(StatusCode::UNPROCESSABLE_ENTITY)));
        }
    };
    visitor.directory.hand_over_of(&session.subject).await;
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
