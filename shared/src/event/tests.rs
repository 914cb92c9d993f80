//! Events as the standards show them, and what is refused.
