//! How a client that provisions the directory is treated: the rights that it has beyond its scopes,
//! and the dialect of SCIM that it speaks.

use serde::{Deserialize, Serialize};

/// What an operator decided for one provisioning client. The defaults are the standard's.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ScimOptions {
    /// Whether it may set people's passwords; those that it sends are ignored otherwise.
    pub may_set_passwords: bool,
    /// Whether it is told whole resources (`prov:*:full` of RFC 9967), which are full of personal
    /// data; it is told only what changed otherwise.
    pub full: bool,
    /// What a PATCH of a group is answered with.
    pub group_patch: GroupPatch,
    /// What becomes of members of a group that are nobody.
    pub unknown_members: UnknownMembers,
    /// What becomes of a person that is created a second time.
    pub reprovision: Reprovision,
    /// The largest share of a group that one PATCH may remove; absent: all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wipe_guard: Option<Share>,
}

impl ScimOptions {
    /// Whether nothing was decided.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a PATCH of a group is answered with (RFC 7644, 3.5.2, allows both).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum GroupPatch {
    /// The whole group, with 200, while it is small; 204 otherwise.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// Always 204 and nothing.
    #[serde(rename = "204")]
    NoContent,
}

/// What becomes of members of a group that are nobody.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownMembers {
    /// They are left out, and the rest is done.
    #[default]
    Skip,
    /// The request is refused.
    Reject,
}

/// What becomes of a person that is created a second time.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reprovision {
    /// A conflict (RFC 7644, 3.3).
    #[default]
    Conflict,
    /// The same person comes back, if the same client made it.
    Adopt,
}

/// A part of a whole: more than nothing, and less than all of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share {
    thousandths: u16,
}

impl Share {
    /// The share `number`, to the thousandth.
    pub fn new(number: f64) -> Option<Self> {
        (1..1000)
            .find(|thousandths| (f64::from(*thousandths) / 1000.0 - number).abs() < 0.0005)
            .map(|thousandths| Self { thousandths })
    }

    /// Whether `part` of `whole` is more than this share.
    pub fn is_exceeded_by(self, part: usize, whole: usize) -> bool {
        let (part, whole) = (part as u128, whole as u128);
        part * 1000 > whole * u128::from(self.thousandths)
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        Self::from(share.thousandths) / 1000.0
    }
}

impl TryFrom<f64> for Share {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("must be between 0 and 1, such as 0.5")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_part_of_a_whole() {
        for number in [0.001, 0.25, 0.5, 0.999] {
            let share = Share::new(number).unwrap();
            assert!((f64::from(share) - number).abs() < f64::EPSILON, "{number}");
        }
        for number in [0.0, -0.5, 1.0, 50.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Share::new(number), None, "{number}");
        }
        let half = Share::new(0.5).unwrap();
        assert!(!half.is_exceeded_by(10, 20));
        assert!(half.is_exceeded_by(11, 20));
        assert!(!half.is_exceeded_by(0, 0));
    }
}
