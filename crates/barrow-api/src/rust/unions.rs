//! Unions: their bytes, typed access to each member, and, where the schema ties members to the items of an
//! enumeration, an enum of the members.

use super::context::Context;
use super::docs::{Docs, attributes};
use super::names::{field_name, ident, type_ident, type_name};
use super::options::GenerateError;
use crate::schema::{Definition, Enumeration, Field, Structure, Value};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Ident;

pub(super) fn union(
    context: &Context<'_>,
    union: &Structure,
) -> Result<TokenStream, GenerateError> {
    context.check_field_names(&union.name, &union.fields)?;
    let name = type_ident(&union.name);
    let layout = context.schema.layout(&union.name);
    let bytes_layout = crate::schema::Layout {
        has_float: false,
        ..layout
    };
    // The standard library has `Default` for arrays of up to 32.
    let long = layout.min_len > 32;
    let derives = context.derives(
        bytes_layout,
        if long {
            &["Debug"]
        } else {
            &["Debug", "Default"]
        },
    );
    let transparent = context.serde_transparent();
    let array = context.serde_array(
        &crate::schema::Bounds::Fixed(layout.min_len),
        &crate::schema::TypeName::Primitive(crate::schema::Primitive::U8),
    );
    let len = Literal::u32_unsuffixed(layout.min_len);
    let docs = Docs::of(union.comment.as_deref());
    let mut lines = docs.lines().to_vec();
    if lines.is_empty() {
        lines.push(format!("Union `{}`.", union.name));
    }
    lines.extend([
        String::new(),
        "Its bytes; the schema does not say in them which member they hold.".to_owned(),
    ]);
    let struct_docs = attributes(lines);
    let members = union.fields.iter().map(|member| access(context, member));
    let cases = cases(context, union);
    let default = long.then(|| {
        quote! {
            impl Default for #name {
                fn default() -> Self {
                    Self([0; #len])
                }
            }
        }
    });
    Ok(quote! {
        #struct_docs
        #derives
        #transparent
        pub struct #name(#array pub [u8; #len]);

        impl #name {
            #(#members)*
        }

        #default

        impl wire::Encode for #name {
            fn encode(&self, w: &mut wire::Writer<'_>) {
                self.0.encode(w);
            }
        }

        impl<'a> wire::Decode<'a> for #name {
            const MIN_LEN: usize = #len;

            fn decode(r: &mut wire::Reader<'a>) -> Result<Self, wire::DecodeError> {
                r.array().map(Self)
            }
        }

        #cases
    })
}

/// Reading and writing of one member.
fn access(context: &Context<'_>, member: &Field) -> TokenStream {
    let plain = field_name(&member.name);
    let get = match plain.as_str() {
        // Not to hide what every newtype has.
        "from" | "into" | "encode" | "decode" | "default" | "clone" => format_ident!("{plain}_"),
        plain => ident(plain),
    };
    let (from, set) = (format_ident!("from_{plain}"), format_ident!("set_{plain}"));
    let ty = context.field_type(member);
    let docs = Docs::of(member.comment.as_deref());
    let more = docs.lines();
    let [get_docs, from_docs, set_docs] = [
        format!("The bytes as the member `{plain}`."),
        format!("With the member `{plain}`; bytes behind it are zero."),
        format!("Changes the member to `{plain}`; bytes behind it become zero."),
    ];
    let get_docs = attributes(std::iter::once(&get_docs).chain(more));
    let (from_docs, set_docs) = (attributes([from_docs]), attributes([set_docs]));
    quote! {
        #get_docs
        #[must_use]
        pub fn #get(&self) -> #ty {
            wire::from_union(&self.0)
        }

        #from_docs
        #[must_use]
        pub fn #from(value: impl Into<#ty>) -> Self {
            Self(wire::to_union::<#ty, _>(&value.into()))
        }

        #set_docs
        pub fn #set(&mut self, value: impl Into<#ty>) {
            *self = Self::#from(value);
        }
    }
}

/// A union whose members all name an item of one enumeration.
struct Cases<'c> {
    selector: &'c Enumeration,
    members: Vec<(&'c Field, &'c str)>,
}

impl<'c> Cases<'c> {
    fn of(context: &Context<'c>, union: &'c Structure) -> Option<Self> {
        let case = |member: &'c Field| {
            let case = member.options.get("case").and_then(Value::as_text)?;
            Some((member, case))
        };
        let members: Vec<_> = union.fields.iter().map(case).collect::<Option<_>>()?;
        let fits = |enumeration: &&Enumeration| {
            members
                .iter()
                .all(|(_, case)| enumeration.value(case).is_some())
        };
        let schema = context.schema;
        let selector = schema.enums().iter().chain(schema.enumflags()).find(fits)?;
        let mut values: Vec<_> = members
            .iter()
            .map(|(_, case)| selector.value(case))
            .collect();
        values.sort_unstable();
        values.dedup();
        (values.len() == members.len()).then_some(Self { selector, members })
    }
}

fn member_enum(union: &Structure) -> Ident {
    format_ident!("{}Member", type_name(&union.name))
}

/// The enum of members, and the way between it and the pair of selector and union.
fn cases(context: &Context<'_>, union: &Structure) -> TokenStream {
    let Some(Cases { selector, members }) = Cases::of(context, union) else {
        return quote!();
    };
    let (name, member_enum) = (type_ident(&union.name), member_enum(union));
    let selector = context.defined(&selector.name);
    let layout = context.schema.layout(&union.name);
    let derives = context.derives(layout, &["Debug"]);
    let (mut variants, mut reads, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    for (member, case) in members {
        let plain = field_name(&member.name);
        let variant = type_ident(&member.name);
        let (get, from) = (ident(&plain), format_ident!("from_{plain}"));
        let (item, ty) = (ident(case), context.field_type(member));
        let docs = attributes([format!("Selected by `{case}`.")]);
        let serde = context.serde_array(&member.bounds, &member.ty);
        variants.push(quote!(#docs #variant(#serde #ty)));
        reads.push(quote!(#selector::#item => Some(#member_enum::#variant(self.#get()))));
        writes
            .push(quote!(#member_enum::#variant(value) => (#selector::#item, #name::#from(value))));
    }
    let enum_docs = attributes([format!("The members of [`{name}`].")]);
    quote! {
        #enum_docs
        #derives
        #[allow(clippy::large_enum_variant, reason = "members are as large as the schema says")]
        pub enum #member_enum {
            #(#variants),*
        }

        impl #name {
            /// The member that `selector` selects; none if it selects none.
            #[must_use]
            pub fn member(&self, selector: #selector) -> Option<#member_enum> {
                match selector {
                    #(#reads,)*
                    _ => None,
                }
            }
        }

        impl From<#member_enum> for (#selector, #name) {
            fn from(member: #member_enum) -> Self {
                match member {
                    #(#writes),*
                }
            }
        }
    }
}

/// For a structure with a union and the field that selects its member: access to both at once.
pub(super) fn selections(context: &Context<'_>, structure: &Structure) -> TokenStream {
    let methods: TokenStream = structure
        .fields
        .iter()
        .filter_map(|field| selection(context, structure, field))
        .collect();
    if methods.is_empty() {
        return methods;
    }
    let name = type_ident(&structure.name);
    quote!(impl #name { #methods })
}

fn selection(context: &Context<'_>, structure: &Structure, field: &Field) -> Option<TokenStream> {
    let selector = field.options.get("discriminator")?.as_text()?;
    let union_name = field.ty.defined()?;
    let Definition::Union(union) = context.schema.definition(union_name)? else {
        return None;
    };
    let cases = Cases::of(context, union)?;
    let by = structure
        .fields
        .iter()
        .find(|field| field.name == selector)?;
    // Two enumerations could share the names of items.
    if by.ty.defined() != Some(&cases.selector.name) {
        return None;
    }
    let path = context.defined(union_name);
    let mut enum_path: syn::Path = syn::parse2(path).ok()?;
    enum_path.segments.last_mut()?.ident = member_enum(union);
    let (plain, by) = (field_name(&field.name), super::names::field_ident(selector));
    let member = super::names::field_ident(&field.name);
    let (get, set) = (
        format_ident!("{plain}_member"),
        format_ident!("set_{plain}_member"),
    );
    let get_docs = attributes([format!(
        "The member of `{plain}` that `{by}` selects; none if it selects none."
    )]);
    let set_docs = attributes([format!("Sets `{plain}`, and `{by}` so that it selects it.")]);
    Some(quote! {
        #get_docs
        #[must_use]
        pub fn #get(&self) -> Option<#enum_path> {
            self.#member.member(self.#by)
        }

        #set_docs
        pub fn #set(&mut self, member: #enum_path) {
            (self.#by, self.#member) = member.into();
        }
    })
}
