//! Where people say what an application may have.

use maud::html;
use ssf::{client::Client, web::paths};

use super::{Layout, hidden};
use crate::{page::Page, texts::fill, visitor::Visitor};

/// What the page says.
#[derive(Debug)]
pub(crate) struct ConsentView<'a> {
    pub(crate) client: &'a Client,
    /// Its request, which the form carries.
    pub(crate) request: String,
    /// The way to another account.
    pub(crate) other_account: String,
    /// Who is signed in, as they are called.
    pub(crate) person: String,
    /// The host or the scheme that people go on to.
    pub(crate) sends_to: String,
    /// What the application asks for: in words, what it would see now, and whether that is new.
    pub(crate) scopes: Vec<(&'static str, Option<String>, bool)>,
}

pub(crate) fn consent(visitor: &Visitor, view: &ConsentView<'_>) -> Page {
    let texts = visitor.texts();
    let name = view.client.client_name.as_str();
    let title = fill(texts.consent_title, &[name]);
    let information = &view.client.information;
    let some_new = view.scopes.iter().any(|(_, _, new)| *new);
    let some_had = view.scopes.iter().any(|(_, _, new)| !*new);
    let lead = if some_new { texts.consent_lead } else { texts.consent_again };
    Layout::of(visitor, &title).page(&html! {
        h1 { (title) }
        p.lead { (fill(lead, &[name])) }
        ul.scopes {
            @for (words, value, new) in &view.scopes {
                li {
                    span.scope { (words) }
                    @if some_new && some_had {
                        " " span.tag.new[*new] {
                            (if *new { texts.consent_new } else { texts.consent_had })
                        }
                    }
                    @if let Some(value) = value { span.value { (value) } }
                }
            }
        }
        form method="post" action=(visitor.path(paths::CONSENT)) {
            (hidden(visitor))
            input type="hidden" name="request" value=(view.request);
            div.actions {
                button.primary type="submit" name="decision" value="allow" { (texts.allow) }
                button.secondary type="submit" name="decision" value="deny" { (texts.deny) }
            }
        }
        p.aside { (fill(texts.sends_to, &[&view.sends_to])) " " (texts.later) }
        @if information.policy_uri.is_some() || information.tos_uri.is_some() {
            p.aside.links {
                @if let Some(uri) = &information.policy_uri {
                    a href=(uri) rel="noreferrer" { (texts.privacy) }
                }
                @if let Some(uri) = &information.tos_uri {
                    a href=(uri) rel="noreferrer" { (texts.terms) }
                }
            }
        }
        p.who {
            span { (fill(texts.signed_in_as, &[&view.person])) }
            a href=(view.other_account) { (texts.other_account) }
        }
    })
}
