//! Messages made from random numbers.

use super::super::plan::{Kind, Length, Plan, Scalar, Shape, StructPlan};
use super::super::{Fields, Value};

/// A value of every field, made from random numbers. Unions are what their discriminator says,
/// which is what a sender would send.
pub(super) struct Maker<'p, 'r> {
    pub(super) plan: &'p Plan,
    pub(super) random: &'r mut dyn FnMut() -> u64,
}

impl Maker<'_, '_> {
    pub(super) fn fields(&mut self, plan: &StructPlan) -> Fields {
        let mut fields = Fields::new();
        for field in &plan.fields {
            let value = match field.discriminator {
                Some(at) => {
                    let case = fields.at(at).and_then(|(_, value)| value.as_i64());
                    self.union(&field.shape, case)
                }
                None => self.value(&field.shape),
            };
            fields.set(&field.name, value);
        }
        for field in plan.fields.iter().filter(|field| field.counts.is_some()) {
            let array = &plan.fields[field.counts.unwrap()].name;
            let len = match fields.get(array) {
                Some(Value::Bytes(bytes)) => bytes.len(),
                Some(Value::Array(elements)) => elements.len(),
                _ => unreachable!("only arrays are counted"),
            };
            fields.set(&field.name, u64::try_from(len).unwrap());
        }
        fields
    }

    fn union(&mut self, shape: &Shape, case: Option<i64>) -> Value {
        let Shape::Type(index) = shape else {
            unreachable!("a union is a type")
        };
        let this = &self.plan.types[*index];
        let Kind::Union(union) = &this.kind else {
            unreachable!("a discriminator is for a union")
        };
        let chosen = union.members.iter().find(|member| member.case == case);
        let size = chosen.map_or(this.size.min, |member| self.plan.size(&member.shape).min);
        let mut bytes = self.bytes(size);
        bytes.resize(this.size.min, 0);
        Value::Bytes(bytes)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.random)() as u8).collect()
    }

    fn value(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Scalar(scalar) => self.scalar(*scalar),
            Shape::FixedText(size) => {
                let len = (self.random)() as usize % (size + 1);
                Value::Text(
                    self.bytes(len)
                        .into_iter()
                        .map(|byte| byte.max(1))
                        .collect(),
                )
            }
            Shape::VarText => {
                let len = (self.random)() as usize % 5;
                Value::Text(
                    self.bytes(len)
                        .into_iter()
                        .map(|byte| byte.max(1))
                        .collect(),
                )
            }
            Shape::Bytes(length) => {
                let len = self.length(*length);
                Value::Bytes(self.bytes(len))
            }
            Shape::Array(element, length) => {
                let shape = element.shape();
                let len = self.length(*length);
                Value::Array((0..len).map(|_| self.value(&shape)).collect())
            }
            Shape::Type(index) => {
                let plan = self.plan;
                match &plan.types[*index].kind {
                    Kind::Struct(plan) => Value::Struct(self.fields(plan)),
                    Kind::Union(_) => Value::Bytes(self.bytes(plan.types[*index].size.min)),
                    // Often a value with a name.
                    Kind::Enum(plan) => match (self.random)() as usize % (plan.items.len() + 2) {
                        item if item < plan.items.len() => {
                            plan.value_of(&plan.items[item].0).unwrap()
                        }
                        _ => self.scalar(plan.base),
                    },
                    Kind::Alias(shape) => self.value(shape),
                }
            }
        }
    }

    fn length(&mut self, length: Length) -> usize {
        match length {
            Length::Fixed(length) => length,
            Length::Counted(_) => (self.random)() as usize % 4,
        }
    }

    fn scalar(&mut self, scalar: Scalar) -> Value {
        let random = (self.random)();
        match scalar {
            Scalar::Bool => Value::Bool(random & 1 == 1),
            // Values are compared with ==, which does not hold for NaN.
            Scalar::F64 => match f64::from_bits(random) {
                value if value.is_nan() => Value::Float(f64::INFINITY),
                value => Value::Float(value),
            },
            Scalar::Unsigned(_) => Value::Unsigned(random & scalar.max_unsigned()),
            Scalar::Signed(width) => {
                let unused = 64 - 8 * width as u32;
                Value::Signed((random << unused).cast_signed() >> unused)
            }
        }
    }
}
