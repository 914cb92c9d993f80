//! How SETs look to people.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// Names of those who take part.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// What the eye should find.
pub const STRONG: Style = Style::new().bold();

/// A subject in one line of at most `width` characters.
pub fn subject(subject: &Value, width: usize) -> String {
    cut(&identify(subject), width)
}

fn identify(subject: &Value) -> String {
    let member = |name: &str| subject.get(name).and_then(Value::as_str);
    let format = member("format").unwrap_or("complex");
    let words = match format {
        "account" | "scim" | "uri" => member("uri").map(str::to_owned),
        "did" => member("url").map(str::to_owned),
        "email" => member("email").map(str::to_owned),
        "iss_sub" | "jwt_id" | "saml_assertion_id" => issued(subject),
        "opaque" => member("id").map(str::to_owned),
        "phone_number" => member("phone_number").map(str::to_owned),
        "aliases" => subject
            .get("identifiers")
            .and_then(Value::as_array)
            .map(|all| all.iter().map(identify).collect::<Vec<_>>().join(" = ")),
        "complex" => subject.as_object().map(|members| {
            let members = members.iter().filter(|(name, _)| *name != "format");
            let named = members.map(|(name, value)| format!("{name} {}", identify(value)));
            named.collect::<Vec<_>>().join(", ")
        }),
        _ => None,
    };
    words.unwrap_or_else(|| subject.to_string())
}

/// `sub@host of the issuer`.
fn issued(subject: &Value) -> Option<String> {
    let member = |name: &str| subject.get(name).and_then(Value::as_str);
    let id = ["sub", "jti", "assertion_id"].into_iter().find_map(member)?;
    let issuer = ["iss", "issuer"].into_iter().find_map(member)?;
    let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
    Some(format!("{id} at {issuer}"))
}

fn cut(text: &str, width: usize) -> String {
    // What came from outside must not steer the terminal.
    let text = text.replace(char::is_control, " ");
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn subjects_are_named_as_people_would() {
        let email = json!({"format": "email", "email": "jane@example.com"});
        let user = json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "jane"});
        let device = json!({"format": "opaque", "id": "d-17"});
        let cases = [
            (email.clone(), "jane@example.com"),
            (user.clone(), "jane at idp.example"),
            (json!({"format": "phone_number", "phone_number": "+12065550100"}), "+12065550100"),
            (
                json!({"format": "complex", "device": device, "user": email}),
                "device d-17, user jane@example.com",
            ),
            (json!({"user": user}), "user jane at idp.example"),
            (
                json!({"format": "aliases", "identifiers": [user, email]}),
                "jane at idp.example = jane@example.com",
            ),
            (json!({"format": "badge", "no": 7}), r#"{"format":"badge","no":7}"#),
            (json!({"format": "opaque", "id": "a\u{1b}[2Jb"}), "a [2Jb"),
        ];
        for (value, words) in cases {
            assert_eq!(subject(&value, 60), words);
        }
        let long = json!({"format": "email", "email": "somebody@example.com"});
        assert_eq!(subject(&long, 10), "somebody@…");
    }
}
