//! Next nodes by name.

use std::ffi::CStr;

/// The next nodes of a node: each variant names one. Derived; shared by process nodes and packet
/// nodes. The slot of a variant is its position, for ever: hosts keep an array of resolved nodes.
///
/// ```
/// use barrow_core::NextNodes;
///
/// #[derive(Clone, Copy, NextNodes)]
/// enum Next {
///     #[next_node = "ip4-lookup"]
///     Lookup,
///     #[next_node = "error-drop"]
///     Drop,
/// }
/// assert_eq!(Next::NAMES, [c"ip4-lookup", c"error-drop"]);
/// assert_eq!(Next::Drop.slot(), 1);
/// ```
pub trait NextNodes: Copy + 'static {
    /// The names in the order of slots; NUL-terminated, so that a C host takes them as they are.
    const NAMES: &'static [&'static CStr];

    /// The position of this variant, below `NAMES.len()`.
    fn slot(self) -> usize;
}

/// For a node without next nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNext {}

impl NextNodes for NoNext {
    const NAMES: &'static [&'static CStr] = &[];

    fn slot(self) -> usize {
        match self {}
    }
}
