//! Why a message could not be read or written, and where.

use std::fmt;
use std::sync::Arc;

/// A message, or its JSON form, that does not fit its definition: what was wrong, in which field.
#[derive(Clone, PartialEq, Eq)]
pub struct CodecError(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: CodecErrorKind,
    /// Innermost step first.
    path: Vec<Step>,
}

#[derive(Clone, PartialEq, Eq)]
enum Step {
    Name(Arc<str>),
    Index(usize),
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The definitions have no such message.
    #[error("no message of this name")]
    UnknownMessage,
    /// The message ends before its fields do.
    #[error("input ends early: {needed} bytes needed, {left} left")]
    Truncated {
        /// Bytes that the value needs at least.
        needed: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// The message consists of more values than [`Limits`](super::Limits) allow.
    #[error("more than {0} values")]
    TooManyValues(usize),
    /// A field has no value.
    #[error("field missing")]
    Missing,
    /// A name that is no field here.
    #[error("no field of this name")]
    UnknownField,
    /// A value of another kind than the definition asks for.
    #[error("{expected} expected, {found} found")]
    Kind {
        /// What the definition asks for.
        expected: &'static str,
        /// What was there.
        found: &'static str,
    },
    /// A number that its type cannot hold.
    #[error("{value} does not fit into {bits} bits{}", if *.signed { " with a sign" } else { "" })]
    OutOfRange {
        /// The number.
        value: String,
        /// Size of the type.
        bits: u32,
        /// Whether the type is a signed one.
        signed: bool,
    },
    /// A text longer than its field.
    #[error("text of {len} bytes, at most {max} fit")]
    TextTooLong {
        /// Bytes of the text.
        len: usize,
        /// Bytes of the field.
        max: usize,
    },
    /// A text of fixed size with a NUL inside, which would end it.
    #[error("text contains a NUL")]
    TextHasNul,
    /// An array or union of another length than the definition's.
    #[error("length {len}, exactly {expected} expected")]
    WrongLength {
        /// Length given.
        len: usize,
        /// Length of the definition.
        expected: usize,
    },
    /// More elements than the count field, or more text than its length field, can tell.
    #[error("{len} elements, at most {max} can be counted")]
    TooMany {
        /// Elements given.
        len: usize,
        /// The largest count.
        max: u64,
    },
    /// Two arrays that share a count field and differ in length.
    #[error("arrays that share a count differ in length")]
    CountsDiffer,
    /// A name that the enumeration or union does not have.
    #[error("unknown name {0:?}")]
    UnknownName(String),
    /// Text that does not read as what it stands for.
    #[error("{text:?} is not {expected}")]
    BadText {
        /// What the text should be, such as "an IPv4 address".
        expected: &'static str,
        /// The text.
        text: String,
    },
    /// The JSON form was made for another definition of the message.
    #[error("made for CRC {given:?}, the definition has {ours:08x}")]
    OtherCrc {
        /// CRC in the JSON form.
        given: String,
        /// CRC of the definition.
        ours: u32,
    },
}

impl CodecError {
    #[cold]
    pub(super) fn new(kind: CodecErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            path: Vec::new(),
        }))
    }

    #[cold]
    pub(super) fn within(mut self, name: &Arc<str>) -> Self {
        self.0.path.push(Step::Name(Arc::clone(name)));
        self
    }

    #[cold]
    pub(super) fn at(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    /// What was wrong.
    #[must_use]
    pub const fn kind(&self) -> &CodecErrorKind {
        &self.0.kind
    }

    /// Where, from the message's name to the field: `ip_route_add_del.route.paths[3].weight`.
    #[must_use]
    pub fn field(&self) -> String {
        let mut field = String::new();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Name(name) if field.is_empty() => field.push_str(name),
                Step::Name(name) => field.extend([".", name]),
                Step::Index(index) => field.push_str(&format!("[{index}]")),
            }
        }
        field
    }
}

impl From<CodecErrorKind> for CodecError {
    fn from(kind: CodecErrorKind) -> Self {
        Self::new(kind)
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodecError")
            .field("field", &self.field())
            .field("kind", self.kind())
            .finish()
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field() {
            field if field.is_empty() => write!(f, "{}", self.kind()),
            field => write!(f, "{field}: {}", self.kind()),
        }
    }
}

impl std::error::Error for CodecError {}

/// A definition that cannot be turned into a codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    problem: Problem,
    /// Innermost name first.
    path: Vec<String>,
}

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The JSON text of a module cannot be read; it is empty in bindings made without it.
    #[error("{0}")]
    Unreadable(barrow_api::Error),
    /// Two schemas define a message differently.
    #[error("defined twice, differently")]
    DefinedTwice,
    /// A type without content.
    #[error("takes no byte")]
    Empty,
    /// A string that is neither of fixed size nor behind its own length.
    #[error("a string needs bounds of its own")]
    BadString,
    /// An enumeration of something else than integers, or flags with a sign.
    #[error("the base type does not suit")]
    BadBase,
}

impl PlanError {
    pub(super) fn new(item: &str, problem: Problem) -> Self {
        Self {
            problem,
            path: Vec::new(),
        }
        .within(item)
    }

    pub(super) fn within(mut self, item: &str) -> Self {
        if !item.is_empty() {
            self.path.push(item.to_owned());
        }
        self
    }

    /// What is wrong.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where, from the message or type to the field: `my_message.items.color`.
    #[must_use]
    pub fn item(&self) -> String {
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        path.join(".")
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.item(), self.problem)
    }
}

impl std::error::Error for PlanError {}
