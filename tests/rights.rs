//! What each function may do, says `template.yaml`.
//!
//! A function that asks AWS for what it may not do fails in production alone, and on a rare path
//! perhaps only after months. So the tests of the whole, which take the rare paths too, say which
//! function it is that runs, and each call that it makes is held against its rights.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use crate::Template;

/// A function of the stack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// Metadata and public keys.
    Discovery,
    /// Access tokens.
    Authorize,
    /// The event stream management API.
    Streams,
    /// Poll-based delivery.
    Poll,
    /// Takes events in.
    Ingest,
    /// Push-based delivery.
    Push,
    /// Looks after what is inactive, stuck or over.
    Sweep,
}

tokio::task_local! {
    static RUNNING: Function;
}

impl Function {
    /// All functions.
    pub const ALL: [Self; 7] = [
        Self::Discovery,
        Self::Authorize,
        Self::Streams,
        Self::Poll,
        Self::Ingest,
        Self::Push,
        Self::Sweep,
    ];

    /// The name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Authorize => "authorize",
            Self::Streams => "streams",
            Self::Poll => "poll",
            Self::Ingest => "ingest",
            Self::Push => "push",
            Self::Sweep => "sweep",
        }
    }

    /// Does `work` with the rights of this function, and no others.
    pub async fn runs<T>(self, work: impl Future<Output = T>) -> T {
        RUNNING.scope(self, work).await
    }
}

/// Panics if a function runs that may not do `action` to `resource`. Outside of functions, everybody
/// may do everything.
pub(crate) fn hold(action: &str, resource: &str) {
    let Ok(function) = RUNNING.try_with(|function| *function) else { return };
    let name = function.name();
    let granted = RIGHTS[name].iter().any(|right| right.0 == action && right.1 == resource);
    assert!(granted, "{name} may not {action} {resource}, says template.yaml");
}

/// An action, and the name of the resource that it may be done to.
type Right = (String, String);

/// The rights of each function, by its folder.
static RIGHTS: LazyLock<BTreeMap<String, Vec<Right>>> = LazyLock::new(|| {
    let template = Template::read();
    let functions = template.resources("AWS::Serverless::Function");
    let of = |(name, function): (&str, &Value)| {
        let rights = rights(&template, &resource(&function["Role"]));
        (template.folder(name).to_owned(), rights)
    };
    functions.into_iter().map(of).collect()
});

/// What its own policies, and those of the keys, allow this role.
fn rights(template: &Template, role: &str) -> Vec<Right> {
    let mut rights = Vec::new();
    for policy in each(template, template.at(&format!("/Resources/{role}/Properties/Policies"))) {
        for statement in statements(template, &policy["PolicyDocument"]) {
            for about in each(template, &statement["Resource"]) {
                let actions = texts(template, &statement["Action"]).into_iter();
                rights.extend(actions.map(|action| (action, resource(about))));
            }
        }
    }
    for (key, properties) in template.resources("AWS::KMS::Key") {
        for statement in statements(template, &properties["KeyPolicy"]) {
            let named = each(template, &statement["Principal"]["AWS"]);
            if named.into_iter().any(|named| resource(named) == role) {
                let actions = texts(template, &statement["Action"]).into_iter();
                rights.extend(actions.map(|action| (action, key.to_owned())));
            }
        }
    }
    rights
}

fn statements<'a>(template: &Template, policy: &'a Value) -> Vec<&'a Value> {
    let statements = each(template, &policy["Statement"]);
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow", "only this is understood here");
        assert!(statement.get("Condition").is_none(), "{statement} is not understood here");
    }
    statements
}

fn texts(template: &Template, value: &Value) -> Vec<String> {
    each(template, value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// One or several values, as they are when each parameter has its default; but the queues have a key,
/// for then a function needs more.
fn each<'a>(template: &Template, value: &'a Value) -> Vec<&'a Value> {
    if let Value::Array(values) = value {
        return values.iter().flat_map(|value| each(template, value)).collect();
    }
    if let Value::Array(chosen) = &value["Fn::If"] {
        let condition = chosen[0].as_str().expect("a condition has a name");
        let holds = condition == "HasQueueKey" || template.holds_by_default(condition);
        return each(template, &chosen[if holds { 1 } else { 2 }]);
    }
    if value["Ref"] == "AWS::NoValue" { Vec::new() } else { vec![value] }
}

/// What is named by an ARN, and what is in it: `Table/index/by_order`.
fn resource(arn: &Value) -> String {
    let text = [&arn["Fn::GetAtt"], &arn["Fn::Sub"], &arn["Ref"], arn];
    let text = text.iter().find_map(|text| text.as_str()).unwrap_or_default();
    text.replace("${", "").replace(".Arn}", "").trim_end_matches(".Arn").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rights_of_each_function_are_found() {
        assert_eq!(RIGHTS.len(), Function::ALL.len());
        for function in Function::ALL {
            let rights = &RIGHTS[function.name()];
            let has = |action: &str, on: &str| rights.contains(&(action.into(), on.into()));
            assert!(has("dynamodb:GetItem", "Table"), "{rights:?}");
            // Access tokens are not signed.
            let knows_keys = function != Function::Authorize;
            assert_eq!(has("kms:GetPublicKey", "SigningKey"), knows_keys, "{rights:?}");
            assert!(!has("kms:CreateKey", "SigningKey"), "{rights:?}");
        }
    }

    #[tokio::test]
    async fn who_runs_outside_of_functions_may_do_everything() {
        hold("kms:CreateKey", "SigningKey");
        Function::Sweep.runs(async { hold("dynamodb:Query", "Table/index/by_order") }).await;
    }

    #[tokio::test]
    #[should_panic = "discovery may not dynamodb:Query Table, says template.yaml"]
    async fn who_may_not_do_a_thing_is_told_apart_by_name() {
        Function::Discovery.runs(async { hold("dynamodb:Query", "Table") }).await;
    }
}
