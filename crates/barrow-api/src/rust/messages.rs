//! Messages: structs, and the traits that tell how they belong together.

use super::context::Context;
use super::docs::Docs;
use super::fields::body;
use super::names::{field_ident, type_ident, type_name};
use super::options::GenerateError;
use crate::schema::{Answer, Bounds, Header, Message, Primitive, Service, TypeName, Value};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn message(
    context: &Context<'_>,
    message: &Message,
) -> Result<TokenStream, GenerateError> {
    let docs = Docs::of(message.comment.as_deref());
    let lines = lines(context, message, &docs);
    let layout = context.schema.fields_layout(message.body());
    let derives = |more: &[&str]| context.message_derives(layout, more);
    let definition = body(
        context,
        &message.name,
        message.body(),
        &docs,
        &lines,
        derives,
    )?;
    let about = about(context, message);
    let service = context.schema.service(&message.name);
    let service = service.map(|service| service_traits(context, message, service));
    let mut services = context.schema.services().iter();
    let is_reply = services.any(|service| service.answer.reply() == Some(&message.name));
    let reply = is_reply.then(|| reply(message));
    let events = events(context, message);
    Ok(quote!(#definition #about #service #reply #events))
}

/// The comment, then what the schema tells.
fn lines(context: &Context<'_>, message: &Message, docs: &Docs) -> Vec<String> {
    let mut lines = docs.lines().to_vec();
    if lines.is_empty() {
        lines.push(format!("Message `{}`.", message.name));
    }
    let mut more = |line: String| lines.extend([String::new(), line]);
    if let Some(value) = message.options.get("deprecated") {
        more(match value {
            Value::None => "Deprecated.".to_owned(),
            since => format!("Deprecated: {since}."),
        });
    }
    if let Some(other) = message.options.get("replaced_by").and_then(Value::as_text) {
        more(format!("Replaced by `{other}`."));
    }
    if message.is_in_progress() {
        more("In progress: may still change.".to_owned());
    }
    if let Some(service) = context.schema.service(&message.name) {
        let link = |name: &str| format!("[`{}`]", type_name(name));
        let mut text = match &service.answer {
            Answer::Nothing => "Not answered.".to_owned(),
            Answer::Reply(reply) => format!("Answered by {}.", link(reply)),
            Answer::Dump { details } => format!("Answered by any number of {}.", link(details)),
            Answer::Cursor { details, reply } => {
                format!(
                    "Answered by any number of {}, then {}.",
                    link(details),
                    link(reply)
                )
            }
        };
        if !service.events.is_empty() {
            let events: Vec<_> = service.events.iter().map(|event| link(event)).collect();
            text += &format!(" Subscribes to {}.", events.join(", "));
        }
        more(text);
    }
    lines
}

fn about(context: &Context<'_>, message: &Message) -> TokenStream {
    let ident = type_ident(&message.name);
    let (name, name_crc) = (&message.name, message.name_crc());
    let module = context.schema.module();
    let crc: TokenStream = format!("{:#010x}", message.crc)
        .parse()
        .expect("a number is a token");
    let header = header_kind(context, message);
    quote! {
        impl wire::Message for #ident {
            const NAME: &'static str = #name;
            const CRC: u32 = #crc;
            const NAME_CRC: &'static str = #name_crc;
            const MODULE: &'static str = #module;
            const HEADER: wire::HeaderKind = wire::HeaderKind::#header;
        }
    }
}

fn header_kind(context: &Context<'_>, message: &Message) -> TokenStream {
    let Header {
        client_index,
        context: has_context,
    } = message.header();
    match (
        client_index,
        has_context,
        is_sent_by_clients(context, message),
    ) {
        (true, true, true) => quote!(Request),
        (true, true, false) => quote!(ClientThenContext),
        (false, true, true) => quote!(ContextOnly),
        (false, true, false) => quote!(Reply),
        (true, false, _) => quote!(Event),
        (false, false, _) => quote!(None),
    }
}

/// As the services say; a message in none of them is judged by its name.
fn is_sent_by_clients(context: &Context<'_>, message: &Message) -> bool {
    let name = message.name.as_str();
    if context.schema.service(name).is_some() {
        return true;
    }
    let mut services = context.schema.services().iter();
    if services.any(|service| service.sent_by_server().any(|sent| sent == name)) {
        return false;
    }
    !["_reply", "_details", "_event"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

fn service_traits(context: &Context<'_>, message: &Message, service: &Service) -> TokenStream {
    let ident = type_ident(&message.name);
    let request = match &service.answer {
        Answer::Nothing => quote!(impl wire::OneWay for #ident {}),
        Answer::Reply(reply) => {
            let reply = type_ident(reply);
            quote!(impl wire::Request for #ident { type Reply = #reply; })
        }
        Answer::Dump { details } => {
            let details = type_ident(details);
            quote!(impl wire::Dump for #ident { type Details = #details; })
        }
        Answer::Cursor { details, reply } => cursor(context, message, details, reply),
    };
    let subscribe = match (service.events.first(), &service.answer) {
        (Some(first), Answer::Reply(_)) => {
            let (first, names) = (type_ident(first), &service.events);
            let set_enabled = set_enabled(message);
            quote! {
                impl wire::Subscribe for #ident {
                    type Event = #first;
                    const EVENTS: &'static [&'static str] = &[#(#names),*];
                    #set_enabled
                }
            }
        }
        _ => quote!(),
    };
    quote!(#request #subscribe)
}

/// The method that switches a subscription on and off, by the field that 26.06 has for it.
fn set_enabled(message: &Message) -> Option<TokenStream> {
    const NAMES: [&str; 3] = ["enable_disable", "enable", "is_add"];
    let switch = message
        .body()
        .iter()
        .find(|field| NAMES.contains(&field.name.as_str()))?;
    let name = field_ident(&switch.name);
    let switchable = [Primitive::Bool, Primitive::U8, Primitive::U32]
        .iter()
        .any(|primitive| switch.is_scalar(*primitive));
    let value = if switch.is_scalar(Primitive::Bool) {
        quote!(on)
    } else {
        quote!(on.into())
    };
    switchable.then(|| {
        quote! {
            fn set_enabled(&mut self, on: bool) -> bool {
                self.#name = #value;
                true
            }
        }
    })
}

fn cursor(context: &Context<'_>, message: &Message, details: &str, reply: &str) -> TokenStream {
    let (ident, details) = (type_ident(&message.name), type_ident(details));
    let has_cursor = |message: &Message| {
        message
            .body()
            .iter()
            .any(|field| field.name == "cursor" && field.is_scalar(Primitive::U32))
    };
    let reply_has_cursor = context.schema.message(reply).is_some_and(has_cursor);
    let reply = type_ident(reply);
    let resume = if has_cursor(message) && reply_has_cursor {
        quote! {
            fn resume_after(&mut self, reply: &#reply) -> bool {
                self.cursor = reply.cursor;
                true
            }
        }
    } else {
        quote! {
            fn resume_after(&mut self, _: &#reply) -> bool {
                false
            }
        }
    };
    quote! {
        impl wire::CursorStream for #ident {
            type Details = #details;
            type Reply = #reply;

            #resume
        }
    }
}

/// `retval`, wherever it stands and whatever integer it is.
fn reply(message: &Message) -> TokenStream {
    let ident = type_ident(&message.name);
    let retval = message.body().iter().find(|field| field.name == "retval");
    let retval = retval.and_then(|field| match (&field.ty, &field.bounds) {
        (TypeName::Primitive(primitive), Bounds::Scalar) if primitive.is_integer() => {
            Some(*primitive)
        }
        _ => None,
    });
    let (has, get, set, parameter) = match retval {
        None => (false, quote!(0), quote!(), quote!(_)),
        Some(Primitive::I32) => (
            true,
            quote!(self.retval),
            quote!(self.retval = retval;),
            quote!(retval),
        ),
        Some(other) => {
            let ty = super::context::primitive_type(other);
            (
                true,
                quote!(self.retval as i32),
                quote!(self.retval = retval as #ty;),
                quote!(retval),
            )
        }
    };
    quote! {
        impl wire::Reply for #ident {
            const HAS_RETVAL: bool = #has;

            fn retval(&self) -> i32 {
                #get
            }

            fn set_retval(&mut self, #parameter: i32) {
                #set
            }
        }
    }
}

fn events(context: &Context<'_>, message: &Message) -> TokenStream {
    let ident = type_ident(&message.name);
    let services = context.schema.services().iter();
    let requests = services.filter(|service| service.events.contains(&message.name));
    let requests = requests.map(|service| type_ident(&service.request));
    quote!(#(impl wire::EventOf<#requests> for #ident {})*)
}
