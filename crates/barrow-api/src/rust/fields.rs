//! Structs: their definition, defaults, `with_` methods, encoding and decoding. For structures and messages alike.

use super::context::{Context, primitive_type, struct_fields};
use super::docs::{Docs, attributes};
use super::names::{field_ident, type_ident};
use super::options::GenerateError;
use crate::schema::{Field, Primitive, Structure, TypeName};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::HashMap;
use syn::Ident;

/// A `typedef` with fields.
pub(super) fn structure(
    context: &Context<'_>,
    structure: &Structure,
) -> Result<TokenStream, GenerateError> {
    let docs = Docs::of(structure.comment.as_deref());
    let mut lines = docs.lines().to_vec();
    if lines.is_empty() {
        lines.push(format!("Structure `{}`.", structure.name));
    }
    let layout = context.schema.layout(&structure.name);
    let derives = |more: &[&str]| context.derives(layout, more);
    let definition = body(
        context,
        &structure.name,
        &structure.fields,
        &docs,
        &lines,
        derives,
    )?;
    let selections = super::unions::selections(context, structure);
    Ok(quote!(#definition #selections))
}

/// A struct with `fields` and all that belongs to it; `derives` makes its derives out of those given.
pub(super) fn body(
    context: &Context<'_>,
    name: &str,
    fields: &[Field],
    docs: &Docs,
    lines: &[String],
    derives: impl FnOnce(&[&str]) -> TokenStream,
) -> Result<TokenStream, GenerateError> {
    context.check_field_names(name, fields)?;
    let ident = type_ident(name);
    let kept = struct_fields(fields);
    let layout = context.schema.fields_layout(fields);
    let derives_default = context.derives_default(fields);
    let derives = derives(match derives_default {
        true => &["Debug", "Default"],
        false => &["Debug"],
    });
    let struct_docs = attributes(lines);
    let members = kept.iter().map(|(field, name)| {
        let docs = field_docs(field, docs);
        let serde = context.serde_array(&field.bounds, &field.ty);
        let ty = context.field_type(field);
        quote!(#docs #serde pub #name: #ty)
    });
    let default = (!derives_default).then(|| default(context, &ident, &kept));
    let setters = setters(context, &ident, &kept);
    let codec = codec(&ident, fields, layout.min_len);
    Ok(quote! {
        #struct_docs
        #derives
        pub struct #ident {
            #(#members),*
        }

        #default
        #setters
        #codec
    })
}

/// What is said about a field: before it, in the comment of its block, or what the schema itself tells.
fn field_docs(field: &Field, docs: &Docs) -> TokenStream {
    let own = Docs::of(field.comment.as_deref());
    let lines = match (own.lines(), docs.field(&field.name)) {
        ([], []) => vec![match field.options.get("default") {
            Some(default) => format!("`{}` `{}`, by default {default}.", field.ty, field.name),
            None => format!("`{}` `{}`.", field.ty, field.name),
        }],
        ([], lines) | (lines, _) => lines.to_vec(),
    };
    attributes(lines)
}

fn default(context: &Context<'_>, ident: &Ident, fields: &[(&Field, Ident)]) -> TokenStream {
    let values = fields.iter().map(|(field, name)| {
        let value = context.default_expression(field);
        quote!(#name: #value)
    });
    quote! {
        impl Default for #ident {
            fn default() -> Self {
                Self { #(#values),* }
            }
        }
    }
}

fn setters(context: &Context<'_>, ident: &Ident, fields: &[(&Field, Ident)]) -> TokenStream {
    if fields.is_empty() {
        return quote!();
    }
    let setters = fields.iter().map(|(field, name)| {
        let plain = name.to_string();
        let plain = plain.trim_start_matches("r#");
        let setter = format_ident!("with_{plain}");
        let ty = context.field_type(field);
        let docs = format!(" Sets `{plain}`.");
        // Nothing else turns into a plain number or truth without loss of meaning.
        let (parameter, value) = match field.ty {
            TypeName::Primitive(_) if field.bounds == crate::schema::Bounds::Scalar => {
                (ty, quote!(value))
            }
            _ => (quote!(impl Into<#ty>), quote!(value.into())),
        };
        quote! {
            #[doc = #docs]
            #[must_use]
            pub fn #setter(mut self, value: #parameter) -> Self {
                self.#name = #value;
                self
            }
        }
    });
    quote! {
        impl #ident {
            #(#setters)*
        }
    }
}

fn codec(ident: &Ident, fields: &[Field], min_len: u32) -> TokenStream {
    // The count of an array, by the array's name.
    let counts: HashMap<&str, &Field> = fields
        .iter()
        .filter_map(|array| {
            let count = fields
                .iter()
                .find(|field| Some(field.name.as_str()) == array.counted_by())?;
            Some((array.name.as_str(), count))
        })
        .collect();
    let encode = encode(fields, &counts);
    let decode = if counts.is_empty() {
        decode_plain(fields)
    } else {
        decode_counted(fields, &counts)
    };
    let min_len = Literal::u32_unsuffixed(min_len);
    let (w, r) = if fields.is_empty() {
        (quote!(_), quote!(_))
    } else {
        (quote!(w), quote!(r))
    };
    quote! {
        impl wire::Encode for #ident {
            fn encode(&self, #w: &mut wire::Writer<'_>) {
                #encode
            }
        }

        impl<'a> wire::Decode<'a> for #ident {
            const MIN_LEN: usize = #min_len;

            fn decode(#r: &mut wire::Reader<'a>) -> Result<Self, wire::DecodeError> {
                #decode
            }
        }
    }
}

fn encode(fields: &[Field], counts: &HashMap<&str, &Field>) -> TokenStream {
    fields
        .iter()
        .map(|field| {
            let name = field_ident(&field.name);
            if let Some((array, _)) = counts.iter().find(|(_, count)| count.name == field.name) {
                let (array, text) = (field_ident(array), &field.name);
                let ty = count_type(field);
                return quote!(w.count::<#ty>(self.#array.len(), #text););
            }
            if field.counted_by().is_some() {
                return quote!(w.elements(&self.#name););
            }
            quote!(self.#name.encode(w);)
        })
        .collect()
}

fn decode_plain(fields: &[Field]) -> TokenStream {
    let values = fields.iter().map(|field| {
        let (name, text) = (field_ident(&field.name), &field.name);
        quote!(#name: r.field(#text)?)
    });
    quote!(Ok(Self { #(#values),* }))
}

/// With counts to remember, fields are read one by one into variables. The fields' own names could hide `r`.
fn decode_counted(fields: &[Field], counts: &HashMap<&str, &Field>) -> TokenStream {
    let local = |field: &Field| match field_ident(&field.name) {
        name if name == "r" => format_ident!("r_"),
        name => name,
    };
    let reads = fields.iter().map(|field| {
        let (variable, text) = (local(field), &field.name);
        if let Some(count) = counts.get(field.name.as_str()) {
            let count = local(count);
            return quote!(let #variable = r.elements(wire::Count::to_len(#count), #text)?;);
        }
        if counts.values().any(|count| count.name == field.name) {
            let ty = count_type(field);
            return quote!(let #variable = r.field::<#ty>(#text)?;);
        }
        quote!(let #variable = r.field(#text)?;)
    });
    let values = struct_fields(fields).into_iter().map(|(field, name)| {
        let variable = local(field);
        if variable == name {
            quote!(#name)
        } else {
            quote!(#name: #variable)
        }
    });
    quote!(#(#reads)* Ok(Self { #(#values),* }))
}

fn count_type(field: &Field) -> TokenStream {
    match field.ty {
        TypeName::Primitive(primitive) => primitive_type(primitive),
        // A schema's counts are integers.
        TypeName::String | TypeName::Defined(_) => primitive_type(Primitive::U32),
    }
}
