//! Bindings of the messages a Barrow node serves, and the dynamic codec.
#![forbid(unsafe_code)]
