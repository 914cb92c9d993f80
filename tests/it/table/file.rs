//! What is true of a table in a file.
