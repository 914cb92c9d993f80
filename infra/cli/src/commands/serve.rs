//! `tocsin serve`: a transmitter in one process.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde_json::json;
use ssf::{
    clock::{Clock, SystemClock},
    config::{
        AccessRule, Branding, DirectoryConfig, Issuer, Settings, TrustedIssuer,
        span::{self, Span},
    },
    delivery::{HttpsPush, HttpsPushSettings},
    event::EventType,
    set::Algorithm,
    source::{Source, SourceSettings},
    stream::DefaultSubjects,
};
use url::{Host, Url};

use crate::{
    args::examples,
    home::{Home, Lock},
    output::Output,
    serve::Service,
    server::Server,
    settings, signals, tls, values,
};

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("On this machine, with a certificate of its own", "tocsin serve --data ./data --tls"),
    (
        "Behind a proxy that speaks HTTPS, as the world knows it",
        "tocsin serve --data /var/lib/tocsin --listen 127.0.0.1:8080 \\
        --issuer https://ssf.example.com",
    ),
    (
        "For receivers on this machine that have the same certificate",
        "tocsin serve --data ./data --tls --allow-private-push \\
        --push-ca ./data/tls/cert.pem",
    ),
]))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Where to keep everything; made if it is not there
    #[arg(long, value_name = "DIR", env = "TOCSIN_DATA", hide_env_values = true)]
    data: PathBuf,

    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,

    /// Who we are: the `iss` of every SET, and the URL that receivers know [default with --tls:
    /// `https://localhost:PORT`]
    #[arg(long, value_name = "URL", required_unless_present = "tls", value_parser = issuer)]
    issuer: Option<String>,

    /// Serve HTTPS, with the self-signed certificate DIR/tls/cert.pem
    #[arg(long)]
    tls: bool,

    /// Let push endpoints be on loopback and private addresses
    #[arg(long)]
    allow_private_push: bool,

    /// Trust the certificates in this file (PEM) for push, too
    #[arg(long, value_name = "FILE")]
    push_ca: Option<PathBuf>,

    /// What streams deliver unless their client says otherwise: events about all subjects, or only
    /// about those that were added
    #[arg(long, value_name = "ALL|NONE", default_value = "ALL", value_parser = subjects)]
    default_subjects: DefaultSubjects,

    /// How long the records of delivered events are kept
    #[arg(long, value_name = "SPAN", default_value = "days=30", value_parser = span::parse)]
    event_retention: Duration,

    /// How often a receiver may ask for verification
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    min_verification_interval: u64,

    /// Pause a stream whose receiver has not shown for so long; never, unless given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    inactivity_timeout: Option<u64>,

    /// How long events about a removed subject go on
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    removal_grace: u64,

    /// Take the access tokens of these issuers, too: a JSON array of objects with `issuer`,
    /// `audience`, `jwks_url` and `client_claim`
    #[arg(long, value_name = "FILE")]
    trusted_issuers: Option<PathBuf>,

    /// An event type outside the standards that may be sent
    #[arg(long, value_name = "URI", num_args = 1.., value_parser = event_type)]
    event_type: Vec<EventType>,

    /// How new keys sign
    #[arg(long, value_name = "RS256|ES256", default_value = "RS256", value_parser = values::algorithm)]
    algorithm: Algorithm,

    /// How many requests a second one client may make, on average
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,

    /// How long it is kept who changed what in the directory
    #[arg(long, value_name = "SPAN", default_value = "days=400", value_parser = span::parse)]
    audit_retention: Duration,

    /// Do not tell that sessions end when somebody's password is changed
    #[arg(long)]
    password_change_keeps_sessions: bool,

    /// Do not tell who joins or leaves a group that their claim `groups` is another
    #[arg(long)]
    no_group_claims: bool,

    /// Whose pages people see when they sign in [default: the host of the issuer]
    #[arg(long, value_name = "NAME")]
    brand_name: Option<String>,

    /// The logo on these pages: a square picture, at an https URL
    #[arg(long, value_name = "URL", value_parser = values::https_url)]
    brand_logo: Option<Url>,
    /// Understand the envelopes of these sources: auth0, cognito, cognito-risk, entra, guardduty,
    /// identity-center, keycloak, okta
    #[arg(long, value_name = "NAME", num_args = 1..)]
    source: Vec<Source>,

    /// What is to be said of sources: a JSON object with, for each, its `issuer` and `events`, the
    /// types that are told of an event of its
    #[arg(long, value_name = "FILE")]
    source_settings: Option<PathBuf>,

    /// What people may do for themselves at /Me: a JSON array of rules with `filter`, `permissions`,
    /// `read` and `write`, in place of the one that is built in
    #[arg(long, value_name = "FILE")]
    access_rules: Option<PathBuf>,
}

/// What a file lists, as JSON.
fn list<T: DeserializeOwned>(path: &Path, what: &str) -> anyhow::Result<Vec<T>> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not a list of {what}", path.display()))
}

/// Serves until it is asked to end.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let mut signals = signals::listen()?;
    let _lock = Lock::take(&args.data)?;
    let server = bind(&args).await?;
    let settings = args.settings(server.local_addr()?)?;
    let home = Home::open(&args.data, settings.config()?, Arc::new(args.push()?))?;
    warn_of_another_issuer(&home, &settings)?;
    settings::write(&settings, &home.folder)?;
    // Made now, if there is none: before the first sweep, nobody is to see an empty JWKS.
    let key = home.transmitter.keys().ensure_key().await?;
    home.transmitter.ensure_door_key().await?;
    if key.algorithm != settings.algorithm {
        let (now, wished) = (key.algorithm.name(), settings.algorithm.name());
        tracing::warn!(now, wished, "`tocsin keys rotate` makes a key that signs as wished");
    }
    let mut service = Service::start(home.transmitter, server)?;
    announce(&args, &settings, service.address(), output)?;
    tokio::select! {
        () = signals.stop() => {}
        () = service.broken() => bail!("a part of the transmitter has failed; start it again"),
    }
    tracing::info!("stopping; what is in flight is finished first");
    tokio::select! {
        () = service.stop() => tracing::info!("stopped"),
        () = signals.stop() => bail!("stopped at once; what was in flight is done at the next start"),
    }
    Ok(())
}

/// Says that it is ready, and what others need to know.
fn announce(
    args: &Args,
    settings: &Settings,
    address: SocketAddr,
    output: Output,
) -> io::Result<()> {
    let certificate = args.tls.then(|| tls::certificate_path(&args.data));
    let scheme = if args.tls { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    if output.is_json() {
        return output.value(&json!({
            "listening on": url,
            "issuer": settings.issuer,
            "data": args.data,
            "certificate": certificate,
        }));
    }
    output.line(format_args!("listening on {url}"))?;
    output.line(format_args!("  issuer       {}", settings.issuer))?;
    output.line(format_args!("  data         {}", args.data.display()))?;
    if let Some(certificate) = certificate {
        output.line(format_args!("  certificate  {}", certificate.display()))?;
    }
    Ok(())
}

async fn bind(args: &Args) -> anyhow::Result<Server> {
    let config = if args.tls {
        let url = args.issuer.as_deref().map(Url::parse).transpose()?;
        let host = url.as_ref().and_then(Url::host).map(|host| match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        });
        let hosts: Vec<&str> = host.as_deref().into_iter().collect();
        Some(Arc::new(tls::server_config(&args.data, &hosts, SystemClock.now())?))
    } else {
        None
    };
    Server::bind(args.listen, config).await.with_context(|| {
        format!("cannot listen on {}; choose another address with --listen", args.listen)
    })
}

impl Args {
    fn settings(&self, address: SocketAddr) -> anyhow::Result<Settings> {
        let ours = || format!("https://localhost:{}", address.port());
        Ok(Settings {
            issuer: self.issuer.clone().unwrap_or_else(ours),
            default_subjects: self.default_subjects,
            event_retention: Span(self.event_retention),
            min_verification_interval: Span(Duration::from_secs(self.min_verification_interval)),
            inactivity_timeout: self.inactivity_timeout.map(Duration::from_secs).map(Span),
            removal_grace: Span(Duration::from_secs(self.removal_grace)),
            allow_private_push: self.allow_private_push,
            algorithm: self.algorithm,
            private_event_types: self.event_type.iter().cloned().collect(),
            trusted_issuers: self.trusted_issuers()?,
            requests_per_second: self.requests_per_second,
            audit_retention: Span(self.audit_retention),
            directory: DirectoryConfig {
                end_sessions_on_password_change: !self.password_change_keeps_sessions,
                group_claims: !self.no_group_claims,
            },
            branding: Branding { name: self.brand_name.clone(), logo: self.brand_logo.clone() },
            sources: self.source.iter().copied().collect(),
            source_settings: self.source_settings()?,
            access_rules: self.access_rules()?,
        })
    }

    fn source_settings(&self) -> anyhow::Result<BTreeMap<Source, SourceSettings>> {
        let Some(path) = &self.source_settings else { return Ok(BTreeMap::new()) };
        let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} does not hold settings of sources", path.display()))
    }

    fn trusted_issuers(&self) -> anyhow::Result<Vec<TrustedIssuer>> {
        let path = self.trusted_issuers.as_deref();
        Ok(path.map(|path| list(path, "trusted issuers")).transpose()?.unwrap_or_default())
    }

    fn access_rules(&self) -> anyhow::Result<Option<Vec<AccessRule>>> {
        self.access_rules.as_deref().map(|path| list(path, "access rules")).transpose()
    }

    fn push(&self) -> anyhow::Result<HttpsPush> {
        let mut settings =
            HttpsPushSettings { allow_private: self.allow_private_push, ..Default::default() };
        if let Some(path) = &self.push_ca {
            let refuse = || format!("cannot trust the certificates in {}", path.display());
            let pem = fs::read(path).with_context(refuse)?;
            settings = settings.trust(&pem).with_context(refuse)?;
        }
        Ok(HttpsPush::new(settings)?)
    }
}

/// Receivers take SETs of an issuer that they do not know for forged.
fn warn_of_another_issuer(home: &Home, settings: &Settings) -> anyhow::Result<()> {
    let before = settings::read(&home.folder)?.map(|settings| settings.issuer);
    if let Some(before) = before.filter(|before| *before != settings.issuer) {
        tracing::warn!(
            before,
            now = settings.issuer,
            "the issuer is another than at the last start"
        );
    }
    Ok(())
}

fn issuer(text: &str) -> Result<String, String> {
    match Issuer::parse(text) {
        Ok(issuer) => Ok(issuer.as_str().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn subjects(text: &str) -> Result<DefaultSubjects, String> {
    text.parse().map_err(|_| "is neither ALL nor NONE".to_owned())
}

fn event_type(text: &str) -> Result<EventType, String> {
    let event_type = EventType::new(text);
    match Url::parse(text) {
        Err(_) => Err("is not a URI".to_owned()),
        Ok(_) if event_type.is_standard() => {
            Err("is of the standards, and taken anyway".to_owned())
        }
        Ok(_) => Ok(event_type),
    }
}
