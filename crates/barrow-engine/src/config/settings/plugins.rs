//! `plugins { … }`: which features are wanted.

use crate::config::{ConfigError, Words};
use std::{collections::BTreeMap, path::PathBuf};

/// Whether a plugin is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginChoice {
    /// `enable`
    Enable,
    /// `disable`
    Disable,
}

/// The section `plugins`. Barrow's features are compiled in; the paths are kept for listings, the choices are by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PluginSettings {
    /// `path P` and `add-path P`
    pub paths: Vec<PathBuf>,
    /// `plugin default { … }`
    pub default: Option<PluginChoice>,
    /// `plugin NAME { … }`, by the name as it is written, such as `dpdk_plugin.so`.
    pub choices: BTreeMap<String, PluginChoice>,
}

impl PluginSettings {
    /// Whether the plugin `name` (with or without `_plugin.so`) is wanted, where the configuration says so.
    pub fn choice(&self, name: &str) -> Option<PluginChoice> {
        let stem = |text: &str| {
            text.trim_end_matches(".so")
                .trim_end_matches("_plugin")
                .to_owned()
        };
        let wanted = stem(name);
        let chosen = self
            .choices
            .iter()
            .find(|(written, _)| stem(written) == wanted);
        chosen.map(|(_, choice)| *choice).or(self.default)
    }

    pub(super) fn read(&mut self, mut words: Words<'_>) -> Result<(), ConfigError> {
        while let Some(word) = words.keyword(&["path", "add-path", "plugin"])? {
            if word != "plugin" {
                self.paths
                    .extend(words.text("a path")?.split(':').map(PathBuf::from));
                continue;
            }
            let name = words.text("a plugin's name")?;
            let mut inside = words.required_block()?;
            let mut choice = None;
            while let Some(word) = inside.keyword(&["enable", "disable", "skip-version-check"])? {
                choice = match word {
                    "enable" => Some(PluginChoice::Enable),
                    "disable" => Some(PluginChoice::Disable),
                    _ => choice,
                };
            }
            match choice {
                Some(choice) if name == "default" => self.default = Some(choice),
                Some(choice) => {
                    self.choices.insert(name.into(), choice);
                }
                None => {}
            }
        }
        Ok(())
    }
}
