//! Finding the one attribute that a variant must have.

use syn::{Attribute, Error, Result, Variant};

/// The variant's only attribute called `name`.
pub(crate) fn only<'a>(variant: &'a Variant, name: &str, usage: &str) -> Result<&'a Attribute> {
    let mut found = variant.attrs.iter().filter(|a| a.path().is_ident(name));
    let first = found
        .next()
        .ok_or_else(|| Error::new_spanned(&variant.ident, format!("needs `{usage}`")))?;
    match found.next() {
        None => Ok(first),
        Some(second) => Err(Error::new_spanned(second, format!("a second `{name}`"))),
    }
}
