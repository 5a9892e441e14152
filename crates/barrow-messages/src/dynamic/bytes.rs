//! Values to bytes and back.
//!
//! Decoding walks the plan, not the input, so its depth is bounded by the definitions; each array
//! is checked against the bytes left before room is made for it, and the values made are counted.

use std::sync::Arc;

use super::error::{CodecError, CodecErrorKind};
use super::plan::{Element, FieldPlan, Kind, Length, Plan, Scalar, Shape, StructPlan, Width};
use super::{Fields, Value};

type Result<T> = std::result::Result<T, CodecError>;

/// How many values a message may still bring.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    limit: usize,
}

impl Budget {
    pub(super) const fn new(limit: usize) -> Self {
        Self { left: limit, limit }
    }

    pub(super) fn take(&mut self, values: usize) -> Result<()> {
        match self.left.checked_sub(values) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(CodecErrorKind::TooManyValues(self.limit).into()),
        }
    }
}

/// Reads values off the front of a message.
#[derive(Debug)]
pub(super) struct Decoder<'p, 'a> {
    plan: &'p Plan,
    rest: &'a [u8],
    budget: &'a mut Budget,
}

impl<'p, 'a> Decoder<'p, 'a> {
    pub(super) const fn new(plan: &'p Plan, bytes: &'a [u8], budget: &'a mut Budget) -> Self {
        Self {
            plan,
            rest: bytes,
            budget,
        }
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(len) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.truncated(len)),
        }
    }

    fn truncated(&self, needed: usize) -> CodecError {
        CodecErrorKind::Truncated {
            needed,
            left: self.rest.len(),
        }
        .into()
    }

    pub(super) fn fields(&mut self, plan: &StructPlan) -> Result<Fields> {
        self.budget.take(plan.fields.len())?;
        let mut fields: Vec<(Arc<str>, Value)> = Vec::with_capacity(plan.fields.len());
        for field in &plan.fields {
            let count = match field.shape {
                Shape::Bytes(Length::Counted(at)) | Shape::Array(_, Length::Counted(at)) => {
                    let count = fields[at].1.as_u64().expect("count fields are unsigned");
                    usize::try_from(count).unwrap_or(usize::MAX)
                }
                _ => 0,
            };
            let value = self.value(&field.shape, count);
            let value = value.map_err(|error| error.within(&field.name))?;
            fields.push((Arc::clone(&field.name), value));
        }
        Ok(Fields::from_vec(fields))
    }

    /// Reads one value; `count` is the length of a counted array.
    pub(super) fn value(&mut self, shape: &Shape, count: usize) -> Result<Value> {
        let length = |length: Length| match length {
            Length::Fixed(length) => length,
            Length::Counted(_) => count,
        };
        match shape {
            Shape::Scalar(scalar) => self.scalar(*scalar),
            Shape::FixedText(size) => {
                let bytes = self.bytes(*size)?;
                let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(*size);
                Ok(Value::Text(bytes[..end].to_vec()))
            }
            Shape::VarText => self.var_text(),
            Shape::Bytes(len) => Ok(Value::Bytes(self.bytes(length(*len))?.to_vec())),
            Shape::Array(element, len) => self.array(element, length(*len)),
            Shape::Type(index) => {
                let plan = self.plan;
                let this = &plan.types[*index];
                match &this.kind {
                    Kind::Struct(plan) => Ok(Value::Struct(self.fields(plan)?)),
                    Kind::Union(_) => Ok(Value::Bytes(self.bytes(this.size.min)?.to_vec())),
                    Kind::Enum(plan) => self.scalar(plan.base),
                    Kind::Alias(shape) => self.value(shape, 0),
                }
            }
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Result<Value> {
        let bytes = self.bytes(scalar.size())?;
        let unsigned = || {
            bytes
                .iter()
                .fold(0, |value, &byte| value << 8 | u64::from(byte))
        };
        Ok(match scalar {
            Scalar::Bool => Value::Bool(bytes != [0]),
            Scalar::F64 => {
                let bytes = bytes.try_into().expect("an f64 has eight bytes");
                Value::Float(f64::from_le_bytes(bytes))
            }
            Scalar::Unsigned(_) => Value::Unsigned(unsigned()),
            Scalar::Signed(width) => {
                let unused = 64 - 8 * width as u32;
                Value::Signed((unsigned() << unused).cast_signed() >> unused)
            }
        })
    }

    /// Text behind its length. NULs at the end, which some handlers of VPP send along, are dropped.
    fn var_text(&mut self) -> Result<Value> {
        let len = self.scalar(Scalar::Unsigned(Width::W4))?;
        let len = len.as_u64().expect("a length is unsigned");
        let bytes = self.bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
        let end = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1);
        Ok(Value::Text(bytes[..end].to_vec()))
    }

    fn array(&mut self, element: &Element, count: usize) -> Result<Value> {
        let shape = element.shape();
        let needed = self.plan.size(&shape).min.saturating_mul(count);
        if needed > self.rest.len() {
            return Err(self.truncated(needed));
        }
        self.budget.take(count)?;
        let mut elements = Vec::with_capacity(count);
        for index in 0..count {
            elements.push(self.value(&shape, 0).map_err(|error| error.at(index))?);
        }
        Ok(Value::Array(elements))
    }
}

/// Appends values to a message.
#[derive(Debug)]
pub(super) struct Encoder<'p, 'o> {
    plan: &'p Plan,
    out: &'o mut Vec<u8>,
}

impl<'p, 'o> Encoder<'p, 'o> {
    pub(super) const fn new(plan: &'p Plan, out: &'o mut Vec<u8>) -> Self {
        Self { plan, out }
    }

    /// Appends fields by name. Count fields are taken from the arrays they count.
    pub(super) fn fields(&mut self, plan: &StructPlan, fields: &Fields) -> Result<()> {
        for (index, field) in plan.fields.iter().enumerate() {
            let done = match field.counts {
                Some(_) => self.count(plan, index, fields),
                None => {
                    lookup(fields, index, field).and_then(|value| self.value(&field.shape, value))
                }
            };
            done.map_err(|error| error.within(&field.name))?;
        }
        Ok(())
    }

    /// Appends the count field `at`: the length that all arrays it counts have.
    fn count(&mut self, plan: &StructPlan, at: usize, fields: &Fields) -> Result<()> {
        let mut count = None;
        for (index, field) in plan.fields.iter().enumerate() {
            if field.shape.counted_by() == Some(at) {
                let value = lookup(fields, index, field);
                let len = match value.map_err(|error| error.within(&field.name))? {
                    Value::Bytes(bytes) => bytes.len(),
                    Value::Array(elements) => elements.len(),
                    // Reported when its turn comes.
                    _ => 0,
                };
                if count.is_some_and(|count| count != len) {
                    return Err(CodecErrorKind::CountsDiffer.into());
                }
                count = Some(len);
            }
        }
        let len = count.unwrap_or(0);
        let scalar = self
            .plan
            .scalar_of(&plan.fields[at].shape)
            .expect("a count is a scalar");
        let max = scalar.max_unsigned();
        match u64::try_from(len) {
            Ok(count) if count <= max => {
                self.unsigned(count, scalar.size());
                Ok(())
            }
            _ => Err(CodecErrorKind::TooMany { len, max }.into()),
        }
    }

    pub(super) fn value(&mut self, shape: &Shape, value: &Value) -> Result<()> {
        match (shape, value) {
            (Shape::Scalar(scalar), value) => self.scalar(*scalar, value),
            (Shape::FixedText(size), Value::Text(text)) => self.fixed_text(*size, text),
            (Shape::VarText, Value::Text(text)) => {
                let len = text.len();
                let max = u32::MAX;
                let count = u32::try_from(len).map_err(|_| CodecErrorKind::TooMany {
                    len,
                    max: u64::from(max),
                })?;
                self.out.extend(count.to_be_bytes());
                self.out.extend(text);
                Ok(())
            }
            (Shape::Bytes(length), Value::Bytes(bytes)) => {
                check_length(*length, bytes.len())?;
                self.out.extend(bytes);
                Ok(())
            }
            (Shape::Array(element, length), Value::Array(elements)) => {
                check_length(*length, elements.len())?;
                let shape = element.shape();
                for (index, value) in elements.iter().enumerate() {
                    self.value(&shape, value).map_err(|error| error.at(index))?;
                }
                Ok(())
            }
            (Shape::Type(index), value) => {
                let plan = self.plan;
                let this = &plan.types[*index];
                match (&this.kind, value) {
                    (Kind::Struct(plan), Value::Struct(fields)) => self.fields(plan, fields),
                    (Kind::Union(_), Value::Bytes(bytes)) => {
                        check_length(Length::Fixed(this.size.min), bytes.len())?;
                        self.out.extend(bytes);
                        Ok(())
                    }
                    (Kind::Enum(plan), value) => self.scalar(plan.base, value),
                    (Kind::Alias(shape), value) => self.value(shape, value),
                    (Kind::Struct(_), _) => Err(unexpected("a structure", value)),
                    (Kind::Union(_), _) => Err(unexpected("the octets of a union", value)),
                }
            }
            (Shape::FixedText(_) | Shape::VarText, _) => Err(unexpected("text", value)),
            (Shape::Bytes(_), _) => Err(unexpected("octets", value)),
            (Shape::Array(..), _) => Err(unexpected("an array", value)),
        }
    }

    fn unsigned(&mut self, value: u64, size: usize) {
        self.out.extend(&value.to_be_bytes()[8 - size..]);
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value) -> Result<()> {
        let out_of_range = |value: &dyn ToString| {
            let (bits, signed) = scalar.bits();
            CodecErrorKind::OutOfRange {
                value: value.to_string(),
                bits,
                signed,
            }
        };
        match (scalar, value) {
            (Scalar::Bool, Value::Bool(value)) => self.out.push(u8::from(*value)),
            (Scalar::F64, Value::Float(value)) => self.out.extend(value.to_le_bytes()),
            (Scalar::Unsigned(_), Value::Unsigned(_) | Value::Signed(_)) => {
                match value
                    .as_u64()
                    .filter(|&value| value <= scalar.max_unsigned())
                {
                    Some(value) => self.unsigned(value, scalar.size()),
                    None => return Err(out_of_range(&Integer(value)).into()),
                }
            }
            (Scalar::Signed(width), Value::Unsigned(_) | Value::Signed(_)) => {
                let unused = 64 - 8 * width as u32;
                match value
                    .as_i64()
                    .filter(|&value| value << unused >> unused == value)
                {
                    Some(value) => self.unsigned(value.cast_unsigned(), scalar.size()),
                    None => return Err(out_of_range(&Integer(value)).into()),
                }
            }
            (Scalar::Bool, _) => return Err(unexpected("a truth value", value)),
            (Scalar::F64, _) => return Err(unexpected("a floating-point number", value)),
            _ => return Err(unexpected("an integer", value)),
        }
        Ok(())
    }

    fn fixed_text(&mut self, size: usize, text: &[u8]) -> Result<()> {
        if text.len() > size {
            return Err(CodecErrorKind::TextTooLong {
                len: text.len(),
                max: size,
            }
            .into());
        }
        if text.contains(&0) {
            return Err(CodecErrorKind::TextHasNul.into());
        }
        self.out.extend(text);
        self.out.resize(self.out.len() + size - text.len(), 0);
        Ok(())
    }
}

impl Shape {
    /// The field that tells this array's length.
    pub(super) const fn counted_by(&self) -> Option<usize> {
        match self {
            Self::Bytes(Length::Counted(at)) | Self::Array(_, Length::Counted(at)) => Some(*at),
            _ => None,
        }
    }
}

/// Prints the integer in a value.
struct Integer<'a>(&'a Value);

impl std::fmt::Display for Integer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Value::Unsigned(value) => value.fmt(f),
            Value::Signed(value) => value.fmt(f),
            other => f.write_str(other.kind()),
        }
    }
}

/// The value of a field: usually where the definition has it, else wherever it is.
fn lookup<'a>(fields: &'a Fields, index: usize, field: &FieldPlan) -> Result<&'a Value> {
    match fields.at(index) {
        Some((name, value)) if name == &*field.name => Ok(value),
        _ => fields
            .get(&field.name)
            .ok_or_else(|| CodecErrorKind::Missing.into()),
    }
}

fn check_length(length: Length, len: usize) -> Result<()> {
    match length {
        Length::Fixed(expected) if expected != len => {
            Err(CodecErrorKind::WrongLength { len, expected }.into())
        }
        _ => Ok(()),
    }
}

pub(super) fn unexpected(expected: &'static str, found: &Value) -> CodecError {
    CodecErrorKind::Kind {
        expected,
        found: found.kind(),
    }
    .into()
}
