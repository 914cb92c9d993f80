//! Which part of a partition a [`Query`] asks for, in `DynamoDB`'s words.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ssf::table::{By, Query};

use super::{ORDER_KEY, PARTITION_KEY, SORT_KEY};

/// A range of sort keys. `DynamoDB` knows ranges with both ends and half-open ones, but not one that
/// begins after a key and ends before another; so the ends that are not meant are left out after
/// they were read.
#[derive(Debug)]
pub(super) enum Range {
    All,
    Prefix,
    After(String),
    Before(String),
    Between {
        from: String,
        to: String,
        /// `after` or what is behind the prefix: these are read with the others.
        without: [Option<String>; 2],
    },
}

impl Range {
    /// `None`: nothing can be in it.
    pub(super) fn of(query: &Query) -> Option<Self> {
        let all = if query.prefix.is_empty() { Self::All } else { Self::Prefix };
        // No key is empty, so that all are behind an empty one; `DynamoDB` takes none in a condition.
        let after = query.after.as_ref().filter(|after| query.backwards || !after.is_empty());
        let Some(after) = after else { return Some(all) };
        let (prefix, after) = (query.prefix.clone(), after.clone());
        if !after.starts_with(&prefix) {
            // All is on one side of it.
            let is_behind = prefix > after;
            return (is_behind != query.backwards).then_some(all);
        }
        if query.backwards {
            return match prefix.as_str() {
                _ if prefix == after => None,
                "" => Some(Self::Before(after)),
                _ => {
                    let without = [Some(after.clone()), None];
                    Some(Self::Between { from: prefix, to: after, without })
                }
            };
        }
        Some(match query.end() {
            Some(to) => {
                let without = [Some(after.clone()), Some(to.clone())];
                Self::Between { from: after, to, without }
            }
            None => Self::After(after),
        })
    }

    /// Whether `place`, although it was read, is not meant.
    pub(super) fn leaves_out(&self, place: &str) -> bool {
        match self {
            Self::Between { without, .. } => without.iter().flatten().any(|end| end == place),
            Self::All | Self::Prefix | Self::After(_) | Self::Before(_) => false,
        }
    }

    /// How many rows may be read that are not meant.
    pub(super) fn left_out(&self) -> usize {
        match self {
            Self::Between { without, .. } => without.iter().flatten().count(),
            Self::All | Self::Prefix | Self::After(_) | Self::Before(_) => 0,
        }
    }

    /// The condition on the keys, its names and its values.
    pub(super) fn expression(
        &self,
        query: &Query,
    ) -> (&'static str, HashMap<String, String>, HashMap<String, AttributeValue>) {
        let (condition, values) = match self {
            Self::All => ("#pk = :pk", vec![]),
            Self::Prefix => {
                ("#pk = :pk AND begins_with(#place, :prefix)", vec![(":prefix", &query.prefix)])
            }
            Self::After(from) => ("#pk = :pk AND #place > :from", vec![(":from", from)]),
            Self::Before(to) => ("#pk = :pk AND #place < :to", vec![(":to", to)]),
            Self::Between { from, to, .. } => {
                ("#pk = :pk AND #place BETWEEN :from AND :to", vec![(":from", from), (":to", to)])
            }
        };
        let place = match query.by {
            By::Order => ORDER_KEY,
            By::Sort => SORT_KEY,
        };
        let mut names = HashMap::from([("#pk".to_owned(), PARTITION_KEY.to_owned())]);
        // A name that is not used would be refused.
        if !values.is_empty() {
            names.insert("#place".to_owned(), place.to_owned());
        }
        let values = values.into_iter().chain([(":pk", &query.pk)]);
        let values = values.map(|(name, text)| (name.to_owned(), AttributeValue::S(text.clone())));
        (condition, names, values.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The condition with its values in it, and what is left out after.
    fn said(query: &Query) -> Option<(String, Vec<String>)> {
        let range = Range::of(query)?;
        let (condition, names, values) = range.expression(query);
        let mut condition = condition.to_owned();
        for (name, text) in names {
            assert!(condition.contains(&name), "{name} is not used");
            condition = condition.replace(&name, &text);
        }
        for (name, value) in values {
            assert!(condition.contains(&name), "{name} is not used");
            condition = condition.replace(&name, value.as_s().unwrap());
        }
        let without = ["a", "p#", "p#1", "p#2", "p$"].into_iter();
        let without = without.filter(|place| range.leaves_out(place)).map(str::to_owned).collect();
        Some((condition, without))
    }

    #[test]
    fn each_query_is_one_range() {
        let all = || Query::sorted("P", "");
        let some = || Query::sorted("P", "p#");
        let last = || Query::sorted("P", "\u{10FFFF}");
        for (query, condition, without) in [
            (all(), "pk = P", vec![]),
            (all().backwards(), "pk = P", vec![]),
            (all().after(""), "pk = P", vec![]),
            (all().after("p#1"), "pk = P AND sk > p#1", vec![]),
            (all().backwards().after("p#1"), "pk = P AND sk < p#1", vec![]),
            (some(), "pk = P AND begins_with(sk, p#)", vec![]),
            (some().after("a"), "pk = P AND begins_with(sk, p#)", vec![]),
            (some().backwards().after("q"), "pk = P AND begins_with(sk, p#)", vec![]),
            (some().after("p#1"), "pk = P AND sk BETWEEN p#1 AND p$", vec!["p#1", "p$"]),
            (some().backwards().after("p#2"), "pk = P AND sk BETWEEN p# AND p#2", vec!["p#2"]),
            (Query::ordered("P", "p#"), "pk = P AND begins_with(ord, p#)", vec![]),
            (last().after("\u{10FFFF}1"), "pk = P AND sk > \u{10FFFF}1", vec![]),
        ] {
            let without = without.into_iter().map(str::to_owned).collect();
            assert_eq!(said(&query), Some((condition.to_owned(), without)), "{query:?}");
        }
        for nothing in [
            some().after("q"),
            some().backwards().after("a"),
            some().backwards().after("p#"),
            all().backwards().after(""),
        ] {
            assert_eq!(said(&nothing), None, "{nothing:?}");
        }
    }
}
