//! What the option `default` of a field means.

use super::{Alias, Bounds, Definition, Field, Primitive, Schema, TypeName, Value};

/// A value of a base type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// Of `bool`.
    Bool(bool),
    /// Of an integer, in its range.
    Integer(i128),
    /// Of `f64`.
    Float(f64),
}

/// The option's value does not suit the field.
#[derive(Debug)]
pub(super) struct Unsuitable;

/// The default of a field, if it has one.
///
/// Scalars have defaults: base types, enumerations (by number or by the name of an item) and aliases of these. VPP
/// writes `0xffffffff` where all bits are meant, whatever the type; so a number is taken modulo the type's size.
pub(super) fn default_of(schema: &Schema, field: &Field) -> Result<Option<Scalar>, Unsuitable> {
    let Some(value) = field.options.get("default") else {
        return Ok(None);
    };
    if field.bounds != Bounds::Scalar {
        return Err(Unsuitable);
    }
    let scalar = match &field.ty {
        TypeName::Primitive(primitive) => of_primitive(*primitive, value),
        TypeName::String => None,
        TypeName::Defined(name) => match schema.unalias(name) {
            Some(Definition::Alias(Alias {
                ty: TypeName::Primitive(primitive),
                len: None,
                ..
            })) => of_primitive(*primitive, value),
            Some(Definition::Enum(enumeration) | Definition::Flags(enumeration)) => {
                let item = value.as_text().and_then(|name| enumeration.value(name));
                match item {
                    Some(value) => Some(Scalar::Integer(value.into())),
                    None => of_primitive(enumeration.base, value),
                }
            }
            _ => None,
        },
    };
    scalar.map(Some).ok_or(Unsuitable)
}

fn of_primitive(primitive: Primitive, value: &Value) -> Option<Scalar> {
    match (primitive, value) {
        (Primitive::Bool, value) => value.as_bool().map(Scalar::Bool),
        (Primitive::F64, Value::Float(value)) => Some(Scalar::Float(*value)),
        (Primitive::F64, value) => value.as_integer().map(|value| Scalar::Float(value as f64)),
        (_, Value::Float(value)) if value.fract() == 0.0 => {
            Some(Scalar::Integer(wrap(*value as i128, primitive)))
        }
        (_, value) => value
            .as_integer()
            .map(|value| Scalar::Integer(wrap(value, primitive))),
    }
}

/// `value` modulo the size of `primitive`.
fn wrap(value: i128, primitive: Primitive) -> i128 {
    let range = primitive.range();
    let modulus = range.end() - range.start() + 1;
    (value - range.start()).rem_euclid(modulus) + range.start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoImports, parse, resolve};

    fn default(declaration: &str) -> Option<Scalar> {
        let text = format!(
            "enum kind : u8 {{ A, B = 5, }}; typedef u32 index;
             typedef vl_api_index_t again; typedef probe {{ {declaration} }};"
        );
        let schema = resolve(&parse(&text).unwrap(), &NoImports).ok()?;
        schema.default_value(&schema.types()[0].fields[0])
    }

    #[test]
    fn a_default_is_a_value_of_the_fields_type() {
        assert_eq!(default("u16 a [default=7];"), Some(Scalar::Integer(7)));
        assert_eq!(
            default("u8 a [default=0xffffffff];"),
            Some(Scalar::Integer(255))
        );
        assert_eq!(
            default("i32 a [default=0xffffffff];"),
            Some(Scalar::Integer(-1))
        );
        assert_eq!(default("bool a [default=true];"), Some(Scalar::Bool(true)));
        assert_eq!(
            default("bool a [default=0xffffffff];"),
            Some(Scalar::Bool(true))
        );
        assert_eq!(
            default("bool a [default=false];"),
            Some(Scalar::Bool(false))
        );
        assert_eq!(default("f64 a [default=1.5];"), Some(Scalar::Float(1.5)));
        assert_eq!(default("f64 a [default=2];"), Some(Scalar::Float(2.0)));
        assert_eq!(
            default("vl_api_kind_t a [default=B];"),
            Some(Scalar::Integer(5))
        );
        assert_eq!(
            default("vl_api_again_t a [default=-1];"),
            Some(Scalar::Integer(0xffff_ffff))
        );
    }

    #[test]
    fn what_has_no_meaning_for_the_type_is_refused() {
        assert_eq!(default("u8 a [default=true];"), None);
        assert_eq!(default("u8 a [default=1.5];"), None);
        assert_eq!(default("vl_api_kind_t a [default=C];"), None);
    }
}
