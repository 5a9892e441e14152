//! What is known of the modules at run time.

use barrow_wire::ModuleInfo;

/// What is known at run time of each module of this crate that is compiled in, in the order of
/// their names: definitions, messages, services, and the JSON text that `get_api_json` serves.
#[must_use]
pub fn catalogue() -> &'static [&'static ModuleInfo] {
    crate::MODULES
}
