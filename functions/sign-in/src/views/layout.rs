//! What all pages have around them.

use maud::{DOCTYPE, Markup, html};
use ssf::{Transmitter, web::paths};

use crate::{assets, forms, page::Page, texts::Language, visitor::Visitor};

/// Around a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) us: &'a Transmitter,
    pub(crate) language: Language,
    pub(crate) title: &'a str,
    /// For much rather than for one thing.
    pub(crate) wide: bool,
    /// Where the page goes by itself.
    pub(crate) onward: Option<&'a str>,
}

impl<'a> Layout<'a> {
    pub(crate) fn of(visitor: &'a Visitor, title: &'a str) -> Self {
        let Visitor { us, language, .. } = visitor;
        Self { us, language: *language, title, wide: false, onward: None }
    }

    pub(crate) fn page(self, content: &Markup) -> Page {
        let config = &self.us.parts().config;
        let branding = &config.branding;
        let path = |path: &str| format!("{}{path}", config.issuer.path());
        let name = branding.name.as_deref().unwrap_or_else(|| config.issuer.host());
        let asset = |of: &str| format!("{}?v={}", path(of), *assets::VERSION);
        Page::new(html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    @if let Some(uri) = self.onward {
                        meta http-equiv="refresh" content=(format!("0; url={uri}"));
                    }
                    title { (self.title) " – " (name) }
                    link rel="stylesheet" href=(asset(paths::STYLE));
                    link rel="icon" type="image/svg+xml" href=(asset(paths::ICON));
                }
                body {
                    div.page.wide[self.wide] {
                        header.brand {
                            @if let Some(logo) = &branding.logo {
                                img.logo src=(logo) alt="" width="40" height="40";
                            } @else {
                                span.mark aria-hidden="true" { (initial(name)) }
                            }
                            span.brand-name { (name) }
                        }
                        main { (content) }
                    }
                }
            }
        })
    }
}

/// A letter in the place of a logo.
fn initial(name: &str) -> String {
    name.chars().find(|char| char.is_alphanumeric()).unwrap_or('•').to_uppercase().collect()
}

/// What each form has.
pub(crate) fn hidden(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(forms::TOKEN) value=(visitor.form_token()); }
}

/// What went wrong with a form: the first that a person hears of when the page is there.
pub(crate) fn problem(title: &str, text: &str) -> Markup {
    html! {
        div #problem .alert role="alert" tabindex="-1" autofocus {
            p.alert-title { (title) }
            p { (text) }
        }
    }
}
