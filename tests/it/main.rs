//! All of them.
