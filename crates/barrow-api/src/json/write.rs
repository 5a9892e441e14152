//! Schema to JSON.

use crate::schema::{
    Alias, Answer, Bounds, CounterSet, Enumeration, Field, Message, Options, Schema, Service,
    StatPath, Structure, Value,
};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value as Json, json};

/// The `.api.json` text of a schema, with all 13 keys and laid out as VPP's own tool does.
pub fn to_string(schema: &Schema) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"    ");
    to_value(schema)
        .serialize(&mut Serializer::with_formatter(&mut out, formatter))
        .expect("a JSON value is always written to memory");
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// The schema as a JSON value.
pub fn to_value(schema: &Schema) -> Json {
    json!({
        "module": schema.module(),
        "types": list(schema.types(), structure),
        "messages": list(schema.messages(), message),
        "unions": list(schema.unions(), structure),
        "enums": list(schema.enums(), enumeration),
        "enumflags": list(schema.enumflags(), enumeration),
        "services": object(schema.services().iter().map(service)),
        "options": options(schema.options()),
        "aliases": object(schema.aliases().iter().map(alias)),
        "vl_api_version": format!("{:#x}", schema.crc()),
        "imports": schema.imports(),
        "counters": list(schema.counters(), counters),
        "paths": list(schema.paths(), |paths| list(paths, path)),
    })
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Json) -> Json {
    Json::Array(items.iter().map(write).collect())
}

fn object(entries: impl Iterator<Item = (String, Json)>) -> Json {
    Json::Object(entries.collect())
}

fn structure(structure: &Structure) -> Json {
    let mut parts = vec![structure.name.clone().into()];
    parts.extend(structure.fields.iter().map(field));
    if let Some(comment) = &structure.comment {
        parts.push(json!({ "comment": comment }));
    }
    Json::Array(parts)
}

fn message(message: &Message) -> Json {
    let mut parts = vec![message.name.clone().into(), json!(["u16", "_vl_msg_id"])];
    parts.extend(message.fields.iter().map(field));
    let crc = format!("{:#010x}", message.crc);
    let mut meta = json!({ "crc": crc, "options": options(&message.options) });
    if let Some(comment) = &message.comment {
        meta["comment"] = comment.clone().into();
    }
    parts.push(meta);
    Json::Array(parts)
}

fn field(field: &Field) -> Json {
    let mut parts: Vec<Json> = vec![field.ty.to_string().into(), field.name.clone().into()];
    match &field.bounds {
        Bounds::Scalar => {}
        Bounds::Fixed(len) => parts.push((*len).into()),
        Bounds::Open => parts.push(0.into()),
        Bounds::Counted(count) => parts.extend([0.into(), count.clone().into()]),
    }
    if !field.options.is_empty() {
        parts.push(options(&field.options));
    }
    Json::Array(parts)
}

fn enumeration(enumeration: &Enumeration) -> Json {
    let mut parts = vec![enumeration.name.clone().into()];
    parts.extend(
        enumeration
            .items
            .iter()
            .map(|item| json!([item.name, item.value])),
    );
    parts.push(json!({ "enumtype": enumeration.base.name() }));
    Json::Array(parts)
}

fn alias(alias: &Alias) -> (String, Json) {
    let mut target = json!({ "type": alias.ty.to_string() });
    if let Some(len) = alias.len {
        target["length"] = len.into();
    }
    (alias.name.clone(), target)
}

fn service(service: &Service) -> (String, Json) {
    let mut answer = match &service.answer {
        Answer::Nothing => json!({ "reply": "null" }),
        Answer::Reply(reply) => json!({ "reply": reply }),
        Answer::Dump { details } => json!({ "reply": details, "stream": true }),
        Answer::Cursor { details, reply } => {
            json!({ "reply": reply, "stream": true, "stream_msg": details })
        }
    };
    if !service.events.is_empty() {
        answer["events"] = service.events.clone().into();
    }
    (service.request.clone(), answer)
}

fn options(options: &Options) -> Json {
    let entries = options
        .iter()
        .map(|(name, value)| (name.to_owned(), option(value)));
    Json::Object(entries.collect::<Map<_, _>>())
}

fn option(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
            (Ok(value), _) => value.into(),
            (_, Ok(value)) => value.into(),
            // Neither reader takes in such a number.
            _ => value.to_string().into(),
        },
        Value::Float(value) => (*value).into(),
        Value::Text(text) => text.clone().into(),
    }
}

fn counters(set: &CounterSet) -> Json {
    let elements = list(&set.elements, |counter| {
        json!({
            "name": counter.name,
            "severity": counter.severity,
            "type": counter.kind,
            "units": counter.units,
            "description": counter.description,
        })
    });
    json!({ "name": set.name, "elements": elements })
}

fn path(path: &StatPath) -> Json {
    json!({ "path": path.path, "counter": path.counter })
}
