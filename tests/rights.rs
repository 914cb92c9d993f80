//! What each function may do, says `template.yaml`.
//!
//! A function that asks AWS for what it may not do fails in production alone, and on a rare path
//! perhaps only after months. So the tests of the whole, which take the rare paths too, say which
//! function it is that runs, and each call that it makes is held against its rights: what it does,
//! to what, and, in the table, to whose rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::{Value, json};
use ssf::table::class;

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
    /// The directory of people and groups.
    Directory,
    /// The pages where people sign in.
    SignIn,
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
    pub const ALL: [Self; 9] = [
        Self::Discovery,
        Self::Authorize,
        Self::Streams,
        Self::Poll,
        Self::Directory,
        Self::SignIn,
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
            Self::Directory => "directory",
            Self::SignIn => "sign-in",
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
    let granted = RIGHTS[name].iter().any(|right| right.allows(action, resource));
    assert!(granted, "{name} may not {action} {resource}, says template.yaml");
}

/// The same for the rows of one request, which are in the partitions `pks`. One statement must allow
/// it for all of them.
pub(crate) fn hold_rows<'a>(action: &str, resource: &str, pks: impl IntoIterator<Item = &'a str>) {
    let Ok(function) = RUNNING.try_with(|function| *function) else { return };
    let name = function.name();
    let class = |pk| class::pattern(pk).unwrap_or_else(|| panic!("{pk} is of no class"));
    let classes: BTreeSet<String> = pks.into_iter().map(class).collect();
    let granted = RIGHTS[name].iter().any(|right| {
        right.allows(action, resource)
            && right.rows.as_ref().is_some_and(|rows| rows.is_superset(&classes))
    });
    assert!(granted, "{name} may not {action} {resource} {classes:?}, says template.yaml");
}

/// What may be done.
#[derive(Clone, Debug)]
struct Right {
    action: String,
    /// The name of what it may be done to.
    resource: String,
    /// To whose rows, as patterns of their partition keys; `None`: it is not about rows.
    rows: Option<BTreeSet<String>>,
}

impl Right {
    fn allows(&self, action: &str, resource: &str) -> bool {
        self.action == action && self.resource == resource
    }
}

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
            let rows = rows(template, statement);
            for about in each(template, &statement["Resource"]) {
                for action in texts(template, &statement["Action"]) {
                    let to_rows = action.starts_with("dynamodb:");
                    assert_eq!(rows.is_some(), to_rows, "{action}: whose rows?");
                    rights.push(Right { action, resource: resource(about), rows: rows.clone() });
                }
            }
        }
    }
    for (key, properties) in template.resources("AWS::KMS::Key") {
        for statement in statements(template, &properties["KeyPolicy"]) {
            let named = each(template, &statement["Principal"]["AWS"]);
            if named.into_iter().any(|named| resource(named) == role) {
                let actions = texts(template, &statement["Action"]).into_iter();
                let right = |action| Right { action, resource: key.to_owned(), rows: None };
                rights.extend(actions.map(right));
            }
        }
    }
    rights
}

fn statements<'a>(template: &Template, policy: &'a Value) -> Vec<&'a Value> {
    let statements = each(template, &policy["Statement"]);
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow", "only this is understood here");
    }
    statements
}

/// The patterns of the partition keys that a statement is about.
fn rows(template: &Template, statement: &Value) -> Option<BTreeSet<String>> {
    let condition = statement.get("Condition")?;
    let patterns = &condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let known = json!({
        // Or all would be allowed where there is no key.
        "Null": { "dynamodb:LeadingKeys": "false" },
        "ForAllValues:StringLike": { "dynamodb:LeadingKeys": patterns },
    });
    assert_eq!(*condition, known, "only this is understood here");
    let patterns: BTreeSet<_> = texts(template, patterns).into_iter().collect();
    for pattern in &patterns {
        assert!(class::patterns().contains(pattern), "{pattern} is no class of rows");
    }
    Some(patterns)
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
            let has = |action: &str, on: &str| rights.iter().any(|right| right.allows(action, on));
            assert!(has("dynamodb:GetItem", "Table"), "{rights:?}");
            let makes_the_ring = function == Function::Sweep;
            assert_eq!(has("kms:GetPublicKey", "SigningKey"), makes_the_ring, "{rights:?}");
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

    #[tokio::test]
    #[should_panic = "discovery may not dynamodb:GetItem Table {\"CLIENT#*\"}, says template.yaml"]
    async fn who_may_read_the_keys_may_not_read_the_clients() {
        let read = |pk: &str| hold_rows("dynamodb:GetItem", "Table", [pk]);
        let reads = async {
            read(class::KEYS.partition());
            read(&class::CLIENT.of("a"));
        };
        Function::Discovery.runs(reads).await;
    }

    #[tokio::test]
    #[should_panic = "discovery may not "]
    async fn who_answers_strangers_writes_no_keys() {
        let world = crate::World::without_key(|_| {});
        let _ = Function::Discovery.runs(world.transmitter.keys().ensure_key()).await;
    }

    /// Each action to each resource stands in one statement, so that a request for several rows is
    /// allowed as a whole.
    #[test]
    fn no_action_stands_in_two_statements() {
        for (function, rights) in &*RIGHTS {
            let named: BTreeSet<_> =
                rights.iter().map(|right| (&right.action, &right.resource)).collect();
            assert_eq!(named.len(), rights.len(), "{function}: {rights:?}");
        }
    }
}
