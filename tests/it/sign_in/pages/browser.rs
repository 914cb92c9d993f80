//! A browser, as far as pages without a script need one: it keeps cookies, and sends forms with what is
//! hidden in them.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT},
};
use tests::{Caller, World};

/// What the browser calls itself.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

pub(super) struct Browser {
    caller: Caller,
    pub(super) cookies: BTreeMap<String, String>,
    /// Further headers.
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// What a browser was answered.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) html: String,
}

impl Browser {
    pub(super) fn new(world: &World) -> Self {
        Self { caller: world.anyone(), cookies: BTreeMap::new(), headers: Vec::new() }
    }

    pub(super) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Sends the form of `page` that goes to `action`, with these members besides the hidden ones, as a
    /// browser does it.
    pub(super) async fn submit(
        &mut self,
        page: &Page,
        action: &str,
        members: &[(&str, &str)],
    ) -> Page {
        let mut all = page.hidden(action);
        all.retain(|(name, _)| !members.iter().any(|(other, _)| name == other));
        all.extend(members.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        self.post(action, &[("sec-fetch-site", "same-origin")], &all).await
    }

    /// Sends a form, with these headers.
    pub(super) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        members: &[(String, String)],
    ) -> Page {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
        let mut all = vec![(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(Method::POST, path, &all, body).await
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let mut all = vec![(COOKIE.as_str(), cookies.as_str()), (USER_AGENT.as_str(), AGENT)];
        all.extend(headers);
        all.extend(&self.headers);
        let answer = self.caller.send(method, path, &all, Body::from(body)).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(rest.split("; ").any(|found| found.trim() == part), "{cookie}");
            }
            assert!(name.starts_with("__Host-tocsin") && !rest.contains("Domain"), "{cookie}");
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let html = String::from_utf8(answer.body.to_vec()).unwrap();
        Page { status: answer.status, headers: answer.headers, html }
    }
}

impl Page {
    /// Where it sends the browser, by a redirect or by itself; empty if nowhere.
    pub(super) fn location(&self) -> String {
        if let Some(location) = self.headers.get(LOCATION) {
            return location.to_str().unwrap().to_owned();
        }
        let refresh = self.html.split_once("http-equiv=\"refresh\" content=\"0; url=");
        refresh.map(|(_, rest)| unescape(rest.split('"').next().unwrap())).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Its heading.
    pub(super) fn heading(&self) -> String {
        unescape(self.html.split_once("<h1>").unwrap().1.split_once("</h1>").unwrap().0)
    }

    pub(super) fn has(&self, text: &str) -> bool {
        unescape(&self.html).contains(text)
    }

    /// The hidden members of the first form that goes to `action`.
    fn hidden(&self, action: &str) -> Vec<(String, String)> {
        self.forms(action).into_iter().next().unwrap_or_else(|| {
            panic!("no form goes to {action}: {}", self.html);
        })
    }

    /// The hidden members of each form that goes to `action`.
    pub(super) fn forms(&self, action: &str) -> Vec<Vec<(String, String)>> {
        let begin = format!("action=\"{action}\"");
        let forms = self.html.split("<form").skip(1);
        let forms = forms.filter(|form| form.split('>').next().unwrap().contains(&begin));
        let attribute = |input: &str, name: &str| {
            let (_, rest) = input.split_once(&format!(" {name}=\""))?;
            Some(unescape(rest.split('"').next()?))
        };
        let hidden = |form: &str| {
            let form = form.split("</form>").next().unwrap().to_owned();
            let inputs = form.split("<input").skip(1).filter(|input| input.contains("\"hidden\""));
            let pairs = inputs.filter_map(|input| {
                Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
            });
            pairs.collect()
        };
        forms.map(hidden).collect()
    }
}

fn unescape(html: &str) -> String {
    html.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
