//! The `streams` function.
