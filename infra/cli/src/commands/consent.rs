//! `tocsin consent`: what people let applications have.

mod shown;

use anyhow::bail;
use serde_json::json;
use ssf::{
    client::{Client, ClientId, Scope},
    directory::User,
    sign_in::{Consent, ConsentChange, SubjectId},
};

use super::people::{Desk, sentence};
use crate::{
    args::{Data, OnStack, examples},
    output::{Cell, Output, advise},
    values::{self, Scopes},
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("See what a person let applications have", "tocsin consent list --data ./data jane"),
    ("Take it back for them, at once", "tocsin consent revoke --data ./data jane CLIENT_ID"),
]))]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the consents of a person, or to a client
    #[command(after_help = examples(&[
        ("Of a person", "tocsin consent list --data ./data jane"),
        ("To a client", "tocsin consent list --data ./data --client CLIENT_ID"),
    ]))]
    List {
        #[command(flatten)]
        data: Data,
        /// Of whom: the id, or the userName
        #[arg(required_unless_present = "client", conflicts_with = "client")]
        user: Option<String>,
        /// To which client
        #[arg(long, value_name = "CLIENT_ID", value_parser = values::client_id)]
        client: Option<ClientId>,
    },
    /// Show one, and who changed what
    #[command(after_help = examples(&[
        ("One", "tocsin consent show --data ./data jane CLIENT_ID"),
    ]))]
    Show(Pair),
    /// Give a consent for a person; what the client was granted before stays
    #[command(after_help = examples(&[
        ("All that the client may ask for", "tocsin consent grant --data ./data jane CLIENT_ID"),
        ("Not all", "tocsin consent grant --data ./data jane CLIENT_ID --scope 'openid email'"),
    ]))]
    Grant {
        #[command(flatten)]
        pair: Pair,
        /// What the client may have, separated by spaces; else all that it is registered for
        #[arg(long, value_name = "SCOPES", value_parser = values::scopes)]
        scope: Option<Scopes>,
    },
    /// Take one back: all tokens and codes that follow from it are refused from now on
    #[command(after_help = examples(&[
        ("At once", "tocsin consent revoke --data ./data jane CLIENT_ID"),
    ]))]
    Revoke(Pair),
    /// Let one that was taken back hold again; no token and no code comes back
    #[command(after_help = examples(&[
        ("As it was", "tocsin consent restore --data ./data jane CLIENT_ID"),
    ]))]
    Restore(Pair),
}

/// The one consent of a person to a client.
#[derive(Debug, clap::Args)]
struct Pair {
    #[command(flatten)]
    data: Data,
    /// Of whom: the id, or the userName
    user: String,
    /// To which client
    #[arg(value_parser = values::client_id)]
    client_id: ClientId,
}

/// A person and a client that there are.
struct Parties {
    desk: Desk,
    user: User,
    client: Client,
}

/// What became of a consent.
type Changed = Result<(Consent, Option<ConsentChange>), ssf::Error>;

impl Pair {
    async fn open(&self, on: &OnStack) -> anyhow::Result<Parties> {
        let desk = Desk::open(&self.data, on).await?;
        let user = desk.directory.user_named(&self.user).await.map_err(advise)?;
        let client = desk.transmitter.client_show(&self.client_id).await.map_err(advise)?;
        Ok(Parties { desk, user, client })
    }
}

impl Parties {
    fn subject(&self) -> SubjectId {
        self.user.id.into()
    }

    /// What the person lets the client have: of that for which it is registered.
    fn scope(&self, wish: Option<Scopes>) -> anyhow::Result<Vec<Scope>> {
        let (id, mut all) = (&self.client.client_id, self.client.scope.clone());
        all.retain(|scope| !scope.is_of_clients());
        let scope = wish.map_or_else(|| all.clone(), |scopes| scopes.0);
        if let Some(scope) = scope.iter().find(|scope| !all.contains(scope)) {
            bail!("--scope: the client {id} is not registered to have {} of people", scope.name());
        }
        if scope.is_empty() {
            bail!("the client {id} is registered to have nothing of people: see its --scope");
        }
        Ok(scope)
    }

    /// Shows what a change made of a consent; before, what follows from it is handed over.
    async fn changed(&self, changed: Changed, output: Output, words: &str) -> anyhow::Result<()> {
        let (consent, change) = changed.map_err(|error| self.advise(error))?;
        self.desk.directory.hand_over_of(&self.subject()).await;
        let txn = change.map(|_| self.desk.cause.txn.as_str());
        let value = json!({ "consent": consent, "changed": change.is_some(), "txn": txn });
        let name = Cell::from(self.user.attributes.user_name.as_str());
        let client = Cell::from(self.client.client_name.as_str());
        let text = sentence(&format!("the consent of {name} to {client} {words}"), txn);
        Ok(output.show(&value, |_| text)?)
    }

    /// By the names that people know.
    fn advise(&self, error: ssf::Error) -> anyhow::Error {
        let ssf::Error::NotFound { kind: "consent", .. } = error else { return advise(error) };
        let name = Cell::from(self.user.attributes.user_name.as_str());
        let id = &self.client.client_id;
        anyhow::anyhow!(
            "there is no consent of {name} to {id}: `tocsin consent list` shows those there are"
        )
    }
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    match args.command {
        Command::List { data, user, client } => {
            let desk = Desk::open(&data, on).await?;
            let consents = match (&user, &client) {
                (Some(user), _) => of_person(&desk, user).await?,
                (None, Some(client)) => to_client(&desk, client).await?,
                (None, None) => Vec::new(),
            };
            shown::list(&desk, &consents, output).await
        }
        Command::Show(pair) => show(pair, on, output).await,
        Command::Grant { pair, scope } => Box::pin(grant(pair, scope, on, output)).await,
        Command::Revoke(pair) => Box::pin(revoke(pair, on, output)).await,
        Command::Restore(pair) => Box::pin(restore(pair, on, output)).await,
    }
}

async fn show(pair: Pair, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let parties = pair.open(on).await?;
    let (subject, id) = (parties.subject(), &parties.client.client_id);
    let consent = parties.desk.directory.sign_in().consent_show(&subject, id).await;
    let missing = || ssf::Error::NotFound { kind: "consent", id: String::new() };
    let consent = consent.and_then(|consent| consent.ok_or_else(missing));
    let consent = consent.map_err(|error| parties.advise(error))?;
    shown::show(&parties.desk, &parties.user, &parties.client, &consent, output).await
}

async fn grant(
    pair: Pair,
    scope: Option<Scopes>,
    on: &OnStack,
    output: Output,
) -> anyhow::Result<()> {
    let parties = pair.open(on).await?;
    let scope = parties.scope(scope)?;
    let (desk, subject, id) = (&parties.desk, parties.subject(), &parties.client.client_id);
    let also = desk.directory.also(&desk.cause);
    let changed = desk.directory.sign_in().consent_grant(&subject, id, &scope, &also).await;
    parties.changed(changed, output, "is given").await
}

async fn revoke(pair: Pair, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let parties = pair.open(on).await?;
    let (desk, subject, id) = (&parties.desk, parties.subject(), &parties.client.client_id);
    let also = desk.directory.also(&desk.cause);
    let sign_in = desk.directory.sign_in();
    let changed = sign_in.consent_revoke(&subject, id, &also).await;
    // All of it is dead already.
    while changed.is_ok() && sign_in.pair_forget(&subject, id).await.map_err(advise)? {}
    parties.changed(changed, output, "is taken back").await
}

async fn restore(pair: Pair, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let parties = pair.open(on).await?;
    let (desk, subject, id) = (&parties.desk, parties.subject(), &parties.client.client_id);
    let also = desk.directory.also(&desk.cause);
    let changed = desk.directory.sign_in().consent_restore(&subject, id, &also).await;
    parties.changed(changed, output, "holds again").await
}

async fn of_person(desk: &Desk, user: &str) -> anyhow::Result<Vec<Consent>> {
    let user = desk.directory.user_named(user).await.map_err(advise)?;
    desk.directory.sign_in().consents_of_person(&user.id.into()).await.map_err(advise)
}

async fn to_client(desk: &Desk, client: &ClientId) -> anyhow::Result<Vec<Consent>> {
    desk.transmitter.client_show(client).await.map_err(advise)?;
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (mut page, next) =
            desk.directory.sign_in().consents_to_client(client, after).await.map_err(advise)?;
        all.append(&mut page);
        if next.is_none() {
            return Ok(all);
        }
        after = next;
    }
}
