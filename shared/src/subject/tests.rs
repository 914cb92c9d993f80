//! Subjects as the standards show them.
