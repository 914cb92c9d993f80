//! Spans of time as people write them: `days=30`, `hours=36,minutes=30`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A span of time in settings: a number of seconds, or text as [`parse`] takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span(pub Duration);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_secs())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds, or text such as days=30")
    }

    fn visit_u64<E>(self, seconds: u64) -> Result<Span, E> {
        Ok(Span(Duration::from_secs(seconds)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        parse(text).map(Span).map_err(E::custom)
    }
}

const UNITS: [(&str, u64); 5] =
    [("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1)];

/// The sum of what `text` lists; a plain number counts seconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.trim().parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut seconds = 0_u64;
    let mut seen = Vec::new();
    // authentik, whose notation this is, takes both kinds of separators.
    for part in text.split([',', ';']) {
        let refuse = || {
            format!(
                "{part:?} is not like days=30; units are weeks, days, hours, minutes and seconds"
            )
        };
        let (unit, count) = part.split_once('=').ok_or_else(refuse)?;
        let unit = unit.trim();
        let (unit, in_seconds) =
            UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?;
        if seen.contains(&unit) {
            return Err(format!("{unit} is there twice"));
        }
        seen.push(unit);
        let count: u64 = count.trim().parse().map_err(|_| refuse())?;
        let sum = count.checked_mul(in_seconds).and_then(|more| seconds.checked_add(more));
        seconds = sum.filter(|sum| *sum <= MAX).ok_or("is longer than 1,000 years")?;
    }
    Ok(Duration::from_secs(seconds))
}

/// What is added to a time of today must still be a time.
const MAX: u64 = 1_000 * 365 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_sums_of_units() {
        let cases = [
            ("days=30", 2_592_000),
            ("days=1,hours=2,minutes=3,seconds=4", 93_784),
            ("minutes=90", 5_400),
            (" hours = 1 ; weeks=1", 608_400),
            ("seconds=0", 0),
            ("45", 45),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        let not_like = |part: &str| {
            format!(
                "{part:?} is not like days=30; units are weeks, days, hours, minutes and seconds"
            )
        };
        let cases = [
            ("", not_like("")),
            ("days", not_like("days")),
            ("days=", not_like("days=")),
            ("days=-1", not_like("days=-1")),
            ("days=1.5", not_like("days=1.5")),
            ("days=1,", not_like("")),
            ("months=1", not_like("months=1")),
            ("days=1,days=2", "days is there twice".to_owned()),
            ("days=400000", "is longer than 1,000 years".to_owned()),
            ("weeks=18446744073709551615", "is longer than 1,000 years".to_owned()),
        ];
        for (text, reason) in cases {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }
}
