//! What filters mean, how they are bounded, and that another parser reads the same in them.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::scim::ErrorKind;

mod differential;

/// A filter over Users, in parentheses.
fn shape(text: &str) -> String {
    differential::ours(&Filter::parse(text, ResourceType::User).unwrap_or_else(|error| {
        panic!("{text}: {error}");
    }))
}

fn refused(text: &str) -> Error {
    match Filter::parse(text, ResourceType::User) {
        Err(error) => error,
        Ok(filter) => panic!("{text} is {}", differential::ours(&filter)),
    }
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "7a", "externalId": "Ext-1", "userName": "Ada@Example.com", "active": true,
        "name": {"givenName": "Ada", "familyName": "O'Brien"}, "title": "",
        "emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ],
        "groups": [{"value": "g1", "$ref": "https://t/scim/v2/Groups/g1"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701", "manager": {"value": "m1"},
        },
        "meta": {"created": "2026-01-02T03:04:05Z", "lastModified": "2026-06-01T00:00:00.5Z"},
    })
}

fn holds(text: &str) -> bool {
    Filter::parse(text, ResourceType::User).unwrap().matches(&ada())
}

#[test]
fn the_attribute_operator_binds_first_then_not_then_and_then_or() {
    assert_eq!(
        shape(r#"title pr or nickName pr and not (active eq true) or id eq "1""#),
        r#"(title pr or (nickName pr and not (active eq true)) or id eq "1")"#
    );
    assert_eq!(
        shape("(title pr or nickName pr) and locale pr"),
        "((title pr or nickName pr) and locale pr)"
    );
}

#[test]
fn names_and_operators_have_no_case() {
    assert_eq!(
        shape(r#"USERNAME EQ "Ada" AND NOT (NAME.givenname PR)"#),
        r#"(userName eq "Ada" and not (name.givenName pr))"#
    );
    let urn = "urn:IETF:params:scim:schemas:core:2.0:user:userName";
    assert_eq!(shape(&format!(r#"{urn} sw "a""#)), r#"userName sw "a""#);
}

#[test]
fn what_clients_send_beyond_the_grammar_is_read() {
    let same = [
        (r#"emails[type eq "work"].value eq "x""#, r#"emails[type eq "work" and value eq "x"]"#),
        (r#"emails[type eq "work"].value pr"#, r#"emails[type eq "work" and value pr]"#),
        (
            r#"emails[type eq "work" or type eq "home"].value sw "x""#,
            r#"emails[(type eq "work" or type eq "home") and value sw "x"]"#,
        ),
        ("not(active eq true)", "not (active eq true)"),
        ("active eq True", "active eq true"),
        ("active eq FALSE", "active eq false"),
        (r#"active eq "False""#, "active eq false"),
        ("title eq NULL", "title eq null"),
        ("  title   pr  ", "title pr"),
        ("(title pr)and(locale pr)", "(title pr) and (locale pr)"),
    ];
    for (sent, meant) in same {
        assert_eq!(shape(sent), shape(meant), "{sent}");
    }
    assert_eq!(shape(r#"groups.$ref eq "x""#), r#"groups.$ref eq "x""#);
    assert_eq!(shape(r#"emails eq "x""#), r#"emails.value eq "x""#);
    assert_eq!(shape("title eq null"), "not (title pr)");
    assert_eq!(shape("title ne null"), "title pr");
}

#[test]
fn an_unknown_attribute_is_named() {
    for (text, detail) in [
        (r#"favouriteColour eq "x""#, "there is no attribute favouriteColour"),
        (r#"name.nick eq "x""#, "there is no attribute name.nick"),
        (r#"emails[kind eq "x"]"#, "there is no attribute kind in emails"),
        (r#"emails[type eq "x"].kind eq "x""#, "there is no attribute kind in emails"),
        (r#"members.value eq "x""#, "there is no attribute members.value"),
        (r#"department eq "x""#, "there is no attribute department"),
    ] {
        assert_eq!(refused(text), Error::filter(detail), "{text}");
    }
}

#[test]
fn what_cannot_be_compared_so_is_refused() {
    let invalid = [
        "",
        " ",
        "userName",
        "userName eq",
        "eq",
        r#"userName xx "a""#,
        "userName eq 'a'",
        r#"userName eq "a"#,
        r#"userName eq "a" and"#,
        r#"userName eq "a" or or"#,
        "()",
        "not ()",
        "not active eq true",
        r#"(userName eq "a""#,
        r#"userName eq "a")"#,
        "emails[]",
        "emails[type pr",
        r#"emails[type eq "work"].value"#,
        "emails[emails[type pr]]",
        "userName[value pr]",
        "active gt true",
        "active co true",
        r#"active eq "foo""#,
        "active eq 1",
        "userName eq 1",
        "userName eq true",
        "userName gt null",
        r#"meta.created gt "soon""#,
        "meta.created gt 7",
        r#"name eq "x""#,
        r#"addresses eq "x""#,
        r#"userName eq "\x""#,
        r#"userName eq "a" x"#,
        r#"userName eq "a"title pr"#,
        r#"userNameeq "a""#,
        "emails[type pr].value.x pr",
    ];
    for text in invalid {
        assert_eq!(refused(text).kind, ErrorKind::InvalidFilter, "{text}");
    }
    for text in [r#"password eq "secret""#, "password pr", r#"title pr or PassWord sw "s""#] {
        let error = refused(text);
        assert_eq!(error.kind, ErrorKind::Sensitive, "{text}");
        assert_eq!(error.detail, "password cannot be asked for");
    }
}

#[test]
fn no_error_repeats_a_value_and_no_debug_text_shows_one() {
    for text in [r#"userName gt "geheim" x"#, r#"active eq "geheim""#, r#"name eq "geheim""#] {
        assert!(!refused(text).detail.contains("geheim"), "{text}");
    }
    let filter = Filter::parse(r#"userName eq "geheim""#, ResourceType::User).unwrap();
    assert!(!format!("{filter:?}").contains("geheim"));
}

#[test]
fn values_compare_as_their_schemas_say() {
    let hits = [
        r#"userName eq "ada@EXAMPLE.com""#,
        r#"userName co "@EXAM""#,
        r#"userName sw "ADA""#,
        r#"userName ew ".COM""#,
        r#"userName gt "a""#,
        r#"userName le "ada@example.com""#,
        r#"externalId eq "Ext-1""#,
        r#"id eq "7a""#,
        "active eq true",
        "active ne false",
        r#"emails eq "ADA@home.example""#,
        r#"emails.type eq "home""#,
        r#"emails.type ne "home""#,
        r#"emails[type eq "work" and value co "@WORK"]"#,
        "emails[primary eq true]",
        r#"emails[not (type eq "work")]"#,
        r#"emails[type eq "work"].value eq "ada@work.example""#,
        "name pr",
        r#"name.familyName eq "O'Brien""#,
        r#"groups.value eq "g1""#,
        r#"groups.$ref ew "/g1""#,
        "title eq null",
        "not (title pr)",
        "nickName eq null",
        r#"nickName ne "x""#,
        r#"title eq """#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "701""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "m1""#,
        r#"meta.created eq "2026-01-02T04:04:05+01:00""#,
        r#"meta.created lt "2026-01-02T03:04:05.1Z""#,
        r#"meta.lastModified ge "2026-06-01T00:00:00.500Z""#,
        r#"meta.lastModified sw "2026-06""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:user""#,
    ];
    for text in hits {
        assert!(holds(text), "{text}");
    }
    let misses = [
        r#"externalId eq "ext-1""#,
        r#"id eq "7A""#,
        r#"emails[type eq "work" and value co "@home"]"#,
        r#"emails[type eq "home"].value eq "ada@work.example""#,
        "emails[primary eq false]",
        "title pr",
        "title ne null",
        r#"nickName eq "x""#,
        r#"nickName eq """#,
        r#"nickName lt "x""#,
        r#"meta.created gt "2026-01-02T03:04:05Z""#,
        r#"groups.value eq "G1""#,
        "active eq false",
        r#"userName ne "ADA@example.com""#,
    ];
    for text in misses {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn names_that_are_one_to_people_are_equal() {
    let holds = |name: &str, filter: &str| {
        let filter = Filter::parse(filter, ResourceType::User).unwrap();
        filter.matches(&json!({ "userName": name }))
    };
    assert!(holds("Straße", r#"userName eq "STRASSE""#));
    assert!(holds("Andr\u{e9}", "userName eq \"andre\u{301}\""));
    assert!(holds(" ada ", r#"userName eq "Ada""#));
    assert!(holds("Straße 7", r#"userName sw "strasse ""#));
    assert!(!holds("Strassen", r#"userName sw "strasse ""#));
}

#[test]
fn a_planner_finds_what_must_be_equal() {
    let filter = r#"id eq "g" and members eq "u""#;
    let filter = Filter::parse(filter, ResourceType::Group).unwrap();
    let equalities: Vec<_> = filter
        .conjuncts()
        .iter()
        .filter_map(Filter::text_equality)
        .map(|(path, text)| (path.to_string(), text))
        .collect();
    assert_eq!(equalities, [("id".to_owned(), "g"), ("members.value".to_owned(), "u")]);
}

#[test]
fn bombs_are_refused_at_once() {
    let nested = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    let terms = |count: usize| vec!["id pr"; count].join(" or ");
    assert!(Filter::parse(&nested(MAX_DEPTH), ResourceType::User).is_ok());
    assert!(Filter::parse(&vec!["id pr"; 800].join(" or "), ResourceType::User).is_ok());
    let bombs = [
        nested(MAX_DEPTH + 1),
        nested(10_000),
        "(".repeat(500_000),
        "not(".repeat(2000),
        "emails[".repeat(1000),
        terms(100_000),
        "a".repeat(1_000_000),
        format!(r#"userName eq "{}""#, "\\".repeat(1_000_000)),
    ];
    for bomb in bombs {
        let started = Instant::now();
        let error = refused(&bomb);
        assert_eq!(error.kind, ErrorKind::InvalidFilter);
        assert!(error.detail.len() < 200, "{}", error.detail);
        // Debug builds on busy machines are slow; what is quadratic takes minutes.
        assert!(started.elapsed() < Duration::from_millis(100), "{}", &bomb[..20]);
    }
    assert_eq!(
        refused(&vec!["id pr"; MAX_TERMS + 1].join("or ").replace(' ', "\t")).kind,
        ErrorKind::InvalidFilter
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        let _ = Filter::parse(&text, ResourceType::User);
    }

    #[test]
    fn no_mixture_of_words_makes_the_parser_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "userName", "emails", "[", "]", "(", ")", "not", "and", "or", "eq", "pr", "null", "\"x\"",
            ".value", " ", "é", "\"", "\\", "1e9", "active", "true", "type",
        ]), 0..30)
    ) {
        let text = words.concat();
        if let Ok(filter) = Filter::parse(&text, ResourceType::User) {
            filter.matches(&ada());
        }
        let _ = Filter::parse(&words.join(" "), ResourceType::Group);
    }
}
