//! Accounts that take no part in the exchange of RISC events ([RISC 1.0, 2.8]).
//!
//! An account that is told of with several names ([RFC 9493, 3.2.8]) is withheld when it has opted out
//! under any of them; what such an event says of its standing, it says of each name.
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `OPT_OUT#<digest>` | `ACCOUNT` | where the account stands; it takes part when there is no such item |
//! | `OPT_OUTS` | `ANY` | is there since somebody opted out for the first time: until then nobody is looked up |

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Transmitter,
    event::{Family, OptState, SecurityEvent},
    stream::store::{content, decode, index_row},
    subject::Digest,
    table::{Condition, Item, Key, TableError, Write, class},
};

/// Where an account stands.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Standing {
    state: OptState,
    /// The place of the event that said so: one from before it changes nothing any more.
    place: String,
}

/// A [`Standing`] in hand.
struct Account {
    standing: Standing,
    condition: Condition,
    moved: bool,
}

impl Transmitter {
    /// Whether each of `events`, given with their places, is withheld because its account takes no
    /// part. Notes what they say about that themselves; those are never withheld.
    pub(super) async fn withheld(
        &self,
        events: &[(&SecurityEvent, &str)],
    ) -> Result<Vec<bool>, Error> {
        let mut withheld = vec![false; events.len()];
        let is_risc = |event: &SecurityEvent| event.event_type.family() == Family::Risc;
        let moves = |event: &SecurityEvent| OptState::is_moved_by(&event.event_type);
        let risc = || events.iter().enumerate().filter(|(_, (event, _))| is_risc(event));
        let Some(_) = risc().next() else { return Ok(withheld) };
        let any_moves = risc().any(|(_, (event, _))| moves(event));
        if !any_moves && self.parts().table.get(&flag()).await?.is_none() {
            return Ok(withheld);
        }
        let names: Vec<_> = risc()
            .map(|(at, (event, place))| (at, event, *place, event.subject.way_digests()))
            .collect();
        let mut accounts = self.accounts(names.iter().flat_map(|(.., names)| names)).await?;
        for (at, event, place, names) in names {
            for name in names {
                let Some(account) = accounts.get_mut(&name) else { continue };
                if !moves(event) {
                    withheld[at] |= !account.standing.state.exchanges();
                } else if account.standing.place.as_str() < place {
                    let state = account.standing.state.after(&event.event_type);
                    account.standing = Standing { state, place: place.to_owned() };
                    account.moved = true;
                }
            }
        }
        self.keep(accounts.into_iter().filter(|(_, account)| account.moved)).await?;
        Ok(withheld)
    }

    async fn accounts(
        &self,
        names: impl Iterator<Item = &Digest>,
    ) -> Result<BTreeMap<Digest, Account>, Error> {
        let mut accounts = BTreeMap::new();
        for name in names {
            if let Entry::Vacant(entry) = accounts.entry(name.clone()) {
                entry.insert(Account::read(None)?);
            }
        }
        let keys: Vec<Key> = accounts.keys().map(key).collect();
        let items = self.parts().table.batch_get(&keys).await?;
        for (account, item) in accounts.values_mut().zip(&items) {
            *account = Account::read(item.as_ref())?;
        }
        Ok(accounts)
    }

    async fn keep(&self, accounts: impl Iterator<Item = (Digest, Account)>) -> Result<(), Error> {
        let table = &self.parts().table;
        let accounts: Vec<_> = accounts.collect();
        let leaves = |(_, account): &(_, Account)| account.standing.state != OptState::OptIn;
        // First: an account of which nobody asks has not left. And only once, for all batches write
        // the same one.
        if accounts.iter().any(leaves) && table.get(&flag()).await?.is_none() {
            table.write_one(index_row(flag())).await?;
        }
        let put = |(digest, account): (Digest, Account)| {
            Write::put(key(&digest), account.condition, content(&account.standing))
        };
        // A conflict: another batch has an event about the same account. This one comes again.
        self.write_rows(accounts.into_iter().map(put).collect()).await
    }
}

impl Account {
    fn read(item: Option<&Item>) -> Result<Self, TableError> {
        Ok(match item {
            Some(item) => Self {
                standing: decode(item)?,
                condition: Condition::Version(item.version),
                moved: false,
            },
            None => {
                Self { standing: Standing::default(), condition: Condition::Absent, moved: false }
            }
        })
    }
}

fn key(digest: &Digest) -> Key {
    Key::new(class::OPT_OUT.of(digest), "ACCOUNT")
}

fn flag() -> Key {
    Key::new(class::OPT_OUTS.partition(), "ANY")
}
