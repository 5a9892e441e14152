//! The fields of a struct or variant, and the statements that write and read them.

use crate::attributes::{self, FieldAttributes};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Fields, Ident, Member, Path, Result, Type};

/// One field with what is said about it.
struct Field<'a> {
    member: Member,
    /// The local variable that holds (a reference to) it.
    local: Ident,
    /// The name told in errors.
    name: String,
    ty: &'a Type,
    attributes: FieldAttributes,
}

/// The fields of a struct or variant, in wire order.
pub(crate) struct WireFields<'a>(Vec<Field<'a>>);

impl<'a> WireFields<'a> {
    pub(crate) fn new(fields: &'a Fields) -> Result<Self> {
        let mut list: Vec<Field<'a>> = Vec::new();
        for (field, member) in fields.iter().zip(fields.members()) {
            let name = match &member {
                Member::Named(ident) => ident.to_string().trim_start_matches("r#").to_owned(),
                Member::Unnamed(index) => index.index.to_string(),
            };
            let attributes = attributes::field(&field.attrs)?;
            if let Some(counter) = &attributes.counted_by
                && !list
                    .iter()
                    .any(|earlier| *counter == earlier.name && !earlier.attributes.skip)
            {
                return Err(Error::new(counter.span(), "no earlier field has this name"));
            }
            let local = format_ident!("field_{}", name);
            list.push(Field {
                member,
                local,
                name,
                ty: &field.ty,
                attributes,
            });
        }
        Ok(Self(list))
    }

    /// `{ member: local, ... }`, both a pattern and an expression.
    pub(crate) fn bindings(&self) -> TokenStream {
        let (members, locals): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .map(|field| (&field.member, &field.local))
            .unzip();
        quote!({ #(#members: #locals),* })
    }

    /// The types whose implementations the fields need: elements of counted fields, else the field itself.
    pub(crate) fn wire_types(&self) -> impl Iterator<Item = &Type> {
        self.0
            .iter()
            .filter(|field| !field.attributes.skip)
            .map(|field| field.ty)
    }

    /// Statements that write the locals.
    pub(crate) fn encode(&self, wire: &Path) -> TokenStream {
        self.0
            .iter()
            .map(|field| self.encode_one(field, wire))
            .collect()
    }

    fn encode_one(&self, field: &Field<'_>, wire: &Path) -> TokenStream {
        let (local, name) = (&field.local, &field.name);
        let FieldAttributes {
            skip,
            count,
            counted_by,
        } = &field.attributes;
        if *skip {
            return quote!(let _ = #local;);
        }
        if let Some(count) = count {
            return quote! {
                w.count::<#count>(#local.len(), #name);
                w.elements(#local.as_slice());
            };
        }
        if counted_by.is_some() {
            return quote!(w.elements(#local.as_slice()););
        }
        if let Some(array) = self.counted_array(name) {
            let (array, ty) = (&array.local, field.ty);
            // The array, not the field, has the last word on its length.
            return quote! {
                let _ = #local;
                w.count::<#ty>(#array.len(), #name);
            };
        }
        quote!(#wire::Encode::encode(#local, w);)
    }

    /// Statements that read the locals.
    pub(crate) fn decode(&self, wire: &Path) -> TokenStream {
        self.0
            .iter()
            .map(|field| Self::decode_one(field, wire))
            .collect()
    }

    fn decode_one(field: &Field<'_>, wire: &Path) -> TokenStream {
        let Field {
            local, name, ty, ..
        } = field;
        let FieldAttributes {
            skip,
            count,
            counted_by,
        } = &field.attributes;
        if *skip {
            return quote!(let #local: #ty = ::core::default::Default::default(););
        }
        if let Some(count) = count {
            return quote! {
                let #local: #ty = {
                    let count = r.field::<#count>(#name)?;
                    r.elements(#wire::Count::to_len(count), #name)?
                };
            };
        }
        if let Some(counter) = counted_by {
            let counter = format_ident!("field_{}", counter);
            return quote!(let #local: #ty = r.elements(#wire::Count::to_len(#counter), #name)?;);
        }
        quote!(let #local = r.field::<#ty>(#name)?;)
    }

    /// An expression: the least number of bytes of all fields together.
    pub(crate) fn min_len(&self, wire: &Path) -> TokenStream {
        let terms = self.0.iter().map(|field| {
            let FieldAttributes {
                skip,
                count,
                counted_by,
            } = &field.attributes;
            let ty = field.ty;
            match count {
                Some(count) => quote!(+ ::core::mem::size_of::<#count>()),
                None if *skip || counted_by.is_some() => quote!(),
                None => quote!(+ <#ty as #wire::Decode<'__wire>>::MIN_LEN),
            }
        });
        quote!(0 #(#terms)*)
    }

    fn counted_array(&self, counter: &str) -> Option<&Field<'a>> {
        self.0.iter().find(|field| {
            field
                .attributes
                .counted_by
                .as_ref()
                .is_some_and(|counted_by| counted_by == counter)
        })
    }
}
