//! What the generator can be told, and why it may refuse.

use std::collections::BTreeMap;

/// How the generated module fits into the crate around it.
#[derive(Clone, Debug)]
pub struct Options {
    pub(super) wire: String,
    pub(super) modules: BTreeMap<String, String>,
    pub(super) other_modules: String,
    pub(super) serde: Serde,
    pub(super) json: Json,
}

/// Whether generated types derive serde's traits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Serde {
    /// No.
    #[default]
    No,
    /// Yes. The crate depends on `serde`, and on `barrow-wire` with its feature `serde`.
    Yes,
    /// If this Cargo feature of the crate is on.
    Feature(String),
}

/// Where the module's `ModuleInfo` gets the `.api.json` text from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Json {
    /// It has none.
    #[default]
    Without,
    /// It stands in the generated text.
    Literal,
    /// From a file, as `include_str!` finds it.
    Include(String),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wire: "::barrow_wire".to_owned(),
            modules: BTreeMap::new(),
            other_modules: "super".to_owned(),
            serde: Serde::default(),
            json: Json::default(),
        }
    }
}

impl Options {
    /// Where `barrow_wire` is; `::barrow_wire` unless told.
    #[must_use]
    pub fn wire_path(mut self, path: impl Into<String>) -> Self {
        self.wire = path.into();
        self
    }

    /// Where the bindings of one imported module are, for example `ip_types` in `::barrow_messages::ip_types`.
    #[must_use]
    pub fn module_path(mut self, module: impl Into<String>, path: impl Into<String>) -> Self {
        self.modules.insert(module.into(), path.into());
        self
    }

    /// Where the bindings of all other imported modules are: `ip_types` is in `<path>::ip_types`. `super` unless
    /// told.
    #[must_use]
    pub fn other_modules(mut self, path: impl Into<String>) -> Self {
        self.other_modules = path.into();
        self
    }

    pub(crate) fn wire(&self) -> &str {
        &self.wire
    }

    /// Whether types derive serde's traits.
    #[must_use]
    pub fn serde(mut self, serde: Serde) -> Self {
        self.serde = serde;
        self
    }

    /// Where the JSON text comes from.
    #[must_use]
    pub fn json(mut self, json: Json) -> Self {
        self.json = json;
        self
    }
}

/// A schema has no Rust form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// Two types or messages get the same name in Rust.
    #[error("`{first}` and `{second}` are both `{rust}` in Rust")]
    TypesCollide {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The name.
        rust: String,
    },
    /// Two fields get the same name in Rust.
    #[error("two fields of `{block}` are `{rust}` in Rust")]
    FieldsCollide {
        /// The structure or message.
        block: String,
        /// The name.
        rust: String,
    },
    /// A path of the options is no Rust path.
    #[error("`{0}` is not a path")]
    NotAPath(String),
}
