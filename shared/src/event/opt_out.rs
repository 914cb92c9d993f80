//! Whether an account takes part in the exchange of RISC events.

use serde::{Deserialize, Serialize};

use super::EventType;

/// Where an account stands ([RISC 1.0, 2.8]).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptState {
    /// It takes part.
    #[default]
    OptIn,
    /// It asked to take part no more. Its events go on for a while, so that a hijacker cannot
    /// silence them at once.
    OptOutInitiated,
    /// It does not take part.
    OptOut,
}

impl OptState {
    /// Where the account stands after an event of this type.
    ///
    /// `opt-in` and `opt-out-effective` say where it stands, whatever was known before: an earlier
    /// event may have been missed, and nobody who is out must be taken to be in. The other two only
    /// move it along the arrows of the standard's figure.
    #[must_use]
    pub fn after(self, event_type: &EventType) -> Self {
        if *event_type == EventType::OPT_IN {
            Self::OptIn
        } else if *event_type == EventType::OPT_OUT_EFFECTIVE {
            Self::OptOut
        } else if *event_type == EventType::OPT_OUT_INITIATED && self == Self::OptIn {
            Self::OptOutInitiated
        } else if *event_type == EventType::OPT_OUT_CANCELLED && self == Self::OptOutInitiated {
            Self::OptIn
        } else {
            self
        }
    }

    /// Whether an event of this type is about where its account stands.
    pub fn is_moved_by(event_type: &EventType) -> bool {
        [
            EventType::OPT_IN,
            EventType::OPT_OUT_INITIATED,
            EventType::OPT_OUT_CANCELLED,
            EventType::OPT_OUT_EFFECTIVE,
        ]
        .contains(event_type)
    }

    /// Whether events about the account are exchanged.
    pub fn exchanges(self) -> bool {
        match self {
            Self::OptIn | Self::OptOutInitiated => true,
            Self::OptOut => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_follows_the_arrows_of_the_standard() {
        use OptState::{OptIn, OptOut, OptOutInitiated};
        let (opt_in, effective) = (EventType::OPT_IN, EventType::OPT_OUT_EFFECTIVE);
        let (initiated, cancelled) = (EventType::OPT_OUT_INITIATED, EventType::OPT_OUT_CANCELLED);
        for (before, event_type, after) in [
            (OptIn, &initiated, OptOutInitiated),
            (OptOutInitiated, &cancelled, OptIn),
            (OptOutInitiated, &effective, OptOut),
            (OptOut, &opt_in, OptIn),
            // Not in the figure: too late, or after an event that was missed.
            (OptOut, &initiated, OptOut),
            (OptOut, &cancelled, OptOut),
            (OptIn, &cancelled, OptIn),
            (OptIn, &effective, OptOut),
            (OptOutInitiated, &opt_in, OptIn),
            (OptOutInitiated, &initiated, OptOutInitiated),
            (OptOut, &EventType::ACCOUNT_DISABLED, OptOut),
        ] {
            assert_eq!(before.after(event_type), after, "{before:?} {}", event_type.short_name());
        }
    }

    #[test]
    fn events_go_on_until_the_opt_out_is_effective() {
        assert!(OptState::default().exchanges());
        assert!(OptState::OptOutInitiated.exchanges());
        assert!(!OptState::OptOut.exchanges());
    }
}
