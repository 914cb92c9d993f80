//! Where consents, codes and tokens of people are in the table.
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `CONSENT#`person | client | a consent |
//! | `CLIENT_CONSENT#`client | person | that there is this consent |
//! | `FAMILY#`family | `CODE` | an authorization code; gone an hour after it was issued |
//! | `FAMILY#`family | `FAMILY` | the tokens that it was exchanged for; gone when they are over |
//! | `CLIENT_FAMILY#`client | family | that there is this code or family |
//! | `PERSON_FAMILY#`person | hash of the client, `#`, family | the same |
//! | `SESSION#`hash of the secret | `SESSION` | a session; gone when it is over |
//! | `PERSON_SESSION#`person | `sid` | that there is this session, and who is told when it ends |

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    client::{Client, ClientId, Secret, client_key},
    sign_in::{
        AuthorizationCode, Bond, Consent, Family, FamilyId, Owner, Session, SignIn, SignedIn,
        Standing, SubjectId,
    },
    table::{Condition, Content, Item, Key, Version, Write, class},
};

pub(super) fn consent_key(subject: &SubjectId, client: &ClientId) -> Key {
    Key::new(class::CONSENT.of(subject), client.0.clone())
}

pub(super) fn client_consent_key(subject: &SubjectId, client: &ClientId) -> Key {
    Key::new(class::CLIENT_CONSENT.of(client), subject.0.clone())
}

pub(super) fn code_key(family: FamilyId) -> Key {
    Key::new(class::FAMILY.of(family), "CODE")
}

pub(super) fn family_key(family: FamilyId) -> Key {
    Key::new(class::FAMILY.of(family), "FAMILY")
}

pub(super) fn client_family_key(client: &ClientId, family: FamilyId) -> Key {
    Key::new(class::CLIENT_FAMILY.of(client), family.to_string())
}

pub(super) fn person_family_key(subject: &SubjectId, client: &ClientId, family: FamilyId) -> Key {
    let sk = format!("{}{family}", pair_prefix(client));
    Key::new(class::PERSON_FAMILY.of(subject), sk)
}

/// Begins the sort key of all families of a person that are of this client.
pub(super) fn pair_prefix(client: &ClientId) -> String {
    // An id may hold what separates it from the family.
    format!("{}#", URL_SAFE_NO_PAD.encode(digest(&SHA256, client.0.as_bytes())))
}

/// What a session is called in the table: a hash of the secret that the browser has.
pub(super) fn session_name(secret: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.expose().as_bytes()))
}

pub(super) fn session_key(name: &str) -> Key {
    Key::new(class::SESSION.of(name), "SESSION")
}

pub(super) fn person_session_key(subject: &SubjectId, sid: &str) -> Key {
    Key::new(class::PERSON_SESSION.of(subject), sid)
}

/// What the rows that list sessions hold.
#[derive(Deserialize, Serialize)]
pub(super) struct ListedSession {
    /// See [`session_name`].
    pub(super) session: String,
    /// The applications that are told when it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) to_tell: Vec<ClientId>,
}

pub(super) fn put_session(name: &str, session: &Session, condition: Condition) -> Write {
    let content = Content { expires: Some(session.expires()), ..Content::json(session) };
    Write::put(session_key(name), condition, content)
}

/// What the rows that list families hold.
#[derive(Deserialize, Serialize)]
pub(super) struct Listed {
    pub(super) family: FamilyId,
    pub(super) client: ClientId,
    pub(super) subject: SubjectId,
    /// See [`Bond::revocations`].
    pub(super) revocations: u32,
    /// The session that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
}

/// The rows by which a family is found from both of its ends, until `expires`.
pub(super) fn list_family(
    bond: &Bond,
    signed_in: &SignedIn,
    family: FamilyId,
    expires: Timestamp,
) -> [Write; 2] {
    let listed = Listed {
        family,
        client: bond.client.clone(),
        subject: bond.subject.clone(),
        revocations: bond.revocations,
        sid: signed_in.sid.clone(),
    };
    let content = Content { expires: Some(expires), ..Content::json(&listed) };
    [
        client_family_key(&bond.client, family),
        person_family_key(&bond.subject, &bond.client, family),
    ]
    .map(|key| Write::put(key, Condition::Any, content.clone()))
}

pub(super) fn put_code(code: &AuthorizationCode, condition: Condition) -> Write {
    let expires = Some(code.is_remembered_until());
    let content = Content { expires, ..Content::json(code) };
    Write::put(code_key(code.authorization_code_id), condition, content)
}

pub(super) fn put_family(family: &Family, condition: Condition) -> Write {
    let content = Content { expires: Some(family.is_kept_until()), ..Content::json(family) };
    Write::put(family_key(family.family_id), condition, content)
}

pub(super) fn put_consent(consent: &Consent, condition: Condition) -> Write {
    Write::put(consent_key(&consent.subject, &consent.client), condition, Content::json(consent))
}

/// The rows that decide whether a bond holds.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) client: Option<Client>,
    pub(super) owner: Owner,
    pub(super) owner_row: Option<Item>,
    pub(super) consent: Option<(Consent, Version)>,
}

impl Rows {
    pub(super) fn standing(&self) -> Standing<'_> {
        Standing {
            client: self.client.as_ref(),
            owner: self.owner,
            consent: self.consent.as_ref().map(|(consent, _)| consent),
        }
    }
}

impl SignIn {
    /// The client, the person and the consent, by one read.
    pub(super) async fn rows(&self, client: &ClientId, subject: &SubjectId) -> Result<Rows, Error> {
        Ok(self.rows_and(client, subject, None).await?.0)
    }

    /// The same, and what is at `other`.
    pub(super) async fn rows_and(
        &self,
        client: &ClientId,
        subject: &SubjectId,
        other: Option<Key>,
    ) -> Result<(Rows, Option<Item>), Error> {
        let mut keys =
            vec![client_key(client), self.owners.key(subject), consent_key(subject, client)];
        keys.extend(other);
        let mut items = self.parts().table.batch_get(&keys).await?.into_iter();
        let mut next = || items.next().flatten();
        let (client, owner_row, consent, other) = (next(), next(), next(), next());
        let now = self.parts().clock.now();
        let rows = Rows {
            client: client.as_ref().map(Item::read).transpose()?,
            owner: self.owners.judge(owner_row.as_ref(), now)?,
            owner_row,
            consent: match consent {
                Some(item) => Some((item.read()?, item.version)),
                None => None,
            },
        };
        Ok((rows, other))
    }

    pub(super) async fn read_family(
        &self,
        id: FamilyId,
    ) -> Result<Option<(Family, Version)>, Error> {
        match self.parts().table.get(&family_key(id)).await? {
            Some(item) => Ok(Some((item.read()?, item.version))),
            None => Ok(None),
        }
    }
}
