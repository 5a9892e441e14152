//! The sections of features.

use super::{Config, ConfigError, Settings, Warning, Words};
use std::{collections::BTreeMap, fmt};

type Handler = Box<dyn FnMut(&mut Words<'_>) -> Result<(), ConfigError>>;

/// Which feature reads which section.
///
/// A handler keeps what it read in its own state (an `Rc<RefCell<…>>` shared with its feature); it is called once for
/// each section of its name, before the node starts.
#[derive(Default)]
pub struct ConfigRegistry {
    handlers: BTreeMap<&'static str, Handler>,
}

/// Two owners for one section.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the section `{0}' has an owner already")]
pub struct SectionAlreadyRegistered(pub &'static str);

impl ConfigRegistry {
    /// Makes `handler` the owner of the section `name`.
    ///
    /// # Errors
    /// [`SectionAlreadyRegistered`] when a feature or the engine owns it.
    pub fn section(
        &mut self,
        name: &'static str,
        handler: impl FnMut(&mut Words<'_>) -> Result<(), ConfigError> + 'static,
    ) -> Result<(), SectionAlreadyRegistered> {
        if Settings::owns(name) || self.handlers.contains_key(name) {
            return Err(SectionAlreadyRegistered(name));
        }
        self.handlers.insert(name, Box::new(handler));
        Ok(())
    }

    /// Hands every section of `config` that is not the engine's own to its owner, in their order. Sections without an
    /// owner are named in the warnings.
    ///
    /// # Errors
    /// The first error of a handler, or an unknown word where a handler stopped reading.
    pub fn apply(&mut self, config: &Config) -> Result<Vec<Warning>, ConfigError> {
        let mut warnings = Vec::new();
        for section in config
            .sections()
            .filter(|section| !Settings::owns(section.name()))
        {
            match self.handlers.get_mut(section.name()) {
                Some(handler) => {
                    let mut words = section.words();
                    handler(&mut words)?;
                    words.keyword(&[])?;
                }
                None => warnings.push(Warning {
                    position: section.position(),
                    text: format!("unknown section `{}' is ignored", section.name()),
                }),
            }
        }
        Ok(warnings)
    }
}

impl fmt::Debug for ConfigRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}
