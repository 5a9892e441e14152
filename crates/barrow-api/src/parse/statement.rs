//! Statements, apart from what stands in blocks.

use super::ast::{Define, Flag, Rpc, Statement};
use super::block::{Block, block, declaration, items};
use super::cursor::Cursor;
use super::lexer::Kind;
use crate::error::{Error, SyntaxError};
use crate::schema::{
    Alias, Answer, Bounds, Counter, CounterSet, Enumeration, Primitive, Service, StatPath,
    Structure, Value,
};

pub(super) fn statement(cursor: &mut Cursor<'_>) -> Result<Statement, Error> {
    let comment = cursor.comment_before();
    let flags = flags(cursor);
    let no_flags = |cursor: &Cursor<'_>, statement| match flags.first() {
        Some(flag) => cursor.fail(SyntaxError::Flag {
            flag: flag.name().to_owned(),
            statement,
        }),
        None => Ok(()),
    };
    // A comment may stand before the flags or before the word itself.
    let comment = comment.or_else(|| cursor.comment_before());
    match cursor.peek_word() {
        Some("option") => no_flags(cursor, "option").and_then(|()| {
            let (name, value) = option(cursor)?;
            Ok(Statement::Option { name, value })
        }),
        Some("import") => no_flags(cursor, "import").and_then(|()| import(cursor)),
        Some("enum") => no_flags(cursor, "enum").and_then(|()| {
            Ok(Statement::Enum(enumeration(cursor, comment, |base| {
                base.is_integer() && base.len() <= 4
            })?))
        }),
        Some("enumflag") => no_flags(cursor, "enumflag").and_then(|()| {
            Ok(Statement::Flags(enumeration(
                cursor,
                comment,
                Primitive::is_count,
            )?))
        }),
        Some("service") => no_flags(cursor, "service").and_then(|()| service(cursor)),
        Some("counters") => no_flags(cursor, "counters").and_then(|()| counters(cursor)),
        Some("paths") => no_flags(cursor, "paths").and_then(|()| paths(cursor)),
        Some("typedef") => typedef(cursor, comment),
        Some("union") => {
            cursor.word("union")?;
            Ok(Statement::Union(structure(cursor, comment)?))
        }
        Some("define") => define(cursor, flags, comment),
        _ => cursor.expected("a statement"),
    }
}

fn flags(cursor: &mut Cursor<'_>) -> Vec<Flag> {
    let mut flags = Vec::new();
    while let Some(flag) = Flag::ALL
        .into_iter()
        .find(|flag| cursor.take_word(flag.name()))
    {
        flags.push(flag);
    }
    flags
}

/// `option name [= value];`, also inside a block.
pub(super) fn option(cursor: &mut Cursor<'_>) -> Result<(String, Value), Error> {
    cursor.word("option")?;
    let name = cursor.name("the name of an option")?;
    let value = if cursor.take('=') {
        cursor.value()?
    } else {
        Value::None
    };
    cursor.expect(';', "`=` or `;`")?;
    Ok((name, value))
}

fn import(cursor: &mut Cursor<'_>) -> Result<Statement, Error> {
    let origin = cursor.origin();
    cursor.word("import")?;
    let path = cursor.text("the path of a file")?;
    cursor.expect(';', "`;`")?;
    Ok(Statement::Import { path, origin })
}

fn typedef(cursor: &mut Cursor<'_>, comment: Option<String>) -> Result<Statement, Error> {
    cursor.word("typedef")?;
    if cursor.peek_second().kind == Kind::Punctuation('{') {
        return Ok(Statement::Structure(structure(cursor, comment)?));
    }
    let origin = cursor.origin();
    let field = declaration(cursor)?;
    let len = match field.bounds {
        Bounds::Scalar => None,
        Bounds::Fixed(len) => Some(len),
        Bounds::Counted(_) | Bounds::Open => {
            let found = "variable bounds".to_owned();
            let expected = "a fixed length";
            return Err(origin.error(SyntaxError::Expected { expected, found }));
        }
    };
    Ok(Statement::Alias(Alias {
        name: field.name,
        ty: field.ty,
        len,
        comment,
        origin,
    }))
}

fn structure(cursor: &mut Cursor<'_>, comment: Option<String>) -> Result<Structure, Error> {
    let origin = cursor.origin();
    let name = cursor.name("the name of a type")?;
    let Block { fields, .. } = block(cursor)?;
    Ok(Structure {
        name,
        fields,
        comment,
        origin,
    })
}

fn define(
    cursor: &mut Cursor<'_>,
    flags: Vec<Flag>,
    comment: Option<String>,
) -> Result<Statement, Error> {
    if flags.contains(&Flag::Typeonly) {
        let flag = Flag::Typeonly.name().to_owned();
        return cursor.fail(SyntaxError::Flag {
            flag,
            statement: "define",
        });
    }
    cursor.word("define")?;
    let origin = cursor.origin();
    let name = cursor.name("the name of a message")?;
    let Block { fields, options } = block(cursor)?;
    Ok(Statement::Define(Define {
        name,
        fields,
        options,
        flags,
        comment,
        origin,
    }))
}

fn enumeration(
    cursor: &mut Cursor<'_>,
    comment: Option<String>,
    fits: impl Fn(Primitive) -> bool,
) -> Result<Enumeration, Error> {
    cursor.word("enum")?;
    let origin = cursor.origin();
    let name = cursor.name("the name of an enumeration")?;
    let base = if cursor.take(':') {
        match cursor.peek_word().and_then(Primitive::from_name) {
            Some(base) if fits(base) => {
                cursor.word("a base type")?;
                base
            }
            _ => return cursor.expected("an integer type of up to 32 bits that fits"),
        }
    } else {
        Primitive::U32
    };
    let items = items(cursor)?;
    Ok(Enumeration {
        name,
        base,
        items,
        comment,
        origin,
    })
}

fn service(cursor: &mut Cursor<'_>) -> Result<Statement, Error> {
    cursor.word("service")?;
    cursor.expect('{', "`{`")?;
    let mut rpcs = Vec::new();
    while !cursor.take('}') {
        rpcs.push(rpc(cursor)?);
    }
    if rpcs.is_empty() {
        return cursor.fail(SyntaxError::Empty("service"));
    }
    cursor.expect(';', "`;`")?;
    Ok(Statement::Service(rpcs))
}

fn rpc(cursor: &mut Cursor<'_>) -> Result<Rpc, Error> {
    const MESSAGE: &str = "the name of a message";
    if !cursor.take_word("rpc") {
        return cursor.expected("`rpc` or `}`");
    }
    let origin = cursor.origin();
    let request = cursor.name(MESSAGE)?;
    if !cursor.take_word("returns") {
        return cursor.expected("`returns`");
    }
    let mut events = Vec::new();
    let answer = if cursor.take_word("null") {
        Answer::Nothing
    } else if cursor.take_word("stream") {
        Answer::Dump {
            details: cursor.name(MESSAGE)?,
        }
    } else {
        let reply = cursor.name(MESSAGE)?;
        if cursor.take_word("stream") {
            Answer::Cursor {
                details: cursor.name(MESSAGE)?,
                reply,
            }
        } else {
            if cursor.take_word("events") {
                events.push(cursor.name(MESSAGE)?);
                while cursor.take(',') || cursor.peek_word().is_some() {
                    events.push(cursor.name(MESSAGE)?);
                }
            }
            Answer::Reply(reply)
        }
    };
    cursor.expect(';', "`;`")?;
    Ok(Rpc {
        service: Service {
            request,
            answer,
            events,
        },
        origin,
    })
}

fn counters(cursor: &mut Cursor<'_>) -> Result<Statement, Error> {
    cursor.word("counters")?;
    let origin = cursor.origin();
    let name = cursor.name("the name of a set of counters")?;
    cursor.expect('{', "`{`")?;
    let mut elements = Vec::new();
    while !cursor.take('}') {
        elements.push(counter(cursor)?);
    }
    if elements.is_empty() {
        return cursor.fail(SyntaxError::Empty("set of counters"));
    }
    cursor.expect(';', "`;`")?;
    Ok(Statement::Counters(CounterSet {
        name,
        elements,
        origin,
    }))
}

fn counter(cursor: &mut Cursor<'_>) -> Result<Counter, Error> {
    let mut counter = Counter {
        name: cursor.name("the name of a counter")?,
        ..Counter::default()
    };
    cursor.expect('{', "`{`")?;
    while !cursor.take('}') {
        match cursor.word("`severity`, `type`, `units`, `description` or `}`")? {
            "severity" => counter.severity = cursor.name("a severity")?,
            "type" => counter.kind = cursor.name("a kind of counter")?,
            "units" => counter.units = cursor.text("the units in quotes")?,
            "description" => counter.description = cursor.text("a description in quotes")?,
            word => return cursor.fail(SyntaxError::Reserved(word.to_owned())),
        }
        cursor.expect(';', "`;`")?;
    }
    cursor.expect(';', "`;`")?;
    Ok(counter)
}

fn paths(cursor: &mut Cursor<'_>) -> Result<Statement, Error> {
    cursor.word("paths")?;
    cursor.expect('{', "`{`")?;
    let mut paths = Vec::new();
    while !cursor.take('}') {
        let path = cursor.text("a path in quotes")?;
        let counter = cursor.text("the name of a set of counters in quotes")?;
        cursor.expect(';', "`;`")?;
        paths.push(StatPath { path, counter });
    }
    cursor.expect(';', "`;`")?;
    Ok(Statement::Paths(paths))
}
