//! What a node is, beside its code.

use std::fmt;

/// The kind of a node, as `show node` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum NodeKind {
    /// Gets packets from other nodes.
    Internal,
    /// Brings packets in.
    Input,
    /// An `async fn` on the main thread.
    Process,
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internal => "internal",
            Self::Input => "input",
            Self::Process => "process",
        })
    }
}

/// What a node's vectors count as in the rates of `show runtime`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Neither in nor out.
    #[default]
    Inner,
    /// Packets leave the graph here.
    Output,
    /// Packets end here.
    Drop,
    /// Packets leave for somebody who asked for them.
    Punt,
}

/// When an input node runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum InputMode {
    /// In every turn.
    Polling,
    /// When something makes it ready.
    #[default]
    Interrupt,
    /// When something makes it ready, and then for some turns more, as long as there were packets.
    Adaptive,
    /// Never.
    Disabled,
}

/// A node's name and what it is beside its code. Made from a name, or built up:
///
/// ```
/// use barrow_engine::{NodeOptions, Role};
///
/// let options = NodeOptions::new("pg0-tx").role(Role::Output);
/// ```
#[derive(Clone, Debug)]
pub struct NodeOptions {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) sibling_of: Option<String>,
    pub(crate) mode: InputMode,
    pub(crate) lazy_nexts: bool,
}

impl NodeOptions {
    /// Options of a node with this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role: Role::default(),
            sibling_of: None,
            mode: InputMode::default(),
            lazy_nexts: false,
        }
    }

    /// What its vectors count as.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Shares the next nodes of another node, in the same slots: an arc added to one is added to all.
    #[must_use]
    pub fn sibling_of(mut self, name: impl Into<String>) -> Self {
        self.sibling_of = Some(name.into());
        self
    }

    /// When an input node runs at first.
    #[must_use]
    pub fn mode(mut self, mode: InputMode) -> Self {
        self.mode = mode;
        self
    }

    /// Next nodes that do not exist are no error: packets for them are dropped until they do.
    #[must_use]
    pub fn lazy_nexts(mut self) -> Self {
        self.lazy_nexts = true;
        self
    }
}

impl<S: Into<String>> From<S> for NodeOptions {
    fn from(name: S) -> Self {
        Self::new(name)
    }
}
