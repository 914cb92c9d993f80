//! The `sign-in` function: the pages on which people sign in, say what an application may have, see what
//! they have said, and take it back.
//!
//! The pages are plain HTML without a script. Who they are for is told by a cookie; what they are about
//! is carried through their forms, so that nothing of it is kept. A form is taken only from a page of
//! ours (`forms`), and a page lets a browser go nowhere but where it should (`page`).

mod account;
mod assets;
mod authorize;
mod code;
mod cookies;
mod failure;
mod forms;
mod goal;
mod leave;
mod page;
mod qr;
mod second_factor;
mod sign_in;
mod sign_out;
mod texts;
mod user_agent;
mod views;
mod visitor;

use axum::{
    Router,
    routing::{get, post},
};
use ssf::{
    Transmitter,
    web::{app, paths},
};

/// The routes.
pub fn router(transmitter: &Transmitter) -> Router {
    app(transmitter, routes())
}

/// The routes, to be made part of others.
pub fn routes() -> Router<Transmitter> {
    Router::new()
        .route(paths::AUTHORIZE, get(authorize::ask).post(authorize::ask_by_form))
        .route(paths::CONSENT, post(authorize::consent))
        .route(paths::SIGN_IN, get(sign_in::ask).post(sign_in::sign_in))
        .route(paths::SIGN_IN_CODE, post(code::sign_in))
        .route(paths::SIGN_OUT, get(sign_out::ask).post(sign_out::sign_out))
        .route(paths::SIGNED_OUT, get(sign_out::signed_out))
        .route(paths::END_SESSION, get(sign_out::end_session).post(sign_out::end_session_by_form))
        .route(paths::ACCOUNT, get(account::show))
        .route(paths::ACCOUNT_REVOKE, post(account::revoke))
        .route(paths::ACCOUNT_END, post(account::end))
        .route(paths::ACCOUNT_PASSWORD, post(account::password))
        .route(paths::ACCOUNT_AUTHENTICATOR, get(second_factor::show).post(second_factor::add))
        .route(paths::ACCOUNT_SECOND_FACTOR, post(second_factor::change))
        .route(paths::STYLE, get(assets::style))
        .route(paths::ICON, get(assets::icon))
}
