//! JSON values that know where they are.

use crate::error::{Error, JsonError};
use crate::schema::Value;
use crate::source::Origin;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::Arc;

/// A whole JSON text.
pub(super) struct Document<'a> {
    text: &'a str,
    pub(super) file: Arc<str>,
    /// Offset of the first byte of each line.
    lines: Vec<usize>,
}

impl<'a> Document<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Self {
        let starts = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            file: file.into(),
            lines: std::iter::once(0).chain(starts).collect(),
        }
    }

    pub(super) fn root(&self) -> Result<Node<'a, '_>, Error> {
        match serde_json::from_str::<&RawValue>(self.text) {
            Ok(raw) => Ok(Node {
                raw,
                document: self,
            }),
            Err(error) => Err(Error {
                file: self.file.clone(),
                line: u32::try_from(error.line()).unwrap_or(u32::MAX),
                column: u32::try_from(error.column()).unwrap_or(u32::MAX),
                kind: JsonError::Syntax(error.to_string()).into(),
            }),
        }
    }
}

/// A value inside a document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a, 'd> {
    raw: &'a RawValue,
    document: &'d Document<'a>,
}

impl<'a, 'd> Node<'a, 'd> {
    /// Line and column (in bytes) of the value. The file is left out: definitions in JSON do not tell where they
    /// come from.
    pub(super) fn origin(self) -> Origin {
        let offset = self.raw.get().as_ptr() as usize - self.document.text.as_ptr() as usize;
        let line = self
            .document
            .lines
            .partition_point(|start| *start <= offset);
        let column = 1 + offset - self.document.lines[line - 1];
        Origin {
            file: None,
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn fail<T>(self, error: JsonError) -> Result<T, Error> {
        let file = Some(self.document.file.clone());
        Err(Origin {
            file,
            ..self.origin()
        }
        .error(error))
    }

    pub(super) fn expected<T>(self, expected: &'static str) -> Result<T, Error> {
        self.fail(JsonError::Expected { expected })
    }

    fn starts_with(self, bracket: char) -> bool {
        self.raw.get().starts_with(bracket)
    }

    pub(super) fn is_object(self) -> bool {
        self.starts_with('{')
    }

    pub(super) fn is_list(self) -> bool {
        self.starts_with('[')
    }

    pub(super) fn is_number(self) -> bool {
        self.raw
            .get()
            .starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    pub(super) fn list(self, expected: &'static str) -> Result<Vec<Self>, Error> {
        match serde_json::from_str::<Vec<&RawValue>>(self.raw.get()) {
            Ok(list) => Ok(list.into_iter().map(|raw| self.inner(raw)).collect()),
            Err(_) => self.expected(expected),
        }
    }

    pub(super) fn object(self, expected: &'static str) -> Result<Vec<(String, Self)>, Error> {
        match serde_json::from_str::<Entries<'a>>(self.raw.get()) {
            Ok(Entries(entries)) => Ok(entries
                .into_iter()
                .map(|(key, raw)| (key, self.inner(raw)))
                .collect()),
            Err(_) => self.expected(expected),
        }
    }

    pub(super) fn text(self, expected: &'static str) -> Result<String, Error> {
        serde_json::from_str(self.raw.get()).or_else(|_| self.expected(expected))
    }

    pub(super) fn whole<T: TryFrom<i128>>(self, expected: &'static str) -> Result<T, Error> {
        let value = match self.value() {
            Ok(Value::Integer(value)) => value.try_into().ok(),
            _ => None,
        };
        value.map_or_else(|| self.expected(expected), Ok)
    }

    /// A value of an option.
    pub(super) fn value(self) -> Result<Value, Error> {
        let value: Option<serde_json::Value> = serde_json::from_str(self.raw.get()).ok();
        Ok(match value {
            Some(serde_json::Value::Null) => Value::None,
            Some(serde_json::Value::Bool(value)) => Value::Bool(value),
            Some(serde_json::Value::String(text)) => Value::Text(text),
            Some(serde_json::Value::Number(number)) => {
                let whole = number
                    .as_i64()
                    .map(i128::from)
                    .or(number.as_u64().map(i128::from));
                match (whole, number.as_f64()) {
                    (Some(whole), _) => Value::Integer(whole),
                    (None, Some(float)) => Value::Float(float),
                    (None, None) => return self.expected("a number of up to 64 bits"),
                }
            }
            _ => return self.expected("null, a truth, a number or a string"),
        })
    }

    fn inner(self, raw: &'a RawValue) -> Self {
        Self {
            raw,
            document: self.document,
        }
    }
}

/// The entries of an object in their order.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(Collect).map(Self)
    }
}
