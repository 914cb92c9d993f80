//! What ties codes and tokens to a person and an application, and when it is cut.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    client::{Client, ClientId},
    model::is_zero,
    sign_in::{Consent, Owner, SubjectId},
};

/// To whom something was issued, and for whom. It holds for as long as what was there when it was
/// made is there still.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Bond {
    /// The application.
    pub client: ClientId,
    /// The person.
    pub subject: SubjectId,
    /// When the application was registered: another one may have its id later.
    pub registered: Timestamp,
    /// How often the consent had been revoked before. Not a time: two processes may disagree on
    /// that.
    pub revocations: u32,
    /// How often all that the person had open had been ended before ([`Owner::Live`]).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ends: u32,
}

/// The rows that decide whether a bond holds, as they are now.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The application, if it is there.
    pub client: Option<&'a Client>,
    /// The person.
    pub owner: Owner,
    /// The person's consent, if there is one.
    pub consent: Option<&'a Consent>,
}

/// Why a bond does not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Cut {
    /// The application is not there any more.
    #[error("the client is gone")]
    ClientGone,
    /// The operator disabled the application.
    #[error("the client is disabled")]
    ClientDisabled,
    /// The person is not there any more. What was theirs is nobody's, and never the client's own.
    #[error("the person is gone")]
    OwnerGone,
    /// The person is locked out.
    #[error("the person is locked out")]
    OwnerLocked,
    /// The person may come in, but what was open before was ended.
    #[error("what the person had open was ended")]
    Ended,
    /// The person never gave their consent, nor did the operator for them.
    #[error("there is no consent")]
    ConsentMissing,
    /// The person took their consent back; a later one is for what is issued later.
    #[error("the consent was revoked")]
    ConsentRevoked,
}

impl Standing<'_> {
    /// The bond of what is issued now, or why nothing may be.
    pub fn bond(&self, subject: &SubjectId) -> Result<Bond, Cut> {
        let client = self.client.ok_or(Cut::ClientGone)?;
        let ends = match self.owner {
            Owner::Live { ends } => ends,
            Owner::Locked | Owner::Gone => 0,
        };
        let bond = Bond {
            client: client.client_id.clone(),
            subject: subject.clone(),
            registered: client.created,
            revocations: self.consent.map_or(0, |consent| consent.revocations),
            ends,
        };
        bond.holds(self)?;
        Ok(bond)
    }
}

impl Bond {
    /// Whether what was issued is still good, as far as this decides.
    pub fn holds(&self, standing: &Standing<'_>) -> Result<(), Cut> {
        let client = match standing.client {
            Some(client) if client.created == self.registered => client,
            Some(_) | None => return Err(Cut::ClientGone),
        };
        if client.disabled {
            return Err(Cut::ClientDisabled);
        }
        match standing.owner {
            Owner::Live { ends } if ends == self.ends => {}
            Owner::Live { .. } => return Err(Cut::Ended),
            Owner::Locked => return Err(Cut::OwnerLocked),
            Owner::Gone => return Err(Cut::OwnerGone),
        }
        match standing.consent {
            Some(consent) if consent.is_live() && consent.revocations == self.revocations => Ok(()),
            Some(_) => Err(Cut::ConsentRevoked),
            None if client.application.preconsent && self.revocations == 0 => Ok(()),
            None => Err(Cut::ConsentMissing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{GrantType, NewClient, RedirectUri, Scope};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn client(preconsent: bool) -> Client {
        let mut wish = NewClient::new("Notes", vec![]);
        wish.scope = vec![Scope::OpenId];
        wish.grant_types = Some(vec![GrantType::AuthorizationCode]);
        wish.application.redirect_uris = vec![RedirectUri::parse("https://notes.example").unwrap()];
        wish.application.preconsent = preconsent;
        wish.client(ClientId("notes".into()), at(0)).unwrap()
    }

    #[test]
    fn a_bond_holds_while_all_that_made_it_is_there() {
        let jane = SubjectId("jane".into());
        let (asked, preconsented) = (client(false), client(true));
        let given = Consent {
            consent_id: "1".into(),
            client: asked.client_id.clone(),
            subject: jane.clone(),
            scope: vec![Scope::OpenId],
            issue_date: at(1),
            revoked_at: None,
            last_revoked: None,
            revocations: 0,
            created: at(1),
            last_modified: at(1),
        };
        let disabled = Client { disabled: true, ..asked.clone() };
        let another = Client { created: at(9), ..asked.clone() };
        let revoked = Consent { revoked_at: Some(at(5)), revocations: 1, ..given.clone() };
        let restored = Consent { revoked_at: None, ..revoked.clone() };
        let live = Owner::Live { ends: 1 };
        let ends = |ends| Owner::Live { ends };

        let now = Standing { client: Some(&asked), owner: live, consent: Some(&given) };
        let bond = now.bond(&jane).unwrap();
        let cases = [
            (now, Ok(())),
            (Standing { client: None, ..now }, Err(Cut::ClientGone)),
            (Standing { client: Some(&another), ..now }, Err(Cut::ClientGone)),
            (Standing { client: Some(&disabled), ..now }, Err(Cut::ClientDisabled)),
            (Standing { owner: Owner::Gone, ..now }, Err(Cut::OwnerGone)),
            (Standing { owner: Owner::Locked, ..now }, Err(Cut::OwnerLocked)),
            (Standing { owner: ends(0), ..now }, Err(Cut::Ended)),
            (Standing { owner: ends(2), ..now }, Err(Cut::Ended)),
            (Standing { consent: None, ..now }, Err(Cut::ConsentMissing)),
            (Standing { consent: Some(&revoked), ..now }, Err(Cut::ConsentRevoked)),
            (Standing { consent: Some(&restored), ..now }, Err(Cut::ConsentRevoked)),
            (Standing { client: Some(&preconsented), consent: None, ..now }, Ok(())),
        ];
        for (standing, wanted) in cases {
            assert_eq!(bond.holds(&standing), wanted, "{standing:?}");
        }
        // What is issued after a restoration is good, and dies with the next revocation.
        let later = Standing { consent: Some(&restored), ..now };
        let bond = later.bond(&jane).unwrap();
        assert_eq!(bond.holds(&later), Ok(()));
        assert_eq!(bond.holds(&now), Err(Cut::ConsentRevoked));
        assert_eq!(Standing { owner: Owner::Locked, ..now }.bond(&jane), Err(Cut::OwnerLocked));
        assert_eq!(Standing { consent: None, ..now }.bond(&jane), Err(Cut::ConsentMissing));
    }
}
