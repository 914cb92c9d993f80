//! What the functions' binaries start with.
