//! The issuer as the world sees it, this machine's clock, and the other issuers that are trusted.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use ssf::{
    clock::{Clock, SystemClock},
    config::TrustedIssuer,
};

use crate::{commands::doctor::finding::Finding, receiver::Http, stack::Stack};

/// A clock that is further off than this makes signatures of AWS requests, and tokens, refused.
const MAX_SKEW: Duration = Duration::from_mins(1);

/// Asks the issuer for its metadata, which says the time too, and for its public keys, which go into
/// `jwks` if it has them.
pub(super) async fn look(stack: &Stack, http: &Http, jwks: &mut Option<Value>) -> Vec<Finding> {
    let (Ok(wanted), Ok(url)) = (stack.output("Issuer"), stack.output("MetadataUrl")) else {
        return vec![Finding::wrong(
            "issuer",
            "the stack has no outputs Issuer and MetadataUrl",
            "name a stack that was deployed from Tocsin's template",
        )];
    };
    let asked = async {
        let answer = http.send(Request::get(url).body(Full::<Bytes>::default())?).await?;
        let metadata: Value = answer.read(url)?;
        anyhow::Ok((metadata, answer.date))
    };
    match asked.await {
        Ok((metadata, date)) => {
            let mut findings =
                vec![judge(wanted, url, &metadata), clock(date, SystemClock.now().into())];
            let uri = metadata["jwks_uri"].as_str().unwrap_or_default();
            match http.document(uri).await {
                Ok(document) => *jwks = Some(document),
                Err(error) => findings.push(unreached(&error, Front::of(stack))),
            }
            findings
        }
        Err(error) => vec![unreached(&error, Front::of(stack))],
    }
}

/// Asks the other issuers for their keys.
pub(super) async fn look_at_others(stack: &Stack, http: &Http) -> Vec<Finding> {
    let config = match stack.config() {
        Ok(config) => config,
        Err(error) => {
            let remedy = "deploy again with parameters that can be read";
            return vec![Finding::wrong("settings", format!("{error:#}"), remedy)];
        }
    };
    let mut findings = Vec::new();
    for trusted in &config.trusted_issuers {
        let jwks = http.document(trusted.jwks_url.as_str()).await;
        findings.push(judge_jwks(trusted, &jwks));
    }
    findings
}

fn judge(wanted: &str, url: &str, metadata: &Value) -> Finding {
    let said = metadata["issuer"].as_str().unwrap_or_default();
    if said == wanted {
        return Finding::good("issuer", wanted);
    }
    Finding::wrong(
        "issuer",
        format!("{url} says {said:?}, but the stack says {wanted:?}"),
        "another deployment answers there: let the domain lead to this stack's API",
    )
}

/// What the world meets first.
#[derive(Clone, Copy, Debug)]
enum Front {
    /// The API itself.
    Api,
    /// A domain of the stack's.
    Domain,
    /// Something that the stack knows nothing of, but its name.
    Other,
}

impl Front {
    fn of(stack: &Stack) -> Self {
        if stack.parameter("Issuer").is_some() {
            Self::Other
        } else if stack.parameter("DomainName").is_some() {
            Self::Domain
        } else {
            Self::Api
        }
    }
}

fn unreached(error: &anyhow::Error, front: Front) -> Finding {
    let remedy = match front {
        Front::Api => "see whether the API is deployed, and whether this machine reaches it",
        Front::Domain => {
            "let the name of the domain lead to the API (the runbook's section on domains), and \
             its certificate be valid"
        }
        Front::Other => {
            "let what stands in front of the API (the parameter Issuer names it) lead there, with \
             the same paths: Issuer must end with IssuerPath"
        }
    };
    Finding::wrong("issuer", format!("{error:#}"), remedy)
}

fn clock(theirs: Option<SystemTime>, ours: SystemTime) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::odd("clock", "the API does not tell the time", "compare it by hand");
    };
    let ahead = ours.duration_since(theirs).unwrap_or_default();
    let behind = theirs.duration_since(ours).unwrap_or_default();
    let skew = ahead.max(behind);
    if skew <= MAX_SKEW {
        return Finding::good("clock", "as AWS has it");
    }
    let side = if ahead > behind { "ahead of" } else { "behind" };
    let seen = format!("this machine's clock is {} s {side} AWS's", skew.as_secs());
    Finding::wrong("clock", seen, "let this machine ask a time server (NTP)")
}

fn judge_jwks(trusted: &TrustedIssuer, jwks: &anyhow::Result<Value>) -> Finding {
    const SUBJECT: &str = "outside issuers";
    let TrustedIssuer { issuer, jwks_url, .. } = trusted;
    let seen = match jwks {
        Ok(jwks) if jwks["keys"].as_array().is_some_and(|keys| !keys.is_empty()) => {
            return Finding::good(SUBJECT, format!("{issuer} has keys"));
        }
        Ok(_) => format!("{jwks_url} holds no keys"),
        Err(error) => format!("{issuer}: {error:#}"),
    };
    let remedy = "set its jwks_url in the parameter TrustedIssuers to what its own metadata says \
                  (jwks_uri)";
    Finding::wrong(SUBJECT, seen, remedy)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use serde_json::json;

    use super::*;
    use crate::commands::doctor::finding::said;

    #[test]
    fn the_world_must_see_the_issuer_that_the_stack_names() {
        let url = "https://ssf.example/.well-known/ssf-configuration";
        let judge = |metadata| judge("https://ssf.example", url, &metadata);
        let findings = [
            judge(json!({ "issuer": "https://ssf.example" })),
            judge(json!({ "issuer": "https://staging.ssf.example" })),
            judge(json!({})),
        ];
        insta::assert_snapshot!(said(&findings), @r#"
        ✓ issuer  https://ssf.example
        ✗ issuer  https://ssf.example/.well-known/ssf-configuration says "https://staging.ssf.example", but the stack says "https://ssf.example"
                  → another deployment answers there: let the domain lead to this stack's API
        ✗ issuer  https://ssf.example/.well-known/ssf-configuration says "", but the stack says "https://ssf.example"
                  → another deployment answers there: let the domain lead to this stack's API
        "#);
    }

    #[test]
    fn an_issuer_out_of_reach_is_mended_where_its_name_leads() {
        let error = anyhow!("connection refused").context("GET https://ssf.example failed");
        let fronts = [Front::Domain, Front::Api, Front::Other];
        let findings = fronts.map(|front| unreached(&error, front));
        insta::assert_snapshot!(said(&findings), @r"
        ✗ issuer  GET https://ssf.example failed: connection refused
                  → let the name of the domain lead to the API (the runbook's section on domains), and its certificate be valid
        ✗ issuer  GET https://ssf.example failed: connection refused
                  → see whether the API is deployed, and whether this machine reaches it
        ✗ issuer  GET https://ssf.example failed: connection refused
                  → let what stands in front of the API (the parameter Issuer names it) lead there, with the same paths: Issuer must end with IssuerPath
        ");
    }

    #[test]
    fn a_clock_may_be_off_by_a_minute() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        let off = Duration::from_mins(5);
        let findings = [
            clock(Some(now + MAX_SKEW), now),
            clock(Some(now - MAX_SKEW), now),
            clock(Some(now + off), now),
            clock(Some(now - off), now),
            clock(None, now),
        ];
        insta::assert_snapshot!(said(&findings), @r"
        ✓ clock  as AWS has it
        ✓ clock  as AWS has it
        ✗ clock  this machine's clock is 300 s behind AWS's
                 → let this machine ask a time server (NTP)
        ✗ clock  this machine's clock is 300 s ahead of AWS's
                 → let this machine ask a time server (NTP)
        ! clock  the API does not tell the time
                 → compare it by hand
        ");
    }

    #[test]
    fn a_trusted_issuer_must_have_keys() {
        let trusted: TrustedIssuer = serde_json::from_value(json!({
            "issuer": "https://login.example",
            "audience": "https://ssf.example",
            "jwks_url": "https://login.example/jwks",
        }))
        .unwrap();
        let findings = [
            Ok(json!({ "keys": [{ "kty": "RSA" }] })),
            Ok(json!({ "keys": [] })),
            Ok(json!({ "jwks_uri": "https://login.example/keys" })),
            Err(anyhow!("GET https://login.example/jwks is answered with 404 Not Found")),
        ]
        .map(|jwks| judge_jwks(&trusted, &jwks));
        insta::assert_snapshot!(said(&findings), @r"
        ✓ outside issuers  https://login.example has keys
        ✗ outside issuers  https://login.example/jwks holds no keys
                           → set its jwks_url in the parameter TrustedIssuers to what its own metadata says (jwks_uri)
        ✗ outside issuers  https://login.example/jwks holds no keys
                           → set its jwks_url in the parameter TrustedIssuers to what its own metadata says (jwks_uri)
        ✗ outside issuers  https://login.example: GET https://login.example/jwks is answered with 404 Not Found
                           → set its jwks_url in the parameter TrustedIssuers to what its own metadata says (jwks_uri)
        ");
    }
}
