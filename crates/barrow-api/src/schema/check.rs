//! What makes a schema hold together.

use super::default::default_of;
use super::{
    Bounds, Definition, Enumeration, Field, Parts, Place, Primitive, Schema, Structure, TypeName,
};
use crate::error::{Error, MeaningError};
use crate::source::Origin;
use std::collections::{HashMap, HashSet};

/// How deep types may nest.
const MAX_DEPTH: u32 = 64;

/// The largest fixed part of a type or message, in bytes. VPP's largest is 2,052.
const MAX_LEN: u64 = 1 << 20;

/// The size of a type or field on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the fixed part; of the whole, if it is not variable.
    pub min_len: u32,
    /// Whether more can follow: an array counted by a field, or text behind its length.
    pub variable: bool,
    /// Whether an `f64` is inside, so that values have no exact equality.
    pub has_float: bool,
}

impl Layout {
    /// The size of this and `next` behind it.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            min_len: self.min_len.saturating_add(next.min_len),
            variable: self.variable || next.variable,
            has_float: self.has_float || next.has_float,
        }
    }
}

/// The sizes of all types of a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layouts(HashMap<String, (Layout, u32)>);

impl Layouts {
    pub(super) fn get(&self, name: &str) -> Option<Layout> {
        self.0.get(name).map(|(layout, _)| *layout)
    }

    /// The size of a field whose type is known; none if unknown or absurdly large.
    pub(super) fn field(&self, field: &Field) -> Option<Layout> {
        let one = match &field.ty {
            TypeName::Primitive(primitive) => Layout {
                min_len: primitive.len(),
                variable: false,
                has_float: *primitive == Primitive::F64,
            },
            TypeName::String => Layout {
                min_len: 1,
                ..Layout::default()
            },
            TypeName::Defined(name) => self.get(name)?,
        };
        Some(match field.bounds {
            Bounds::Scalar => one,
            Bounds::Fixed(len) => Layout {
                min_len: one.min_len.checked_mul(len)?,
                ..one
            },
            Bounds::Counted(_) => Layout {
                min_len: 0,
                variable: true,
                ..one
            },
            Bounds::Open => Layout {
                min_len: 4,
                variable: true,
                ..one
            },
        })
    }
}

/// Where each type is; refuses two different definitions of one name.
pub(super) fn names(parts: &Parts) -> Result<HashMap<String, Place>, Error> {
    let mut names = HashMap::new();
    let mut add =
        |name: &str, origin: &Origin, place: Place, same: &dyn Fn(Place) -> bool| match names
            .get(name)
        {
            Some(&earlier) if same(earlier) => Ok(()),
            Some(_) => Err(origin.error(MeaningError::DefinedTwice(name.to_owned()))),
            None => {
                names.insert(name.to_owned(), place);
                Ok(())
            }
        };
    for (at, new) in parts.types.iter().enumerate() {
        let same = |place| matches!(place, Place::Structure(old) if parts.types[old] == *new);
        add(&new.name, &new.origin, Place::Structure(at), &same)?;
    }
    for (at, new) in parts.unions.iter().enumerate() {
        let same = |place| matches!(place, Place::Union(old) if parts.unions[old] == *new);
        add(&new.name, &new.origin, Place::Union(at), &same)?;
    }
    for (at, new) in parts.enums.iter().enumerate() {
        let same = |place| matches!(place, Place::Enum(old) if parts.enums[old] == *new);
        add(&new.name, &new.origin, Place::Enum(at), &same)?;
    }
    for (at, new) in parts.enumflags.iter().enumerate() {
        let same = |place| matches!(place, Place::Flags(old) if parts.enumflags[old] == *new);
        add(&new.name, &new.origin, Place::Flags(at), &same)?;
    }
    for (at, new) in parts.aliases.iter().enumerate() {
        let same = |place| matches!(place, Place::Alias(old) if parts.aliases[old] == *new);
        add(&new.name, &new.origin, Place::Alias(at), &same)?;
    }
    Ok(names)
}

/// The sizes of all types; refuses what contains itself, nests too deep or is too large.
pub(super) fn layouts(schema: &Schema) -> Result<Layouts, Error> {
    let mut sizes = Layouts::default();
    for definition in schema.definitions() {
        if let Definition::Enum(enumeration) = definition {
            check_enumeration(enumeration, false)?;
        }
        if let Definition::Flags(enumeration) = definition {
            check_enumeration(enumeration, true)?;
        }
        size(schema, definition, 0, &mut sizes)?;
    }
    Ok(sizes)
}

/// Adds the size of `definition` and of what it is made of; returns how deep it nests.
fn size(
    schema: &Schema,
    definition: Definition<'_>,
    depth: u32,
    sizes: &mut Layouts,
) -> Result<u32, Error> {
    let name = definition.name();
    let fail =
        |error: fn(String) -> MeaningError| definition.origin().error(error(name.to_owned()));
    let inner = |field_type: &TypeName, origin: &Origin, sizes: &mut Layouts| {
        let Some(inner) = field_type.defined() else {
            return Ok(0);
        };
        let Some(found) = schema.definition(inner) else {
            return Err(origin.error(MeaningError::UnknownType(field_type.to_string())));
        };
        match sizes.0.get(inner) {
            Some((_, height)) => Ok(*height),
            None => size(schema, found, depth + 1, sizes),
        }
    };
    if depth > MAX_DEPTH {
        return Err(fail(MeaningError::TooDeep));
    }
    let mut height = 0;
    let layout = match definition {
        Definition::Enum(enumeration) | Definition::Flags(enumeration) => Layout {
            min_len: enumeration.base.len(),
            ..Layout::default()
        },
        Definition::Alias(alias) => {
            height = inner(&alias.ty, &alias.origin, sizes)?;
            let bounds = alias.len.map_or(Bounds::Scalar, Bounds::Fixed);
            let field = alias_field(alias, bounds);
            sizes
                .field(&field)
                .ok_or_else(|| fail(MeaningError::TooLarge))?
        }
        Definition::Structure(block) | Definition::Union(block) => {
            for field in &block.fields {
                height = height.max(inner(&field.ty, &field.origin, sizes)?);
            }
            check_fields(&block.name, &block.fields, schema, sizes)?;
            block_size(definition, block, sizes)?
        }
    };
    if height >= MAX_DEPTH {
        return Err(fail(MeaningError::TooDeep));
    }
    if u64::from(layout.min_len) > MAX_LEN {
        return Err(fail(MeaningError::TooLarge));
    }
    sizes.0.insert(name.to_owned(), (layout, height + 1));
    Ok(height + 1)
}

/// An alias behaves like a field of its type.
fn alias_field(alias: &super::Alias, bounds: Bounds) -> Field {
    Field {
        name: alias.name.clone(),
        ty: alias.ty.clone(),
        bounds,
        options: super::Options::default(),
        comment: None,
        origin: alias.origin.clone(),
    }
}

fn block_size(
    definition: Definition<'_>,
    block: &Structure,
    sizes: &Layouts,
) -> Result<Layout, Error> {
    let too_large = || {
        block
            .origin
            .error(MeaningError::TooLarge(block.name.clone()))
    };
    let mut sum = Layout::default();
    for field in &block.fields {
        let next = sizes.field(field).ok_or_else(too_large)?;
        if u64::from(sum.min_len) + u64::from(next.min_len) > MAX_LEN {
            return Err(too_large());
        }
        if let Definition::Union(_) = definition {
            if next.variable {
                let error = MeaningError::VariableInside(field.name.clone());
                return Err(field.origin.error(error));
            }
            sum = Layout {
                min_len: sum.min_len.max(next.min_len),
                variable: false,
                has_float: sum.has_float || next.has_float,
            };
        } else {
            sum = sum.then(next);
        }
    }
    Ok(sum)
}

/// The rules for the fields of one block, whose types must be known to `sizes`.
fn check_fields(
    block: &str,
    fields: &[Field],
    schema: &Schema,
    sizes: &Layouts,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (at, field) in fields.iter().enumerate() {
        let fail = |error: MeaningError| Err(field.origin.error(error));
        if !seen.insert(field.name.as_str()) {
            let (name, block) = (field.name.clone(), block.to_owned());
            return fail(MeaningError::OccursTwice { name, block });
        }
        if let Some(name) = field.ty.defined()
            && sizes.get(name).is_none()
        {
            return fail(MeaningError::UnknownType(field.ty.to_string()));
        }
        let Some(layout) = sizes.field(field) else {
            return fail(MeaningError::TooLarge(field.name.clone()));
        };
        let element_is_variable = field
            .ty
            .defined()
            .and_then(|name| sizes.get(name))
            .is_some_and(|one| one.variable);
        if element_is_variable && field.bounds != Bounds::Scalar {
            return fail(MeaningError::VariableElements(field.name.clone()));
        }
        if layout.variable && at + 1 < fields.len() {
            return fail(MeaningError::VariableInside(field.name.clone()));
        }
        if let Bounds::Counted(count) = &field.bounds {
            let counts = |earlier: &Field| {
                earlier.name == *count
                    && earlier.bounds == Bounds::Scalar
                    && matches!(earlier.ty, TypeName::Primitive(p) if p.is_count())
            };
            if !fields[..at].iter().any(counts) {
                let (array, count) = (field.name.clone(), count.clone());
                return fail(MeaningError::BadCount { array, count });
            }
        }
        check_discriminator(field, &fields[..at], schema)?;
        if default_of(schema, field).is_err() {
            let value = field
                .options
                .get("default")
                .map(ToString::to_string)
                .unwrap_or_default();
            return fail(MeaningError::BadDefault {
                field: field.name.clone(),
                value,
            });
        }
    }
    Ok(())
}

/// `discriminator=<field>`: an earlier field with an enumeration type, on a union whose members all have a case.
fn check_discriminator(field: &Field, earlier: &[Field], schema: &Schema) -> Result<(), Error> {
    let Some(value) = field.options.get("discriminator") else {
        return Ok(());
    };
    let fail = |reason| {
        let (union, discriminator) = (field.name.clone(), value.to_string());
        Err(field.origin.error(MeaningError::BadDiscriminator {
            union,
            discriminator,
            reason,
        }))
    };
    let definition_of = |field: &Field| field.ty.defined().and_then(|name| schema.definition(name));
    let Some(selector) = earlier
        .iter()
        .find(|field| value.as_text() == Some(&field.name))
    else {
        return fail("it is not an earlier field");
    };
    let Some(Definition::Enum(selector) | Definition::Flags(selector)) = definition_of(selector)
    else {
        return fail("it is not of an enumeration type");
    };
    let Some(Definition::Union(union)) = definition_of(field) else {
        return fail("the field is not a union");
    };
    let mut cases = HashSet::new();
    for member in &union.fields {
        let Some(case) = member.options.get("case").and_then(super::Value::as_text) else {
            return fail("a member of the union has no case");
        };
        if selector.value(case).is_none() {
            return fail("a case is not an item of the enumeration");
        }
        if !cases.insert(case) {
            return fail("two members have the same case");
        }
    }
    Ok(())
}

/// The rules for the items of one enumeration.
fn check_enumeration(enumeration: &Enumeration, flags: bool) -> Result<(), Error> {
    let base = enumeration.base;
    let mut seen = HashSet::new();
    let mut after_compatible = false;
    for item in &enumeration.items {
        let (name, value) = (item.name.clone(), item.value);
        if !seen.insert(item.name.as_str()) {
            let block = enumeration.name.clone();
            return Err(item.origin.error(MeaningError::OccursTwice { name, block }));
        }
        if !base.range().contains(&value.into()) {
            let error = MeaningError::ValueOutOfRange {
                item: name,
                value,
                base: base.name(),
            };
            return Err(item.origin.error(error));
        }
        if flags && value & value.wrapping_sub(1) != 0 {
            return Err(item
                .origin
                .error(MeaningError::SeveralBits { item: name, value }));
        }
        if after_compatible && !item.is_backwards_compatible() {
            return Err(item
                .origin
                .error(MeaningError::NotBackwardsCompatible(name)));
        }
        after_compatible = item.is_backwards_compatible();
    }
    Ok(())
}

/// Where each message is; checks their fields.
pub(super) fn messages(schema: &Schema) -> Result<HashMap<String, usize>, Error> {
    let mut found = HashMap::new();
    for (at, message) in schema.messages().iter().enumerate() {
        check_fields(&message.name, &message.fields, schema, &schema.layouts)?;
        let mut len = 2_u64;
        for field in &message.fields {
            len += u64::from(schema.field_layout(field).min_len);
        }
        if len > MAX_LEN {
            return Err(message
                .origin
                .error(MeaningError::TooLarge(message.name.clone())));
        }
        if found.insert(message.name.clone(), at).is_some() {
            return Err(message
                .origin
                .error(MeaningError::DefinedTwice(message.name.clone())));
        }
    }
    Ok(found)
}

/// Every service names messages of the file, once.
pub(super) fn services(schema: &Schema) -> Result<(), Error> {
    let mut requests = HashSet::new();
    let origin = |name: &str| {
        schema
            .message(name)
            .map(|m| m.origin.clone())
            .unwrap_or_default()
    };
    for service in schema.services() {
        let request = service.request.as_str();
        let names = std::iter::once(request).chain(service.sent_by_server());
        for name in names {
            if schema.message(name).is_none() {
                let error = MeaningError::NotAMessage(name.to_owned());
                return Err(origin(request).error(error));
            }
        }
        if !requests.insert(request) {
            return Err(origin(request).error(MeaningError::TwoServices(request.to_owned())));
        }
    }
    let mut replies = schema
        .services()
        .iter()
        .filter_map(|service| service.answer.reply());
    match replies.find(|reply| requests.contains(reply)) {
        Some(reply) => Err(origin(reply).error(MeaningError::RequestIsReply(reply.to_owned()))),
        None => Ok(()),
    }
}
