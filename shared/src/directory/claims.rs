//! A person's attributes as the claims of tokens ([OpenID Connect Core 1.0, 5.1]).

use serde_json::{Map, Value, json};

use super::{Address, UserAttributes};

/// The claims that tokens about this person would have; absent where the person has no value.
pub(crate) fn claims(user: &UserAttributes) -> Map<String, Value> {
    let name = user.name.as_ref();
    let texts = [
        ("name", user.display_name.as_ref().or(name.and_then(|name| name.formatted.as_ref()))),
        ("family_name", name.and_then(|name| name.family_name.as_ref())),
        ("given_name", name.and_then(|name| name.given_name.as_ref())),
        ("middle_name", name.and_then(|name| name.middle_name.as_ref())),
        ("nickname", user.nick_name.as_ref()),
        ("preferred_username", Some(&user.user_name)),
        ("profile", user.profile_url.as_ref()),
        ("locale", user.locale.as_ref().or(user.preferred_language.as_ref())),
        ("zoneinfo", user.timezone.as_ref()),
    ];
    let preferred = [
        ("picture", super::attributes::preferred(&user.photos)),
        ("email", user.email()),
        ("phone_number", user.phone_number()),
    ];
    let texts = texts.into_iter().map(|(claim, value)| (claim, value.map(String::as_str)));
    let mut claims = Map::new();
    for (claim, value) in texts.chain(preferred) {
        if let Some(value) = value {
            claims.insert(claim.to_owned(), value.into());
        }
    }
    if let Some(address) = user.address().map(address).filter(|address| !address.is_empty()) {
        claims.insert("address".to_owned(), Value::Object(address));
    }
    claims
}

/// [OpenID Connect Core 1.0, 5.1.1].
fn address(address: &Address) -> Map<String, Value> {
    let members = [
        ("formatted", &address.formatted),
        ("street_address", &address.street_address),
        ("locality", &address.locality),
        ("region", &address.region),
        ("postal_code", &address.postal_code),
        ("country", &address.country),
    ];
    let given = members.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    given.map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

/// The claims that are not what they were, with their new values; `null` where there is none any
/// more.
pub(crate) fn changed_claims(
    before: &UserAttributes,
    after: &UserAttributes,
) -> Map<String, Value> {
    let (before, mut after) = (claims(before), claims(after));
    let mut changed = Map::new();
    for (claim, old) in before {
        match after.remove(&claim) {
            Some(new) if new == old => {}
            new => drop(changed.insert(claim, new.unwrap_or(Value::Null))),
        }
    }
    changed.append(&mut after);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(attributes: Value) -> UserAttributes {
        serde_json::from_value(attributes).unwrap()
    }

    #[test]
    fn only_what_changed_is_a_changed_claim() {
        let before = user(json!({
            "userName": "ada", "displayName": "Ada", "title": "Countess", "nickName": "A",
            "emails": [{ "value": "a@x.example" }],
            "addresses": [{ "locality": "London" }],
        }));
        let after = user(json!({
            "userName": "ada", "displayName": "Ada L.", "title": "Lady",
            "emails": [{ "value": "a@x.example" }, { "value": "b@x.example", "primary": true }],
            "addresses": [{ "locality": "London" }],
            "phoneNumbers": [{ "value": "+4930123" }],
        }));
        let changed = json!({
            "name": "Ada L.", "nickname": null, "email": "b@x.example", "phone_number": "+4930123",
        });
        assert_eq!(Value::Object(changed_claims(&before, &after)), changed);
        assert!(changed_claims(&after, &after).is_empty());
    }

    #[test]
    fn a_title_is_no_claim() {
        let before = user(json!({ "userName": "ada", "title": "Countess" }));
        let after = user(json!({ "userName": "ada" }));
        assert!(changed_claims(&before, &after).is_empty());
    }
}
