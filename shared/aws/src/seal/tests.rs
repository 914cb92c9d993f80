//! What KMS may answer, and what the seal makes of it.
