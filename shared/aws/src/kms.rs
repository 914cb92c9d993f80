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
