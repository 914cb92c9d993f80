//! What was found.

use std::fmt::Write;

use anstyle::Style;
use serde::Serialize;

use crate::output::{ASIDE, BAD, Cell, GOOD, WAITING};

/// How something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Good,
    /// It works, but somebody may be surprised.
    Odd,
    /// It does not work.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) subject: &'static str,
    pub(super) verdict: Verdict,
    /// What was seen.
    pub(super) seen: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn good(subject: &'static str, seen: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Good, seen: seen.into(), remedy: None }
    }

    pub(super) fn odd(
        subject: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { subject, verdict: Verdict::Odd, seen: seen.into(), remedy }
    }

    pub(super) fn wrong(
        subject: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Wrong, ..Self::odd(subject, seen, remedy) }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.verdict == Verdict::Wrong
    }
}

/// For people.
pub(super) fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (at, Finding { subject, verdict, seen, remedy }) in findings.iter().enumerate() {
        let (mark, style): (_, Style) = match verdict {
            Verdict::Good => ("✓", GOOD),
            Verdict::Odd => ("!", WAITING),
            Verdict::Wrong => ("✗", BAD),
        };
        let gap = if at == 0 { "" } else { "\n" };
        let seen = Cell::from(seen.as_str());
        let _ = write!(text, "{gap}{style}{mark}{style:#} {subject:width$}  {seen}");
        if let Some(remedy) = remedy {
            let remedy = Cell::new(remedy.as_str(), ASIDE);
            let _ = write!(text, "\n  {:width$}  → {remedy}", "");
        }
    }
    text
}

/// [`text`] as it is where colors cannot be shown, for tests.
#[cfg(test)]
pub(super) fn said(findings: &[Finding]) -> String {
    anstream::adapter::strip_str(&text(findings)).to_string()
}
