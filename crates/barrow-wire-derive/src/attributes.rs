//! The `#[wire(...)]` attributes and where the crate is.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::Span;
use syn::{Attribute, Error, Ident, LitStr, Path, Result, parse_quote};

/// What is said about one field.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) skip: bool,
    /// `count = u8`: the type of the count before the elements.
    pub(crate) count: Option<Ident>,
    /// `counted_by = n`: the earlier field that counts.
    pub(crate) counted_by: Option<Ident>,
}

pub(crate) fn field(attributes: &[Attribute]) -> Result<FieldAttributes> {
    let mut found = FieldAttributes::default();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("wire"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("skip") {
                found.skip = true;
            } else if meta.path.is_ident("count") {
                found.count = Some(meta.value()?.parse::<Ident>().and_then(count_type)?);
            } else if meta.path.is_ident("counted_by") {
                found.counted_by = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("expected `skip`, `count` or `counted_by`"));
            }
            Ok(())
        })?;
    }
    let both = [
        found.skip,
        found.count.is_some(),
        found.counted_by.is_some(),
    ];
    match both.iter().filter(|&&given| given).count() {
        0 | 1 => Ok(found),
        _ => Err(Error::new_spanned(
            &attributes[0],
            "`skip`, `count` and `counted_by` exclude each other",
        )),
    }
}

fn count_type(ident: Ident) -> Result<Ident> {
    if ident == "u8" || ident == "u16" || ident == "u32" {
        Ok(ident)
    } else {
        Err(Error::new(
            ident.span(),
            "a count is a `u8`, `u16` or `u32`",
        ))
    }
}

/// The path of `barrow_wire` as seen from the crate that uses the derive.
pub(crate) fn wire_path(attributes: &[Attribute]) -> Result<Path> {
    let mut given: Option<Path> = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("wire"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected `crate`"));
            }
            given = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            Ok(())
        })?;
    }
    if let Some(path) = given {
        return Ok(path);
    }
    match crate_name("barrow-wire") {
        // Tests and examples of `barrow-wire` are crates of their own, so the name works there too.
        Ok(FoundCrate::Itself) => Ok(parse_quote!(::barrow_wire)),
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            Ok(parse_quote!(::#name))
        }
        Err(_) => Err(Error::new(
            Span::call_site(),
            "`barrow-wire` is not a dependency; name it with #[wire(crate = \"path\")]",
        )),
    }
}

/// The integer type of `#[repr(...)]`, in which an enum's tag is written.
pub(crate) fn tag_type(attributes: &[Attribute]) -> Result<Option<Ident>> {
    const INTEGERS: [&str; 8] = ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"];
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("repr"))
    {
        attribute.parse_nested_meta(|meta| {
            if let Some(ident) = meta.path.get_ident()
                && INTEGERS.iter().any(|name| ident == name)
            {
                found = Some(ident.clone());
            }
            Ok(())
        })?;
    }
    Ok(found)
}
