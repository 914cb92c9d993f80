//! Where people sign in.

use maud::html;
use ssf::web::paths;

use super::{Layout, hidden, problem};
use crate::{page::Page, texts::fill, visitor::Visitor};

/// What the page says.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignInView {
    /// The application that people go on to.
    pub(crate) application: Option<String>,
    /// Its request, which the form carries.
    pub(crate) request: String,
    /// Who it might be.
    pub(crate) name: String,
    /// Why it is asked, where that is not plain.
    pub(crate) note: Option<String>,
    /// What was wrong the last time.
    pub(crate) problem: Option<String>,
}

pub(crate) fn sign_in(visitor: &Visitor, view: &SignInView) -> Page {
    let texts = visitor.texts();
    let failed = view.problem.is_some();
    let described = failed.then_some("problem");
    let invalid = failed.then_some("true");
    let layout = Layout::of(visitor, texts.sign_in_title);
    layout.page(&html! {
        h1 { (texts.sign_in_title) }
        @if let Some(application) = &view.application {
            p.lead { (fill(texts.sign_in_to, &[application])) }
        }
        @if let Some(text) = &view.problem { (problem(texts.show_error_title, text)) }
        @if let Some(note) = view.note.as_ref().filter(|_| !failed) { p.note { (note) } }
        form method="post" action=(visitor.path(paths::SIGN_IN)) {
            (hidden(visitor))
            input type="hidden" name="request" value=(view.request);
            div.field {
                label for="name" { (texts.name) }
                input #name type="text" name="name" value=(view.name) autocomplete="username"
                    autocapitalize="none" spellcheck="false" maxlength="512" required
                    aria-describedby=[described] aria-invalid=[invalid]
                    autofocus[!failed && view.name.is_empty()];
            }
            div.field {
                label for="password" { (texts.password) }
                input #password type="password" name="password" autocomplete="current-password"
                    maxlength="1024" required aria-describedby=[described] aria-invalid=[invalid]
                    autofocus[!failed && !view.name.is_empty()];
            }
            div.actions { button.primary type="submit" { (texts.sign_in) } }
        }
        p.aside { (texts.ask_operator) }
    })
}
