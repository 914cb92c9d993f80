//! Which envelope is of which source.

use super::Source;

/// Who puts envelopes of a source on a bus.
enum From {
    /// This `source`.
    Is(&'static str),
    /// Each `source` that begins so.
    Begins(&'static str),
}

/// Sources by the `source` of their envelopes on EventBridge.
///
/// AWS's own: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
/// and <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>. Partners:
/// <https://developer.okta.com/docs/concepts/log-streaming/> and
/// <https://auth0.com/docs/customize/log-streams/amazon-eventbridge>. The last four nobody but the
/// operator puts on a bus, so the names are ours.
const ROUTES: [(From, Source); 12] = [
    (From::Is("aws.cognito-idp"), Source::Cognito),
    (From::Is("aws.guardduty"), Source::GuardDuty),
    (From::Is("aws.sso-directory"), Source::IdentityCenter),
    (From::Is("aws.identitystore"), Source::IdentityCenter),
    (From::Is("aws.sso"), Source::IdentityCenter),
    (From::Begins("aws.partner/okta.com/"), Source::Okta),
    (From::Begins("aws.partner/auth0.com/"), Source::Auth0),
    (From::Is("cognito-risk"), Source::CognitoRisk),
    (From::Is("keycloak"), Source::Keycloak),
    (From::Begins("keycloak."), Source::Keycloak),
    (From::Is("entra"), Source::Entra),
    (From::Begins("entra."), Source::Entra),
];

/// The source whose envelopes have this `source`.
pub(super) fn route(source: &str) -> Option<Source> {
    let found = ROUTES.iter().find(|(from, _)| match from {
        From::Is(name) => source == *name,
        From::Begins(prefix) => source.starts_with(prefix),
    });
    found.map(|(_, source)| *source)
}
