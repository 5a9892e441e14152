//! A schema turned into what encoding and decoding need: types by number, sizes known, counts linked.
//!
//! Invariants, from the schema and the compiler in `compile`: type numbers are in range; no type
//! contains itself, and nesting is bounded; every type takes at least one byte, and at most a
//! mebibyte without what it counts; a count field is an earlier field of the same structure with
//! an unsigned type of at most 32 bits; members of a union have a fixed size and fit into it.

use std::collections::HashMap;
use std::sync::Arc;

use barrow_wire::HeaderKind;

use super::{Fields, Value};

/// Everything a codec knows.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) types: Vec<TypePlan>,
    pub(super) messages: Vec<MessagePlan>,
    pub(super) message_names: HashMap<Arc<str>, usize>,
}

/// A base type with a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Bool,
    F64,
    Unsigned(Width),
    Signed(Width),
}

/// Bytes of an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    W1 = 1,
    W2 = 2,
    W4 = 4,
    W8 = 8,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    Scalar(Scalar),
    /// Text in so many bytes.
    FixedText(usize),
    /// Text behind a `u32` length.
    VarText,
    Type(usize),
    /// Octets.
    Bytes(Length),
    Array(Element, Length),
}

/// The type of an array's elements: no array itself, and no octet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Element {
    Scalar(Scalar),
    Type(usize),
}

/// How long an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Fixed(usize),
    /// As the field with this number says.
    Counted(usize),
}

#[derive(Debug)]
pub(super) struct TypePlan {
    pub(super) kind: Kind,
    pub(super) size: Size,
    /// How JSON writes this type, when it is an address of some kind.
    pub(super) special: Option<Special>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Struct(StructPlan),
    Union(UnionPlan),
    Enum(EnumPlan),
    Alias(Shape),
}

#[derive(Debug, Default)]
pub(super) struct StructPlan {
    pub(super) fields: Vec<FieldPlan>,
}

#[derive(Debug)]
pub(super) struct FieldPlan {
    pub(super) name: Arc<str>,
    pub(super) shape: Shape,
    pub(super) default: Option<Value>,
    /// The array whose length this field tells.
    pub(super) counts: Option<usize>,
    /// The enumeration field that tells which member of this field's union counts.
    pub(super) discriminator: Option<usize>,
}

#[derive(Debug)]
pub(super) struct UnionPlan {
    pub(super) members: Vec<MemberPlan>,
}

#[derive(Debug)]
pub(super) struct MemberPlan {
    pub(super) name: Arc<str>,
    pub(super) shape: Shape,
    /// Value of the discriminator that chooses this member.
    pub(super) case: Option<i64>,
}

#[derive(Debug)]
pub(super) struct EnumPlan {
    pub(super) base: Scalar,
    /// Values as integers, in the order of their definition.
    pub(super) items: Vec<(Arc<str>, i64)>,
    /// Whether values are sets of bits.
    pub(super) flags: bool,
}

#[derive(Debug)]
pub(super) struct MessagePlan {
    pub(super) name: Arc<str>,
    pub(super) crc: u32,
    pub(super) header: HeaderKind,
    pub(super) body: StructPlan,
    pub(super) min_len: usize,
}

/// Bytes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// At least.
    pub(super) min: usize,
    /// Whether that is also the most.
    pub(super) fixed: bool,
}

/// Types that JSON writes as one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Ip4,
    Ip6,
    Mac,
    /// `af` and `un`.
    Address,
    /// `address` and `len`, the address of the given kind.
    Prefix,
    Ip4Prefix,
    Ip6Prefix,
}

impl Scalar {
    pub(super) const fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F64 => 8,
            Self::Unsigned(width) | Self::Signed(width) => width as usize,
        }
    }

    /// Bits and sign, for messages to people.
    pub(super) const fn bits(self) -> (u32, bool) {
        (self.size() as u32 * 8, matches!(self, Self::Signed(_)))
    }

    /// The largest value of an unsigned integer type of this size.
    pub(super) const fn max_unsigned(self) -> u64 {
        u64::MAX >> (64 - self.bits().0)
    }

    /// An integer of this type, if it fits.
    pub(super) fn integer(self, value: i128) -> Option<Value> {
        let (bits, signed) = self.bits();
        let range = 1_i128 << (bits - u32::from(signed));
        if signed {
            let fits = (-range..range).contains(&value);
            fits.then(|| i64::try_from(value).ok().map(Value::Signed))?
        } else {
            let fits = (0..range).contains(&value);
            fits.then(|| u64::try_from(value).ok().map(Value::Unsigned))?
        }
    }

    /// The zero of this type.
    pub(super) const fn zero(self) -> Value {
        match self {
            Self::Bool => Value::Bool(false),
            Self::F64 => Value::Float(0.0),
            Self::Unsigned(_) => Value::Unsigned(0),
            Self::Signed(_) => Value::Signed(0),
        }
    }
}

impl Plan {
    pub(super) fn message(&self, name: &str) -> Option<&MessagePlan> {
        self.message_names
            .get(name)
            .map(|&index| &self.messages[index])
    }

    pub(super) fn size(&self, shape: &Shape) -> Size {
        let array = |element: usize, length: Length| match length {
            Length::Fixed(length) => Size {
                min: element.saturating_mul(length),
                fixed: true,
            },
            Length::Counted(_) => Size {
                min: 0,
                fixed: false,
            },
        };
        match shape {
            Shape::Scalar(scalar) => Size {
                min: scalar.size(),
                fixed: true,
            },
            Shape::FixedText(size) => Size {
                min: *size,
                fixed: true,
            },
            Shape::VarText => Size {
                min: 4,
                fixed: false,
            },
            Shape::Type(index) => self.types[*index].size,
            Shape::Bytes(length) => array(1, *length),
            Shape::Array(element, length) => {
                let element = self.size(&element.shape());
                let whole = array(element.min, *length);
                Size {
                    fixed: whole.fixed && element.fixed,
                    ..whole
                }
            }
        }
    }

    /// The base type behind a shape, if it is one value.
    pub(super) fn scalar_of(&self, shape: &Shape) -> Option<Scalar> {
        match shape {
            Shape::Scalar(scalar) => Some(*scalar),
            Shape::Type(index) => match &self.types[*index].kind {
                Kind::Enum(plan) => Some(plan.base),
                Kind::Alias(shape) => self.scalar_of(shape),
                Kind::Struct(_) | Kind::Union(_) => None,
            },
            _ => None,
        }
    }

    /// The values fields have when nobody gives any.
    pub(super) fn default_fields(&self, plan: &StructPlan) -> Fields {
        let fields = plan.fields.iter();
        let fields = fields.map(|field| (Arc::clone(&field.name), self.default_value(field)));
        Fields::from_vec(fields.collect())
    }

    /// The value a field has when nobody gives one: its default, else zeros.
    pub(super) fn default_value(&self, field: &FieldPlan) -> Value {
        match &field.default {
            Some(default) => default.clone(),
            None => self.zero(&field.shape),
        }
    }

    fn zero(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Scalar(scalar) => scalar.zero(),
            Shape::FixedText(_) | Shape::VarText => Value::Text(Vec::new()),
            Shape::Bytes(length) => Value::Bytes(vec![0; length.at_least()]),
            Shape::Array(element, length) => match length.at_least() {
                0 => Value::Array(Vec::new()),
                length => Value::Array(vec![self.zero(&element.shape()); length]),
            },
            Shape::Type(index) => {
                let this = &self.types[*index];
                match &this.kind {
                    Kind::Struct(plan) => Value::Struct(self.default_fields(plan)),
                    Kind::Union(_) => Value::Bytes(vec![0; this.size.min]),
                    Kind::Enum(plan) => plan.base.zero(),
                    Kind::Alias(shape) => self.zero(shape),
                }
            }
        }
    }
}

impl Element {
    pub(super) const fn shape(&self) -> Shape {
        match self {
            Self::Scalar(scalar) => Shape::Scalar(*scalar),
            Self::Type(index) => Shape::Type(*index),
        }
    }
}

impl Length {
    const fn at_least(self) -> usize {
        match self {
            Self::Fixed(length) => length,
            Self::Counted(_) => 0,
        }
    }
}

impl EnumPlan {
    /// The name of a value.
    pub(super) fn name_of(&self, value: i64) -> Option<&Arc<str>> {
        self.items
            .iter()
            .find(|(_, item)| *item == value)
            .map(|(name, _)| name)
    }

    /// The value of a name, as one of the base type.
    pub(super) fn value_of(&self, name: &str) -> Option<Value> {
        let item = self.items.iter().find(|(item, _)| &**item == name)?;
        Some(match self.base {
            Scalar::Signed(_) => Value::Signed(item.1),
            _ => Value::Unsigned(item.1.cast_unsigned() & self.base.max_unsigned()),
        })
    }
}
