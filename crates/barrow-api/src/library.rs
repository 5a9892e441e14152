//! Several schemas that share types.

use crate::schema::Schema;
use std::collections::HashMap;
use std::sync::Arc;

/// The schemas of a directory, which know of each other.
///
/// `.api.json` repeats imported types in every file and does not tell where they are defined. With all files at
/// hand that can be found out: a type belongs to the file that has it while no file imported there does. The
/// generator then writes each type once, in its own module.
#[derive(Clone, Debug, Default)]
pub struct Library {
    schemas: Vec<Schema>,
}

impl Library {
    /// Joins schemas; types that JSON left without a home get one.
    pub fn new(mut schemas: Vec<Schema>) -> Self {
        let homes: Vec<HashMap<String, String>> = {
            let by_module: HashMap<&str, &Schema> = schemas
                .iter()
                .map(|schema| (schema.module(), schema))
                .collect();
            schemas
                .iter()
                .map(|schema| homes(schema, &by_module))
                .collect()
        };
        for (schema, homes) in schemas.iter_mut().zip(homes) {
            schema.set_homes(|name| homes.get(name).map(|module| Arc::from(module.as_str())));
        }
        Self { schemas }
    }

    /// The schemas, as they were given.
    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// The schemas, as they were given, to keep.
    pub fn into_schemas(self) -> Vec<Schema> {
        self.schemas
    }

    /// The schema of a module.
    pub fn schema(&self, module: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.module() == module)
    }
}

/// The module of each type of `schema`.
fn homes(schema: &Schema, by_module: &HashMap<&str, &Schema>) -> HashMap<String, String> {
    let imports = imported(schema, by_module);
    let home = |name: &str| {
        let mut owners = imports
            .iter()
            .filter(|other| other.definition(name).is_some());
        let first = owners.find(|owner| {
            !imported(owner, by_module)
                .iter()
                .any(|other| other.definition(name).is_some())
        });
        first
            .map_or(schema.module(), |owner| owner.module())
            .to_owned()
    };
    schema
        .definitions()
        .map(|type_| (type_.name().to_owned(), home(type_.name())))
        .collect()
}

/// The schemas that `schema` imports, as far as they are here.
fn imported<'s>(schema: &Schema, by_module: &HashMap<&str, &'s Schema>) -> Vec<&'s Schema> {
    let modules = schema
        .imports()
        .iter()
        .map(|path| crate::source::module_name(path));
    modules
        .filter(|module| module != schema.module())
        .filter_map(|module| by_module.get(module.as_str()).copied())
        .collect()
}
