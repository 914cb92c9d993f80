//! All of them.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod aliases;
mod bill;
mod concurrent;
mod delivery;
mod directory;
mod discovery;
mod emulator;
mod inactivity;
mod keys;
mod kms;
mod legacy;
mod matching;
mod models;
mod oauth;
mod openid;
mod operator;
mod opt_out;
mod poll;
mod push_http;
mod queue;
mod rest;
mod scim;
mod served;
mod sets;
mod sign_in;
mod simulation;
mod slow;
mod status;
mod streams;
mod subjects;
mod table;
mod template;
mod tidy;
mod verification;
mod web;
