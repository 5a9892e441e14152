//! A feature of a user.
#![forbid(unsafe_code)]
