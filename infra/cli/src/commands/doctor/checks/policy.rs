//! Reads the policy of a queue: who may send to it.

use serde_json::Value;

/// What is wrong with a policy, if anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// It is not JSON, or no policy.
    Unreadable,
    /// Anybody in the world may send.
    OpenToAll,
    /// Who sends without TLS is not refused.
    PlainText,
}

/// Judges the text of a policy.
pub(super) fn judge(policy: &str) -> Option<Flaw> {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return Some(Flaw::Unreadable) };
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return Some(Flaw::Unreadable),
    };
    if statements.iter().any(opens_to_all) {
        return Some(Flaw::OpenToAll);
    }
    (!statements.iter().any(refuses_plain_text)).then_some(Flaw::PlainText)
}

fn opens_to_all(statement: &Value) -> bool {
    let is_all = |principal: &Value| match principal {
        Value::String(name) => name == "*",
        Value::Array(names) => names.iter().any(|name| name == "*"),
        _ => false,
    };
    let principal = &statement["Principal"];
    statement["Effect"] == "Allow"
        && (is_all(principal) || is_all(&principal["AWS"]))
        && !is_narrowed(&statement["Condition"])
}

/// Whether a condition asks for more than TLS.
fn is_narrowed(condition: &Value) -> bool {
    let keys = condition.as_object().into_iter().flat_map(|kinds| kinds.values());
    let mut keys = keys.filter_map(Value::as_object).flat_map(|keys| keys.keys());
    keys.any(|key| !key.eq_ignore_ascii_case("aws:SecureTransport"))
}

fn refuses_plain_text(statement: &Value) -> bool {
    statement["Effect"] == "Deny"
        && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_may_send_is_read_from_the_policy() {
        let tls = json!({
            "Effect": "Deny", "Principal": "*", "Action": "sqs:*",
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        });
        let account = json!({
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
            "Action": "sqs:SendMessage",
        });
        let all = json!({ "Effect": "Allow", "Principal": { "AWS": ["*"] }, "Action": "sqs:*" });
        let events = json!({
            "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } },
        });
        let encrypted = json!({
            "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
            "Condition": { "Bool": { "aws:SecureTransport": "true" } },
        });
        let cases = [
            (json!({ "Statement": [tls, account] }), None),
            (json!({ "Statement": [tls, events] }), None),
            (json!({ "Statement": tls }), None),
            (json!({ "Statement": [account] }), Some(Flaw::PlainText)),
            (json!({ "Statement": [tls, all] }), Some(Flaw::OpenToAll)),
            (json!({ "Statement": [tls, encrypted] }), Some(Flaw::OpenToAll)),
            (json!({}), Some(Flaw::Unreadable)),
        ];
        for (policy, flaw) in cases {
            assert_eq!(judge(&policy.to_string()), flaw, "{policy}");
        }
        assert_eq!(judge("no policy"), Some(Flaw::Unreadable));
    }
}
