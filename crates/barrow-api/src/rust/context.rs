//! What all parts of the generator ask: names, types and defaults in Rust.

use super::names::{field_ident, field_name, type_ident, type_name};
use super::options::{GenerateError, Options, Serde};
use crate::schema::{
    Alias, Bounds, Definition, Field, Layout, Primitive, Scalar, Schema, TypeName,
};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::{HashMap, HashSet};
use syn::{Ident, Path};

/// Types of up to so many bytes are `Copy`.
const MAX_COPY_LEN: u32 = 64;

pub(super) struct Context<'s> {
    pub(super) schema: &'s Schema,
    pub(super) options: &'s Options,
    wire: Path,
    /// Where the bindings of each imported module are.
    modules: HashMap<String, Path>,
}

impl<'s> Context<'s> {
    pub(super) fn new(schema: &'s Schema, options: &'s Options) -> Result<Self, GenerateError> {
        let path = |text: &str| {
            syn::parse_str::<Path>(text).map_err(|_| GenerateError::NotAPath(text.to_owned()))
        };
        let mut context = Self {
            schema,
            options,
            wire: path(&options.wire)?,
            modules: HashMap::new(),
        };
        for module in schema
            .definitions()
            .filter_map(|definition| definition.origin().module())
        {
            let text = match options.modules.get(&module) {
                Some(text) => text.clone(),
                None => {
                    let module = super::names::ident(&module);
                    format!("{}::{module}", options.other_modules)
                }
            };
            context.modules.insert(module, path(&text)?);
        }
        context.check_type_names()?;
        Ok(context)
    }

    fn check_type_names(&self) -> Result<(), GenerateError> {
        let own = self
            .schema
            .definitions()
            .filter(|definition| self.is_own(*definition));
        let types = own.map(|definition| definition.name());
        let messages = self
            .schema
            .messages()
            .iter()
            .map(|message| message.name.as_str());
        let mut taken = HashMap::new();
        for name in types.chain(messages) {
            let rust = type_name(name);
            if let Some(first) = taken.insert(rust.clone(), name) {
                let (first, second) = (first.to_owned(), name.to_owned());
                return Err(GenerateError::TypesCollide {
                    first,
                    second,
                    rust,
                });
            }
        }
        Ok(())
    }

    pub(super) fn check_field_names(
        &self,
        block: &str,
        fields: &[Field],
    ) -> Result<(), GenerateError> {
        let mut taken = HashSet::new();
        for field in fields {
            let rust = field_name(&field.name);
            if taken.contains(&rust) {
                return Err(GenerateError::FieldsCollide {
                    block: block.to_owned(),
                    rust,
                });
            }
            taken.insert(rust);
        }
        Ok(())
    }

    /// Whether the type is defined in this file, or nowhere else as far as known.
    pub(super) fn is_own(&self, definition: Definition<'_>) -> bool {
        definition
            .origin()
            .module()
            .is_none_or(|module| module == self.schema.module())
    }

    /// The path of `barrow_wire` from the crate's root.
    pub(super) fn wire_path(&self) -> &Path {
        &self.wire
    }

    /// A defined type as seen from the module.
    pub(super) fn defined(&self, name: &str) -> TokenStream {
        let ident = type_ident(name);
        let definition = self
            .schema
            .definition(name)
            .expect("types of a schema are defined");
        if self.is_own(definition) {
            return quote!(#ident);
        }
        let module = definition
            .origin()
            .module()
            .expect("a type that is not own has a home");
        let path = &self.modules[&module];
        quote!(#path::#ident)
    }

    /// One value of a field.
    pub(super) fn element(&self, ty: &TypeName) -> TokenStream {
        match ty {
            TypeName::Primitive(primitive) => primitive_type(*primitive),
            TypeName::String => quote!(u8),
            TypeName::Defined(name) => self.defined(name),
        }
    }

    /// The whole field.
    pub(super) fn field_type(&self, field: &Field) -> TokenStream {
        self.bounded(&field.ty, &field.bounds)
    }

    pub(super) fn bounded(&self, ty: &TypeName, bounds: &Bounds) -> TokenStream {
        let element = self.element(ty);
        match (bounds, ty) {
            (Bounds::Scalar, _) => element,
            (Bounds::Open, _) => quote!(wire::VarString),
            (Bounds::Counted(_), _) => quote!(Vec<#element>),
            (Bounds::Fixed(len), TypeName::String) => {
                let len = Literal::u32_unsuffixed(*len);
                quote!(wire::FixedString<#len>)
            }
            (Bounds::Fixed(len), _) => {
                let len = Literal::u32_unsuffixed(*len);
                quote!([#element; #len])
            }
        }
    }

    /// The first value of a field: the schema's default, or zeros.
    pub(super) fn default_expression(&self, field: &Field) -> TokenStream {
        if let Some(scalar) = self.schema.default_value(field) {
            let value = scalar_literal(scalar);
            let Some(name) = field.ty.defined() else {
                return value;
            };
            // The name may be an alias of the newtype, and cannot construct it then.
            let newtype = self
                .schema
                .unalias(name)
                .map_or(name, |definition| definition.name());
            let path = self.defined(newtype);
            return quote!(#path(#value));
        }
        let Bounds::Fixed(len) = field.bounds else {
            return quote!(Default::default());
        };
        // The standard library has `Default` for arrays of up to 32.
        if len <= 32 || field.ty == TypeName::String {
            return quote!(Default::default());
        }
        let len = Literal::u32_unsuffixed(len);
        match &field.ty {
            TypeName::Primitive(Primitive::Bool) => quote!([false; #len]),
            TypeName::Primitive(Primitive::F64) => quote!([0.0; #len]),
            TypeName::Primitive(_) => quote!([0; #len]),
            _ => quote!(::core::array::from_fn(|_| Default::default())),
        }
    }

    /// Whether `Default` can be derived for a struct with these fields.
    pub(super) fn derives_default(&self, fields: &[Field]) -> bool {
        fields.iter().all(|field| {
            let long = matches!(field.bounds, Bounds::Fixed(len) if len > 32);
            let zero = match self.schema.default_value(field) {
                Some(Scalar::Bool(value)) => !value,
                Some(Scalar::Integer(value)) => value == 0,
                Some(Scalar::Float(value)) => value.to_bits() == 0,
                None => true,
            };
            zero && !(long && field.ty != TypeName::String)
        })
    }

    /// The derives that suit a type of this size. Small types are values and `Copy`.
    pub(super) fn derives(&self, layout: Layout, more: &[&str]) -> TokenStream {
        let copy = !layout.variable && layout.min_len <= MAX_COPY_LEN;
        let names: &[&str] = if copy { &["Clone", "Copy"] } else { &["Clone"] };
        self.derive_list(names, layout, more)
    }

    /// The derives that suit a message, which may grow in a later release and so never is `Copy`.
    pub(super) fn message_derives(&self, layout: Layout, more: &[&str]) -> TokenStream {
        self.derive_list(&["Clone"], layout, more)
    }

    fn derive_list(&self, first: &[&str], layout: Layout, more: &[&str]) -> TokenStream {
        let mut names = first.to_vec();
        names.extend(more);
        names.push("PartialEq");
        if !layout.has_float {
            names.extend(["Eq", "Hash"]);
        }
        let names = names.into_iter().map(|name| format_ident!("{name}"));
        let serde = self.serde_derive();
        quote!(#[derive(#(#names),*)] #serde)
    }

    pub(super) fn serde_derive(&self) -> TokenStream {
        self.serde_attribute(&quote!(derive(::serde::Serialize, ::serde::Deserialize)))
    }

    /// For newtypes: their value alone.
    pub(super) fn serde_transparent(&self) -> TokenStream {
        self.serde_attribute(&quote!(serde(transparent)))
    }

    /// For arrays that serde itself cannot do.
    pub(super) fn serde_array(&self, bounds: &Bounds, ty: &TypeName) -> TokenStream {
        match bounds {
            Bounds::Fixed(len) if *len > 32 && *ty != TypeName::String => {
                let wire = &self.wire;
                let module = quote!(#wire::serde::array).to_string().replace(' ', "");
                self.serde_attribute(&quote!(serde(with = #module)))
            }
            _ => quote!(),
        }
    }

    fn serde_attribute(&self, content: &TokenStream) -> TokenStream {
        match &self.options.serde {
            Serde::No => quote!(),
            Serde::Yes => quote!(#[#content]),
            Serde::Feature(feature) => quote!(#[cfg_attr(feature = #feature, #content)]),
        }
    }

    /// Whether an alias is a type of its own rather than another name.
    pub(super) fn is_newtype(alias: &Alias) -> bool {
        match (&alias.ty, alias.len) {
            (TypeName::Primitive(_), _) | (TypeName::Defined(_), Some(_)) => true,
            (TypeName::Defined(_), None) | (TypeName::String, _) => false,
        }
    }
}

pub(super) fn primitive_type(primitive: Primitive) -> TokenStream {
    let ident = format_ident!("{}", primitive.name());
    quote!(#ident)
}

/// Fields in Rust, without the counts: each with its identifier.
pub(super) fn struct_fields(fields: &[Field]) -> Vec<(&Field, Ident)> {
    let counts: HashSet<&str> = fields.iter().filter_map(Field::counted_by).collect();
    let kept = fields
        .iter()
        .filter(|field| !counts.contains(field.name.as_str()));
    kept.map(|field| (field, field_ident(&field.name)))
        .collect()
}

fn scalar_literal(scalar: Scalar) -> TokenStream {
    match scalar {
        Scalar::Bool(value) => quote!(#value),
        Scalar::Integer(value) => integer(value),
        Scalar::Float(value) => {
            let literal = Literal::f64_unsuffixed(value.abs());
            if value.is_sign_negative() {
                quote!(-#literal)
            } else {
                quote!(#literal)
            }
        }
    }
}

pub(super) fn integer(value: i128) -> TokenStream {
    let literal = Literal::u128_unsuffixed(value.unsigned_abs());
    if value < 0 {
        quote!(-#literal)
    } else {
        quote!(#literal)
    }
}
