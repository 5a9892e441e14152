//! What a field holds, when its type is known at run time only.

use std::fmt;
use std::sync::Arc;

/// The content of one field.
///
/// | type in the definition | value |
/// | --- | --- |
/// | `bool` | [`Bool`](Self::Bool) |
/// | `u8` .. `u64`, enumerations and flags of such a base | [`Unsigned`](Self::Unsigned) |
/// | `i8` .. `i64`, enumerations of such a base | [`Signed`](Self::Signed) |
/// | `f64` | [`Float`](Self::Float) |
/// | `string`, fixed or variable | [`Text`](Self::Text) |
/// | array of `u8` (addresses too) and union | [`Bytes`](Self::Bytes) |
/// | other array | [`Array`](Self::Array) |
/// | structure | [`Struct`](Self::Struct) |
///
/// An alias is what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer of an unsigned type.
    Unsigned(u64),
    /// An integer of a signed type.
    Signed(i64),
    /// A floating-point number.
    Float(f64),
    /// Text without its padding; usually, but not always, UTF-8.
    Text(Vec<u8>),
    /// Octets: an array of `u8`, or a union in its full size.
    Bytes(Vec<u8>),
    /// The elements of an array.
    Array(Vec<Self>),
    /// The fields of a structure.
    Struct(Fields),
}

impl Value {
    /// The field `name` of a structure.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(fields) => fields.get(name),
            _ => None,
        }
    }

    /// A truth value.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer that is not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(value) => Some(*value),
            Self::Signed(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// An integer that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Unsigned(value) => i64::try_from(*value).ok(),
            Self::Signed(value) => Some(*value),
            _ => None,
        }
    }

    /// A floating-point number.
    #[must_use]
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Text that is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Octets of an array or a union.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The fields of a structure.
    #[must_use]
    pub const fn as_struct(&self) -> Option<&Fields> {
        match self {
            Self::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// What kind of value this is, for messages to people.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a truth value",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::Float(_) => "a floating-point number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "octets",
            Self::Array(_) => "an array",
            Self::Struct(_) => "a structure",
        }
    }
}

macro_rules! from {
    ($($from:ty => $variant:ident as $to:ty),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(<$to>::from(value))
            }
        })*
    };
}

from! {
    bool => Bool as bool,
    u8 => Unsigned as u64,
    u16 => Unsigned as u64,
    u32 => Unsigned as u64,
    u64 => Unsigned as u64,
    i8 => Signed as i64,
    i16 => Signed as i64,
    i32 => Signed as i64,
    i64 => Signed as i64,
    f64 => Float as f64,
    &str => Text as Vec<u8>,
    String => Text as Vec<u8>,
    Vec<Value> => Array as Vec<Value>,
    Fields => Struct as Fields,
}

/// The fields of a structure or message, by name, in the order of their definition.
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Vec<(Arc<str>, Value)>);

impl Fields {
    /// No fields yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut fields = self.0.iter();
        fields
            .find(|(field, _)| &**field == name)
            .map(|(_, value)| value)
    }

    /// The value of a field, to change it in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let mut fields = self.0.iter_mut();
        fields
            .find(|(field, _)| &**field == name)
            .map(|(_, value)| value)
    }

    /// Gives a field its value, and adds the field behind the others if it is not there.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.get_mut(name) {
            Some(slot) => *slot = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many fields there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn from_vec(fields: Vec<(Arc<str>, Value)>) -> Self {
        Self(fields)
    }

    pub(super) fn at(&self, index: usize) -> Option<(&str, &Value)> {
        self.0.get(index).map(|(name, value)| (&**name, value))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<N: Into<Arc<str>>, V: Into<Value>> FromIterator<(N, V)> for Fields {
    /// Collects fields; of several with one name the first is the one that counts.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter();
        Self(
            fields
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}
