//! Where people sign out.

use maud::html;
use ssf::web::paths;

use super::{Layout, hidden};
use crate::{page::Page, texts::fill, visitor::Visitor};

/// Asks whether the person wants to sign out; `application` wants them to.
pub(crate) fn sign_out(
    visitor: &Visitor,
    person: &str,
    application: Option<&str>,
    request: &str,
) -> Page {
    let texts = visitor.texts();
    Layout::of(visitor, texts.sign_out_title).page(&html! {
        h1 { (texts.sign_out_title) }
        p.lead { (fill(texts.sign_out_lead, &[person])) }
        @if let Some(application) = application {
            p { (fill(texts.sign_out_asked, &[application])) }
        }
        form method="post" action=(visitor.path(paths::SIGN_OUT)) {
            (hidden(visitor))
            input type="hidden" name="request" value=(request);
            div.actions {
                button.primary type="submit" { (texts.sign_out) }
                a.button.secondary href=(visitor.path(paths::ACCOUNT)) { (texts.stay) }
            }
        }
    })
}

pub(crate) fn signed_out(visitor: &Visitor) -> Page {
    let texts = visitor.texts();
    Layout::of(visitor, texts.signed_out_title).page(&html! {
        h1 { (texts.signed_out_title) }
        p { (texts.signed_out_lead) }
        p.actions {
            a.button.secondary href=(visitor.path(paths::SIGN_IN)) { (texts.sign_in_again) }
        }
    })
}
