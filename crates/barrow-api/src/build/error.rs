//! Why bindings cannot be made.

use crate::rust::GenerateError;
use std::path::{Path, PathBuf};

/// Bindings cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An interface file is wrong.
    #[error(transparent)]
    Api(#[from] crate::Error),
    /// A module has no Rust form.
    #[error("{module}: {error}")]
    Generate {
        /// The module.
        module: String,
        /// Why.
        error: GenerateError,
    },
    /// Two files have the same base name, so the same module.
    #[error("`{}` and `{}` are both module `{module}`", .first.display(), .second.display())]
    TwoModules {
        /// The module.
        module: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Neither a build script nor [`Builder::out_dir`](super::Builder::out_dir) says where to write.
    #[error("not in a build script, and no folder given to write to")]
    NoOutDir,
}

impl BuildError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::Io {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn two_modules(module: &str, first: &Path, second: &Path) -> Self {
        let (first, second) = (first.to_owned(), second.to_owned());
        Self::TwoModules {
            module: module.to_owned(),
            first,
            second,
        }
    }
}
