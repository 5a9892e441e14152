//! Interfaces in the arguments of commands, for all features.

use super::{InterfaceError, Interfaces, SwIfIndex};
use barrow_engine::cli::{Args, CliError};

/// Takes the name of an interface if that is next, and leaves the arguments alone otherwise.
#[allow(dead_code, reason = "for features whose commands come later")]
pub(crate) fn take_interface(args: &mut Args<'_>, interfaces: &Interfaces) -> Option<SwIfIndex> {
    args.parsed(|word| interfaces.by_name(word))
}

/// Takes the name of an interface, which must be next.
///
/// # Errors
/// ``unknown interface `NAME'``, with what stands in its place.
#[allow(dead_code, reason = "for features whose commands come later")]
pub(crate) fn parse_interface(
    args: &mut Args<'_>,
    interfaces: &Interfaces,
) -> Result<SwIfIndex, CliError> {
    take_interface(args, interfaces).ok_or_else(|| {
        let word: String = args.rest().chars().take(64).collect();
        CliError::new(format!("unknown interface `{word}'"))
    })
}

impl From<InterfaceError> for CliError {
    fn from(error: InterfaceError) -> Self {
        Self::new(error.to_string())
    }
}
