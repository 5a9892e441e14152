//! Aliases: newtypes where they stand for base types or arrays, else names.

use super::context::Context;
use super::docs::{Docs, attributes};
use super::names::type_ident;
use crate::schema::{Alias, Bounds, Primitive, TypeName};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn alias(context: &Context<'_>, alias: &Alias) -> TokenStream {
    let name = type_ident(&alias.name);
    let bounds = alias.len.map_or(Bounds::Scalar, Bounds::Fixed);
    let target = context.bounded(&alias.ty, &bounds);
    let docs = Docs::of(alias.comment.as_deref());
    let mut lines = docs.lines().to_vec();
    if lines.is_empty() {
        lines.push(format!("`{}`.", alias.name));
    }
    let docs = attributes(lines);
    if !Context::is_newtype(alias) {
        return quote!(#docs pub type #name = #target;);
    }
    let layout = context.schema.layout(&alias.name);
    let mut more = vec!["Debug"];
    let long = alias.len.is_some_and(|len| len > 32);
    if !long {
        more.push("Default");
    }
    let scalar = match (&alias.ty, alias.len) {
        (TypeName::Primitive(primitive), None) => Some(*primitive),
        _ => None,
    };
    if scalar.is_some() {
        more.push("PartialOrd");
        if !layout.has_float {
            more.push("Ord");
        }
    }
    let derives = context.derives(layout, &more);
    let transparent = context.serde_transparent();
    let array = context.serde_array(&bounds, &alias.ty);
    let default = long.then(|| long_default(context, alias, &bounds));
    let traits = traits(&name, &target, scalar);
    let min_len = proc_macro2::Literal::u32_unsuffixed(layout.min_len);
    quote! {
        #docs
        #derives
        #transparent
        pub struct #name(#array pub #target);

        #default
        #traits

        impl From<#target> for #name {
            fn from(value: #target) -> Self {
                Self(value)
            }
        }

        impl From<#name> for #target {
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
                wire::Decode::decode(r).map(Self)
            }
        }
    }
}

fn traits(name: &syn::Ident, target: &TokenStream, scalar: Option<Primitive>) -> TokenStream {
    if scalar.is_none() {
        return quote!();
    }
    quote! {
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }

        impl PartialEq<#target> for #name {
            fn eq(&self, other: &#target) -> bool {
                self.0 == *other
            }
        }
    }
}

fn long_default(context: &Context<'_>, alias: &Alias, bounds: &Bounds) -> TokenStream {
    let name = type_ident(&alias.name);
    let field = crate::schema::Field {
        name: alias.name.clone(),
        ty: alias.ty.clone(),
        bounds: bounds.clone(),
        options: crate::schema::Options::default(),
        comment: None,
        origin: alias.origin.clone(),
    };
    let value = context.default_expression(&field);
    quote! {
        impl Default for #name {
            fn default() -> Self {
                Self(#value)
            }
        }
    }
}
