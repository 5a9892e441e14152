//! Where a UNIX socket is: a path, or a name in the abstract space.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::net::SocketAddrUnix;

/// Bytes in `sun_path`, with the terminator of a path or the leading NUL of an abstract name.
const SPACE: usize = 108;

/// A UNIX socket's address.
///
/// As text it is a path, or `@name` or `abstract:name` for the abstract space, which belongs to the
/// network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// In the file system.
    Path(PathBuf),
    /// In the abstract space, without the leading NUL.
    Abstract(Vec<u8>),
}

/// Why a text is no address of a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no name in it.
    #[error("empty socket name")]
    Empty,
    /// A path may have 107 bytes, an abstract name too.
    #[error("socket name of {0} bytes: at most 107 fit")]
    TooLong(usize),
    /// A path cannot contain a NUL.
    #[error("socket path contains a NUL")]
    Nul,
}

impl Address {
    /// Reads an address from configuration text.
    ///
    /// # Errors
    /// When it is empty, too long, or a path with a NUL in it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let address = match text
            .strip_prefix('@')
            .or_else(|| text.strip_prefix("abstract:"))
        {
            Some(name) => Self::Abstract(name.into()),
            None => Self::Path(text.into()),
        };
        address.check()?;
        Ok(address)
    }

    /// The path, unless it is abstract.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Abstract(_) => None,
        }
    }

    fn check(&self) -> Result<(), AddressError> {
        let bytes = match self {
            Self::Path(path) => path.as_os_str().as_bytes(),
            Self::Abstract(name) => name,
        };
        match bytes.len() {
            0 => Err(AddressError::Empty),
            len if len >= SPACE => Err(AddressError::TooLong(len)),
            _ if matches!(self, Self::Path(_)) && bytes.contains(&0) => Err(AddressError::Nul),
            _ => Ok(()),
        }
    }

    pub(in crate::io) fn to_socket(&self) -> Result<SocketAddrUnix, AddressError> {
        self.check()?;
        let made = match self {
            Self::Path(path) => SocketAddrUnix::new(path.as_path()),
            Self::Abstract(name) => SocketAddrUnix::new_abstract_name(name),
        };
        Ok(made.expect("length and content were checked"))
    }
}

impl From<&Path> for Address {
    fn from(path: &Path) -> Self {
        Self::Path(path.into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_spellings_of_an_abstract_name_are_read() {
        let name = Address::Abstract(b"vpp/api".into());
        assert_eq!(Address::parse("@vpp/api").as_ref(), Ok(&name));
        assert_eq!(Address::parse("abstract:vpp/api").as_ref(), Ok(&name));
        assert_eq!(name.to_string(), "@vpp/api");
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        assert_eq!(Address::parse(""), Err(AddressError::Empty));
        assert_eq!(Address::parse("@"), Err(AddressError::Empty));
        assert_eq!(Address::parse("a\0b"), Err(AddressError::Nul));
        assert_eq!(
            Address::parse(&"x".repeat(108)),
            Err(AddressError::TooLong(108))
        );
    }

    proptest! {
        #[test]
        fn every_address_that_parses_fits_the_kernel(text in ".{0,120}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert!(address.to_socket().is_ok());
            }
        }
    }
}
