//! What is wrong with an interface file, and where.

use std::fmt;
use std::sync::Arc;

/// An interface file, or one that it imports, cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file as it was named, for example `vnet/ip/ip_types.api`; empty for text without a name.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub kind: ErrorKind,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file.is_empty() {
            "<text>"
        } else {
            &self.file
        };
        write!(f, "{file}:{}:{}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Syntax(_) => None,
            ErrorKind::Meaning(_) => None,
            ErrorKind::Json(_) => None,
            ErrorKind::Import(error) => Some(error),
        }
    }
}

/// At which step an interface file failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text does not follow the grammar.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// The definitions do not fit together.
    #[error("{0}")]
    Meaning(#[from] MeaningError),
    /// The JSON does not follow the schema.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// An imported file cannot be had.
    #[error("{0}")]
    Import(#[from] ImportError),
}

/// Text that does not follow the grammar of the interface language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// A character that starts no token.
    #[error("unexpected character {0:?}")]
    Character(char),
    /// A string without its closing quote on the same line.
    #[error("string is not closed")]
    OpenString,
    /// A `/*` without `*/`.
    #[error("comment is not closed")]
    OpenComment,
    /// A number beyond 64 bits.
    #[error("number {0} does not fit in 64 bits")]
    NumberTooLarge(String),
    /// Another token than the grammar has here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What the grammar has.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A reserved word, or a keyword of Python, where a name is needed.
    #[error("`{0}` cannot be used as a name")]
    Reserved(String),
    /// A block, enumeration or set without content.
    #[error("empty {0}")]
    Empty(&'static str),
    /// A flag before something it does not apply to.
    #[error("flag `{flag}` does not apply to `{statement}`")]
    Flag {
        /// The flag.
        flag: String,
        /// What follows.
        statement: &'static str,
    },
    /// A fixed array without elements.
    #[error("an array has at least one element")]
    ZeroLength,
    /// `[]` on anything but `string`.
    #[error("only `string` can have open bounds")]
    OpenBounds,
    /// A `string` without bounds.
    #[error("`string` needs bounds: `[N]` or `[]`")]
    StringWithoutBounds,
    /// An enumeration value with a fraction, or a length that is no 32-bit count.
    #[error("`{0}` is not a whole number in range")]
    NotWhole(String),
}

/// Definitions that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeaningError {
    /// A type that no definition before this place, here or in an import, has.
    #[error("unknown type `{0}`")]
    UnknownType(String),
    /// A name that is defined already.
    #[error("`{0}` is defined twice")]
    DefinedTwice(String),
    /// Two fields of one block, or two items of one enumeration, share a name.
    #[error("`{name}` occurs twice in `{block}`")]
    OccursTwice {
        /// The field or item.
        name: String,
        /// The block or enumeration.
        block: String,
    },
    /// The count of an array is not an earlier field of type `u8`, `u16` or `u32`.
    #[error(
        "`{array}` is counted by `{count}`, which is not an earlier field of type u8, u16 or u32"
    )]
    BadCount {
        /// The array.
        array: String,
        /// What should count it.
        count: String,
    },
    /// A variable part that is not last, or in a union.
    #[error("`{0}` is of variable size: only the last field of a structure or message can be")]
    VariableInside(String),
    /// An array whose elements are of variable size.
    #[error("elements of `{0}` are of variable size")]
    VariableElements(String),
    /// Structures that contain each other, or nest beyond 64 levels.
    #[error("`{0}` contains itself or nests too deep")]
    TooDeep(String),
    /// A type or message whose fixed part is beyond 1 MiB.
    #[error("`{0}` is larger than 1 MiB")]
    TooLarge(String),
    /// An enumeration value that its base type cannot hold.
    #[error("value {value} of `{item}` does not fit in {base}")]
    ValueOutOfRange {
        /// The item.
        item: String,
        /// Its value.
        value: i64,
        /// The base type.
        base: &'static str,
    },
    /// An item of an `enumflag` with more than one bit.
    #[error("`{item}` = {value:#x} has more than one bit")]
    SeveralBits {
        /// The item.
        item: String,
        /// Its value.
        value: i64,
    },
    /// An item behind one marked `backwards_compatible` that is not marked.
    #[error("`{0}` comes after a backwards_compatible item and must be marked too")]
    NotBackwardsCompatible(String),
    /// A discriminator that is not an earlier field with an enumeration type, or not on a union.
    #[error("`{union}` cannot be selected by `{discriminator}`: {reason}")]
    BadDiscriminator {
        /// The field with the union.
        union: String,
        /// What should select its member.
        discriminator: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A default that the field's type cannot have.
    #[error("`{field}` cannot have the default `{value}`")]
    BadDefault {
        /// The field.
        field: String,
        /// The value.
        value: String,
    },
    /// A service that names a message which the file does not define.
    #[error("service names `{0}`, which is not a message of this file")]
    NotAMessage(String),
    /// A message for which no service is written and none can be derived.
    #[error("`{message}` needs `{missing}` or a service of its own")]
    NoService {
        /// The message.
        message: String,
        /// What a derived service would need.
        missing: String,
    },
    /// A request that is written as the reply of another, or of itself.
    #[error("`{0}` is both request and reply")]
    RequestIsReply(String),
    /// Two services for one request.
    #[error("two services for `{0}`")]
    TwoServices(String),
}

/// JSON that does not follow the schema of `.api.json`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON at all.
    #[error("{0}")]
    Syntax(String),
    /// A value of another kind than the schema has here.
    #[error("expected {expected}")]
    Expected {
        /// What the schema has.
        expected: &'static str,
    },
    /// A list that is shorter than the schema needs.
    #[error("{missing} is missing")]
    Missing {
        /// What is not there.
        missing: &'static str,
    },
}

/// An imported file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No such file in any of the places searched.
    #[error("import `{path}` not found in {}", searched(.places))]
    NotFound {
        /// The path as imported.
        path: String,
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// The file is there but cannot be read.
    #[error("import `{path}`: {message}")]
    Unreadable {
        /// The path as imported.
        path: String,
        /// What the system says.
        message: String,
    },
    /// Files import each other in a circle.
    #[error("import of `{0}` goes round in a circle")]
    Circle(String),
    /// Imports nest beyond 64 levels.
    #[error("import of `{0}` nests too deep")]
    TooDeep(String),
}

fn searched(places: &[String]) -> String {
    if places.is_empty() {
        "nothing: there is no importer".to_owned()
    } else {
        places.join(", ")
    }
}
