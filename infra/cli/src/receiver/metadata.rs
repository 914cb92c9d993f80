//! Finding things, given the name of a transmitter.

use ::http::StatusCode;
use anyhow::{Context, bail};
use serde::Deserialize;
use url::Url;

use super::http::{Http, Refused};

/// Of the Transmitter Configuration Metadata ([SSF 1.0, 7.1]), what is needed here.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) configuration_endpoint: String,
    pub(super) status_endpoint: Option<String>,
    pub(super) add_subject_endpoint: Option<String>,
    pub(super) verification_endpoint: Option<String>,
}

impl Metadata {
    /// That of `issuer`.
    pub(super) async fn read(http: &Http, issuer: &str) -> anyhow::Result<Self> {
        let metadata: Self = http.document(&well_known(issuer, "ssf-configuration")?).await?;
        // [SSF 1.0, 7.2.4]: else anybody could speak for anybody.
        if metadata.issuer != issuer {
            bail!("{issuer} calls itself {}; use that name", metadata.issuer);
        }
        Ok(metadata)
    }
}

/// Where `resource` wants its access tokens from: the authorization server that it names (RFC
/// 9728), or else itself (RFC 8414).
pub(super) async fn token_endpoint(http: &Http, resource: &str) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct ProtectedResource {
        #[serde(default)]
        authorization_servers: Vec<String>,
    }
    #[derive(Deserialize)]
    struct AuthorizationServer {
        token_endpoint: String,
    }
    let url = well_known(resource, "oauth-protected-resource")?;
    let servers = match http.document::<ProtectedResource>(&url).await {
        Ok(resource) => resource.authorization_servers,
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.status == StatusCode::NOT_FOUND => Vec::new(),
            Some(_) | None => return Err(error),
        },
    };
    let server = servers.first().map_or(resource, String::as_str);
    let url = well_known(server, "oauth-authorization-server")?;
    Ok(http.document::<AuthorizationServer>(&url).await?.token_endpoint)
}

/// Between host and path ([SSF 1.0, 7.2.1], RFC 8414, 3.1, RFC 9728, 3.1).
fn well_known(name: &str, document: &str) -> anyhow::Result<String> {
    let url = Url::parse(name).with_context(|| format!("{name} is not a URL"))?;
    let origin = url.origin().ascii_serialization();
    Ok(format!("{origin}/.well-known/{document}{}", url.path().trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_between_host_and_path() {
        let cases = [
            ("https://a.example", "https://a.example/.well-known/x"),
            ("https://a.example:8443/", "https://a.example:8443/.well-known/x"),
            ("https://a.example/t/1", "https://a.example/.well-known/x/t/1"),
            ("https://a.example/t/1/", "https://a.example/.well-known/x/t/1"),
        ];
        for (name, url) in cases {
            assert_eq!(well_known(name, "x").unwrap(), url);
        }
    }
}
