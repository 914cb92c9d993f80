//! What can be set of a client, when it is registered and when it is changed.

use std::{fs, path::PathBuf};

use anyhow::Context;
use ssf::{
    client::{
        AuthMethod, ClientId, ClientKeys, ClientSubjects, GrantType, GroupPatch, Jwks, NewClient,
        Profile, RedirectUri, Reprovision, ResponseType, Share, UnknownMembers,
    },
    json,
};
use url::Url;

use crate::values::{self, Scopes};

/// What is left out stays as it is, or is as by default.
#[derive(Debug, clap::Args)]
pub(super) struct Settings {
    /// What it may ask for: `ssf.read`, `ssf.manage`, `ssf.manage.poll`, `scim`, `scim.read`,
    /// `openid`, `profile`, `email`, `phone`, `address`, `groups`, `offline_access`; by default
    /// `ssf.read ssf.manage`, and with --redirect-uri `openid profile email`
    #[arg(long, value_name = "SCOPES", value_parser = values::scopes)]
    pub(super) scope: Option<Scopes>,

    /// Whom its streams deliver events about: all people; none but those that it adds; or none but
    /// those who gave it their consent. By default as `serve` says
    #[arg(long, value_name = "all|none|consent", alias = "default-subjects")]
    subjects: Option<ClientSubjects>,

    /// The draft that it was built on; legacy is for receivers older than SSF 1.0
    #[arg(long, value_name = "standard|legacy", value_parser = values::profile)]
    profile: Option<Profile>,

    /// Repeat the subject inside the event, for receivers that look for it there
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    subject_in_event: Option<bool>,

    /// How many streams it may have; 10 by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_streams: Option<u16>,

    /// Its public keys (a JWK Set); it signs, and gets no secret
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<PathBuf>,

    /// Where its public keys are; it signs, and gets no secret
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<Url>,

    /// Do not let it create streams
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_stream_creation: Option<bool>,

    /// Do not verify the certificates of its push endpoints: whoever is on the way can read its SETs
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure_push: Option<bool>,

    #[command(flatten)]
    application: Application,

    #[command(flatten)]
    information: Information,

    #[command(flatten)]
    scim: Scim,
}

const APPLICATION: &str = "People sign in to it";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = APPLICATION)]
struct Application {
    /// Where people may be sent back to; may be given several times
    #[arg(long, value_name = "URI", value_parser = values::redirect_uri)]
    redirect_uri: Vec<RedirectUri>,

    /// Where people may be sent after they signed out; may be given several times
    #[arg(long, value_name = "URI", value_parser = values::redirect_uri)]
    post_logout_redirect_uri: Vec<RedirectUri>,

    /// Where it is told that a session has ended, by a logout token (OpenID Connect Back-Channel Logout)
    #[arg(long, value_name = "URL")]
    backchannel_logout_uri: Option<Url>,

    /// It needs to be told which session that is
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backchannel_logout_session_required: Option<bool>,

    /// How it comes to tokens: `authorization_code`, `refresh_token`, `client_credentials`; may be
    /// given several times; by default as its other settings need
    #[arg(long, value_name = "TYPE", value_parser = values::grant_type)]
    grant_type: Vec<GrantType>,

    /// What the authorization endpoint may answer it: code
    #[arg(long, value_name = "TYPE", value_parser = values::response_type)]
    response_type: Vec<ResponseType>,

    /// It cannot keep a secret, as an application on a phone or in a browser cannot: it gets none,
    /// and must use PKCE
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    public: Option<bool>,

    /// Let it ask for codes without PKCE; for software that cannot do better and has a secret or a key
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pkce_optional: Option<bool>,

    /// Do not ask people for their consent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    preconsent: Option<bool>,

    /// A client that its tokens about people are for, by default itself; may be given several times.
    /// Not the audience of its SETs
    #[arg(long, value_name = "CLIENT_ID", value_parser = values::client_id)]
    token_audience: Vec<ClientId>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What people are shown of it")]
struct Information {
    /// What it is, for the operator
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Its home page
    #[arg(long, value_name = "URL")]
    client_uri: Option<Url>,

    /// Its logo
    #[arg(long, value_name = "URL")]
    logo_uri: Option<Url>,

    /// Whom to ask about it; may be given several times
    #[arg(long, value_name = "EMAIL")]
    contact: Vec<String>,

    /// Its terms of service
    #[arg(long, value_name = "URL")]
    tos_uri: Option<Url>,

    /// What it does with people's data
    #[arg(long, value_name = "URL")]
    policy_uri: Option<Url>,

    /// Names the software, whatever its version
    #[arg(long, value_name = "ID")]
    software_id: Option<String>,

    /// The version of the software
    #[arg(long, value_name = "VERSION")]
    software_version: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "It provisions people by SCIM")]
struct Scim {
    /// Let it set passwords; those that it sends are ignored otherwise
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    may_set_passwords: Option<bool>,

    /// Tell it whole resources, not only what changed
    #[arg(long = "scim-full", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    full: Option<bool>,

    /// What a PATCH of a group is answered with: the group while it is small, or always 204
    #[arg(long = "scim-group-patch", value_name = "auto|204", value_parser = values::named::<GroupPatch>)]
    group_patch: Option<GroupPatch>,

    /// What becomes of members that are nobody: left out, or the request is refused
    #[arg(long = "scim-unknown-members", value_name = "skip|reject", value_parser = values::named::<UnknownMembers>)]
    unknown_members: Option<UnknownMembers>,

    /// What becomes of a person that it creates again: a conflict, or the same person comes back
    #[arg(long = "scim-reprovision", value_name = "conflict|adopt", value_parser = values::named::<Reprovision>)]
    reprovision: Option<Reprovision>,

    /// The largest share of a group that one PATCH may remove, such as 0.5
    #[arg(long = "scim-wipe-guard", value_name = "SHARE", value_parser = values::share)]
    wipe_guard: Option<Share>,
}

impl Settings {
    /// The keys that were given, read from their file.
    pub(super) fn keys(&self) -> anyhow::Result<Option<ClientKeys>> {
        let Some(file) = &self.jwks else {
            return Ok(self.jwks_uri.clone().map(ClientKeys::JwksUri));
        };
        let text = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let jwks: Jwks =
            json::read(&text).with_context(|| format!("{} is not a JWK Set", file.display()))?;
        Ok(Some(ClientKeys::Jwks(jwks)))
    }

    /// Whether people sign in to it, as far as these settings tell.
    pub(super) fn signs_in(&self) -> bool {
        !self.application.redirect_uri.is_empty()
    }

    /// Sets what was given, with `keys` as [`Self::keys`] read them.
    pub(super) fn apply(&self, wish: &mut NewClient, keys: Option<ClientKeys>) {
        let not = |given: Option<bool>| given.map(|yes| !yes);
        set(&mut wish.scope, self.scope.clone().map(|scopes| scopes.0));
        set_some(&mut wish.default_subjects, self.subjects);
        set(&mut wish.profile, self.profile);
        set(&mut wish.subject_in_event, self.subject_in_event);
        set(&mut wish.max_streams, self.max_streams.map(usize::from));
        set(&mut wish.may_create, not(self.no_stream_creation));
        set(&mut wish.verify_certificates, not(self.insecure_push));
        if let Some(keys) = keys {
            (wish.keys, wish.auth_method) = (Some(keys), None);
            wish.client_secret_expires_at = None;
        }
        self.application.apply(wish);
        self.information.apply(wish);
        self.scim.apply(wish);
    }
}

impl Application {
    fn apply(&self, wish: &mut NewClient) {
        set_all(&mut wish.application.redirect_uris, &self.redirect_uri);
        set_all(&mut wish.application.post_logout_redirect_uris, &self.post_logout_redirect_uri);
        set_some(&mut wish.application.backchannel_logout_uri, self.backchannel_logout_uri.clone());
        set(
            &mut wish.application.backchannel_logout_session_required,
            self.backchannel_logout_session_required,
        );
        set_all(&mut wish.application.token_audience, &self.token_audience);
        set(&mut wish.application.preconsent, self.preconsent);
        set(&mut wish.application.pkce_optional, self.pkce_optional);
        if !self.grant_type.is_empty() {
            // The response types follow, unless they are given too.
            wish.grant_types = Some(self.grant_type.clone());
            wish.response_types = None;
        } else if !self.redirect_uri.is_empty() && !signs_in(wish) {
            (wish.grant_types, wish.response_types) = (None, None);
        }
        if !self.response_type.is_empty() {
            wish.response_types = Some(self.response_type.clone());
        }
        match self.public {
            Some(true) => {
                (wish.auth_method, wish.client_secret_expires_at) = (Some(AuthMethod::None), None);
            }
            Some(false) if wish.auth_method == Some(AuthMethod::None) => wish.auth_method = None,
            Some(false) | None => {}
        }
    }
}

fn signs_in(wish: &NewClient) -> bool {
    let grant_types = wish.grant_types.iter().flatten();
    grant_types.into_iter().any(|grant_type| *grant_type == GrantType::AuthorizationCode)
}

impl Information {
    fn apply(&self, wish: &mut NewClient) {
        let information = &mut wish.information;
        set_some(&mut information.description, self.description.clone());
        set_some(&mut information.client_uri, self.client_uri.clone());
        set_some(&mut information.logo_uri, self.logo_uri.clone());
        set_all(&mut information.contacts, &self.contact);
        set_some(&mut information.tos_uri, self.tos_uri.clone());
        set_some(&mut information.policy_uri, self.policy_uri.clone());
        set_some(&mut information.software_id, self.software_id.clone());
        set_some(&mut information.software_version, self.software_version.clone());
    }
}

impl Scim {
    fn apply(&self, wish: &mut NewClient) {
        set(&mut wish.scim.may_set_passwords, self.may_set_passwords);
        set(&mut wish.scim.full, self.full);
        set(&mut wish.scim.group_patch, self.group_patch);
        set(&mut wish.scim.unknown_members, self.unknown_members);
        set(&mut wish.scim.reprovision, self.reprovision);
        set_some(&mut wish.scim.wipe_guard, self.wipe_guard);
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn set_some<T>(place: &mut Option<T>, given: Option<T>) {
    if given.is_some() {
        *place = given;
    }
}

fn set_all<T: Clone>(place: &mut Vec<T>, given: &[T]) {
    if !given.is_empty() {
        *place = given.to_vec();
    }
}
