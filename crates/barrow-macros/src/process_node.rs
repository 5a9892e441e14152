//! `#[process_node(..)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, FnArg, Ident, ItemFn, LitStr, Pat, PatType, Path, Result, Token,
    parse::{Parse, ParseStream},
};

use crate::{
    names::{c_str, camel_case},
    root::root,
};

/// What stands in the attribute's parentheses.
pub(crate) struct Arguments {
    name: LitStr,
    errors: Option<Path>,
    next_nodes: Option<Path>,
    node: Option<Ident>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut name, mut errors, mut next_nodes, mut node) = (None, None, None, None);
        let start = input.span();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let twice = match key.to_string().as_str() {
                "name" => name.replace(input.parse::<LitStr>()?).is_some(),
                "errors" => errors.replace(input.parse::<Path>()?).is_some(),
                "next_nodes" => next_nodes.replace(input.parse::<Path>()?).is_some(),
                "node" => node.replace(input.parse::<Ident>()?).is_some(),
                _ => {
                    let text = "expected `name`, `errors`, `next_nodes` or `node`";
                    return Err(Error::new_spanned(key, text));
                }
            };
            if twice {
                return Err(Error::new_spanned(key, "given twice"));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let name = name.ok_or_else(|| Error::new(start, "needs `name = \"node-name\"`"))?;
        Ok(Self {
            name,
            errors,
            next_nodes,
            node,
        })
    }
}

/// A parameter after the context: a field of the node.
struct Field<'a> {
    ident: &'a Ident,
    ty: &'a syn::Type,
    docs: Vec<&'a Attribute>,
}

pub(crate) fn expand(arguments: Arguments, mut function: ItemFn) -> Result<TokenStream> {
    check(&function)?;
    let root = root();
    let name = c_str(&arguments.name)?;
    let node = arguments
        .node
        .unwrap_or_else(|| format_ident!("{}", camel_case(&function.sig.ident.to_string())));
    let errors = arguments
        .errors
        .map_or_else(|| quote!(#root::NoErrors), |path| quote!(#path));
    let next_nodes = arguments
        .next_nodes
        .map_or_else(|| quote!(#root::NoNext), |path| quote!(#path));

    let inputs = function.sig.inputs.clone();
    let fields = inputs
        .iter()
        .skip(1)
        .map(field)
        .collect::<Result<Vec<_>>>()?;
    let idents: Vec<_> = fields.iter().map(|f| f.ident).collect();
    let definitions = fields.iter().map(|Field { ident, ty, docs }| {
        let default = docs.is_empty().then(|| {
            let text = format!("The parameter `{ident}`.");
            quote!(#[doc = #text])
        });
        quote!(#default #(#docs)* pub #ident: #ty)
    });

    let visibility = function.vis.clone();
    let (outer, inner): (Vec<_>, Vec<_>) = std::mem::take(&mut function.attrs)
        .into_iter()
        .partition(|a| a.path().is_ident("doc"));
    let call = function.sig.ident.clone();
    function.vis = syn::Visibility::Inherited;
    function.attrs = inner;
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(input) = input {
            input.attrs.retain(|a| !a.path().is_ident("doc"));
        }
    }
    let node_text = node.to_string();
    Ok(quote! {
        #(#outer)*
        #visibility struct #node {
            #(#definitions,)*
        }

        #[automatically_derived]
        impl ::core::fmt::Debug for #node {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#node_text).finish_non_exhaustive()
            }
        }

        impl #root::ProcessNode for #node {
            const NAME: &'static ::core::ffi::CStr = #name;
            type NextNodes = #next_nodes;
            type Errors = #errors;

            async fn run(
                self,
                cx: #root::ProcessContext<Self>,
            ) -> ::core::result::Result<(), #root::ProcessError> {
                #function
                let Self { #(#idents),* } = self;
                #call(cx, #(#idents),*).await
            }
        }
    })
}

fn check(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(Error::new_spanned(
            signature.fn_token,
            "a process node is an `async fn`",
        ));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let text = "a generic process node implements `ProcessNode` by hand";
        return Err(Error::new_spanned(&signature.generics, text));
    }
    match signature.inputs.first() {
        None => {
            let text = "the first parameter is the context: `cx: ProcessContext<Node>`";
            Err(Error::new_spanned(&signature.ident, text))
        }
        Some(FnArg::Receiver(receiver)) => Err(Error::new_spanned(
            receiver,
            "a process node is a free function",
        )),
        Some(FnArg::Typed(_)) => Ok(()),
    }
}

fn field(input: &FnArg) -> Result<Field<'_>> {
    let FnArg::Typed(PatType { attrs, pat, ty, .. }) = input else {
        return Err(Error::new_spanned(
            input,
            "a process node is a free function",
        ));
    };
    match &**pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Ok(Field {
            ident: &pat.ident,
            ty,
            docs: attrs.iter().filter(|a| a.path().is_ident("doc")).collect(),
        }),
        other => Err(Error::new_spanned(
            other,
            "a parameter is a plain name, a field of the node",
        )),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn error(arguments: TokenStream, function: ItemFn) -> String {
        let expanded = syn::parse2(arguments).and_then(|arguments| expand(arguments, function));
        expanded.unwrap_err().to_string()
    }

    #[test]
    fn parameters_become_fields_of_a_struct_in_camel_case() {
        let function = parse_quote! {
            /// Watches links.
            pub(crate) async fn link_watch(
                cx: ProcessContext<LinkWatch>,
                /// Where they are told.
                mut events: Receiver<Event>,
            ) -> Result<(), ProcessError> {
                Ok(())
            }
        };
        let arguments = syn::parse_quote!(name = "link-watch", errors = Errors);
        let text = expand(arguments, function).unwrap().to_string();
        assert!(text.contains("pub (crate) struct LinkWatch"), "{text}");
        assert!(text.contains("pub events : Receiver < Event >"), "{text}");
        assert!(text.contains("type Errors = Errors"), "{text}");
        assert!(text.contains(r#"c"link-watch""#), "{text}");
    }

    #[test]
    fn every_mistake_is_an_error() {
        let named = || quote!(name = "n");
        let function = parse_quote!(
            async fn f(cx: ProcessContext<F>) {}
        );
        assert!(error(quote!(), function).contains("needs `name"));
        let function = parse_quote!(
            async fn f(cx: ProcessContext<F>) {}
        );
        assert!(error(quote!(name = "n", stack = 5), function).contains("expected `name`"));
        let function = parse_quote!(
            async fn f(cx: ProcessContext<F>) {}
        );
        assert!(error(quote!(name = "n", name = "m"), function).contains("twice"));
        assert!(
            error(
                named(),
                parse_quote!(
                    fn f(cx: ProcessContext<F>) {}
                )
            )
            .contains("async fn")
        );
        assert!(
            error(
                named(),
                parse_quote!(
                    async fn f() {}
                )
            )
            .contains("context")
        );
        let function = parse_quote!(
            async fn f<T>(cx: ProcessContext<F>, t: T) {}
        );
        assert!(error(named(), function).contains("by hand"));
        let function = parse_quote!(
            async fn f(cx: ProcessContext<F>, (a, b): (u8, u8)) {}
        );
        assert!(error(named(), function).contains("plain name"));
    }
}
