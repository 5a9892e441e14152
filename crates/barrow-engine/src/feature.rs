//! What a feature is to the engine.

use crate::EngineBuilder;
use crate::api::ApiRegisterError;
use crate::arc::ArcError;
use crate::cli::DuplicateCommand;
use crate::config::SectionAlreadyRegistered;
use crate::node::NodeError;
use barrow_stats::EntryError;
use std::fmt;

/// One feature: a folder with its nodes, table, messages and commands, registered as a whole.
///
/// ```
/// use barrow_engine::{EngineBuilder, Feature, RegisterError};
///
/// struct Nothing;
/// impl Feature for Nothing {
///     fn register(self, _engine: &mut EngineBuilder) -> Result<(), RegisterError> {
///         Ok(())
///     }
/// }
/// ```
pub trait Feature {
    /// What listings say of it.
    fn about(&self) -> About {
        let path = std::any::type_name::<Self>();
        About::new(path.rsplit("::").next().unwrap_or(path), "")
    }

    /// Registers nodes, arcs, messages, commands, sections, tables. Runs once, on the main thread, before
    /// any packet; features register in the order in which the engine was given them.
    ///
    /// # Errors
    /// The engine is then not built.
    fn register(self, engine: &mut EngineBuilder) -> Result<(), RegisterError>;
}

/// What `show plugins` says of a feature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for, in a line.
    pub description: String,
}

impl About {
    /// A feature of this crate's version.
    #[must_use]
    pub fn new(name: &str, description: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            name: name.to_owned(),
            version,
            description: description.to_owned(),
        }
    }
}

/// Why a feature could not register.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A feature arc.
    #[error(transparent)]
    Arc(#[from] ArcError),
    /// A statistics entry.
    #[error("statistics segment: {0}")]
    Stats(#[from] EntryError),
    /// A message.
    #[error(transparent)]
    Api(#[from] ApiRegisterError),
    /// A command.
    #[error(transparent)]
    Command(#[from] DuplicateCommand),
    /// A configuration section.
    #[error(transparent)]
    Section(#[from] SectionAlreadyRegistered),
    /// Two features provide the same table.
    #[error("{0} is provided twice")]
    DuplicateTable(&'static str),
    /// A table that another feature, registered earlier, should have provided.
    #[error("{0} is not provided by any feature so far")]
    MissingTable(&'static str),
    /// Anything else, in the feature's words.
    #[error("{0}")]
    Other(String),
}

impl RegisterError {
    /// An error in the feature's own words.
    #[must_use]
    pub fn other(text: impl fmt::Display) -> Self {
        Self::Other(text.to_string())
    }
}

/// A feature without its type.
pub(crate) trait AnyFeature {
    fn about(&self) -> About;
    fn register(self: Box<Self>, engine: &mut EngineBuilder) -> Result<(), RegisterError>;
}

impl<F: Feature> AnyFeature for F {
    fn about(&self) -> About {
        Feature::about(self)
    }

    fn register(self: Box<Self>, engine: &mut EngineBuilder) -> Result<(), RegisterError> {
        Feature::register(*self, engine)
    }
}
