//! The second part of the demo: what happens to a person of the directory, and who hears of it.

use anyhow::Context;
use serde_json::{Map, Value, json};
use ssf::{
    Transmitter,
    client::{ClientId, Scope},
    directory::{
        Actor, Cause, Directory, Given, Group, MemberRequest, MemberStep, ResourceId, User,
    },
    sign_in::SignIn,
};

use super::script::JANE;

/// One thing that the operator does, and which SETs follow from it for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act {
    deed: Deed,
    /// In words.
    pub(super) what: &'static str,
    /// By receiver, the types.
    pub(super) wanted: &'static [(&'static str, &'static [&'static str])],
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Create,
    Consent,
    Join,
    Revoke,
    Lock,
}

/// The one who needs consents.
const INITECH: &str = "initech";

const LOCKED: &[&str] =
    &["prov:patch:notice", "prov:deactivate", "account-disabled", "session-revoked"];

/// All of them.
pub(super) const ACTS: [Act; 5] = [
    Act {
        deed: Deed::Create,
        what: "jane is created",
        wanted: &[("acme", &["prov:create:notice"]), ("globex", &["prov:create:notice"])],
    },
    Act {
        deed: Deed::Consent,
        what: "jane gives initech her consent",
        wanted: &[(INITECH, &["feed:add"])],
    },
    Act {
        deed: Deed::Join,
        what: "jane joins a new group, Staff",
        wanted: &[
            ("acme", &["prov:create:notice", "token-claims-change"]),
            ("globex", &["token-claims-change"]),
            (INITECH, &["token-claims-change"]),
        ],
    },
    Act {
        deed: Deed::Revoke,
        what: "jane takes her consent back",
        wanted: &[("acme", &["session-revoked"]), (INITECH, &["session-revoked", "feed:remove"])],
    },
    Act {
        deed: Deed::Lock,
        what: "jane is locked out",
        wanted: &[("acme", LOCKED), ("globex", LOCKED)],
    },
];

/// The operator of the directory.
pub(super) struct Office {
    directory: Directory,
    sign_in: SignIn,
    jane: Option<ResourceId>,
}

impl Office {
    pub(super) fn of(transmitter: &Transmitter) -> Self {
        let directory = Directory::of(transmitter);
        let sign_in = directory.sign_in();
        Self { directory, sign_in, jane: None }
    }

    /// Does it; the `txn` of what follows.
    pub(super) async fn act(&mut self, act: &Act) -> anyhow::Result<String> {
        let cause = self.directory.cause(Actor::Operator);
        match act.deed {
            Deed::Create => {
                let resource = map(json!({
                    "userName": "jane",
                    "emails": [{ "value": JANE, "type": "work", "primary": true }],
                }));
                let make =
                    |user: &mut User| user.take(resource.clone(), Given::Whole, None, cause.at);
                self.jane = Some(self.directory.user_create(&cause, make).await?.id);
            }
            Deed::Join => {
                let steps = vec![MemberStep::Add(vec![self.jane()?.to_string()])];
                let request = MemberRequest { steps, ..MemberRequest::default() };
                let resource = map(json!({ "displayName": "Staff" }));
                let make = |group: &mut Group| group.take(resource.clone(), Given::Whole, None);
                self.directory.group_create(&cause, &request, make).await?;
            }
            Deed::Lock => {
                let lock = |user: &mut User| {
                    user.lock_date = Some(cause.at);
                    Ok(())
                };
                self.directory.user_change(self.jane()?, None, &cause, lock).await?;
            }
            Deed::Consent | Deed::Revoke => self.consent(act.deed, &cause).await?,
        }
        Ok(cause.txn)
    }

    async fn consent(&self, deed: Deed, cause: &Cause) -> anyhow::Result<()> {
        let (subject, initech) = (self.jane()?.into(), ClientId(INITECH.to_owned()));
        let also = self.directory.also(cause);
        if matches!(deed, Deed::Consent) {
            self.sign_in.consent_grant(&subject, &initech, &[Scope::OpenId], &also).await?;
        } else {
            self.sign_in.consent_revoke(&subject, &initech, &also).await?;
        }
        self.directory.hand_over_of(&subject).await;
        Ok(())
    }

    fn jane(&self) -> anyhow::Result<ResourceId> {
        self.jane.context("jane comes first")
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
