//! Values to JSON and back, in the form VPP's own tools use (`save-json`, `replay-json`, `vat2`).
//!
//! Where that form loses information ours does not; the table is in the [module docs](super).

use std::sync::Arc;

use serde_json::{Map, Number, Value as Json};

use super::bytes::{Budget, Decoder, Encoder};
use super::error::{CodecError, CodecErrorKind};
use super::plan::{EnumPlan, Kind, Plan, Scalar, Shape, StructPlan, TypePlan, UnionPlan};
use super::text;
use super::{Fields, JsonRules, Value};

type Result<T> = std::result::Result<T, CodecError>;

/// The largest integer up to which a double holds every integer exactly.
const EXACT_IN_F64: f64 = 9_007_199_254_740_992.0;

/// Turns values into JSON.
///
/// Members of a union lie over each other, so that the values written are not bounded by the bytes
/// of the message; they are counted.
#[derive(Debug)]
pub(super) struct JsonWriter<'p> {
    pub(super) plan: &'p Plan,
    pub(super) budget: Budget,
}

impl JsonWriter<'_> {
    /// Adds every field to `object`.
    pub(super) fn fields(
        &mut self,
        plan: &StructPlan,
        fields: &Fields,
        object: &mut Map<String, Json>,
    ) -> Result<()> {
        self.budget.take(plan.fields.len())?;
        for field in &plan.fields {
            let value = fields.get(&field.name);
            let value = value.ok_or_else(|| CodecError::new(CodecErrorKind::Missing));
            let json = value.and_then(|value| {
                let case = field
                    .discriminator
                    .and_then(|at| fields.get(&plan.fields[at].name).and_then(Value::as_i64));
                self.value(&field.shape, value, case)
            });
            let json = json.map_err(|error| error.within(&field.name))?;
            object.insert(field.name.to_string(), json);
        }
        Ok(())
    }

    /// One value; `case` tells which member of a union counts, if that is known.
    fn value(&mut self, shape: &Shape, value: &Value, case: Option<i64>) -> Result<Json> {
        match (shape, value) {
            (Shape::Type(index), value) => {
                let plan = self.plan;
                self.named(&plan.types[*index], value, case)
            }
            (_, Value::Bool(value)) => Ok(Json::Bool(*value)),
            (_, Value::Unsigned(value)) => Ok(Json::from(*value)),
            (_, Value::Signed(value)) => Ok(Json::from(*value)),
            (_, Value::Float(value)) => Ok(match Number::from_f64(*value) {
                Some(number) => Json::Number(number),
                None => Json::String(text::special_float(*value)),
            }),
            (_, Value::Text(bytes)) => Ok(match std::str::from_utf8(bytes) {
                Ok(text) => Json::String(text.to_owned()),
                Err(_) => Json::Object(Map::from_iter([("hex".into(), text::hex(bytes).into())])),
            }),
            (_, Value::Bytes(bytes)) => Ok(Json::String(text::hex(bytes))),
            (Shape::Array(element, _), Value::Array(elements)) => {
                self.budget.take(elements.len())?;
                let shape = element.shape();
                let json = elements.iter().enumerate().map(|(index, value)| {
                    self.value(&shape, value, None)
                        .map_err(|error| error.at(index))
                });
                json.collect::<Result<_>>().map(Json::Array)
            }
            (_, value) => Err(super::bytes::unexpected(
                "a value of the field's type",
                value,
            )),
        }
    }

    fn named(&mut self, this: &TypePlan, value: &Value, case: Option<i64>) -> Result<Json> {
        if let Some(text) = this.special.and_then(|special| special.to_text(value)) {
            return Ok(Json::String(text));
        }
        match (&this.kind, value) {
            (Kind::Alias(shape), value) => self.value(shape, value, case),
            (Kind::Struct(plan), Value::Struct(fields)) => {
                let mut object = Map::new();
                self.fields(plan, fields, &mut object)?;
                Ok(Json::Object(object))
            }
            (Kind::Enum(plan), Value::Unsigned(_) | Value::Signed(_)) => {
                Ok(enumerated(plan, value))
            }
            (Kind::Union(plan), Value::Bytes(bytes)) if bytes.len() == this.size.min => {
                self.union(plan, bytes, case)
            }
            (Kind::Struct(_), value) => Err(super::bytes::unexpected("a structure", value)),
            (Kind::Enum(_), value) => Err(super::bytes::unexpected("an integer", value)),
            (Kind::Union(_), value) => {
                Err(super::bytes::unexpected("the octets of a union", value))
            }
        }
    }

    /// The member that counts, or all of them when that is not known.
    fn union(&mut self, plan: &UnionPlan, bytes: &[u8], case: Option<i64>) -> Result<Json> {
        let chosen = plan
            .members
            .iter()
            .find(|member| case.is_some() && member.case == case);
        let members = match chosen {
            Some(member) => std::slice::from_ref(member),
            None => &plan.members[..],
        };
        let mut object = Map::new();
        for member in members {
            self.budget.take(bytes.len())?;
            let value = Decoder::new(self.plan, bytes, &mut self.budget).value(&member.shape, 0)?;
            let json = self.value(&member.shape, &value, None);
            let json = json.map_err(|error| error.within(&member.name))?;
            object.insert(member.name.to_string(), json);
        }
        Ok(Json::Object(object))
    }
}

/// Names where there are names, integers where there are none.
fn enumerated(plan: &EnumPlan, value: &Value) -> Json {
    let integer = || match value {
        Value::Signed(value) => Json::from(*value),
        value => Json::from(value.as_u64().unwrap_or(0)),
    };
    // Items are i64, so a larger value has no name.
    let Some(number) = value.as_i64() else {
        return integer();
    };
    if !plan.flags {
        return match plan.name_of(number) {
            Some(name) => Json::String(name.to_string()),
            None => integer(),
        };
    }
    let mut left = number;
    let mut names = Vec::new();
    for (name, bit) in &plan.items {
        if *bit != 0 && left & bit == *bit {
            names.push(Json::String(name.to_string()));
            left &= !bit;
        }
    }
    if left != 0 {
        names.push(Json::from(left));
    }
    Json::Array(names)
}

/// Turns JSON into values.
#[derive(Debug)]
pub(super) struct JsonReader<'p> {
    pub(super) plan: &'p Plan,
    pub(super) rules: JsonRules,
    pub(super) budget: Budget,
}

impl JsonReader<'_> {
    /// Reads the fields of a structure. `more` names members of the object that are no fields.
    pub(super) fn fields(
        &mut self,
        plan: &StructPlan,
        object: &Map<String, Json>,
        more: &[&str],
    ) -> Result<Fields> {
        self.budget.take(plan.fields.len())?;
        if !self.rules.ignore_unknown {
            let known = |name: &str| {
                more.contains(&name) || plan.fields.iter().any(|field| &*field.name == name)
            };
            if let Some(name) = object.keys().find(|name| !known(name)) {
                let error = CodecError::new(CodecErrorKind::UnknownField);
                return Err(error.within(&Arc::from(name.as_str())));
            }
        }
        let mut fields = Vec::with_capacity(plan.fields.len());
        for field in &plan.fields {
            let value = match object.get(&*field.name) {
                _ if field.counts.is_some() => Ok(Value::Unsigned(0)),
                Some(json) => self.value(&field.shape, json),
                None if self.rules.fill_missing || is_routing(&field.name) => {
                    // A type has at most as many values as bytes.
                    let values = self.plan.size(&field.shape).min;
                    self.budget
                        .take(values)
                        .map(|()| self.plan.default_value(field))
                }
                None => Err(CodecErrorKind::Missing.into()),
            };
            let value = value.map_err(|error| error.within(&field.name))?;
            fields.push((Arc::clone(&field.name), value));
        }
        for (index, field) in plan.fields.iter().enumerate() {
            if let Some(array) = field.counts {
                let len = match &fields[array].1 {
                    Value::Bytes(bytes) => bytes.len(),
                    Value::Array(elements) => elements.len(),
                    _ => 0,
                };
                fields[index].1 = Value::Unsigned(u64::try_from(len).unwrap_or(u64::MAX));
            }
        }
        Ok(Fields::from_vec(fields))
    }

    fn value(&mut self, shape: &Shape, json: &Json) -> Result<Value> {
        match (shape, json) {
            (Shape::Scalar(scalar), json) => scalar_value(*scalar, json),
            (Shape::FixedText(_) | Shape::VarText, Json::String(text)) => {
                Ok(Value::Text(text.as_bytes().to_vec()))
            }
            (Shape::FixedText(_) | Shape::VarText, Json::Object(object)) => {
                match object.get("hex").map(octets) {
                    Some(bytes) if object.len() == 1 => bytes.map(Value::Text),
                    _ => Err(unexpected("text", json)),
                }
            }
            (Shape::Bytes(_), json) => octets(json).map(Value::Bytes),
            (Shape::Array(element, _), Json::Array(elements)) => {
                self.budget.take(elements.len())?;
                let shape = element.shape();
                let values = elements
                    .iter()
                    .enumerate()
                    .map(|(index, json)| self.value(&shape, json).map_err(|error| error.at(index)));
                values.collect::<Result<_>>().map(Value::Array)
            }
            (Shape::Type(index), json) => {
                let plan = self.plan;
                self.named(&plan.types[*index], json)
            }
            (Shape::FixedText(_) | Shape::VarText, json) => Err(unexpected("text", json)),
            (Shape::Array(..), json) => Err(unexpected("an array", json)),
        }
    }

    fn named(&mut self, this: &TypePlan, json: &Json) -> Result<Value> {
        if let (Some(special), Json::String(text)) = (this.special, json)
            && !text.starts_with("0x")
        {
            let expected = special.expected();
            let bad = || {
                CodecErrorKind::BadText {
                    expected,
                    text: text.clone(),
                }
                .into()
            };
            return special.parse(text).ok_or_else(bad);
        }
        match (&this.kind, json) {
            (Kind::Alias(shape), json) => self.value(shape, json),
            (Kind::Struct(plan), Json::Object(object)) => {
                self.fields(plan, object, &[]).map(Value::Struct)
            }
            (Kind::Enum(plan), json) => enum_value(plan, json),
            (Kind::Union(plan), Json::Object(object)) => {
                self.union(plan, this.size.min, object).map(Value::Bytes)
            }
            (Kind::Struct(_), json) => Err(unexpected("an object", json)),
            (Kind::Union(_), json) => Err(unexpected("an object", json)),
        }
    }

    /// Lays the members given over each other, in the order of the definition.
    fn union(
        &mut self,
        plan: &UnionPlan,
        size: usize,
        object: &Map<String, Json>,
    ) -> Result<Vec<u8>> {
        let member = |name: &String| plan.members.iter().any(|member| *member.name == **name);
        if !self.rules.ignore_unknown
            && let Some(name) = object.keys().find(|name| !member(name))
        {
            return Err(CodecErrorKind::UnknownName(name.clone()).into());
        }
        let mut union = vec![0; size];
        let mut given = false;
        for member in &plan.members {
            let Some(json) = object.get(&*member.name) else {
                continue;
            };
            let mut bytes = Vec::with_capacity(size);
            let value = self.value(&member.shape, json);
            let done = value
                .and_then(|value| Encoder::new(self.plan, &mut bytes).value(&member.shape, &value));
            done.map_err(|error| error.within(&member.name))?;
            union[..bytes.len()].copy_from_slice(&bytes);
            given = true;
        }
        if given || self.rules.fill_missing {
            Ok(union)
        } else {
            Err(CodecErrorKind::Missing.into())
        }
    }
}

/// Fields of the transport, which VPP's JSON form leaves out wherever they stand.
fn is_routing(name: &str) -> bool {
    matches!(name, "client_index" | "context")
}

fn octets(json: &Json) -> Result<Vec<u8>> {
    let Json::String(text) = json else {
        return Err(unexpected("octets as text", json));
    };
    text::parse_hex(text).ok_or_else(|| {
        let expected = "0x and an even number of hexadecimal digits";
        CodecErrorKind::BadText {
            expected,
            text: text.clone(),
        }
        .into()
    })
}

fn scalar_value(scalar: Scalar, json: &Json) -> Result<Value> {
    match (scalar, json) {
        (Scalar::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Scalar::Bool, Json::Number(number)) => match number.as_u64() {
            Some(value @ 0..=1) => Ok(Value::Bool(value == 1)),
            _ => Err(unexpected("true or false", json)),
        },
        (Scalar::F64, Json::Number(number)) => match number.as_f64() {
            Some(value) => Ok(Value::Float(value)),
            None => Err(unexpected("a number", json)),
        },
        (Scalar::F64, Json::String(text)) => {
            let number = text::parse_special_float(text).map(Value::Float);
            number.ok_or_else(|| unexpected("a number", json))
        }
        (Scalar::Unsigned(_) | Scalar::Signed(_), Json::Number(number)) => integer(scalar, number),
        (Scalar::Bool, json) => Err(unexpected("true or false", json)),
        (_, json) => Err(unexpected("a number", json)),
    }
}

/// An integer that fits its type. A double is taken where it stands for exactly one integer.
fn integer(scalar: Scalar, number: &Number) -> Result<Value> {
    let exact = |value: &f64| value.fract() == 0.0 && value.abs() <= EXACT_IN_F64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be an integer below 2^53"
    )]
    let double = || number.as_f64().filter(exact).map(|value| value as i128);
    let wide = number.as_i128().or_else(double);
    wide.and_then(|wide| scalar.integer(wide)).ok_or_else(|| {
        let (bits, signed) = scalar.bits();
        CodecErrorKind::OutOfRange {
            value: number.to_string(),
            bits,
            signed,
        }
        .into()
    })
}

fn enum_value(plan: &EnumPlan, json: &Json) -> Result<Value> {
    match json {
        Json::String(name) => {
            let value = plan.value_of(name);
            value.ok_or_else(|| CodecErrorKind::UnknownName(name.clone()).into())
        }
        Json::Number(number) => integer(plan.base, number),
        Json::Array(parts) if plan.flags => {
            let mut bits = 0;
            for (index, part) in parts.iter().enumerate() {
                if part.is_array() {
                    return Err(unexpected("a name or number", part).at(index));
                }
                let part = enum_value(plan, part).map_err(|error| error.at(index))?;
                bits |= part.as_u64().unwrap_or(0);
            }
            Ok(Value::Unsigned(bits))
        }
        _ => Err(unexpected("a name or number", json)),
    }
}

fn unexpected(expected: &'static str, found: &Json) -> CodecError {
    let found = match found {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    };
    CodecErrorKind::Kind { expected, found }.into()
}
