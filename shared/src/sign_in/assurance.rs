//! By what means people sign in, and how surely that says who they are.

/// By what means a person signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Means {
    /// The password alone.
    Password,
    /// The password, and a code that was good once: of an authenticator app, or of a list for who has
    /// lost it.
    PasswordAndCode,
}

impl Means {
    /// As ID tokens say it (RFC 8176, 2: `amr`).
    pub fn amr(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Password => &["pwd"],
            Self::PasswordAndCode => &["pwd", "otp", "mfa"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// How surely it says who it is.
    pub fn assurance(self) -> Assurance {
        match self {
            Self::Password => Assurance::One,
            Self::PasswordAndCode => Assurance::Two,
        }
    }
}

/// How surely a person is known to be who they say they are: by how many factors, named as NIST SP
/// 800-63B-4 names its authentication assurance levels. `One` is less than `Two`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Assurance {
    /// One factor (2.1).
    One,
    /// Two factors (2.2).
    Two,
}

impl Assurance {
    /// Both.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// What names come from ([CAEP 1.0, 3.4]: `namespace`).
    pub(crate) const NAMESPACE: &'static str = "NIST-AAL";

    /// Its name (OpenID Connect Core 1.0, 2: `acr`).
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "nist-aal1",
            Self::Two => "nist-aal2",
        }
    }

    /// The one of this name. Whoever is signed in has given a password at least.
    pub(crate) fn of(name: Option<&str>) -> Self {
        let found = Self::ALL.into_iter().find(|level| Some(level.name()) == name);
        found.unwrap_or(Self::One)
    }
}
