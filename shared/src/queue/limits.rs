//! What SQS refuses, refused in every home: what passes on a laptop runs on AWS.

use std::time::Duration;

use super::{Message, QueueError, QueueKind};

const MAX_BODY: usize = 256 * 1024;
const MAX_ATTRIBUTES: usize = 10;
const MAX_DELAY: Duration = Duration::from_mins(15);
/// A received message is out of sight for no longer than this.
pub const MAX_VISIBILITY: Duration = Duration::from_hours(12);
const MAX_NAME: usize = 128;
const MAX_ATTRIBUTE_NAME: usize = 256;

impl Message {
    /// Whether a queue of this kind takes it.
    pub fn check(&self, kind: QueueKind) -> Result<(), QueueError> {
        let reason = if self.body.is_empty() {
            "the body is empty"
        } else if self.body.len() > MAX_BODY {
            "the body is larger than 256 KiB"
        } else if !self.body.chars().all(is_allowed) {
            "the body has a control character"
        } else if self.attributes.len() > MAX_ATTRIBUTES {
            "there are more than ten attributes"
        } else if !self.attributes.iter().all(|(name, value)| is_attribute(name, value)) {
            "an attribute has an unusable name or no value"
        } else {
            return check_kind(self, kind);
        };
        Err(QueueError::Refused(reason))
    }
}

fn check_kind(message: &Message, kind: QueueKind) -> Result<(), QueueError> {
    let reason = match kind {
        QueueKind::Fifo => {
            if !message.group.as_deref().is_some_and(is_name) {
                "a FIFO queue needs a group of 1 to 128 visible ASCII characters"
            } else if !message.deduplication.as_deref().is_none_or(is_name) {
                "a deduplication id has 1 to 128 visible ASCII characters"
            } else if !message.delay.is_zero() {
                "a FIFO queue delays no single message"
            } else {
                return Ok(());
            }
        }
        QueueKind::Standard => {
            if message.group.is_some() {
                "a standard queue knows no groups"
            } else if message.deduplication.is_some() {
                "a standard queue does not deduplicate"
            } else if message.delay > MAX_DELAY {
                "the delay is longer than 15 minutes"
            } else {
                return Ok(());
            }
        }
    };
    Err(QueueError::Refused(reason))
}

/// Whether a queue hides messages for so long.
pub fn check_visibility(visibility: Duration) -> Result<(), QueueError> {
    if visibility > MAX_VISIBILITY {
        return Err(QueueError::Refused("the visibility timeout is longer than 12 hours"));
    }
    Ok(())
}

/// The characters of XML 1.0, which SQS was built on.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// `text` such that it may be in a message: what is not allowed is replaced, and what is behind so
/// many bytes is cut.
pub(crate) fn fit(text: &str, bytes: usize) -> String {
    let allowed =
        |character| if is_allowed(character) { character } else { char::REPLACEMENT_CHARACTER };
    let mut text: String = text.chars().map(allowed).collect();
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub('…'.len_utf8())));
        text.push('…');
    }
    text
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_attribute(name: &str, value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let lower = name.to_ascii_lowercase();
    name.len() <= MAX_ATTRIBUTE_NAME
        // No period comes first, last or twice in a row.
        && name.split('.').all(|part| !part.is_empty() && part.bytes().all(allowed))
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.")
        && !value.is_empty()
        && value.chars().all(is_allowed)
}
