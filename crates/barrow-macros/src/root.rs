//! Where the traits are for this user.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// Crates through which a user may have the traits; all but the first re-export it as `__core`.
const CRATES: [&str; 6] = [
    "barrow-core",
    "barrow-engine",
    "barrow-runtime",
    "barrow-features",
    "barrow-vpp-plugin",
    "barrow",
];

/// The path of `barrow-core` in the crate that is being compiled.
pub(crate) fn root() -> TokenStream {
    let found = CRATES.into_iter().find_map(|name| {
        let local = match crate_name(name).ok()? {
            // Each of them says `extern crate self as ..`, so that its tests may use the macros.
            FoundCrate::Itself => name.replace('-', "_"),
            FoundCrate::Name(local) => local,
        };
        let local = Ident::new(&local, Span::call_site());
        Some(if name == "barrow-core" {
            quote!(::#local)
        } else {
            quote!(::#local::__core)
        })
    });
    found.unwrap_or_else(|| quote!(::barrow_core))
}
