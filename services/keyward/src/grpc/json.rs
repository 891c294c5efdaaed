//! `google.protobuf.Struct` to and from the domain's JSON objects.

use domain::{InvalidValue, JsonObject};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::{Map, Number, Value as Json};

/// The deepest nesting that is followed; the domain's own, smaller limit is checked afterwards.
const DEEPEST: usize = 16;

/// A Struct of a JSON object.
#[must_use]
pub fn to_struct(object: &JsonObject) -> Struct {
    members(object.members())
}

/// A Struct of an object's members, however deep.
#[must_use]
pub(super) fn members(object: &Map<String, Json>) -> Struct {
    Struct { fields: object.iter().map(|(name, value)| (name.clone(), to_value(value))).collect() }
}

fn to_value(json: &Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        Json::String(value) => Kind::StringValue(value.clone()),
        Json::Array(items) => {
            Kind::ListValue(ListValue { values: items.iter().map(to_value).collect() })
        }
        Json::Object(object) => Kind::StructValue(members(object)),
    };
    Value { kind: Some(kind) }
}

/// The JSON object of a Struct.
///
/// # Errors
/// Too deep, a value without a kind, a number that is not finite, or a limit of [`JsonObject`].
pub fn from_struct(object: Struct) -> Result<JsonObject, InvalidValue> {
    JsonObject::new(from_members(object, DEEPEST)?)
}

fn from_members(object: Struct, depth: usize) -> Result<Map<String, Json>, InvalidValue> {
    object.fields.into_iter().map(|(name, value)| Ok((name, from_value(value, depth)?))).collect()
}

fn from_value(value: Value, depth: usize) -> Result<Json, InvalidValue> {
    let depth =
        depth.checked_sub(1).ok_or_else(|| InvalidValue::new("must be at most 8 levels deep"))?;
    let kind = value.kind.ok_or_else(|| InvalidValue::new("must have a kind in every value"))?;
    Ok(match kind {
        Kind::NullValue(_) => Json::Null,
        Kind::BoolValue(value) => Json::Bool(value),
        Kind::NumberValue(value) => Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| InvalidValue::new("must have only finite numbers"))?,
        Kind::StringValue(value) => Json::String(value),
        Kind::ListValue(list) => Json::Array(
            list.values
                .into_iter()
                .map(|item| from_value(item, depth))
                .collect::<Result<_, _>>()?,
        ),
        Kind::StructValue(object) => Json::Object(from_members(object, depth)?),
    })
}
