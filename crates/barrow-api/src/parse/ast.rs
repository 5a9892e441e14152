//! The statements of a file, in their order.

use crate::schema::{
    Alias, CounterSet, Enumeration, Field, Options, Service, StatPath, Structure, Value,
};
use crate::source::Origin;
use std::sync::Arc;

/// A parsed file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The name it was given.
    pub name: Arc<str>,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `option name = value;`
    Option {
        /// The name.
        name: String,
        /// The value.
        value: Value,
    },
    /// `import "path";`
    Import {
        /// The path.
        path: String,
        /// Where it is.
        origin: Origin,
    },
    /// `typedef name { ... };`
    Structure(Structure),
    /// `typedef type name;`
    Alias(Alias),
    /// `union name { ... };`
    Union(Structure),
    /// `enum name { ... };`
    Enum(Enumeration),
    /// `enumflag name { ... };`
    Flags(Enumeration),
    /// `define name { ... };`
    Define(Define),
    /// `service { ... };`
    Service(Vec<Rpc>),
    /// `counters name { ... };`
    Counters(CounterSet),
    /// `paths { ... };`
    Paths(Vec<StatPath>),
}

/// The definition of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Define {
    /// The name.
    pub name: String,
    /// The fields as written, without the implicit message id.
    pub fields: Vec<Field>,
    /// The options inside the block.
    pub options: Options,
    /// The flags before it.
    pub flags: Vec<Flag>,
    /// The comment before it, as written.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

/// A word before a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Steers generated C code only.
    ManualPrint,
    /// Steers generated C code only.
    ManualEndian,
    /// Steers generated C code only.
    DontTrace,
    /// Defines a plain reply too.
    Autoreply,
    /// VPP swaps the message before its handler sees it; the wire is the same.
    Autoendian,
    /// Types only; refused before `define`.
    Typeonly,
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ManualPrint,
        Self::ManualEndian,
        Self::DontTrace,
        Self::Autoreply,
        Self::Autoendian,
        Self::Typeonly,
    ];

    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ManualPrint => "manual_print",
            Self::ManualEndian => "manual_endian",
            Self::DontTrace => "dont_trace",
            Self::Autoreply => "autoreply",
            Self::Autoendian => "autoendian",
            Self::Typeonly => "typeonly",
        }
    }
}

/// One written service.
#[derive(Clone, Debug, PartialEq)]
pub struct Rpc {
    /// Who answers whom.
    pub service: Service,
    /// Where it is.
    pub origin: Origin,
}
