//! Who is at the browser, as far as the browser tells.

use axum::{extract::FromRequestParts, response::Response};
use http::{
    HeaderMap, Method, StatusCode,
    header::{ACCEPT_LANGUAGE, SET_COOKIE, USER_AGENT},
    request::Parts,
};
use ssf::{
    Transmitter,
    client::Secret,
    directory::Directory,
    sign_in::{Place, Seen, Session, SignIn, network},
    web::Peer,
};

use crate::{
    cookies,
    failure::Failure,
    forms,
    page::Page,
    texts::{Language, Texts},
    views,
};

/// A browser, and who is signed in there.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) us: Transmitter,
    pub(crate) directory: Directory,
    pub(crate) sign_in: SignIn,
    /// The session, if it is good, and the secret that the browser has of it.
    pub(crate) session: Option<(Session, Secret)>,
    /// What forms are bound to where there is no session; and whether the browser has it already.
    form: (Secret, bool),
    /// See [`ssf::directory::Claim::browser`].
    pub(crate) browser: Option<Secret>,
    pub(crate) place: Place,
    /// The network that counts for attempts.
    pub(crate) network: Option<String>,
    /// Whether it has sent a form.
    pub(crate) by_form: bool,
    accepts: Option<String>,
    pub(crate) language: Language,
}

impl FromRequestParts<Transmitter> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Failure> {
        Self::read(parts, us).await
    }
}

impl Visitor {
    pub(crate) async fn read(parts: &mut Parts, us: &Transmitter) -> Result<Self, Failure> {
        let directory = Directory::of(us);
        let sign_in = directory.sign_in();
        let headers = &parts.headers;
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let text =
            |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        let accepts = text(ACCEPT_LANGUAGE).map(str::to_owned);
        let language = Language::choose(&[], accepts.as_deref());
        let secret = cookies::read(headers, cookies::SESSION);
        let session = sign_in.session(secret.as_ref()).await;
        let session = session.map_err(|error| Failure::of(&error, language, us))?;
        Ok(Self {
            us: us.clone(),
            directory,
            sign_in,
            session: session.zip(secret),
            form: form_cookie(headers),
            browser: cookies::read(headers, cookies::BROWSER),
            place: Place::new(text(USER_AGENT), peer),
            network: peer.map(network),
            by_form: parts.method == Method::POST,
            accepts,
            language,
        })
    }

    /// The same, whose language an application knows better than the browser.
    pub(crate) fn reads(mut self, ui_locales: &[String]) -> Self {
        self.language = Language::choose(ui_locales, self.accepts.as_deref());
        self
    }

    pub(crate) fn texts(&self) -> &'static Texts {
        self.language.texts()
    }

    /// Who is signed in, for the protocol. Whether they have a second factor is not looked up.
    pub(crate) fn seen(&self) -> Option<Seen> {
        let (session, _) = self.session.as_ref()?;
        let (subject, signed_in) = (session.subject.clone(), session.signed_in());
        Some(Seen { subject, signed_in, second_factor: false })
    }

    /// What a form may be bound to.
    pub(crate) fn form_cookies(&self) -> impl Iterator<Item = &Secret> {
        let session = self.session.as_ref().map(|(_, secret)| secret);
        let (form, is_known) = &self.form;
        session.into_iter().chain(is_known.then_some(form))
    }

    /// The token for the forms of a page.
    pub(crate) fn form_token(&self) -> String {
        forms::token(self.session.as_ref().map_or(&self.form.0, |(_, secret)| secret))
    }

    /// A path of ours, as a browser asks for it.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.us.parts().config.issuer.path())
    }

    /// A page for this browser, with the cookie that its forms need.
    pub(crate) fn answer(&self, page: Page) -> Response {
        let mut response = page.into_response(&self.us.parts().config);
        let (form, is_known) = &self.form;
        if self.session.is_none()
            && !is_known
            && let Some(cookie) = cookies::set(cookies::FORM, form)
        {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// Why a form is not taken.
    pub(crate) fn refused_form(&self) -> Failure {
        let texts = self.texts();
        let page = views::message(self, texts.form_refused_title, &[texts.form_refused]);
        Failure::Page(Box::new(self.answer(page.status(StatusCode::FORBIDDEN))))
    }

    pub(crate) fn failure(&self, error: impl Into<ssf::Error>) -> Failure {
        Failure::of(&error.into(), self.language, &self.us)
    }
}

fn form_cookie(headers: &HeaderMap) -> (Secret, bool) {
    let sent = cookies::read(headers, cookies::FORM);
    // As long as they are made here: what is shorter was made up, and may be guessed.
    match sent.filter(|secret| secret.expose().len() == 43) {
        Some(secret) => (secret, true),
        None => (Secret::fresh(), false),
    }
}
