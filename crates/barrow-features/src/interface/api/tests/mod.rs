//! Messages as clients see them. Numbers without another source are those of `retvals.json`, captured
//! from VPP 26.06.

mod dump;
mod events;
mod queues;
mod settings;
mod sub;

use barrow_messages::interface_types::InterfaceIndex;

/// No interface has this index.
const NOBODY: InterfaceIndex = InterfaceIndex(9999);
