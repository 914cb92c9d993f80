//! The parser against the crate `scim_v2`, on texts of the strict grammar: both read the same.

use proptest::prelude::*;
use scim_v2::filter::{
    AttrExp, AttrPath, CompValue, CompareOp, Filter as Theirs, PatchPath, ValFilter,
};
use serde_json::Value;

use crate::scim::{
    ResourceType,
    filter::{Filter, Literal, Operator},
    path::Path,
    schema::{AttributePath, Kind},
    text::instant,
};

/// Our filter in the normal form by which both are compared: all in parentheses, names resolved.
pub(super) fn ours(filter: &Filter) -> String {
    let all = |parts: &[Filter], word: &str| {
        format!("({})", parts.iter().map(ours).collect::<Vec<_>>().join(word))
    };
    match filter {
        Filter::And(parts) => all(parts, " and "),
        Filter::Or(parts) => all(parts, " or "),
        Filter::Not(part) => format!("not ({})", ours(part)),
        Filter::Present(path) => format!("{path} pr"),
        Filter::ValuePath { path, filter } => format!("{path}[{}]", ours(filter)),
        Filter::Compare { path, operator, value } => {
            let value = match value {
                Literal::Text(text) => Value::from(text.as_str()).to_string(),
                Literal::Boolean(value) => value.to_string(),
                Literal::Number(number) => number.to_string(),
                Literal::Time(time) => time.to_string(),
            };
            format!("{path} {} {value}", word(*operator))
        }
    }
}

fn word(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "eq",
        Operator::NotEqual => "ne",
        Operator::Contains => "co",
        Operator::StartsWith => "sw",
        Operator::EndsWith => "ew",
        Operator::Greater => "gt",
        Operator::GreaterOrEqual => "ge",
        Operator::Less => "lt",
        Operator::LessOrEqual => "le",
    }
}

/// Their filter in the same form. Where they keep parentheses that change nothing, we do not.
fn theirs(filter: &Theirs) -> String {
    fn parts<'f>(of: &'f Theirs, and: bool, into: &mut Vec<&'f Theirs>) {
        match (of, and) {
            (Theirs::And(inner), true) | (Theirs::Or(inner), false) => {
                inner.as_slice().iter().for_each(|part| parts(part, and, into));
            }
            _ => into.push(of),
        }
    }
    let all = |and: bool, word: &str| {
        let mut flat = Vec::new();
        parts(filter, and, &mut flat);
        format!("({})", flat.into_iter().map(theirs).collect::<Vec<_>>().join(word))
    };
    match filter {
        Theirs::And(_) => all(true, " and "),
        Theirs::Or(_) => all(false, " or "),
        Theirs::Not(part) => format!("not ({})", theirs(part)),
        Theirs::Attr(expression) => term(expression, None),
        Theirs::ValuePath(value_path) => {
            let path = resolved(&value_path.attr, None);
            format!("{path}[{}]", within(&value_path.filter, path))
        }
    }
}

fn within(filter: &ValFilter, outer: AttributePath) -> String {
    fn parts<'f>(of: &'f ValFilter, and: bool, into: &mut Vec<&'f ValFilter>) {
        match (of, and) {
            (ValFilter::And(inner), true) | (ValFilter::Or(inner), false) => {
                inner.as_slice().iter().for_each(|part| parts(part, and, into));
            }
            _ => into.push(of),
        }
    }
    let all = |and: bool, word: &str| {
        let mut flat = Vec::new();
        parts(filter, and, &mut flat);
        let flat: Vec<_> = flat.into_iter().map(|part| within(part, outer)).collect();
        format!("({})", flat.join(word))
    };
    match filter {
        ValFilter::And(_) => all(true, " and "),
        ValFilter::Or(_) => all(false, " or "),
        ValFilter::Not(part) => format!("not ({})", within(part, outer)),
        ValFilter::Attr(expression) => term(expression, Some(outer)),
    }
}

fn resolved(path: &AttrPath, outer: Option<AttributePath>) -> AttributePath {
    match outer {
        None => AttributePath::resolve(&path.to_string(), ResourceType::User).unwrap(),
        Some(outer) => outer.with(Some(outer.attribute.sub_attribute(&path.name).unwrap())),
    }
}

fn term(expression: &AttrExp, outer: Option<AttributePath>) -> String {
    let (path, operator, value) = match expression {
        AttrExp::Present(path) => return format!("{} pr", resolved(path, outer)),
        AttrExp::Comparison(path, operator, value) => (resolved(path, outer), operator, value),
    };
    let path = match path.leaf().kind {
        Kind::Complex => path.with(path.attribute.sub_attribute("value")),
        _ => path,
    };
    match (operator, value) {
        (CompareOp::Eq, CompValue::Null) => return format!("not ({path} pr)"),
        (CompareOp::Ne, CompValue::Null) => return format!("{path} pr"),
        _ => {}
    }
    let of_text = matches!(operator, CompareOp::Co | CompareOp::Sw | CompareOp::Ew);
    let value = match value {
        CompValue::Str(text) if path.leaf().kind == Kind::DateTime && !of_text => {
            instant(text).unwrap().to_string()
        }
        value => value.to_string(),
    };
    let operator = format!("{operator:?}").to_lowercase();
    format!("{path} {operator} {value}")
}

/// Any letters of a name in any case.
fn any_case(word: &'static str) -> impl Strategy<Value = String> {
    any::<u64>().prop_map(move |bits| {
        let upper = |(at, letter): (usize, char)| match bits >> (at % 64) & 1 {
            1 => letter.to_ascii_uppercase(),
            _ => letter,
        };
        word.chars().enumerate().map(upper).collect()
    })
}

fn text_literal() -> impl Strategy<Value = String> {
    "[ -~éß\n\\\\\"]{0,12}".prop_map(|text| Value::from(text).to_string())
}

/// Sub-attributes by their kind; the names of texts first.
fn comparison(
    texts: &'static [&'static str],
    booleans: &'static [&'static str],
    times: &'static [&'static str],
) -> BoxedStrategy<String> {
    let name = |names: &'static [&'static str]| prop::sample::select(names).prop_flat_map(any_case);
    let operator =
        |words: &'static [&'static str]| prop::sample::select(words).prop_flat_map(any_case);
    let with_text = (
        name(texts),
        operator(&["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
        text_literal(),
    );
    let with_null = (name(texts), operator(&["eq", "ne"]), Just("null".to_owned()));
    let joined =
        |(name, operator, value): (String, String, String)| format!("{name} {operator} {value}");
    let present = (name(texts), any_case("pr")).prop_map(|(name, pr)| format!("{name} {pr}"));
    let mut forms = vec![
        with_text.prop_map(joined).boxed(),
        with_null.prop_map(joined).boxed(),
        present.boxed(),
    ];
    if !booleans.is_empty() {
        let value = prop::sample::select(vec!["true".to_owned(), "false".to_owned()]);
        forms.push((name(booleans), operator(&["eq", "ne"]), value).prop_map(joined).boxed());
    }
    if !times.is_empty() {
        let value = prop::sample::select(vec![
            r#""2026-01-02T03:04:05Z""#.to_owned(),
            r#""2026-01-02T03:04:05.678+02:00""#.to_owned(),
        ]);
        let compared = (name(times), operator(&["eq", "gt", "le", "sw"]), value);
        forms.push(compared.prop_map(joined).boxed());
    }
    prop::strategy::Union::new(forms).boxed()
}

/// Terms joined by `and`, `or`, `not` and parentheses.
fn logic(term: BoxedStrategy<String>) -> BoxedStrategy<String> {
    term.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), any_case("and"), inner.clone())
                .prop_map(|(left, word, right)| format!("{left} {word} {right}")),
            (inner.clone(), any_case("or"), inner.clone())
                .prop_map(|(left, word, right)| format!("{left} {word} {right}")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            (any_case("not"), inner).prop_map(|(word, inner)| format!("{word} ({inner})")),
        ]
    })
    .boxed()
}

fn email_filter() -> BoxedStrategy<String> {
    logic(comparison(&["value", "type", "display"], &["primary"], &[]))
}

fn filter() -> BoxedStrategy<String> {
    let term = comparison(
        &[
            "userName",
            "name.familyName",
            "emails",
            "emails.type",
            "id",
            "externalId",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ],
        &["active", "emails.primary"],
        &["meta.created", "meta.lastModified"],
    );
    let value_path = email_filter().prop_map(|inner| format!("emails[{inner}]"));
    logic(prop_oneof![4 => term, 1 => value_path].boxed())
}

fn path() -> BoxedStrategy<String> {
    prop_oneof![
        prop::sample::select(
            &[
                "userName",
                "name.givenName",
                "emails.value",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            ][..]
        )
        .prop_flat_map(any_case),
        email_filter().prop_map(|inner| format!("emails[{inner}]")),
        (email_filter(), prop::sample::select(&["value", "type", "primary"][..]))
            .prop_map(|(inner, sub)| format!("emails[{inner}].{sub}")),
    ]
    .boxed()
}

fn our_path(path: &Path) -> String {
    match path {
        Path::Attribute(path) => path.to_string(),
        Path::Extension(schema) => schema.id.to_owned(),
        Path::Elements { path, filter, sub_attribute } => {
            let sub = sub_attribute.map_or(String::new(), |sub| format!(".{}", sub.name));
            format!("{path}[{}]{sub}", ours(filter))
        }
    }
}

fn their_path(path: &PatchPath) -> String {
    match path {
        PatchPath::Attr(path) => resolved(path, None).to_string(),
        PatchPath::Value(value_path) => {
            let path = resolved(&value_path.attr, None);
            let sub = value_path.sub_attr.as_ref().map_or(String::new(), |sub| format!(".{sub}"));
            format!("{path}[{}]{sub}", within(&value_path.filter, path))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_read_the_same_filter(text in filter()) {
        let read: Theirs = text.parse().map_err(|_| TestCaseError::fail("theirs refuses"))?;
        let filter = Filter::parse(&text, ResourceType::User);
        let filter = filter.map_err(|error| TestCaseError::fail(error.detail))?;
        prop_assert_eq!(ours(&filter), theirs(&read));
    }

    #[test]
    fn both_read_the_same_path(text in path()) {
        let read: PatchPath = text.parse().map_err(|_| TestCaseError::fail("theirs refuses"))?;
        let path = Path::parse(&text, ResourceType::User);
        let path = path.map_err(|error| TestCaseError::fail(error.detail))?;
        prop_assert_eq!(our_path(&path), their_path(&read));
    }
}

/// Where they differ, and who keeps to the standard.
#[test]
fn the_differences_are_known() {
    // (text, do we read it, do they, who is right)
    let differences = [
        // No form of the grammar, but what Entra sends every day.
        (r#"emails[type eq "work"].value eq "x""#, true, false, "they, strictly"),
        // errata 7319: white space behind `not` is optional.
        ("not(active eq true)", true, false, "we"),
        // `$ref` is an attribute, though the grammar has no `$`.
        (r#"groups.$ref eq "x""#, true, false, "we"),
        ("active eq True", true, false, "they, strictly"),
        // The types of the schemas.
        ("active gt true", false, true, "we"),
        ("userName eq 1", false, true, "we"),
        (r#"nobody eq "x""#, false, true, "we"),
    ];
    for (text, we, they, who) in differences {
        assert_eq!(Filter::parse(text, ResourceType::User).is_ok(), we, "{text}: {who}");
        assert_eq!(text.parse::<Theirs>().is_ok(), they, "{text}: {who}");
    }
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert!(matches!(Path::parse(urn, ResourceType::User), Ok(Path::Extension(_))));
    assert!(matches!(urn.parse(), Ok(PatchPath::Attr(AttrPath { name, .. })) if name == "User"));
}
