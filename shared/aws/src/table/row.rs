//! Items as `DynamoDB` keeps them.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use jiff::Timestamp;
use ssf::table::{BoxError, Condition, Content, Item, Key, TableError, Version};

use super::{ORDER_KEY, PARTITION_KEY, SORT_KEY, TTL_ATTRIBUTE, body};

pub(super) type Attributes = HashMap<String, AttributeValue>;

const BODY: &str = "body";
const EXPIRES: &str = "expires";
const VERSION: &str = "version";

/// What must hold for a write.
#[derive(Debug, Default)]
pub(super) struct Test {
    pub(super) expression: Option<String>,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Attributes>,
}

impl Test {
    /// The same as `condition`, at `now`.
    pub(super) fn of(condition: Condition, now: Timestamp) -> Self {
        let expires = ("#expires".to_owned(), EXPIRES.to_owned());
        let now = (":now".to_owned(), number(now.as_microsecond()));
        let (expression, name, version) = match condition {
            Condition::Any => return Self::default(),
            Condition::Absent => {
                let expression = "attribute_not_exists(#pk) OR #expires <= :now";
                (expression, ("#pk", PARTITION_KEY), None)
            }
            Condition::Version(version) => {
                let expression = "#version = :version \
                                  AND (attribute_not_exists(#expires) OR #expires > :now)";
                let value = (":version".to_owned(), number(version.0));
                (expression, ("#version", VERSION), Some(value))
            }
        };
        let (alias, name) = name;
        Self {
            expression: Some(expression.to_owned()),
            names: Some(HashMap::from([expires, (alias.to_owned(), name.to_owned())])),
            values: Some([now].into_iter().chain(version).collect()),
        }
    }
}

/// `key` as attributes.
pub(super) fn key(key: Key) -> Attributes {
    HashMap::from([
        (PARTITION_KEY.to_owned(), AttributeValue::S(key.pk)),
        (SORT_KEY.to_owned(), AttributeValue::S(key.sk)),
    ])
}

/// All attributes of an item.
pub(super) fn of_content(
    at: Key,
    content: Content,
    version: Version,
) -> Result<Attributes, TableError> {
    let Content { body, order, expires } = content;
    let mut row = key(at);
    let mut set = |name: &str, value| row.insert(name.to_owned(), value);
    set(BODY, AttributeValue::B(Blob::new(body::pack(body)?)));
    set(VERSION, number(version.0));
    if let Some(order) = order {
        set(ORDER_KEY, AttributeValue::S(order));
    }
    if let Some(expires) = expires {
        set(EXPIRES, number(expires.as_microsecond()));
        // Rounded up, lest it go before its time.
        let whole = i64::from(expires.subsec_nanosecond() > 0);
        set(TTL_ATTRIBUTE, number(expires.as_second() + whole));
    }
    check_size(&row)?;
    Ok(row)
}

/// What an item may have, its copy in the index included.
const MAX_ITEM: usize = 400 * 1024;

/// Whether `DynamoDB` takes this row. How large it is, and its copy in the index, is known only when
/// its body is compressed.
fn check_size(row: &Attributes) -> Result<(), TableError> {
    let size = |(name, value): (&String, &AttributeValue)| {
        let value = match value {
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::N(text) | AttributeValue::S(text) => text.len(),
            _ => 0,
        };
        name.len() + value
    };
    let copies = if row.contains_key(ORDER_KEY) { 2 } else { 1 };
    if row.iter().map(size).sum::<usize>() * copies > MAX_ITEM {
        return Err(TableError::Refused("the item, with its copy in the index, is over 400 KB"));
    }
    Ok(())
}

/// The item that these attributes are.
pub(super) fn read(mut row: Attributes) -> Result<Item, TableError> {
    let mut text = |name: &str| match row.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let key =
        Key { pk: text(PARTITION_KEY).unwrap_or_default(), sk: text(SORT_KEY).unwrap_or_default() };
    let order = text(ORDER_KEY);
    let rest = || -> Result<_, BoxError> {
        let version = version_of(&row).ok_or("it has no version")?;
        let expires = row.get(EXPIRES).map(|value| -> Result<_, BoxError> {
            let micros = value.as_n().map_err(|_| "its end is no number")?.parse()?;
            Ok(Timestamp::from_microsecond(micros)?)
        });
        let Some(AttributeValue::B(body)) = row.get(BODY) else {
            return Err("it has no body".into());
        };
        Ok((version, expires.transpose()?, body::unpack(body.as_ref())?))
    };
    match rest() {
        Ok((version, expires, body)) => Ok(Item { key, body, version, order, expires }),
        Err(source) => Err(TableError::Corrupt { pk: key.pk, sk: key.sk, source }),
    }
}

/// The version of an item.
pub(super) fn version_of(row: &Attributes) -> Option<Version> {
    row.get(VERSION)?.as_n().ok()?.parse().ok().map(Version)
}

fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}
