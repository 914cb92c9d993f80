//! Random operations on a table, compared with a model of it.
