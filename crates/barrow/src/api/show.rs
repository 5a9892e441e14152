//! The definition of one message, as text.

use barrow_api::json::read_named;
use barrow_api::schema::{Bounds, Field};
use barrow_messages::catalogue;

/// Prints the definition of `name`, and what answers it.
pub(super) fn run(name: &str) -> Result<(), String> {
    let module = catalogue()
        .iter()
        .find(|module| module.messages.iter().any(|message| message.name == name))
        .ok_or_else(|| format!("no message {name} (barrow api list)"))?;
    let schema = read_named(module.name, module.json).map_err(|error| error.to_string())?;
    let message = schema
        .message(name)
        .ok_or_else(|| format!("{name} is not in its module"))?;
    println!("{name}  {:08x}  {}", message.crc, module.name);
    for field in message.body() {
        println!("  {}", line(field));
    }
    let service = module
        .services
        .iter()
        .find(|service| service.request == name);
    for (what, names) in service.into_iter().flat_map(|service| {
        [
            ("details", service.details.as_slice()),
            ("reply", service.reply.as_slice()),
            ("events", service.events),
        ]
    }) {
        if !names.is_empty() {
            println!("{what}: {}", names.join(", "));
        }
    }
    Ok(())
}

/// A field as its definition has it.
fn line(field: &Field) -> String {
    let Field { ty, name, .. } = field;
    match &field.bounds {
        Bounds::Scalar => format!("{ty} {name}"),
        Bounds::Fixed(len) => format!("{ty} {name}[{len}]"),
        Bounds::Counted(count) => format!("{ty} {name}[{count}]"),
        Bounds::Open => format!("{ty} {name}[]"),
    }
}
