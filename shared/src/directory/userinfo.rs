//! What an application may know of a person ([OpenID Connect Core 1.0, 5.3, 5.4]).

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Directory, ResourceId, User, claims::claims};
use crate::{Error, client::Scope, sign_in::SubjectId};

/// The claims that `profile` asks for, of those that people have here.
const OF_PROFILE: [&str; 10] = [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "locale",
    "zoneinfo",
];

/// The claims about a person that an application may know.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UserInfo(Map<String, Value>);

impl fmt::Debug for UserInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserInfo(…)")
    }
}

impl UserInfo {
    /// The names of the claims that there may be, beside `sub`.
    pub fn claims() -> impl Iterator<Item = &'static str> {
        OF_PROFILE.into_iter().chain(["updated_at", "email", "phone_number", "address", "groups"])
    }
}

impl Directory {
    /// The claims about a person that `scope` asks for, and always `sub`. What the person does not have
    /// is not there. `email_verified` and `phone_number_verified` are not there either: whoever filled
    /// the directory knows, and has not said.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] when the person is no more.
    pub async fn userinfo(&self, subject: &SubjectId, scope: &[Scope]) -> Result<UserInfo, Error> {
        let id = ResourceId::parse(&subject.0).ok_or(Error::Unauthenticated)?;
        let user = match self.user(id).await {
            Err(Error::Scim(_) | Error::NotFound { .. }) => return Err(Error::Unauthenticated),
            user => user?,
        };
        let mut about = about(&user, scope);
        if scope.contains(&Scope::Groups) {
            let groups = self.groups_of(id).await?;
            let ids = groups.into_iter().map(|group| Value::String(group.id.to_string()));
            about.insert("groups".to_owned(), ids.collect());
        }
        Ok(UserInfo(about))
    }
}

/// All of it but the groups.
fn about(user: &User, scope: &[Scope]) -> Map<String, Value> {
    let mut claims = claims(&user.attributes);
    let mut about = Map::new();
    about.insert("sub".to_owned(), user.id.to_string().into());
    for scope in scope {
        let names: &[&str] = match scope {
            Scope::Profile => &OF_PROFILE,
            Scope::Email => &["email"],
            Scope::Phone => &["phone_number"],
            Scope::Address => &["address"],
            Scope::OpenId
            | Scope::ScimMe
            | Scope::Groups
            | Scope::OfflineAccess
            | Scope::Read
            | Scope::Manage
            | Scope::Poll
            | Scope::Scim
            | Scope::ScimRead => &[],
        };
        for name in names {
            if let Some(claim) = claims.remove(*name) {
                about.insert((*name).to_owned(), claim);
            }
        }
        if *scope == Scope::Profile {
            about.insert("updated_at".to_owned(), user.last_modified.as_second().into());
        }
    }
    about
}
