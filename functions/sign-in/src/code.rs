//! People who have given their password give the code of their second factor.

use axum::response::Response;
use http::{StatusCode, header::SET_COOKIE};
use ssf::{
    client::Secret,
    directory::{Actor, SecondProof, User},
    sign_in::Means,
};

use crate::{
    cookies,
    failure::{Failure, seconds},
    forms::Posted,
    goal::{Goal, goal},
    page::Page,
    sign_in::{too_many, welcome},
    texts::fill,
    views::{self, CodeView},
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

/// Asks whoever has given the right password. By `browser` the browser is known from now on.
pub(crate) async fn ask(
    visitor: &Visitor,
    user: &User,
    goal: &Goal,
    browser: Option<Secret>,
) -> Answer {
    let halfway = visitor.directory.halfway_begin(user.id).await;
    let halfway = halfway.map_err(|error| visitor.failure(error))?;
    let mut answer = visitor.answer(page(visitor, goal, &halfway, None));
    if let Some(cookie) = browser.and_then(|browser| cookies::set(cookies::BROWSER, &browser)) {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(answer)
}

fn page(visitor: &Visitor, goal: &Goal, halfway: &Secret, problem: Option<String>) -> Page {
    let failed = problem.is_some();
    let view = CodeView { goal: &goal.view, halfway, problem };
    let page = views::code(visitor, &view);
    if failed { page.status(StatusCode::UNPROCESSABLE_ENTITY) } else { page }
}

/// Judges the code.
pub(crate) async fn sign_in(posted: Posted) -> Answer {
    let (halfway, code) = (posted.secret("halfway"), posted.secret("code"));
    let query = posted.get("request").to_owned();
    let (visitor, goal) = match goal(posted.visitor, &query, "").await? {
        Ok(found) => found,
        Err(answer) => return Ok(answer),
    };
    let texts = visitor.texts();
    let user = visitor.directory.halfway(&halfway).await;
    let Some(user) = user.map_err(|error| visitor.failure(error))? else {
        return Ok(visitor.answer(goal.page(&visitor, texts.code_over)));
    };
    match prove(&visitor, &user, &code).await? {
        SecondProof::Given => {
            let ended = visitor.directory.halfway_end(&halfway).await;
            ended.map_err(|error| visitor.failure(error))?;
            welcome(&visitor, user.id, Means::PasswordAndCode, None, &goal).await
        }
        SecondProof::Wrong => {
            let problem = Some(texts.code_wrong.to_owned());
            Ok(visitor.answer(page(&visitor, &goal, &halfway, problem)))
        }
        SecondProof::Wait(wait) => {
            let text = fill(texts.wait, &[&seconds(wait).to_string()]);
            Ok(too_many(&visitor, page(&visitor, &goal, &halfway, Some(text)), wait))
        }
    }
}

/// Whether this is a code of this person, who has given the password.
pub(crate) async fn prove(
    visitor: &Visitor,
    user: &User,
    code: &Secret,
) -> Result<SecondProof, Failure> {
    let cause = visitor.directory.cause(Actor::Person);
    let browser = visitor.browser.as_ref();
    let proof = visitor.directory.second_factor_prove(user.id, code, browser, &cause).await;
    proof.map_err(|error| visitor.failure(error))
}
