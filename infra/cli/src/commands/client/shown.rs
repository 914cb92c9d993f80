//! How clients look to people.

use serde::Serialize;
use ssf::client::{
    Client, ClientKeys, ClientSubjects, GrantType, GroupPatch, Profile, RedirectUri, Reprovision,
    ResponseType, ScimOptions, Token, UnknownMembers, scope_text,
};

use crate::{
    commands::token,
    output::{ASIDE, BAD, Cell, Fields, GOOD, Table, time},
};

/// A client with its tokens.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub(super) client: Client,
    pub(super) streams: usize,
    pub(super) tokens: Vec<Token>,
}

/// All of them.
pub(super) fn table(clients: &[Client]) -> Table {
    let mut table = Table::new(
        ["CLIENT", "NAME", "AUDIENCE", "SCOPE", "STATUS", "CREATED"],
        "there are no clients; `tocsin client create` registers one",
    );
    for client in clients {
        table.row([
            client.client_id.to_string().into(),
            client.client_name.as_str().into(),
            client.audience.join(" ").into(),
            scope_text(&client.scope).into(),
            status(client),
            time(client.created).into(),
        ]);
    }
    table
}

fn status(client: &Client) -> Cell {
    if client.disabled { Cell::new("disabled", BAD) } else { Cell::new("enabled", GOOD) }
}

/// One of them.
pub(super) fn fields(Shown { client, streams, tokens }: &Shown) -> String {
    let fields = Fields::default()
        .with("client_id", client.client_id.to_string())
        .with("name", client.client_name.as_str())
        .with("status", status(client));
    let fields = information(fields, client)
        .with("authentication", authentication(client))
        .with_some("secret expires", client.client_secret_expires_at.map(time))
        .with("grant types", names(&client.grant_types, GrantType::name))
        .with("scope", scope_text(&client.scope))
        .with_all("audience", client.audience.iter().map(String::as_str));
    let fields = application(fields, client)
        .with("default_subjects", default_subjects(client))
        .with(
            "profile",
            match client.profile {
                Profile::Standard => "standard",
                Profile::Legacy => "legacy",
            },
        )
        .with("subject in event", yes(client.subject_in_event))
        .with("streams", format!("{streams} of at most {}", client.max_streams))
        .with("may create streams", yes(client.may_create))
        .with(
            "push certificates",
            if client.verify_certificates {
                Cell::from("verified")
            } else {
                Cell::new("NOT verified", BAD)
            },
        );
    let fields = provisioning(fields, client)
        .with("created", time(client.created))
        .with("last modified", time(client.last_modified));
    let tokens = token::table(tokens);
    format!("{fields}\n\n{ASIDE}tokens{ASIDE:#}\n{tokens}")
}

fn yes(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> String {
    all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(" ")
}

fn default_subjects(client: &Client) -> &'static str {
    match client.default_subjects {
        Some(ClientSubjects::All) => "ALL",
        Some(ClientSubjects::None) => "NONE",
        Some(ClientSubjects::Consent) => "CONSENT: the people who gave it their consent",
        None => "as the transmitter's settings say",
    }
}

fn information(fields: Fields, client: &Client) -> Fields {
    let about = &client.information;
    let text = |text: &Option<String>| text.clone();
    let uri = |uri: &Option<url::Url>| uri.as_ref().map(ToString::to_string);
    fields
        .with_some("description", text(&about.description))
        .with_some("home page", uri(&about.client_uri))
        .with_some("logo", uri(&about.logo_uri))
        .with_all("contact", about.contacts.iter().map(String::as_str))
        .with_some("terms of service", uri(&about.tos_uri))
        .with_some("privacy policy", uri(&about.policy_uri))
        .with_some("software", text(&about.software_id))
        .with_some("software version", text(&about.software_version))
}

/// What matters for a client that people sign in to.
fn application(fields: Fields, client: &Client) -> Fields {
    if !client.has_grant(GrantType::AuthorizationCode) {
        return fields;
    }
    let about = &client.application;
    let audience: Vec<_> = client.token_audience().iter().map(ToString::to_string).collect();
    fields
        .with("response types", names(&client.response_types, ResponseType::name))
        .with_all("redirect URI", about.redirect_uris.iter().map(RedirectUri::as_str))
        .with_all(
            "redirect URI after logout",
            about.post_logout_redirect_uris.iter().map(RedirectUri::as_str),
        )
        .with_some(
            "told of logouts at",
            about.backchannel_logout_uri.as_ref().map(url::Url::as_str),
        )
        .with("audience of its tokens", audience.join(" "))
        .with("consent", if about.preconsent { "given by the operator" } else { "asked for" })
        .with("PKCE", if client.needs_pkce() { "needed" } else { "as it likes" })
}

/// What matters for a client that provisions the directory.
fn provisioning(fields: Fields, client: &Client) -> Fields {
    let ScimOptions {
        may_set_passwords,
        full,
        group_patch,
        unknown_members,
        reprovision,
        wipe_guard,
    } = client.scim;
    let of_streams =
        client.scope.iter().all(|scope| scope.is_of_streams() || !scope.is_of_clients());
    if of_streams && client.scim.is_default() {
        return fields;
    }
    let removes = wipe_guard.map(|share| format!("{} at once", f64::from(share)));
    fields
        .with("may set passwords", yes(may_set_passwords))
        .with("is told whole resources", yes(full))
        .with(
            "PATCH of a group",
            match group_patch {
                GroupPatch::Auto => "answered with the group while it is small",
                GroupPatch::NoContent => "answered with 204",
            },
        )
        .with(
            "unknown members",
            match unknown_members {
                UnknownMembers::Skip => "left out",
                UnknownMembers::Reject => "refused",
            },
        )
        .with(
            "people created again",
            match reprovision {
                Reprovision::Conflict => "a conflict",
                Reprovision::Adopt => "the same person comes back",
            },
        )
        .with_some("members removed at most", removes)
}

fn authentication(client: &Client) -> String {
    let keys = match &client.keys {
        Some(ClientKeys::Jwks(_)) => ", keys given".to_owned(),
        Some(ClientKeys::JwksUri(url)) => format!(", keys at {url}"),
        None => String::new(),
    };
    format!("{}{keys}", client.token_endpoint_auth_method.name())
}
