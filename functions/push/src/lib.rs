//! The `push` function.
