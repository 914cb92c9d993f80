//! What is asked for, and what follows.

use std::fmt::Write as _;

use insta::assert_snapshot;
use jiff::Timestamp;
use url::form_urlencoded;

use super::{
    answer::error_url,
    request::{PARAMETERS, shown},
    *,
};
use crate::{
    client::{AuthMethod, Client, ClientId, NewClient, RedirectUri, Scope},
    config::Issuer,
    sign_in::{Consent, SignedIn, SubjectId, parameters::Parameters},
};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn client(change: impl FnOnce(&mut NewClient)) -> Client {
    let mut wish = NewClient::new("Notes", vec![]);
    wish.scope = vec![Scope::OpenId, Scope::Email, Scope::OfflineAccess];
    let uris = ["https://app.example/cb", "http://127.0.0.1/cb"];
    wish.application.redirect_uris = uris.map(|uri| RedirectUri::parse(uri).unwrap()).to_vec();
    change(&mut wish);
    wish.client(ClientId("notes".into()), at(0)).unwrap()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn read(query: &str, client: &Client) -> Result<AuthorizationRequest, AuthorizationError> {
    AuthorizationRequest::of(Parameters::read(&PARAMETERS, pairs(query)), client)
}

/// A good request, and `more`.
fn good(more: &str, client: &Client) -> AuthorizationRequest {
    read(&whole(more), client).unwrap()
}

fn whole(more: &str) -> String {
    format!(
        "response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=openid \
         email&code_challenge={CHALLENGE}&code_challenge_method=S256&{more}"
    )
}

#[test]
fn what_is_wrong_is_told_in_the_words_of_the_standards() {
    let without = format!("code_challenge={CHALLENGE}&code_challenge_method=S256&");
    let cases = [
        whole("response_type=code"),
        whole("response_type=token").replacen("response_type=code&", "", 1),
        whole("").replacen("response_type=code&", "", 1),
        whole("request=a.b.c"),
        whole("request_uri=https://app.example/r"),
        whole("registration={}"),
        whole("response_mode=query"),
        whole("response_mode=fragment"),
        whole("").replace(&without, ""),
        whole("").replace("=S256", "=plain"),
        whole("").replace("&code_challenge_method=S256", ""),
        whole("").replace(&format!("code_challenge={CHALLENGE}&"), ""),
        whole("").replace("openid email", "phone ssf.manage"),
        whole("prompt=none login"),
        whole("prompt=create"),
        whole("prompt=login consent"),
        whole("max_age=-1"),
        whole("max_age=soon"),
        whole(&format!("state={}", "x".repeat(4097))),
        whole("claims={}&display=page&resource=x&resource=y"),
        whole("nonce="),
    ];
    let mut lines = String::new();
    for case in cases {
        let short = case.replace(&whole(""), "… ").replace(&"x".repeat(4097), "x…x");
        let short = short.replace(CHALLENGE, "C");
        match read(&case, &client(|_| {})) {
            Ok(_) => writeln!(lines, "{short}: good"),
            Err(error) => writeln!(lines, "{short}: {} ({error})", error.code()),
        }
        .unwrap();
    }
    assert_snapshot!(lines, @"
    … response_type=code: invalid_request (response_type: is there twice)
    client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&code_challenge=C&code_challenge_method=S256&response_type=token: unsupported_response_type (response_type must be code)
    client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&code_challenge=C&code_challenge_method=S256&: invalid_request (response_type: is missing)
    … request=a.b.c: request_not_supported (request is not supported)
    … request_uri=https://app.example/r: request_uri_not_supported (request_uri is not supported)
    … registration={}: registration_not_supported (registration is not supported)
    … response_mode=query: good
    … response_mode=fragment: invalid_request (response_mode: must be query)
    response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&: invalid_request (code_challenge: is missing)
    response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&code_challenge=C&code_challenge_method=plain&: invalid_request (code_challenge_method: must be S256)
    response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&code_challenge=C&: invalid_request (code_challenge_method: must be S256)
    response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=openid email&code_challenge_method=S256&: invalid_request (code_challenge: is missing)
    response_type=code&client_id=notes&redirect_uri=https://app.example/cb&scope=phone ssf.manage&code_challenge=C&code_challenge_method=S256&: invalid_scope (the client may have none of these scopes)
    … prompt=none login: invalid_request (prompt: must be none alone)
    … prompt=create: invalid_request (prompt: must be none, login, consent or select_account)
    … prompt=login consent: good
    … max_age=-1: invalid_request (max_age: must be a number of seconds)
    … max_age=soon: invalid_request (max_age: must be a number of seconds)
    … state=x…x: invalid_request (state: must not have more than 4096 bytes)
    … claims={}&display=page&resource=x&resource=y: good
    … nonce=: good
    ");
}

#[test]
fn what_says_where_to_is_there_once() {
    let read = |query: &str| Parameters::read(&PARAMETERS, pairs(query));
    for name in ["client_id", "redirect_uri"] {
        let twice = read(&format!("{name}=a&{name}=a"));
        assert_eq!(shown(&twice, name), Err(Shown::Twice(name)));
        assert_eq!(shown(&read(&format!("{name}=")), name), Err(Shown::Missing(name)));
        assert_eq!(shown(&read(&format!("{name}=a")), name), Ok("a"));
    }
}

#[test]
fn only_a_client_with_a_secret_may_go_without_pkce_and_only_if_the_operator_says_so() {
    let query = "response_type=code&client_id=notes&redirect_uri=https://app.example/cb";
    let optional = client(|wish| wish.application.pkce_optional = true);
    let public = client(|wish| {
        wish.application.pkce_optional = true;
        wish.auth_method = Some(AuthMethod::None);
    });
    assert_eq!(read(query, &optional).map(|request| request.challenge), Ok(None));
    for refused in [client(|_| {}), public] {
        let missing = AuthorizationError::InvalidRequest("code_challenge: is missing".into());
        assert_eq!(read(query, &refused), Err(missing));
    }
}

#[test]
fn what_is_not_asked_for_is_all_but_what_outlives_the_session() {
    let notes = client(|wish| wish.scope.push(Scope::Scim));
    let request = |scope: &str| good("", &notes).scope == read(scope, &notes).unwrap().scope;
    let query = whole("");
    assert!(request(&query.replace("&scope=openid email", "")));
    assert!(request(&query.replace("openid email", "openid scim email unknown openid")));
    let offline = query.replace("openid email", "offline_access openid");
    let offline = read(&offline, &notes).unwrap();
    assert_eq!(offline.scope, [Scope::OfflineAccess, Scope::OpenId]);
}

#[test]
fn a_request_survives_its_query() {
    let notes = client(|_| {});
    let more = "state=a%26b%3D%C3%A9+&nonce=n&prompt=consent login&max_age=60&login_hint=jane%2B1\
                &ui_locales=de fr&acr_values=1 2&claims=%7B%7D&unknown=x";
    let request = good(more, &notes);
    assert_eq!(request.state.as_deref(), Some("a&b=é "));
    assert_eq!(request.ui_locales, ["de", "fr"]);
    let query = request.to_query();
    assert!(!query.contains("unknown"), "{query}");
    assert_eq!(read(&query, &notes), Ok(request.clone()));
    // What was done is not asked for again.
    let signed_in = request.after_sign_in();
    assert_eq!(signed_in.max_age, None);
    assert_eq!(read(&signed_in.to_query(), &notes), Ok(signed_in.clone()));
    assert!(signed_in.to_query().contains("prompt=consent&"));
    let consented = signed_in.after_consent();
    assert!(consented.prompt.is_empty() && !consented.to_query().contains("prompt"));
}

fn seen(name: &str, second: i64) -> Seen {
    let signed_in = SignedIn { auth_time: Some(at(second)), ..SignedIn::default() };
    Seen { subject: SubjectId(name.into()), signed_in, second_factor: false }
}

fn consent(scope: &[Scope], revoked: bool) -> Consent {
    Consent {
        consent_id: "1".into(),
        client: ClientId("notes".into()),
        subject: SubjectId("jane".into()),
        scope: scope.to_vec(),
        issue_date: at(0),
        revoked_at: revoked.then(|| at(1)),
        last_revoked: revoked.then(|| at(1)),
        revocations: u32::from(revoked),
        created: at(0),
        last_modified: at(0),
    }
}

#[test]
fn what_is_next_follows_from_the_request_the_session_and_the_consent() {
    let asked = client(|_| {});
    let preconsent = client(|wish| wish.application.preconsent = true);
    let (some, all) = ([Scope::OpenId], [Scope::OpenId, Scope::Email]);
    let (some, all, gone) = (consent(&some, false), consent(&all, false), consent(&all, true));
    let jane = seen("jane", 100);
    // At 160 s, jane signed in a minute ago.
    let cases: [(&str, &Client, Option<&Seen>, Option<&Consent>); 20] = [
        ("", &asked, None, None),
        ("login_hint=jane", &asked, None, Some(&all)),
        ("prompt=none", &asked, None, Some(&all)),
        ("", &asked, Some(&jane), None),
        ("", &asked, Some(&jane), Some(&some)),
        ("", &asked, Some(&jane), Some(&gone)),
        ("", &asked, Some(&jane), Some(&all)),
        ("prompt=none", &asked, Some(&jane), Some(&all)),
        ("prompt=none", &asked, Some(&jane), Some(&some)),
        ("prompt=consent", &asked, Some(&jane), Some(&all)),
        ("prompt=login", &asked, Some(&jane), Some(&all)),
        ("prompt=select_account", &asked, Some(&jane), Some(&all)),
        ("prompt=login consent", &asked, Some(&jane), Some(&all)),
        ("max_age=60", &asked, Some(&jane), Some(&all)),
        ("max_age=59", &asked, Some(&jane), Some(&all)),
        ("max_age=59&prompt=none", &asked, Some(&jane), Some(&all)),
        ("max_age=18446744073709551615", &asked, Some(&jane), Some(&all)),
        ("", &preconsent, Some(&jane), None),
        ("prompt=none", &preconsent, Some(&jane), Some(&gone)),
        ("prompt=consent", &preconsent, Some(&jane), None),
    ];
    let mut lines = String::new();
    for (more, client, session, consent) in cases {
        let request = good(more, client);
        let decision = decide(&request, client, session, consent, at(160));
        let who = session.map_or("nobody", |seen| &seen.subject.0);
        let has = match consent {
            Some(consent) if !consent.is_live() => "revoked",
            Some(consent) => &crate::client::scope_text(&consent.scope),
            None => "nothing",
        };
        let kind = if client.application.preconsent { "preconsent" } else { "asked" };
        writeln!(lines, "{more} | {kind} | {who} | {has}: {decision:?}").unwrap();
    }
    assert_snapshot!(lines, @r#"
     | asked | nobody | nothing: SignIn { login_hint: None, reason: Nobody }
    login_hint=jane | asked | nobody | openid email: SignIn { login_hint: Some("jane"), reason: Nobody }
    prompt=none | asked | nobody | openid email: Refuse(LoginRequired)
     | asked | jane | nothing: Consent { new_scopes: [OpenId, Email], all: [OpenId, Email] }
     | asked | jane | openid: Consent { new_scopes: [Email], all: [OpenId, Email] }
     | asked | jane | revoked: Consent { new_scopes: [OpenId, Email], all: [OpenId, Email] }
     | asked | jane | openid email: Issue { scope: [OpenId, Email] }
    prompt=none | asked | jane | openid email: Issue { scope: [OpenId, Email] }
    prompt=none | asked | jane | openid: Refuse(ConsentRequired)
    prompt=consent | asked | jane | openid email: Consent { new_scopes: [], all: [OpenId, Email] }
    prompt=login | asked | jane | openid email: SignIn { login_hint: None, reason: Asked }
    prompt=select_account | asked | jane | openid email: SignIn { login_hint: None, reason: Choose }
    prompt=login consent | asked | jane | openid email: SignIn { login_hint: None, reason: Asked }
    max_age=60 | asked | jane | openid email: Issue { scope: [OpenId, Email] }
    max_age=59 | asked | jane | openid email: SignIn { login_hint: None, reason: TooLongAgo }
    max_age=59&prompt=none | asked | jane | openid email: Refuse(LoginRequired)
    max_age=18446744073709551615 | asked | jane | openid email: Issue { scope: [OpenId, Email] }
     | preconsent | jane | nothing: Issue { scope: [OpenId, Email] }
    prompt=none | preconsent | jane | revoked: Refuse(ConsentRequired)
    prompt=consent | preconsent | jane | nothing: Consent { new_scopes: [], all: [OpenId, Email] }
    "#);
}

#[test]
fn who_can_sign_in_more_surely_is_asked_to_if_the_application_wishes_it() {
    let notes = client(|_| {});
    let all = consent(&[Scope::OpenId, Scope::Email], false);
    let mut lines = String::new();
    for (more, acr, second_factor) in [
        ("acr_values=nist-aal2", "nist-aal1", true),
        ("acr_values=nist-aal2", "nist-aal2", true),
        ("acr_values=nist-aal2", "nist-aal1", false),
        ("acr_values=nist-aal2&prompt=none", "nist-aal1", true),
        ("acr_values=x nist-aal2", "nist-aal1", true),
        ("acr_values=nist-aal2 nist-aal1", "nist-aal1", true),
        ("acr_values=nist-aal1", "nist-aal1", true),
        ("acr_values=x", "nist-aal1", true),
        ("", "nist-aal1", true),
    ] {
        let mut jane = seen("jane", 100);
        jane.signed_in.acr = Some(acr.to_owned());
        jane.second_factor = second_factor;
        let decision = decide(&good(more, &notes), &notes, Some(&jane), Some(&all), at(160));
        let what = match decision {
            Decision::SignIn { reason, .. } => format!("{reason:?}"),
            Decision::Issue { .. } => "issue".to_owned(),
            other => format!("{other:?}"),
        };
        writeln!(lines, "{more} | {acr} | {second_factor}: {what}").unwrap();
    }
    assert_snapshot!(lines, @"
    acr_values=nist-aal2 | nist-aal1 | true: MoreSurely
    acr_values=nist-aal2 | nist-aal2 | true: issue
    acr_values=nist-aal2 | nist-aal1 | false: issue
    acr_values=nist-aal2&prompt=none | nist-aal1 | true: issue
    acr_values=x nist-aal2 | nist-aal1 | true: MoreSurely
    acr_values=nist-aal2 nist-aal1 | nist-aal1 | true: issue
    acr_values=nist-aal1 | nist-aal1 | true: issue
    acr_values=x | nist-aal1 | true: issue
     | nist-aal1 | true: issue
    ");
}

#[test]
fn who_is_hinted_at_is_the_only_one_to_be_sent_back() {
    let notes = client(|_| {});
    let all = consent(&[Scope::OpenId, Scope::Email], false);
    let mut request = good("", &notes);
    request.hinted = Some(SubjectId("jane".into()));
    let decision = |session: Option<&Seen>| decide(&request, &notes, session, Some(&all), at(160));
    assert!(matches!(decision(Some(&seen("jane", 0))), Decision::Issue { .. }));
    let other = decision(Some(&seen("john", 0)));
    assert_eq!(other, Decision::Refuse(AuthorizationError::LoginRequired));
    assert!(matches!(decision(None), Decision::SignIn { .. }));
}

#[test]
fn a_person_is_there_when_a_program_without_a_secret_or_a_host_is_let_in() {
    let native = |preconsent| {
        client(|wish| {
            wish.auth_method = Some(AuthMethod::None);
            wish.application.preconsent = preconsent;
        })
    };
    let all = consent(&[Scope::OpenId, Scope::Email], false);
    let jane = seen("jane", 0);
    let loopback = whole("").replace("https://app.example/cb", "http://127.0.0.1:5000/cb");
    let decision = |query: &str, client: &Client| {
        decide(&read(query, client).unwrap(), client, Some(&jane), Some(&all), at(1))
    };
    let is_asked = |decision| matches!(decision, Decision::Consent { new_scopes, .. } if new_scopes.is_empty());
    assert!(is_asked(decision(&loopback, &native(false))));
    assert!(matches!(decision(&loopback, &native(true)), Decision::Issue { .. }));
    assert!(matches!(decision(&whole(""), &native(false)), Decision::Issue { .. }));
    assert!(matches!(decision(&loopback, &client(|_| {})), Decision::Issue { .. }));
    let silent = format!("{loopback}prompt=none");
    let refused = Decision::Refuse(AuthorizationError::ConsentRequired);
    assert_eq!(decision(&silent, &native(false)), refused);
    let native = native(false);
    let request = read(&loopback, &native).unwrap().after_consent();
    let then = decide(&request, &native, Some(&jane), Some(&all), at(1));
    assert!(matches!(then, Decision::Issue { .. }), "and is asked once");
}

#[test]
fn an_answer_stands_behind_what_the_address_has_already() {
    let issuer = Issuer::parse("https://tocsin.example").unwrap();
    let to = |uri: &str| error_url(uri, Some("a&b"), &issuer, &AuthorizationError::AccessDenied);
    let answer = "error=access_denied&error_description=it+was+not+allowed&state=a%26b\
                  &iss=https%3A%2F%2Ftocsin.example";
    for (uri, wanted) in [
        ("https://app.example/cb", format!("https://app.example/cb?{answer}")),
        ("https://app.example/cb?", format!("https://app.example/cb?{answer}")),
        ("https://app.example/cb?t=1", format!("https://app.example/cb?t=1&{answer}")),
        ("com.example.app:/cb", format!("com.example.app:/cb?{answer}")),
    ] {
        assert_eq!(to(uri), wanted);
    }
}
