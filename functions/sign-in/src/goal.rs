//! Where somebody who signs in goes on to: their account, or the application that sent them here.

use axum::response::Response;
use http::StatusCode;
use ssf::web::paths;

use crate::{
    authorize::read,
    failure::Failure,
    page::Page,
    views::{self, SignInView},
    visitor::Visitor,
};

/// Where somebody who signs in goes on to.
pub(crate) struct Goal {
    pub(crate) path: String,
    pub(crate) view: SignInView,
    /// Whether it is on the way to an application.
    pub(crate) away: bool,
}

impl Goal {
    /// The page where one signs in, and what went wrong there.
    pub(crate) fn page(&self, visitor: &Visitor, problem: &str) -> Page {
        let view = SignInView { problem: Some(problem.to_owned()), ..self.view.clone() };
        views::sign_in(visitor, &view).status(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// What the form of somebody of this name leads to, whose `query` is the request of an application, or
/// empty; and the visitor in the language that it names. Or the answer to what cannot be a request.
pub(crate) async fn goal(
    visitor: Visitor,
    query: &str,
    name: &str,
) -> Result<Result<(Visitor, Goal), Response>, Failure> {
    let (name, request) = (name.to_owned(), query.to_owned());
    let view = SignInView { request, name, ..SignInView::default() };
    if query.is_empty() {
        let path = paths::ACCOUNT.to_owned();
        return Ok(Ok((visitor, Goal { path, view, away: false })));
    }
    let (visitor, request, client) = match read(visitor, query).await? {
        Ok(read) => read,
        Err(answer) => return Ok(Err(answer)),
    };
    let view = SignInView { application: Some(client.client_name), ..view };
    let path = format!("{}?{}", paths::AUTHORIZE, request.after_sign_in().to_query());
    Ok(Ok((visitor, Goal { path, view, away: true })))
}
