//! Subjects as the standards show them, what is refused, and what matches what.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod aliases;

fn subject(value: Value) -> Subject {
    Subject::parse(value).unwrap()
}

fn refused(value: Value) -> String {
    Subject::parse(value).unwrap_err().to_string()
}

#[test]
fn the_examples_of_the_standards_are_read_and_written_back() {
    for example in [
        // RFC 9493, 3.2.1 to 3.2.8
        json!({ "format": "account", "uri": "acct:example.user@service.example.com" }),
        json!({ "format": "email", "email": "user@example.com" }),
        json!({ "format": "iss_sub", "iss": "https://issuer.example.com/", "sub": "145234573" }),
        json!({ "format": "opaque", "id": "11112222333344445555" }),
        json!({ "format": "phone_number", "phone_number": "+12065550100" }),
        json!({ "format": "did", "url": "did:example:123456" }),
        json!({ "format": "did", "url": "did:example:123456/did/url/path?versionId=1" }),
        json!({ "format": "uri", "uri": "https://user.example.com/" }),
        json!({ "format": "uri", "uri": "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f" }),
        json!({ "format": "aliases", "identifiers": [
            { "format": "email", "email": "user@example.com" },
            { "format": "phone_number", "phone_number": "+12065550100" },
            { "format": "email", "email": "user+qualifier@example.com" },
        ] }),
        // SSF 1.0, 3.3
        json!({
            "format": "complex",
            "user": { "format": "email", "email": "bar@example.com" },
            "tenant": { "format": "iss_sub", "iss": "https://example.com/idp1", "sub": "1234" },
        }),
        // SSF 1.0, 3.5.1 to 3.5.3
        json!({
            "format": "jwt_id",
            "iss": "https://idp.example.com/123456789/",
            "jti": "B70BA622-9515-4353-A866-823539EECBC8",
        }),
        json!({
            "format": "saml_assertion_id",
            "issuer": "https://idp.example.com/123456789/",
            "assertion_id": "_8e8dc5f69a98cc4c1ff3427e5ce34606fd672f91e6",
        }),
        json!({
            "format": "ip-addresses",
            "ip-addresses": ["10.29.37.75", "2001:0db8:0000:0000:0000:8a2e:0370:7334"],
        }),
        // SSF 1.0, 5: a private format, and a number with spaces
        json!({ "format": "catalog_item", "catalog_id": "c0384/winter/2354122" }),
        json!({ "format": "phone_number", "phone_number": "+1 206 555 0123" }),
        // SSF 1.0, 8.1.3.3
        json!({ "format": "phone", "phone_number": "+12065550123" }),
        // RFC 9967, 2.1
        json!({ "format": "scim", "uri": "/Users/44f6142df96bd6ab61e7521d9" }),
        json!({ "format": "scim", "uri": "/Users/44f6142df96bd6ab61e7521d9", "externalId": "jdoe" }),
    ] {
        let read = subject(example.clone());
        assert_eq!(read.to_value(), example);
        let stored = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Subject>(&stored).unwrap(), read);
        let has_one_spelling = example["format"] != "phone" && example.get("externalId").is_none();
        if let (Some(identifier), true) = (read.simple(), has_one_spelling) {
            let canonical = serde_json_canonicalizer::to_vec(&example).unwrap();
            assert_eq!(identifier.canonical(), canonical, "{example}");
        }
    }
}

#[test]
fn what_breaks_the_rules_of_its_format_is_refused_by_name() {
    for (value, error) in [
        (json!("ann@example.com"), ".: must be a JSON object"),
        (json!({}), "format: is missing"),
        (json!({ "format": "" }), "format: must not be empty"),
        (json!({ "format": 7 }), "format: must be a string"),
        (
            json!({ "subject_type": "email", "email": "ann@example.com" }),
            "subject_type: is the name of an old draft; use format",
        ),
        (
            json!({ "format": "email", "subject_type": "email", "email": "ann@example.com" }),
            "subject_type: is the name of an old draft; use format",
        ),
        (json!({ "format": "email" }), "email: is missing"),
        (json!({ "format": "email", "email": null }), "email: must be a string"),
        (json!({ "format": "email", "email": "" }), "email: must not be empty"),
        (json!({ "format": "email", "email": ["ann@example.com"] }), "email: must be a string"),
        (
            json!({ "format": "email", "email": "ann" }),
            "email: is not an e-mail address, local@domain",
        ),
        (
            json!({ "format": "email", "email": "ann@example.com", "name": "Ann" }),
            "name: is not a member of the format email",
        ),
        (
            json!({ "format": "account", "uri": "ann@example.com" }),
            "uri: is not an acct: URI, such as acct:ann@example.com",
        ),
        (json!({ "format": "iss_sub", "iss": "https://a.example" }), "sub: is missing"),
        (json!({ "format": "iss_sub", "iss": "", "sub": "1" }), "iss: must not be empty"),
        (json!({ "format": "opaque", "id": 1 }), "id: must be a string"),
        (
            json!({ "format": "phone_number", "phone_number": "2065550100" }),
            "phone_number: is not an E.164 number: +, the country code and the rest, at most 15 digits",
        ),
        (
            json!({ "format": "phone", "phone_number": "x" }),
            "phone_number: is not an E.164 number: +, the country code and the rest, at most 15 digits",
        ),
        (
            json!({ "format": "did", "url": "https://a.example" }),
            "url: is not a DID URL, such as did:example:123456",
        ),
        (json!({ "format": "uri", "uri": "no scheme" }), "uri: is not a URI"),
        (json!({ "format": "jwt_id", "iss": "https://a.example" }), "jti: is missing"),
        (json!({ "format": "saml_assertion_id", "issuer": "a" }), "assertion_id: is missing"),
        (
            json!({ "format": "scim", "uri": "/Users/1", "externalId": "" }),
            "externalId: must not be empty",
        ),
        (json!({ "format": "scim", "externalId": "ann" }), "uri: is missing"),
    ] {
        assert_eq!(refused(value), error);
    }
}

#[test]
fn what_breaks_the_rules_within_a_subject_is_refused_by_path() {
    let mut eight: Value = (0..8)
        .map(|n| (format!("m{n}"), json!({ "format": "opaque", "id": "1" })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    eight["format"] = json!("complex");
    let many = |count: usize| -> Value {
        let opaque = |n: usize| json!({ "format": "opaque", "id": n.to_string() });
        json!({ "format": "aliases", "identifiers": (0..count).map(opaque).collect::<Vec<_>>() })
    };
    assert!(Subject::parse(many(8)).is_ok());
    assert!(
        Subject::parse(
            json!({ "format": "complex", "user": many(2), "device": many(4), "tenant": many(1) })
        )
        .is_ok()
    );
    for (value, error) in [
        (many(9), "identifiers: must not hold more than 8"),
        (
            json!({ "format": "complex", "user": many(9) }),
            "user.identifiers: must not hold more than 8",
        ),
        (
            json!({ "format": "complex", "user": many(3), "device": many(3) }),
            ".: has aliases that combine in more than 8 ways",
        ),
        (json!({ "format": "ip-addresses" }), "ip-addresses: is missing"),
        (
            json!({ "format": "ip-addresses", "ip-addresses": "::1" }),
            "ip-addresses: must be an array",
        ),
        (
            json!({ "format": "ip-addresses", "ip-addresses": [] }),
            "ip-addresses: must not be empty",
        ),
        (
            json!({ "format": "ip-addresses", "ip-addresses": ["::1", "::x"] }),
            "ip-addresses[1]: is not an IP address",
        ),
        (json!({ "format": "aliases", "identifiers": [] }), "identifiers: must not be empty"),
        (
            json!({ "format": "aliases", "identifiers": [
                { "format": "opaque", "id": "1" },
                { "format": "aliases", "identifiers": [{ "format": "opaque", "id": "1" }] },
            ] }),
            "identifiers[1].format: must not be aliases within aliases",
        ),
        (
            json!({ "format": "aliases", "identifiers": [
                { "format": "complex", "user": { "format": "opaque", "id": "1" } },
            ] }),
            "identifiers[0].format: must be that of a simple subject",
        ),
        (json!({ "format": "complex" }), ".: is complex and has no member besides its format"),
        (json!({ "format": "complex", "user": "ann" }), "user: must be a JSON object"),
        (json!({ "format": "complex", "user": null }), "user: must be a JSON object"),
        (
            json!({ "format": "complex", "user": { "email": "ann@example.com" } }),
            "user.format: is missing",
        ),
        (
            json!({ "format": "complex", "user": { "format": "email", "email": "ann" } }),
            "user.email: is not an e-mail address, local@domain",
        ),
        (
            json!({ "format": "complex", "user": {
                "format": "complex", "user": { "format": "opaque", "id": "1" },
            } }),
            "user.format: must be that of a simple subject",
        ),
        (
            json!({ "format": "complex", "a,b": { "format": "opaque", "id": "1" } }),
            "a,b: is not a name of 1 to 64 bytes without , and #",
        ),
        (eight, ".: must not have more than 7 members"),
        (json!({ "format": "ours" }), ".: has no member besides its format"),
        (json!({ "format": "ours", "id": null }), "id: must not be null"),
        (json!({ "format": "ours", "id": {} }), "id: must not be empty"),
        (
            json!({ "format": "ours", "id": [{ "n": 9_007_199_254_740_993_u64 }] }),
            "id: holds a number that is not whole or beyond 2^53; send it as a string",
        ),
        (
            json!({ "format": "ours", "id": 1.5 }),
            "id: holds a number that is not whole or beyond 2^53; send it as a string",
        ),
        (
            json!({ "format": "opaque", "id": "x".repeat(4096) }),
            ".: must not be longer than 4096 bytes",
        ),
    ] {
        assert_eq!(refused(value), error);
    }
    // 27 bytes of JSON around the id.
    assert!(Subject::parse(json!({ "format": "opaque", "id": "x".repeat(4096 - 27) })).is_ok());
    assert!(Subject::parse(json!({ "format": "opaque", "id": "x".repeat(4096 - 26) })).is_err());
}

#[test]
fn only_the_spelling_of_the_json_is_normalized() {
    let read = |text: &str| subject(crate::json::parse(text.as_bytes()).unwrap());
    for (left, right, same) in [
        (
            r#"{"format":"iss_sub","iss":"https://a.example","sub":"é"}"#,
            r#"{ "sub": "\u00e9", "iss": "https:\/\/a.example", "format": "iss_sub" }"#,
            true,
        ),
        (
            r#"{"format":"phone","phone_number":"+12065550100"}"#,
            r#"{"format":"phone_number","phone_number":"+12065550100"}"#,
            true,
        ),
        (
            r#"{"format":"scim","uri":"/Users/1"}"#,
            r#"{"format":"scim","uri":"/Users/1","externalId":"ann"}"#,
            true,
        ),
        (
            r#"{"format":"scim","uri":"/Users/1","externalId":"ann"}"#,
            r#"{"format":"scim","uri":"/Users/2","externalId":"ann"}"#,
            false,
        ),
        (
            r#"{"format":"ours","a":{"x":1,"y":[true]}}"#,
            r#"{"a":{"y":[true],"x":1},"format":"ours"}"#,
            true,
        ),
        (
            r#"{"format":"email","email":"ann@example.com"}"#,
            r#"{"format":"email","email":"Ann@example.com"}"#,
            false,
        ),
        (
            r#"{"format":"phone_number","phone_number":"+1 206 555 0100"}"#,
            r#"{"format":"phone_number","phone_number":"+12065550100"}"#,
            false,
        ),
        (
            r#"{"format":"ip-addresses","ip-addresses":["::1"]}"#,
            r#"{"format":"ip-addresses","ip-addresses":["0::1"]}"#,
            false,
        ),
        (r#"{"format":"opaque","id":"é"}"#, r#"{"format":"opaque","id":"e\u0301"}"#, false),
        (
            r#"{"format":"scim","uri":"/Users/1"}"#,
            r#"{"format":"scim","uri":"/Users/1","externalId":"ann"}"#,
            true,
        ),
        (r#"{"format":"scim","uri":"/Users/1"}"#, r#"{"format":"scim","uri":"/users/1"}"#, false),
        (
            r#"{"format":"scim","uri":"/Users/1"}"#,
            r#"{"format":"scim","uri":"https://a.example/Users/1"}"#,
            false,
        ),
        (r#"{"format":"ours","id":"1"}"#, r#"{"format":"ours","id":1}"#, false),
        (r#"{"format":"ours","id":"1"}"#, r#"{"format":"theirs","id":"1"}"#, false),
        (r#"{"format":"opaque","id":"1"}"#, r#"{"format":"ours","id":"1"}"#, false),
    ] {
        let (left, right) = (read(left), read(right));
        assert_eq!(left == right, same, "{left:?} {right:?}");
        assert_eq!(left.digest() == right.digest(), same, "{left:?} {right:?}");
        assert_eq!(matches(&left, &right), same, "{left:?} {right:?}");
    }
}

#[test]
fn digests_stay_as_they_are_because_tables_hold_them() {
    let email = subject(json!({ "format": "email", "email": "ann@example.com" }));
    let complex = subject(json!({
        "format": "complex",
        "user": { "format": "email", "email": "ann@example.com" },
        "tenant": { "format": "opaque", "id": "1" },
    }));
    assert_eq!(email.shape().as_str(), "simple");
    assert_eq!(complex.shape().as_str(), "{tenant,user}");
    assert_eq!(email.digest().as_str(), "IdU46zukDjTUj03cUGGYjTYKFkaNRsb8");
    let entries = complex.entry_digests();
    let entries: Vec<_> = entries.iter().map(Digest::as_str).collect();
    let [tenant, user, both] = [
        "V2WKTkvbC4xc_YtfV22YvXYda3WsZZgS",
        "fdzSlVhsaIs__uF59Sc5eYEX6PyjeC8f",
        "eYm7HeRtjAFo0mp7rdgjSubUjgxWPS7C",
    ];
    assert_eq!(entries, [tenant, user, both]);
    assert_eq!(complex.digest().as_str(), both);
}

#[test]
fn what_is_shown_of_a_subject_does_not_tell_it() {
    let simple = subject(json!({ "format": "email", "email": "ann@example.com" }));
    assert_eq!(format!("{simple:?}"), "email");
    let complex = subject(json!({
        "format": "complex",
        "user": { "format": "phone", "phone_number": "+12065550100" },
        "tenant": { "format": "aliases", "identifiers": [{ "format": "opaque", "id": "secret" }] },
    }));
    assert_eq!(format!("{complex:?}"), r#"{"tenant": aliases, "user": phone}"#);
}

#[test]
fn a_stream_is_an_opaque_subject() {
    let id = StreamId::parse("f67e39a0a4d34d56b3aa1bc4cff0069f").unwrap();
    assert_eq!(
        Subject::stream(&id).to_value(),
        json!({ "format": "opaque", "id": "f67e39a0a4d34d56b3aa1bc4cff0069f" }),
    );
}

/// [SSF 1.0, 8.1.3.1], its two examples and what lies beside them. Who has no member in common is a
/// stranger, as the errata are to say.
#[test]
fn complex_subjects_match_when_the_members_that_both_have_are_the_same() {
    let tenant = json!({ "format": "opaque", "id": "example-a38h4792-uw2" });
    let user = json!({ "format": "email", "email": "jane@example.com" });
    let other = json!({ "format": "email", "email": "joe@example.com" });
    let complex = |mut members: Value| {
        members["format"] = json!("complex");
        subject(members)
    };
    for (named, event, expected) in [
        (json!({ "tenant": tenant }), json!({ "tenant": tenant, "user": user }), true),
        (json!({ "tenant": tenant, "user": user }), json!({ "tenant": tenant }), true),
        (json!({ "user": user }), json!({ "user": other }), false),
        (
            json!({ "tenant": tenant, "user": user }),
            json!({ "tenant": tenant, "user": other }),
            false,
        ),
        (json!({ "tenant": tenant }), json!({ "user": user }), false),
        // The same identifier under another name says something else.
        (json!({ "device": tenant }), json!({ "session": tenant }), false),
        (
            json!({ "tenant": tenant, "device": user }),
            json!({ "user": user, "session": user }),
            false,
        ),
        (
            json!({ "user": tenant, "device": user }),
            json!({ "user": user, "device": tenant }),
            false,
        ),
    ] {
        assert_eq!(matches(&complex(named.clone()), &complex(event.clone())), expected);
        assert_eq!(finds(&complex(event), &complex(named)), expected);
    }
    let simple = subject(user.clone());
    let wrapped = complex(json!({ "user": user }));
    assert!(!matches(&simple, &wrapped) && !matches(&wrapped, &simple));
    assert!(!finds(&simple, &wrapped) && !finds(&wrapped, &simple));
}

/// Whether an event about the one finds the other, if a receiver named it.
fn finds(event: &Subject, named: &Subject) -> bool {
    let entries = named.entry_digests();
    event.probes(&named.shape()).iter().any(|(probe, _)| entries.contains(probe))
}

/// Few names and few values, so that subjects often have something in common. `simple` is among the
/// names, as a member with that name must not be taken for a simple subject.
fn any_subject() -> impl Strategy<Value = Subject> {
    let identifier = || {
        prop_oneof![
            (0..3_u8).prop_map(|n| json!({ "format": "opaque", "id": n.to_string() })),
            (0..2_u8).prop_map(|n| json!({ "format": "ours", "id": n })),
            Just(json!({ "format": "phone", "phone_number": "+12065550100" })),
            Just(json!({ "format": "phone_number", "phone_number": "+12065550100" })),
        ]
    };
    // With few names, so that most combine in at most eight ways.
    let identifier = || {
        let names = prop::collection::vec(identifier(), 1..=3);
        let aliases = names.prop_map(|names| json!({ "format": "aliases", "identifiers": names }));
        prop_oneof![4 => identifier(), 1 => aliases]
    };
    let name = prop_oneof![Just("user"), Just("tenant"), Just("device"), Just("simple"), Just("{")];
    let complex = prop::collection::btree_map(name, identifier(), 1..=5).prop_map(|members| {
        let mut value = json!({ "format": "complex" });
        for (name, member) in members {
            value[name] = member;
        }
        value
    });
    prop_oneof![1 => identifier(), 4 => complex]
        .prop_filter_map("combines in more ways", |value| Subject::parse(value).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_event_finds_exactly_the_named_subjects_that_match(
        named in any_subject(),
        event in any_subject(),
    ) {
        prop_assert_eq!(finds(&event, &named), matches(&named, &event));
        prop_assert!(event.probes(&named.shape()).len() <= MAX_NAMES);
    }

    #[test]
    fn any_text_has_the_canonical_form_of_rfc_8785(id in any::<String>()) {
        prop_assume!(!id.is_empty() && id.len() < 1000);
        let value = json!({ "format": "opaque", "id": id });
        let canonical = serde_json_canonicalizer::to_vec(&value).unwrap();
        prop_assert_eq!(subject(value).simple().unwrap().canonical(), canonical);
    }

    #[test]
    fn subjects_with_one_digest_are_the_same(one in any_subject(), other in any_subject()) {
        prop_assert_eq!(one.digest() == other.digest(), one == other);
    }
}
