//! Harness of the end-to-end tests: the built binary, network namespaces, and the peers.
//!
//! Tests here drive `target/release/barrow` as a user would, with real sockets and real interfaces.
//! Where a privilege or a program is missing, a test says `skipped: why` and passes.
#![forbid(unsafe_code)]

mod api;
mod cli;
mod flows;
mod netns;
mod node;
mod peer;
mod process;
mod pty;
mod recorder;
mod routed;
mod scripts;
mod skip;
mod transfer;

pub use api::ApiClient;
pub use cli::{LineClient, Person, vppctl};
pub use flows::Flows;
pub use netns::{Netns, Veth};
pub use node::{Node, NodeBuilder};
pub use peer::{Finished, python, run, run_in};
pub use process::{open_descriptors, private_memory};
pub use pty::Pty;
pub use recorder::Recorder;
pub use routed::{Attach, Routed, RoutedBuilder, Side};
pub use scripts::{definitions, script};
pub use skip::{Skip, has_program, is_root, report, skip};
pub use transfer::{iperf3, transfer};

use std::path::PathBuf;

/// The root folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The build folder that xtask used: `CARGO_TARGET_DIR`, else `target` in the workspace.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// A short text that no other test of this or another run uses, for names of namespaces and links.
#[must_use]
pub fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{:x}{:x}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
