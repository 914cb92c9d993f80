//! What becomes of a SET after one attempt to push it.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::{PushAnswer, PushError, backoff, verdict::Verdict};
use crate::{clock, set::SetError};

/// The result of a push.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PushOutcome {
    /// The receiver has it ([RFC 8935, 2.2]).
    Accepted,
    /// The receiver refuses this SET for good and says why ([RFC 8935, 2.3]): at most 100 characters
    /// of code and 500 of words.
    Rejected(SetError),
    /// It did not work this time.
    Retry {
        /// When the receiver wants to be asked again, within our bounds; else the schedule counts
        /// ([`backoff::delay`]).
        after: Option<Duration>,
        /// What happened: the receiver's code, if it gave one, and words for the operator.
        error: SetError,
    },
    /// It did not work, and the time for trying is over.
    GiveUp {
        /// What happened the last time.
        error: SetError,
    },
}

/// Which attempt it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// When the first one was made.
    pub first_at: Timestamp,
}

/// No receiver gets more time than this by `Retry-After`.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

const MAX_ERR: usize = 100;
const MAX_DESCRIPTION: usize = 500;

impl PushOutcome {
    /// What `answer`, which came at `now`, means.
    ///
    /// Only an answer that is certain ends the attempts: success, or the error object of
    /// [RFC 8935, 2.3] with a code that speaks of the SET (see `verdict.rs`). All else may pass:
    /// a key set is read again, a certificate renewed, a secret corrected, a page found again. So
    /// codes that speak of us, a 400 without an `err` (most often a proxy's), 404, 410 and redirects
    /// (which are never followed) are tried again, too. That way nothing is lost by a receiver's
    /// mistake, and the schedule bounds what it costs.
    pub fn of(answer: &Result<PushAnswer, PushError>, attempt: Attempt, now: Timestamp) -> Self {
        let wait = |after: &Option<String>| {
            after.as_deref().and_then(|text| wait(text, attempt.number, now))
        };
        let (error, after) = match answer {
            Ok(PushAnswer { status: 200..=299, .. }) => return Self::Accepted,
            Ok(PushAnswer { status: 400, body, retry_after, .. })
                if let Some(error) = ErrorObject::read(body) =>
            {
                let error = SetError::from(error);
                match Verdict::of(&error.err) {
                    Verdict::OfSet => return Self::Rejected(error),
                    Verdict::OfUs => (error, wait(retry_after)),
                }
            }
            Ok(PushAnswer { status, retry_after, .. }) => {
                (SetError::push_failed(said(*status)), wait(retry_after))
            }
            // What TLS finds wrong may quote the receiver's certificate.
            Err(error) => {
                (SetError::push_failed(bounded(&error.to_string(), MAX_DESCRIPTION)), None)
            }
        };
        if backoff::exhausted(attempt, now) {
            Self::GiveUp { error }
        } else {
            Self::Retry { after, error }
        }
    }
}

fn said(status: u16) -> String {
    let remark = match status {
        300..=399 => "; redirects are not followed",
        400 => " without an `err`",
        _ => "",
    };
    format!("the receiver answered {status}{remark}")
}

/// The wait that `Retry-After` asks for (RFC 9110, 10.2.3), as seconds or as a date; `None` if it
/// is neither. At least a second, and one more with each attempt, lest a receiver that always asks
/// for nothing be tried 86,400 times a day.
pub(super) fn wait(retry_after: &str, attempt: u32, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    let asked = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are many seconds.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = Timestamp::try_from(httpdate::parse_http_date(text).ok()?);
        clock::since(now, date.unwrap_or(Timestamp::MAX))
    };
    let least = Duration::from_secs(attempt.max(1).into());
    Some(asked.max(least).min(LONGEST_RETRY_AFTER))
}

/// The error object of [RFC 8935, 2.3].
#[derive(Deserialize)]
struct ErrorObject {
    err: String,
    #[serde(default)]
    description: serde_json::Value,
}

impl ErrorObject {
    /// The error object that `body` holds, whatever the media type says.
    fn read(body: &[u8]) -> Option<Self> {
        let error: Self = serde_json::from_slice(body).ok()?;
        (!error.err.trim().is_empty()).then_some(error)
    }
}

impl From<ErrorObject> for SetError {
    fn from(error: ErrorObject) -> Self {
        Self {
            err: bounded(&error.err, MAX_ERR),
            description: bounded(error.description.as_str().unwrap_or_default(), MAX_DESCRIPTION),
        }
    }
}

/// At most `length` characters of `text`, none of which controls a terminal.
fn bounded(text: &str, length: usize) -> String {
    text.chars().take(length).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Attempt = Attempt { number: 1, first_at: Timestamp::UNIX_EPOCH };

    fn answer(status: u16, body: &str, retry_after: Option<&str>) -> PushAnswer {
        PushAnswer {
            status,
            retry_after: retry_after.map(str::to_owned),
            content_type: None,
            body: body.as_bytes().to_vec(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn of(status: u16, body: &str) -> PushOutcome {
        PushOutcome::of(&Ok(answer(status, body, None)), FIRST, at(60))
    }

    fn error(err: &str, description: &str) -> SetError {
        SetError { err: err.to_owned(), description: description.to_owned() }
    }

    fn rejected(err: &str, description: &str) -> PushOutcome {
        PushOutcome::Rejected(error(err, description))
    }

    #[test]
    fn every_2xx_is_an_acceptance() {
        for status in [200, 202, 204, 299] {
            assert_eq!(of(status, r#"{"err":"ignored"}"#), PushOutcome::Accepted, "{status}");
        }
    }

    #[test]
    fn a_400_with_an_err_that_speaks_of_the_set_is_a_rejection_for_good() {
        for (body, expected) in [
            (
                r#"{"err": "invalid_request", "description": "It has no sub_id."}"#,
                rejected("invalid_request", "It has no sub_id."),
            ),
            (r#"{"err":"invalid_state"}"#, rejected("invalid_state", "")),
            (r#"{"err":"of_their_own","description":7}"#, rejected("of_their_own", "")),
            (r#"{"err":"a","description":"\u001b[31mred"}"#, rejected("a", " [31mred")),
        ] {
            assert_eq!(of(400, body), expected, "{body}");
        }
    }

    /// Five SETs were lost to a receiver whose key set was five minutes old.
    #[test]
    fn a_400_with_an_err_that_speaks_of_us_is_tried_again() {
        // [RFC 8935, 2.3], figure 4.
        let body = r#"{"err": "invalid_key", "description": "Key ID 12345 has been revoked."}"#;
        let error = error("invalid_key", "Key ID 12345 has been revoked.");
        assert_eq!(of(400, body), PushOutcome::Retry { after: None, error: error.clone() });
        let late = Ok(answer(400, body, Some("120")));
        let last = Attempt { number: 21, ..FIRST };
        let after = Some(Duration::from_mins(2));
        let outcome = PushOutcome::of(&late, FIRST, at(60));
        assert_eq!(outcome, PushOutcome::Retry { after, error: error.clone() });
        let outcome = PushOutcome::of(&late, last, at(24 * 3_600));
        assert_eq!(outcome, PushOutcome::GiveUp { error });
    }

    #[test]
    fn a_rejection_is_kept_at_a_bounded_length() {
        let body = serde_json::json!({"err": "ä".repeat(200), "description": "ö".repeat(2_000)});
        let expected = rejected(&"ä".repeat(100), &"ö".repeat(500));
        assert_eq!(of(400, &body.to_string()), expected);
    }

    #[test]
    fn a_rejection_stands_even_when_the_time_for_trying_is_over() {
        let answer = answer(400, r#"{"err":"invalid_request"}"#, None);
        let outcome = PushOutcome::of(&Ok(answer), FIRST, at(90_000));
        assert_eq!(outcome, rejected("invalid_request", ""));
    }

    #[test]
    fn all_else_is_tried_again() {
        let reason = |outcome: PushOutcome| match outcome {
            PushOutcome::Retry { after: None, error } if error.err == "push_failed" => {
                error.description
            }
            other => panic!("{other:?}"),
        };
        for body in ["", "<html>", "{}", r#"{"err":""}"#, r#"{"err":null}"#, r#"{"error":"x"}"#] {
            assert_eq!(reason(of(400, body)), "the receiver answered 400 without an `err`");
        }
        for status in [401, 403, 404, 408, 410, 413, 429, 500, 502, 503, 504] {
            assert_eq!(
                reason(of(status, r#"{"err":"authentication_failed"}"#)),
                format!("the receiver answered {status}")
            );
        }
        for status in [301, 302, 307, 308] {
            assert_eq!(
                reason(of(status, "")),
                format!("the receiver answered {status}; redirects are not followed")
            );
        }
        let timeout = Err(PushError::Timeout(Duration::from_secs(15)));
        assert_eq!(reason(PushOutcome::of(&timeout, FIRST, at(60))), "no answer within 15 s");
    }

    #[test]
    fn after_a_day_of_failures_it_is_given_up() {
        let late = at(24 * 3_600);
        let last = Attempt { number: 21, ..FIRST };
        let outcome = PushOutcome::of(&Ok(answer(503, "", Some("5"))), last, late);
        let error = SetError::push_failed("the receiver answered 503".to_owned());
        assert_eq!(outcome, PushOutcome::GiveUp { error });
        let outcome = PushOutcome::of(&Ok(answer(202, "", None)), last, late);
        assert_eq!(outcome, PushOutcome::Accepted);
        // It waited for most of the day.
        let outcome = PushOutcome::of(&Ok(answer(503, "", None)), FIRST, late);
        assert!(matches!(outcome, PushOutcome::Retry { .. }), "{outcome:?}");
    }

    #[test]
    fn retry_after_is_honored_within_bounds() {
        // 784111777 is the date of RFC 9110's examples.
        let now = at(784_111_777);
        for (attempt, text, seconds) in [
            (1, "120", Some(120)),
            (1, " 120 ", Some(120)),
            (1, "0", Some(1)),
            (7, "0", Some(7)),
            (7, "8", Some(8)),
            (5_000, "0", Some(3_600)),
            (1, "3600", Some(3_600)),
            (1, "1000000000", Some(3_600)),
            (1, "99999999999999999999999999", Some(3_600)),
            (1, "Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            (1, "Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            (1, "Sun Nov  6 08:50:37 1994", Some(60)),
            (1, "Sun, 06 Nov 1994 08:49:37 GMT", Some(1)),
            (1, "Sat, 05 Nov 1994 08:49:37 GMT", Some(1)),
            (1, "Fri, 31 Dec 9999 23:59:59 GMT", Some(3_600)),
            (1, "", None),
            (1, "-1", None),
            (1, "+1", None),
            (1, "1.5", None),
            (1, "soon", None),
            (1, "1994-11-06T08:50:37Z", None),
        ] {
            let attempt = Attempt { number: attempt, first_at: now };
            let outcome = PushOutcome::of(&Ok(answer(429, "", Some(text))), attempt, now);
            let error = SetError::push_failed("the receiver answered 429".to_owned());
            let after = seconds.map(Duration::from_secs);
            assert_eq!(outcome, PushOutcome::Retry { after, error }, "{text:?}");
        }
    }
}
