//! From the type to its implementations.

use crate::attributes;
use crate::fields::WireFields;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Data, DataEnum, DeriveInput, Error, Expr, Generics, Ident, Lifetime, LifetimeParam, Path,
    Result, Variant, parse_quote,
};

pub(crate) fn encode(input: &DeriveInput) -> Result<TokenStream> {
    let wire = attributes::wire_path(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => {
            let fields = WireFields::new(&data.fields)?;
            let (bindings, statements) = (fields.bindings(), fields.encode(&wire));
            quote!(let Self #bindings = self; #statements)
        }
        Data::Enum(data) => encode_enum(input, data, &wire)?,
        Data::Union(_) => return Err(no_union(input)),
    };
    let mut generics = input.generics.clone();
    let types = wire_types(input)?;
    generics.make_where_clause().predicates.extend(
        types
            .iter()
            .map(|ty| -> syn::WherePredicate { parse_quote!(#ty: #wire::Encode) }),
    );
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #wire::Encode for #name #type_generics #where_clause {
            fn encode(&self, w: &mut #wire::Writer<'_>) {
                #body
            }
        }
    })
}

pub(crate) fn decode(input: &DeriveInput) -> Result<TokenStream> {
    let wire = attributes::wire_path(&input.attrs)?;
    let (min_len, body) = match &input.data {
        Data::Struct(data) => {
            let fields = WireFields::new(&data.fields)?;
            let (bindings, statements) = (fields.bindings(), fields.decode(&wire));
            (
                fields.min_len(&wire),
                quote!(#statements Ok(Self #bindings)),
            )
        }
        Data::Enum(data) => decode_enum(input, data, &wire)?,
        Data::Union(_) => return Err(no_union(input)),
    };
    let mut generics = with_input_lifetime(&input.generics);
    let types = wire_types(input)?;
    generics.make_where_clause().predicates.extend(
        types
            .iter()
            .map(|ty| -> syn::WherePredicate { parse_quote!(#ty: #wire::Decode<'__wire>) }),
    );
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics #wire::Decode<'__wire> for #name #type_generics #where_clause {
            const MIN_LEN: usize = #min_len;

            fn decode(r: &mut #wire::Reader<'__wire>) -> ::core::result::Result<Self, #wire::DecodeError> {
                #body
            }
        }
    })
}

fn encode_enum(input: &DeriveInput, data: &DataEnum, wire: &Path) -> Result<TokenStream> {
    let tag = enum_tag(input)?;
    let mut arms = Vec::new();
    for (variant, value) in tagged_variants(data) {
        let fields = WireFields::new(&variant.fields)?;
        let (name, bindings, statements) = (&variant.ident, fields.bindings(), fields.encode(wire));
        arms.push(quote! {
            Self::#name #bindings => {
                const TAG: #tag = #value;
                #wire::Encode::encode(&TAG, w);
                #statements
            }
        });
    }
    Ok(quote!(match self { #(#arms)* }))
}

fn decode_enum(
    input: &DeriveInput,
    data: &DataEnum,
    wire: &Path,
) -> Result<(TokenStream, TokenStream)> {
    let tag = enum_tag(input)?;
    let (mut tags, mut arms, mut lens) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (variant, value)) in tagged_variants(data).into_iter().enumerate() {
        let fields = WireFields::new(&variant.fields)?;
        let constant = format_ident!("TAG_{}", index);
        let (name, bindings, statements) = (&variant.ident, fields.bindings(), fields.decode(wire));
        tags.push(quote!(const #constant: #tag = #value;));
        arms.push(quote!(#constant => { #statements Ok(Self::#name #bindings) }));
        lens.push(fields.min_len(wire));
    }
    let min_len = quote! {{
        let lens: &[usize] = &[#(#lens),*];
        let mut least = lens[0];
        let mut i = 1;
        while i < lens.len() {
            if lens[i] < least {
                least = lens[i];
            }
            i += 1;
        }
        ::core::mem::size_of::<#tag>() + least
    }};
    let body = quote! {
        #(#tags)*
        let at = r.clone();
        match <#tag as #wire::Decode<'__wire>>::decode(r)? {
            #(#arms)*
            unknown => Err(at.error(#wire::DecodeErrorKind::UnknownTag { value: unknown as u64 })),
        }
    };
    Ok((min_len, body))
}

fn enum_tag(input: &DeriveInput) -> Result<Ident> {
    attributes::tag_type(&input.attrs)?.ok_or_else(|| {
        Error::new_spanned(
            &input.ident,
            "say how the tag is written: #[repr(u8)] for example",
        )
    })
}

/// Each variant with its tag: as written, or one more than the variant before.
fn tagged_variants(data: &DataEnum) -> Vec<(&Variant, Expr)> {
    let mut base: Expr = parse_quote!(0);
    let mut steps = 0_usize;
    let mut list = Vec::new();
    for variant in &data.variants {
        if let Some((_, value)) = &variant.discriminant {
            base = value.clone();
            steps = 0;
        }
        let step = proc_macro2::Literal::usize_unsuffixed(steps);
        list.push((variant, parse_quote!((#base) + #step)));
        steps += 1;
    }
    list
}

/// Field types that mention a type parameter: only those need a bound.
fn wire_types(input: &DeriveInput) -> Result<Vec<syn::Type>> {
    let parameters: Vec<_> = input
        .generics
        .type_params()
        .map(|p| p.ident.clone())
        .collect();
    let mut all = Vec::new();
    let mut collect = |fields: &syn::Fields| -> Result<()> {
        all.extend(WireFields::new(fields)?.wire_types().cloned());
        Ok(())
    };
    match &input.data {
        Data::Struct(data) => collect(&data.fields)?,
        Data::Enum(data) if data.variants.is_empty() => {
            return Err(Error::new_spanned(
                &input.ident,
                "an enum without variants has no values",
            ));
        }
        Data::Enum(data) => data.variants.iter().try_for_each(|v| collect(&v.fields))?,
        Data::Union(_) => {}
    }
    all.retain(|ty| mentions(quote!(#ty), &parameters));
    Ok(all)
}

fn mentions(tokens: TokenStream, names: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => names.contains(&ident),
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

/// Adds the life of the input, which outlives everything the type borrows.
fn with_input_lifetime(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let mut input = LifetimeParam::new(Lifetime::new("'__wire", Span::call_site()));
    input.bounds = generics
        .lifetimes()
        .map(|borrowed| borrowed.lifetime.clone())
        .collect();
    generics
        .params
        .insert(0, syn::GenericParam::Lifetime(input));
    generics
}

fn no_union(input: &DeriveInput) -> Error {
    Error::new_spanned(&input.ident, "a union does not say which member it holds")
}
