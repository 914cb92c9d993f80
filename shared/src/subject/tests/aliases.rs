//! One principal, several names.

use serde_json::json;

use super::*;

fn aliases(ids: &[&str]) -> Value {
    let opaque = |id: &&str| json!({ "format": "opaque", "id": id });
    json!({ "format": "aliases", "identifiers": ids.iter().map(opaque).collect::<Vec<_>>() })
}

/// [RFC 9493, 3.2.8].
#[test]
fn aliases_match_whoever_has_a_name_in_common() {
    let one = json!({ "format": "opaque", "id": "1" });
    let complex = |user: &Value, tenant: &str| {
        let tenant = json!({ "format": "opaque", "id": tenant });
        json!({ "format": "complex", "user": user, "tenant": tenant })
    };
    let simple = Subject::parse(json!({ "format": "complex", "user": one })).unwrap();
    for (one, other, expected) in [
        (aliases(&["1", "2"]), one.clone(), true),
        (aliases(&["2", "1"]), aliases(&["3", "1"]), true),
        (aliases(&["1"]), one.clone(), true),
        (aliases(&["2", "3"]), one.clone(), false),
        (aliases(&["2", "3"]), aliases(&["1", "4"]), false),
        (complex(&aliases(&["1", "2"]), "x"), complex(&one, "x"), true),
        (complex(&aliases(&["1", "2"]), "x"), complex(&aliases(&["3", "2"]), "x"), true),
        (complex(&aliases(&["1", "2"]), "x"), complex(&one, "y"), false),
        (complex(&aliases(&["2", "3"]), "x"), complex(&one, "x"), false),
    ] {
        let (one, other) = (subject(one), subject(other));
        for (named, event) in [(&one, &other), (&other, &one)] {
            assert_eq!(matches(named, event), expected);
            assert_eq!(finds(event, named), expected);
        }
        assert!(!matches(&simple, &subject(aliases(&["1"]))));
    }
}

/// Each name costs one row where it is named, and one look-up where it is told of, and no name twice.
#[test]
fn each_name_is_looked_up_once() {
    let simple = subject(aliases(&["1", "2", "1", "3"]));
    assert_eq!(simple.entry_digests().len(), 3);
    assert_eq!(simple.probes(&simple.shape()).len(), 3);
    assert_eq!(simple.way_digests().len(), 3);
    let complex = subject(json!({
        "format": "complex",
        "user": aliases(&["1", "2", "3"]),
        "device": aliases(&["1", "2"]),
        "tenant": { "format": "opaque", "id": "x" },
    }));
    // Of the user one of three or none, of the device one of two or none, the tenant or not; but not
    // nothing at all.
    assert_eq!(complex.entry_digests().len(), 4 * 3 * 2 - 1);
    assert_eq!(complex.probes(&complex.shape()).len(), 3 * 2);
    let user = subject(json!({ "format": "complex", "user": aliases(&["1"]) }));
    assert_eq!(complex.probes(&user.shape()).len(), 3);
    let session = subject(json!({ "format": "complex", "session": aliases(&["1"]) }));
    assert_eq!(complex.probes(&session.shape()).len(), 0);
}

#[test]
fn aliases_are_kept_in_order_by_their_first_name_and_told_by_one() {
    let email = json!({ "format": "email", "email": "ann@example.com" });
    let iss_sub = json!({ "format": "iss_sub", "iss": "https://a.example", "sub": "1" });
    let both = json!({ "format": "aliases", "identifiers": [email, iss_sub] });
    let user = |of: &Value| subject(json!({ "format": "complex", "user": of }));
    assert_eq!(subject(both.clone()).order_digest(), subject(email.clone()).digest());
    assert_eq!(user(&both).order_digest(), user(&email).digest());
    assert_eq!(user(&email).order_digest(), user(&email).digest());
    for (formats, told) in [
        (&["iss_sub", "email"][..], &iss_sub),
        (&["scim", "email", "iss_sub"], &email),
        (&["scim"], &email),
    ] {
        assert_eq!(subject(both.clone()).told_by(formats).to_value(), *told);
        assert_eq!(user(&both).told_by(formats).to_value()["user"], *told);
    }
    assert_eq!(subject(email.clone()).told_by(&["iss_sub"]).to_value(), email);
}
