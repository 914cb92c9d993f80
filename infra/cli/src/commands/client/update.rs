//! `tocsin client update`: changes a client.

use clap::builder::StyledStr;
use ssf::client::{ClientId, NewClient};

use super::{create, settings::Settings};
use crate::{
    args::{Data, OnStack},
    output::{Output, advise},
    values,
};

pub(super) fn examples() -> StyledStr {
    crate::args::examples(&[
        (
            "Another audience and more streams",
            "tocsin client update --data ./data CLIENT_ID --audience https://acme.example --max-streams 20",
        ),
        (
            "Its own key instead of a secret",
            "tocsin client update --data ./data CLIENT_ID --jwks acme.json",
        ),
        (
            "Take away what was set",
            "tocsin client update --data ./data CLIENT_ID --clear logo_uri --clear contacts",
        ),
    ])
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: Data,

    /// Which one
    #[arg(value_parser = values::client_id)]
    client_id: ClientId,

    /// Its name to people
    #[arg(long)]
    name: Option<String>,

    /// The `aud` of its SETs; may be given several times, and replaces those that it had
    #[arg(long, value_name = "AUD")]
    audience: Vec<String>,

    /// Takes a member away, so that it is as by default; may be given several times
    #[arg(long, value_name = "MEMBER")]
    clear: Vec<Member>,

    #[command(flatten)]
    settings: Settings,
}

/// A member that can be taken away.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Member {
    Audience,
    BackchannelLogoutUri,
    ClientSecretExpiresAt,
    ClientUri,
    Contacts,
    DefaultSubjects,
    Description,
    GrantTypes,
    Keys,
    LogoUri,
    PolicyUri,
    PostLogoutRedirectUris,
    RedirectUris,
    ScimWipeGuard,
    SoftwareId,
    SoftwareVersion,
    TokenAudience,
    TosUri,
}

pub(super) async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let keys = args.settings.keys()?;
    let transmitter = args.data.open(on).await?;
    let change = |wish: &mut NewClient| {
        for member in &args.clear {
            clear(wish, *member);
        }
        if let Some(name) = &args.name {
            wish.client_name.clone_from(name);
        }
        if !args.audience.is_empty() {
            wish.audience.clone_from(&args.audience);
        }
        args.settings.apply(wish, keys.clone());
    };
    let (client, secret) =
        transmitter.client_update(&args.client_id, change).await.map_err(advise)?;
    create::show(&client, secret.as_ref(), None, output)
}

fn clear(wish: &mut NewClient, member: Member) {
    match member {
        Member::Audience => wish.audience.clear(),
        Member::BackchannelLogoutUri => {
            wish.application.backchannel_logout_uri = None;
            wish.application.backchannel_logout_session_required = false;
        }
        Member::ClientSecretExpiresAt => wish.client_secret_expires_at = None,
        Member::ClientUri => wish.information.client_uri = None,
        Member::Contacts => wish.information.contacts.clear(),
        Member::DefaultSubjects => wish.default_subjects = None,
        Member::Description => wish.information.description = None,
        Member::GrantTypes => (wish.grant_types, wish.response_types) = (None, None),
        Member::Keys => (wish.keys, wish.auth_method) = (None, None),
        Member::LogoUri => wish.information.logo_uri = None,
        Member::PolicyUri => wish.information.policy_uri = None,
        Member::PostLogoutRedirectUris => wish.application.post_logout_redirect_uris.clear(),
        Member::RedirectUris => {
            wish.application.redirect_uris.clear();
            (wish.grant_types, wish.response_types) = (None, None);
        }
        Member::ScimWipeGuard => wish.scim.wipe_guard = None,
        Member::SoftwareId => wish.information.software_id = None,
        Member::SoftwareVersion => wish.information.software_version = None,
        Member::TokenAudience => wish.application.token_audience.clear(),
        Member::TosUri => wish.information.tos_uri = None,
    }
}
