//! What stands between braces: declarations and the items of enumerations.

use super::cursor::Cursor;
use super::lexer::Kind;
use super::statement::option;
use crate::error::{Error, SyntaxError};
use crate::schema::{Bounds, Field, Item, Options, TypeName, Value};

pub(super) struct Block {
    pub(super) fields: Vec<Field>,
    pub(super) options: Options,
}

/// `{ declarations and options };`
pub(super) fn block(cursor: &mut Cursor<'_>) -> Result<Block, Error> {
    cursor.expect('{', "`{`")?;
    let (mut fields, mut options) = (Vec::new(), Options::default());
    while !cursor.take('}') {
        if cursor.peek_word() == Some("option") {
            let (name, value) = option(cursor)?;
            options.set(name, value);
        } else {
            fields.push(declaration(cursor)?);
        }
    }
    if fields.is_empty() && options.is_empty() {
        return cursor.fail(SyntaxError::Empty("block"));
    }
    cursor.expect(';', "`;`")?;
    Ok(Block { fields, options })
}

/// `type name;`, with bounds or options in brackets.
pub(super) fn declaration(cursor: &mut Cursor<'_>) -> Result<Field, Error> {
    let before = cursor.comment_before();
    let origin = cursor.origin();
    let Some(ty) = cursor.peek_word().and_then(TypeName::from_spelling) else {
        return cursor.expected("a type (base type, `string` or `vl_api_..._t`)");
    };
    cursor.word("a type")?;
    let name = cursor.field_name()?;
    let mut options = Options::default();
    let mut bounds = Bounds::Scalar;
    if cursor.take('[') {
        bounds = bracket(cursor, &ty, &mut options)?;
    }
    if ty == TypeName::String && bounds == Bounds::Scalar {
        return cursor.fail(SyntaxError::StringWithoutBounds);
    }
    cursor.expect(';', "`[` or `;`")?;
    let comment = before.or_else(|| cursor.comment_behind());
    Ok(Field {
        name,
        ty,
        bounds,
        options,
        comment,
        origin,
    })
}

/// What stands behind `[`: bounds, or the options of a scalar.
fn bracket(cursor: &mut Cursor<'_>, ty: &TypeName, options: &mut Options) -> Result<Bounds, Error> {
    if cursor.peek().kind == Kind::Punctuation(']') {
        if *ty != TypeName::String {
            return cursor.fail(SyntaxError::OpenBounds);
        }
        cursor.take(']');
        return Ok(Bounds::Open);
    }
    if let Kind::Number(_) = cursor.peek().kind {
        let origin = cursor.origin();
        let len = cursor.whole("a length")?;
        if len == 0 {
            return Err(origin.error(SyntaxError::ZeroLength));
        }
        cursor.expect(']', "`]`")?;
        return Ok(Bounds::Fixed(len));
    }
    // One word alone is always a count.
    if cursor.peek_second().kind == Kind::Punctuation(']') {
        if *ty == TypeName::String {
            return cursor.expected("the length of a string, or nothing");
        }
        let count = cursor.field_name()?;
        cursor.take(']');
        return Ok(Bounds::Counted(count));
    }
    bracket_options(cursor, options)?;
    Ok(Bounds::Scalar)
}

/// `name [= value [,]] ... ]`
fn bracket_options(cursor: &mut Cursor<'_>, options: &mut Options) -> Result<(), Error> {
    loop {
        let name = cursor.word("the name of an option")?;
        let mut value = Value::None;
        if cursor.take('=') {
            value = cursor.value()?;
            cursor.take(',');
        }
        options.set(name, value);
        if cursor.take(']') {
            return Ok(());
        }
    }
}

/// `{ items };` of an enumeration.
pub(super) fn items(cursor: &mut Cursor<'_>) -> Result<Vec<Item>, Error> {
    cursor.expect('{', "`:` or `{`")?;
    let mut items: Vec<Item> = Vec::new();
    while !cursor.take('}') {
        let before = cursor.comment_before();
        let origin = cursor.origin();
        let name = cursor.name("the name of an item")?;
        let value = if cursor.take('=') {
            cursor.whole("the value of the item")?
        } else {
            // 63 bits are enough for any base type; `check_enumeration` refuses what the base cannot hold.
            items.last().map_or(0, |last| last.value.saturating_add(1))
        };
        let mut options = Options::default();
        if cursor.take('[') {
            bracket_options(cursor, &mut options)?;
        }
        cursor.expect(',', "`=`, `[` or `,`")?;
        let comment = before.or_else(|| cursor.comment_behind());
        items.push(Item {
            name,
            value,
            options,
            comment,
            origin,
        });
    }
    if items.is_empty() {
        return cursor.fail(SyntaxError::Empty("enumeration"));
    }
    cursor.expect(';', "`;`")?;
    Ok(items)
}
