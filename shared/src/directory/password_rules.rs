//! Which passwords people may choose (NIST SP 800-63B-4, 3.1.1.2): long ones, of any characters, that
//! nobody would try first.

use std::{collections::HashSet, sync::LazyLock};

use super::{User, password::composed, text::fold};
use crate::client::Secret;

/// A password that is all that is asked for has at least so many characters.
pub const MIN_ALONE: usize = 15;

/// One that is asked for together with something else.
pub const MIN_WITH_SECOND: usize = 8;

/// A password has at most so many bytes, which are 64 characters of any script.
pub const MAX_CHOSEN: usize = 256;

/// Why a password cannot be chosen.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Weak {
    /// It is too short.
    #[error("the password has less than {0} characters")]
    Short(usize),
    /// It is too long.
    #[error("the password has more than 256 bytes")]
    Long,
    /// It is among those that are tried first.
    #[error("the password is easily guessed")]
    Common,
    /// It is made of the person's own name or address.
    #[error("the password is the name or the address of the person")]
    OwnName,
}

/// The passwords of at least 8 characters that most people use, sorted: ten thousand of the list of
/// zxcvbn, which is Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc., as the crate `zxcvbn` 3.1.1,
/// Copyright (c) 2016 Joshua Holmer, has it, both under the MIT licence.
const COMMON: &str = include_str!("common_passwords.txt");

/// What fingers walk along.
const WALKS: [&str; 6] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
];

/// Whether `user` may choose this password.
pub(crate) fn check(password: &Secret, user: &User, has_second: bool) -> Result<(), Weak> {
    let password = composed(password.expose());
    let min = if has_second { MIN_WITH_SECOND } else { MIN_ALONE };
    if password.chars().count() < min {
        return Err(Weak::Short(min));
    }
    if password.len() > MAX_CHOSEN {
        return Err(Weak::Long);
    }
    let folded = fold(&password);
    if is_common(&folded) {
        return Err(Weak::Common);
    }
    let attributes = &user.attributes;
    let addresses = attributes.emails.iter().filter_map(|email| email.value.as_deref());
    let mut names =
        addresses.chain([attributes.user_name.as_str()]).chain(attributes.display_name.as_deref());
    if names.any(|name| base(&folded) == base(&fold(name))) {
        return Err(Weak::OwnName);
    }
    Ok(())
}

fn is_common(folded: &str) -> bool {
    static LIST: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());
    let once = base(folded);
    let backwards: String = once.chars().rev().collect();
    LIST.contains(folded)
        || once.chars().count() <= 3
        || LIST.contains(once)
        || WALKS.iter().any(|walk| walk.contains(once) || walk.contains(&backwards))
}

/// What is repeated, if it is nothing but a repetition, the last time perhaps in part.
fn base(text: &str) -> &str {
    let chars: Vec<char> = text.chars().collect();
    let repeats =
        |length: &usize| chars.iter().zip(&chars[*length..]).all(|(one, next)| one == next);
    let length = (1..chars.len()).find(repeats).unwrap_or(chars.len());
    let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_it_says() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.is_sorted() && lines.len() <= 10_000 && lines.len() > 9_000);
        assert!(lines.iter().all(|line| line.len() >= MIN_WITH_SECOND && *line == fold(line)));
    }

    #[test]
    fn what_is_repeated_is_found() {
        for (text, wanted) in [
            ("aaaaaaaaaaaaaaaa", "a"),
            ("passwordpassword", "password"),
            ("passwordpasswordpass", "password"),
            ("correct horse battery", "correct horse battery"),
            ("éèéèéèéèé", "éè"),
            ("", ""),
        ] {
            assert_eq!(base(text), wanted);
        }
    }
}
