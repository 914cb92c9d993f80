//! The pages on the deployed stack: a person signs in, allows an application something, looks at their
//! account, and signs out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use http_body_util::Full;

use crate::deployed::{Deployed, fresh, on_the_stack};

/// A browser, as far as these pages need one.
pub(crate) struct Browser<'a> {
    deployed: &'a Deployed,
    cookies: BTreeMap<String, String>,
}

/// What it was answered.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    location: String,
    html: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(deployed: &'a Deployed) -> Self {
        Self { deployed, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, None).await
    }

    /// Sends the form of `page` that goes to `action`, with these members besides the hidden ones.
    pub(crate) async fn submit(
        &mut self,
        page: &Page,
        action: &str,
        members: &[(&str, &str)],
    ) -> Page {
        let hidden = page.hidden(action);
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden)
            .extend_pairs(members)
            .finish();
        self.send(Method::POST, action, Some(body)).await
    }

    /// Signs in at `page`.
    pub(crate) async fn sign_in(&mut self, page: &Page, name: &str, password: &str) -> Page {
        self.submit(page, "/sign-in", &[("name", name), ("password", password)]).await
    }

    /// Signs in to the application that asks so, and allows it what it asks for; the code that it gets.
    pub(crate) async fn code(&mut self, ask: &str, name: &str, password: &str) -> Option<String> {
        let page = self.get(ask).await;
        let there = self.sign_in(&page, name, password).await;
        let next = there.refreshes_to();
        if next.is_empty() {
            return None;
        }
        let mut page = self.get(&next).await;
        if page.location.is_empty() {
            page = self.submit(&page, "/consent", &[("decision", "allow")]).await;
        }
        let uri = if page.location.is_empty() { page.refreshes_to() } else { page.location };
        let url = url::Url::parse(&uri).ok()?;
        url.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned())
    }

    async fn send(&mut self, method: Method, path: &str, form: Option<String>) -> Page {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let mut request = Request::builder().method(method).uri(path).header(COOKIE, cookies);
        if form.is_some() {
            let media_type = "application/x-www-form-urlencoded";
            request = request.header(CONTENT_TYPE, media_type);
            request = request.header("sec-fetch-site", "same-origin");
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default()));
        let answer = self.deployed.send_request(request.body(body).unwrap()).await;
        self.keep_cookies(&answer);
        let location = answer.headers().get(LOCATION).map(|location| location.to_str().unwrap());
        Page {
            status: answer.status(),
            location: location.unwrap_or_default().to_owned(),
            html: String::from_utf8_lossy(answer.body()).into_owned(),
        }
    }

    fn keep_cookies(&mut self, answer: &Response<Bytes>) {
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
                self.deployed.secrets.lock().unwrap().push(value.to_owned());
            }
        }
    }
}

impl Page {
    fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let begin = format!("action=\"{action}\"");
        let Some((_, form)) = self.html.split_once(&begin) else { return Vec::new() };
        let inputs = form.split("</form>").next().unwrap().split("<input").skip(1);
        let attribute = |input: &str, name: &str| {
            let (_, rest) = input.split_once(&format!(" {name}=\""))?;
            Some(rest.split('"').next()?.replace("&amp;", "&"))
        };
        let hidden = inputs.filter(|input| input.contains("\"hidden\""));
        hidden
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect()
    }

    /// Where it goes by itself.
    fn refreshes_to(&self) -> String {
        let refresh = self.html.split_once("content=\"0; url=");
        let rest = refresh.map(|(_, rest)| rest.split('"').next().unwrap());
        rest.unwrap_or_default().replace("&amp;", "&")
    }
}

impl Deployed {
    /// A new person with this password; the name.
    pub(crate) fn person(&self, password: &str) -> String {
        let name = fresh();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, password).unwrap();
        let create = ["user", "create", &name, "--password-stdin"];
        let made = self.run_tool_with(&create, |tool| {
            tool.stdin(std::fs::File::open(&file).unwrap());
        });
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        name
    }
}

/// Makes the code of [`ask`] good.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A request for authorization.
pub(crate) fn ask(client: &str, uri: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", uri),
            ("scope", "openid"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ])
        .finish();
    format!("/oauth/authorize?{query}")
}

#[test]
fn a_person_signs_in_and_comes_back_to_the_application_with_a_code() {
    on_the_stack(async |deployed| {
        let (password, uri) = ("correct horse battery", "https://notes.example/cb");
        let name = deployed.person(password);
        let client = deployed.tool(&["client", "create", "--name", "Notes", "--redirect-uri", uri]);
        let ask = ask(client["client_id"].as_str().unwrap(), uri);
        let mut browser = Browser::new(deployed);
        let page = browser.get(&ask).await;
        let wrong = browser.sign_in(&page, &name, "wrong").await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.html);
        let there = browser.sign_in(&page, &name, password).await;
        let logs = || deployed.logs("sign-in");
        assert_eq!(there.status, StatusCode::OK, "{} {}", there.html, logs());
        let page = browser.get(&there.refreshes_to()).await;
        let done = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
        assert!(done.refreshes_to().contains("?code=tocsin_a."), "{} {}", done.html, logs());
        let again = browser.get(&ask).await;
        assert!(again.location.starts_with(uri), "nobody is asked twice");
        let account = browser.get("/account").await;
        assert!(account.html.contains("Notes"), "{} {}", account.html, logs());
        let stolen = browser.cookies.clone();
        let out = browser.submit(&account, "/sign-out", &[]).await;
        assert_eq!((out.status, out.location.as_str()), (StatusCode::SEE_OTHER, "/signed-out"));
        browser.cookies = stolen;
        assert_eq!(browser.get("/account").await.location, "/sign-in");
    });
}
