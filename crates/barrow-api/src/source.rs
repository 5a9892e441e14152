//! Where definitions come from: positions in files, and where imports are found.

use crate::error::{Error, ErrorKind, ImportError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file. Takes no part in comparisons: the same definition read from two places is equal.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The file as it was named; `None` when unknown, for example of types inside `.api.json`.
    pub file: Option<Arc<str>>,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column in characters, from 1; 0 when unknown.
    pub column: u32,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Origin {}

impl Origin {
    /// The module that the file is: its base name without extension, `.` replaced by `_`.
    pub fn module(&self) -> Option<String> {
        self.file.as_deref().map(module_name)
    }

    pub(crate) fn error(&self, kind: impl Into<ErrorKind>) -> Error {
        Error {
            file: self.file.clone().unwrap_or_default(),
            line: self.line,
            column: self.column,
            kind: kind.into(),
        }
    }
}

/// The module name of an interface file: `vnet/ip/ip_types.api` is `ip_types`, `a.b.api.json` is `a_b`.
pub fn module_name(file: &str) -> String {
    let base = file.rsplit('/').next().unwrap_or(file);
    let base = base.strip_suffix(".json").unwrap_or(base);
    base.strip_suffix(".api").unwrap_or(base).replace('.', "_")
}

/// The text of an interface file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that errors tell.
    pub file: Arc<str>,
    /// The content.
    pub text: String,
}

/// Finds imported files.
pub trait Importer {
    /// The file that `import "path"` means.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    fn import(&self, path: &str) -> Result<Source, ImportError>;
}

/// Finds nothing: for files without imports.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoImports;

impl Importer for NoImports {
    fn import(&self, path: &str) -> Result<Source, ImportError> {
        Err(ImportError::NotFound {
            path: path.to_owned(),
            places: Vec::new(),
        })
    }
}

/// Files in memory, by the path they are imported with.
#[derive(Clone, Debug, Default)]
pub struct MemoryImporter {
    files: BTreeMap<String, String>,
}

impl MemoryImporter {
    /// Adds a file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Importer for MemoryImporter {
    fn import(&self, path: &str) -> Result<Source, ImportError> {
        let text = self.files.get(path).ok_or_else(|| ImportError::NotFound {
            path: path.to_owned(),
            places: vec!["memory".to_owned()],
        })?;
        Ok(Source {
            file: path.into(),
            text: text.clone(),
        })
    }
}

/// Files below directories, searched in order: as `<directory>/<path>`, then as `<directory>/<base name>`, so that
/// VPP's paths (`vnet/ip/ip_types.api`) also find a flat folder of definitions.
#[derive(Debug, Default)]
pub struct DirImporter {
    directories: Vec<PathBuf>,
    found: RefCell<BTreeMap<String, PathBuf>>,
}

impl DirImporter {
    /// Searches `directories` in their order.
    pub fn new<P: Into<PathBuf>>(directories: impl IntoIterator<Item = P>) -> Self {
        let directories = directories.into_iter().map(Into::into).collect();
        Self {
            directories,
            found: RefCell::default(),
        }
    }

    /// The files found so far, by the path they were imported with.
    pub fn found(&self) -> BTreeMap<String, PathBuf> {
        self.found.borrow().clone()
    }

    /// The file that `import "path"` means, if there is one.
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        self.candidates(path).find(|candidate| candidate.is_file())
    }

    fn candidates(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let path = Path::new(path);
        let base = path.file_name().unwrap_or_default();
        self.directories
            .iter()
            .flat_map(move |dir| [dir.join(path), dir.join(base)])
    }
}

impl Importer for DirImporter {
    fn import(&self, path: &str) -> Result<Source, ImportError> {
        let Some(file) = self.find(path) else {
            let places = self
                .directories
                .iter()
                .map(|dir| dir.display().to_string())
                .collect();
            return Err(ImportError::NotFound {
                path: path.to_owned(),
                places,
            });
        };
        let text = std::fs::read_to_string(&file).map_err(|error| ImportError::Unreadable {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        self.found.borrow_mut().insert(path.to_owned(), file);
        Ok(Source {
            file: path.into(),
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_after_its_file() {
        assert_eq!(module_name("vnet/ip/ip_types.api"), "ip_types");
        assert_eq!(module_name("core/acl.api.json"), "acl");
        assert_eq!(module_name("a.b.api"), "a_b");
    }

    #[test]
    fn a_flat_folder_serves_nested_paths() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ip_types.api"), "// here").unwrap();
        let importer = DirImporter::new([dir.path()]);
        let source = importer.import("vnet/ip/ip_types.api").unwrap();
        assert_eq!(source.text, "// here");
        assert_eq!(&*source.file, "vnet/ip/ip_types.api");
        assert!(importer.found().contains_key("vnet/ip/ip_types.api"));
        assert!(matches!(
            importer.import("other.api"),
            Err(ImportError::NotFound { .. })
        ));
    }
}
