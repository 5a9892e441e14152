//! The module's `ModuleInfo`.

use super::context::Context;
use super::names::type_ident;
use super::options::Json;
use crate::json;
use crate::schema::{Answer, Message};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn module_info(context: &Context<'_>) -> TokenStream {
    let schema = context.schema;
    let (name, version) = (schema.module(), schema.version());
    let crc: TokenStream = format!("{:#010x}", schema.crc())
        .parse()
        .expect("a number is a token");
    let range_name = schema.range_name().unwrap_or_default();
    let json = match &context.options.json {
        Json::Without => quote!(""),
        Json::Literal => {
            let text = json::to_string(schema);
            quote!(#text)
        }
        Json::Include(file) => quote!(include_str!(#file)),
    };
    let messages = schema.messages().iter().map(|message| {
        let (ident, kind) = (type_ident(&message.name), kind(context, message));
        quote!(wire::MessageInfo::of::<#ident>(wire::MessageKind::#kind))
    });
    let services = schema.services().iter().map(|service| {
        let (request, events) = (&service.request, &service.events);
        let reply = optional(service.answer.reply());
        let details = optional(service.answer.details());
        quote! {
            wire::ServiceInfo {
                request: #request,
                reply: #reply,
                details: #details,
                events: &[#(#events),*],
            }
        }
    });
    quote! {
        /// What is known of the interface file at run time.
        pub static MODULE: wire::ModuleInfo = wire::ModuleInfo {
            name: #name,
            version: #version,
            crc: #crc,
            range_name: #range_name,
            json: #json,
            messages: &[#(#messages),*],
            services: &[#(#services),*],
        };
    }
}

fn optional(name: Option<&str>) -> TokenStream {
    match name {
        Some(name) => quote!(Some(#name)),
        None => quote!(None),
    }
}

fn kind(context: &Context<'_>, message: &Message) -> TokenStream {
    let name = message.name.as_str();
    let schema = context.schema;
    if let Some(service) = schema.service(name) {
        return match service.answer {
            Answer::Nothing => quote!(OneWay),
            Answer::Reply(_) => quote!(Request),
            Answer::Dump { .. } => quote!(Dump),
            Answer::Cursor { .. } => quote!(CursorStream),
        };
    }
    let services = schema.services();
    if services
        .iter()
        .any(|service| service.answer.reply() == Some(name))
    {
        quote!(Reply)
    } else if services
        .iter()
        .any(|service| service.answer.details() == Some(name))
    {
        quote!(Details)
    } else if services
        .iter()
        .any(|service| service.events.iter().any(|event| event == name))
    {
        quote!(Event)
    } else {
        quote!(Unused)
    }
}
