//! `#[derive(Machine)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, Type, Variant};

use crate::root::root;

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let kinds = kinds(input)?;
    let (idents, types): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
    let first = types[0];
    let (root, name) = (root(), &input.ident);
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics #root::Machine for #name #arguments #bounds {
            type Input<'__input> = <#first as #root::Machine>::Input<'__input>;
            type Output = <#first as #root::Machine>::Output;

            fn handle_input(&mut self, now: #root::Instant, input: Self::Input<'_>) {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::handle_input(machine, now, input),)*
                }
            }
            fn handle_timeout(&mut self, now: #root::Instant) {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::handle_timeout(machine, now),)*
                }
            }
            fn handle_shutdown(&mut self, now: #root::Instant) {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::handle_shutdown(machine, now),)*
                }
            }
            fn poll_output(&mut self, now: #root::Instant) -> ::core::option::Option<Self::Output> {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::poll_output(machine, now),)*
                }
            }
            fn poll_timeout(&self) -> ::core::option::Option<#root::Instant> {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::poll_timeout(machine),)*
                }
            }
            fn is_finished(&self) -> bool {
                match self {
                    #(Self::#idents(machine) => <#types as #root::Machine>::is_finished(machine),)*
                }
            }
        }
    })
}

/// The variants, each with the type of the machine it holds; at least one.
fn kinds(input: &DeriveInput) -> Result<Vec<(&Ident, &Type)>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            input,
            "only an enum whose variants hold one machine each is a machine of kinds",
        ));
    };
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            input,
            "an enum of machines needs a variant",
        ));
    }
    data.variants.iter().map(kind).collect()
}

fn kind(variant: &Variant) -> Result<(&Ident, &Type)> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            Ok((&variant.ident, &fields.unnamed[0].ty))
        }
        _ => Err(Error::new_spanned(
            variant,
            "a variant holds exactly one machine: `Kind(Machine)`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn each_variant_is_called() {
        let text = expand(&parse_quote! { enum Kind<T: Copy> { Echo(Echo<T>), Chat(Chat) } });
        let text = text.unwrap().to_string();
        assert!(
            text.contains("Self :: Chat (machine) => < Chat as"),
            "{text}"
        );
        assert!(text.contains("impl < T : Copy >"), "{text}");
    }

    #[test]
    fn what_holds_no_machine_is_refused() {
        for item in [
            parse_quote! { struct Kind(Echo); },
            parse_quote! { enum Kind {} },
            parse_quote! { enum Kind { Nothing } },
            parse_quote! { enum Kind { Two(Echo, Chat) } },
        ] {
            assert!(expand(&item).is_err());
        }
    }
}
