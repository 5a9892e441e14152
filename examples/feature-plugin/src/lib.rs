//! A feature of a user: drops packets to blocked ports, before they are routed.
//!
//! All there is to it is in this folder: the packet [node], its [table], the messages
//! (`api/portblock.api`), the commands, and a counter for each port in the statistics segment. It uses
//! public crates only. Put it into a node with
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use barrow_engine::Engine;
//! use feature_plugin::PortBlock;
//!
//! let engine = barrow_features::standard(Engine::builder()).feature(PortBlock).build()?;
//! engine.run()?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod messages {
    //! Generated from `api/portblock.api`.
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
    barrow_wire::include_bindings!();
}
mod control;
mod node;
mod table;

pub use control::PortBlock;
pub use messages::portblock;
