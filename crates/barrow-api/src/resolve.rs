//! From syntax tree to schema: imports, implicit replies, services, CRCs (binary-api.md, sections 4.3 to 5.6).

use crate::crc::{self, Text};
use crate::error::{Error, ImportError, MeaningError};
use crate::parse::{Define, File, Flag, Statement, parse_named};
use crate::schema::{
    Bounds, Definition, Field, Message, Options, Parts, Primitive, Schema, Structure, TypeName,
};
use crate::services;
use crate::source::{Importer, Origin, module_name};
use std::collections::{HashMap, HashSet};

/// How deep imports may nest.
const MAX_DEPTH: usize = 64;

/// Reads the `.api` file that `importer` finds as `path`, with all it imports.
///
/// # Errors
/// When a file cannot be had, leaves the grammar, or does not hold together.
pub fn load(path: &str, importer: &dyn Importer) -> Result<Schema, Error> {
    let nowhere = Origin {
        file: Some(path.into()),
        line: 1,
        column: 1,
    };
    let source = importer
        .import(path)
        .map_err(|error| nowhere.error(error))?;
    resolve(&parse_named(&source.file, &source.text)?, importer)
}

/// Makes a schema of a parsed file and what it imports.
///
/// # Errors
/// When an import fails or the definitions do not hold together.
pub fn resolve(file: &File, importer: &dyn Importer) -> Result<Schema, Error> {
    let mut resolver = Resolver::new(importer);
    let mut written = Vec::new();
    let (mut own, mut whole) = (Text::EMPTY, Text::EMPTY);
    for statement in &file.statements {
        if let Statement::Import { path, origin } = statement {
            whole = whole.then(resolver.import(path, origin)?);
            continue;
        }
        let text = match statement {
            Statement::Define(define) => {
                resolver.define(define)?;
                crc::block_text(&define.fields)
            }
            Statement::Option { name, value } => {
                resolver.parts.options.set(name, value.clone());
                Text::new(name)
            }
            Statement::Service(rpcs) => {
                written.extend_from_slice(rpcs);
                Text::EMPTY
            }
            Statement::Counters(set) => {
                resolver.parts.counters.push(set.clone());
                Text::EMPTY
            }
            Statement::Paths(paths) => {
                resolver.parts.paths.push(paths.clone());
                Text::EMPTY
            }
            definition => resolver.definition(definition)?,
        };
        own = own.then(text);
        whole = whole.then(text);
    }
    let mut parts = resolver.parts;
    parts.module = module_name(&file.name);
    parts.crc = whole.crc();
    parts.own_crc = Some(own.crc());
    parts.services = services::all(&parts.messages, &written)?;
    let mut schema = Schema::new(parts)?;
    let types = crc::Types::of(&schema);
    schema.set_crcs(|message| types.message(message).crc());
    Ok(schema)
}

struct Resolver<'i> {
    importer: &'i dyn Importer,
    parts: Parts,
    /// Bare names of the types defined so far.
    defined: HashSet<String>,
    /// The types of each file imported so far, as texts for the CRC.
    imported: HashMap<String, Text>,
    /// The imports that are being read.
    path: Vec<String>,
}

impl<'i> Resolver<'i> {
    fn new(importer: &'i dyn Importer) -> Self {
        Self {
            importer,
            parts: Parts::default(),
            defined: HashSet::new(),
            imported: HashMap::new(),
            path: Vec::new(),
        }
    }

    /// Takes in the types of a file and of what it imports. The CRC counts them at every import, the schema once.
    fn import(&mut self, path: &str, origin: &Origin) -> Result<Text, Error> {
        if let Some(text) = self.imported.get(path) {
            return Ok(*text);
        }
        if self.path.iter().any(|open| open == path) {
            return Err(origin.error(ImportError::Circle(path.to_owned())));
        }
        if self.path.len() >= MAX_DEPTH {
            return Err(origin.error(ImportError::TooDeep(path.to_owned())));
        }
        let source = self
            .importer
            .import(path)
            .map_err(|error| origin.error(error))?;
        let file = parse_named(&source.file, &source.text)?;
        self.path.push(path.to_owned());
        self.parts.imports.push(path.to_owned());
        let mut text = Text::EMPTY;
        for statement in &file.statements {
            text = text.then(match statement {
                Statement::Import { path, origin } => self.import(path, origin)?,
                definition => self.definition(definition)?,
            });
        }
        self.path.pop();
        self.imported.insert(path.to_owned(), text);
        Ok(text)
    }

    /// Adds a type; other statements are nothing to an importing file.
    fn definition(&mut self, statement: &Statement) -> Result<Text, Error> {
        let definition = match statement {
            Statement::Structure(structure) => Definition::Structure(structure),
            Statement::Union(union) => Definition::Union(union),
            Statement::Enum(enumeration) => Definition::Enum(enumeration),
            Statement::Flags(enumeration) => Definition::Flags(enumeration),
            Statement::Alias(alias) => Definition::Alias(alias),
            _ => return Ok(Text::EMPTY),
        };
        match definition {
            Definition::Structure(block) | Definition::Union(block) => self.known(&block.fields)?,
            Definition::Alias(alias) => self.known_type(&alias.ty, &alias.origin)?,
            Definition::Enum(_) | Definition::Flags(_) => {}
        }
        if !self.defined.insert(definition.name().to_owned()) {
            let error = MeaningError::DefinedTwice(definition.name().to_owned());
            return Err(definition.origin().error(error));
        }
        match definition {
            Definition::Structure(block) => self.parts.types.push(Structure::clone(block)),
            Definition::Union(block) => self.parts.unions.push(block.clone()),
            Definition::Enum(enumeration) => self.parts.enums.push(enumeration.clone()),
            Definition::Flags(enumeration) => self.parts.enumflags.push(enumeration.clone()),
            Definition::Alias(alias) => self.parts.aliases.push(alias.clone()),
        }
        Ok(crc::definition_text(definition))
    }

    fn define(&mut self, define: &Define) -> Result<(), Error> {
        self.known(&define.fields)?;
        let message = Message {
            name: define.name.clone(),
            fields: define.fields.clone(),
            crc: 0,
            options: define.options.clone(),
            comment: define.comment.clone(),
            origin: define.origin.clone(),
        };
        let reply = define
            .flags
            .contains(&Flag::Autoreply)
            .then(|| plain_reply(&message));
        self.parts.messages.push(message);
        self.parts.messages.extend(reply);
        Ok(())
    }

    /// Types are defined before they are used.
    fn known(&self, fields: &[Field]) -> Result<(), Error> {
        fields
            .iter()
            .try_for_each(|field| self.known_type(&field.ty, &field.origin))
    }

    fn known_type(&self, ty: &TypeName, origin: &Origin) -> Result<(), Error> {
        match ty.defined() {
            Some(name) if !self.defined.contains(name) => {
                Err(origin.error(MeaningError::UnknownType(ty.to_string())))
            }
            _ => Ok(()),
        }
    }
}

/// The reply that `autoreply` defines.
fn plain_reply(request: &Message) -> Message {
    let field = |name: &str, primitive| Field {
        name: name.to_owned(),
        ty: TypeName::Primitive(primitive),
        bounds: Bounds::Scalar,
        options: Options::default(),
        comment: None,
        origin: request.origin.clone(),
    };
    Message {
        name: format!("{}_reply", request.name),
        fields: vec![
            field("context", Primitive::U32),
            field("retval", Primitive::I32),
        ],
        crc: 0,
        options: request.options.clone(),
        comment: None,
        origin: request.origin.clone(),
    }
}
