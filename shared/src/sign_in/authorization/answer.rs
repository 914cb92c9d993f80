//! Where the browser is sent at the end.

use url::form_urlencoded;

use super::{AuthorizationError, AuthorizationRequest, Seen};
use crate::{
    Error,
    client::{ResponseType, Scope},
    config::Issuer,
    sign_in::{CodeWish, Refusal, SignIn},
};

impl SignIn {
    /// Issues a code for `scope` to the application that asked, and says where the browser is sent
    /// with it. If none can be had after all, because something has changed meanwhile, the address
    /// tells the application why.
    pub async fn authorize_issue(
        &self,
        request: &AuthorizationRequest,
        seen: Seen,
        scope: Vec<Scope>,
    ) -> Result<String, Error> {
        let wish = CodeWish {
            client: request.client.clone(),
            subject: seen.subject,
            redirect_uri: request.redirect_uri.clone(),
            response_type: ResponseType::Code,
            scope,
            nonce: request.nonce.clone(),
            challenge: request.challenge.clone(),
            signed_in: seen.signed_in,
        };
        let issuer = &self.parts().config.issuer;
        match self.code_issue(wish).await {
            Ok(code) => {
                let code = ("code", code.expose());
                Ok(url(&request.redirect_uri, &[code], request.state.as_deref(), issuer))
            }
            Err(Refusal::Other(error)) => Err(error),
            Err(refusal) => Ok(request.redirect_error(issuer, &AuthorizationError::of(&refusal))),
        }
    }
}

/// RFC 6749, 4.1.2.1.
pub(super) fn error_url(
    redirect_uri: &str,
    state: Option<&str>,
    issuer: &Issuer,
    error: &AuthorizationError,
) -> String {
    let description = error.to_string();
    let pairs = [("error", error.code()), ("error_description", &description)];
    url(redirect_uri, &pairs, state, issuer)
}

/// `redirect_uri` as it was registered, with these parameters behind its own (RFC 6749, 4.1.2), and
/// who answers (RFC 9207).
fn url(redirect_uri: &str, pairs: &[(&str, &str)], state: Option<&str>, issuer: &Issuer) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", issuer.as_str());
    let separator = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, own)) if own.is_empty() || own.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{}", query.finish())
}
