//! Where people give the code of their second factor.

use maud::{Markup, html};
use ssf::{client::Secret, web::paths};

use super::{Layout, SignInView, hidden, problem};
use crate::{page::Page, texts::fill, visitor::Visitor};

/// What the page says.
#[derive(Debug)]
pub(crate) struct CodeView<'a> {
    /// Where people go on to.
    pub(crate) goal: &'a SignInView,
    /// That they have given the password, which the form carries.
    pub(crate) halfway: &'a Secret,
    /// What was wrong the last time.
    pub(crate) problem: Option<String>,
}

pub(crate) fn code(visitor: &Visitor, view: &CodeView<'_>) -> Page {
    let texts = visitor.texts();
    let failed = view.problem.is_some();
    let layout = Layout::of(visitor, texts.code_title);
    layout.page(&html! {
        h1 { (texts.code_title) }
        @if let Some(application) = &view.goal.application {
            p.lead { (fill(texts.sign_in_to, &[application])) }
        }
        @if let Some(text) = &view.problem { (problem(texts.show_error_title, text)) }
        form method="post" action=(visitor.path(paths::SIGN_IN_CODE)) {
            (hidden(visitor))
            input type="hidden" name="request" value=(view.goal.request);
            input type="hidden" name="halfway" value=(view.halfway.expose());
            (field(texts.code, Some(texts.code_lead), failed, !failed))
            div.actions { button.primary type="submit" { (texts.sign_in) } }
        }
    })
}

/// Where a code is typed, with what is said about it.
pub(crate) fn field(label: &str, lead: Option<&str>, failed: bool, focus: bool) -> Markup {
    let described = match (lead, failed) {
        (Some(_), true) => Some("code-lead problem"),
        (Some(_), false) => Some("code-lead"),
        (None, true) => Some("problem"),
        (None, false) => None,
    };
    html! {
        div.field {
            label for="code" { (label) }
            // Recovery codes have letters.
            input #code type="text" name="code" autocomplete="one-time-code" autocapitalize="none"
                spellcheck="false" maxlength="64" required aria-describedby=[described]
                aria-invalid=[failed.then_some("true")] autofocus[focus];
            @if let Some(lead) = lead { p #code-lead .section-lead { (lead) } }
        }
    }
}
