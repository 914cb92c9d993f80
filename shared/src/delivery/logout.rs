//! Telling applications that a session has ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! What is to be told stands on the push queue, put there by the outbox, and stays there until the
//! application knows it, refuses it, or the time for trying is over. A logout token is made for each
//! attempt anew: it is good for two minutes.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Error, Transmitter,
    client::ClientId,
    clock,
    config::Config,
    delivery::{
        LogoutTask, Push, PushAnswer, PushError, PushKind, PushTask, PushVerdict, backoff, outcome,
    },
    queue::Message,
    sign_in::SubjectId,
};

/// The type of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4).
const TYPE: &str = "logout+jwt";

/// The event that it tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// For how long a logout token may be taken for true.
pub const LOGOUT_TOKEN_LIFETIME: Duration = Duration::from_mins(2);

/// The attempt that fails so long after the session ended, or later, is the last: the ninth, after an
/// hour and three quarters, as [`backoff`] says. By then what the application has of the session has
/// been refreshed in vain.
pub const LOGOUT_TRIED_FOR: Duration = Duration::from_hours(1);

/// The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4). Never a `nonce`, so that
/// nobody can take it for an ID token.
#[derive(Debug, Serialize)]
struct LogoutToken<'a> {
    iss: &'a str,
    sub: &'a SubjectId,
    aud: &'a ClientId,
    iat: i64,
    exp: i64,
    jti: String,
    events: Value,
    sid: &'a str,
}

impl<'a> LogoutToken<'a> {
    fn new(task: &'a LogoutTask, jti: String, config: &'a Config, now: Timestamp) -> Self {
        Self {
            iss: config.issuer.as_str(),
            sub: &task.subject,
            aud: &task.client,
            iat: now.as_second(),
            exp: clock::add(now, LOGOUT_TOKEN_LIFETIME).as_second(),
            jti,
            events: json!({ EVENT: {} }),
            sid: &task.sid,
        }
    }
}

/// What an answer means (OpenID Connect Back-Channel Logout 1.0, 2.8).
#[derive(Clone, Debug, Eq, PartialEq)]
enum Outcome {
    /// The application knows it.
    Told,
    /// The application refuses it, for good.
    Refused,
    /// It did not work this time; when it wants to be asked again, if it says so, and why.
    Failed(Option<Duration>, String),
}

impl Outcome {
    /// What `answer` to this attempt means, which came at `now`.
    fn of(answer: &Result<PushAnswer, PushError>, attempt: u32, now: Timestamp) -> Self {
        match answer {
            Ok(PushAnswer { status: 200..=299, .. }) => Self::Told,
            Ok(PushAnswer { status: 400, .. }) => Self::Refused,
            Ok(PushAnswer { status, retry_after, .. }) => {
                let text = retry_after.as_deref();
                let after = text.and_then(|text| outcome::wait(text, attempt, now));
                Self::Failed(after, format!("it answered {status}"))
            }
            Err(error) => Self::Failed(None, error.to_string()),
        }
    }
}

/// The message that asks for `task`; `name` is the same however often it is sent.
pub(crate) fn message(task: LogoutTask, name: String) -> Message {
    Message {
        body: serde_json::to_string(&PushTask::Logout(task)).expect("it has only string keys"),
        // One application must not hold up another.
        group: Some(name.clone()),
        deduplication: Some(name),
        ..Message::default()
    }
}

impl Transmitter {
    /// Tells an application that a session has ended, or finds that there is nobody to tell;
    /// `attempt` counts from 1.
    pub async fn log_out(&self, task: &LogoutTask, attempt: u32) -> Result<PushVerdict, Error> {
        let parts = self.parts();
        let client = match self.client_show(&task.client).await {
            // Another one may have its id by now.
            Ok(client) if client.created <= task.at => client,
            Ok(_) | Err(Error::NotFound { .. }) => return Ok(PushVerdict::Done),
            Err(error) => return Err(error),
        };
        let Some(endpoint) = &client.application.backchannel_logout_uri else {
            return Ok(PushVerdict::Done);
        };
        let outcome = if client.disabled {
            // It may be enabled again before the time is over.
            Outcome::Failed(None, "it is disabled".to_owned())
        } else {
            let jti = parts.ids.fresh().hyphenated().to_string();
            let now = parts.clock.now();
            let claims = LogoutToken::new(task, jti, &parts.config, now);
            let claims = serde_json::to_vec(&claims).expect("claims have only string keys");
            let token = self.keys().sign(TYPE, &claims).await?;
            let push = Push {
                endpoint,
                authorization: None,
                set: &token,
                kind: PushKind::Logout,
                verify_certificate: client.verify_certificates,
            };
            let answer = parts.http.push(&push).await;
            Outcome::of(&answer, attempt, parts.clock.now())
        };
        let now = parts.clock.now();
        let over = clock::since(task.at, now) >= LOGOUT_TRIED_FOR;
        Ok(match outcome {
            Outcome::Told => PushVerdict::Done,
            Outcome::Refused => {
                tracing::warn!(client.id = %task.client, "an application refused a logout token");
                PushVerdict::Done
            }
            Outcome::Failed(_, reason) if over => {
                tracing::error!(
                    client.id = %task.client, attempt, reason,
                    "an application was not told that a session ended; the time for trying is over",
                );
                PushVerdict::Done
            }
            Outcome::Failed(after, reason) => {
                tracing::warn!(
                    client.id = %task.client, attempt, reason,
                    "an application could not be told that a session ended",
                );
                let jitter = backoff::jitter(parts.ids.fresh());
                PushVerdict::Again(after.unwrap_or_else(|| backoff::delay(attempt, jitter)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> PushAnswer {
        let retry_after = retry_after.map(str::to_owned);
        PushAnswer { status, retry_after, content_type: None, body: Vec::new() }
    }

    #[test]
    fn only_a_400_is_final() {
        let of =
            |answer: Result<PushAnswer, PushError>| Outcome::of(&answer, 1, Timestamp::UNIX_EPOCH);
        for status in [200, 202, 204] {
            assert_eq!(of(Ok(answer(status, None))), Outcome::Told, "{status}");
        }
        assert_eq!(of(Ok(answer(400, Some("5")))), Outcome::Refused);
        for status in [301, 401, 403, 404, 408, 429, 500, 501, 503] {
            let wanted = Outcome::Failed(None, format!("it answered {status}"));
            assert_eq!(of(Ok(answer(status, None))), wanted, "{status}");
        }
        let asked = Outcome::Failed(Some(Duration::from_secs(7)), "it answered 429".to_owned());
        assert_eq!(of(Ok(answer(429, Some("7")))), asked);
        let late = Err(PushError::Timeout(Duration::from_secs(15)));
        assert_eq!(of(late), Outcome::Failed(None, "no answer within 15 s".to_owned()));
    }
}
