//! What an error of KMS means.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use ssf::{set::SignError, table::BoxError};

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

/// Why the key that `kid` names did not do what it was asked. The SDK has tried again already where
/// that may help.
pub(super) fn sign_error<E, R>(kid: &str, error: SdkError<E, R>) -> SignError
where
    SdkError<E, R>: ProvideErrorMetadata + Into<BoxError>,
{
    if is_unusable(error.code()) {
        SignError::KeyUnusable { kid: kid.to_owned(), source: error.into() }
    } else {
        SignError::Unavailable(error.into())
    }
}
