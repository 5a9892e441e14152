//! Enums whose variants are slots.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, Variant};

/// The variants of an enum without data.
pub(crate) fn variants(input: &DeriveInput) -> Result<Vec<&Variant>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only an enum names slots"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "slots have no generic parameters",
        ));
    }
    let mut errors = None;
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            note(
                &mut errors,
                Error::new_spanned(&variant.fields, "a slot carries no data"),
            );
        }
        if let Some((_, value)) = &variant.discriminant {
            let message = "a slot's number is its position; remove the discriminant";
            note(&mut errors, Error::new_spanned(value, message));
        }
    }
    errors.map_or_else(|| Ok(data.variants.iter().collect()), Err)
}

/// The body of `fn slot(self) -> usize`.
pub(crate) fn slot_body(idents: &[&Ident]) -> TokenStream {
    if idents.is_empty() {
        return quote!(match self {});
    }
    let numbers = 0..idents.len();
    quote!(match self { #(Self::#idents => #numbers,)* })
}

/// Collects errors, so that the user sees all of them at once.
pub(crate) fn note(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}
