//! Schemas to plans: names become numbers, counts and discriminators become links.
//!
//! A [`Schema`] is sound by itself (see its docs); types are therefore looked up in the schema that
//! names them, and two schemas may use one name for two types. What is checked here is what only
//! the codec asks for.

use std::collections::HashMap;
use std::sync::Arc;

use barrow_api::Schema;
use barrow_api::schema::{
    Bounds, Definition, Enumeration, Field, Message, Primitive, Scalar as SchemaScalar, Structure,
    TypeName, Value as OptionValue,
};
use barrow_wire::HeaderKind;

use super::Value;
use super::error::{PlanError, Problem};
use super::plan::{
    Element, EnumPlan, FieldPlan, Kind, Length, MemberPlan, MessagePlan, Plan, Scalar, Shape, Size,
    Special, StructPlan, TypePlan, UnionPlan, Width,
};

type Result<T> = std::result::Result<T, PlanError>;

pub(super) fn compile<'s>(schemas: impl IntoIterator<Item = &'s Schema>) -> Result<Plan> {
    let mut plan = Plan::default();
    for schema in schemas {
        let mut compiler = Compiler {
            schema,
            types: HashMap::new(),
            plan,
        };
        for message in schema.messages() {
            compiler.message(message)?;
        }
        plan = compiler.plan;
    }
    Ok(plan)
}

struct Compiler<'s> {
    schema: &'s Schema,
    /// Numbers of the schema's types compiled so far.
    types: HashMap<&'s str, usize>,
    plan: Plan,
}

impl<'s> Compiler<'s> {
    fn message(&mut self, message: &'s Message) -> Result<()> {
        let within = |error: PlanError| error.within(&message.name);
        let body = self.fields(message.body()).map_err(within)?;
        let header = self.header_kind(message);
        let size = self.size(&body);
        let plan = MessagePlan {
            name: message.name.as_str().into(),
            crc: message.crc,
            header,
            min_len: 2 + header.len() + size.min,
            body,
        };
        match self.plan.message(&plan.name) {
            None => {
                let index = self.plan.messages.len();
                self.plan
                    .message_names
                    .insert(Arc::clone(&plan.name), index);
                self.plan.messages.push(plan);
                Ok(())
            }
            Some(earlier) if earlier.crc == plan.crc && earlier.min_len == plan.min_len => Ok(()),
            Some(_) => Err(PlanError::new(&message.name, Problem::DefinedTwice)),
        }
    }

    /// As [`barrow_wire::Message::HEADER`] has it: who sends a message is told by the services.
    fn header_kind(&self, message: &Message) -> HeaderKind {
        let header = message.header();
        let mut services = self.schema.services().iter();
        let answers =
            services.any(|service| service.sent_by_server().any(|name| name == message.name));
        match (header.client_index, header.context) {
            (true, true) if answers => HeaderKind::ClientThenContext,
            (true, true) => HeaderKind::Request,
            (true, false) => HeaderKind::Event,
            (false, true) if self.schema.service(&message.name).is_some() => {
                HeaderKind::ContextOnly
            }
            (false, true) => HeaderKind::Reply,
            (false, false) => HeaderKind::None,
        }
    }

    /// The number of a type, after compiling it if that is yet to be done. Types do not contain
    /// themselves, which ends the recursion.
    fn resolve(&mut self, name: &str) -> Result<usize> {
        if let Some(&index) = self.types.get(name) {
            return Ok(index);
        }
        let schema = self.schema;
        let definition = schema
            .definition(name)
            .expect("a schema defines what it names");
        let kind = match definition {
            Definition::Structure(structure) => self.fields(&structure.fields).map(Kind::Struct),
            Definition::Union(structure) => self.union(structure).map(Kind::Union),
            Definition::Enum(enumeration) => enumerated(enumeration, false).map(Kind::Enum),
            Definition::Flags(enumeration) => enumerated(enumeration, true).map(Kind::Enum),
            Definition::Alias(alias) => {
                let bounds = alias.len.map_or(Bounds::Scalar, Bounds::Fixed);
                self.shape(&alias.ty, &bounds, &[]).map(Kind::Alias)
            }
        };
        let kind = kind.map_err(|error| error.within(name))?;
        let layout = schema.layout(name);
        if layout.min_len == 0 {
            return Err(PlanError::new(name, Problem::Empty));
        }
        let size = Size {
            min: layout.min_len as usize,
            fixed: !layout.variable,
        };
        let special = self.special(name, &kind);
        let index = self.plan.types.len();
        self.plan.types.push(TypePlan {
            kind,
            size,
            special,
        });
        self.types.insert(definition.name(), index);
        Ok(index)
    }

    fn fields(&mut self, fields: &'s [Field]) -> Result<StructPlan> {
        let mut plan = StructPlan {
            fields: Vec::with_capacity(fields.len()),
        };
        for field in fields {
            let earlier = &mut plan.fields;
            let shape = self.shape(&field.ty, &field.bounds, earlier);
            let shape = shape.map_err(|error| error.within(&field.name))?;
            if let Some(count) = shape.counted_by() {
                let array = earlier.len();
                earlier[count].counts.get_or_insert(array);
            }
            let default = self.schema.default_value(field);
            let default = default.map(|default| self.default_value(&shape, default));
            let discriminator = field
                .options
                .get("discriminator")
                .and_then(OptionValue::as_text);
            let discriminator = discriminator.and_then(|name| position(earlier, name));
            let name = field.name.as_str().into();
            plan.fields.push(FieldPlan {
                name,
                shape,
                default,
                counts: None,
                discriminator,
            });
        }
        Ok(plan)
    }

    fn union(&mut self, union: &'s Structure) -> Result<UnionPlan> {
        let mut members = Vec::with_capacity(union.fields.len());
        for field in &union.fields {
            let shape = self.shape(&field.ty, &field.bounds, &[]);
            let shape = shape.map_err(|error| error.within(&field.name))?;
            let case = field.options.get("case").and_then(OptionValue::as_text);
            let case = case.and_then(|item| self.item(item));
            members.push(MemberPlan {
                name: field.name.as_str().into(),
                shape,
                case,
            });
        }
        Ok(UnionPlan { members })
    }

    /// The value of an item of any enumeration: in C their names are unique.
    fn item(&self, name: &str) -> Option<i64> {
        let mut enumerations = self.schema.enums().iter().chain(self.schema.enumflags());
        enumerations.find_map(|enumeration| enumeration.value(name))
    }

    fn shape(&mut self, ty: &TypeName, bounds: &Bounds, earlier: &[FieldPlan]) -> Result<Shape> {
        let element = match (ty, bounds) {
            (TypeName::String, Bounds::Fixed(size)) => return Ok(Shape::FixedText(*size as usize)),
            (TypeName::String, Bounds::Open) => return Ok(Shape::VarText),
            (TypeName::String, Bounds::Scalar | Bounds::Counted(_)) => {
                return Err(PlanError::new("", Problem::BadString));
            }
            (TypeName::Primitive(primitive), _) => Element::Scalar(scalar(*primitive)),
            (TypeName::Defined(name), _) => Element::Type(self.resolve(name)?),
        };
        let length = match bounds {
            Bounds::Scalar | Bounds::Open => return Ok(element.shape()),
            Bounds::Fixed(len) => Length::Fixed(*len as usize),
            Bounds::Counted(count) => {
                let count = position(earlier, count);
                Length::Counted(count.expect("a schema's counts are earlier fields"))
            }
        };
        Ok(match element {
            Element::Scalar(Scalar::Unsigned(Width::W1)) => Shape::Bytes(length),
            element => Shape::Array(element, length),
        })
    }

    fn size(&self, plan: &StructPlan) -> Size {
        let sizes = plan.fields.iter().map(|field| self.plan.size(&field.shape));
        sizes.fold(
            Size {
                min: 0,
                fixed: true,
            },
            |sum, next| Size {
                min: sum.min + next.min,
                fixed: sum.fixed && next.fixed,
            },
        )
    }

    fn default_value(&self, shape: &Shape, default: SchemaScalar) -> Value {
        match default {
            SchemaScalar::Bool(value) => Value::Bool(value),
            SchemaScalar::Float(value) => Value::Float(value),
            SchemaScalar::Integer(value) => {
                let scalar = self.plan.scalar_of(shape);
                let value = scalar.and_then(|scalar| scalar.integer(value));
                value.expect("a schema's defaults suit their fields")
            }
        }
    }

    /// Whether a type is one of the addresses that JSON writes as text: by name, and by shape, as
    /// anybody may define a type of that name.
    fn special(&self, name: &str, kind: &Kind) -> Option<Special> {
        let octets = |len| match kind {
            Kind::Alias(shape) => *shape == Shape::Bytes(Length::Fixed(len)),
            _ => false,
        };
        let prefix = |address| self.is_prefix(kind, address);
        let (special, suits) = match name {
            "ip4_address" => (Special::Ip4, octets(4)),
            "ip6_address" => (Special::Ip6, octets(16)),
            "mac_address" => (Special::Mac, octets(6)),
            "address" => (Special::Address, self.is_address(kind)),
            "prefix" => (Special::Prefix, prefix(Special::Address)),
            "ip4_prefix" => (Special::Ip4Prefix, prefix(Special::Ip4)),
            "ip6_prefix" => (Special::Ip6Prefix, prefix(Special::Ip6)),
            _ => return None,
        };
        suits.then_some(special)
    }

    /// `af`, one octet, and `un`, a union of 16.
    fn is_address(&self, kind: &Kind) -> bool {
        let Kind::Struct(plan) = kind else {
            return false;
        };
        let [af, un] = &plan.fields[..] else {
            return false;
        };
        let union = match un.shape {
            Shape::Type(index) => {
                let this = &self.plan.types[index];
                this.size.min == 16 && matches!(this.kind, Kind::Union(_))
            }
            _ => false,
        };
        let octet = self.plan.size(&af.shape).min == 1;
        *af.name == *"af" && octet && *un.name == *"un" && union
    }

    /// `address`, of the given kind, and `len`, one octet.
    fn is_prefix(&self, kind: &Kind, special: Special) -> bool {
        let Kind::Struct(plan) = kind else {
            return false;
        };
        let [address, len] = &plan.fields[..] else {
            return false;
        };
        let holds = match address.shape {
            Shape::Type(index) => self.plan.types[index].special == Some(special),
            _ => false,
        };
        let octet = len.shape == Shape::Scalar(Scalar::Unsigned(Width::W1));
        *address.name == *"address" && holds && *len.name == *"len" && octet
    }
}

fn position(fields: &[FieldPlan], name: &str) -> Option<usize> {
    fields.iter().position(|field| *field.name == *name)
}

fn enumerated(enumeration: &Enumeration, flags: bool) -> Result<EnumPlan> {
    let base = scalar(enumeration.base);
    let suits = match base {
        Scalar::Unsigned(_) => true,
        Scalar::Signed(_) => !flags,
        Scalar::Bool | Scalar::F64 => false,
    };
    if !suits {
        return Err(PlanError::new("", Problem::BadBase));
    }
    let items = enumeration
        .items
        .iter()
        .map(|item| (item.name.as_str().into(), item.value));
    Ok(EnumPlan {
        base,
        items: items.collect(),
        flags,
    })
}

const fn scalar(primitive: Primitive) -> Scalar {
    match primitive {
        Primitive::U8 => Scalar::Unsigned(Width::W1),
        Primitive::U16 => Scalar::Unsigned(Width::W2),
        Primitive::U32 => Scalar::Unsigned(Width::W4),
        Primitive::U64 => Scalar::Unsigned(Width::W8),
        Primitive::I8 => Scalar::Signed(Width::W1),
        Primitive::I16 => Scalar::Signed(Width::W2),
        Primitive::I32 => Scalar::Signed(Width::W4),
        Primitive::I64 => Scalar::Signed(Width::W8),
        Primitive::F64 => Scalar::F64,
        Primitive::Bool => Scalar::Bool,
    }
}
