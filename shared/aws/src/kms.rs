//! What an error of KMS means.

/// Whether the code says that a key cannot be used until an operator acts. All else may pass by
/// itself: too many requests, a key whose state is just changing everywhere, a network that fails.
pub(crate) fn is_unusable(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "AccessDeniedException"
                | "DisabledException"
                | "IncorrectKeyException"
                | "InvalidArnException"
                | "InvalidCiphertextException"
                | "InvalidKeyUsageException"
                | "KMSInvalidStateException"
                | "NotFoundException"
                | "UnsupportedOperationException"
        )
    )
}

/// Whether the code says that there were too many requests, of ours or of the whole account.
pub(crate) fn is_throttled(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "LimitExceededException"
                | "RequestLimitExceeded"
                | "RequestThrottled"
                | "RequestThrottledException"
                | "SlowDown"
                | "Throttling"
                | "ThrottledException"
                | "ThrottlingException"
                | "TooManyRequestsException"
        )
    )
}
