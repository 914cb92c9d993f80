//! What the pages look like.

mod account;
mod code;
mod consent;
mod layout;
mod second_factor;
mod sign_in;
mod sign_out;

use maud::html;
use ssf::{Transmitter, web::paths};

use crate::{page::Page, texts::Language, visitor::Visitor};

pub(crate) use account::{AccountView, Application, Notice, account, scope_words};
pub(crate) use code::{CodeView, code};
pub(crate) use consent::{ConsentView, consent};
pub(crate) use layout::{Layout, hidden, problem};
pub(crate) use second_factor::{authenticator, recovery_codes};
pub(crate) use sign_in::{SignInView, sign_in};
pub(crate) use sign_out::{sign_out, signed_out};

/// A page that says something, and has nothing to do on it.
pub(crate) fn message(visitor: &Visitor, title: &str, texts: &[&str]) -> Page {
    plain_message(&visitor.us, visitor.language, title, texts)
}

/// The same, where nothing is known of who reads it.
pub(crate) fn plain_message(
    us: &Transmitter,
    language: Language,
    title: &str,
    texts: &[&str],
) -> Page {
    let layout = Layout { us, language, title, wide: false, onward: None };
    layout.page(&html! {
        h1 { (title) }
        @for text in texts { p { (text) } }
    })
}

/// A page that goes on to an application by itself.
pub(crate) fn onward(visitor: &Visitor, uri: &str) -> Page {
    let texts = visitor.texts();
    let title = texts.onward_title;
    let layout = Layout { onward: Some(uri), ..Layout::of(visitor, title) };
    layout.page(&html! {
        h1 { (title) }
        p { (texts.onward) }
        p.actions { a.button href=(uri) rel="noreferrer" { (texts.go_on) } }
    })
}

/// The form that signs out.
pub(crate) fn sign_out_form(visitor: &Visitor, class: &str) -> maud::Markup {
    html! {
        form method="post" action=(visitor.path(paths::SIGN_OUT)) {
            (hidden(visitor))
            button class=(class) type="submit" { (visitor.texts().sign_out) }
        }
    }
}
