//! The resolved content of one interface file.
//!
//! A [`Schema`] comes from `.api` text ([`resolve`](crate::resolve), [`load`](crate::load)) or from `.api.json`
//! ([`json::read`](crate::json::read)), and holds together: every type that is named is defined, nothing contains
//! itself, at most the last field is of variable size, every count is an earlier field, every service names messages
//! of the file. What uses a schema (generator, codec, JSON writer) relies on that.

mod check;
mod default;
mod message;
mod types;

pub use check::Layout;
pub use default::Scalar;
pub use message::{Answer, Counter, CounterSet, Header, Message, Service, StatPath};
pub use types::{
    Alias, Bounds, Enumeration, Field, Item, Options, Primitive, Structure, TypeName, Value,
};

use crate::error::Error;
use check::Layouts;
use std::collections::HashMap;

/// The content of one interface file, with everything it imports.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    parts: Parts,
    names: HashMap<String, Place>,
    messages: HashMap<String, usize>,
    layouts: Layouts,
}

/// The lists that make a schema, in the order of VPP's JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) module: String,
    pub(crate) types: Vec<Structure>,
    pub(crate) messages: Vec<Message>,
    pub(crate) unions: Vec<Structure>,
    pub(crate) enums: Vec<Enumeration>,
    pub(crate) enumflags: Vec<Enumeration>,
    pub(crate) services: Vec<Service>,
    pub(crate) options: Options,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) crc: u32,
    pub(crate) own_crc: Option<u32>,
    pub(crate) imports: Vec<String>,
    pub(crate) counters: Vec<CounterSet>,
    pub(crate) paths: Vec<Vec<StatPath>>,
}

/// A type definition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Definition<'a> {
    /// Fields one after the other.
    Structure(&'a Structure),
    /// Members in one place.
    Union(&'a Structure),
    /// An integer with names.
    Enum(&'a Enumeration),
    /// An integer whose bits have names.
    Flags(&'a Enumeration),
    /// Another name.
    Alias(&'a Alias),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Structure(usize),
    Union(usize),
    Enum(usize),
    Flags(usize),
    Alias(usize),
}

impl<'a> Definition<'a> {
    /// The bare name.
    pub fn name(&self) -> &'a str {
        match self {
            Self::Structure(definition) | Self::Union(definition) => &definition.name,
            Self::Enum(definition) | Self::Flags(definition) => &definition.name,
            Self::Alias(definition) => &definition.name,
        }
    }

    /// Where it is defined.
    pub fn origin(&self) -> &'a crate::Origin {
        match self {
            Self::Structure(definition) | Self::Union(definition) => &definition.origin,
            Self::Enum(definition) | Self::Flags(definition) => &definition.origin,
            Self::Alias(definition) => &definition.origin,
        }
    }
}

impl Schema {
    pub(crate) fn new(parts: Parts) -> Result<Self, Error> {
        let names = check::names(&parts)?;
        let mut schema = Self {
            parts,
            names,
            messages: HashMap::new(),
            layouts: Layouts::default(),
        };
        schema.layouts = check::layouts(&schema)?;
        schema.messages = check::messages(&schema)?;
        check::services(&schema)?;
        Ok(schema)
    }

    /// The module: the file's base name without extension.
    pub fn module(&self) -> &str {
        &self.parts.module
    }

    /// The structures, imported ones first; from JSON as often as they stand there.
    pub fn types(&self) -> &[Structure] {
        &self.parts.types
    }

    /// The messages of this file, in the order of their ids.
    pub fn messages(&self) -> &[Message] {
        &self.parts.messages
    }

    /// The unions, imported ones included.
    pub fn unions(&self) -> &[Structure] {
        &self.parts.unions
    }

    /// The plain enumerations, imported ones included.
    pub fn enums(&self) -> &[Enumeration] {
        &self.parts.enums
    }

    /// The enumerations of flags, imported ones included.
    pub fn enumflags(&self) -> &[Enumeration] {
        &self.parts.enumflags
    }

    /// The services of this file, derived ones included.
    pub fn services(&self) -> &[Service] {
        &self.parts.services
    }

    /// The options of the file.
    pub fn options(&self) -> &Options {
        &self.parts.options
    }

    /// The option `version`, or the empty text.
    pub fn version(&self) -> &str {
        self.options()
            .get("version")
            .and_then(Value::as_text)
            .unwrap_or_default()
    }

    /// The aliases, imported ones included.
    pub fn aliases(&self) -> &[Alias] {
        &self.parts.aliases
    }

    /// The CRC of the file with the contents of its imports: `vl_api_version` in JSON.
    pub fn crc(&self) -> u32 {
        self.parts.crc
    }

    /// The CRC of the file without its imports. JSON does not tell it.
    pub fn own_crc(&self) -> Option<u32> {
        self.parts.own_crc
    }

    /// The name by which `get_first_msg_id` knows the file: module, underscore, CRC without imports.
    pub fn range_name(&self) -> Option<String> {
        self.own_crc()
            .map(|crc| format!("{}_{crc:08x}", self.module()))
    }

    /// The paths of all files imported, also indirectly.
    pub fn imports(&self) -> &[String] {
        &self.parts.imports
    }

    /// The sets of counters.
    pub fn counters(&self) -> &[CounterSet] {
        &self.parts.counters
    }

    /// The statistics paths, one list for each `paths` block.
    pub fn paths(&self) -> &[Vec<StatPath>] {
        &self.parts.paths
    }

    /// The definition of the type with this bare name.
    pub fn definition(&self, name: &str) -> Option<Definition<'_>> {
        Some(match *self.names.get(name)? {
            Place::Structure(at) => Definition::Structure(&self.parts.types[at]),
            Place::Union(at) => Definition::Union(&self.parts.unions[at]),
            Place::Enum(at) => Definition::Enum(&self.parts.enums[at]),
            Place::Flags(at) => Definition::Flags(&self.parts.enumflags[at]),
            Place::Alias(at) => Definition::Alias(&self.parts.aliases[at]),
        })
    }

    /// All type definitions, each once: enumerations, flags, aliases, structures, unions.
    pub fn definitions(&self) -> impl Iterator<Item = Definition<'_>> {
        let parts = &self.parts;
        let enums = parts.enums.iter().map(|definition| &definition.name);
        let flags = parts.enumflags.iter().map(|definition| &definition.name);
        let aliases = parts.aliases.iter().map(|definition| &definition.name);
        let structures = parts
            .types
            .iter()
            .chain(&parts.unions)
            .map(|definition| &definition.name);
        let mut seen = std::collections::HashSet::new();
        enums
            .chain(flags)
            .chain(aliases)
            .chain(structures)
            .filter(move |name| seen.insert(name.as_str()))
            .filter_map(|name| self.definition(name))
    }

    /// The message with this name.
    pub fn message(&self, name: &str) -> Option<&Message> {
        self.messages.get(name).map(|&at| &self.parts.messages[at])
    }

    /// The service that the message `request` asks for.
    pub fn service(&self, request: &str) -> Option<&Service> {
        self.services()
            .iter()
            .find(|service| service.request == request)
    }

    /// The size of a defined type.
    ///
    /// # Panics
    /// When the schema has no such type; every name in the schema's own fields is defined.
    pub fn layout(&self, name: &str) -> Layout {
        self.layouts
            .get(name)
            .expect("every type named in a schema is defined in it")
    }

    /// The size of a field; of a counted array, without its elements.
    pub fn field_layout(&self, field: &Field) -> Layout {
        self.layouts
            .field(field)
            .expect("the fields of a schema were checked")
    }

    /// The size of fields one after the other.
    pub fn fields_layout(&self, fields: &[Field]) -> Layout {
        fields.iter().fold(Layout::default(), |sum, field| {
            sum.then(self.field_layout(field))
        })
    }

    /// The `default` of a field, as a value of the field's own type.
    pub fn default_value(&self, field: &Field) -> Option<Scalar> {
        default::default_of(self, field).expect("the defaults of a schema were checked")
    }

    /// What the names of aliases stand for: the first type behind `name` that is no alias of a single defined type.
    pub fn unalias<'s>(&'s self, name: &'s str) -> Option<Definition<'s>> {
        let mut definition = self.definition(name)?;
        while let Definition::Alias(Alias {
            ty: TypeName::Defined(target),
            len: None,
            ..
        }) = definition
        {
            definition = self.definition(target)?;
        }
        Some(definition)
    }

    pub(crate) fn set_crcs(&mut self, crc: impl Fn(&Message) -> u32) {
        for message in &mut self.parts.messages {
            message.crc = crc(message);
        }
    }

    /// Says in which module each type is defined, where JSON did not tell: see [`Library`](crate::Library).
    pub(crate) fn set_homes(&mut self, home: impl Fn(&str) -> Option<std::sync::Arc<str>>) {
        let parts = &mut self.parts;
        let structures = parts.types.iter_mut().chain(&mut parts.unions);
        structures.for_each(|definition| definition.origin.file = home(&definition.name));
        let enumerations = parts.enums.iter_mut().chain(&mut parts.enumflags);
        enumerations.for_each(|definition| definition.origin.file = home(&definition.name));
        parts
            .aliases
            .iter_mut()
            .for_each(|definition| definition.origin.file = home(&definition.name));
    }
}
