//! What a person sees of their own account.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;
use maud::{Markup, html};
use ssf::{
    client::{ClientId, Scope},
    directory::{Actor, Change, Deed, SecondFactor},
    event::EventType,
    operator::{IssuedTo, ToldChange},
    set::TokenStatus,
    sign_in::Session,
    web::paths,
};

use super::{Layout, hidden, problem, second_factor, sign_out_form};
use crate::{
    page::Page,
    texts::{Language, Texts, fill, or},
    user_agent,
    visitor::Visitor,
};

/// An application that may have something.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) id: ClientId,
    pub(crate) name: String,
    pub(crate) scope: Vec<Scope>,
    /// Since when; absent where the operator allowed it for everybody.
    pub(crate) since: Option<Timestamp>,
}

/// What came of what the person did last.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    Done(String),
    /// A new password that was not taken.
    Password(String),
    /// A code of the second factor that was not taken.
    Code(String),
}

/// What the page says.
#[derive(Debug)]
pub(crate) struct AccountView {
    pub(crate) person: String,
    pub(crate) user_name: String,
    pub(crate) own: String,
    pub(crate) applications: Vec<Application>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) second_factor: Option<SecondFactor>,
    pub(crate) history: Vec<ToldChange>,
    /// What the clients are called that were told.
    pub(crate) names: Vec<(ClientId, String)>,
    pub(crate) now: Timestamp,
    pub(crate) notice: Option<Notice>,
}

pub(crate) fn account(visitor: &Visitor, view: &AccountView) -> Page {
    let texts = visitor.texts();
    let layout = Layout { wide: true, ..Layout::of(visitor, texts.account_title) };
    layout.page(&html! {
        div.head {
            div {
                h1 { (texts.account_title) }
                p.lead { (fill(texts.signed_in_as, &[&view.person])) }
            }
            (sign_out_form(visitor, "secondary"))
        }
        @match &view.notice {
            Some(Notice::Done(text)) => {
                div.notice role="status" tabindex="-1" autofocus { p { (text) } }
            }
            Some(Notice::Password(text) | Notice::Code(text)) => (problem(texts.show_error_title, text)),
            None => {}
        }
        (applications(visitor, view))
        (sessions(visitor, view))
        (password(visitor, view))
        (second_factor::section(visitor, view))
        (history(visitor.language, view))
    })
}

/// A scope in words.
pub(crate) fn scope_words(texts: &Texts, scope: Scope) -> Option<&'static str> {
    Some(match scope {
        Scope::OpenId => texts.scope_openid,
        Scope::Profile => texts.scope_profile,
        Scope::Email => texts.scope_email,
        Scope::Phone => texts.scope_phone,
        Scope::Address => texts.scope_address,
        Scope::Groups => texts.scope_groups,
        Scope::OfflineAccess => texts.scope_offline,
        Scope::ScimMe => texts.scope_me,
        Scope::Read | Scope::Manage | Scope::Poll | Scope::Scim | Scope::ScimRead => return None,
    })
}

fn applications(visitor: &Visitor, view: &AccountView) -> Markup {
    let texts = visitor.texts();
    html! {
        section aria-labelledby="applications" {
            h2 #applications { (texts.applications) }
            @if view.applications.is_empty() { p.empty { (texts.applications_none) } }
            ul.rows {
                @for application in &view.applications {
                    li {
                        div.row-text {
                            p.row-title { (application.name) }
                            p.row-detail {
                                @for (n, words) in application.scope.iter()
                                    .filter_map(|scope| scope_words(texts, *scope)).enumerate() {
                                    @if n > 0 { ", " }
                                    (words)
                                }
                            }
                            p.row-detail {
                                @match application.since {
                                    Some(since) => (with_time(texts.application_since, since, visitor.language)),
                                    None => (texts.by_operator),
                                }
                            }
                        }
                        form method="post" action=(visitor.path(paths::ACCOUNT_REVOKE)) {
                            (hidden(visitor))
                            input type="hidden" name="client" value=(application.id);
                            button.danger type="submit"
                                aria-label=(fill(texts.take_back_of, &[&application.name])) {
                                (texts.take_back)
                            }
                        }
                    }
                }
            }
        }
    }
}

fn session_name(texts: &Texts, session: &Session) -> String {
    let agent = session.place.user_agent.as_deref().unwrap_or_default();
    match user_agent::words(agent) {
        (Some(browser), Some(system)) => fill(texts.session_on, &[browser, system]),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => texts.session_unknown.to_owned(),
    }
}

fn sessions(visitor: &Visitor, view: &AccountView) -> Markup {
    let (texts, language) = (visitor.texts(), visitor.language);
    let end = |sid: &str, class: &str, label: Option<&str>, text: &str| {
        html! {
            form method="post" action=(visitor.path(paths::ACCOUNT_END)) {
                (hidden(visitor))
                input type="hidden" name="session" value=(sid);
                button class=(class) type="submit" aria-label=[label] { (text) }
            }
        }
    };
    html! {
        section aria-labelledby="sessions" {
            h2 #sessions { (texts.sessions) }
            p.section-lead { (texts.sessions_lead) }
            ul.rows {
                @for session in &view.sessions {
                    @let name = session_name(texts, session);
                    li {
                        div.row-text {
                            p.row-title {
                                (name)
                                @if session.sid == view.own { " " span.tag { (texts.this_session) } }
                            }
                            p.row-detail {
                                (with_time(texts.session_since, session.auth_time, language))
                                ", " (with_time(texts.session_seen, session.last_seen, language))
                                @if let Some(network) = &session.place.network {
                                    ", " (fill(texts.session_from, &[network]))
                                }
                            }
                        }
                        @if session.sid != view.own {
                            (end(&session.sid, "danger", Some(&fill(texts.end_of, &[&name])), texts.end))
                        }
                    }
                }
            }
            @if view.sessions.len() > 1 {
                div.actions { (end("", "secondary", None, texts.end_all)) }
            }
        }
    }
}

fn password(visitor: &Visitor, view: &AccountView) -> Markup {
    let texts = visitor.texts();
    let failed = matches!(view.notice, Some(Notice::Password(_)));
    let described = if failed { "password-lead problem" } else { "password-lead" };
    let invalid = failed.then_some("true");
    html! {
        section aria-labelledby="password" {
            h2 #password { (texts.password_title) }
            p #password-lead .section-lead { (texts.password_lead) }
            form.narrow method="post" action=(visitor.path(paths::ACCOUNT_PASSWORD)) {
                (hidden(visitor))
                // For password managers, which keep a password with the name that it is of.
                input type="text" name="name" value=(view.user_name) autocomplete="username" hidden;
                div.field {
                    label for="old" { (texts.password_old) }
                    input #old type="password" name="old" autocomplete="current-password"
                        maxlength="1024" required aria-invalid=[invalid];
                }
                div.field {
                    label for="new" { (texts.password_new) }
                    input #new type="password" name="new" autocomplete="new-password"
                        maxlength="1024" required aria-describedby=(described)
                        aria-invalid=[invalid];
                }
                div.actions { button.primary type="submit" { (texts.password_change) } }
            }
        }
    }
}

fn history(language: Language, view: &AccountView) -> Markup {
    let texts = language.texts();
    html! {
        section aria-labelledby="history" {
            h2 #history { (texts.history) }
            p.section-lead { (texts.history_lead) }
            @if view.history.is_empty() { p.empty { (texts.history_none) } }
            ol.rows.history {
                @for told in &view.history {
                    li {
                        div.row-text {
                            p.row-title { (what(texts, &told.change)) }
                            p.row-detail {
                                (time(told.change.at, language)) ", "
                                (fill(texts.by, &[&actor(texts, view, &told.change.actor)]))
                            }
                            (receivers(language, view, told))
                        }
                    }
                }
            }
        }
    }
}

/// Who was told of a change, and when they confirmed it. What is told in several ways is one thing to a
/// person.
fn receivers(language: Language, view: &AccountView, told: &ToldChange) -> Markup {
    let texts = language.texts();
    let is_new = told.change.at + Duration::from_mins(1) > view.now;
    let mut lines: Vec<(&str, Cow<'_, str>, &IssuedTo)> = Vec::new();
    for (event, streams) in &told.events {
        let words = event_words(texts, event);
        for to in streams {
            let name = name_of(view, &to.client_id);
            if !lines.iter().any(|(known, same, _)| *known == name && *same == words) {
                lines.push((name, words.clone(), to));
            }
        }
    }
    html! {
        @if lines.is_empty() {
            p.row-detail {
                (if is_new && !told.events.is_empty() { texts.told_soon } else { texts.told_nobody })
            }
        } @else {
            ul.told {
                @for (name, words, to) in lines {
                    li {
                        span.receiver { (fill(texts.told_to, &[name])) }
                        ": " (words) " – " (fate(language, to))
                    }
                }
            }
        }
    }
}

fn fate(language: Language, to: &IssuedTo) -> Markup {
    let texts = language.texts();
    match to.status {
        TokenStatus::Sent => html! {
            span.confirmed { (with_time(texts.told_at, to.last_modified, language)) }
        },
        TokenStatus::New => html! { (texts.told_waiting) },
        TokenStatus::Failed | TokenStatus::Dropped => html! { (texts.told_failed) },
    }
}

fn name_of<'a>(view: &'a AccountView, client: &'a ClientId) -> &'a str {
    let found = view.names.iter().find(|(id, _)| id == client);
    found.map_or(client.0.as_str(), |(_, name)| name.as_str())
}

fn actor(texts: &Texts, view: &AccountView, actor: &Actor) -> String {
    match actor {
        Actor::Person => texts.actor_person.to_owned(),
        Actor::Operator => texts.actor_operator.to_owned(),
        Actor::Client(id) => name_of(view, id).to_owned(),
        Actor::Clock => texts.actor_clock.to_owned(),
        Actor::System => texts.actor_system.to_owned(),
    }
}

fn what(texts: &Texts, change: &Change) -> &'static str {
    let only = |name: &str| change.attributes.iter().all(|attribute| attribute == name);
    match change.deed {
        Deed::Created => texts.changed_created,
        Deed::Changed | Deed::Deleted if change.attributes.is_empty() => texts.changed_other,
        Deed::Changed | Deed::Deleted if only("sessions") => texts.changed_sessions,
        Deed::Changed | Deed::Deleted if only("tokens") => texts.changed_tokens,
        Deed::Changed | Deed::Deleted if only("consents") => texts.changed_consents,
        Deed::Changed | Deed::Deleted if only("password") => texts.changed_password,
        Deed::Changed | Deed::Deleted if only("secondFactor") => texts.changed_second,
        Deed::Changed | Deed::Deleted => texts.changed_other,
    }
}

fn event_words<'a>(texts: &Texts, event: &'a EventType) -> Cow<'a, str> {
    let known = [
        (EventType::SESSION_REVOKED, texts.event_session_revoked),
        (EventType::SESSION_ESTABLISHED, texts.event_session_established),
        (EventType::CREDENTIAL_CHANGE, texts.event_credential_change),
        (EventType::ASSURANCE_LEVEL_CHANGE, texts.event_assurance),
        (EventType::RECOVERY_ACTIVATED, texts.event_recovery_activated),
        (EventType::RECOVERY_INFORMATION_CHANGED, texts.event_recovery_changed),
        (EventType::TOKEN_CLAIMS_CHANGE, texts.event_claims_change),
        (EventType::ACCOUNT_DISABLED, texts.event_account_disabled),
        (EventType::ACCOUNT_ENABLED, texts.event_account_enabled),
        (EventType::IDENTIFIER_CHANGED, texts.event_identifier_changed),
    ];
    let found = known.into_iter().find(|(known, _)| known == event).map(|(_, words)| words);
    let scim = event.as_str().starts_with("urn:ietf:params:scim:").then_some(texts.event_scim);
    or(found.or(scim), event.short_name())
}

/// A time in the place of the gap of `text`.
pub(super) fn with_time(text: &str, at: Timestamp, language: Language) -> Markup {
    let (before, after) = text.split_once("{}").unwrap_or((text, ""));
    html! { (before) (time(at, language)) (after) }
}

fn time(at: Timestamp, language: Language) -> Markup {
    let format = match language {
        Language::English => "%-d %B %Y, %H:%M UTC",
        Language::German => "%d.%m.%Y, %H:%M UTC",
    };
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (at.strftime(format)) } }
}
