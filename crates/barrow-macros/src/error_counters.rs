//! `#[derive(ErrorCounters)]`.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Ident, LitCStr, LitStr, Result, Variant};

use crate::{
    attributes::only,
    names::{c_str, c_str_of, snake_case},
    root::root,
    slots::{note, slot_body, variants},
};

const USAGE: &str = "#[error_counter(name = \"...\", description = \"...\", severity = INFO|WARNING|ERROR|CRITICAL)]";

struct Counter {
    name: LitCStr,
    description: LitCStr,
    severity: &'static str,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let root = root();
    let (mut counters, mut idents, mut errors) = (Vec::new(), Vec::new(), None);
    let mut names = HashSet::new();
    for variant in variants(input)? {
        idents.push(&variant.ident);
        match counter(variant) {
            Ok(Counter {
                name,
                description,
                severity,
            }) => {
                if !names.insert(name.value()) {
                    let text = "another counter of this node has this name";
                    note(&mut errors, Error::new(name.span(), text));
                }
                let severity = Ident::new(severity, variant.ident.span());
                counters.push(quote! {
                    #root::CounterDescription {
                        name: #name,
                        description: #description,
                        severity: #root::Severity::#severity,
                    }
                });
            }
            Err(error) => note(&mut errors, error),
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let (ident, body) = (&input.ident, slot_body(&idents));
    Ok(quote! {
        #[automatically_derived]
        impl #root::ErrorCounters for #ident {
            const COUNTERS: &'static [#root::CounterDescription] = &[#(#counters),*];

            #[inline]
            fn slot(self) -> usize {
                #body
            }
        }
    })
}

fn counter(variant: &Variant) -> Result<Counter> {
    let attribute = only(variant, "error_counter", USAGE)?;
    let (mut name, mut description, mut severity) = (None, None, None);
    attribute.parse_nested_meta(|meta| {
        let twice = |is_set: bool| match is_set {
            true => Err(meta.error("given twice")),
            false => Ok(()),
        };
        if meta.path.is_ident("name") {
            twice(name.is_some())?;
            name = Some(c_str(&meta.value()?.parse::<LitStr>()?)?);
        } else if meta.path.is_ident("description") {
            twice(description.is_some())?;
            description = Some(c_str(&meta.value()?.parse::<LitStr>()?)?);
        } else if meta.path.is_ident("severity") {
            twice(severity.is_some())?;
            severity = Some(severity_of(&meta.value()?.parse::<Ident>()?)?);
        } else {
            return Err(meta.error("expected `name`, `description` or `severity`"));
        }
        Ok(())
    })?;
    let name = match name {
        Some(name) => name,
        None => c_str_of(
            &snake_case(&variant.ident.to_string()),
            variant.ident.span(),
        )?,
    };
    let description = description
        .ok_or_else(|| Error::new_spanned(attribute, "needs `description = \"...\"`"))?;
    Ok(Counter {
        name,
        description,
        severity: severity.unwrap_or("Error"),
    })
}

fn severity_of(word: &Ident) -> Result<&'static str> {
    match word.to_string().as_str() {
        "INFO" => Ok("Info"),
        "WARNING" | "WARN" => Ok("Warning"),
        "ERROR" => Ok("Error"),
        "CRITICAL" => Ok("Critical"),
        _ => Err(Error::new_spanned(
            word,
            "expected INFO, WARNING, ERROR or CRITICAL",
        )),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn name_and_severity_have_defaults() {
        let text = expand(&parse_quote! {
            enum Errors {
                #[error_counter(description = "too short")]
                BadLength,
                #[error_counter(name = "ttl", description = "expired", severity = WARNING)]
                TtlExpired,
            }
        })
        .unwrap()
        .to_string();
        assert!(text.contains(r#"name : c"bad_length""#), "{text}");
        assert!(text.contains("Severity :: Error"), "{text}");
        assert!(text.contains("Severity :: Warning"), "{text}");
    }

    #[test]
    fn every_mistake_is_an_error() {
        let cases: [(DeriveInput, &str); 6] = [
            (
                parse_quote!(
                    enum E {
                        A,
                    }
                ),
                "needs `#[error_counter",
            ),
            (
                parse_quote!(
                    enum E {
                        #[error_counter(name = "a")]
                        A,
                    }
                ),
                "needs `description",
            ),
            (
                parse_quote!(
                    enum E {
                        #[error_counter(description = "d", severity = BAD)]
                        A,
                    }
                ),
                "expected INFO",
            ),
            (
                parse_quote!(
                    enum E {
                        #[error_counter(color = "red")]
                        A,
                    }
                ),
                "expected `name`",
            ),
            (
                parse_quote!(
                    enum E {
                        #[error_counter(description = "d", description = "e")]
                        A,
                    }
                ),
                "given twice",
            ),
            (
                parse_quote! {
                    enum E {
                        #[error_counter(description = "d")]
                        A,
                        #[error_counter(name = "a", description = "d")]
                        B,
                    }
                },
                "another counter",
            ),
        ];
        for (input, expected) in cases {
            let error = expand(&input).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
