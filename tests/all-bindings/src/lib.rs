//! The bindings of all 2,093 messages of VPP 26.06.
//!
//! They are generated into the build folder from the facts that lie beside the project, and are nothing where those are
//! missing. That they compile is half of the test; the other half is in `tests`.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unused_variables,
    unused_qualifications,
    reason = "generated, only for tests, and empty in a plain clone"
)]

barrow_wire::include_bindings!();

/// Something done with every message type.
pub trait Visitor {
    /// One of them.
    fn visit<M: barrow_wire::Message>(&mut self);
}

include!(concat!(env!("OUT_DIR"), "/each.rs"));
