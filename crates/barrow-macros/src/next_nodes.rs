//! `#[derive(NextNodes)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Expr, ExprLit, Lit, LitCStr, Meta, Result, Variant};

use crate::{
    attributes::only,
    names::c_str,
    root::root,
    slots::{note, slot_body, variants},
};

const USAGE: &str = "#[next_node = \"node-name\"]";

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (mut names, mut idents, mut errors) = (Vec::new(), Vec::new(), None);
    for variant in variants(input)? {
        match name(variant) {
            Ok(name) => names.push(name),
            Err(error) => note(&mut errors, error),
        }
        idents.push(&variant.ident);
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let (root, ident, body) = (root(), &input.ident, slot_body(&idents));
    Ok(quote! {
        #[automatically_derived]
        impl #root::NextNodes for #ident {
            const NAMES: &'static [&'static ::core::ffi::CStr] = &[#(#names),*];

            #[inline]
            fn slot(self) -> usize {
                #body
            }
        }
    })
}

fn name(variant: &Variant) -> Result<LitCStr> {
    let attribute = only(variant, "next_node", USAGE)?;
    let Meta::NameValue(pair) = &attribute.meta else {
        return Err(Error::new_spanned(attribute, format!("write `{USAGE}`")));
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => c_str(name),
        other => Err(Error::new_spanned(
            other,
            "a node's name is a string literal",
        )),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn names_and_slots_follow_the_variants() {
        let text = expand(&parse_quote! {
            enum Next {
                #[next_node = "ip4-lookup"]
                Lookup,
                #[next_node = "error-drop"]
                Drop,
            }
        })
        .unwrap()
        .to_string();
        assert!(text.contains(r#"c"ip4-lookup" , c"error-drop""#), "{text}");
        assert!(text.contains("Self :: Drop => 1usize"), "{text}");
    }

    #[test]
    fn every_mistake_is_an_error_and_all_are_told_at_once() {
        let missing: DeriveInput = parse_quote!(
            enum Next {
                A,
                B,
            }
        );
        assert_eq!(expand(&missing).unwrap_err().into_iter().count(), 2);
        let twice: DeriveInput = parse_quote! {
            enum Next { #[next_node = "a"] #[next_node = "b"] A }
        };
        assert!(expand(&twice).unwrap_err().to_string().contains("second"));
        let number: DeriveInput = parse_quote!(
            enum Next {
                #[next_node = 5]
                A,
            }
        );
        assert!(
            expand(&number)
                .unwrap_err()
                .to_string()
                .contains("string literal")
        );
        let data: DeriveInput = parse_quote!(
            enum Next {
                #[next_node = "a"]
                A(u8),
            }
        );
        assert!(expand(&data).unwrap_err().to_string().contains("no data"));
        let discriminant: DeriveInput = parse_quote!(
            enum Next {
                #[next_node = "a"]
                A = 5,
            }
        );
        assert!(
            expand(&discriminant)
                .unwrap_err()
                .to_string()
                .contains("position")
        );
        let structure: DeriveInput = parse_quote!(
            struct Next;
        );
        assert!(
            expand(&structure)
                .unwrap_err()
                .to_string()
                .contains("only an enum")
        );
    }
}
