//! JSON to schema.

use super::node::{Document, Node};
use crate::error::{Error, JsonError};
use crate::schema::{
    Alias, Answer, Bounds, Counter, CounterSet, Enumeration, Field, Item, Message, Options, Parts,
    Primitive, Schema, Service, StatPath, Structure, TypeName,
};
use crate::source::module_name;

/// Reads an `.api.json` text.
///
/// # Errors
/// When it is not JSON, not of VPP's schema, or its definitions do not hold together.
pub fn read(text: &str) -> Result<Schema, Error> {
    read_named("", text)
}

/// As [`read`]; errors tell `file`, and files of releases before 26.06 get their module name from it.
///
/// # Errors
/// As [`read`].
pub fn read_named(file: &str, text: &str) -> Result<Schema, Error> {
    let document = Document::new(file, text);
    let mut parts = Parts {
        module: module_name(file),
        ..Parts::default()
    };
    for (key, node) in document
        .root()?
        .object("an object with `types`, `messages` ...")?
    {
        top_level(&mut parts, &key, node)?;
    }
    for message in &mut parts.messages {
        message.origin.file = Some(document.file.clone());
    }
    Schema::new(parts).map_err(|error| {
        if error.file.is_empty() {
            Error {
                file: document.file.clone(),
                ..error
            }
        } else {
            error
        }
    })
}

fn top_level(parts: &mut Parts, key: &str, node: Node<'_, '_>) -> Result<(), Error> {
    match key {
        "module" => parts.module = node.text("the name of the module")?,
        "types" => parts.types = each(node, structure)?,
        "messages" => parts.messages = each(node, message)?,
        "unions" => parts.unions = each(node, structure)?,
        "enums" => parts.enums = each(node, enumeration)?,
        "enumflags" => parts.enumflags = each(node, enumeration)?,
        "services" => parts.services = entries(node, service)?,
        "options" => parts.options = options(node)?,
        "aliases" => parts.aliases = entries(node, alias)?,
        "vl_api_version" => parts.crc = crc(node)?,
        "imports" => parts.imports = each(node, |path| path.text("the path of an import"))?,
        "counters" => parts.counters = each(node, counters)?,
        "paths" => parts.paths = each(node, paths)?,
        _ => {}
    }
    Ok(())
}

fn each<T>(
    node: Node<'_, '_>,
    read: impl Fn(Node<'_, '_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    node.list("a list")?.into_iter().map(read).collect()
}

fn entries<T>(
    node: Node<'_, '_>,
    read: impl Fn(String, Node<'_, '_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    node.object("an object")?
        .into_iter()
        .map(|(key, value)| read(key, value))
        .collect()
}

/// `[name, part, ..., {meta}]`, as structures, messages and enumerations are written.
struct Named<'a, 'd> {
    node: Node<'a, 'd>,
    name: String,
    parts: Vec<Node<'a, 'd>>,
    meta: Vec<(String, Node<'a, 'd>)>,
}

impl<'a, 'd> Named<'a, 'd> {
    fn read(node: Node<'a, 'd>) -> Result<Self, Error> {
        let mut parts = node.list("a list that begins with a name")?;
        if parts.is_empty() {
            return node.fail(JsonError::Missing {
                missing: "the name",
            });
        }
        let name = parts.remove(0).text("a name")?;
        let mut meta = Vec::new();
        if let Some(last) = parts.pop_if(|last| last.is_object()) {
            meta = last.object("an object")?;
        }
        Ok(Self {
            node,
            name,
            parts,
            meta,
        })
    }

    fn meta(&self, key: &str) -> Option<Node<'a, 'd>> {
        self.meta
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| *node)
    }

    fn comment(&self) -> Result<Option<String>, Error> {
        self.meta("comment")
            .map(|node| node.text("a comment"))
            .transpose()
    }
}

fn structure(node: Node<'_, '_>) -> Result<Structure, Error> {
    let named = Named::read(node)?;
    let fields = named
        .parts
        .iter()
        .map(|part| field(*part))
        .collect::<Result<_, _>>()?;
    let comment = named.comment()?;
    Ok(Structure {
        name: named.name,
        fields,
        comment,
        origin: node.origin(),
    })
}

fn message(node: Node<'_, '_>) -> Result<Message, Error> {
    let named = Named::read(node)?;
    let mut fields: Vec<Field> = named
        .parts
        .iter()
        .map(|part| field(*part))
        .collect::<Result<_, _>>()?;
    let is_id = |field: &Field| field.name == "_vl_msg_id" && field.is_scalar(Primitive::U16);
    if !fields.first().is_some_and(is_id) {
        return named.node.fail(JsonError::Missing {
            missing: "the first field `u16 _vl_msg_id`",
        });
    }
    fields.remove(0);
    let Some(crc) = named.meta("crc").map(crc).transpose()? else {
        return named.node.fail(JsonError::Missing { missing: "`crc`" });
    };
    let options = named
        .meta("options")
        .map(options)
        .transpose()?
        .unwrap_or_default();
    let comment = named.comment()?;
    Ok(Message {
        name: named.name,
        fields,
        crc,
        options,
        comment,
        origin: node.origin(),
    })
}

/// `[type, name]`, then a length (0 for a variable one, then the count field), then options.
fn field(node: Node<'_, '_>) -> Result<Field, Error> {
    const MISSING: JsonError = JsonError::Missing {
        missing: "type and name of the field",
    };
    let mut parts = node.list("a field")?.into_iter().peekable();
    let (Some(type_node), Some(name)) = (parts.next(), parts.next()) else {
        return node.fail(MISSING);
    };
    let ty = type_name(type_node)?;
    let name = name.text("the name of the field")?;
    let mut bounds = Bounds::Scalar;
    if let Some(len) = parts.next_if(|part| part.is_number()) {
        bounds = match (len.whole("a length")?, &ty) {
            (0, TypeName::String) => Bounds::Open,
            (0, _) => match parts.next() {
                Some(count) => Bounds::Counted(count.text("the name of the count field")?),
                None => {
                    return node.fail(JsonError::Missing {
                        missing: "the count field",
                    });
                }
            },
            (len, _) => Bounds::Fixed(len),
        };
    }
    if ty == TypeName::String && bounds == Bounds::Scalar {
        return node.fail(JsonError::Missing {
            missing: "the length of the string",
        });
    }
    let options = parts.next().map(options).transpose()?.unwrap_or_default();
    Ok(Field {
        name,
        ty,
        bounds,
        options,
        comment: None,
        origin: node.origin(),
    })
}

fn type_name(node: Node<'_, '_>) -> Result<TypeName, Error> {
    let spelling = node.text("a type")?;
    match TypeName::from_spelling(&spelling) {
        Some(ty) => Ok(ty),
        None => node.expected("a base type, `string` or `vl_api_..._t`"),
    }
}

fn options(node: Node<'_, '_>) -> Result<Options, Error> {
    let mut options = Options::default();
    for (name, value) in node.object("options")? {
        options.set(name, value.value()?);
    }
    Ok(options)
}

fn enumeration(node: Node<'_, '_>) -> Result<Enumeration, Error> {
    let named = Named::read(node)?;
    let items = named
        .parts
        .iter()
        .map(|part| item(*part))
        .collect::<Result<_, _>>()?;
    let base = match named.meta("enumtype") {
        None => Primitive::U32,
        Some(base) => match Primitive::from_name(&base.text("the type of an enumeration")?) {
            Some(base) if base.is_integer() => base,
            _ => return base_expected(base),
        },
    };
    Ok(Enumeration {
        name: named.name,
        base,
        items,
        comment: None,
        origin: node.origin(),
    })
}

fn base_expected<T>(node: Node<'_, '_>) -> Result<T, Error> {
    node.expected("an integer type")
}

fn item(node: Node<'_, '_>) -> Result<Item, Error> {
    let parts = node.list("an item")?;
    let [name, value, ..] = parts.as_slice() else {
        return node.fail(JsonError::Missing {
            missing: "name and value of the item",
        });
    };
    Ok(Item {
        name: name.text("the name of an item")?,
        value: value.whole("the value of an item")?,
        options: Options::default(),
        comment: None,
        origin: node.origin(),
    })
}

fn alias(name: String, node: Node<'_, '_>) -> Result<Alias, Error> {
    let (mut ty, mut len) = (None, None);
    for (key, value) in node.object("an alias")? {
        match key.as_str() {
            "type" => ty = Some(type_name(value)?),
            "length" => len = Some(value.whole("a length")?).filter(|len| *len > 0),
            _ => {}
        }
    }
    match ty {
        Some(TypeName::String) if len.is_none() => node.expected("a length of the string"),
        Some(ty) => Ok(Alias {
            name,
            ty,
            len,
            comment: None,
            origin: node.origin(),
        }),
        None => node.fail(JsonError::Missing { missing: "`type`" }),
    }
}

fn service(request: String, node: Node<'_, '_>) -> Result<Service, Error> {
    let (mut reply, mut stream, mut details, mut events) = (None, false, None, Vec::new());
    for (key, value) in node.object("a service")? {
        match key.as_str() {
            "reply" => reply = Some(value.text("the name of a message")?),
            "stream" => stream = value.value()?.as_bool().unwrap_or(false),
            "stream_msg" => details = Some(value.text("the name of a message")?),
            "events" => events = each(value, |event| event.text("the name of a message"))?,
            _ => {}
        }
    }
    let Some(reply) = reply else {
        return node.fail(JsonError::Missing { missing: "`reply`" });
    };
    let answer = match (details, stream) {
        (Some(details), _) => Answer::Cursor { details, reply },
        (None, true) => Answer::Dump { details: reply },
        (None, false) if reply == "null" => Answer::Nothing,
        (None, false) => Answer::Reply(reply),
    };
    Ok(Service {
        request,
        answer,
        events,
    })
}

fn crc(node: Node<'_, '_>) -> Result<u32, Error> {
    let text = node.text("a CRC")?;
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    u32::from_str_radix(digits, 16).or_else(|_| node.expected("a CRC: 0x and up to 8 digits"))
}

fn counters(node: Node<'_, '_>) -> Result<CounterSet, Error> {
    let (mut name, mut elements) = (String::new(), Vec::new());
    for (key, value) in node.object("a set of counters")? {
        match key.as_str() {
            "name" => name = value.text("the name of the set")?,
            "elements" => elements = each(value, counter)?,
            _ => {}
        }
    }
    Ok(CounterSet {
        name,
        elements,
        origin: node.origin(),
    })
}

fn counter(node: Node<'_, '_>) -> Result<Counter, Error> {
    let mut counter = Counter::default();
    for (key, value) in node.object("a counter")? {
        let text = match key.as_str() {
            "name" => &mut counter.name,
            "severity" => &mut counter.severity,
            "type" => &mut counter.kind,
            "units" => &mut counter.units,
            "description" => &mut counter.description,
            _ => continue,
        };
        *text = value.text("a string")?;
    }
    Ok(counter)
}

/// A list of paths; a single path may stand alone.
fn paths(node: Node<'_, '_>) -> Result<Vec<StatPath>, Error> {
    if node.is_list() {
        each(node, path)
    } else {
        Ok(vec![path(node)?])
    }
}

fn path(node: Node<'_, '_>) -> Result<StatPath, Error> {
    let (mut path, mut counter) = (None, None);
    for (key, value) in node.object("a path")? {
        match key.as_str() {
            "path" => path = value.value()?.as_text().map(str::to_owned),
            "counter" => counter = value.value()?.as_text().map(str::to_owned),
            _ => {}
        }
    }
    match (path, counter) {
        (Some(path), Some(counter)) => Ok(StatPath { path, counter }),
        _ => node.fail(JsonError::Missing {
            missing: "`path` or `counter`",
        }),
    }
}
