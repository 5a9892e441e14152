//! Enumerations and flags: newtypes over their integer.

use super::context::{Context, integer, primitive_type};
use super::docs::{Docs, attributes};
use super::names::{ident, type_ident, type_name};
use crate::schema::{Enumeration, Layout};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn enumeration(
    context: &Context<'_>,
    enumeration: &Enumeration,
    bit_set: bool,
) -> TokenStream {
    let bit_set = bit_set && !enumeration.base.is_signed();
    let name = type_ident(&enumeration.name);
    let base = primitive_type(enumeration.base);
    let docs = docs(enumeration, bit_set);
    let derives = context.derives(Layout::default(), &["Default", "PartialOrd", "Ord"]);
    let transparent = context.serde_transparent();
    let items = items(enumeration);
    let print = print(enumeration, bit_set);
    let operations = bit_set.then(|| flag_operations(enumeration));
    let min_len = proc_macro2::Literal::u32_unsuffixed(enumeration.base.len());
    quote! {
        #docs
        #derives
        #transparent
        pub struct #name(pub #base);

        #items
        #operations
        #print

        impl From<#base> for #name {
            fn from(value: #base) -> Self {
                Self(value)
            }
        }

        impl From<#name> for #base {
            fn from(value: #name) -> Self {
                value.0
            }
        }

        impl wire::Encode for #name {
            fn encode(&self, w: &mut wire::Writer<'_>) {
                self.0.encode(w);
            }
        }

        impl<'a> wire::Decode<'a> for #name {
            const MIN_LEN: usize = #min_len;

            fn decode(r: &mut wire::Reader<'a>) -> Result<Self, wire::DecodeError> {
                #base::decode(r).map(Self)
            }
        }
    }
}

fn docs(enumeration: &Enumeration, bit_set: bool) -> TokenStream {
    let docs = Docs::of(enumeration.comment.as_deref());
    let mut lines = docs.lines().to_vec();
    if lines.is_empty() {
        let kind = if bit_set { "Flags" } else { "Enumeration" };
        lines.push(format!("{kind} `{}`.", enumeration.name));
    }
    attributes(lines)
}

fn items(enumeration: &Enumeration) -> TokenStream {
    let name = type_ident(&enumeration.name);
    let constants = enumeration.items.iter().map(|item| {
        let docs = Docs::of(item.comment.as_deref());
        let mut lines = docs.lines().to_vec();
        if lines.is_empty() {
            lines.push(format!("`{}` = {}.", item.name, item.value));
        }
        let (docs, item_name, value) = (
            attributes(lines),
            ident(&item.name),
            integer(item.value.into()),
        );
        quote!(#docs pub const #item_name: Self = Self(#value);)
    });
    let names = enumeration.items.iter().map(|item| {
        let (name, value) = (&item.name, integer(item.value.into()));
        quote!(wire::NamedValue::new(#name, #value))
    });
    let is_small = |name: &str| name.chars().any(|c| c.is_ascii_lowercase());
    let allow = enumeration.items.iter().any(|item| is_small(&item.name)).then(|| {
        quote! {
            #[allow(non_upper_case_globals, reason = "items are called as the schema calls them")]
        }
    });
    quote! {
        #allow
        impl #name {
            #(#constants)*

            /// The items: their names and values.
            pub const ITEMS: &'static [wire::NamedValue] = &[#(#names),*];
        }
    }
}

fn print(enumeration: &Enumeration, bit_set: bool) -> TokenStream {
    let (name, text) = (type_ident(&enumeration.name), type_name(&enumeration.name));
    let (function, wide) = match (bit_set, enumeration.base.len()) {
        (true, 8) => (quote!(fmt_flags), quote!(self.0)),
        (true, _) => (quote!(fmt_flags), quote!(u64::from(self.0))),
        (false, 8) => (quote!(fmt_named), quote!(self.0 as i64)),
        (false, _) => (quote!(fmt_named), quote!(i64::from(self.0))),
    };
    quote! {
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                wire::#function(f, #text, Self::ITEMS, #wide)
            }
        }

        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(self, f)
            }
        }
    }
}

fn flag_operations(enumeration: &Enumeration) -> TokenStream {
    let name = type_ident(&enumeration.name);
    let operators = [
        (
            quote!(BitOr),
            quote!(bitor),
            quote!(BitOrAssign),
            quote!(bitor_assign),
            quote!(|),
        ),
        (
            quote!(BitAnd),
            quote!(bitand),
            quote!(BitAndAssign),
            quote!(bitand_assign),
            quote!(&),
        ),
    ];
    let operators = operators.map(|(op, method, assign, assign_method, sign)| {
        quote! {
            impl ::core::ops::#op for #name {
                type Output = Self;

                fn #method(self, other: Self) -> Self {
                    Self(self.0 #sign other.0)
                }
            }

            impl ::core::ops::#assign for #name {
                fn #assign_method(&mut self, other: Self) {
                    *self = *self #sign other;
                }
            }
        }
    });
    quote! {
        impl #name {
            /// No flag.
            pub const EMPTY: Self = Self(0);

            /// Whether all flags of `other` are set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether a flag of `other` is set.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether no flag is set.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Sets or clears the flags of `other`.
            pub fn set(&mut self, other: Self, on: bool) {
                if on {
                    self.0 |= other.0;
                } else {
                    self.0 &= !other.0;
                }
            }
        }

        #(#operators)*
    }
}
