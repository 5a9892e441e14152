//! The features of a node, one folder each.
#![deny(unsafe_code)]
