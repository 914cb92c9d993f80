//! The second factor of a person: on the account page, and where it is set up.

use maud::{Markup, html};
use ssf::{
    client::Secret,
    directory::{NewAuthenticator, SecondFactor},
    web::paths,
};

use super::{
    Layout,
    account::{AccountView, Notice, with_time},
    code::field,
    hidden, problem,
};
use crate::{page::Page, qr, texts::fill, visitor::Visitor};

/// What the account page says of it.
pub(super) fn section(visitor: &Visitor, view: &AccountView) -> Markup {
    let texts = visitor.texts();
    html! {
        section aria-labelledby="second-factor" {
            h2 #second-factor { (texts.second_title) }
            @match &view.second_factor {
                Some(factor) => (change(visitor, view, factor)),
                None => {
                    p.section-lead { (texts.second_none) }
                    p.actions {
                        a.button.secondary href=(visitor.path(paths::ACCOUNT_AUTHENTICATOR)) {
                            (texts.authenticator_title)
                        }
                    }
                }
            }
        }
    }
}

/// How it is changed by who has it.
fn change(visitor: &Visitor, view: &AccountView, factor: &SecondFactor) -> Markup {
    let texts = visitor.texts();
    let failed = matches!(view.notice, Some(Notice::Code(_)));
    let left = factor.recovery_codes().to_string();
    html! {
        p.section-lead {
            (with_time(texts.second_since, factor.since, visitor.language)) " "
            (fill(texts.second_left, &[&left]))
        }
        form.narrow method="post" action=(visitor.path(paths::ACCOUNT_SECOND_FACTOR)) {
            (hidden(visitor))
            (field(texts.second_code, None, failed, false))
            div.actions {
                button.secondary type="submit" name="do" value="renew" { (texts.second_renew) }
                button.danger type="submit" name="do" value="remove" { (texts.second_remove) }
            }
        }
    }
}

/// Where an app is given its key, and proves that it has it.
pub(crate) fn authenticator(
    visitor: &Visitor,
    user_name: &str,
    new: &NewAuthenticator,
    wrong: Option<&str>,
) -> Page {
    let texts = visitor.texts();
    let failed = wrong.is_some();
    let layout = Layout::of(visitor, texts.authenticator_title);
    layout.page(&html! {
        h1 { (texts.authenticator_title) }
        @if let Some(text) = wrong { (problem(texts.show_error_title, text)) }
        p { (texts.authenticator_scan) }
        (qr::picture(&new.uri, texts.authenticator_picture))
        p { (texts.authenticator_key) }
        p.key { (groups(&new.key)) }
        p { a href=(new.uri.expose()) { (texts.authenticator_open) } }
        form method="post" action=(visitor.path(paths::ACCOUNT_AUTHENTICATOR)) {
            (hidden(visitor))
            input type="hidden" name="key" value=(new.sealed.as_str());
            input type="text" name="name" value=(user_name) autocomplete="username" hidden;
            (field(texts.code, Some(texts.authenticator_then), failed, false))
            div.field {
                label for="password" { (texts.password_old) }
                input #password type="password" name="password" autocomplete="current-password"
                    maxlength="1024" required aria-describedby=[failed.then_some("problem")]
                    aria-invalid=[failed.then_some("true")];
            }
            div.actions { button.primary type="submit" { (texts.authenticator_turn_on) } }
        }
        p.aside { a href=(visitor.path(paths::ACCOUNT)) { (texts.to_account) } }
    })
}

/// A key as it is typed: in groups of four.
fn groups(key: &Secret) -> Markup {
    let digits: Vec<_> = key.expose().chars().collect();
    html! {
        @for group in digits.chunks(4) { span.group { (group.iter().collect::<String>()) } " " }
    }
}

/// Shows recovery codes, once.
pub(crate) fn recovery_codes(visitor: &Visitor, codes: &[Secret]) -> Page {
    let texts = visitor.texts();
    let layout = Layout::of(visitor, texts.recovery_title);
    layout.page(&html! {
        h1 { (texts.recovery_title) }
        p { (texts.recovery_lead) }
        ul.codes { @for code in codes { li { (code.expose()) } } }
        p { (texts.recovery_once) }
        p.actions { a.button href=(visitor.path(paths::ACCOUNT)) { (texts.to_account) } }
    })
}
