//! Types and fields.

use crate::source::Origin;
use std::fmt;

/// A base type of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Primitive {
    /// 8 bits, unsigned.
    U8,
    /// 16 bits, unsigned.
    U16,
    /// 32 bits, unsigned.
    U32,
    /// 64 bits, unsigned.
    U64,
    /// 8 bits, signed.
    I8,
    /// 16 bits, signed.
    I16,
    /// 32 bits, signed.
    I32,
    /// 64 bits, signed.
    I64,
    /// IEEE 754 binary64, little-endian on the wire.
    F64,
    /// One byte.
    Bool,
}

impl Primitive {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F64,
        Self::Bool,
    ];

    /// The name in the language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Bool => "bool",
        }
    }

    /// The base type called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|primitive| primitive.name() == name)
    }

    /// Bytes on the wire.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a number of bytes, not a collection"
    )]
    pub const fn len(self) -> u32 {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Whether it is an integer.
    pub const fn is_integer(self) -> bool {
        !matches!(self, Self::F64 | Self::Bool)
    }

    /// Whether it is a signed integer.
    pub const fn is_signed(self) -> bool {
        matches!(self, Self::I8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// Whether it can count the elements of an array.
    pub const fn is_count(self) -> bool {
        matches!(self, Self::U8 | Self::U16 | Self::U32)
    }

    /// The integers it can hold; empty for `f64`.
    pub fn range(self) -> std::ops::RangeInclusive<i128> {
        let bits = 8 * self.len();
        match self {
            Self::Bool => 0..=1,
            #[expect(
                clippy::reversed_empty_ranges,
                reason = "a double holds no integer as such"
            )]
            Self::F64 => 1..=0,
            _ if self.is_signed() => -(1 << (bits - 1))..=(1 << (bits - 1)) - 1,
            _ => 0..=(1 << bits) - 1,
        }
    }
}

/// The type of a field, as it is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeName {
    /// A base type.
    Primitive(Primitive),
    /// `string`, always with bounds.
    String,
    /// A defined type, by its bare name: `vl_api_prefix_t` is `prefix`.
    Defined(String),
}

impl TypeName {
    /// From the spelling in a field: a base type, `string` or `vl_api_<name>_t`.
    pub fn from_spelling(spelling: &str) -> Option<Self> {
        if let Some(primitive) = Primitive::from_name(spelling) {
            return Some(Self::Primitive(primitive));
        }
        if spelling == "string" {
            return Some(Self::String);
        }
        let bare = spelling.strip_prefix("vl_api_")?.strip_suffix("_t")?;
        (!bare.is_empty()).then(|| Self::Defined(bare.to_owned()))
    }

    /// The bare name of a defined type.
    pub fn defined(&self) -> Option<&str> {
        match self {
            Self::Defined(name) => Some(name),
            Self::Primitive(_) | Self::String => None,
        }
    }
}

/// The spelling in a field.
impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(primitive) => f.write_str(primitive.name()),
            Self::String => f.write_str("string"),
            Self::Defined(name) => write!(f, "vl_api_{name}_t"),
        }
    }
}

/// How many values a field holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bounds {
    /// One.
    Scalar,
    /// `x[N]`: exactly so many, or a string in so many bytes.
    Fixed(u32),
    /// `x[n]`: as many as the earlier field `n` says.
    Counted(String),
    /// `string x[]`: text behind its own length.
    Open,
}

/// A value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The option stands alone.
    None,
    /// `false`; or `true` in JSON that was not written by VPP's own tool.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a point.
    Float(f64),
    /// A string, a name or the word `true`.
    Text(String),
}

impl Value {
    /// The value as a truth: numbers are true when not 0, `true` may be a string (VPP's tool delivers it so).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Integer(value) => Some(*value != 0),
            Self::Text(text) if text == "true" => Some(true),
            Self::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// The value as a whole number; truths are 0 and 1.
    pub fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Bool(value) => Some((*value).into()),
            _ => None,
        }
    }

    /// The value as text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Options in the order they are given; a later one of the same name replaces the earlier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(Vec<(String, Value)>);

impl Options {
    /// The value of an option; [`Value::None`] if it stands alone.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// Whether an option is given.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds or replaces an option.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A field of a structure, union or message.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type of one value.
    pub ty: TypeName,
    /// How many values.
    pub bounds: Bounds,
    /// `default`, `case`, `discriminator`, `limit`.
    pub options: Options,
    /// The comment before or behind the field, as written. Only known from `.api` text.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

impl Field {
    /// Whether it is one value of base type `primitive`.
    pub fn is_scalar(&self, primitive: Primitive) -> bool {
        self.bounds == Bounds::Scalar && self.ty == TypeName::Primitive(primitive)
    }

    /// The field that counts the elements, if one does.
    pub fn counted_by(&self) -> Option<&str> {
        match &self.bounds {
            Bounds::Counted(count) => Some(count),
            _ => None,
        }
    }
}

/// A structure or union.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// The bare name.
    pub name: String,
    /// Its fields or members.
    pub fields: Vec<Field>,
    /// The comment before it, as written.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

/// An enumeration, plain or of flags.
#[derive(Clone, Debug, PartialEq)]
pub struct Enumeration {
    /// The bare name.
    pub name: String,
    /// The integer it is on the wire.
    pub base: Primitive,
    /// Its items.
    pub items: Vec<Item>,
    /// The comment before it, as written. Only known from `.api` text.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

impl Enumeration {
    /// The value of the item called `name`.
    pub fn value(&self, name: &str) -> Option<i64> {
        self.items
            .iter()
            .find(|item| item.name == name)
            .map(|item| item.value)
    }

    /// Whether values are meant to be joined with "or", also where the definition is a plain `enum`. VPP has some
    /// thirty of those: their names say `flag`, or they have an item from 8 upwards and every item but 0 is one bit.
    pub fn is_bit_set(&self) -> bool {
        let single = |item: &Item| item.value & item.value.wrapping_sub(1) == 0;
        self.name.contains("flag")
            || (self.items.iter().all(single) && self.items.iter().any(|item| item.value >= 8))
    }
}

/// An item of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The name.
    pub name: String,
    /// The value.
    pub value: i64,
    /// `backwards_compatible`: takes no part in CRCs. JSON does not tell.
    pub options: Options,
    /// The comment before or behind the item, as written. Only known from `.api` text.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}

impl Item {
    /// Whether the item takes no part in CRCs.
    pub fn is_backwards_compatible(&self) -> bool {
        self.options.contains("backwards_compatible")
    }
}

/// Another name for a type, or for an array of fixed length.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The bare name.
    pub name: String,
    /// What it stands for.
    pub ty: TypeName,
    /// How many of it, if an array.
    pub len: Option<u32>,
    /// The comment before it, as written. Only known from `.api` text.
    pub comment: Option<String>,
    /// Where it is.
    pub origin: Origin,
}
