//! Tokens of people: whether they are good when they may be, and dead when they must be.

use jiff::Timestamp;
use ssf::sign_in::ACCESS_LIFETIME;

use super::{
    super::house::{Outcome, at_once},
    calls::{Answer, Wish, sign_in},
    model::Deed,
    plan::{Call, Change},
    run::Run,
};

/// A token, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) person: usize,
    pub(super) client: usize,
    pub(super) access: String,
    pub(super) refresh: String,
    issued: Timestamp,
    /// For ever: the person was locked out since, or the consent revoked.
    dead: bool,
    /// Somebody failed with it, or something happened at the moment at which it was issued.
    doubtful: bool,
}

impl Run {
    /// The token that a plan calls so.
    pub(super) fn token(&self, number: usize) -> Option<&Token> {
        self.tokens.iter().rev().nth(number)
    }

    /// Takes in tokens that were issued in this step.
    pub(super) fn take_tokens(&mut self, wishes: &[Wish], outcomes: Vec<Outcome<Answer>>) {
        let beside = wishes.len() > 1;
        for (wish, outcome) in wishes.iter().zip(outcomes) {
            match (wish.call, outcome) {
                (Call::SignIn { client, .. }, Outcome::Done(Answer::Tokens(tokens))) => {
                    let person = wish.number.expect("somebody signed in");
                    self.tokens.push(Token {
                        person,
                        client,
                        access: tokens.access_token.expose().to_owned(),
                        refresh: tokens.refresh_token.expect("there is one").expose().to_owned(),
                        issued: self.house.now(),
                        dead: false,
                        doubtful: beside,
                    });
                }
                (Call::Refresh { .. }, outcome) => {
                    let at = wish.number.expect("there is a token");
                    let token = &mut self.tokens[at];
                    match outcome {
                        Outcome::Done(Answer::Tokens(tokens)) => {
                            assert!(!token.dead || beside, "a dead token was renewed");
                            tokens.access_token.expose().clone_into(&mut token.access);
                            let refresh = tokens.refresh_token.expect("there is one");
                            refresh.expose().clone_into(&mut token.refresh);
                            token.issued = self.house.now();
                        }
                        Outcome::Done(_) if token.dead || token.doubtful || beside => {}
                        Outcome::Done(_) => {
                            let off = self.disabled[token.client];
                            assert!(off, "a good token was not renewed");
                        }
                        Outcome::Failed { .. } | Outcome::Crashed => token.doubtful = true,
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes what has died by this step, and tries all tokens.
    pub(super) fn try_tokens(&mut self, wishes: &[Wish]) {
        let now = self.house.now();
        let new_password = |token: &Token| {
            wishes.iter().any(|wish| {
                // Of two side by side the first may lock, and the second let in again.
                let is_new = |deed| match deed {
                    Deed::Change(Change::Password(_)) => true,
                    Deed::Change(_) => wishes.len() > 1,
                    _ => false,
                };
                wish.deed.is_some_and(|(person, deed)| person == token.person && is_new(deed))
            })
        };
        let sign_in = sign_in(&self.house.plain);
        for token in &mut self.tokens {
            // Whether it comes before or behind what ends all that was open, nobody can say who
            // knows the time alone.
            token.doubtful |= new_password(token);
            let state = self.people[token.person].state.as_ref();
            let allowed = state.is_some_and(|state| {
                !state.is_locked(now) && state.consents[token.client] == Some(true)
            });
            token.dead |= !allowed;
            token.doubtful |= !allowed;
            let age = ssf::clock::since(token.issued, now).as_secs();
            let access = at_once(sign_in.person_token(&token.access));
            let off = self.disabled[token.client];
            let must_not = token.dead || !allowed || off || age >= ACCESS_LIFETIME;
            assert!(!(must_not && access.is_ok()), "a dead token is good: {token:?}");
            let must = !must_not && !token.doubtful;
            assert!(!(must && access.is_err()), "{token:?} is refused: {access:?}");
        }
    }
}
