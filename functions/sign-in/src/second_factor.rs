//! People set up a second factor, and take it away.

use axum::response::Response;
use http::{StatusCode, header::SET_COOKIE};
use ssf::{
    client::Secret,
    directory::{Actor, NewAuthenticator, Proof, Second, SecondProof, User},
    error::chain,
    seal::Sealed,
    sign_in::{Means, Refusal},
    web::paths,
};

use crate::{
    account,
    authorize::person,
    code, cookies,
    failure::{Failure, seconds},
    forms::Posted,
    leave::go,
    sign_in::{open, prove},
    texts::fill,
    views::{self, Notice},
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

/// Shows a key that an app is to have. Nothing is kept of it yet: the form carries it, sealed.
pub(crate) async fn show(visitor: Visitor) -> Answer {
    let user = match without(&visitor).await? {
        Ok(user) => user,
        Err(answer) => return Ok(answer),
    };
    let new = visitor.directory.authenticator_new(user.id).await;
    let new = new.map_err(|error| visitor.failure(error))?;
    let page = views::authenticator(&visitor, &user.attributes.user_name, &new, None);
    Ok(visitor.answer(page))
}

/// Who is signed in, and has no second factor; or where others are sent.
async fn without(visitor: &Visitor) -> Result<Result<User, Response>, Failure> {
    Ok(match person(visitor).await? {
        Some(user) if user.second_factor().is_none() => Ok(user),
        Some(_) => Err(go(visitor, paths::ACCOUNT)),
        None => Err(go(visitor, paths::SIGN_IN)),
    })
}

/// Takes the app, once it has shown a right code, for who knows the password.
pub(crate) async fn add(posted: Posted) -> Answer {
    let visitor = &posted.visitor;
    let user = match without(visitor).await? {
        Ok(user) => user,
        Err(answer) => return Ok(answer),
    };
    let sealed = Sealed::new(posted.get("key"));
    let new = visitor.directory.authenticator_again(user.id, sealed).await;
    let Some(new) = new.map_err(|error| visitor.failure(error))? else {
        return Err(visitor.refused_form());
    };
    let (texts, name) = (visitor.texts(), user.attributes.user_name.as_str());
    let wrong = match prove(visitor, name, posted.secret("password")).await? {
        Proof::Given { user: given, .. } if given.id == user.id => None,
        Proof::Wait(wait) => Some(fill(texts.wait, &[&seconds(wait).to_string()])),
        Proof::Locked => Some(texts.locked.to_owned()),
        Proof::Given { .. } | Proof::Wrong => Some(texts.old_wrong.to_owned()),
    };
    if let Some(text) = wrong {
        return Ok(again(visitor, name, &new, &text));
    }
    let cause = visitor.directory.cause(Actor::Person);
    let code = posted.secret("code");
    let added = visitor.directory.second_factor_add(user.id, &new, &code, &cause).await;
    match added.map_err(|error| visitor.failure(error))? {
        Second::Added(codes) => Ok(added_to(visitor, &user, &codes).await),
        Second::WrongCode => Ok(again(visitor, name, &new, texts.authenticator_wrong)),
        Second::Already => Ok(go(visitor, paths::ACCOUNT)),
    }
}

fn again(visitor: &Visitor, name: &str, new: &NewAuthenticator, text: &str) -> Response {
    let page = views::authenticator(visitor, name, new, Some(text));
    visitor.answer(page.status(StatusCode::UNPROCESSABLE_ENTITY))
}

/// The recovery codes. The session is one that was opened with both, from now on.
async fn added_to(visitor: &Visitor, user: &User, codes: &[Secret]) -> Response {
    let mut answer = visitor.answer(views::recovery_codes(visitor, codes));
    match open(visitor, user.id, Means::PasswordAndCode).await {
        Ok(secret) => {
            let cookie = cookies::set(cookies::SESSION, &secret);
            answer.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        }
        // The codes are shown once, and so whatever else happens.
        Err(Refusal::Other(error)) => {
            tracing::warn!(error = chain(&error), "a session stays as it was");
        }
        Err(_) => {}
    }
    answer
}

/// Makes other recovery codes, or takes the second factor away, for who gives a code.
pub(crate) async fn change(posted: Posted) -> Answer {
    let visitor = &posted.visitor;
    let Some(user) = person(visitor).await? else { return Ok(go(visitor, paths::SIGN_IN)) };
    let texts = visitor.texts();
    let wrong = match code::prove(visitor, &user, &posted.secret("code")).await? {
        SecondProof::Given => None,
        SecondProof::Wrong => Some(texts.code_wrong.to_owned()),
        SecondProof::Wait(wait) => Some(fill(texts.wait, &[&seconds(wait).to_string()])),
    };
    if let Some(text) = wrong {
        return account::page(visitor, Some(Notice::Code(text))).await;
    }
    let cause = visitor.directory.cause(Actor::Person);
    if posted.get("do") == "renew" {
        let codes = visitor.directory.recovery_codes_renew(user.id, &cause).await;
        let codes = codes.map_err(|error| visitor.failure(error))?;
        return Ok(match codes {
            Some(codes) => visitor.answer(views::recovery_codes(visitor, &codes)),
            None => go(visitor, paths::ACCOUNT),
        });
    }
    let removed = visitor.directory.second_factor_remove(user.id, &cause).await;
    removed.map_err(|error| visitor.failure(error))?;
    account::page(visitor, Some(Notice::Done(texts.second_removed.to_owned()))).await
}
