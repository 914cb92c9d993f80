//! What KMS may answer, and what the signer makes of it.
