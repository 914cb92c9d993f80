//! All that the pages say, in each language that they speak.

mod de;
mod en;

use std::borrow::Cow;

/// A language that the pages speak.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Language {
    /// English; also for those whose language they do not speak.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its name (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &en::TEXTS,
            Self::German => &de::TEXTS,
        }
    }

    /// The first of those that an application names (`ui_locales`), or else that the browser likes best
    /// (`Accept-Language`), which is spoken here.
    pub(crate) fn choose(ui_locales: &[String], accepts: Option<&str>) -> Self {
        let accepted = accepts.map(by_preference).unwrap_or_default();
        let tags = ui_locales.iter().map(String::as_str).chain(accepted);
        tags.into_iter().find_map(Self::of).unwrap_or_default()
    }

    fn of(tag: &str) -> Option<Self> {
        let language = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|one| one.tag().eq_ignore_ascii_case(language))
    }
}

/// The languages of an `Accept-Language` (RFC 9110, 12.5.4), the preferred first.
fn by_preference(header: &str) -> Vec<&str> {
    let mut ranges: Vec<(u16, &str)> = header
        .split(',')
        .take(32)
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next()?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
            // Three digits at most.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 1000"
            )]
            let weight = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
            (weight > 0).then_some((weight, tag))
        })
        .collect();
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(_, tag)| tag).collect()
}

/// `text` with `values` in the place of its `{}`, in order.
pub(crate) fn fill(text: &str, values: &[&str]) -> String {
    let mut parts = text.split("{}");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        filled.push_str(values.next().copied().unwrap_or_default());
        filled.push_str(part);
    }
    filled
}

/// A word of ours for an event, or that of the standard.
pub(crate) fn or<'a>(known: Option<&'static str>, other: &'a str) -> Cow<'a, str> {
    known.map_or(Cow::Borrowed(other), Cow::Borrowed)
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What the pages say. A language that lacks one of these does not compile.
        #[derive(Debug)]
        pub(crate) struct Texts { $($(#[$doc])* pub(crate) $name: &'static str,)* }

        #[cfg(test)]
        impl Texts {
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

texts! {
    // Signing in
    sign_in_title, sign_in_to, name, password, sign_in, show_error_title, wrong, locked, wait,
    wait_title, again_asked, again_too_long_ago, again_more_surely, ask_operator,
    // The second factor
    code_title, code_lead, code, code_wrong, code_over, second_title, second_none, second_since, second_left, second_code,
    second_renew, second_remove, second_removed, authenticator_title, authenticator_scan, authenticator_picture,
    authenticator_key, authenticator_open, authenticator_then, authenticator_turn_on, authenticator_wrong,
    recovery_title, recovery_lead, recovery_once, to_account,
    // Consent
    consent_title, consent_lead, consent_again, consent_new, consent_had, allow, deny, signed_in_as, other_account,
    sends_to, privacy, terms, later,
    scope_openid, scope_profile, scope_email, scope_phone, scope_address, scope_groups, scope_offline,
    scope_me,
    nothing_known,
    // The account
    account_title, applications, applications_none, application_since, take_back, take_back_of, by_operator,
    sessions, sessions_lead, this_session, session_on, session_unknown, session_since, session_seen, session_from, end,
    end_of, end_all, sign_out,
    password_title, password_lead, password_old, password_new, password_change, password_changed, sessions_ended,
    session_ended, revoked, short, long, common, own_name, old_wrong,
    history, history_lead, history_none, told_to, told_at, told_waiting, told_failed, told_nobody, told_soon, by,
    actor_person, actor_operator, actor_clock, actor_system, changed_created, changed_sessions, changed_tokens,
    changed_consents, changed_password, changed_second, changed_other,
    event_session_revoked, event_session_established, event_credential_change, event_claims_change,
    event_assurance, event_recovery_activated, event_recovery_changed,
    event_account_disabled, event_account_enabled, event_identifier_changed, event_scim,
    // Signing out
    sign_out_title, sign_out_lead, sign_out_asked, stay, signed_out_title, signed_out_lead, sign_in_again,
    // On the way
    onward_title, onward, go_on,
    // What went wrong
    refused_title, refused_lead, refused_client, refused_redirect, logout_refused,
    form_refused_title, form_refused,
    busy_title, busy, failed_title, failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_in_each_language_and_has_the_same_gaps() {
        let english = Language::English.texts().all();
        for language in Language::ALL {
            for ((name, text), (_, english)) in language.texts().all().into_iter().zip(&english) {
                let gaps = |text: &str| text.matches("{}").count();
                assert!(!text.trim().is_empty(), "{name}: {language:?}");
                assert_eq!(gaps(text), gaps(english), "{name}: {language:?}");
            }
        }
        let german = Language::German.texts().all();
        let same = english.iter().zip(&german).filter(|(one, other)| one.1 == other.1);
        let same: Vec<_> = same.map(|(one, _)| one.0).collect();
        assert!(same.len() <= 2, "these are not translated: {same:?}");
    }

    #[test]
    fn an_application_knows_the_language_better_than_the_browser() {
        let of = |ui_locales: &[&str], accepts| {
            let ui_locales: Vec<_> = ui_locales.iter().map(|&tag| tag.to_owned()).collect();
            Language::choose(&ui_locales, accepts).tag()
        };
        for (ui_locales, accepts, wanted) in [
            (&[][..], None, "en"),
            (&[], Some("de"), "de"),
            (&[], Some("fr, de-AT;q=0.8, en;q=0.7"), "de"),
            (&[], Some("en;q=0.7,de;q=0.8"), "de"),
            (&[], Some("de;q=0, en"), "en"),
            (&[], Some("fr"), "en"),
            (&[], Some(";;q=,é"), "en"),
            (&["de-DE"], Some("en"), "de"),
            (&["fr-CA", "EN"], Some("de"), "en"),
            (&["fr"], Some("de"), "de"),
        ] {
            assert_eq!(of(ui_locales, accepts), wanted, "{ui_locales:?} {accepts:?}");
        }
    }

    #[test]
    fn gaps_are_filled_in_order() {
        assert_eq!(fill("{} and {}", &["a{}", "b"]), "a{} and b");
        assert_eq!(fill("{}", &[]), "");
        assert_eq!(fill("none", &["a"]), "none");
    }
}
