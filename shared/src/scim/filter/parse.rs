//! Reads filters, and the attributes and value filters in paths.

use serde_json::{Number, Value};

use super::{Filter, Literal, MAX_BYTES, MAX_DEPTH, MAX_TERMS, Operator};
use crate::scim::{
    Error, ErrorKind, ResourceType,
    error::shown,
    schema::{AttributePath, Kind, Returned},
    text::instant,
};

/// Where reading has come to. What is nested too deeply or has too many terms is refused as soon as
/// it is seen, so that the work is bounded whatever is sent.
#[derive(Debug)]
pub(in crate::scim) struct Parser<'t> {
    rest: &'t str,
    resource_type: ResourceType,
    depth: usize,
    terms: usize,
}

impl<'t> Parser<'t> {
    pub(in crate::scim) fn new(text: &'t str, resource_type: ResourceType) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(Error::filter(format_args!("the filter is longer than {MAX_BYTES} bytes")));
        }
        Ok(Self { rest: text, resource_type, depth: 0, terms: 0 })
    }

    /// A whole filter; within the brackets behind `outer`, if there is one. `and` binds more closely
    /// than `or`.
    pub(in crate::scim) fn filter(
        &mut self,
        outer: Option<AttributePath>,
    ) -> Result<Filter, Error> {
        let mut parts = vec![self.conjunction(outer)?];
        while self.word("or") {
            parts.push(self.conjunction(outer)?);
        }
        Ok(joined(parts, Filter::Or))
    }

    fn conjunction(&mut self, outer: Option<AttributePath>) -> Result<Filter, Error> {
        let mut parts = vec![self.factor(outer)?];
        while self.word("and") {
            parts.push(self.factor(outer)?);
        }
        Ok(joined(parts, Filter::And))
    }

    fn factor(&mut self, outer: Option<AttributePath>) -> Result<Filter, Error> {
        self.skip_space();
        if self.negation() {
            return Ok(Filter::Not(Box::new(self.nested(outer, ')')?)));
        }
        if self.eat('(') {
            return self.nested(outer, ')');
        }
        self.term(outer)
    }

    /// What stands between an opening parenthesis or bracket, which is read already, and its end.
    fn nested(&mut self, outer: Option<AttributePath>, end: char) -> Result<Filter, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::filter(format_args!(
                "the filter is nested more than {MAX_DEPTH} deep"
            )));
        }
        let filter = self.filter(outer)?;
        self.skip_space();
        if !self.eat(end) {
            return Err(Error::filter(format_args!("{end} is missing")));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self, outer: Option<AttributePath>) -> Result<Filter, Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Error::filter(format_args!("the filter has more than {MAX_TERMS} terms")));
        }
        let path = self.attribute(outer)?;
        if outer.is_some() || !self.eat('[') {
            return self.comparison(path);
        }
        let filter = self.value_filter(path)?;
        if !self.eat('.') {
            return Ok(Filter::ValuePath { path, filter: Box::new(filter) });
        }
        // emails[type eq "work"].value eq "x" is emails[type eq "work" and value eq "x"].
        let sub = self.attribute(Some(path))?;
        let mut parts = match filter {
            Filter::And(parts) => parts,
            other => vec![other],
        };
        parts.push(self.comparison(sub)?);
        Ok(Filter::ValuePath { path, filter: Box::new(Filter::And(parts)) })
    }

    /// The filter of a value path, behind its opening bracket.
    pub(in crate::scim) fn value_filter(&mut self, path: AttributePath) -> Result<Filter, Error> {
        if path.sub_attribute.is_some() || path.attribute.kind != Kind::Complex {
            return Err(Error::filter(format_args!("{path} has no values to select from")));
        }
        self.nested(Some(path), ']')
    }

    /// An attribute that exists: of the resource, or of the complex attribute `outer`.
    fn attribute(&mut self, outer: Option<AttributePath>) -> Result<AttributePath, Error> {
        let name = self.name();
        let unknown = |within: &str| {
            if name.is_empty() {
                return Error::filter("an attribute is missing");
            }
            Error::filter(format_args!("there is no attribute {}{within}", shown(name)))
        };
        let path = match outer {
            None => AttributePath::resolve(name, self.resource_type).ok_or_else(|| unknown("")),
            Some(outer) => match outer.attribute.sub_attribute(name) {
                Some(sub) => Ok(outer.with(Some(sub))),
                None => Err(unknown(&format!(" in {outer}"))),
            },
        }?;
        if path.leaf().returned == Returned::Never {
            return Err(Error::new(
                ErrorKind::Sensitive,
                format_args!("{path} cannot be asked for"),
            ));
        }
        Ok(path)
    }

    /// The characters of a name that may be one.
    pub(in crate::scim) fn name(&mut self) -> &'t str {
        self.skip_space();
        self.take_while(|character| {
            character.is_ascii_alphanumeric() || "-_.:$/".contains(character)
        })
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, Error> {
        let operator = match self.name().to_ascii_lowercase().as_str() {
            "pr" => return Ok(Filter::Present(path)),
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            _ => return Err(Error::filter(format_args!("{path} lacks an operator"))),
        };
        let path = match path.leaf() {
            leaf if leaf.kind != Kind::Complex => path,
            // A complex attribute alone means its most important part ([RFC 7644, 3.4.2.2]).
            leaf => match leaf.sub_attribute("value") {
                Some(value) => path.with(Some(value)),
                None => {
                    return Err(Error::filter(format_args!(
                        "{path} is compared by its parts only"
                    )));
                }
            },
        };
        match (self.value(path)?, operator) {
            (Value::Null, Operator::Equal) => Ok(Filter::Not(Box::new(Filter::Present(path)))),
            (Value::Null, Operator::NotEqual) => Ok(Filter::Present(path)),
            (value, operator) => {
                Ok(Filter::Compare { path, operator, value: literal(path, operator, value)? })
            }
        }
    }

    /// A literal of JSON; words in any case.
    fn value(&mut self, path: AttributePath) -> Result<Value, Error> {
        let wrong = || Error::filter(format_args!("what {path} is compared with is not a value"));
        self.skip_space();
        if self.rest.starts_with('"') {
            let end = end_of_string(self.rest).ok_or_else(wrong)?;
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            return serde_json::from_str(text).map_err(|_| wrong());
        }
        let word = self
            .take_while(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
        match word.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => serde_json::from_str::<Number>(word).map(Value::Number).map_err(|_| wrong()),
        }
    }

    /// `not` and the parenthesis that must follow it, with or without a space.
    fn negation(&mut self) -> bool {
        let after = self.rest.get(..3).filter(|word| word.eq_ignore_ascii_case("not"));
        let Some(rest) = after.and_then(|_| self.rest[3..].trim_start().strip_prefix('(')) else {
            return false;
        };
        self.rest = rest;
        true
    }

    /// Whether the next word is `and`, or `or`; then it is read.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        let ends = rest.get(word.len()..).is_some_and(|behind| {
            behind.starts_with(|next: char| next.is_whitespace() || next == '(')
        });
        if found && ends {
            self.rest = &rest[word.len()..];
        }
        found && ends
    }

    pub(in crate::scim) fn eat(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Nothing may follow.
    pub(in crate::scim) fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::filter("something follows that does not belong to the filter"))
    }
}

/// What stands in parentheses of its own within the same kind of join needs none.
fn joined(parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    let is_and = matches!(join(Vec::new()), Filter::And(_));
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Filter::And(inner) if is_and => flat.extend(inner),
            Filter::Or(inner) if !is_and => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.pop() {
        Some(only) if flat.is_empty() => only,
        last => {
            flat.extend(last);
            join(flat)
        }
    }
}

/// Behind the quotation mark that ends the string at the beginning of `text`.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `value` as what the attribute can be compared with.
fn literal(path: AttributePath, operator: Operator, value: Value) -> Result<Literal, Error> {
    let kind = path.leaf().kind;
    let unordered = matches!(kind, Kind::Boolean | Kind::Binary);
    let of_text =
        matches!(operator, Operator::Contains | Operator::StartsWith | Operator::EndsWith);
    if (unordered && operator.is_ordering()) || (kind == Kind::Boolean && of_text) {
        return Err(Error::filter(format_args!("{path} is compared by eq and ne only")));
    }
    let fitting = match (kind, value) {
        (Kind::Boolean, Value::Bool(value)) => Some(Literal::Boolean(value)),
        (Kind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Literal::Boolean(true)),
            "false" => Some(Literal::Boolean(false)),
            _ => None,
        },
        (Kind::DateTime, Value::String(text)) if of_text => Some(Literal::Text(text)),
        (Kind::DateTime, Value::String(text)) => instant(&text).map(Literal::Time),
        (Kind::Integer | Kind::Decimal, Value::Number(number)) => Some(Literal::Number(number)),
        (Kind::String | Kind::Reference | Kind::Binary, Value::String(text)) => {
            Some(Literal::Text(text))
        }
        _ => None,
    };
    fitting.ok_or_else(|| {
        Error::filter(format_args!("{path} is compared with a {} only", kind.name()))
    })
}
